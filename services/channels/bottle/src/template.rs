//! A third party's API, described by the account: where a message goes, in which shape, and what the answers mean.
//!
//! ```yaml
//! template:
//!   url: https://api.example.com/v1/send?ref={{delivery_id|url}}
//!   headers: { Authorization: "Bearer {{secret.api_key|plain}}" }
//!   body: '{"to": {{to|json}}, "message": {{text|json}}}'
//!   success: { status: ["2xx"], pointer: /ok, equals: true }
//!   external_id: /message/id
//!   errors:
//!     - { pointer: /code, equals: 4010, class: opted_out }
//! ```

use std::collections::BTreeMap;

use heliograph_channel::{
    AccountError, Body, Delivery, Outcome, ProviderRequest, ProviderResponse, RawAccount, Secrets,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use serde::Deserialize;

use crate::{
    answer,
    placeholder::{Pattern, Place},
    rule::{self, Condition, ConditionSpec, ErrorRule, ErrorSpec},
    settings::absolute,
};

const FIELD: &str = "spec.settings.template";

/// `spec.settings.template` of the resource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateSpec {
    /// POST unless given.
    method: Option<String>,
    /// A URL, or a path below the account's `base_url`. Placeholders stand behind the host.
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Empty: no body. JSON unless a `Content-Type` header says otherwise.
    #[serde(default)]
    body: String,
    /// Every 2xx unless given.
    success: Option<ConditionSpec>,
    /// JSON pointer to the third party's id of the message.
    external_id: Option<String>,
    /// The first that holds decides; the status does when none holds.
    #[serde(default)]
    errors: Vec<ErrorSpec>,
    /// JSON pointers to the error's code and text.
    error_code: Option<String>,
    error_text: Option<String>,
    /// The third party tells a repeat by `{{delivery_id}}`, so a resend after an unknown outcome is safe.
    #[serde(default)]
    idempotent: bool,
}

/// A template, checked.
#[derive(Debug)]
pub(crate) struct Template {
    method: Method,
    url: Pattern,
    headers: Vec<(HeaderName, Pattern)>,
    body: Pattern,
    success: Condition,
    external_id: Option<String>,
    errors: Vec<ErrorRule>,
    error_code: Option<String>,
    error_text: Option<String>,
    pub(crate) idempotent: bool,
}

impl Template {
    pub(crate) fn build(
        spec: TemplateSpec,
        secrets: &Secrets,
        raw: &RawAccount,
    ) -> Result<Self, AccountError> {
        let field = |name: &str| format!("{FIELD}.{name}");
        let method = match spec.method.as_deref() {
            None | Some("POST") => Method::POST,
            Some("PUT") => Method::PUT,
            Some("GET") => Method::GET,
            Some(_) => return Err(AccountError::new(field("method"), "is not GET, POST or PUT")),
        };
        for (name, pointer) in [
            ("external_id", &spec.external_id),
            ("error_code", &spec.error_code),
            ("error_text", &spec.error_text),
        ] {
            pointer.as_ref().map_or(Ok(()), |pointer| rule::check_pointer(&field(name), pointer))?;
        }
        let errors = spec.errors.into_iter().enumerate();
        Ok(Self {
            method,
            url: Pattern::parse(&field("url"), &url(&spec.url, raw)?, Place::Url, secrets)?,
            headers: headers(spec.headers, !spec.body.is_empty(), secrets)?,
            body: Pattern::parse(&field("body"), &spec.body, Place::Body, secrets)?,
            success: match spec.success {
                Some(success) => Condition::build(&field("success"), success)?,
                None => Condition::success(),
            },
            external_id: spec.external_id,
            errors: errors
                .map(|(index, error)| ErrorRule::build(&field(&format!("errors[{index}]")), error))
                .collect::<Result<_, _>>()?,
            error_code: spec.error_code,
            error_text: spec.error_text,
            idempotent: spec.idempotent,
        })
    }

    /// Whether rich content goes out, and not its text alone.
    pub(crate) fn takes_content(&self) -> bool {
        self.body.takes_content()
    }

    /// The request for one message.
    pub(crate) fn request(&self, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        let mut headers = HeaderMap::new();
        for (name, pattern) in &self.headers {
            let mut value = HeaderValue::from_str(&pattern.fill(delivery)).map_err(|_| {
                Outcome::permanent(
                    "bad_header",
                    format!("the value for the header `{name}` cannot be sent in one"),
                )
            })?;
            value.set_sensitive(pattern.holds_secret());
            headers.append(name, value);
        }
        let body = self.body.fill(delivery);
        Ok(ProviderRequest {
            method: self.method.clone(),
            url: self.url.fill(delivery),
            headers,
            body: if body.is_empty() { Body::Empty } else { Body::Raw(body.into()) },
        })
    }

    /// What the answer means.
    pub(crate) fn outcome(&self, response: &ProviderResponse) -> Outcome {
        let json = response.json();
        if self.success.holds(response, &json) {
            return Outcome::delivered(rule::text_at(&json, self.external_id.as_deref()));
        }
        let class = self
            .errors
            .iter()
            .find(|rule| rule.when.holds(response, &json))
            .map_or_else(|| answer::class_of_status(response.status.as_u16()), |rule| rule.class);
        let code = match rule::text_at(&json, self.error_code.as_deref()) {
            code if code.is_empty() => response.status.as_str().to_owned(),
            code => code,
        };
        answer::outcome(class, response.retry_after(), code, rule::text_at(&json, self.error_text.as_deref()))
    }
}

/// The URL with its placeholders, in full; a customer's words never choose the host.
fn url(source: &str, raw: &RawAccount) -> Result<String, AccountError> {
    let field = format!("{FIELD}.url");
    let host = source.split_once("://").and_then(|(_, behind)| behind.split(['/', '?', '#']).next());
    if host.is_some_and(|host| host.contains("{{")) {
        let problem = "has a placeholder in its host; placeholders stand behind the host";
        return Err(AccountError::new(field, problem));
    }
    absolute(&field, source, raw)
}

fn headers(
    specs: BTreeMap<String, String>,
    has_body: bool,
    secrets: &Secrets,
) -> Result<Vec<(HeaderName, Pattern)>, AccountError> {
    let mut headers = Vec::new();
    for (name, value) in specs {
        let field = format!("{FIELD}.headers.{name}");
        let parsed = name.parse().map_err(|_| AccountError::new(&field, "is not the name of a header"))?;
        headers.push((parsed, Pattern::parse(&field, &value, Place::Header, secrets)?));
    }
    if has_body && !headers.iter().any(|(name, _)| name == CONTENT_TYPE) {
        let json = Pattern::parse(FIELD, "application/json", Place::Header, secrets)?;
        headers.push((CONTENT_TYPE, json));
    }
    Ok(headers)
}
