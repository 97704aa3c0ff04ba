//! Meta's Send API for Messenger and Instagram: messages, actions, attachments; echoes and receipts.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use axum::{
    Json, Router,
    extract::{Query, State as Shared},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::sandbox::{
    account::Account,
    customer::{Call, Customer},
    providers::Cloud,
    record::Sent,
    state::{State, now_ms},
};

/// What the sandbox plays for Pages.
pub(super) const MESSENGER: Cloud =
    Cloud { name: "messenger", channel: "messenger", provider: None, routes: pages, compose };
/// What the sandbox plays for Instagram accounts.
pub(super) const INSTAGRAM: Cloud =
    Cloud { name: "instagram", channel: "instagram", provider: None, routes: accounts, compose };

type Refused = (StatusCode, i64, String);
type Checked = Result<(), Refused>;
type Parameters = Query<BTreeMap<String, String>>;

fn pages() -> Router<Arc<State>> {
    let send = |Shared(state): Shared<Arc<State>>,
                Query(query): Parameters,
                headers: HeaderMap,
                body: Bytes| async move {
        state.faults.meet("messenger", || send(&state, "messenger", &query, &headers, &body)).await
    };
    let attach = |Shared(state): Shared<Arc<State>>,
                  Query(query): Parameters,
                  headers: HeaderMap,
                  body: Bytes| async move {
        match caller(&state, "messenger", &query, &headers).and_then(|_| attachment(&body)) {
            Ok(()) => Json(json!({ "attachment_id": state.next_number().to_string() })).into_response(),
            Err(refused) => refuse(&state, "messenger", refused),
        }
    };
    Router::new()
        .route("/messenger/v26.0/me/messages", post(send))
        .route("/messenger/v26.0/me/message_attachments", post(attach))
}

fn accounts() -> Router<Arc<State>> {
    let send = |Shared(state): Shared<Arc<State>>,
                Query(query): Parameters,
                headers: HeaderMap,
                body: Bytes| async move {
        state.faults.meet("instagram", || send(&state, "instagram", &query, &headers, &body)).await
    };
    Router::new().route("/instagram/v26.0/me/messages", post(send))
}

/// The account whose token this is, proven with the app's secret where a proof is given.
fn caller(
    state: &State,
    provider: &str,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
) -> Result<Arc<Account>, Refused> {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let its = |account: &Arc<Account>| {
        account.provider == provider && token == format!("Bearer {}", account.secret("access_token"))
    };
    let account = state.accounts().into_iter().find(its);
    let account = account.ok_or_else(|| refusal(401, 190, "Invalid OAuth access token."))?;
    let proof = hmac(account.secret("app_secret"), account.secret("access_token").as_bytes());
    match query.get("appsecret_proof") {
        Some(given) if *given != proof => {
            Err(refusal(400, 100, "Invalid appsecret_proof provided in the API argument"))
        }
        None if account.setting("login") != "instagram" => {
            Err(refusal(400, 100, "API calls from the server require an appsecret_proof argument"))
        }
        _ => Ok(account),
    }
}

fn send(
    state: &Arc<State>,
    provider: &'static str,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let account = match caller(state, provider, query, headers).and_then(|account| {
        check(provider, &request)?;
        Ok(account)
    }) {
        Ok(account) => account,
        Err(refused) => return refuse(state, provider, refused),
    };
    let recipient = &request["recipient"];
    let user_id = recipient["id"].as_str().or(recipient["user_ref"].as_str()).unwrap_or_default().to_owned();
    if request["sender_action"].is_string() {
        // Only a reaction is worth remembering; typing is over soon.
        if let Some(emoji) = request["payload"]["reaction"].as_str() {
            state.accept(sent(provider, &account, &user_id, emoji.to_owned(), "", &request));
        }
        return Json(json!({ "recipient_id": user_id })).into_response();
    }
    let id = format!("m_{}", state.next_id());
    if state.options.receipts {
        report(state, &account, &id, &user_id, &request["message"]);
    }
    state.accept(sent(provider, &account, &user_id, shown(&request["message"]), &id, &request));
    Json(json!({ "recipient_id": user_id, "message_id": id })).into_response()
}

fn sent(
    provider: &'static str,
    account: &Account,
    user_id: &str,
    text: String,
    id: &str,
    request: &Value,
) -> Sent {
    Sent {
        provider,
        account: account.name.clone(),
        user_id: user_id.to_owned(),
        text,
        provider_message_id: id.to_owned(),
        reference: request["message"]["metadata"].as_str().unwrap_or_default().to_owned(),
        request: request.clone(),
        at_ms: now_ms(),
    }
}

/// What the customer reads.
fn shown(message: &Value) -> String {
    let payload = &message["attachment"]["payload"];
    let words = [&message["text"], &payload["text"], &message["template"]["name"], &payload["url"]];
    let titles = payload["elements"].as_array().into_iter().flatten().map(|element| &element["title"]);
    let words: Vec<&str> = words.into_iter().chain(titles).filter_map(Value::as_str).collect();
    words.join("\n")
}

/// What the API checks.
fn check(provider: &str, request: &Value) -> Checked {
    only(
        request,
        "",
        &["recipient", "messaging_type", "tag", "message", "sender_action", "payload", "reply_to"],
    )?;
    only(&request["recipient"], "recipient.", &["id", "user_ref"])?;
    let named = |name: &str| request["recipient"][name].as_str().is_some_and(|id| !id.is_empty());
    rule(named("id") != named("user_ref"), "(#100) The parameter recipient is required")?;
    if let Some(action) = request["sender_action"].as_str() {
        let alone = request["message"].is_null() && request["messaging_type"].is_null();
        rule(alone, "(#100) Cannot send both message and state at the same time.")?;
        let reacts = action == "react";
        let known = ["typing_on", "typing_off", "mark_seen", "react", "unreact"].contains(&action);
        rule(known, "(#100) Param sender_action is not one of its values")?;
        let target = request["payload"]["message_id"].is_string();
        rule(target == (reacts || action == "unreact"), "(#100) payload.message_id goes with a reaction")?;
        return rule(
            request["payload"]["reaction"].is_string() == reacts,
            "(#100) payload.reaction goes with react",
        );
    }
    let kind = request["messaging_type"].as_str();
    let types = ["RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"];
    let said = kind.is_some_and(|kind| types.contains(&kind)) || (kind.is_none() && provider == "instagram");
    rule(said, "(#100) The parameter messaging_type is required")?;
    let tagged = request["tag"] == "HUMAN_AGENT";
    rule(tagged == (kind == Some("MESSAGE_TAG")), "(#100) Invalid tag")?;
    let reply = &request["reply_to"];
    rule(reply.is_null() || reply["mid"].is_string(), "(#100) reply_to.mid is required")?;
    content(provider, &request["message"])
}

fn content(provider: &str, message: &Value) -> Checked {
    only(
        message,
        "message.",
        &["text", "attachment", "quick_replies", "metadata", "sticker_id", "template"],
    )?;
    let kinds = ["text", "attachment", "sticker_id", "template"];
    let given = kinds.iter().filter(|kind| !message[**kind].is_null()).count();
    rule(given == 1, "(#100) Must set one of text, attachment, sticker_id and template")?;
    rule(length(&message["metadata"]) <= 1000, "(#100) metadata is longer than 1000 characters")?;
    if let Some(text) = message["text"].as_str() {
        let fits = if provider == "instagram" { text.len() <= 1000 } else { text.chars().count() <= 2000 };
        rule(
            fits && !text.is_empty(),
            "(#100) Length of param message[text] must be less than or equal to its limit",
        )?;
    }
    let replies = message["quick_replies"].as_array().map(Vec::as_slice).unwrap_or_default();
    rule(replies.len() <= 13, "(#100) There may be 13 quick replies")?;
    for reply in replies {
        only(reply, "quick_replies.", &["content_type", "title", "payload", "image_url"])?;
        rule(reply["content_type"] == "text", "(#100) content_type is unknown")?;
        titled(reply, 20)?;
        rule((1..=1000).contains(&length(&reply["payload"])), "(#100) payload: 1 to 1000 characters")?;
    }
    match &message["attachment"] {
        Value::Null => Ok(()),
        attachment => attached(provider, attachment),
    }
}

fn attached(provider: &str, attachment: &Value) -> Checked {
    only(attachment, "attachment.", &["type", "payload"])?;
    let payload = &attachment["payload"];
    match attachment["type"].as_str().unwrap_or_default() {
        "image" | "audio" | "video" | "file" => {
            only(payload, "payload.", &["url", "attachment_id", "is_reusable"])?;
            let one = payload["url"].is_string() != payload["attachment_id"].is_string();
            rule(one, "(#100) Param attachment[payload] needs a url or an attachment_id")
        }
        "like_heart" if provider == "instagram" => Ok(()),
        "template" => template(provider, payload),
        _ => rule(false, "(#100) Param attachment[type] is not one of its values"),
    }
}

fn template(provider: &str, payload: &Value) -> Checked {
    match payload["template_type"].as_str().unwrap_or_default() {
        "generic" => {
            let elements = payload["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
            rule((1..=10).contains(&elements.len()), "(#100) elements: 1 to 10")?;
            for element in elements {
                only(element, "element.", &["title", "subtitle", "image_url", "default_action", "buttons"])?;
                titled(element, 80)?;
                rule(length(&element["subtitle"]) <= 80, "(#100) subtitle: 80 characters at most")?;
                let more = element.as_object().is_some_and(|fields| fields.len() > 1);
                rule(more, "(#100) A title needs something beside it")?;
                buttons(provider, &element["buttons"])?;
            }
            Ok(())
        }
        "button" => {
            rule((1..=640).contains(&length(&payload["text"])), "(#100) text: 1 to 640 characters")?;
            rule(payload["buttons"].is_array(), "(#100) buttons are required")?;
            buttons(provider, &payload["buttons"])
        }
        "media" if provider == "messenger" => {
            let elements = payload["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
            rule(elements.len() == 1, "(#100) elements: one")?;
            let known = ["image", "video"].contains(&elements[0]["media_type"].as_str().unwrap_or_default());
            rule(known && elements[0]["attachment_id"].is_string(), "(#100) An element needs its media")?;
            buttons(provider, &elements[0]["buttons"])
        }
        _ => rule(false, "(#100) template_type is not one of its values"),
    }
}

fn buttons(provider: &str, buttons: &Value) -> Checked {
    let buttons = buttons.as_array().map(Vec::as_slice).unwrap_or_default();
    rule(buttons.len() <= 3, "(#100) There may be 3 buttons")?;
    for button in buttons {
        titled(button, 20)?;
        let payload = (1..=1000).contains(&length(&button["payload"]));
        let whole = match button["type"].as_str().unwrap_or_default() {
            "postback" => payload,
            "phone_number" => payload && provider == "messenger",
            "web_url" => button["url"].is_string(),
            _ => false,
        };
        rule(whole, "(#100) A button lacks what its type needs")?;
    }
    Ok(())
}

/// What the edge for attachments checks.
fn attachment(body: &Bytes) -> Checked {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let payload = &request["message"]["attachment"]["payload"];
    rule(payload["is_reusable"] == true, "(#100) is_reusable is required")?;
    rule(payload["attachment_id"].is_null(), "(#100) An attachment is fetched from a url")?;
    attached("messenger", &request["message"]["attachment"])
}

fn only(value: &Value, place: &str, fields: &[&str]) -> Checked {
    let given =
        value.as_object().ok_or_else(|| refusal(400, 100, &format!("(#100) {place} is not an object")))?;
    match given.keys().find(|name| !fields.contains(&name.as_str())) {
        Some(name) => Err(refusal(400, 100, &format!("(#100) Unexpected key \"{place}{name}\""))),
        None => Ok(()),
    }
}

fn titled(value: &Value, most: usize) -> Checked {
    rule((1..=most).contains(&length(&value["title"])), "(#100) A title is missing or too long")
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

fn rule(holds: bool, rule: &str) -> Checked {
    if holds { Ok(()) } else { Err(refusal(400, 100, rule)) }
}

fn refusal(status: u16, code: i64, message: &str) -> Refused {
    (StatusCode::from_u16(status).unwrap_or_default(), code, message.to_owned())
}

fn refuse(state: &State, provider: &'static str, (status, code, message): Refused) -> Response {
    state.problem(provider, message.clone());
    let error =
        json!({ "message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Asandbox" });
    (status, Json(json!({ "error": error }))).into_response()
}

/// Tells us what we said, that it arrived, and that it was read.
fn report(state: &Arc<State>, account: &Arc<Account>, id: &str, user_id: &str, message: &Value) {
    let (state, account) = (state.clone(), account.clone());
    let (id, user_id) = (id.to_owned(), user_id.to_owned());
    let (text, metadata) = (message["text"].clone(), message["metadata"].clone());
    let tasks = state.tasks.clone();
    tasks.spawn(async move {
        let echo = json!({ "mid": id, "is_echo": true, "app_id": 1, "text": text, "metadata": metadata });
        state
            .post(&call(&account, &event(own_id(&account), &user_id, "message", &echo), String::new()))
            .await;
        let mut told = vec![("read", json!({ "mid": id }))];
        if account.provider == "messenger" {
            told = vec![
                ("delivery", json!({ "mids": [id], "watermark": now_ms() })),
                ("read", json!({ "watermark": now_ms() })),
            ];
        }
        for (kind, what) in told {
            let item = event(&user_id, own_id(&account), kind, &what);
            state.post(&call(&account, &item, String::new())).await;
        }
    });
}

/// The request that tells us of a customer's text.
fn compose(customer: &Customer, text: &str) -> Call {
    let id = format!("m_{}", customer.state.next_id());
    let message = json!({ "mid": id, "text": text });
    let item = event(&customer.user_id, own_id(&customer.account), "message", &message);
    call(&customer.account, &item, id)
}

fn own_id(account: &Account) -> &str {
    account.setting(if account.provider == "messenger" { "page_id" } else { "account_id" })
}

fn event(from: &str, to: &str, kind: &str, what: &Value) -> Value {
    json!({ "sender": { "id": from }, "recipient": { "id": to }, "timestamp": now_ms(), kind: what })
}

/// A webhook with one event, written and signed as Meta does: nothing but ASCII, and slashes escaped.
fn call(account: &Account, item: &Value, provider_message_id: String) -> Call {
    let object = if account.provider == "messenger" { "page" } else { "instagram" };
    let entry = json!({ "id": own_id(account), "time": now_ms(), "messaging": [item] });
    let body = escaped(&json!({ "object": object, "entry": [entry] }).to_string());
    let secret = match account.setting("login") {
        "instagram" if !account.secret("instagram_app_secret").is_empty() => "instagram_app_secret",
        _ => "app_secret",
    };
    let signature = format!("sha256={}", hmac(account.secret(secret), body.as_bytes()));
    Call {
        url: account.webhook_url.clone(),
        headers: vec![("content-type", "application/json".to_owned()), ("x-hub-signature-256", signature)],
        body,
        provider_message_id,
    }
}

fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '/' => escaped.push_str("\\/"),
            character if character.is_ascii() => escaped.push(character),
            character => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped
}

/// Lower-case hex of HMAC-SHA256.
fn hmac(key: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}
