//! Answers of providers, as files have them. tests/fuzz is built of this file as well.

use std::collections::BTreeMap;

use bytes::Bytes;
use heliograph_channel::ProviderResponse;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::fixture::NOW_MS;

/// A file of `answers/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub status: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: Value,
    pub expect: String,
    pub code: Option<String>,
    pub provider_message_id: Option<String>,
    pub retry_after: Option<u64>,
    pub token_expired: Option<bool>,
}

impl Answer {
    /// The answer as the host hands it on, at [`NOW_MS`].
    pub(super) fn response(&self) -> Result<ProviderResponse, String> {
        let status =
            StatusCode::from_u16(self.status).map_err(|_| format!("{} is not a status", self.status))?;
        let body = match &self.body {
            Value::Null => Bytes::new(),
            Value::String(text) => text.clone().into(),
            json => json.to_string().into(),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                headers.append(name, value);
            }
        }
        Ok(ProviderResponse { status, headers, body, now_ms: NOW_MS })
    }
}
