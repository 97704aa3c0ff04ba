//! Names that others rely on.

use heliograph_domain::ids;
use heliograph_fabric::subjects;

/// The read model that holds a contact's open conversation: entries by contact id, with the fields `conversation`,
/// `region`, `channel` and `scope`.
pub const OPEN_CONVERSATION: &str = "open-conversation";

/// The pool every tenant has.
pub(crate) const POOL: &str = "default";

/// The conversation scope unless something else is said.
pub(crate) const SCOPE: &str = "default";

/// What stands in `ce-source` of everything the router publishes.
pub(crate) const SOURCE: &str = "heliograph/router";

/// Where the owner of a routing partition answers questions, as `RoutingQuery` and `RoutingAnswer`.
pub fn query_subject(partition: u16) -> String {
    heliograph_fabric::subjects::routing_query(partition)
}

/// The id that an agent's reply gets as a message. It follows from the command, so a repeated command is the same message.
pub fn reply_message_id(tenant: &str, agent: &str, command_id: &str) -> String {
    ids::derive(ids::MESSAGE, &[tenant, "reply", agent, command_id])
}

/// The routing partition of a tenant.
pub(crate) fn routing_partition(tenant: &str, count: u16) -> u16 {
    subjects::partition_of_pool(tenant, POOL, count)
}
