//! The one URL the provider calls: a handshake by GET, one message or event by POST.

mod events;
mod messages;

use heliograph_channel::{Account, Answer, Hold, Inbound, Received, Refusal, WebhookRequest, inbound::raw};
use heliograph_proto::{
    Timestamp,
    v1::{Address, InboundEvent, UnknownEvent, inbound_event::Kind},
};
use http::Method;

use crate::{WechatSettings, crypto::CryptoError, settings::Mode, signature, xml::Fields};

/// Fields that are read, or that say nothing more than those; what is beyond them is kept as it came.
const KNOWN: [&str; 41] = [
    "bizmsgmenuid",
    "content",
    "createtime",
    "description",
    "encrypt",
    "event",
    "eventkey",
    "format",
    "fromusername",
    "idx",
    "label",
    "location_x",
    "location_y",
    "mediaid",
    "msgdataid",
    "msgid",
    "msgtype",
    "picurl",
    "recognition",
    "scale",
    "status",
    "thumbmediaid",
    "ticket",
    "title",
    "tousername",
    "url",
    "latitude",
    "longitude",
    "precision",
    "appid",
    "pagepath",
    "scancodeinfo.scantype",
    "scancodeinfo.scanresult",
    "sendpicsinfo.count",
    "sendpicsinfo.piclist.item.picmd5sum",
    "sendlocationinfo.location_x",
    "sendlocationinfo.location_y",
    "sendlocationinfo.scale",
    "sendlocationinfo.label",
    "sendlocationinfo.poiname",
    "menuid",
];

/// Verifies and parses one request.
pub(crate) fn receive(
    account: &Account<WechatSettings>,
    request: &WebhookRequest,
) -> Result<Received, Refusal> {
    match request.method {
        Method::GET => handshake(account, request),
        Method::POST => post(account, request),
        _ => Err(Refusal::Method("GET or POST")),
    }
}

/// The provider proves the token and wants its `echostr` back, as it stands.
fn handshake(account: &Account<WechatSettings>, request: &WebhookRequest) -> Result<Received, Refusal> {
    check_signature(account, request)?;
    let echo = request
        .query_value("echostr")
        .ok_or_else(|| Refusal::Malformed("query parameter `echostr` is missing".to_owned()))?;
    Ok(Received { answer: Answer::ok("text/plain; charset=utf-8", echo), ..Received::default() })
}

fn post(account: &Account<WechatSettings>, request: &WebhookRequest) -> Result<Received, Refusal> {
    let message = message_of(account, request)?;
    let fields = Fields::parse(&message).map_err(Refusal::Malformed)?;
    let parser = Parser { inbound: Inbound::new(account, request.now_ms), fields: &fields, source: &message };
    let event = parser.parse()?;
    let hold = account.settings.passive_reply.filter(|_| matches!(event.kind, Some(Kind::Message(_))));
    let hold =
        hold.zip(event.address.as_ref()).map(|(wait, from)| Hold { user_id: from.user_id.clone(), wait });
    // An empty answer tells the provider that we have it; a reply goes through egress, if none comes while it waits.
    Ok(Received { events: vec![event], hold, ..Received::default() })
}

/// The message in a verified request, decrypted where it has to be.
pub(crate) fn message_of(
    account: &Account<WechatSettings>,
    request: &WebhookRequest,
) -> Result<String, Refusal> {
    let text = std::str::from_utf8(&request.body)
        .map_err(|_| Refusal::Malformed("the body is not UTF-8".to_owned()))?;
    match account.settings.mode {
        Mode::Plain => {
            check_signature(account, request)?;
            Ok(text.to_owned())
        }
        // In the compatible mode the plain copy is not signed: only the encrypted one counts.
        Mode::Compatible | Mode::Encrypted => decrypted(account, request, text),
    }
}

fn check_signature(account: &Account<WechatSettings>, request: &WebhookRequest) -> Result<(), Refusal> {
    let given = proof(request, "signature")?;
    let (timestamp, nonce) = (proof(request, "timestamp")?, proof(request, "nonce")?);
    if signature::matches(&account.settings.tokens, &[&timestamp, &nonce], &given) {
        Ok(())
    } else {
        Err(Refusal::Forged("`signature` does not match the account's token".to_owned()))
    }
}

fn decrypted(
    account: &Account<WechatSettings>,
    request: &WebhookRequest,
    text: &str,
) -> Result<String, Refusal> {
    check_signature(account, request)?;
    if proof(request, "encrypt_type")? != "aes" {
        return Err(Refusal::Forged("`encrypt_type` is not `aes`".to_owned()));
    }
    let given = proof(request, "msg_signature")?;
    let (timestamp, nonce) = (proof(request, "timestamp")?, proof(request, "nonce")?);
    // What is signed is the element's text: without it, nothing proves where the request comes from.
    let envelope = Fields::parse(text).unwrap_or_default();
    let encrypted = envelope
        .get("encrypt")
        .ok_or_else(|| Refusal::Forged("the body holds no <Encrypt>, which is what is signed".to_owned()))?;
    if !signature::matches(&account.settings.tokens, &[&timestamp, &nonce, encrypted], &given) {
        return Err(Refusal::Forged("`msg_signature` does not match the account's token".to_owned()));
    }
    let mut failure = CryptoError::Unreadable;
    for cipher in &account.settings.ciphers {
        match cipher.decrypt(encrypted) {
            Ok(message) => return Ok(message),
            Err(error) => failure = error,
        }
    }
    match failure {
        CryptoError::OtherApp => Err(Refusal::Forged(failure.to_string())),
        _ => Err(Refusal::Malformed(failure.to_string())),
    }
}

/// A query parameter that proves the sender.
fn proof(request: &WebhookRequest, name: &str) -> Result<String, Refusal> {
    request
        .query_value(name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Refusal::Forged(format!("query parameter `{name}` is missing")))
}

/// One verified message, being normalized.
struct Parser<'a> {
    inbound: Inbound<'a>,
    fields: &'a Fields,
    source: &'a str,
}

impl Parser<'_> {
    fn parse(&self) -> Result<InboundEvent, Refusal> {
        let mut event = self.read()?;
        if event.raw.is_none() && self.fields.iter().any(|(name, _)| !KNOWN.contains(&name.as_str())) {
            event.raw = Some(raw("text/xml", &self.source.to_owned().into()));
        }
        Ok(event)
    }

    fn read(&self) -> Result<InboundEvent, Refusal> {
        let user = self.fields.need("fromusername").map_err(Refusal::Malformed)?;
        let kind = self.fields.need("msgtype").map_err(Refusal::Malformed)?;
        let address = Address { user_id: user.to_owned(), ..Address::default() };
        if kind == "event" { self.event(address) } else { self.message(address, kind) }
    }

    /// When the customer acted, to the second.
    fn time(&self) -> Option<Timestamp> {
        let seconds = self.fields.get("createtime")?.parse().ok()?;
        Some(Timestamp { seconds, nanos: 0 })
    }

    /// The provider tries three times; this is what it repeats. Events have no id, and two may share a second.
    fn dedupe_id(&self) -> String {
        match self.fields.get("msgid") {
            Some(id) if self.fields.get("event").is_none() => id.to_owned(),
            id => [
                Some("event"),
                self.fields.get("fromusername"),
                self.fields.get("createtime"),
                self.fields.get("event"),
                self.fields.get("eventkey"),
                id,
            ]
            .map(Option::unwrap_or_default)
            .join(":"),
        }
    }

    fn unknown(&self, address: Address, kind: &str) -> InboundEvent {
        let unknown = Kind::Unknown(UnknownEvent { kind: kind.to_owned() });
        let mut event = self.inbound.event(&self.dedupe_id(), address, self.time(), unknown);
        event.raw = Some(raw("text/xml", &self.source.to_owned().into()));
        event
    }
}
