//! Appending to the routing log.

use heliograph_fabric::{Envelope, PublishError, Published, RoutingLog};
use heliograph_proto::v1::RoutingEntry;
use tokio::time::Instant;

use crate::event::SOURCE;

/// The conversation scope unless something else is said.
pub(crate) const SCOPE: &str = "default";

/// Appends a message to send to its tenant's log; whether the broker had it already.
///
/// # Errors
/// As [`RoutingLog::append`].
pub(crate) async fn append(
    log: &RoutingLog,
    entry: &RoutingEntry,
    now_ms: i64,
    deadline: Option<Instant>,
) -> Result<Published, PublishError> {
    let envelope = Envelope::of(entry.id.clone(), "routing.send", SOURCE, now_ms, entry);
    log.append(&entry.tenant, envelope, deadline).await
}
