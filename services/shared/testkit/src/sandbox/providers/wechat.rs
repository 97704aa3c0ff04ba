//! WeChat: the stable token, customer-service messages, templates, typing, media for three days.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State as Shared},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::header;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::sandbox::{
    account::Account,
    customer::{Call, Customer, Posted},
    providers::Cloud,
    record::{Held, Sent},
    sign,
    state::{State, now_ms},
};

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    access_token: String,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    media_id: String,
}

#[derive(Deserialize)]
struct Upload {
    #[serde(default)]
    access_token: String,
    #[serde(default, rename = "type")]
    kind: String,
}

/// What the sandbox plays.
pub(super) const CLOUD: Cloud =
    Cloud { name: "wechat", channel: "wechat", provider: None, routes: router, compose };

fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/wechat/cgi-bin/stable_token", post(token))
        .route("/wechat/cgi-bin/message/custom/send", post(send))
        .route("/wechat/cgi-bin/message/template/send", post(template))
        .route("/wechat/cgi-bin/message/custom/typing", post(typing))
        .route("/wechat/cgi-bin/media/upload", post(upload))
        .route("/wechat/cgi-bin/media/get", get(download))
}

/// The same token for every caller, as the stable endpoint gives it.
fn token_of(account: &Account) -> String {
    format!("sandbox-token-{}", account.setting("app_id"))
}

async fn token(Shared(state): Shared<Arc<State>>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let app_id = request["appid"].as_str().unwrap_or_default();
    let Some(account) = state.account_by("wechat", "app_id", app_id) else {
        return refuse(&state, 40013, "invalid appid");
    };
    if request["secret"] != account.secret("app_secret") {
        return refuse(&state, 40125, "invalid appsecret");
    }
    Json(json!({ "access_token": token_of(&account), "expires_in": 7200 })).into_response()
}

async fn send(Shared(state): Shared<Arc<State>>, Query(token): Query<Token>, body: Bytes) -> Response {
    state.faults.meet("wechat", || accept(&state, &token, &body, false)).await
}

async fn template(Shared(state): Shared<Arc<State>>, Query(token): Query<Token>, body: Bytes) -> Response {
    state.faults.meet("wechat", || accept(&state, &token, &body, true)).await
}

async fn typing(Shared(state): Shared<Arc<State>>, Query(token): Query<Token>) -> Response {
    match account(&state, &token) {
        Some(_) => Json(json!({ "errcode": 0, "errmsg": "ok" })).into_response(),
        None => refuse(&state, 40001, "invalid credential"),
    }
}

async fn upload(Shared(state): Shared<Arc<State>>, Query(query): Query<Upload>, body: Bytes) -> Response {
    let Some(account) = account(&state, &Token { access_token: query.access_token }) else {
        return refuse(&state, 40001, "invalid credential");
    };
    if !["image", "voice", "video", "thumb"].contains(&query.kind.as_str()) {
        return refuse(&state, 40004, "invalid media type");
    }
    let Some(content) = part(&body, "media") else {
        return refuse(&state, 41005, "media data missing");
    };
    let id = format!("media-{}", state.next_id());
    state.hold(Held {
        provider: "wechat",
        account: account.name.clone(),
        id: id.clone(),
        content_type: String::new(),
        uploaded: true,
        fetched: 0,
        content,
    });
    Json(json!({ "type": query.kind, "media_id": id, "created_at": now_ms() / 1000 })).into_response()
}

/// A customer's file; what is wrong comes as 200 with a text, as from the provider.
async fn download(Shared(state): Shared<Arc<State>>, Query(asked): Query<Asked>) -> Response {
    let Some(account) = account(&state, &Token { access_token: asked.access_token }) else {
        return refuse(&state, 40001, "invalid credential");
    };
    match state.fetch(&account.name, &asked.media_id) {
        None => refuse(&state, 40007, "invalid media_id"),
        Some(file) => {
            let named = format!("attachment; filename=\"{}\"", file.id);
            let headers = [(header::CONTENT_TYPE, file.content_type), (header::CONTENT_DISPOSITION, named)];
            (headers, file.content).into_response()
        }
    }
}

/// The content of a part of a form; the form's first line is the boundary.
fn part(body: &Bytes, name: &str) -> Option<Bytes> {
    let find = |from: usize, wanted: &[u8]| {
        let found = body.get(from..)?.windows(wanted.len()).position(|window| window == wanted)?;
        Some(from + found)
    };
    let boundary = body.slice(..find(0, b"\r\n")?);
    let head = find(0, format!("name=\"{name}\"").as_bytes())?;
    let begins = find(head, b"\r\n\r\n")? + 4;
    let ends = find(begins, &[&b"\r\n"[..], &boundary[..]].concat())?;
    Some(body.slice(begins..ends))
}

fn account(state: &State, token: &Token) -> Option<Arc<Account>> {
    let mut accounts = state.accounts().into_iter();
    accounts.find(|account| account.provider == "wechat" && token_of(account) == token.access_token)
}

fn accept(state: &State, token: &Token, body: &[u8], template: bool) -> Response {
    let Some(account) = account(state, token) else {
        return refuse(state, 40001, "invalid credential, access_token is invalid or not latest");
    };
    // The provider wants characters as they are, not as `\uXXXX`.
    if body.windows(2).any(|pair| pair == b"\\u") {
        return refuse(state, 40033, "invalid charset");
    }
    let request: Value = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(_) => return refuse(state, 47001, "data format error"),
    };
    let user_id = request["touser"].as_str().unwrap_or_default().to_owned();
    if user_id.is_empty() {
        return refuse(state, 40003, "invalid openid");
    }
    let (text, id) = if template {
        (request["template_id"].as_str().unwrap_or_default().to_owned(), state.next_number())
    } else {
        match text_of(state, &account.name, &request) {
            Ok(text) => (text, 0),
            Err((code, rule)) => return refuse(state, code, rule),
        }
    };
    if !template && !state.use_window(&account.name, &user_id) {
        return refuse(state, 45015, "response out of time limit or subscription is canceled");
    }
    let mut answer = json!({ "errcode": 0, "errmsg": "ok" });
    if template {
        answer["msgid"] = id.into();
    }
    state.accept(Sent {
        provider: "wechat",
        account: account.name.clone(),
        user_id,
        text,
        provider_message_id: if template { id.to_string() } else { String::new() },
        reference: String::new(),
        request,
        at_ms: now_ms(),
    });
    Json(answer).into_response()
}

fn text_of(state: &State, account: &str, request: &Value) -> Result<String, (i32, &'static str)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match request["msgtype"].as_str() {
        Some("text") => match text(&request["text"]["content"]) {
            content if content.is_empty() => Err((44004, "empty content")),
            content if content.len() > 2048 => Err((45002, "content size out of limit")),
            content => Ok(content),
        },
        Some("msgmenu") => Ok(text(&request["msgmenu"]["head_content"])),
        Some("news") => Ok(text(&request["news"]["articles"][0]["title"])),
        Some(kind @ ("image" | "voice" | "video")) => {
            let id = request[kind]["media_id"].as_str().unwrap_or_default();
            if state.holds(account, id) { Ok(format!("[{kind}]")) } else { Err((40007, "invalid media_id")) }
        }
        Some(kind @ ("miniprogrampage" | "mpnews" | "mpnewsarticle" | "music" | "wxcard"))
            if request[kind].is_object() =>
        {
            Ok(format!("[{kind}] {}", text(&request[kind]["title"])))
        }
        _ => Err((40008, "invalid message type")),
    }
}

fn refuse(state: &State, code: i32, text: &str) -> Response {
    state.problem("wechat", format!("{code}: {text}"));
    Json(json!({ "errcode": code, "errmsg": format!("{text} rid: sandbox") })).into_response()
}

impl Customer {
    /// Sends a picture; returns once we answered. WeChat holds it for whoever shows the account's token.
    ///
    /// # Panics
    /// When the customer is not on WeChat.
    pub async fn send_picture(&self, content_type: &str, content: impl Into<Bytes>) -> Posted {
        assert_eq!(
            self.account.provider, "wechat",
            "customers send pictures on WeChat here, and nowhere else yet"
        );
        let id = format!("media-{}", self.state.next_id());
        self.state.hold(Held {
            provider: "wechat",
            account: self.account.name.clone(),
            id: id.clone(),
            content_type: content_type.to_owned(),
            uploaded: false,
            fetched: 0,
            content: content.into(),
        });
        let call = signed(self, "image", &format!("<MediaId><![CDATA[{id}]]></MediaId>"));
        let status = self.post(&call).await;
        self.state.wrote(&self.account.name, &self.user_id, &self.name, "[image]", status);
        Posted { provider_message_id: call.provider_message_id, status }
    }
}

/// The request that tells us of a customer's text.
fn compose(customer: &Customer, text: &str) -> Call {
    let content = format!("<Content><![CDATA[{}]]></Content>", text.replace("]]>", "]]]]><![CDATA[>"));
    signed(customer, "text", &content)
}

/// The request that tells us of a customer's message.
fn signed(customer: &Customer, kind: &str, content: &str) -> Call {
    let id = customer.state.next_number().to_string();
    let now = now_ms() / 1000;
    let message = format!(
        "<xml><ToUserName><![CDATA[gh_{}]]></ToUserName><FromUserName><![CDATA[{}]]></FromUserName>\
         <CreateTime>{now}</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{content}\
         <MsgId>{id}</MsgId></xml>",
        customer.account.name, customer.user_id,
    );
    let (timestamp, nonce) = (now.to_string(), (customer.state.next_number() % 1_000_000_000).to_string());
    let token = customer.account.secret("token");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("signature", &sign::wechat(&[token, &timestamp, &nonce]))
        .append_pair("timestamp", &timestamp)
        .append_pair("nonce", &nonce)
        .append_pair("openid", &customer.user_id);
    let body = if customer.account.setting("mode") == "plain" {
        message
    } else {
        let key = customer.account.secret("encoding_aes_key");
        let encrypted = sign::wechat_encrypt(key, customer.account.setting("app_id"), &message);
        let signature = sign::wechat(&[token, &timestamp, &nonce, &encrypted]);
        query.append_pair("encrypt_type", "aes").append_pair("msg_signature", &signature);
        format!(
            "<xml><ToUserName><![CDATA[gh]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        )
    };
    Call {
        url: format!("{}?{}", customer.account.webhook_url, query.finish()),
        headers: vec![("content-type", "text/xml".to_owned())],
        body,
        provider_message_id: id,
    }
}
