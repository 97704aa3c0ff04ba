//! What the system itself says to a customer, without anybody being asked.

use heliograph_domain::{content, ids};
use heliograph_proto::v1::{
    Message, MessageClass, Notice, RoutingEntry, SendRequested, Sender, SenderKind, Verdict, routing_entry,
};
use heliograph_store::contacts::Contact;

use super::Case;
use crate::{error::Failure, naming::SCOPE};

/// Has `text` sent to the address the event came from, behind whatever the event itself led to in the routing log. At
/// most one answer follows from an event: its ids are the event's, so the machine takes a repeat for what it is.
pub(super) async fn send(
    case: Case<'_>,
    contact: &Contact,
    verdict: Verdict,
    text: String,
    notice: Notice,
) -> Result<(), Failure> {
    let Case { event, address, .. } = case;
    let derived = |prefix: &str| ids::derive(prefix, &[&event.id, "answer"]);
    let message = Message {
        id: derived(ids::MESSAGE),
        content: Some(content::text(text)),
        sender: Some(Sender { kind: SenderKind::System.into(), ..Sender::default() }),
        address: Some(address.clone()),
        message_class: MessageClass::Service.into(),
        ..Message::default()
    };
    let send = SendRequested {
        command_id: derived(ids::COMMAND),
        contact: contact.id.clone(),
        scope: SCOPE.to_owned(),
        message: Some(message),
        verdict: Some(verdict),
        notice: notice.into(),
        ..SendRequested::default()
    };
    let entry = RoutingEntry {
        id: derived("ent"),
        tenant: event.tenant.clone(),
        kind: Some(routing_entry::Kind::Send(send)),
    };
    case.append(&entry, "routing.send").await
}
