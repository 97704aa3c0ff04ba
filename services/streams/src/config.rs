//! The configuration section `streams`.

use std::time::Duration;

use heliograph_domain::ids;
use heliograph_runtime::config::{duration, mask};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::error::StreamsError;

/// Bytes a token has at least: short ones can be guessed.
const TOKEN_BYTES: usize = 16;

/// Settings of the streams service.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StreamsConfig {
    /// Who may subscribe. Without any, nobody may.
    pub api_tokens: Vec<ApiToken>,
    /// How often a quiet event stream says that it is alive.
    #[serde(with = "duration")]
    pub keep_alive: Duration,
    /// Events read ahead for one subscriber.
    pub read_ahead: usize,
}

impl Default for StreamsConfig {
    fn default() -> Self {
        Self { api_tokens: Vec::new(), keep_alive: Duration::from_secs(15), read_ahead: 256 }
    }
}

/// One integrator's token.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// The secret, at least 16 bytes.
    #[serde(serialize_with = "mask")]
    pub token: SecretString,
    /// Whose events it opens.
    pub tenant: String,
}

impl StreamsConfig {
    /// Refuses what cannot work.
    pub(crate) fn check(&self) -> Result<(), StreamsError> {
        for (at, entry) in self.api_tokens.iter().enumerate() {
            let refuse = |what: &str| Err(StreamsError::Config(format!("streams.api_tokens[{at}].{what}")));
            if entry.token.expose_secret().len() < TOKEN_BYTES {
                return refuse("token: at least 16 bytes");
            }
            if !ids::is_name(&entry.tenant) {
                return refuse("tenant: not a tenant's name");
            }
        }
        if self.read_ahead == 0 || self.keep_alive.is_zero() {
            return Err(StreamsError::Config(
                "streams.read_ahead, streams.keep_alive: more than 0".to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_masked_and_must_be_long() {
        let entry = |token: &str| ApiToken { token: SecretString::from(token), tenant: "acme".to_owned() };
        let config =
            StreamsConfig { api_tokens: vec![entry("0123456789abcdef")], ..StreamsConfig::default() };
        assert!(config.check().is_ok());
        let shown = format!("{config:?}{}", serde_json::to_string(&config).unwrap_or_default());
        assert!(!shown.contains("0123456789abcdef"), "{shown}");
        let short = StreamsConfig { api_tokens: vec![entry("short")], ..StreamsConfig::default() };
        assert!(short.check().is_err());
    }
}
