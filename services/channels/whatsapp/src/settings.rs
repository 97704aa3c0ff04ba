//! A WhatsApp account's settings: one business phone number.

use heliograph_channel::{Account, AccountError, RawAccount, Secrets, Settings, account};
use heliograph_graph::App;
use serde::Deserialize;

/// What stands under `spec.settings` of a `whatsapp` account. Numbers that the provider changes, or says nowhere, have
/// a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhatsAppSpec {
    /// The number's id, from the app's console; not the number itself.
    pub phone_number_id: String,
    /// Version of the Graph API.
    pub api_version: Option<String>,
    /// How media of ours reach the provider.
    pub media: MediaBy,
    /// Proves with every call that we know the app's secret, for apps that demand it.
    pub appsecret_proof: bool,
    /// A preview of the first link in a text.
    pub preview_url: bool,
    /// Sends per second: 80, 1000 after the provider raised it, 20 for a number that the business app uses as well.
    pub per_second: f64,
    /// To one customer, one message every so many seconds.
    pub pair_seconds: f64,
    /// As many messages to one customer may go at once before that.
    pub pair_burst: u16,
    /// Longest caption, in code points.
    pub caption_limit: u16,
    /// Longest text beside a list, in code points.
    pub list_body_limit: u16,
    /// Hours in which the business may write freely after a message of the customer's.
    pub window_hours: u16,
}

impl Default for WhatsAppSpec {
    fn default() -> Self {
        Self {
            phone_number_id: String::new(),
            api_version: None,
            media: MediaBy::Upload,
            appsecret_proof: false,
            preview_url: false,
            per_second: 80.0,
            pair_seconds: 6.0,
            pair_burst: 10,
            caption_limit: 1024,
            list_body_limit: 1024,
            window_hours: 24,
        }
    }
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

/// An account: one number.
pub(crate) type Number = Account<WhatsAppSettings>;

/// A checked WhatsApp account.
#[derive(Debug)]
pub struct WhatsAppSettings {
    /// Its settings.
    pub spec: WhatsAppSpec,
    /// Proves its webhooks, and calls the API as a system user.
    pub app: App,
}

impl Settings for WhatsAppSettings {
    type Spec = WhatsAppSpec;

    fn build(spec: WhatsAppSpec, secrets: &Secrets, _raw: &RawAccount) -> Result<Self, AccountError> {
        heliograph_graph::check_id("phone_number_id", &spec.phone_number_id, "phone number")?;
        account::above_zero([
            ("per_second", spec.per_second),
            ("pair_seconds", spec.pair_seconds),
            ("pair_burst", spec.pair_burst.into()),
            ("caption_limit", spec.caption_limit.into()),
            ("list_body_limit", spec.list_body_limit.into()),
            ("window_hours", spec.window_hours.into()),
        ])?;
        let app = App::build(spec.api_version.clone(), spec.appsecret_proof, secrets)?;
        Ok(Self { spec, app })
    }
}
