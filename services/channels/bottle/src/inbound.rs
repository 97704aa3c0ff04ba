//! What the other side posts becomes inbound events.
//!
//! | answer | when |
//! | --- | --- |
//! | 202 `{"id"}` | it is ours now, durably |
//! | 200 `{"id","duplicate":true}` | it was ours already |
//! | 400 | signed, but not our JSON; the message names the field by JSON pointer |
//! | 401 | no valid signature, or one older than five minutes |
//! | 409 | an id used before, with another body |

use heliograph_channel::{
    Account, AccountOf, Answer, Inbound, Received, Refusal, Webhook, WebhookRequest, inbound,
    standard_webhooks::VerifyError,
};
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, ConsentSignal, Direction, InboundEvent, Message, Receipt, Sender, SenderKind, Typing,
        UnknownEvent, inbound_event::Kind,
    },
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    Bottle, BottleSettings, answer, payload,
    reading::{address, contents, malformed, plain, read, reference},
};

impl Webhook for Bottle {
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        if !request.path.trim_end_matches('/').is_empty() {
            return Err(Refusal::NoSuchPath(request.path.clone()));
        }
        if request.method != Method::POST {
            return Err(Refusal::Method("POST"));
        }
        let webhook_id = account.settings.keys.verify(&request.headers, &request.body, request.now_ms);
        let webhook_id = webhook_id.map_err(|error| match error {
            VerifyError::Stale(_) => Refusal::Stale(error.to_string()),
            _ => Refusal::Forged(error.to_string()),
        })?;

        let json: Value = serde_json::from_slice(&request.body)
            .map_err(|error| Refusal::Malformed(format!("the body is not JSON: {error}")))?;
        let envelope: payload::Envelope = read("", payload::without_nulls(json))?;
        let events = Reader::new(account, request, webhook_id, &envelope).read(envelope)?;
        let id = events.first().map_or("", |event| event.id.as_str());
        Ok(Received {
            answer: Answer::json(StatusCode::ACCEPTED, &json!({ "id": id })),
            answer_if_seen: Some(Answer::json(StatusCode::OK, &json!({ "id": id, "duplicate": true }))),
            same_id_same_body: true,
            events,
            ..Received::default()
        })
    }
}

/// Turns one envelope into events.
struct Reader<'a> {
    inbound: Inbound<'a>,
    request: &'a WebhookRequest,
    id: String,
    occurred_at: Option<Timestamp>,
}

impl<'a> Reader<'a> {
    fn new(
        account: &'a Account<BottleSettings>,
        request: &'a WebhookRequest,
        webhook_id: &str,
        envelope: &payload::Envelope,
    ) -> Self {
        let id = envelope.id.as_deref().filter(|id| !id.is_empty()).unwrap_or(webhook_id).to_owned();
        let occurred_at = envelope.timestamp.map(|time| inbound::timestamp(time.as_millisecond()));
        Self { inbound: Inbound::new(account, request.now_ms), request, id, occurred_at }
    }

    fn read(&self, envelope: payload::Envelope) -> Result<Vec<InboundEvent>, Refusal> {
        let payload::Envelope { kind, data, unknown, .. } = envelope;
        let mut keep = !unknown.is_empty();
        let mut events = match kind.as_str() {
            "message.received" => self.messages(read("/data", data)?, &mut keep)?,
            "message.status" => vec![self.status(read("/data", data)?, &mut keep)?],
            "typing" => vec![self.typing(read("/data", data)?, &mut keep)?],
            "contact.opted_out" => vec![self.consent(false, read("/data", data)?, &mut keep)?],
            "contact.opted_in" => vec![self.consent(true, read("/data", data)?, &mut keep)?],
            _ => {
                keep = true;
                let from = data.pointer("/from/id").and_then(Value::as_str).unwrap_or_default();
                let address = Address { user_id: from.to_owned(), ..Address::default() };
                vec![self.event(0, address, Kind::Unknown(UnknownEvent { kind }))]
            }
        };
        if keep && let Some(first) = events.first_mut() {
            first.raw = Some(inbound::raw("application/json", &self.request.body));
        }
        Ok(events)
    }

    /// The `part`-th event of this envelope.
    fn event(&self, part: usize, address: Address, kind: Kind) -> InboundEvent {
        self.inbound.event(&self.part_id(part), address, self.occurred_at, kind)
    }

    /// The other side's id names the first part, the others count on from it.
    fn part_id(&self, part: usize) -> String {
        if part == 0 { self.id.clone() } else { format!("{}#{part}", self.id) }
    }

    /// One message, or several when there is more than one attachment: the first carries the text.
    fn messages(
        &self,
        received: payload::MessageReceived,
        keep: &mut bool,
    ) -> Result<Vec<InboundEvent>, Refusal> {
        *keep |= !received.unknown.is_empty();
        *keep |= received.attachments.iter().any(|attachment| !attachment.unknown.is_empty());
        let mut address = address("/data/from", received.from, keep)?;
        address.thread = received.thread;
        let metadata = received.metadata.into_iter().map(|(key, value)| (key, plain(value))).collect();
        let message = Message {
            direction: Direction::Inbound.into(),
            reply_to: reference(received.reply_to),
            sender: Some(Sender {
                kind: SenderKind::Customer.into(),
                display_name: address.display_name.clone(),
                ..Sender::default()
            }),
            time: self.occurred_at.or_else(|| Some(inbound::timestamp(self.request.now_ms))),
            provider_message_id: self.id.clone(),
            metadata,
            ..Message::default()
        };
        let contents = contents(received.text, received.attachments, received.content)?;
        let events = contents.into_iter().enumerate().map(|(part, content)| {
            let id = self.inbound.message_id(&self.part_id(part));
            let message = Message { id, content: Some(content), ..message.clone() };
            self.event(part, address.clone(), Kind::Message(message))
        });
        Ok(events.collect())
    }

    fn status(&self, status: payload::MessageStatus, keep: &mut bool) -> Result<InboundEvent, Refusal> {
        *keep |= !status.unknown.is_empty();
        if status.message_id.is_empty() && status.external_id.is_empty() && status.correlation.is_empty() {
            let problem = "`message_id`, `external_id` or `correlation` must say which message is meant";
            return Err(malformed("/data", problem));
        }
        let address = match status.to {
            Some(person) => address("/data/to", person, keep)?,
            None => Address::default(),
        };
        let Some(state) = answer::receipt_state(&status.status) else {
            *keep = true;
            let kind = format!("message.status/{}", status.status);
            return Ok(self.event(0, address, Kind::Unknown(UnknownEvent { kind })));
        };
        let receipt = Receipt {
            state: state.into(),
            message_id: status.message_id,
            provider_message_id: status.external_id,
            correlation: status.correlation,
            error: status.error.map(|error| answer::delivery_error(&error.class, error.code, error.text)),
            parts: 0,
        };
        Ok(self.event(0, address, Kind::Receipt(receipt)))
    }

    fn typing(&self, typing: payload::Typing, keep: &mut bool) -> Result<InboundEvent, Refusal> {
        *keep |= !typing.unknown.is_empty();
        let address = address("/data/from", typing.from, keep)?;
        Ok(self.event(0, address, Kind::Typing(Typing { on: typing.on })))
    }

    fn consent(
        &self,
        granted: bool,
        consent: payload::Consent,
        keep: &mut bool,
    ) -> Result<InboundEvent, Refusal> {
        *keep |= !consent.unknown.is_empty();
        let address = address("/data/from", consent.from, keep)?;
        let signal = ConsentSignal {
            granted,
            purpose: consent.purpose,
            source: consent.text,
            confirmed_by_provider: consent.confirmed,
        };
        Ok(self.event(0, address, Kind::Consent(signal)))
    }
}
