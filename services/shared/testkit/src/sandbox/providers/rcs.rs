//! RCS by Google: tokens for signed assertions, agent messages and events, files, receipts.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State as Shared},
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::sandbox::{
    account::Account,
    customer::{Call, Customer},
    providers::Cloud,
    record::Sent,
    sign,
    state::{State, now_ms},
};

/// What the sandbox plays.
pub(super) const CLOUD: Cloud =
    Cloud { name: "rcs", channel: "rcs", provider: None, routes: router, compose };

const SCOPE: &str = "https://www.googleapis.com/auth/rcsbusinessmessaging";
/// What a message may be; it is one of them.
const KINDS: [&str; 4] = ["text", "richCard", "contentInfo", "uploadedRbmFile"];

fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/rcs/token", post(token))
        .route("/rcs/v1/phones/{phone}/agentMessages", post(send))
        .route("/rcs/v1/phones/{phone}/agentMessages/{id}", delete(take_back))
        .route("/rcs/v1/phones/{phone}/agentEvents", post(event))
        .route("/rcs/v1/files", post(file))
        .route("/rcs/upload/v1/files", post(file))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the provider's own words")]
struct Named {
    #[serde(default)]
    agent_id: String,
    #[serde(default)]
    message_id: String,
    #[serde(default)]
    event_id: String,
}

fn token_of(account: &Account) -> String {
    format!("sandbox-rcs-{}", account.setting("agent_id"))
}

async fn token(Shared(state): Shared<Arc<State>>, body: Bytes) -> Response {
    let asked = sign::form(&body);
    let asked = |name: &str| asked.get(name).map_or("", String::as_str);
    let right = asked("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let account = if right { asserted(&state, asked("assertion")) } else { None };
    if let Some(account) = account {
        let given = json!({ "access_token": token_of(&account), "expires_in": 3599, "token_type": "Bearer" });
        return Json(given).into_response();
    }
    state.problem("rcs", "the assertion proves nobody");
    let answer = json!({ "error": "invalid_grant", "error_description": "Invalid JWT Signature." });
    (StatusCode::BAD_REQUEST, Json(answer)).into_response()
}

/// Whose service account signed the assertion, for now and for this API.
fn asserted(state: &State, assertion: &str) -> Option<Arc<Account>> {
    let (signed, signature) = assertion.rsplit_once('.')?;
    let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let (issued, expires) = (claims["iat"].as_i64()?, claims["exp"].as_i64()?);
    let now = now_ms() / 1000;
    let fresh = (issued - 60..expires).contains(&now) && expires - issued <= 3600;
    state.accounts().into_iter().filter(|account| account.provider == "rcs").find(|account| {
        let file: Value = serde_json::from_str(account.secret("service_account")).unwrap_or_default();
        let named = claims["iss"] == file["client_email"] && claims["aud"] == file["token_uri"];
        fresh && named && claims["scope"] == SCOPE && is_signed(&file, signed, signature).is_some()
    })
}

fn is_signed(file: &Value, signed: &str, signature: &str) -> Option<()> {
    let pem = file["private_key"].as_str()?;
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).ok()?).ok()?;
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()
}

fn account(state: &State, headers: &HeaderMap) -> Option<Arc<Account>> {
    let given = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    let mut accounts = state.accounts().into_iter();
    accounts.find(|account| account.provider == "rcs" && token_of(account) == given)
}

async fn send(
    Shared(state): Shared<Arc<State>>,
    Path(phone): Path<String>,
    Query(named): Query<Named>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    state.faults.meet("rcs", || accept(&state, &phone, &named, &headers, &body)).await
}

fn accept(state: &Arc<State>, phone: &str, named: &Named, headers: &HeaderMap, body: &[u8]) -> Response {
    let account = match known(state, phone, &named.agent_id, headers) {
        Ok(account) => account,
        Err(refused) => return refused,
    };
    if !is_uuid(&named.message_id) {
        return refuse(state, StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "messageId must be a UUID");
    }
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Err(rule) = check(&request) {
        return refuse(state, StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", &rule);
    }
    let id = named.message_id.clone();
    let name = format!("phones/{phone}/agentMessages/{id}");
    let answer = json!({ "name": name, "sendTime": now(), "contentMessage": request["contentMessage"] });
    // A message that comes again is the same one.
    let noted = format!("rcs message {} {phone} {id}", account.name);
    if state.noted(&noted).is_some() {
        return Json(answer).into_response();
    }
    state.note(&noted, "");
    if state.options.receipts {
        report(state, &account, phone, &id);
    }
    state.accept(Sent {
        provider: "rcs",
        account: account.name.clone(),
        user_id: phone.to_owned(),
        text: text_of(&request["contentMessage"]),
        provider_message_id: id,
        reference: String::new(),
        request,
        at_ms: now_ms(),
    });
    Json(answer).into_response()
}

#[expect(clippy::result_large_err, reason = "the refusal is the answer, made once and sent")]
fn known(state: &State, phone: &str, agent_id: &str, headers: &HeaderMap) -> Result<Arc<Account>, Response> {
    let account = account(state, headers).ok_or_else(|| {
        refuse(state, StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "invalid authentication credentials")
    })?;
    if account.setting("agent_id") != agent_id {
        return Err(refuse(state, StatusCode::FORBIDDEN, "PERMISSION_DENIED", "not your agent"));
    }
    let digits = phone.strip_prefix('+').unwrap_or_default();
    if !(6..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse(state, StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "phones/…: E.164"));
    }
    Ok(account)
}

fn text_of(content: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let card = &content["richCard"]["standaloneCard"]["cardContent"];
    let first = &content["richCard"]["carouselCard"]["cardContents"][0];
    let read =
        [&content["text"], &card["title"], &card["description"], &first["title"], &first["description"]];
    let file =
        text(&content["contentInfo"]["fileUrl"]).or_else(|| text(&content["uploadedRbmFile"]["fileName"]));
    read.into_iter().find_map(text).or(file).unwrap_or_default()
}

fn check(request: &Value) -> Result<(), String> {
    let content = &request["contentMessage"];
    if KINDS.iter().filter(|kind| !content[**kind].is_null()).count() != 1 {
        return Err("contentMessage: one of text, richCard, contentInfo, uploadedRbmFile".to_owned());
    }
    if let Some(text) = content["text"].as_str()
        && !(1..=3072).contains(&text.chars().count())
    {
        return Err("text: 1 to 3072 characters".to_owned());
    }
    suggestions(&content["suggestions"], 11)?;
    let rich = &content["richCard"];
    let carousel = rich["carouselCard"]["cardContents"].as_array();
    if carousel.is_some_and(|cards| !(2..=10).contains(&cards.len())) {
        return Err("cardContents: 2 to 10".to_owned());
    }
    let single = &rich["standaloneCard"]["cardContent"];
    for card in carousel.into_iter().flatten().chain(single.is_object().then_some(single)) {
        let length = |name: &str| card[name].as_str().map_or(0, |text| text.chars().count());
        if length("title") > 200 || length("description") > 2000 {
            return Err("cardContent: title up to 200 and description up to 2000 characters".to_owned());
        }
        suggestions(&card["suggestions"], 4)?;
    }
    match request["ttl"].as_str() {
        Some(ttl) if ttl.strip_suffix('s').is_none_or(|seconds| seconds.parse::<u32>().is_err()) => {
            Err("ttl: seconds with an s".to_owned())
        }
        _ => Ok(()),
    }
}

fn suggestions(given: &Value, most: usize) -> Result<(), String> {
    let given = given.as_array().map(Vec::as_slice).unwrap_or_default();
    if given.len() > most {
        return Err(format!("suggestions: at most {most}"));
    }
    for suggestion in given {
        let inner =
            if suggestion["reply"].is_object() { &suggestion["reply"] } else { &suggestion["action"] };
        let length = |name: &str| inner[name].as_str().map_or(0, |text| text.chars().count());
        if !(1..=25).contains(&length("text")) || !(1..=2048).contains(&length("postbackData")) {
            return Err("suggestion: text of 1 to 25 and postbackData of 1 to 2048 characters".to_owned());
        }
    }
    Ok(())
}

/// Tells us that the phone has it, and that it was read.
fn report(state: &Arc<State>, account: &Arc<Account>, phone: &str, id: &str) {
    let (tasks, state, account) = (state.tasks.clone(), state.clone(), account.clone());
    let (phone, id) = (phone.to_owned(), id.to_owned());
    tasks.spawn(async move {
        for kind in ["DELIVERED", "READ"] {
            let event = json!({
                "senderPhoneNumber": phone, "eventType": kind, "eventId": state.next_id(),
                "messageId": id, "sendTime": now(), "agentId": account.setting("agent_id"),
            });
            state.post(&call(&state, &account, &event, String::new())).await;
        }
    });
}

async fn take_back(
    Shared(state): Shared<Arc<State>>,
    Path((phone, _)): Path<(String, String)>,
    Query(named): Query<Named>,
    headers: HeaderMap,
) -> Response {
    match known(&state, &phone, &named.agent_id, &headers) {
        Ok(_) => Json(json!({})).into_response(),
        Err(refused) => refused,
    }
}

async fn event(
    Shared(state): Shared<Arc<State>>,
    Path(phone): Path<String>,
    Query(named): Query<Named>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refused) = known(&state, &phone, &named.agent_id, &headers) {
        return refused;
    }
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let right = match event["eventType"].as_str() {
        Some("IS_TYPING") => event["messageId"].is_null(),
        Some("READ") => event["messageId"].is_string(),
        _ => false,
    };
    if !right || !is_uuid(&named.event_id) {
        return refuse(&state, StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "agentEvent");
    }
    Json(event).into_response()
}

async fn file(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    match account(&state, &headers) {
        Some(_) => Json(json!({ "name": format!("files/{}", state.next_id()) })).into_response(),
        None => refuse(&state, StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "no token"),
    }
}

fn refuse(state: &State, status: StatusCode, code: &str, text: &str) -> Response {
    state.problem("rcs", text);
    let error = json!({ "code": status.as_u16(), "message": text, "status": code });
    (status, Json(json!({ "error": error }))).into_response()
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// The request that tells us of a customer's text.
fn compose(customer: &Customer, text: &str) -> Call {
    let id = format!("Mx{}", customer.state.next_id());
    let message = json!({
        "senderPhoneNumber": customer.user_id, "messageId": id, "sendTime": now(),
        "agentId": customer.account.setting("agent_id"), "text": text,
    });
    call(&customer.state, &customer.account, &message, id)
}

/// An event in its envelope, signed.
fn call(state: &State, account: &Account, event: &Value, provider_message_id: String) -> Call {
    let data = event.to_string();
    let signature = sign::hmac_sha512(account.secret("client_token").as_bytes(), data.as_bytes());
    let envelope = json!({
        "agentId": account.setting("agent_id"),
        "message": {
            "attributes": { "product": "RBM", "type": "message" },
            "data": STANDARD.encode(data),
            "messageId": state.next_number().to_string(),
            "publishTime": now(),
        },
        "subscription": "projects/sandbox/subscriptions/rbm-agents-service-account",
    });
    Call {
        url: account.webhook_url.clone(),
        headers: vec![("content-type", "application/json".to_owned()), ("x-goog-signature", signature)],
        body: envelope.to_string(),
        provider_message_id,
    }
}
