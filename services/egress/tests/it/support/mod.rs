//! Servers, channels, an egress that can be killed, and waiting for what must become true.

mod channel;
mod world;

pub(crate) use channel::{Channel, Step, code, delivered, later, permanent};
pub(crate) use world::{TOKEN, World, stamp};

use std::future::Future;
use std::time::Duration;

/// Longer than anything here takes on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_mins(1);

/// Polls `probe` until it gives something.
pub(crate) async fn until<T, F, Fut>(what: &str, mut probe: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("waited in vain for: {what}"))
}

/// As [`until`], for a condition without I/O.
pub(crate) async fn holds(what: &str, mut condition: impl FnMut() -> bool) {
    until(what, || std::future::ready(condition().then_some(()))).await;
}
