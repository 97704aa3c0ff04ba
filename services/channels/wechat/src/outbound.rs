//! Customer-service messages, templates, typing and the access token.

pub(crate) mod media;

use std::time::Duration;

use heliograph_channel::{
    Account, Delivery, Outcome, ProviderRequest, ProviderResponse, TokenGrant, TokenSource,
};
use heliograph_proto::v1::{
    Card, Choice, Custom, SignalRequest, Template, content::Kind, option::Action, signal_request::Signal,
    template_parameter::Value as ParameterValue,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::{WechatSettings, codes};

const API: &str = "https://api.weixin.qq.com";

/// The request for one message.
pub(crate) fn encode(
    account: &Account<WechatSettings>,
    delivery: &Delivery<'_>,
    token: Option<&SecretString>,
) -> Result<ProviderRequest, Outcome> {
    let user = delivery.user_id();
    let content = delivery.message.content.as_ref().and_then(|content| content.kind.as_ref());
    let (path, mut body) = match content {
        Some(Kind::Text(text)) => (SEND, written(&text.body)?),
        Some(Kind::Media(medium)) => (SEND, media::message(medium)?),
        Some(Kind::Custom(custom)) => (SEND, pass_on(custom)?),
        Some(Kind::Choice(choice)) if account.settings.service_account => (SEND, menu(choice)),
        Some(Kind::Card(card)) => (SEND, article(card)),
        Some(Kind::Template(it)) => ("/cgi-bin/message/template/send", template(it)),
        _ => {
            let text = "this account carries text, pictures, voices, videos, one card, templates, and menus if it is a service account";
            return Err(Outcome::permanent("content_not_supported", text));
        }
    };
    body["touser"] = user.into();
    if let (SEND, Some(kf_account)) = (path, &account.settings.kf_account) {
        body["customservice"] = json!({ "kf_account": kf_account });
    }
    Ok(call(account, path, token, &body))
}

const SEND: &str = "/cgi-bin/message/custom/send";

/// Types of message that only this provider knows: [`Custom`] content goes out as they are.
const CUSTOM: [&str; 6] = ["miniprogrampage", "mpnews", "mpnewsarticle", "msgmenu", "music", "wxcard"];

/// Content of the provider's own, or what is said of it where it is somebody else's.
fn pass_on(custom: &Custom) -> Result<Value, Outcome> {
    if CUSTOM.contains(&custom.kind.as_str()) {
        let kind = custom.kind.as_str();
        return Ok(json!({ "msgtype": kind, kind: custom.data }));
    }
    if custom.fallback.is_empty() {
        let text = format!("WeChat has no message of type {}", custom.kind);
        return Err(Outcome::permanent("content_not_supported", text));
    }
    written(&custom.fallback)
}

/// Longest text, in bytes.
pub(crate) const TEXT_LIMIT: usize = 2048;

fn written(body: &str) -> Result<Value, Outcome> {
    if body.is_empty() {
        return Err(Outcome::permanent("empty_text", "WeChat takes no empty text"));
    }
    if body.len() > TEXT_LIMIT {
        let text = format!("a text may have {TEXT_LIMIT} bytes, not {}", body.len());
        return Err(Outcome::permanent("text_too_long", text));
    }
    Ok(json!({ "msgtype": "text", "text": { "content": body } }))
}

/// A menu of answers; links stand above it.
fn menu(choice: &Choice) -> Value {
    let (mut list, mut head) = (Vec::new(), choice.body.clone());
    for option in &choice.options {
        match &option.action {
            Some(Action::Url(url)) => head = format!("{head}\n{}: {url}", option.title),
            _ => list.push(json!({ "id": option.id, "content": option.title })),
        }
    }
    if list.is_empty() {
        return json!({ "msgtype": "text", "text": { "content": head } });
    }
    json!({
        "msgtype": "msgmenu",
        "msgmenu": { "head_content": head, "list": list, "tail_content": choice.footer },
    })
}

fn article(card: &Card) -> Value {
    let link = card.options.iter().find_map(|option| match &option.action {
        Some(Action::Url(url)) => Some(url.as_str()),
        _ => None,
    });
    let url = if card.url.is_empty() { link.unwrap_or_default() } else { &card.url };
    let picture = card.media.as_ref().map_or("", |media| media.url.as_str());
    let article = json!({ "title": card.title, "description": card.body, "url": url, "picurl": picture });
    json!({ "msgtype": "news", "news": { "articles": [article] } })
}

fn template(template: &Template) -> Value {
    let mut data = serde_json::Map::new();
    for parameter in template.components.iter().flat_map(|component| &component.parameters) {
        if let Some(ParameterValue::Text(text)) = &parameter.value {
            data.insert(parameter.name.clone(), json!({ "value": text }));
        }
    }
    let id = if template.provider_template_id.is_empty() {
        &template.name
    } else {
        &template.provider_template_id
    };
    json!({ "template_id": id, "data": data })
}

/// Typing, on or off; the provider has no read marks.
pub(crate) fn typing(
    account: &Account<WechatSettings>,
    signal: &SignalRequest,
    token: Option<&SecretString>,
) -> Option<ProviderRequest> {
    let Some(Signal::Typing(typing)) = &signal.signal else { return None };
    let command = if typing.on { "Typing" } else { "CancelTyping" };
    let body = json!({ "touser": signal.address.as_ref()?.user_id, "command": command });
    Some(call(account, "/cgi-bin/message/custom/typing", token, &body))
}

/// The stable token: every caller gets the same one until shortly before it expires, so a second fleet or a tool
/// does not invalidate ours.
pub(crate) fn token_source(account: &Account<WechatSettings>) -> TokenSource {
    let body = json!({
        "grant_type": "client_credential",
        "appid": account.settings.app_id,
        "secret": account.settings.app_secret.expose_secret(),
        "force_refresh": false,
    });
    TokenSource {
        key: account.settings.app_id.clone(),
        request: ProviderRequest::post(format!("{}/cgi-bin/stable_token", account.api_base(API)), &body),
    }
}

/// `{"access_token": …, "expires_in": 7200}`, or an error code.
pub(crate) fn read_token(response: &ProviderResponse) -> Result<TokenGrant, Outcome> {
    let body = response.json();
    if let (Some(token), Some(seconds)) = (body["access_token"].as_str(), body["expires_in"].as_u64()) {
        return Ok(TokenGrant { token: token.into(), expires_in: Duration::from_secs(seconds) });
    }
    Err(match body["errcode"].as_i64() {
        // A token that was refused here is not one that a refresh could mend.
        Some(code) => match codes::failure(code, body["errmsg"].as_str().unwrap_or_default()) {
            Outcome::Auth { code, text, .. } => Outcome::auth(code, text),
            other => other,
        },
        None => Outcome::retry(response.retry_after(), "token", "the provider gave no access token"),
    })
}

/// A JSON call. `serde_json` leaves characters unescaped, as the provider demands (error 40033).
fn call(
    account: &Account<WechatSettings>,
    path: &str,
    token: Option<&SecretString>,
    body: &Value,
) -> ProviderRequest {
    ProviderRequest::post(endpoint(account, path, token), body)
}

fn endpoint(account: &Account<WechatSettings>, path: &str, token: Option<&SecretString>) -> String {
    let token = token.map_or("", ExposeSecret::expose_secret);
    let token: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
    format!("{}{path}?access_token={token}", account.api_base(API))
}
