//! Webhooks: messages at the account's URL, status callbacks below it at `/status`.

use std::collections::BTreeMap;

use heliograph_channel::{Account, Answer, Inbound, Received, Refusal, WebhookRequest, inbound::raw};
use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, ConsentSignal, Content, DeliveryError, Direction, ErrorClass, InboundEvent, Media, Message,
    MessageClass, Raw, Receipt, ReceiptState, Sender, SenderKind, UnknownEvent, content::Kind as ContentKind,
    inbound_event::Kind,
};

use super::{codes, signature};
use crate::{SmsSettings, address, media::kind_of, settings::Twilio};

/// Parameters that are read, or that say nothing more than those.
const KNOWN: [&str; 28] = [
    "AccountSid",
    "ApiVersion",
    "Body",
    "ErrorCode",
    "ErrorMessage",
    "EventType",
    "From",
    "FromCity",
    "FromCountry",
    "FromState",
    "FromZip",
    "MessageSid",
    "MessageStatus",
    "MessagingServiceSid",
    "NumMedia",
    "NumSegments",
    "OptOutType",
    "ProfileName",
    "RawDlrDoneDate",
    "SmsMessageSid",
    "SmsSid",
    "SmsStatus",
    "To",
    "ToCity",
    "ToCountry",
    "ToState",
    "ToZip",
    "WaId",
];
/// Numbered parameters.
const MEDIA: [&str; 2] = ["MediaContentType", "MediaUrl"];

/// Twilio sends at most ten media; a request that claims more is not believed.
const MEDIA_LIMIT: usize = 10;

/// Verifies and parses one webhook.
pub(crate) fn receive(
    account: &Account<SmsSettings>,
    twilio: &Twilio,
    request: &WebhookRequest,
) -> Result<Received, Refusal> {
    if !["", "/", "/status"].contains(&request.path.as_str()) {
        return Err(Refusal::NoSuchPath(request.path.clone()));
    }
    signature::verify(account, twilio, request)?;
    let webhook = Form {
        fields: url::form_urlencoded::parse(&request.body).into_owned().collect(),
        inbound: Inbound::new(account, request.now_ms),
        request,
    };
    let mut events = match (webhook.get("MessageStatus"), webhook.get("From")) {
        (Some(status), _) => vec![webhook.status(status)?],
        (None, Some(from)) => webhook.message(from)?,
        (None, None) => vec![webhook.unknown()],
    };
    if webhook.has_unknown_fields()
        && let Some(first) = events.first_mut()
    {
        // Twilio adds parameters without notice; they are kept with the first event.
        first.raw = Some(webhook.raw());
    }
    // Empty TwiML: every reply goes through egress.
    Ok(Received { events, answer: Answer::ok("text/xml", "<Response/>"), ..Received::default() })
}

struct Form<'a> {
    fields: BTreeMap<String, String>,
    inbound: Inbound<'a>,
    request: &'a WebhookRequest,
}

impl Form<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::Malformed(format!("{name}: is missing")))
    }

    fn customer(&self, number: &str) -> Address {
        let mut customer = address::address(number);
        for (field, target) in
            [("FromCountry", &mut customer.country), ("ProfileName", &mut customer.display_name)]
        {
            self.get(field).unwrap_or_default().clone_into(target);
        }
        customer
    }

    fn message(&self, from: &str) -> Result<Vec<InboundEvent>, Refusal> {
        let sid = self.get("MessageSid").map_or_else(|| self.need("SmsSid"), Ok)?;
        let customer = self.customer(from);
        let mut events = Vec::new();
        for (index, content) in self.contents().into_iter().enumerate() {
            // A picture message holds several things; the first keeps the provider's id.
            let part = if index == 0 { sid.to_owned() } else { format!("{sid}:{index}") };
            let mut message = Message {
                id: self.inbound.message_id(&part),
                direction: Direction::Inbound.into(),
                content: Some(content),
                sender: Some(Sender { kind: SenderKind::Customer.into(), ..Sender::default() }),
                message_class: MessageClass::Service.into(),
                // Twilio says no time; what it calls us at is as near as there is.
                time: Some(heliograph_channel::inbound::timestamp(self.request.now_ms)),
                provider_message_id: part.clone(),
                ..Message::default()
            };
            for (field, key) in [
                ("To", "to"),
                ("NumSegments", "segments"),
                ("MessagingServiceSid", "messaging_service"),
                // Twilio answers STOP, START and HELP itself; the router then does not.
                // https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
                ("OptOutType", "answered_by_provider"),
            ] {
                if let Some(value) = self.get(field) {
                    message.metadata.insert(key.to_owned(), value.to_owned());
                }
            }
            events.push(self.inbound.event(&part, customer.clone(), None, Kind::Message(message)));
        }
        events.extend(self.opt_out(sid, &customer));
        Ok(events)
    }

    fn contents(&self) -> Vec<Content> {
        let mut contents = Vec::new();
        let media = self.get("NumMedia").and_then(|count| count.parse().ok()).unwrap_or(0_usize);
        if let Some(body) = self.get("Body") {
            contents.push(content::text(body));
        }
        for index in 0..media.min(MEDIA_LIMIT) {
            let Some(url) = self.get(&format!("MediaUrl{index}")) else { continue };
            let content_type = self.get(&format!("MediaContentType{index}")).unwrap_or_default().to_owned();
            let media = Media {
                kind: kind_of(&content_type).into(),
                url: url.to_owned(),
                content_type,
                ..Media::default()
            };
            contents.push(Content { kind: Some(ContentKind::Media(media)) });
        }
        if contents.is_empty() {
            // An empty message is a message: the customer sent something.
            contents.push(content::text(" "));
        }
        contents
    }

    /// Twilio answers STOP and START itself and says so: recorded, not confirmed a second time.
    fn opt_out(&self, sid: &str, customer: &Address) -> Option<InboundEvent> {
        let granted = match self.get("OptOutType")? {
            "STOP" => false,
            "START" => true,
            _ => return None,
        };
        let signal = ConsentSignal {
            granted,
            purpose: String::new(),
            source: format!("twilio: {}", self.get("Body").unwrap_or_default()),
            confirmed_by_provider: true,
        };
        let id = format!("{sid}:consent");
        Some(self.inbound.event(&id, customer.clone(), None, Kind::Consent(signal)))
    }

    fn status(&self, status: &str) -> Result<InboundEvent, Refusal> {
        let sid = self.get("MessageSid").map_or_else(|| self.need("SmsSid"), Ok)?;
        let to = self.need("To")?;
        let state = match status {
            "accepted" | "scheduled" | "queued" | "sending" => ReceiptState::Accepted,
            "sent" => ReceiptState::Sent,
            "delivered" | "partially_delivered" => ReceiptState::Delivered,
            "read" => ReceiptState::Read,
            "undelivered" | "failed" | "canceled" => ReceiptState::Failed,
            _ => ReceiptState::Unspecified,
        };
        let receipt = Receipt {
            state: state.into(),
            provider_message_id: sid.to_owned(),
            correlation: self.request.query_value("ref").unwrap_or_default(),
            error: (state == ReceiptState::Failed).then(|| self.error(status)),
            ..Receipt::default()
        };
        let id = format!("{sid}:{status}");
        Ok(self.inbound.event(&id, address::address(to), None, Kind::Receipt(receipt)))
    }

    fn error(&self, status: &str) -> DeliveryError {
        let code = self.get("ErrorCode").unwrap_or_default();
        let class = code.parse().ok().and_then(codes::class).unwrap_or(ErrorClass::Permanent);
        DeliveryError {
            error_class: class.into(),
            code: code.to_owned(),
            text: self.get("ErrorMessage").unwrap_or(status).to_owned(),
        }
    }

    fn unknown(&self) -> InboundEvent {
        let id = self.get("MessageSid").unwrap_or_default();
        let event = self.get("EventType").unwrap_or("webhook").to_owned();
        let kind = Kind::Unknown(UnknownEvent { kind: event.clone() });
        let mut event = self.inbound.event(&format!("{event}:{id}"), Address::default(), None, kind);
        event.raw = Some(self.raw());
        event
    }

    fn raw(&self) -> Raw {
        raw(self.request.header("content-type").unwrap_or_default(), &self.request.body)
    }

    fn has_unknown_fields(&self) -> bool {
        let known =
            |field: &str| KNOWN.contains(&field) || MEDIA.iter().any(|prefix| field.starts_with(prefix));
        self.fields.keys().any(|field| !known(field))
    }
}
