//! A channel made for these tests: a shared key in, a bearer token out.

use std::time::Duration;

use heliograph_channel::{
    Account, AccountError, AccountOf, Answer, Body, Calls, CarrierError, Channel, Delivery, File, Handle,
    Hold, Inbound, Outcome, Provider, ProviderRequest, ProviderResponse, Purpose, RawAccount, Received,
    Refusal, Reply, Secrets, Settings, TokenGrant, TokenSource, Upload, UploadGrant, Webhook, WebhookRequest,
    multipart::Form,
};
use heliograph_domain::content::text;
use heliograph_proto::v1::{
    Address, Capabilities, Media, Message, SignalRequest, content, inbound_event::Kind,
    signal_request::Signal,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

pub(crate) struct Probe;

#[derive(Debug)]
pub(crate) struct ProbeSettings {
    key: SecretString,
    spec: ProbeSpec,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProbeSpec {
    /// Where messages go, below the base URL.
    #[serde(default)]
    path: String,
    #[serde(default)]
    idempotent: bool,
    #[serde(default)]
    token: bool,
    /// Media are uploaded before the message that names them.
    #[serde(default)]
    uploads: bool,
    /// Customers' requests are held for an answer, so many milliseconds.
    #[serde(default)]
    holds: u64,
    /// What the customer wrote last can be replied to, at `/reply`.
    #[serde(default)]
    replies: bool,
    /// Messages have handles to quote them and to mark them as read, for so many milliseconds.
    #[serde(default)]
    handles: Option<u64>,
}

impl ProbeSpec {
    fn handle(&self, provider_message_id: &str, purpose: Purpose) -> Option<Handle> {
        Some(Handle {
            provider_message_id: provider_message_id.to_owned(),
            purpose,
            value: format!("{}-{provider_message_id}", purpose.as_str()).into(),
            valid_for: Duration::from_millis(self.handles?),
        })
    }
}

impl Settings for ProbeSettings {
    type Spec = ProbeSpec;

    fn build(spec: ProbeSpec, secrets: &Secrets, _: &RawAccount) -> Result<Self, AccountError> {
        Ok(Self { key: secrets.require("key")?.clone(), spec })
    }
}

impl Channel for Probe {
    type Settings = ProbeSettings;

    fn name(&self) -> &'static str {
        "probe"
    }

    fn capabilities(&self, account: &Account<ProbeSettings>) -> Capabilities {
        Capabilities {
            channel: "probe".to_owned(),
            content: ["text", "media"].map(str::to_owned).to_vec(),
            idempotent_send: account.settings.spec.idempotent,
            ..Capabilities::default()
        }
    }
}

#[derive(Deserialize)]
struct Said {
    id: String,
    user: String,
    text: String,
}

impl Webhook for Probe {
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        if request.header("x-key") != Some(account.settings.key.expose_secret()) {
            return Err(Refusal::Forged("x-key".to_owned()));
        }
        let said: Vec<Said> =
            serde_json::from_slice(&request.body).map_err(|error| Refusal::Malformed(error.to_string()))?;
        let replies = said.iter().map(|said| Reply {
            user_id: said.user.clone(),
            value: format!("reply-to-{}", said.id).into(),
            valid_for: Duration::from_mins(1),
        });
        let replies = replies.collect();
        let handles = said.iter().flat_map(|said| {
            [Purpose::Quote, Purpose::Read].map(|purpose| account.settings.spec.handle(&said.id, purpose))
        });
        let handles = handles.flatten().collect();
        let inbound = Inbound::new(account, request.now_ms);
        let hold = said.first().filter(|_| account.settings.spec.holds > 0).map(|said| said.user.clone());
        let events = said.into_iter().map(|said| {
            let address = Address { user_id: said.user, ..Address::default() };
            let message = Message {
                id: inbound.message_id(&said.id),
                content: Some(text(said.text)),
                ..Message::default()
            };
            inbound.event(&said.id, address, None, Kind::Message(message))
        });
        Ok(Received {
            events: events.collect(),
            answer: Answer::ok("text/plain", "taken"),
            answer_if_seen: Some(Answer::ok("text/plain", "known")),
            same_id_same_body: true,
            replies,
            handles,
            hold: hold
                .map(|user_id| Hold { user_id, wait: Duration::from_millis(account.settings.spec.holds) }),
        })
    }

    fn answer(&self, _: &AccountOf<Self>, request: &WebhookRequest, message: &Message) -> Option<Answer> {
        let said = heliograph_domain::content::preview(message.content.as_ref()?);
        let fits = said.len() < 20;
        fits.then(|| Answer::ok("text/plain", format!("{said} ({} bytes)", request.body.len())))
    }
}

impl Provider for Probe {
    fn answers_requests(&self, account: &AccountOf<Self>) -> bool {
        account.settings.spec.holds > 0
    }

    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        let kind = delivery.message.content.as_ref().and_then(|content| content.kind.as_ref());
        let media = match kind {
            Some(content::Kind::Media(media)) => media.provider_media_id.as_str(),
            _ => "",
        };
        let mut body = json!({ "to": delivery.user_id(), "id": delivery.delivery_id, "media": media });
        let mut path = caller.account.settings.spec.path.as_str();
        if let Some(reply) = delivery.reply {
            body["reply"] = reply.value.expose_secret().into();
            path = "/reply";
        }
        if let Some(quote) = delivery.quote {
            body["quote"] = quote.expose_secret().into();
        }
        Ok(request(caller.account, Method::POST, path, caller.token, Body::Json(body.to_string().into())))
    }

    fn follow_up(
        &self,
        caller: Calls<'_, Self>,
        delivery: &Delivery<'_>,
        response: &ProviderResponse,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        let reply = delivery.reply.filter(|_| response.status == StatusCode::CONFLICT)?;
        if reply.tried {
            return Some(Err(Outcome::in_doubt("reply", "it was used, or it is over")));
        }
        Some(self.encode(caller, &Delivery { reply: None, ..*delivery }))
    }

    fn is_idempotent(&self, account: &AccountOf<Self>, request: &ProviderRequest) -> bool {
        account.settings.spec.idempotent && !request.url.ends_with("/reply")
    }

    fn takes_replies(&self, account: &AccountOf<Self>) -> bool {
        account.settings.spec.replies
    }

    fn wants_handles(&self, account: &AccountOf<Self>, _: Purpose) -> bool {
        account.settings.spec.handles.is_some()
    }

    fn read_handles(&self, account: &AccountOf<Self>, response: &ProviderResponse) -> Vec<Handle> {
        let id = String::from_utf8_lossy(&response.body);
        account.settings.spec.handle(&id, Purpose::Quote).into_iter().collect()
    }

    fn upload(&self, account: &AccountOf<Self>, _: &Media) -> Upload {
        if account.settings.spec.uploads { Upload::Before } else { Upload::Never }
    }

    fn encode_upload(
        &self,
        caller: Calls<'_, Self>,
        _: &Media,
        file: Option<&File>,
    ) -> Result<ProviderRequest, Outcome> {
        let (headers, body) = Form::new().file("media", file.unwrap()).finish();
        let mut request = request(caller.account, Method::POST, "/upload", caller.token, body);
        request.headers.extend(headers);
        Ok(request)
    }

    fn read_upload(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Result<UploadGrant, Outcome> {
        let id = String::from_utf8_lossy(&response.body).into_owned();
        Ok(UploadGrant { provider_media_id: id, expires_in: Duration::from_hours(2) })
    }

    fn is_stale_upload(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> bool {
        response.status == StatusCode::GONE
    }

    fn classify(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Outcome {
        let text = String::from_utf8_lossy(&response.body);
        match response.status {
            StatusCode::OK => Outcome::delivered(text),
            StatusCode::UNAUTHORIZED => {
                Outcome::Auth { code: "401".to_owned(), text: String::new(), token_expired: true }
            }
            status => Outcome::retry(response.retry_after(), status.as_str(), text),
        }
    }

    fn token(&self, caller: Calls<'_, Self>) -> Option<TokenSource> {
        caller.account.settings.spec.token.then(|| TokenSource {
            key: "access".to_owned(),
            request: request(caller.account, Method::POST, "/caller.token", None, Body::Empty),
        })
    }

    fn read_token(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Result<TokenGrant, Outcome> {
        if !response.status.is_success() {
            return Err(Outcome::auth(response.status.as_str(), "no token"));
        }
        let token = String::from_utf8_lossy(&response.body).into_owned();
        Ok(TokenGrant { token: token.into(), expires_in: Duration::from_hours(2) })
    }

    fn encode_signal(&self, caller: Calls<'_, Self>, signal: &SignalRequest) -> Option<ProviderRequest> {
        if matches!(signal.signal, Some(Signal::ReadMark(_))) {
            return None;
        }
        Some(request(
            caller.account,
            Method::POST,
            "/typing",
            caller.token,
            Body::Form(vec![("on".to_owned(), "1".to_owned())]),
        ))
    }

    fn encode_signal_upon(
        &self,
        caller: Calls<'_, Self>,
        _: &SignalRequest,
        handle: &SecretString,
    ) -> Option<ProviderRequest> {
        let body = json!({ "upon": handle.expose_secret() }).to_string();
        Some(request(caller.account, Method::POST, "/seen", caller.token, Body::Json(body.into())))
    }

    fn encode_media(
        &self,
        caller: Calls<'_, Self>,
        provider_media_id: &str,
        _: &str,
    ) -> Option<ProviderRequest> {
        Some(request(
            caller.account,
            Method::GET,
            &format!("/media/{provider_media_id}"),
            caller.token,
            Body::Empty,
        ))
    }

    fn read_media_error(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Option<CarrierError> {
        let body: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
        match body["error"].as_str()? {
            "gone" => Some(CarrierError::NotFound),
            _ => Some(CarrierError::Unauthorized("the token".to_owned())),
        }
    }
}

fn request(
    account: &Account<ProbeSettings>,
    method: Method,
    path: &str,
    token: Option<&SecretString>,
    body: Body,
) -> ProviderRequest {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).unwrap();
        value.set_sensitive(true);
        headers.insert("authorization", value);
    }
    let url = format!("{}{path}", account.api_base("https://api.example.test"));
    ProviderRequest { method, url, headers, body }
}
