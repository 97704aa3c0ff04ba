//! `Tenant`.

use serde::{Deserialize, Serialize};

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
