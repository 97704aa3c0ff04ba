//! Our own JSON: what the other side gets for every message.
//!
//! ```json
//! {"type": "message.send", "id": "dlv_…", "timestamp": "…",
//!  "data": {"message_id": "msg_…", "to": {"id": "user-7"}, "text": "for people", "content": {…}, "metadata": {…}}}
//! ```
//! `content` is canonical JSON of `heliograph.v1.Content`; `text` says the same to those who show text alone.

use heliograph_channel::Delivery;
use heliograph_domain::content;
use heliograph_proto::{
    Timestamp,
    v1::{Address, Content, MessageReference, SignalRequest, signal_request::Signal},
};
use serde::Serialize;
use serde_json::{Value, json};

/// One message to the customer.
pub(crate) fn message(delivery: &Delivery<'_>) -> Value {
    let message = delivery.message;
    let content = message.content.clone().unwrap_or_default();
    let mut data = json!({
        "message_id": message.id,
        "to": person(message.address.as_ref()),
        "text": text(&content),
        "content": canonical(&content),
        "metadata": { "correlation": delivery.correlation },
    });
    if let Some(thread) = message.address.as_ref().map(|address| &address.thread).filter(|it| !it.is_empty())
    {
        data["thread"] = json!(thread);
    }
    if let Some(id) = message.reply_to.as_ref().map(target) {
        data["reply_to"] = json!(id);
    }
    if let Some(sender) = message.sender.as_ref().filter(|sender| !sender.display_name.is_empty()) {
        data["from"] = json!({ "name": sender.display_name });
    }
    // The message's own time and not the attempt's: who gets an id twice may expect the same body.
    envelope("message.send", delivery.delivery_id, message.time.as_ref().and_then(time_of), &data)
}

/// A signal to the customer; `None` for one that is not in the protocol.
pub(crate) fn signal(request: &SignalRequest, id: &str, now_ms: i64) -> Option<Value> {
    let (to, now) = (person(request.address.as_ref()), jiff::Timestamp::from_millisecond(now_ms).ok());
    Some(match request.signal.as_ref()? {
        Signal::Typing(typing) => envelope("typing", id, now, &json!({ "to": to, "on": typing.on })),
        Signal::ReadMark(mark) => {
            let up_to = mark.up_to.as_ref().map(target);
            envelope("message.read", id, now, &json!({ "to": to, "up_to": up_to }))
        }
    })
}

/// What a person reads in place of `content`, options included.
pub(crate) fn text(content: &Content) -> String {
    let mut text = content::preview(content);
    let options = content.kind.as_ref().map(content::options).unwrap_or_default();
    for (number, option) in options.iter().enumerate() {
        let number = (number + 1).to_string();
        text.extend(["\n", &number, ". ", &option.title]);
    }
    text
}

/// Canonical proto3 JSON.
pub(crate) fn canonical(content: &impl Serialize) -> Value {
    serde_json::to_value(content).expect("the content model is JSON by construction")
}

fn envelope(kind: &str, id: &str, time: Option<jiff::Timestamp>, data: &Value) -> Value {
    let mut envelope = json!({ "type": kind, "id": id, "data": data });
    if let Some(time) = time {
        envelope["timestamp"] = json!(time.to_string());
    }
    envelope
}

fn time_of(time: &Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::new(time.seconds, time.nanos).ok()
}

fn person(address: Option<&Address>) -> Value {
    json!({ "id": address.map_or("", |address| address.user_id.as_str()) })
}

/// Their id of the message if they gave one, ours otherwise.
pub(crate) fn target(reference: &MessageReference) -> &str {
    match reference.provider_message_id.as_str() {
        "" => &reference.message_id,
        theirs => theirs,
    }
}
