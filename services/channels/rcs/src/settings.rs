//! An RCS account's settings.

use std::collections::BTreeMap;

use heliograph_channel::{
    AccountError, Settings,
    account::{RawAccount, Secrets, above_zero},
};
use heliograph_proto::v1::MessageClass;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::service_account::ServiceAccount;

/// What stands under `spec.settings` of an `rcs` account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RcsSpec {
    /// The agent, `…@rbm.goog`.
    pub agent_id: String,
    /// Where the agent lives: `us`, `europe` or `asia`; absent: wherever Google finds it.
    pub region: Option<String>,
    /// How the webhook is confirmed.
    #[serde(default)]
    pub handshake: Handshake,
    /// How files reach the provider.
    #[serde(default)]
    pub files: Files,
    /// How long a message is kept for a phone that is away, 10 to 1,296,000 (15 days). Absent: 30 days, and no event then.
    pub ttl_seconds: Option<u32>,
    /// What a class of messages is called as traffic; an empty word leaves it out.
    #[serde(default)]
    pub traffic_types: BTreeMap<String, String>,
    /// Suggestions of one card.
    #[serde(default = "card_suggestions")]
    pub card_suggestions: i32,
    /// How many days an uploaded file is kept.
    #[serde(default = "file_days")]
    pub file_days: u64,
    /// Messages of the agent.
    #[serde(default = "per_second")]
    pub per_second: f64,
    /// As many at once.
    #[serde(default = "burst")]
    pub burst: i32,
}

/// How the webhook is confirmed: by the secret that comes with the question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handshake {
    /// Nothing else, as Google's guide says.
    #[default]
    Bare,
    /// Behind `secret: `, as Google's sample does.
    Labelled,
}

/// How files reach the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Files {
    /// By their URL in the message.
    #[default]
    Link,
    /// The provider fetches their URL before the message.
    Prefetch,
    /// Uploaded before the message.
    Upload,
}

pub(crate) fn card_suggestions() -> i32 {
    4
}

fn file_days() -> u64 {
    60
}

pub(crate) fn per_second() -> f64 {
    20.0
}

pub(crate) fn burst() -> i32 {
    40
}

/// A checked RCS account.
#[derive(Debug)]
pub struct RcsSettings {
    /// See [`RcsSpec::agent_id`].
    pub agent_id: String,
    /// See [`RcsSpec::region`].
    pub region: Option<String>,
    /// See [`RcsSpec::handshake`].
    pub handshake: Handshake,
    /// See [`RcsSpec::files`].
    pub files: Files,
    /// See [`RcsSpec::ttl_seconds`].
    pub ttl_seconds: Option<u32>,
    /// See [`RcsSpec::traffic_types`].
    pub traffic_types: BTreeMap<String, String>,
    /// See [`RcsSpec::card_suggestions`].
    pub card_suggestions: i32,
    /// See [`RcsSpec::file_days`].
    pub file_days: u64,
    /// See [`RcsSpec::per_second`].
    pub per_second: f64,
    /// See [`RcsSpec::burst`].
    pub burst: i32,
    /// Sign what comes in; several while one is being replaced.
    pub client_tokens: Vec<SecretString>,
    /// Who we are.
    pub service_account: ServiceAccount,
}

impl RcsSettings {
    /// What messages of this class are called as traffic; `None`: nothing is said.
    pub fn traffic_type(&self, class: MessageClass) -> Option<&str> {
        let (name, usual) = match class {
            MessageClass::Unspecified | MessageClass::Service => ("service", "SERVICEREQUEST"),
            MessageClass::Utility => ("utility", "TRANSACTION"),
            MessageClass::Marketing => ("marketing", "PROMOTION"),
            MessageClass::Authentication => ("authentication", "AUTHENTICATION"),
            MessageClass::Emergency => ("emergency", "TRANSACTION"),
        };
        let word = self.traffic_types.get(name).map_or(usual, String::as_str);
        (!word.is_empty()).then_some(word)
    }
}

const CLASSES: [&str; 5] = ["service", "utility", "marketing", "authentication", "emergency"];

impl Settings for RcsSettings {
    type Spec = RcsSpec;

    fn build(spec: RcsSpec, secrets: &Secrets, _raw: &RawAccount) -> Result<Self, AccountError> {
        secrets.require("client_token")?;
        let service_account = ServiceAccount::read(secrets.require("service_account")?.expose_secret())
            .map_err(|error| AccountError::new("spec.secrets.service_account", error.to_string()))?;
        if spec.region.as_ref().is_some_and(|region| !["us", "europe", "asia"].contains(&region.as_str())) {
            return Err(AccountError::new("spec.settings.region", "must be `us`, `europe` or `asia`"));
        }
        if spec.ttl_seconds.is_some_and(|seconds| !(10..=1_296_000).contains(&seconds)) {
            let problem = "must be 10 to 1296000, which is 15 days";
            return Err(AccountError::new("spec.settings.ttl_seconds", problem));
        }
        if let Some(other) = spec.traffic_types.keys().find(|class| !CLASSES.contains(&class.as_str())) {
            let problem = format!("is not a class of messages; there are {}", CLASSES.join(", "));
            return Err(AccountError::new(format!("spec.settings.traffic_types.{other}"), problem));
        }
        above_zero([
            ("card_suggestions", spec.card_suggestions.into()),
            ("per_second", spec.per_second),
            ("burst", spec.burst.into()),
        ])?;
        Ok(Self {
            agent_id: spec.agent_id,
            region: spec.region,
            handshake: spec.handshake,
            files: spec.files,
            ttl_seconds: spec.ttl_seconds,
            traffic_types: spec.traffic_types,
            card_suggestions: spec.card_suggestions,
            file_days: spec.file_days,
            per_second: spec.per_second,
            burst: spec.burst,
            client_tokens: secrets.all("client_token").to_vec(),
            service_account,
        })
    }
}
