//! Events on their way to the public stream.

use heliograph_domain::event::type_of;
use heliograph_fabric::{
    Envelope,
    subjects::{self, SubjectError},
};
use heliograph_proto::{
    Message as _, Timestamp,
    v1::{Event, LogPosition, event::Payload},
};

use crate::naming::SOURCE;

/// The header that says which place of the routing log something was decided at: `<partition>.<sequence>.<index>`.
pub(crate) const POSITION: &str = "Heliograph-Position";

/// Says on an envelope where what is in it was decided.
pub(crate) fn place(envelope: &mut Envelope, position: Option<&LogPosition>) {
    if let Some(LogPosition { partition, sequence, index }) = position {
        envelope.extensions.insert(POSITION.to_owned(), format!("{partition}.{sequence}.{index}"));
    }
}

/// A public event's subject and envelope. Fills in the event's type from its payload.
pub(crate) fn public(mut event: Event) -> Result<(String, Envelope, &'static str), SubjectError> {
    let kind = event.payload.as_ref().map_or("unknown.received", |payload: &Payload| type_of(payload));
    kind.clone_into(&mut event.r#type);
    for token in [&mut event.region, &mut event.channel] {
        if token.is_empty() {
            subjects::NONE.clone_into(token);
        }
    }
    let subject = subjects::event(&event.tenant, &event.region, &event.channel, &event.conversation, kind)?;
    let time = event.time.as_ref().map_or(0, Timestamp::millis);
    let mut envelope = Envelope::new(event.id.clone(), kind, SOURCE, time, event.encode_to_vec());
    if !event.conversation.is_empty() {
        envelope = envelope.about(event.conversation.clone());
    }
    place(&mut envelope, event.position.as_ref());
    Ok((subject, envelope, kind))
}
