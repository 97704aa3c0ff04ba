//! Egress's own configuration section, `egress`. Where channels answer stands in `channels`.

use std::{collections::BTreeMap, time::Duration};

use heliograph_runtime::config::{duration, mask};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Settings of egress.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EgressConfig {
    /// Name of this process among the members that share partitions; made from the process id when unset.
    pub member: Option<String>,
    /// Where this fleet runs, as policies call it in `residency`; unset where that is not to be looked at.
    pub site: Option<String>,
    /// Calls in flight on one channel, over all its partitions here.
    pub concurrency: usize,
    /// The same for channels that need another number.
    pub concurrency_of: BTreeMap<String, usize>,
    /// Messages of one partition in hand at a time, waiting ones included. A setting of the durable consumer: the same
    /// for every member.
    pub in_hand: usize,
    /// How long a channel may take to answer a delivery. Longer than it waits for its provider.
    #[serde(with = "duration")]
    pub deliver_timeout: Duration,
    /// How long what a channel said of its capabilities is believed.
    #[serde(with = "duration")]
    pub describe_every: Duration,
    /// When to try again, and when to give up.
    pub retry: RetryConfig,
    /// Who may call `EgressService`, and for which tenant.
    pub api_tokens: Vec<ApiToken>,
}

impl Default for EgressConfig {
    fn default() -> Self {
        Self {
            member: None,
            site: None,
            concurrency: 64,
            concurrency_of: BTreeMap::new(),
            in_hand: 1_024,
            deliver_timeout: Duration::from_secs(20),
            describe_every: Duration::from_mins(1),
            retry: RetryConfig::default(),
            api_tokens: Vec::new(),
        }
    }
}

impl EgressConfig {
    /// Calls in flight on `channel`.
    pub(crate) fn concurrency(&self, channel: &str) -> usize {
        self.concurrency_of.get(channel).copied().unwrap_or(self.concurrency).max(1)
    }
}

/// When a message is tried again.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// The first wait; each later one is twice as long.
    #[serde(with = "duration")]
    pub first: Duration,
    /// The longest wait that is not the provider's own.
    #[serde(with = "duration")]
    pub most: Duration,
    /// How often a provider may put a message off before it is given up.
    pub attempts: u32,
    /// How old a message may become before it is given up, counted from when it was handed to egress.
    #[serde(with = "duration")]
    pub max_age: Duration,
    /// A wait at least this long is announced each time, not only at the first.
    #[serde(with = "duration")]
    pub announce: Duration,
    /// After an account's credentials were refused: the first wait until they are tried again; it doubles.
    #[serde(with = "duration")]
    pub probe_first: Duration,
    /// The longest such wait.
    #[serde(with = "duration")]
    pub probe_most: Duration,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_mins(5),
            attempts: 16,
            max_age: Duration::from_hours(24),
            announce: Duration::from_mins(1),
            probe_first: Duration::from_secs(5),
            probe_most: Duration::from_mins(5),
        }
    }
}

/// A credential of an API client.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// What the client sends as `authorization: Bearer …`.
    #[serde(serialize_with = "mask")]
    pub token: SecretString,
    /// Whose messages it may send and read.
    pub tenant: String,
    /// Name of the client, as messages show it.
    #[serde(default = "client")]
    pub client: String,
}

fn client() -> String {
    "api".to_owned()
}

#[cfg(test)]
mod tests {
    use super::{ApiToken, EgressConfig};

    #[test]
    fn tokens_are_never_printed() {
        let token = ApiToken { token: "s3cret-token".into(), tenant: "acme".into(), client: "shop".into() };
        let config = EgressConfig { api_tokens: vec![token], ..EgressConfig::default() };
        let printed = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
        assert!(!printed.contains("s3cret-token"), "{printed}");
        assert!(printed.contains("shop"));
    }
}
