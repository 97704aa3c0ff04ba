//! `Tenant`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Period;

/// One company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSpec {
    /// The name people read.
    pub display_name: String,
    /// Language of what the system itself says to customers, as a BCP 47 tag.
    #[serde(default = "english")]
    pub locale: String,
    /// What becomes of a delivery whose outcome is unknown.
    #[serde(default)]
    pub in_doubt: InDoubt,
    /// How long data is kept.
    #[serde(default, skip_serializing_if = "DataSettings::is_default")]
    pub data: DataSettings,
    /// How agents work.
    #[serde(default, skip_serializing_if = "Work::is_default")]
    pub work: Work,
}

/// How the tenant's agents work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// What one conversation of a class of channels takes of an agent's `total`; 1 unless listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, u32>,
    /// Which classes a class may interrupt: these do not count against an agent's `total` when it is offered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub interrupts: BTreeMap<String, Vec<String>>,
    /// A conversation in which nothing was said for so long is closed.
    #[serde(default = "a_day")]
    pub inactivity: Period,
    /// How long an agent whose desk disconnected may be gone before their conversations are taken back.
    #[serde(default = "half_a_minute")]
    pub grace: Period,
    /// How long a conversation that an agent rejected, released or passed on is not offered to them again.
    #[serde(default = "half_a_minute")]
    pub cool_off: Period,
    /// An agent of whom nothing was heard for so long is offline.
    #[serde(default = "a_minute")]
    pub liveness: Period,
}

impl Work {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Work {
    fn default() -> Self {
        Self {
            weights: BTreeMap::new(),
            interrupts: BTreeMap::new(),
            inactivity: a_day(),
            grace: half_a_minute(),
            cool_off: half_a_minute(),
            liveness: a_minute(),
        }
    }
}

/// What becomes of a delivery whose outcome is unknown, on a provider without idempotency keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InDoubt {
    /// It is held until somebody decides: the customer may miss a message, and never sees one twice.
    #[default]
    Hold,
    /// It is sent again: the customer may see a message twice, and never misses one.
    Retry,
}

/// How long a tenant's data is kept. Absent means until it is erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    /// Days that transcripts are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript_days: Option<u32>,
    /// Days that media are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_days: Option<u32>,
}

impl DataSettings {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn english() -> String {
    "en".to_owned()
}

fn a_day() -> Period {
    Period::seconds(86_400)
}

fn a_minute() -> Period {
    Period::seconds(60)
}

fn half_a_minute() -> Period {
    Period::seconds(30)
}
