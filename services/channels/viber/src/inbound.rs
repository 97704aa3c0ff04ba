//! The one URL Viber calls: one event a request.

use heliograph_channel::{Account, Answer, Inbound, Received, Refusal, WebhookRequest, inbound::raw};
use heliograph_domain::content;
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, ConsentSignal, ContactCard, ContactPoint, Content, ConversationStart, DeliveryError,
        ErrorClass, InboundEvent, Location, Media, MediaKind, Receipt, ReceiptState, Referral, UnknownEvent,
        content::Kind as ContentKind, inbound_event::Kind,
    },
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::{
    ViberSettings, codes,
    tracking::{Tracking, selection},
};

const SIGNATURE: &str = "x-viber-content-signature";

/// Fields that are read, or say nothing a reader would miss.
const KNOWN: &str =
    "event timestamp message_token chat_hostname sender message silent user user_id context type subscribed";
const KNOWN_IN_MESSAGE: &str =
    "type text media thumbnail tracking_data contact location sticker_id file_name size duration token";

/// The signature of a body: lower-case hex of HMAC-SHA256 with the bot's token.
pub fn sign(auth_token: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// Verifies and parses one request.
pub(crate) fn receive(
    account: &Account<ViberSettings>,
    request: &WebhookRequest,
) -> Result<Received, Refusal> {
    if request.method != Method::POST {
        return Err(Refusal::Method("POST"));
    }
    if !matches!(request.path.as_str(), "" | "/") {
        return Err(Refusal::NoSuchPath(request.path.clone()));
    }
    verify(account, request)?;
    let fields: Map<String, Value> = serde_json::from_slice(&request.body)
        .map_err(|_| Refusal::Malformed("the body is not a JSON object".to_owned()))?;
    let reader = Reader { inbound: Inbound::new(account, request.now_ms), fields: &fields, request };
    let name = reader.text("event");
    if name.is_empty() {
        return Err(Refusal::Malformed("`event` is missing".to_owned()));
    }
    // The handshake while the webhook is set.
    if name == "webhook" {
        return Ok(Received::default());
    }
    let Some(token) = codes::token(fields.get("message_token").unwrap_or(&Value::Null)) else {
        return Err(Refusal::Malformed("`message_token` is missing or not a number".to_owned()));
    };
    let mut event = reader.read(name, &token).unwrap_or_else(|| reader.unknown(name, &token));
    if event.raw.is_none() && reader.says_more(name) {
        event.raw = Some(raw("application/json", &request.body));
    }
    let answer = if name == "conversation_started" { welcome(&account.settings) } else { Answer::default() };
    Ok(Received { events: vec![event], answer, ..Received::default() })
}

fn verify(account: &Account<ViberSettings>, request: &WebhookRequest) -> Result<(), Refusal> {
    let given = request
        .header(SIGNATURE)
        .ok_or_else(|| Refusal::Forged("the header `X-Viber-Content-Signature` is missing".to_owned()))?;
    let is_its = |token: &secrecy::SecretString| {
        bool::from(sign(token.expose_secret(), &request.body).as_bytes().ct_eq(given.as_bytes()))
    };
    if account.settings.auth_tokens.iter().any(is_its) {
        Ok(())
    } else {
        Err(Refusal::Forged("`X-Viber-Content-Signature` does not match the account's token".to_owned()))
    }
}

/// A customer who opened the chat may be greeted by the answer itself, and in no other way before they write.
fn welcome(settings: &ViberSettings) -> Answer {
    let Some(welcome) = &settings.welcome else { return Answer::default() };
    let message = json!({ "sender": settings.from(), "type": "text", "text": welcome });
    Answer::json(StatusCode::OK, &message)
}

/// One verified event, being normalized.
struct Reader<'a> {
    inbound: Inbound<'a>,
    fields: &'a Map<String, Value>,
    request: &'a WebhookRequest,
}

impl Reader<'_> {
    fn field(&self, name: &str) -> &Value {
        self.fields.get(name).unwrap_or(&Value::Null)
    }

    fn text(&self, name: &str) -> &str {
        text(self.field(name))
    }

    /// `None` where it is not what it should be, or of a kind that nobody knows.
    fn read(&self, name: &str, token: &str) -> Option<InboundEvent> {
        let kind = match name {
            "message" => return self.message(token),
            "conversation_started" => {
                let context = self.text("context").to_owned();
                let referral = (!context.is_empty()).then(|| Referral {
                    source: "link".to_owned(),
                    payload: context,
                    ..Referral::default()
                });
                Kind::ConversationStart(ConversationStart { referral })
            }
            "subscribed" | "unsubscribed" => Kind::Consent(ConsentSignal {
                granted: name == "subscribed",
                purpose: String::new(),
                source: format!("viber: {name}"),
                confirmed_by_provider: true,
            }),
            "delivered" | "seen" | "failed" => Kind::Receipt(self.receipt(name, token)),
            _ => return None,
        };
        let event = self.event(name, token, kind);
        event.address.as_ref().is_some_and(|address| !address.user_id.is_empty()).then_some(event)
    }

    /// No time is later than the year 9999.
    fn time(&self) -> Option<Timestamp> {
        let ms = self.field("timestamp").as_i64()?;
        (1..=253_402_300_799_999).contains(&ms).then(|| Timestamp::from_millis(ms))
    }

    fn event(&self, name: &str, token: &str, kind: Kind) -> InboundEvent {
        let address = self.address();
        // The same token comes with several events, and may come with several customers.
        let id = format!("{name}/{token}/{}", address.user_id);
        self.inbound.event(&id, address, self.time(), kind)
    }

    fn unknown(&self, name: &str, token: &str) -> InboundEvent {
        let mut event = self.event(name, token, Kind::Unknown(UnknownEvent { kind: name.to_owned() }));
        event.raw = Some(raw("application/json", &self.request.body));
        event
    }

    /// Who it is, where the event says more of them than their id.
    fn address(&self) -> Address {
        let person = if self.field("sender").is_object() { self.field("sender") } else { self.field("user") };
        let id = text(&person["id"]);
        let country = text(&person["country"]);
        Address {
            user_id: if id.is_empty() { self.text("user_id") } else { id }.to_owned(),
            display_name: text(&person["name"]).to_owned(),
            locale: text(&person["language"]).to_owned(),
            // As Viber's own documents have it.
            country: if country == "UK" { "GB" } else { country }.to_owned(),
            ..Address::default()
        }
    }

    fn receipt(&self, name: &str, token: &str) -> Receipt {
        let (state, error) = match name {
            "delivered" => (ReceiptState::Delivered, None),
            "seen" => (ReceiptState::Read, None),
            _ => {
                let text = self.text("desc").to_owned();
                let class = ErrorClass::Permanent.into();
                (
                    ReceiptState::Failed,
                    Some(DeliveryError { error_class: class, code: "failed".to_owned(), text }),
                )
            }
        };
        Receipt { state: state.into(), provider_message_id: token.to_owned(), error, ..Receipt::default() }
    }

    fn message(&self, token: &str) -> Option<InboundEvent> {
        let said = self.field("message");
        let tracking_data = text(&said["tracking_data"]);
        let tracking = Tracking::decode(tracking_data);
        let content = content(said, tracking.as_ref())?;
        let mut message = self.inbound.message(token, String::new(), self.time(), content.kind?);
        if tracking.is_none() && !tracking_data.is_empty() {
            message.metadata.insert("tracking_data".to_owned(), tracking_data.to_owned());
        }
        let event = self.event("message", token, Kind::Message(message));
        event.address.as_ref().is_some_and(|address| !address.user_id.is_empty()).then_some(event)
    }

    /// Whether there is more than is read.
    fn says_more(&self, name: &str) -> bool {
        let is_in = |list: &str, field: &String| list.split_whitespace().any(|word| word == field);
        let known = |field: &String| is_in(KNOWN, field) || (name == "failed" && field == "desc");
        let said = self.field("message").as_object();
        !self.fields.keys().all(known)
            || said.is_some_and(|said| !said.keys().all(|field| is_in(KNOWN_IN_MESSAGE, field)))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn content(said: &Value, tracking: Option<&Tracking>) -> Option<Content> {
    let owned = |name: &str| text(&said[name]).to_owned();
    let kind = match text(&said["type"]) {
        "text" => {
            let words = said["text"].as_str()?;
            match selection(words, tracking) {
                Some(selection) => ContentKind::Selection(selection),
                None => return Some(content::text(words)),
            }
        }
        // A link is a text that its app shows with a picture.
        "url" => return Some(content::text(said["media"].as_str()?)),
        "picture" => ContentKind::Media(media(said, MediaKind::Image, "image/jpeg")?),
        "video" => ContentKind::Media(media(said, MediaKind::Video, "video/mp4")?),
        "file" => ContentKind::Media(media(said, MediaKind::File, "")?),
        "sticker" => {
            let id = codes::token(&said["sticker_id"])?;
            ContentKind::Media(Media {
                kind: MediaKind::Sticker.into(),
                url: owned("media"),
                provider_media_id: id,
                ..Media::default()
            })
        }
        "location" => {
            let place = &said["location"];
            let degrees = |name: &str| place[name].as_f64().or_else(|| text(&place[name]).parse().ok());
            let (latitude, longitude) = (degrees("lat")?, degrees("lon")?);
            ContentKind::Location(Location { latitude, longitude, ..Location::default() })
        }
        "contact" => {
            let contact = &said["contact"];
            let phone = codes::token(&contact["phone_number"])?;
            ContentKind::ContactCard(ContactCard {
                formatted_name: text(&contact["name"]).to_owned(),
                phones: vec![ContactPoint { value: phone, ..ContactPoint::default() }],
                ..ContactCard::default()
            })
        }
        _ => return None,
    };
    Some(Content { kind: Some(kind) })
}

fn media(said: &Value, kind: MediaKind, content_type: &str) -> Option<Media> {
    let owned = |name: &str| text(&said[name]).to_owned();
    Some(Media {
        kind: kind.into(),
        url: said["media"].as_str().filter(|url| !url.is_empty())?.to_owned(),
        content_type: content_type.to_owned(),
        file_name: owned("file_name"),
        size_bytes: said["size"].as_i64().unwrap_or(0).max(0),
        caption: owned("text"),
        duration_ms: said["duration"].as_i64().unwrap_or(0).clamp(0, i64::from(i32::MAX)) * 1000,
        thumbnail_url: owned("thumbnail"),
        ..Media::default()
    })
}
