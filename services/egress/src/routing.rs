//! Appending to the routing log.

use heliograph_fabric::{Envelope, Fabric, Layout, PublishError, Published, subjects};
use heliograph_proto::v1::RoutingEntry;
use tokio::time::Instant;

use crate::event::SOURCE;

/// The pool whose log an entry goes to.
const POOL: &str = "default";
/// The conversation scope unless something else is said.
pub(crate) const SCOPE: &str = "default";

/// Appends a message to send to its tenant's log; whether the broker had it already.
///
/// # Errors
/// As [`Fabric::publish`]; a tenant that cannot stand in a subject is refused.
pub(crate) async fn append(
    fabric: &Fabric,
    layout: Layout,
    entry: &RoutingEntry,
    now_ms: i64,
    deadline: Option<Instant>,
) -> Result<Published, PublishError> {
    let partition = subjects::partition_of_pool(&entry.tenant, POOL, layout.routing);
    let subject = subjects::routing(partition, &entry.tenant).map_err(|error| PublishError::Refused {
        subject: "hg.routing".to_owned(),
        code: 0,
        description: error.to_string(),
    })?;
    let envelope = Envelope::of(entry.id.clone(), "routing.send", SOURCE, now_ms, entry);
    fabric.publish(&subject, &envelope, deadline).await
}
