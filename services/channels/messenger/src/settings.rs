//! A Messenger account's settings.

use heliograph_channel::{AccountError, RawAccount, Secrets, Settings};
use heliograph_graph::messaging::{MESSENGER, Profile, Spec, WindowSpec};
use serde::Deserialize;

const API: &str = "https://graph.facebook.com";

/// What stands under `spec.settings` of a `messenger` account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessengerSpec {
    /// The Page's id.
    pub page_id: String,
    /// The Graph version requests go to; `v26.0` unless said otherwise.
    pub api_version: Option<String>,
    /// The app may use the tag `HUMAN_AGENT`: agents, not bots, may answer for seven days instead of one.
    #[serde(default)]
    pub human_agent: bool,
    /// Whether answers quote the message they answer; they do unless it says `false`.
    pub quotes: Option<bool>,
    /// The payload of the Page's "Get started" button, which then starts a conversation and says nothing.
    pub get_started: Option<String>,
    /// How long the business may write after what: `message` (a day) and `ad` (seven days).
    pub windows: Option<Vec<WindowSpec>>,
    /// Error subcodes that say that the window is closed; 2018278 and 2018065 unless said otherwise.
    pub window_subcodes: Option<Vec<i64>>,
    /// For how many days an attachment is used again once Messenger has fetched it; 30 unless said otherwise, and 0 sends
    /// every file by its URL.
    pub attachment_days: Option<u32>,
    /// The Page has approved utility templates and the permission to send them.
    #[serde(default)]
    pub utility_templates: bool,
}

/// A checked Messenger account.
#[derive(Debug)]
pub struct MessengerSettings {
    /// The Page.
    pub profile: Profile,
}

impl Settings for MessengerSettings {
    type Spec = MessengerSpec;

    fn build(spec: MessengerSpec, secrets: &Secrets, _raw: &RawAccount) -> Result<Self, AccountError> {
        let spec = Spec {
            id: spec.page_id,
            api_version: spec.api_version,
            human_agent: spec.human_agent,
            quotes: spec.quotes,
            get_started: spec.get_started,
            windows: spec.windows,
            window_subcodes: spec.window_subcodes,
            attachment_days: spec.attachment_days,
            utility_templates: spec.utility_templates,
        };
        Ok(Self { profile: Profile::build(MESSENGER, API, "page_id", spec, secrets)? })
    }
}
