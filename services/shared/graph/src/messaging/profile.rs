//! An account of either product, ready for use.

use std::time::Duration;

use heliograph_channel::{AccountError, Secrets, able::window};
use heliograph_proto::v1::WindowRule;
use serde::Deserialize;

use super::Product;
use crate::App;

/// "Sent outside of allowed window", in its newer and its older form.
const WINDOW_SUBCODES: [i64; 2] = [2_018_278, 2_018_065];
/// How long an uploaded medium is used again.
const ATTACHMENT_DAYS: u32 = 30;

const DAY: i64 = 24 * 3600;
/// What a customer's message opens.
const MESSAGE_WINDOW: i64 = DAY;
/// What a message opens that an advertisement led to.
const AD_WINDOW: i64 = 7 * DAY;
/// How long a person, not a program, may answer.
const AGENT_WINDOW: i64 = 7 * DAY;

/// What accounts of both products may set.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// The account's id with the provider, as its webhooks name it.
    pub id: String,
    /// The Graph version, e.g. `v26.0`.
    pub api_version: Option<String>,
    /// The app may answer as a person for seven days.
    pub human_agent: bool,
    /// Whether answers quote what they answer; absent: yes.
    pub quotes: Option<bool>,
    /// The payload of the button that starts a conversation.
    pub get_started: Option<String>,
    /// How long the business may write after what.
    pub windows: Option<Vec<WindowSpec>>,
    /// Subcodes that say that the window is closed.
    pub window_subcodes: Option<Vec<i64>>,
    /// Days an uploaded medium is used again; 0: media go by their URL.
    pub attachment_days: Option<u32>,
    /// The account has approved templates.
    pub utility_templates: bool,
}

/// One way a window opens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// `message` or `ad`.
    pub kind: String,
    /// How long it stays open.
    pub seconds: i64,
}

/// A checked account.
#[derive(Debug)]
pub struct Profile {
    /// The product it is of.
    pub product: Product,
    /// See [`Spec::id`].
    pub id: String,
    /// Where its API is, unless the account has a base of its own.
    pub host: &'static str,
    /// Proves its webhooks, and calls the API.
    pub app: App,
    /// See [`Spec::human_agent`].
    pub human_agent: bool,
    /// See [`Spec::quotes`].
    pub quotes: bool,
    /// See [`Spec::get_started`].
    pub get_started: Option<String>,
    /// As capabilities show them.
    pub windows: Vec<WindowRule>,
    /// See [`Spec::window_subcodes`].
    pub window_subcodes: Vec<i64>,
    /// See [`Spec::attachment_days`].
    pub attachments_last: Duration,
    /// See [`Spec::utility_templates`].
    pub utility_templates: bool,
}

impl Profile {
    /// Checks the settings and takes the secrets `app_secret`, `verify_token` and `access_token`.
    ///
    /// # Errors
    /// When a setting is wrong or a secret missing, naming it. `id_field` is what the account's id is called.
    pub fn build(
        product: Product,
        host: &'static str,
        id_field: &str,
        spec: Spec,
        secrets: &Secrets,
    ) -> Result<Self, AccountError> {
        crate::check_id(id_field, &spec.id, product.account)?;
        let app = App::build(spec.api_version, true, secrets)?;
        let windows = spec.windows.unwrap_or_else(|| default_windows(spec.human_agent));
        if let Some(at) = windows.iter().position(|window| window.seconds <= 0 || window.kind.is_empty()) {
            let problem = "needs a `kind` (`message` or `ad`) and `seconds` above 0";
            return Err(AccountError::new(format!("spec.settings.windows[{at}]"), problem));
        }
        Ok(Self {
            product,
            id: spec.id,
            host,
            app,
            human_agent: spec.human_agent,
            quotes: spec.quotes.unwrap_or(true),
            get_started: spec.get_started.filter(|payload| !payload.is_empty()),
            windows: windows.iter().map(|it| window(&it.kind, it.seconds)).collect(),
            window_subcodes: spec.window_subcodes.unwrap_or_else(|| WINDOW_SUBCODES.to_vec()),
            attachments_last: Duration::from_hours(
                24 * u64::from(spec.attachment_days.unwrap_or(ATTACHMENT_DAYS)),
            ),
            utility_templates: spec.utility_templates,
        })
    }
}

/// The provider's rules of September 2026. Who may answer as a person may do so for longer; what programs send then is
/// refused by the provider.
fn default_windows(human_agent: bool) -> Vec<WindowSpec> {
    let message = if human_agent { AGENT_WINDOW } else { MESSAGE_WINDOW };
    [("message", message), ("ad", AD_WINDOW)]
        .map(|(kind, seconds)| WindowSpec { kind: kind.to_owned(), seconds })
        .to_vec()
}
