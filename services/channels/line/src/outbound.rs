//! Replies and pushes, the loading indicator, read marks, content and access tokens.

mod action;
mod flex;
mod messages;

use std::time::Duration;

use heliograph_channel::{
    Account, Body, Delivery, Handle, Outcome, ProviderRequest, ProviderResponse, Purpose, TokenGrant,
    TokenSource,
    json::{list, text},
};
use heliograph_domain::ids;
use heliograph_proto::v1::{SignalRequest, signal_request::Signal};
use http::{HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::{LineSettings, codes, settings::Access};

pub(crate) use action::{LABEL_LIMIT, PAYLOAD_LIMIT};
pub(crate) use messages::{CARD_OPTIONS, QUICK_REPLIES, TEXT_LIMIT};

/// A push that comes again with this is the same push, for 24 hours.
pub(crate) const RETRY_KEY: HeaderName = HeaderName::from_static("x-line-retry-key");

const API: &str = "https://api.line.me";
const CONTENT: &str = "https://api-data.line.me";

/// The request for one message: a reply while there is a handle for one, or else a push.
pub(crate) fn encode(
    account: &Account<LineSettings>,
    delivery: &Delivery<'_>,
    token: Option<&SecretString>,
) -> Result<ProviderRequest, Outcome> {
    let Some(reply) = delivery.reply else { return push(account, delivery, token) };
    let messages = messages::of(&account.settings, delivery)?;
    let body = json!({ "replyToken": reply.value.expose_secret(), "messages": messages });
    Ok(call(account, "/v2/bot/message/reply", token, &body))
}

fn push(
    account: &Account<LineSettings>,
    delivery: &Delivery<'_>,
    token: Option<&SecretString>,
) -> Result<ProviderRequest, Outcome> {
    let messages = messages::of(&account.settings, delivery)?;
    let body = json!({ "to": delivery.user_id(), "messages": messages });
    let mut request = call(account, "/v2/bot/message/push", token, &body);
    let key = ids::uuid(&[&account.tenant, &account.channel, &account.name, delivery.delivery_id]);
    request.headers.insert(RETRY_KEY, HeaderValue::from_str(&key).expect("a UUID is visible ASCII"));
    Ok(request)
}

/// A reply token that is over was not used for this delivery unless nobody knows what became of an attempt with it. Then
/// the message is in doubt for good; otherwise it is pushed. A quote that LINE does not know is left out: no message is
/// lost for it.
pub(crate) fn follow_up(
    account: &Account<LineSettings>,
    delivery: &Delivery<'_>,
    response: &ProviderResponse,
    token: Option<&SecretString>,
) -> Option<Result<ProviderRequest, Outcome>> {
    let unquoted = delivery.quote.is_some() && codes::is_unknown_quote(response);
    let stale = delivery.reply.is_some() && codes::is_stale_reply(response);
    if !unquoted && !stale {
        return None;
    }
    if delivery.reply.is_some_and(|reply| reply.tried) {
        let text = "a reply was tried before, and its token is used up or over: it may have arrived";
        return Some(Err(Outcome::in_doubt_for_good("invalid_reply_token", text)));
    }
    let quote = delivery.quote.filter(|_| !unquoted);
    Some(push(account, &Delivery { quote, ..*delivery }, token))
}

/// What stands for a video of ours in the event that it was watched. LINE takes no underscore there.
fn tracking_id(correlation: &str) -> String {
    correlation.replace('_', "*")
}

/// The correlation of a video of ours.
pub(crate) fn tracked(tracking_id: &str) -> Option<String> {
    let correlation = tracking_id.replace('*', "_");
    correlation.starts_with("msg_").then_some(correlation)
}

/// The tokens to quote what was sent.
pub(crate) fn handles(account: &Account<LineSettings>, response: &ProviderResponse) -> Vec<Handle> {
    let valid_for = account.settings.tokens_last();
    let of = |sent: &Value| {
        let value = Some(text(sent, "quoteToken")).filter(|token| !token.is_empty())?.into();
        let provider_message_id = sent["id"].as_str()?.to_owned();
        Some(Handle { provider_message_id, purpose: Purpose::Quote, value, valid_for })
    };
    list(&response.json(), "sentMessages").filter_map(of).collect()
}

/// The loading indicator, which ends by itself or with the next message. It is for users, not for groups.
pub(crate) fn signal(
    account: &Account<LineSettings>,
    signal: &SignalRequest,
    token: Option<&SecretString>,
) -> Option<ProviderRequest> {
    let user_id = signal.address.as_ref().map(|address| address.user_id.as_str()).filter(|id| is_user(id))?;
    match signal.signal.as_ref()? {
        Signal::Typing(typing) if typing.on => {
            let body = json!({ "chatId": user_id, "loadingSeconds": account.settings.spec.loading_seconds });
            Some(call(account, "/v2/bot/chat/loading/start", token, &body))
        }
        _ => None,
    }
}

/// Marks the message whose token this is as read.
pub(crate) fn read_mark(
    account: &Account<LineSettings>,
    signal: &SignalRequest,
    handle: &SecretString,
    token: Option<&SecretString>,
) -> Option<ProviderRequest> {
    let asked = matches!(signal.signal, Some(Signal::ReadMark(_))) && account.settings.spec.mark_as_read;
    let body = json!({ "markAsReadToken": handle.expose_secret() });
    asked.then(|| call(account, "/v2/bot/chat/markAsRead", token, &body))
}

fn is_user(id: &str) -> bool {
    id.starts_with('U')
}

/// What a customer sent, by the message's id; stickers and what is kept elsewhere have a URL.
pub(crate) fn media(
    account: &Account<LineSettings>,
    message_id: &str,
    url: &str,
    token: Option<&SecretString>,
) -> Option<ProviderRequest> {
    if !url.is_empty() {
        return ProviderRequest::fetch(url);
    }
    if message_id.is_empty() || !message_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let url = format!("{}/v2/bot/message/{message_id}/content", account.api_base(CONTENT));
    Some(authorized(account, token, ProviderRequest::fetch(&url)?))
}

/// Tokens of fifteen minutes, of which there may be any number.
pub(crate) fn token_source(account: &Account<LineSettings>) -> Option<TokenSource> {
    let Access::Stateless(channel_id) = &account.settings.access else { return None };
    let secret = account.settings.channel_secrets.first()?;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", channel_id),
        ("client_secret", secret.expose_secret()),
    ];
    let form = Body::Form(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
    let url = format!("{}/oauth2/v3/token", account.api_base(API));
    Some(TokenSource { key: channel_id.clone(), request: ProviderRequest::new(Method::POST, url, form) })
}

/// `{"access_token": …, "expires_in": 899}`, or why not.
pub(crate) fn read_token(response: &ProviderResponse) -> Result<TokenGrant, Outcome> {
    let body = response.json();
    if let (Some(token), Some(seconds)) = (body["access_token"].as_str(), body["expires_in"].as_u64()) {
        return Ok(TokenGrant { token: token.into(), expires_in: Duration::from_secs(seconds) });
    }
    let code = response.status.as_u16();
    Err(match code {
        429 => Outcome::rate_limited(response.retry_after(), "token", "LINE gives no token so often"),
        400..500 => {
            let why = body["error_description"].as_str().or(body["error"].as_str()).unwrap_or_default();
            Outcome::auth(format!("token_{code}"), why)
        }
        _ => Outcome::retry(response.retry_after(), "token", "LINE gave no access token"),
    })
}

fn call(
    account: &Account<LineSettings>,
    path: &str,
    token: Option<&SecretString>,
    body: &Value,
) -> ProviderRequest {
    authorized(account, token, ProviderRequest::post(format!("{}{path}", account.api_base(API)), body))
}

fn authorized(
    account: &Account<LineSettings>,
    token: Option<&SecretString>,
    request: ProviderRequest,
) -> ProviderRequest {
    match &account.settings.access {
        Access::Issued(token) => request.with_bearer(Some(token)),
        Access::Stateless(_) => request.with_bearer(token),
    }
}
