//! What an operator may set about hosting channels.

use std::time::Duration;

use heliograph_runtime::config::duration;
use serde::{Deserialize, Serialize};

/// The section `channel` of the configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostSettings {
    /// Largest body a provider may post, in bytes.
    pub body_limit: usize,
    /// How long storing what came in may take before the provider is answered 503. Keep it under the time the provider
    /// waits (WeChat: 5 s).
    #[serde(with = "duration")]
    pub publish_deadline: Duration,
    /// How long a provider may take to answer a send.
    #[serde(with = "duration")]
    pub provider_timeout: Duration,
    /// How much of a provider's answer is read, in bytes.
    pub answer_limit: usize,
    /// Largest media that is fetched from a provider, in bytes.
    pub media_limit: u64,
    /// How long a provider may take to hand over a medium.
    #[serde(with = "duration")]
    pub media_timeout: Duration,
    /// Let accounts name hosts inside our own network. For development and for sandboxes.
    pub private_networks: bool,
    /// Accept secrets that stand in the resource itself. For development.
    pub inline_secrets: bool,
}

impl Default for HostSettings {
    fn default() -> Self {
        Self {
            body_limit: 1024 * 1024,
            publish_deadline: Duration::from_secs(4),
            provider_timeout: Duration::from_secs(10),
            answer_limit: 1024 * 1024,
            media_limit: 64 * 1024 * 1024,
            media_timeout: Duration::from_mins(1),
            private_networks: false,
            inline_secrets: false,
        }
    }
}
