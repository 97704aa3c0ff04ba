//! The outbound face: a message becomes a provider request, and the answer becomes an outcome.

use std::time::Duration;

use bytes::Bytes;
use heliograph_domain::limits;
use heliograph_proto::v1::{Media, Message, MessageReference, SignalRequest, content::Kind};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{AccountOf, Calls, CarrierError, Channel, Handle, Purpose};

/// A channel whose provider is called over HTTP. Pure: the host sends, waits and refreshes tokens.
pub trait Provider: Channel {
    /// The request that hands `delivery` to the provider.
    ///
    /// # Errors
    /// The outcome of a message that cannot be encoded at all, usually [`Outcome::Permanent`].
    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome>;

    /// [`Provider::encode`] of what is within the limits that the account's capabilities declare. This is what the host
    /// calls, so no channel checks for itself what it has declared.
    ///
    /// # Errors
    /// [`Outcome::Permanent`] of what is beyond a limit, with the code of its [`Excess`](limits::Excess); else as
    /// [`Provider::encode`].
    fn encode_checked(
        &self,
        caller: Calls<'_, Self>,
        delivery: &Delivery<'_>,
    ) -> Result<ProviderRequest, Outcome> {
        if let Some(kind) = delivery.message.content.as_ref().and_then(|content| content.kind.as_ref()) {
            limits::check(kind, &self.capabilities(caller.account))?;
        }
        self.encode(caller, delivery)
    }

    /// What the provider's answer to [`Provider::encode`]'s request means. Providers that answer 200 for errors are
    /// why this sees the whole answer.
    fn classify(&self, account: &AccountOf<Self>, response: &ProviderResponse) -> Outcome;

    /// Another request for the same delivery, where the answer to the first says that this one will do: a reply
    /// token that is over, a chat that moved. Made once at most; its answer is classified and final.
    fn follow_up(
        &self,
        _caller: Calls<'_, Self>,
        _delivery: &Delivery<'_>,
        _response: &ProviderResponse,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        None
    }

    /// Whether the provider can tell `request` when it comes again, so that sending it again is safe. As the
    /// account's capabilities say, unless some requests differ.
    fn is_idempotent(&self, account: &AccountOf<Self>, _request: &ProviderRequest) -> bool {
        self.capabilities(account).idempotent_send
    }

    /// Whether deliveries of this account use the reply handles of [`Received::replies`](crate::Received::replies).
    fn takes_replies(&self, _account: &AccountOf<Self>) -> bool {
        false
    }

    /// Whether the provider wants a [handle](crate::Received::handles) of a message back for this, so that it is looked
    /// up: a quote's is [`Delivery::quote`], and a read mark is asked for by [`Provider::encode_signal_upon`].
    fn wants_handles(&self, _account: &AccountOf<Self>, _purpose: Purpose) -> bool {
        false
    }

    /// The handles in the answer to a delivery that the provider has taken: of the message that was sent.
    fn read_handles(&self, _account: &AccountOf<Self>, _response: &ProviderResponse) -> Vec<Handle> {
        Vec::new()
    }

    /// Whether requests of this account's customers are held for what is delivered
    /// ([`Received::hold`](crate::Received::hold)), so that a message is offered there first.
    fn answers_requests(&self, _account: &AccountOf<Self>) -> bool {
        false
    }

    /// How to obtain an access token, for providers that want one of limited life. The caller has none yet.
    fn token(&self, _caller: Calls<'_, Self>) -> Option<TokenSource> {
        None
    }

    /// Reads the answer to a token request.
    ///
    /// # Errors
    /// The outcome for deliveries that wait for the token, usually [`Outcome::Auth`] or [`Outcome::Retry`].
    fn read_token(
        &self,
        _account: &AccountOf<Self>,
        _response: &ProviderResponse,
    ) -> Result<TokenGrant, Outcome> {
        Err(Outcome::auth("no_token", "this channel takes no token"))
    }

    /// The request that shows a signal (typing, read mark); `None` when the channel cannot.
    fn encode_signal(&self, _caller: Calls<'_, Self>, _signal: &SignalRequest) -> Option<ProviderRequest> {
        None
    }

    /// The request that shows a signal which the provider ties to a message of the customer's. Asked where
    /// [`Provider::encode_signal`] has none. For a read mark where the provider [wants](Provider::wants_handles) one,
    /// `handle` is that of the message read last; otherwise it is the newest of the customer's
    /// [`Received::replies`](crate::Received::replies).
    fn encode_signal_upon(
        &self,
        _caller: Calls<'_, Self>,
        _signal: &SignalRequest,
        _handle: &SecretString,
    ) -> Option<ProviderRequest> {
        None
    }

    /// The request that fetches media by the provider's id or URL; `None` when the channel has no media.
    fn encode_media(
        &self,
        _caller: Calls<'_, Self>,
        _provider_media_id: &str,
        _url: &str,
    ) -> Option<ProviderRequest> {
        None
    }

    /// The request that asks where media are, for providers that give out an id first and a URL for it when asked;
    /// [`Provider::encode_media`] gets the URL. `None`: the id or the URL at hand will do.
    fn encode_media_lookup(
        &self,
        _caller: Calls<'_, Self>,
        _provider_media_id: &str,
    ) -> Option<ProviderRequest> {
        None
    }

    /// The URL in the answer to [`Provider::encode_media_lookup`].
    ///
    /// # Errors
    /// [`CarrierError::NotFound`] when the provider does not have it any more; [`CarrierError::Unauthorized`] when it wants
    /// a fresh token, which the host gets once.
    fn read_media_lookup(
        &self,
        _account: &AccountOf<Self>,
        _response: &ProviderResponse,
    ) -> Result<String, CarrierError> {
        Err(CarrierError::Unsupported)
    }

    /// Why an answer to [`Provider::encode_media`] is no medium, for providers that say so in its body; `None`: as its
    /// status says. Of an answer that looks like success, the beginning is shown here when it is text.
    fn read_media_error(
        &self,
        _account: &AccountOf<Self>,
        _response: &ProviderResponse,
    ) -> Option<CarrierError> {
        None
    }

    /// How a medium of an outgoing message reaches the provider.
    fn upload(&self, _account: &AccountOf<Self>, _media: &Media) -> Upload {
        Upload::Never
    }

    /// The request that uploads a medium; `file` is there as [`Provider::upload`] asked.
    ///
    /// # Errors
    /// The outcome of a message whose medium cannot be uploaded.
    fn encode_upload(
        &self,
        _caller: Calls<'_, Self>,
        _media: &Media,
        _file: Option<&File>,
    ) -> Result<ProviderRequest, Outcome> {
        Err(Outcome::permanent("no_upload", "this channel uploads nothing"))
    }

    /// The provider's id for an uploaded medium: from the answer to [`Provider::encode_upload`], or to a message that
    /// carried the file itself ([`Upload::Within`]).
    ///
    /// # Errors
    /// The outcome for deliveries that wait for the upload.
    fn read_upload(
        &self,
        _account: &AccountOf<Self>,
        _response: &ProviderResponse,
    ) -> Result<UploadGrant, Outcome> {
        Err(Outcome::permanent("no_upload", "this channel uploads nothing"))
    }

    /// Whether the provider does not know (any more) an id that an upload gave us: it is forgotten, and the medium
    /// uploaded anew, once.
    fn is_stale_upload(&self, _account: &AccountOf<Self>, _response: &ProviderResponse) -> bool {
        false
    }
}

/// How a medium reaches the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upload {
    /// By its URL, in the message.
    Never,
    /// Its bytes are uploaded, and the message names the provider's id.
    Before,
    /// The provider fetches its URL beforehand, and the message names the provider's id.
    BeforeByLink,
    /// The message carries the bytes ([`Delivery::file`]); what the provider calls them is remembered for the next one.
    Within,
}

/// A file of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// IANA media type, by its bytes.
    pub content_type: String,
    /// Never empty, without a path.
    pub name: String,
    /// All of it.
    pub bytes: Bytes,
}

/// What the provider calls an uploaded medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadGrant {
    /// Becomes `Media.provider_media_id`.
    pub provider_media_id: String,
    /// How long it may be used.
    pub expires_in: Duration,
}

impl UploadGrant {
    /// The grant of an upload that was answered with `id`; without one, what the answer means to deliveries when it is
    /// `classified` like theirs. No upload shows anything to anybody, so one whose answer says nothing can be made again.
    ///
    /// # Errors
    /// The outcome for deliveries that wait for the upload.
    pub fn of(id: &str, expires_in: Duration, classified: Outcome) -> Result<Self, Outcome> {
        match classified {
            Outcome::Delivered { .. } | Outcome::InDoubt { .. } if !id.is_empty() => {
                Ok(Self { provider_media_id: id.to_owned(), expires_in })
            }
            Outcome::Delivered { .. } | Outcome::InDoubt { .. } => {
                Err(Outcome::retry(None, "upload_without_id", "the provider gave no id for an upload"))
            }
            refused => Err(refused),
        }
    }
}

/// One message to hand over.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The message; its content is a kind the channel declared.
    pub message: &'a Message,
    /// `dlv_…`, the provider's idempotency key where it has one. The same for every attempt.
    pub delivery_id: &'a str,
    /// Opaque, at most 100 characters, echoed in receipts where the provider can carry it.
    pub correlation: &'a str,
    /// Our clock, milliseconds since 1970.
    pub now_ms: i64,
    /// Handle of a reply to what the customer wrote last, where the channel [takes](Provider::takes_replies) them.
    pub reply: Option<&'a ReplyHandle>,
    /// Handle of the message that this one quotes, where the provider [wants](Provider::wants_handles) it and it is known.
    pub quote: Option<&'a SecretString>,
    /// The message's medium, where the channel sends it [within](Upload::Within) the message.
    pub file: Option<&'a File>,
}

/// What the provider gave us to reply with, soon and once.
#[derive(Clone, Debug)]
pub struct ReplyHandle {
    /// The provider's token.
    pub value: SecretString,
    /// Nobody knows what became of an attempt with it: that it is refused now does not say that nothing arrived.
    pub tried: bool,
}

impl<'a> Delivery<'a> {
    /// A delivery without handles and file.
    pub fn new(message: &'a Message, delivery_id: &'a str, correlation: &'a str, now_ms: i64) -> Self {
        Self { message, delivery_id, correlation, now_ms, reply: None, quote: None, file: None }
    }

    /// The customer's id on this channel.
    pub fn user_id(&self) -> &str {
        self.message.address.as_ref().map_or("", |address| address.user_id.as_str())
    }

    /// What the message says.
    ///
    /// # Errors
    /// [`Outcome::Permanent`] of a message that says nothing.
    pub fn kind(&self) -> Result<&'a Kind, Outcome> {
        let kind = self.message.content.as_ref().and_then(|content| content.kind.as_ref());
        kind.ok_or_else(|| Outcome::permanent("no_content", "the message has no content"))
    }
}

/// What the provider calls a message that is quoted or reacted to; empty where that is not known.
pub fn provider_id(reference: Option<&MessageReference>) -> &str {
    reference.map_or("", |reference| reference.provider_message_id.as_str())
}

/// Stands in the URL of a [`ProviderRequest`] for the secret of [`ProviderRequest::with_url_secret`].
pub const URL_SECRET: &str = "{secret}";

/// Keeps that secret until the request leaves. Never sent.
const URL_SECRET_HEADER: HeaderName = HeaderName::from_static("x-heliograph-url-secret");

/// A request to a provider. Printing shows method and URL without its query.
#[derive(Clone)]
pub struct ProviderRequest {
    /// Method.
    pub method: Method,
    /// Full URL.
    pub url: String,
    /// Headers; values that hold secrets should be marked sensitive.
    pub headers: HeaderMap,
    /// Body.
    pub body: Body,
}

impl ProviderRequest {
    /// A request without headers.
    pub fn new(method: Method, url: impl Into<String>, body: Body) -> Self {
        Self { method, url: url.into(), headers: HeaderMap::new(), body }
    }

    /// Posts JSON.
    pub fn post(url: impl Into<String>, body: &serde_json::Value) -> Self {
        Self::new(Method::POST, url, Body::Json(body.to_string().into()))
    }

    /// Fetches what stands at `url`; `None` when that is empty.
    pub fn fetch(url: &str) -> Option<Self> {
        (!url.is_empty()).then(|| Self::new(Method::GET, url, Body::Empty))
    }

    /// With `Authorization: Bearer`, never logged. Without a token, as it is.
    #[must_use]
    pub fn with_bearer(mut self, token: Option<&SecretString>) -> Self {
        let bearer = token.map(|token| HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())));
        if let Some(Ok(mut bearer)) = bearer {
            bearer.set_sensitive(true);
            self.headers.insert(http::header::AUTHORIZATION, bearer);
        }
        self
    }

    /// For providers that want a secret in the URL's path: it takes the place of [`URL_SECRET`] when the request leaves,
    /// and until then nothing that prints or keeps the URL has it. It must be made of characters that URLs and headers
    /// may hold.
    #[must_use]
    pub fn with_url_secret(mut self, secret: &SecretString) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(secret.expose_secret()) {
            value.set_sensitive(true);
            self.headers.insert(URL_SECRET_HEADER, value);
        }
        self
    }

    /// The URL and the headers as they go out.
    pub fn exposed(&self) -> (String, HeaderMap) {
        let mut headers = self.headers.clone();
        let url = match headers.remove(URL_SECRET_HEADER).as_ref().and_then(|value| value.to_str().ok()) {
            Some(secret) => self.url.replacen(URL_SECRET, secret, 1),
            None => self.url.clone(),
        };
        (url, headers)
    }
}

impl std::fmt::Debug for ProviderRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        formatter
            .debug_struct("ProviderRequest")
            .field("method", &self.method)
            .field("url", &url)
            .finish_non_exhaustive()
    }
}

/// What is sent.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    Empty,
    /// `application/json`, as serialized here.
    Json(Bytes),
    /// Anything else; its `Content-Type` stands among the headers.
    Raw(Bytes),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
}

/// A provider's answer, bounded in size by the host.
#[derive(Clone, Debug)]
pub struct ProviderResponse {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Our clock when it arrived, milliseconds since 1970, for `Retry-After` dates.
    pub now_ms: i64,
}

impl ProviderResponse {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// `Retry-After` as a wait, from seconds or an HTTP date (RFC 9110, 10.2.3).
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = value.parse::<u32>() {
            return Some(Duration::from_secs(u64::from(seconds)));
        }
        let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_millisecond();
        Some(Duration::from_millis(u64::try_from(date - self.now_ms).unwrap_or(0)))
    }
}

/// What became of a delivery. Said once, by the channel; egress acts on it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider has it.
    Delivered {
        /// Empty where the provider gives none.
        provider_message_id: String,
        /// Further ids (parts).
        provider_part_ids: Vec<String>,
        /// Parts it counts as; 0: not applicable.
        parts: i32,
    },
    /// Not taken; may work later.
    Retry {
        /// The provider's wait, when it says one.
        after: Option<Duration>,
        /// The wait holds for the whole account.
        account_wide: bool,
        /// It said that we are too fast.
        rate_limited: bool,
        /// Provider's code.
        code: String,
        /// Provider's text, without secrets.
        text: String,
    },
    /// Will never work.
    Permanent {
        /// Provider's code.
        code: String,
        /// Provider's text, without secrets.
        text: String,
    },
    /// The customer opted out with the provider: permanent, and written to the consent ledger.
    OptedOut {
        /// Provider's code.
        code: String,
        /// Provider's text.
        text: String,
    },
    /// The messaging window is closed: only a template may go out.
    WindowClosed {
        /// Provider's code.
        code: String,
        /// Provider's text.
        text: String,
    },
    /// Our credentials or the account's set-up are refused.
    Auth {
        /// Provider's code.
        code: String,
        /// Provider's text, without secrets.
        text: String,
        /// A fresh token may help: the host refreshes once and tries once more.
        token_expired: bool,
    },
    /// Sent, answer lost: it may have arrived or not.
    InDoubt {
        /// What was seen.
        code: String,
        /// In words.
        text: String,
        /// Sending it again would tell nothing more.
        for_good: bool,
    },
}

impl Outcome {
    /// Delivered as `provider_message_id`.
    pub fn delivered(provider_message_id: impl Into<String>) -> Self {
        Self::Delivered {
            provider_message_id: provider_message_id.into(),
            provider_part_ids: Vec::new(),
            parts: 0,
        }
    }

    /// Permanent failure.
    pub fn permanent(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Permanent { code: code.into(), text: text.into() }
    }

    /// Retry, with the provider's own wait if it gave one.
    pub fn retry(after: Option<Duration>, code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Retry { after, account_wide: false, rate_limited: false, code: code.into(), text: text.into() }
    }

    /// Too fast, for the whole account.
    pub fn rate_limited(after: Option<Duration>, code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Retry { after, account_wide: true, rate_limited: true, code: code.into(), text: text.into() }
    }

    /// Credentials or set-up refused for good.
    pub fn auth(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Auth { code: code.into(), text: text.into(), token_expired: false }
    }

    /// Unknown outcome.
    pub fn in_doubt(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::InDoubt { code: code.into(), text: text.into(), for_good: false }
    }

    /// Unknown outcome, and nobody will ever know it: what would tell a repeat is gone.
    pub fn in_doubt_for_good(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::InDoubt { code: code.into(), text: text.into(), for_good: true }
    }
}

impl From<limits::Excess> for Outcome {
    fn from(excess: limits::Excess) -> Self {
        Self::permanent(excess.code, excess.text)
    }
}

/// Where an access token comes from.
#[derive(Clone, Debug)]
pub struct TokenSource {
    /// Names the token among replicas: one per set of credentials, e.g. the app id. Never a secret.
    pub key: String,
    /// The request that obtains one.
    pub request: ProviderRequest,
}

/// A fresh token.
#[derive(Clone, Debug)]
pub struct TokenGrant {
    /// The token.
    pub token: SecretString,
    /// Its life from now.
    pub expires_in: Duration,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_secret_of_the_url_shows_only_when_the_request_leaves() {
        let request = ProviderRequest {
            method: Method::POST,
            url: format!("https://api.example.com/bot{URL_SECRET}/send"),
            headers: HeaderMap::new(),
            body: Body::Empty,
        };
        let (url, headers) = request.exposed();
        assert_eq!((url.as_str(), headers.len()), ("https://api.example.com/bot{secret}/send", 0));

        let request = request.with_url_secret(&"12:made-up".into());
        assert!(!format!("{request:?} {:?}", request.headers).contains("made-up"), "{request:?}");
        let (url, headers) = request.exposed();
        assert_eq!((url.as_str(), headers.len()), ("https://api.example.com/bot12:made-up/send", 0));
    }
}
