//! A WhatsApp account's settings: one business phone number.

use heliograph_channel::{AccountError, RawAccount, Secrets, Settings};
use secrecy::SecretString;
use serde::Deserialize;

/// What stands under `spec.settings` of a `whatsapp` account. Numbers that the provider changes, or says nowhere, have
/// a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsAppSpec {
    /// The number's id, from the app's console; not the number itself.
    pub phone_number_id: String,
    /// Version of the Graph API.
    #[serde(default = "default_version")]
    pub api_version: String,
    /// How media of ours reach the provider.
    #[serde(default)]
    pub media: MediaBy,
    /// Proves with every call that we know the app's secret, for apps that demand it.
    #[serde(default)]
    pub appsecret_proof: bool,
    /// A preview of the first link in a text.
    #[serde(default)]
    pub preview_url: bool,
    /// Sends per second: 80, 1000 after the provider raised it, 20 for a number that the business app uses as well.
    #[serde(default = "default_rate")]
    pub per_second: f64,
    /// To one customer, one message every so many seconds.
    #[serde(default = "default_pair_seconds")]
    pub pair_seconds: f64,
    /// As many messages to one customer may go at once before that.
    #[serde(default = "default_pair_burst")]
    pub pair_burst: i32,
    /// Longest caption, in code points.
    #[serde(default = "default_caption")]
    pub caption_limit: i32,
    /// Longest text beside a list, in code points.
    #[serde(default = "default_list_body")]
    pub list_body_limit: i32,
    /// Hours in which the business may write freely after a message of the customer's.
    #[serde(default = "default_window")]
    pub window_hours: i64,
}

fn default_version() -> String {
    "v26.0".to_owned()
}

fn default_rate() -> f64 {
    80.0
}

fn default_pair_seconds() -> f64 {
    6.0
}

fn default_pair_burst() -> i32 {
    10
}

fn default_caption() -> i32 {
    1024
}

fn default_list_body() -> i32 {
    1024
}

fn default_window() -> i64 {
    24
}

/// How media of ours reach the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaBy {
    /// Uploaded once and named by the provider's id for 30 days.
    #[default]
    Upload,
    /// By a public URL that the provider fetches with each message.
    Link,
}

/// A checked WhatsApp account.
#[derive(Debug)]
pub struct WhatsAppSettings {
    /// Its settings.
    pub spec: WhatsAppSpec,
    /// A system user's token.
    pub access_token: SecretString,
    /// Sign webhooks; several while one is being replaced.
    pub app_secrets: Vec<SecretString>,
    /// For the handshake; several while one is being replaced.
    pub verify_tokens: Vec<SecretString>,
}

impl WhatsAppSettings {
    /// The secret calls are proven with, where they are.
    pub(crate) fn proof(&self) -> Option<&SecretString> {
        self.app_secrets.first().filter(|_| self.spec.appsecret_proof)
    }
}

impl Settings for WhatsAppSettings {
    type Spec = WhatsAppSpec;

    fn build(spec: WhatsAppSpec, secrets: &Secrets, _raw: &RawAccount) -> Result<Self, AccountError> {
        let wrong =
            |field: &str, problem: &str| Err(AccountError::new(format!("spec.settings.{field}"), problem));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(&spec.phone_number_id) {
            return wrong(
                "phone_number_id",
                "is the number's id of digits alone, as the app's console shows it",
            );
        }
        let version = spec.api_version.strip_prefix('v').and_then(|version| version.split_once('.'));
        if !version.is_some_and(|(major, minor)| digits(major) && digits(minor)) {
            return wrong("api_version", "is a version of the Graph API, e.g. `v26.0`");
        }
        for (field, number) in [("per_second", spec.per_second), ("pair_seconds", spec.pair_seconds)] {
            if !(number.is_finite() && number > 0.0) {
                return wrong(field, "is a number above 0");
            }
        }
        for (field, number) in [
            ("pair_burst", i64::from(spec.pair_burst)),
            ("caption_limit", i64::from(spec.caption_limit)),
            ("list_body_limit", i64::from(spec.list_body_limit)),
            ("window_hours", spec.window_hours),
        ] {
            if number < 1 {
                return wrong(field, "is at least 1");
            }
        }
        secrets.require("app_secret")?;
        secrets.require("verify_token")?;
        Ok(Self {
            access_token: secrets.require("access_token")?.clone(),
            app_secrets: secrets.all("app_secret").to_vec(),
            verify_tokens: secrets.all("verify_token").to_vec(),
            spec,
        })
    }
}
