//! What goes out.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use heliograph_channel::{
    Account, Body, Caller, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse,
};
use heliograph_proto::v1::{Capabilities, Message, content::Kind};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Conformance, answer::Answer, fixture::NOW_MS, samples};

/// What stands for an access token.
const TOKEN: &str = "made-up-access-token-0123456789";
const CORRELATION: &str = "msg_0123456789abcdefghjkmnpqrs.cnv_0123456789abcdefghjkmnpqrs.north-america";
const DELIVERY: &str = "dlv_0123456789abcdefghjkmnpqrs";

pub(super) fn check<P>(suite: &mut Conformance<P>, account: &Account<P::Settings>)
where
    P: Provider,
    P::Settings: Debug,
{
    let able = suite.channel.capabilities(account);
    suite.expect("capabilities", !able.content.is_empty(), || "no kind of content is declared".to_owned());
    for kind in &able.content {
        let sample = samples::message(kind, suite.channel.name(), &suite.raw.name, suite.message_id);
        match sample.map(|message| without_words(message, &able)) {
            Some(message) => check_message(suite, account, kind, &message),
            None => suite.fail("capabilities", format!("there is no kind of content called {kind:?}")),
        }
    }
    for fixture in suite.files("outbound") {
        match serde_json::from_slice::<Message>(&fixture.bytes) {
            Ok(message) => {
                let name = fixture.name.trim_start_matches("outbound/").trim_end_matches(".json");
                check_message(suite, account, name, &message);
            }
            Err(error) => suite.fail(&fixture.name, format!("is not a message: {error}")),
        }
    }
    for fixture in suite.files("answers") {
        match serde_json::from_slice::<Answer>(&fixture.bytes) {
            Ok(answer) => check_answer(suite, account, &fixture.name, &answer),
            Err(error) => suite.fail(&fixture.name, format!("is not an answer: {error}")),
        }
    }
    check_any_answer(suite, account);
    if let Some(source) = suite.channel.token(&Caller::new(account, NOW_MS)) {
        let key = source.key.clone();
        suite.secrets_stay_secret("the token's key", &key);
        suite.secrets_stay_secret("Debug of the token request", &format!("{source:?}"));
    }
}

/// The message as egress hands it on: files go bare where the channel shows no words with them.
fn without_words(mut message: Message, able: &Capabilities) -> Message {
    if let Some(Kind::Media(media)) = message.content.as_mut().and_then(|content| content.kind.as_mut())
        && able.bare_media.contains(&media.kind)
    {
        media.caption.clear();
    }
    message
}

fn check_message<P>(suite: &mut Conformance<P>, account: &Account<P::Settings>, name: &str, message: &Message)
where
    P: Provider,
    P::Settings: Debug,
{
    let about = format!("outbound {name}");
    let delivery = Delivery::new(message, DELIVERY, CORRELATION, NOW_MS);
    let token = SecretString::from(TOKEN);
    let (channel, caller) = (suite.channel.clone(), Caller::new(account, NOW_MS));
    let caller = caller.with_token(channel.token(&caller).map(|_| &token));
    let encode = || channel.encode_checked(&caller, &delivery);
    let Some(encoded) = suite.guarded(&about, encode) else { return };
    let request = match encoded {
        Ok(request) => request,
        Err(outcome) => return suite.fail(&about, format!("declared, but not encoded: {outcome:?}")),
    };
    check_secrecy(suite, &about, &request);
    let shown = show(&request);
    let again = channel.encode_checked(&caller, &delivery).map(|request| show(&request));
    suite.expect(&about, again.as_ref() == Ok(&shown), || {
        "the same message is encoded differently".to_owned()
    });
    suite.snapshot(&format!("outbound__{name}"), &shown);
}

fn check_secrecy<P>(suite: &mut Conformance<P>, about: &str, request: &ProviderRequest)
where
    P: Provider,
    P::Settings: Debug,
{
    suite.secrets_stay_secret(&format!("{about}: Debug of the request"), &format!("{request:?}"));
    suite.secrets_stay_secret(&format!("{about}: the URL"), &request.url);
    let allowed = suite.token_in_url || !request.url.contains(TOKEN);
    suite.expect(about, allowed, || "the access token stands in the URL".to_owned());
    for (name, value) in &request.headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        let secret = name == header::AUTHORIZATION
            || text.contains(TOKEN)
            || !suite.secrets.found_in(&text).is_empty();
        suite.expect(about, !secret || value.is_sensitive(), || {
            format!("the header `{name}` holds a secret and is not marked: `value.set_sensitive(true)`")
        });
    }
    let url = url::Url::parse(&request.url);
    suite.expect(about, url.is_ok(), || format!("{:?} is not a URL", request.url));
}

/// The request as a snapshot has it.
fn show(request: &ProviderRequest) -> Value {
    let headers: BTreeMap<&str, String> = request
        .headers
        .iter()
        .map(|(name, value)| {
            let value = if value.is_sensitive() {
                "<sensitive>".into()
            } else {
                String::from_utf8_lossy(value.as_bytes())
            };
            (name.as_str(), value.into_owned())
        })
        .collect();
    let body = match &request.body {
        Body::Empty => Value::Null,
        Body::Form(fields) => json!(fields),
        Body::Json(bytes) | Body::Raw(bytes) => serde_json::from_slice(bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned())),
    };
    let url = request.url.replace(TOKEN, "<token>");
    json!({ "method": request.method.as_str(), "url": url, "headers": headers, "body": body })
}

fn check_answer<P>(suite: &mut Conformance<P>, account: &Account<P::Settings>, about: &str, answer: &Answer)
where
    P: Provider,
    P::Settings: Debug,
{
    let response = match answer.response() {
        Ok(response) => response,
        Err(problem) => return suite.fail(about, problem),
    };
    let Some(outcome) = classify(suite, account, about, &response) else { return };
    suite.expect(about, outcome.code() == answer.expect, || {
        format!("means {} and should mean {}: {outcome:?}", outcome.code(), answer.expect)
    });
    if let Some(wanted) = &answer.code {
        let found = provider_code(&outcome);
        suite.expect(about, found == wanted, || format!("has the code {found:?} instead of {wanted:?}"));
    }
    if let Some(wanted) = &answer.provider_message_id {
        let found = matches!(&outcome, Outcome::Delivered { provider_message_id, .. } if provider_message_id == wanted);
        suite.expect(about, found, || format!("does not have the id {wanted:?}: {outcome:?}"));
    }
    if let Some(wanted) = answer.retry_after {
        let found =
            matches!(&outcome, Outcome::Retry { after, .. } if *after == Some(Duration::from_secs(wanted)));
        suite.expect(about, found, || format!("does not wait for {wanted} s: {outcome:?}"));
    }
    if let Some(wanted) = answer.token_expired {
        let found = matches!(&outcome, Outcome::Auth { token_expired, .. } if *token_expired == wanted);
        suite.expect(about, found, || format!("`token_expired` is not {wanted}: {outcome:?}"));
    }
    // Cut off anywhere, an answer is still classified.
    for at in (0..response.body.len()).step_by((response.body.len() / 32).max(1)) {
        let cut = ProviderResponse { body: response.body.slice(..at), ..response.clone() };
        classify(suite, account, &format!("{about} cut at byte {at}"), &cut);
    }
}

/// What holds for every provider, whatever it says besides.
fn check_any_answer<P>(suite: &mut Conformance<P>, account: &Account<P::Settings>)
where
    P: Provider,
    P::Settings: Debug,
{
    let statuses = [200, 201, 204, 301, 400, 401, 403, 404, 408, 409, 410, 413, 418, 429, 500, 502, 503, 504];
    for status in statuses {
        for body in ["", "null", "{}", "[]", "<html>busy</html>", "\u{0}"] {
            let about = format!("an answer {status} {body:?}");
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
            let status = StatusCode::from_u16(status).unwrap_or_default();
            let response = ProviderResponse { status, headers, body: body.into(), now_ms: NOW_MS };
            let Some(outcome) = classify(suite, account, &about, &response) else { continue };
            let delivered = matches!(outcome, Outcome::Delivered { .. });
            suite.expect(&about, status.is_success() || !delivered, || "is taken for a delivery".to_owned());
            if status == StatusCode::TOO_MANY_REQUESTS {
                let waits =
                    matches!(&outcome, Outcome::Retry { after: Some(after), .. } if after.as_secs() == 7);
                suite.expect(&about, waits, || {
                    format!("does not retry after the 7 s it asks for: {outcome:?}")
                });
            }
            if status.is_server_error() {
                let kept = matches!(outcome, Outcome::Retry { .. } | Outcome::InDoubt { .. });
                suite.expect(&about, kept, || format!("drops the message: {outcome:?}"));
            }
        }
    }
}

fn classify<P>(
    suite: &mut Conformance<P>,
    account: &Account<P::Settings>,
    about: &str,
    response: &ProviderResponse,
) -> Option<Outcome>
where
    P: Provider,
    P::Settings: Debug,
{
    let channel = suite.channel.clone();
    let outcome = suite.guarded(about, || channel.classify(account, response))?;
    suite.secrets_stay_secret(&format!("{about}: the outcome"), &format!("{outcome:?}"));
    Some(outcome)
}

fn provider_code(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Delivered { .. } => "",
        Outcome::Retry { code, .. }
        | Outcome::Permanent { code, .. }
        | Outcome::OptedOut { code, .. }
        | Outcome::WindowClosed { code, .. }
        | Outcome::Auth { code, .. }
        | Outcome::InDoubt { code, .. } => code,
    }
}
