//! A message becomes a request, and the answer an outcome.

use heliograph_channel::{
    Account, AccountOf, Body, Caller, Calls, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse,
};
use heliograph_domain::ids;
use heliograph_proto::v1::SignalRequest;
use http::{HeaderValue, Method, header::CONTENT_TYPE};
use serde_json::Value;

use crate::{Bottle, BottleSettings, answer, letter, rule::text_at, settings::Out};

impl Provider for Bottle {
    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        match &caller.account.settings.out {
            Out::Letter(url) => {
                let Delivery { delivery_id, now_ms, .. } = *delivery;
                Ok(signed(caller.account, url, delivery_id, now_ms, &letter::message(delivery)))
            }
            Out::Template(template) => template.request(delivery),
        }
    }

    fn classify(&self, account: &AccountOf<Self>, response: &ProviderResponse) -> Outcome {
        match &account.settings.out {
            Out::Letter(_) => read_answer(response),
            Out::Template(template) => template.outcome(response),
        }
    }

    fn encode_signal(&self, caller: Calls<'_, Self>, signal: &SignalRequest) -> Option<ProviderRequest> {
        let Caller { account, now_ms, .. } = *caller;
        let Out::Letter(url) = &account.settings.out else { return None };
        let user_id = signal.address.as_ref().map_or("", |address| address.user_id.as_str());
        let id = ids::derive("sig", &[&account.tenant, &account.name, user_id, &now_ms.to_string()]);
        Some(signed(account, url, &id, now_ms, &letter::signal(signal, &id, now_ms)?))
    }
}

/// A Standard Webhooks request. `id` is the same on every attempt, so the other side can tell a repeat.
fn signed(
    account: &Account<BottleSettings>,
    url: &str,
    id: &str,
    now_ms: i64,
    letter: &Value,
) -> ProviderRequest {
    let body = letter.to_string();
    let mut headers = account.settings.keys.headers(id, now_ms, body.as_bytes());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    ProviderRequest { method: Method::POST, url: url.to_owned(), headers, body: Body::Json(body.into()) }
}

/// What the other side answers in our own protocol: a 2xx with `{"id"}`, or `{"error": {"class", "code", "text"}}`,
/// whose class goes before the status.
fn read_answer(response: &ProviderResponse) -> Outcome {
    let json = response.json();
    if response.status.is_success() {
        return Outcome::delivered(text_at(&json, Some("/id")));
    }
    let class = answer::error_class(&text_at(&json, Some("/error/class")))
        .unwrap_or_else(|| answer::class_of_status(response.status.as_u16()));
    let code = match text_at(&json, Some("/error/code")) {
        code if code.is_empty() => response.status.as_str().to_owned(),
        code => code,
    };
    answer::outcome(class, response.retry_after(), code, text_at(&json, Some("/error/text")))
}
