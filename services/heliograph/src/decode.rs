//! What lies on the broker, as canonical proto3 JSON. The subject says which contract a payload follows.

use heliograph_fabric::{Bytes, Stream};
use heliograph_proto::{Message, v1};
use serde::Serialize;

/// The payload as one line of JSON; none when it does not follow its contract.
pub fn json(subject: &str, payload: Bytes) -> Option<String> {
    match Stream::of_subject(subject)? {
        Stream::Inbound => line::<v1::InboundEvent>(payload),
        Stream::Routing => line::<v1::RoutingEntry>(payload),
        Stream::Events => line::<v1::Event>(payload),
        Stream::Outbound => line::<v1::OutboundMessage>(payload),
        Stream::Dead => None,
    }
}

fn line<M: Message + Default + Serialize>(payload: Bytes) -> Option<String> {
    serde_json::to_string(&M::decode(payload).ok()?).ok()
}

/// An event of the public stream; none for other subjects and for what follows no contract.
pub fn event(subject: &str, payload: Bytes) -> Option<v1::Event> {
    if Stream::of_subject(subject) != Some(Stream::Events) {
        return None;
    }
    v1::Event::decode(payload).ok()
}
