//! A broker per test, and waiting for conditions.

mod nats;

pub(crate) use nats::Nats;

use std::future::Future;
use std::time::Duration;

use heliograph_fabric::provision::{ProvisionOptions, provision};
use heliograph_fabric::{Envelope, Fabric, Layout, Options, Plan};

/// How long a condition may take; generous, because a machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A connection to `nats` with timeouts short enough for tests.
pub(crate) async fn connect(nats: &Nats, name: &str) -> Fabric {
    let options = Options { request_timeout: Duration::from_secs(2), ..Options::new(nats.url(), name) };
    Fabric::connect(options).await.unwrap()
}

/// A provisioned broker with four partitions everywhere.
pub(crate) async fn ready() -> (Nats, Fabric) {
    let nats = Nats::start().await;
    let fabric = connect(&nats, "test").await;
    let layout = Layout { inbound: 4, routing: 4, outbound: 4 };
    let plan = Plan { layout, ..Plan::default() };
    provision(&fabric, &plan, ProvisionOptions::default()).await.unwrap();
    (nats, fabric)
}

/// An envelope that says `text`.
pub(crate) fn envelope(id: &str, text: &str) -> Envelope {
    Envelope::new(id, "message.received", "heliograph/test", 1_763_836_425_123, text.to_owned())
}

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
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("waited in vain for: {what}"))
}

/// As [`until`], for a condition without I/O.
pub(crate) async fn holds(what: &str, mut condition: impl FnMut() -> bool) {
    until(what, || std::future::ready(condition().then_some(()))).await;
}

/// A process of its own, as far as that is possible in one: a runtime with its own connections, which can be killed.
pub(crate) struct Process(Option<tokio::runtime::Runtime>);

impl Process {
    /// Runs `main` in a runtime of its own.
    pub(crate) fn start<Fut: Future<Output = ()> + Send + 'static>(main: Fut) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(main);
        Self(Some(runtime))
    }

    /// Ends it where it stands: no release, no acknowledgement, no goodbye.
    pub(crate) fn kill(mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
