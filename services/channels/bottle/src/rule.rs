//! Conditions over a third party's answer: which mean success, and what the others mean.

use heliograph_channel::{AccountError, ProviderResponse};
use heliograph_proto::v1::ErrorClass;
use serde::Deserialize;
use serde_json::Value;

use crate::answer;

/// Everything that is given must hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConditionSpec {
    /// Statuses: `200`, `"2xx"`. Empty: any.
    #[serde(default)]
    status: Vec<StatusSpec>,
    /// JSON pointer into the answer: `/result/code`.
    pointer: Option<String>,
    /// What must stand there; absent: anything.
    equals: Option<Value>,
}

/// One status or a hundred of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum StatusSpec {
    Exact(u16),
    Hundred(String),
}

/// A condition on an error's answer, and the error's class.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorSpec {
    #[serde(default)]
    status: Vec<StatusSpec>,
    pointer: Option<String>,
    equals: Option<Value>,
    /// `permanent`, `retryable`, `rate_limited`, `auth`, `window_closed`, `opted_out`, `in_doubt`.
    class: String,
}

/// A condition, checked.
#[derive(Debug)]
pub(crate) struct Condition {
    /// First and last status of each range.
    status: Vec<(u16, u16)>,
    pointer: Option<String>,
    equals: Option<Value>,
}

/// A rule over errors, checked.
#[derive(Debug)]
pub(crate) struct ErrorRule {
    pub(crate) when: Condition,
    pub(crate) class: ErrorClass,
}

impl Condition {
    /// Every 2xx.
    pub(crate) fn success() -> Self {
        Self { status: vec![(200, 299)], pointer: None, equals: None }
    }

    pub(crate) fn build(field: &str, spec: ConditionSpec) -> Result<Self, AccountError> {
        if let Some(pointer) = &spec.pointer {
            check_pointer(&format!("{field}.pointer"), pointer)?;
        } else if spec.equals.is_some() {
            return Err(AccountError::new(format!("{field}.equals"), "needs a `pointer` to compare with"));
        }
        let status = spec.status.iter().map(|status| match status {
            StatusSpec::Exact(exact @ 100..=599) => Some((*exact, *exact)),
            StatusSpec::Exact(_) => None,
            StatusSpec::Hundred(word) => match word.as_bytes() {
                [hundred @ b'1'..=b'5', b'x', b'x'] => {
                    let first = u16::from(hundred - b'0') * 100;
                    Some((first, first + 99))
                }
                _ => None,
            },
        });
        let status = status.collect::<Option<_>>().ok_or_else(|| {
            AccountError::new(format!("{field}.status"), "is a list of statuses such as `200` or `\"2xx\"`")
        })?;
        Ok(Self { status, pointer: spec.pointer, equals: spec.equals })
    }

    /// Whether the answer, whose body is `json` if it is JSON at all, fulfils this.
    pub(crate) fn holds(&self, response: &ProviderResponse, json: &Value) -> bool {
        let status = response.status.as_u16();
        let status_holds = self.status.is_empty()
            || self.status.iter().any(|(first, last)| (*first..=*last).contains(&status));
        let pointer_holds = match &self.pointer {
            None => true,
            Some(pointer) => match (json.pointer(pointer), &self.equals) {
                (Some(found), Some(wanted)) => found == wanted,
                (Some(_), None) => true,
                (None, _) => false,
            },
        };
        status_holds && pointer_holds
    }
}

impl ErrorRule {
    pub(crate) fn build(field: &str, spec: ErrorSpec) -> Result<Self, AccountError> {
        let class = answer::error_class(&spec.class).ok_or_else(|| {
            let classes = "permanent, retryable, rate_limited, auth, window_closed, opted_out, in_doubt";
            AccountError::new(format!("{field}.class"), format!("is not one of {classes}"))
        })?;
        let when = ConditionSpec { status: spec.status, pointer: spec.pointer, equals: spec.equals };
        Ok(Self { when: Condition::build(field, when)?, class })
    }
}

/// Checks the form of a JSON pointer (RFC 6901).
pub(crate) fn check_pointer(field: &str, pointer: &str) -> Result<(), AccountError> {
    if pointer.starts_with('/') {
        return Ok(());
    }
    Err(AccountError::new(field, "is not a JSON pointer; write e.g. `/result/code`"))
}

/// What stands at `pointer`, as text; empty when nothing does.
pub(crate) fn text_at(json: &Value, pointer: Option<&str>) -> String {
    match pointer.and_then(|pointer| json.pointer(pointer)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}
