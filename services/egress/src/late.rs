//! Failures that the provider reports after it took a message: the question after its receipt is asked at once.
//!
//! Expendable, as typing is: a report that nobody hears here is found when the question's own time comes.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use heliograph_domain::ids;
use heliograph_fabric::{Fabric, publish::within, subjects};
use heliograph_proto::{
    Message as _,
    v1::{Event, event::Payload},
};
use heliograph_runtime::Shutdown;

use crate::{error::chain, line::Line};

/// One member of the fleet asks.
const QUEUE: &str = "egress.late";
/// How long the broker may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Under what the question after a message's receipt waits.
pub(crate) fn question(tenant: &str, message_id: &str) -> String {
    ids::derive(ids::DELIVERY, &[tenant, message_id, "receipt"])
}

/// Listens for one channel until told to stop.
pub(crate) async fn listen(fabric: Fabric, line: Arc<Line>, shutdown: Shutdown) {
    let Ok(subject) = subjects::messages_failed(&line.name) else { return };
    let mut failures = match fabric.client().queue_subscribe(subject, QUEUE.to_owned()).await {
        Ok(failures) => failures,
        Err(error) => {
            tracing::warn!(channel = line.name, %error, "late failures will be met later");
            return;
        }
    };
    loop {
        let message = tokio::select! {
            () = shutdown.draining() => return,
            message = failures.next() => message,
        };
        let Some(message) = message else { return };
        let Ok(Event { tenant, payload: Some(Payload::MessageFailed(failed)), .. }) =
            Event::decode(message.payload)
        else {
            continue;
        };
        let hastened = fabric.hasten(&question(&tenant, &failed.message_id), within(PATIENCE)).await;
        if let Err(error) = hastened {
            tracing::debug!(channel = line.name, error = chain(&error), "a late failure is met later");
        }
    }
}
