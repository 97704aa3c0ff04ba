//! Callbacks: messages from customers and delivery reports, told apart by `type`.

use heliograph_channel::{Account, Inbound, Received, Refusal, WebhookRequest, inbound::raw};
use heliograph_domain::content;
use heliograph_proto::{
    Timestamp,
    v1::{
        Content, Custom, DeliveryError, Direction, InboundEvent, Media, Message, MessageClass, Receipt,
        ReceiptState, Sender, SenderKind, UnknownEvent, content::Kind as ContentKind, inbound_event::Kind,
    },
};
use serde::Deserialize;
use serde_json::Value;

use super::{codes, signature};
use crate::{SmsSettings, address, media::kind_of, settings::Sinch};

/// The fields the callbacks share; which are present depends on `type`.
#[derive(Deserialize)]
struct Callback {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    body: Option<Value>,
    udh: Option<String>,
    sent_at: Option<String>,
    received_at: Option<String>,
    operator_id: Option<String>,
    client_reference: Option<String>,
    batch_id: Option<String>,
    recipient: Option<String>,
    code: Option<i64>,
    status: Option<String>,
    at: Option<String>,
    number_of_message_parts: Option<i32>,
    #[serde(default)]
    statuses: Vec<BatchStatus>,
    #[serde(flatten)]
    unknown: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct BatchStatus {
    code: Option<i64>,
    status: Option<String>,
    #[serde(default)]
    recipients: Vec<String>,
}

#[derive(Deserialize)]
struct MmsBody {
    subject: Option<String>,
    message: Option<String>,
    #[serde(default)]
    media: Vec<MmsMedia>,
}

#[derive(Deserialize)]
struct MmsMedia {
    url: Option<String>,
    content_type: Option<String>,
}

/// Verifies and parses one callback.
pub(crate) fn receive(
    account: &Account<SmsSettings>,
    sinch: &Sinch,
    request: &WebhookRequest,
) -> Result<Received, Refusal> {
    signature::verify(sinch, request)?;
    let callback: Callback =
        serde_json::from_slice(&request.body).map_err(|error| Refusal::Malformed(error.to_string()))?;
    let events = Events { inbound: Inbound::new(account, request.now_ms), request };
    let mut parsed = match callback.kind.as_str() {
        "mo_text" | "mo_binary" | "mo_media" => events.message(&callback)?,
        "recipient_delivery_report_sms" | "recipient_delivery_report_mms" => {
            vec![events.recipient_report(&callback)?]
        }
        "delivery_report_sms" | "delivery_report_mms" => events.batch_report(&callback)?,
        _ => vec![events.unknown(&callback)],
    };
    if !callback.unknown.is_empty()
        && let Some(first) = parsed.first_mut()
    {
        // Fields we do not know yet are kept with the first event.
        first.raw = Some(raw("application/json", &request.body));
    }
    Ok(Received { events: parsed, ..Received::default() })
}

struct Events<'a> {
    inbound: Inbound<'a>,
    request: &'a WebhookRequest,
}

impl Events<'_> {
    fn message(&self, callback: &Callback) -> Result<Vec<InboundEvent>, Refusal> {
        let id = need(callback.id.as_deref(), "id")?;
        let from = need(callback.from.as_deref(), "from")?;
        let contents = contents(callback)?;
        let time = callback.sent_at.as_deref().or(callback.received_at.as_deref()).and_then(time);
        let mut events = Vec::with_capacity(contents.len());
        for (index, content) in contents.into_iter().enumerate() {
            // A picture message holds several things; the first keeps the provider's id.
            let part = if index == 0 { id.to_owned() } else { format!("{id}:{index}") };
            let customer = address::address(from);
            let mut message = Message {
                id: self.inbound.message_id(&part),
                direction: Direction::Inbound.into(),
                content: Some(content),
                sender: Some(Sender { kind: SenderKind::Customer.into(), ..Sender::default() }),
                message_class: MessageClass::Service.into(),
                time: time.or_else(|| Some(heliograph_channel::inbound::timestamp(self.request.now_ms))),
                provider_message_id: part.clone(),
                ..Message::default()
            };
            for (key, value) in [("to", &callback.to), ("operator_id", &callback.operator_id)] {
                if let Some(value) = value {
                    message.metadata.insert(key.to_owned(), value.clone());
                }
            }
            events.push(self.inbound.event(&part, customer, time, Kind::Message(message)));
        }
        Ok(events)
    }

    fn recipient_report(&self, callback: &Callback) -> Result<InboundEvent, Refusal> {
        let batch = need(callback.batch_id.as_deref(), "batch_id")?;
        let recipient = need(callback.recipient.as_deref(), "recipient")?;
        let status = need(callback.status.as_deref(), "status")?;
        Ok(self.report(callback, batch, recipient, callback.code.unwrap_or(0), status))
    }

    fn batch_report(&self, callback: &Callback) -> Result<Vec<InboundEvent>, Refusal> {
        let batch = need(callback.batch_id.as_deref(), "batch_id")?;
        let mut events = Vec::new();
        for entry in &callback.statuses {
            let status = entry.status.as_deref().unwrap_or("Unknown");
            for recipient in &entry.recipients {
                events.push(self.report(callback, batch, recipient, entry.code.unwrap_or(0), status));
            }
        }
        // A summary report names no recipients: nothing to correlate, but nothing is dropped either.
        Ok(if events.is_empty() { vec![self.unknown(callback)] } else { events })
    }

    fn report(
        &self,
        callback: &Callback,
        batch: &str,
        recipient: &str,
        code: i64,
        status: &str,
    ) -> InboundEvent {
        let error = codes::meaning(code).map(|(class, text)| DeliveryError {
            error_class: class.into(),
            code: code.to_string(),
            text: format!("{status}: {text}"),
        });
        let state = state(status);
        let receipt = Receipt {
            state: state.into(),
            provider_message_id: batch.to_owned(),
            correlation: callback.client_reference.clone().unwrap_or_default(),
            error: error.filter(|_| state == ReceiptState::Failed),
            parts: callback.number_of_message_parts.unwrap_or(0),
            ..Receipt::default()
        };
        let id = format!("{batch}:{recipient}:{code}:{status}");
        let at = callback.at.as_deref().and_then(time);
        self.inbound.event(&id, address::address(recipient), at, Kind::Receipt(receipt))
    }

    fn unknown(&self, callback: &Callback) -> InboundEvent {
        let number = callback.from.as_deref().or(callback.recipient.as_deref()).unwrap_or_default();
        let id = callback.id.as_deref().or(callback.batch_id.as_deref()).unwrap_or_default();
        let id = format!("{}:{id}:{}", callback.kind, callback.at.as_deref().unwrap_or_default());
        let kind = Kind::Unknown(UnknownEvent { kind: callback.kind.clone() });
        let mut event = self.inbound.event(&id, address::address(number), None, kind);
        event.raw = Some(raw("application/json", &self.request.body));
        event
    }
}

fn contents(callback: &Callback) -> Result<Vec<Content>, Refusal> {
    match callback.kind.as_str() {
        "mo_text" => {
            let body = callback.body.as_ref().and_then(Value::as_str);
            Ok(vec![content::text(need(body, "body")?)])
        }
        "mo_media" => {
            let body = callback.body.clone().unwrap_or_default();
            let body: MmsBody = serde_json::from_value(body)
                .map_err(|error| Refusal::Malformed(format!("/body: {error}")))?;
            let text = body.message.filter(|text| !text.is_empty()).or(body.subject).unwrap_or_default();
            let mut contents = Vec::new();
            if !text.is_empty() {
                contents.push(content::text(text));
            }
            contents.extend(body.media.into_iter().map(|media| Content { kind: Some(picture(media)) }));
            if contents.is_empty() {
                Err(Refusal::Malformed("/body: neither text nor media".to_owned()))
            } else {
                Ok(contents)
            }
        }
        _ => {
            let mut data = serde_json::Map::new();
            data.insert("body".to_owned(), callback.body.clone().unwrap_or_default());
            data.insert("udh".to_owned(), callback.udh.clone().into());
            let data = serde_json::from_value(Value::Object(data)).ok();
            let kind = ContentKind::Custom(Custom {
                kind: callback.kind.clone(),
                data,
                fallback: "a binary message".to_owned(),
            });
            Ok(vec![Content { kind: Some(kind) }])
        }
    }
}

fn picture(media: MmsMedia) -> ContentKind {
    let content_type = media.content_type.unwrap_or_default();
    ContentKind::Media(Media {
        kind: kind_of(&content_type).into(),
        url: media.url.unwrap_or_default(),
        content_type,
        ..Media::default()
    })
}

fn state(status: &str) -> ReceiptState {
    match status {
        "Queued" => ReceiptState::Accepted,
        "Dispatched" => ReceiptState::Sent,
        "Delivered" => ReceiptState::Delivered,
        "Failed" | "Expired" | "Rejected" | "Deleted" | "Cancelled" | "Aborted" => ReceiptState::Failed,
        _ => ReceiptState::Unspecified,
    }
}

fn need<'a>(value: Option<&'a str>, field: &str) -> Result<&'a str, Refusal> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| Refusal::Malformed(format!("/{field}: is missing")))
}

fn time(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() })
}
