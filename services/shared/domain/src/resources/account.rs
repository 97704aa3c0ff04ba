//! `ChannelAccount`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Period, SecretRefs, SenderIdentity, yes};

/// A tenant's presence on a channel: a phone number, an official account, a widget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelAccountSpec {
    /// The channel, such as `sms`.
    pub channel: String,
    /// Which of the channel's providers serves the account, where there are several: `sinch` or `twilio` for `sms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// A country, or a region of the tenant's policy, that customers of this account are taken to be in when nothing
    /// better is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The channel's own settings, checked by the channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, Value>,
    /// The channel's secrets by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretRefs>,
    /// Where the provider's API answers, if not at its public address: a sandbox, a proxy, a data centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// How the provider reaches our webhooks. Signatures that cover the URL are checked against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_base_url: Option<String>,
    /// Whether the account is in use. A disabled account receives and sends nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How fast the provider lets this account send, if slower than the channel's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// What kind of sender it writes as, where that cannot be read off its `sender` setting: `10dlc` for a registered number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_identity: Option<SenderIdentity>,
    /// Messaging windows that differ from the channel's. Each replaces the channel's of its kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowOverride>,
}

impl ChannelAccountSpec {
    /// What kind of sender it writes as: as it says, else as its `sender` setting looks.
    pub fn sender(&self) -> Option<SenderIdentity> {
        let shown = self.settings.get("sender").and_then(Value::as_str);
        SenderIdentity::of(shown.unwrap_or_default(), self.sender_identity)
    }
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Messages a second in the long run; may be below one.
    pub per_second: f64,
    /// Messages that may go at once after a pause.
    #[serde(default = "one")]
    pub burst: u32,
}

/// A messaging window that differs from the channel's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowOverride {
    /// What opens it, in the channel's words: `message`, or what else the channel knows.
    #[serde(default = "message")]
    pub kind: String,
    /// How long it stays open after that.
    pub open: Period,
    /// How many messages may be sent in it; absent means any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u32>,
}

fn message() -> String {
    "message".to_owned()
}

fn one() -> u32 {
    1
}
