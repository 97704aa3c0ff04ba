//! `WebhookEndpoint`.

use serde::{Deserialize, Serialize};

use super::{SecretRef, yes};

/// Where an integrator wants events posted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpointSpec {
    /// Where events are posted.
    pub url: String,
    /// Types of events, such as `message.received`; `message.*` for a family. None means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Channels whose events are wanted. None means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Regions whose events are wanted. None means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Key that signs what is posted.
    pub secret: SecretRef,
    /// Whether events are posted. A disabled endpoint keeps its place in the stream.
    #[serde(default = "yes")]
    pub enabled: bool,
}
