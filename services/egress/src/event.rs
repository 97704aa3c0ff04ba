//! Events on their way to the public stream.

use heliograph_domain::{event::type_of, ids};
use heliograph_fabric::{
    Envelope,
    subjects::{self, SubjectError},
};
use heliograph_proto::{
    Message as _, Timestamp,
    v1::{Event, OutboundMessage, event::Payload},
};

/// What stands in `ce-source` of everything egress publishes.
pub(crate) const SOURCE: &str = "heliograph/egress";

/// An event about a message that goes out. Its id follows from the delivery and `effect`, so saying it again is saying
/// the same thing.
pub(crate) fn about(out: &OutboundMessage, effect: &[&str], payload: Payload, now_ms: i64) -> Event {
    let address = out.message.as_ref().and_then(|message| message.address.as_ref());
    let or_none = |token: &str| if token.is_empty() { subjects::NONE.to_owned() } else { token.to_owned() };
    let parts: Vec<&str> = std::iter::once(out.delivery_id.as_str()).chain(effect.iter().copied()).collect();
    Event {
        id: ids::derive(ids::EVENT, &parts),
        r#type: type_of(&payload).to_owned(),
        tenant: out.tenant.clone(),
        region: or_none(&out.region),
        channel: or_none(address.map_or("", |address| &address.channel)),
        account: address.map_or_else(String::new, |address| address.account.clone()),
        conversation: out.conversation.clone(),
        contact: out.contact.clone(),
        time: Some(Timestamp::from_millis(now_ms)),
        cause: out.delivery_id.clone(),
        payload: Some(payload),
        ..Event::default()
    }
}

/// An event's subject and envelope.
pub(crate) fn public(event: &Event, now_ms: i64) -> Result<(String, Envelope), SubjectError> {
    let Event { id, r#type: kind, tenant, region, channel, conversation, .. } = event;
    let subject = subjects::event(tenant, region, channel, conversation, kind)?;
    let envelope = Envelope::new(id.clone(), kind.clone(), SOURCE, now_ms, event.encode_to_vec());
    Ok((subject, if conversation.is_empty() { envelope } else { envelope.about(conversation.clone()) }))
}

/// What a channel echoes in receipts: `<message id>.<conversation id>.<region>`. Empty where it would be too long for the
/// providers; receipts are then found by the provider's id.
pub(crate) fn correlation(out: &OutboundMessage) -> String {
    let message = out.message.as_ref().map_or("", |message| &message.id);
    let region = if out.region.is_empty() { subjects::NONE } else { &out.region };
    let correlation = format!("{message}.{}.{region}", out.conversation);
    if correlation.len() > 100 { String::new() } else { correlation }
}
