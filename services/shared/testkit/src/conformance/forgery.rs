//! Requests that the provider did not send, or not now.

use std::fmt::Debug;

use bytes::Bytes;
use heliograph_channel::{Account, Refusal, Webhook, WebhookRequest};
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::{Conformance, inbound::receive};

/// `genuine` was accepted; every change to what the signature covers must be refused.
pub(super) fn check<W>(
    suite: &mut Conformance<W>,
    account: &Account<W::Settings>,
    name: &str,
    genuine: &WebhookRequest,
) where
    W: Webhook,
    W::Settings: Debug,
{
    for at in [0, genuine.body.len() / 2, genuine.body.len().saturating_sub(1)] {
        if let (true, Some(body)) = (suite.body_signed, flip(&genuine.body, at)) {
            let forged = WebhookRequest { body, ..genuine.clone() };
            refused(suite, account, &format!("{name} with byte {at} changed"), &forged);
        }
    }
    let unsigned = unsigned(suite, genuine);
    for header in &unsigned.headers {
        let mut without = genuine.clone();
        without.headers.remove(header);
        refused(suite, account, &format!("{name} without {header}"), &without);
        let mut changed = genuine.clone();
        if let Some(value) = changed.headers.get(header).and_then(change) {
            changed.headers.insert(header, value);
            refused(suite, account, &format!("{name} with {header} changed"), &changed);
        }
    }
    for parameter in &unsigned.parameters {
        let others = genuine.query.split('&').filter(|pair| *pair != parameter.as_str());
        let without = WebhookRequest { query: others.collect::<Vec<_>>().join("&"), ..genuine.clone() };
        let key = parameter.split('=').next().unwrap_or_default();
        refused(suite, account, &format!("{name} without {key}"), &without);
    }
    if let Some(age) = suite.stale_after {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX / 2) + 1000;
        for (about, shift) in [("signed too long ago", age), ("signed for a time to come", -age)] {
            let late = WebhookRequest { now_ms: genuine.now_ms + shift, ..genuine.clone() };
            let about = format!("{name} {about}");
            let Some(received) = receive(suite, account, &about, &late) else { continue };
            let stale = matches!(received, Err(Refusal::Stale(_)));
            suite.expect(&about, stale, || format!("is not refused as stale but gives {received:?}"));
        }
    }
}

fn refused<W>(
    suite: &mut Conformance<W>,
    account: &Account<W::Settings>,
    about: &str,
    request: &WebhookRequest,
) where
    W: Webhook,
    W::Settings: Debug,
{
    let Some(received) = receive(suite, account, about, request) else { return };
    let status = received.as_ref().map_or_else(Refusal::status, |received| received.answer.status);
    suite
        .expect(about, status == StatusCode::UNAUTHORIZED, || format!("is answered {status} instead of 401"));
}

/// What signing added.
struct Added {
    headers: Vec<HeaderName>,
    parameters: Vec<String>,
}

fn unsigned<W: Webhook>(suite: &Conformance<W>, genuine: &WebhookRequest) -> Added {
    let mut bare =
        WebhookRequest { headers: http::HeaderMap::new(), query: String::new(), ..genuine.clone() };
    if let Some(sign) = &suite.sign {
        sign(&suite.raw, &mut bare);
    }
    let covered = |name: &str| !suite.ignored.contains(&name);
    let headers = bare.headers.keys().filter(|name| *name != header::CONTENT_TYPE && covered(name.as_str()));
    let headers = headers.cloned().collect();
    let parameters = bare.query.split('&').filter(|pair| !pair.is_empty());
    // A parameter that depends on the rest of the query has another value here; its key is what counts.
    let keys: Vec<&str> =
        parameters.filter_map(|pair| pair.split('=').next()).filter(|key| covered(key)).collect();
    let parameters =
        genuine.query.split('&').filter(|pair| keys.contains(&pair.split('=').next().unwrap_or_default()));
    Added { headers, parameters: parameters.map(str::to_owned).collect() }
}

fn flip(body: &Bytes, at: usize) -> Option<Bytes> {
    let mut changed = body.to_vec();
    *changed.get_mut(at)? ^= 0x01;
    Some(changed.into())
}

/// The value with another character in its middle.
fn change(value: &HeaderValue) -> Option<HeaderValue> {
    let mut changed = value.as_bytes().to_vec();
    let at = changed.len() / 2;
    let byte = changed.get_mut(at)?;
    *byte = if *byte == b'A' { b'B' } else { b'A' };
    HeaderValue::from_bytes(&changed).ok()
}
