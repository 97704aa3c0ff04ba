//! The inbound face: what a provider posts becomes inbound events.

use std::time::Duration;

use bytes::Bytes;
use heliograph_domain::{content, ids};
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, AddressChange, Content, Direction, InboundEvent, Message, MessageClass, Raw, Sender,
        SenderKind, content::Kind as ContentKind, inbound_event::Kind,
    },
};
use http::{HeaderMap, Method, StatusCode};
use secrecy::SecretString;

use crate::{Account, Channel, Handle};

/// A channel that providers call over HTTP. Pure: the clock comes with the request.
pub trait Webhook: Channel {
    /// Verifies the request over its raw bytes, then parses it.
    ///
    /// Unknown fields and kinds are kept ([`Kind::Unknown`] with [`Raw`]), never refused: providers drop what they
    /// cannot deliver. Siblings of a bad item in a batch are kept too.
    ///
    /// # Errors
    /// A [`Refusal`] says what the provider is answered and why, without secrets or the body.
    fn receive(
        &self,
        account: &Account<Self::Settings>,
        request: &WebhookRequest,
    ) -> Result<Received, Refusal>;

    /// The answer to a request that is [held](Received::hold) which says `message` to the customer; `None` when it cannot,
    /// and the message goes out the other way.
    fn answer(
        &self,
        _account: &Account<Self::Settings>,
        _request: &WebhookRequest,
        _message: &Message,
    ) -> Option<Answer> {
        None
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct WebhookRequest {
    /// GET for handshakes, POST for events.
    pub method: Method,
    /// What follows `/<channel>/<account>` as sent, e.g. `/status`; empty when nothing does, `/` when only that does.
    pub path: String,
    /// The query as sent, still encoded, without `?`.
    pub query: String,
    /// As sent.
    pub headers: HeaderMap,
    /// The raw body; every signature is over these bytes.
    pub body: Bytes,
    /// Our clock, milliseconds since 1970.
    pub now_ms: i64,
}

impl WebhookRequest {
    /// A header as text; `None` when absent, repeated or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(first)
    }

    /// The decoded query parameters, in order.
    pub fn query_pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned()
    }

    /// The first query parameter called `name`, decoded.
    pub fn query_value(&self, name: &str) -> Option<String> {
        self.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// What a request turned into.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// Published one by one, in order; all of them are durable before `answer` is sent.
    pub events: Vec<InboundEvent>,
    /// What the provider is answered then.
    pub answer: Answer,
    /// What it is answered when all of this had arrived before; absent: `answer`, as the first time.
    pub answer_if_seen: Option<Answer>,
    /// An id that had arrived before with another body is refused with 409 ([`Refusal::Conflict`]).
    pub same_id_same_body: bool,
    /// Handles the provider gave for replies to these events.
    pub replies: Vec<Reply>,
    /// Handles the provider wants back when one of these messages is meant again.
    pub handles: Vec<Handle>,
    /// The provider shows the customer what it is answered, and waits for it.
    pub hold: Option<Hold>,
}

/// A request that is held until there is a reply to answer it with ([`Webhook::answer`]).
#[derive(Clone, Debug)]
pub struct Hold {
    /// Who wrote: `Address.user_id`.
    pub user_id: String,
    /// How long; [`Received::answer`] is given then.
    pub wait: Duration,
}

/// A handle for one reply to a customer. Kept for the account's next delivery to them, the newest only.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Whose it is: `Address.user_id`.
    pub user_id: String,
    /// The provider's token.
    pub value: SecretString,
    /// How long it may be used, from when it was received.
    pub valid_for: Duration,
}

/// An HTTP answer to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// `Content-Type`; empty: none.
    pub content_type: &'static str,
    /// Body.
    pub body: Bytes,
}

impl Default for Answer {
    fn default() -> Self {
        Self { status: StatusCode::OK, content_type: "", body: Bytes::new() }
    }
}

impl Answer {
    /// 200 with a body.
    pub fn ok(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, content_type, body: body.into() }
    }

    /// `status` with a JSON body.
    pub fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        Self { status, content_type: "application/json", body: body.to_string().into() }
    }
}

/// Why a request is not accepted. The text goes to the caller and the log: no secrets, no body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 401: no valid signature. Counted, never logged with its body.
    #[error("the signature is missing or wrong: {0}")]
    Forged(String),
    /// 401: signed too long ago, or for a time to come.
    #[error("the signature is outside the time window: {0}")]
    Stale(String),
    /// 400: signed, but not what the channel's protocol says.
    #[error("the request cannot be read: {0}")]
    Malformed(String),
    /// 404: nothing is served at this path.
    #[error("nothing is served at this path: {0}")]
    NoSuchPath(String),
    /// 405: the method is not served here.
    #[error("the method is not served here; use {0}")]
    Method(&'static str),
    /// 409: an id used before, with another body.
    #[error("{0}")]
    Conflict(String),
}

impl Refusal {
    /// The status the provider is answered with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Forged(_) | Self::Stale(_) => StatusCode::UNAUTHORIZED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::NoSuchPath(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
        }
    }

    /// A short stable word for metrics and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forged(_) => "forged",
            Self::Stale(_) => "stale",
            Self::Malformed(_) => "malformed",
            Self::NoSuchPath(_) => "no_such_path",
            Self::Method(_) => "method",
            Self::Conflict(_) => "conflict",
        }
    }
}

/// Builds inbound events of one account: derived id, tenant and times are filled in the same way by every channel.
#[derive(Clone, Debug)]
pub struct Inbound<'a> {
    tenant: &'a str,
    channel: &'a str,
    account: &'a str,
    now_ms: i64,
}

impl<'a> Inbound<'a> {
    /// For events received on `account` at `now_ms`.
    pub fn new<S>(account: &'a Account<S>, now_ms: i64) -> Self {
        Self { tenant: &account.tenant, channel: &account.channel, account: &account.name, now_ms }
    }

    /// An event whose id derives from `provider_event_id`, which the provider repeats on every retry.
    ///
    /// The channel and account of its addresses are set here; a message has its event's address.
    pub fn event(
        &self,
        provider_event_id: &str,
        mut address: Address,
        occurred_at: Option<Timestamp>,
        mut kind: Kind,
    ) -> InboundEvent {
        self.channel.clone_into(&mut address.channel);
        self.account.clone_into(&mut address.account);
        if let Kind::Message(message) = &mut kind {
            message.address = Some(address.clone());
            self.name_media(message);
        }
        if let Kind::AddressChange(AddressChange { previous: Some(previous) }) = &mut kind {
            self.channel.clone_into(&mut previous.channel);
            self.account.clone_into(&mut previous.account);
        }
        InboundEvent {
            id: ids::derive(ids::EVENT, &[self.tenant, self.channel, self.account, provider_event_id]),
            tenant: self.tenant.to_owned(),
            channel: self.channel.to_owned(),
            account: self.account.to_owned(),
            address: Some(address),
            occurred_at,
            received_at: Some(timestamp(self.now_ms)),
            provider_event_id: provider_event_id.to_owned(),
            raw: None,
            opens_window: String::new(),
            kind: Some(kind),
        }
    }

    /// Names what will be stored of the message's media, so that links to it can be made before it is.
    fn name_media(&self, message: &mut Message) {
        for media in message.content.iter_mut().flat_map(content::media_mut) {
            let source =
                if media.provider_media_id.is_empty() { &media.url } else { &media.provider_media_id };
            if media.object_id.is_empty() && !source.is_empty() {
                media.object_id = ids::derive(ids::MEDIA, &[self.tenant, self.channel, self.account, source]);
            }
        }
    }

    /// A message of the customer's that the provider calls `provider_message_id`, said by `name`, which may be empty.
    pub fn message(
        &self,
        provider_message_id: &str,
        name: String,
        time: Option<Timestamp>,
        content: ContentKind,
    ) -> Message {
        Message {
            id: self.message_id(provider_message_id),
            direction: Direction::Inbound.into(),
            content: Some(Content { kind: Some(content) }),
            sender: Some(Sender {
                kind: SenderKind::Customer.into(),
                display_name: name,
                ..Sender::default()
            }),
            message_class: MessageClass::Service.into(),
            time,
            provider_message_id: provider_message_id.to_owned(),
            ..Message::default()
        }
    }

    /// The id of a message of the customer's, derived from the provider's message id.
    pub fn message_id(&self, provider_message_id: &str) -> String {
        message_id(self.tenant, self.channel, self.account, provider_message_id)
    }
}

/// What a message that came in by an account is called by us.
pub(crate) fn message_id(tenant: &str, channel: &str, account: &str, provider_message_id: &str) -> String {
    ids::derive(ids::MESSAGE, &[tenant, channel, account, provider_message_id])
}

/// Says of messages which the provider had as one, called `id`, that they belong together; of one alone it says nothing.
pub fn album(events: &mut [InboundEvent], id: &str) {
    let total = events.len();
    for (index, event) in events.iter_mut().enumerate().filter(|_| total > 1) {
        let Some(Kind::Message(message)) = &mut event.kind else { continue };
        for (name, value) in [("album_index", index), ("album_total", total)] {
            message.metadata.insert(name.to_owned(), value.to_string());
        }
        message.metadata.insert("album".to_owned(), id.to_owned());
    }
}

/// What an event is, as `Capabilities.receives` names it; `None` for what nobody knows.
pub fn kind_name(event: &InboundEvent) -> Option<String> {
    let name = match event.kind.as_ref()? {
        Kind::Message(message) => {
            return message.content.as_ref()?.kind.as_ref().map(|kind| match kind {
                ContentKind::Media(media) => format!("media.{}", content::media_word(media)),
                kind => content::kind_name(kind).to_owned(),
            });
        }
        Kind::Receipt(_) => "receipt",
        Kind::Typing(_) => "typing",
        Kind::ReadMark(_) => "read_mark",
        Kind::Consent(_) => "consent",
        Kind::ConversationStart(_) => "conversation_start",
        Kind::AddressChange(_) => "address_change",
        Kind::Unknown(_) => return None,
    };
    Some(name.to_owned())
}

/// Milliseconds since 1970 as a protobuf timestamp.
pub fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// What is kept of a request that is not modelled.
pub fn raw(content_type: &str, body: &Bytes) -> Raw {
    Raw { content_type: content_type.to_owned(), body: body.clone() }
}
