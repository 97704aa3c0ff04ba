//! An Instagram account's settings.

use heliograph_channel::{AccountError, RawAccount, Secrets, Settings};
use heliograph_graph::messaging::{INSTAGRAM, Profile, Spec, WindowSpec};
use serde::Deserialize;

const FACEBOOK_API: &str = "https://graph.facebook.com";
const INSTAGRAM_API: &str = "https://graph.instagram.com";

/// What stands under `spec.settings` of an `instagram` account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstagramSpec {
    /// The professional account's id, as webhooks name it.
    pub account_id: String,
    /// How the app was given the account.
    #[serde(default)]
    pub login: Login,
    /// Have the access token renewed before it is over. Only with `login: instagram`.
    #[serde(default)]
    pub refresh_token: bool,
    /// The Graph version requests go to; `v26.0` unless said otherwise.
    pub api_version: Option<String>,
    /// The app may use the tag `HUMAN_AGENT`: agents, not bots, may answer for seven days instead of one.
    #[serde(default)]
    pub human_agent: bool,
    /// Whether answers quote the message they answer; they do unless it says `false`.
    pub quotes: Option<bool>,
    /// The payload of an ice breaker that starts a conversation and says nothing.
    pub get_started: Option<String>,
    /// How long the business may write after what: `message` (a day) and `ad` (seven days).
    pub windows: Option<Vec<WindowSpec>>,
    /// Error subcodes that say that the window is closed; 2018278 and 2018065 unless said otherwise.
    pub window_subcodes: Option<Vec<i64>>,
}

/// How an app is given an account: which host it calls, with whose token, and which secret signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Login {
    /// Through the Facebook Page it is linked to: the Page's token, the app's secret.
    #[default]
    Facebook,
    /// By Instagram Login: a user token of Instagram's, and the Instagram app secret.
    Instagram,
}

/// A checked Instagram account.
#[derive(Debug)]
pub struct InstagramSettings {
    /// The account.
    pub profile: Profile,
    /// See [`InstagramSpec::refresh_token`].
    pub refresh_token: bool,
}

impl Settings for InstagramSettings {
    type Spec = InstagramSpec;

    fn build(spec: InstagramSpec, secrets: &Secrets, _raw: &RawAccount) -> Result<Self, AccountError> {
        let refresh_token = spec.refresh_token;
        if refresh_token && spec.login == Login::Facebook {
            let problem = "is for `login: instagram`; the token of a Page does not need it";
            return Err(AccountError::new("spec.settings.refresh_token", problem));
        }
        let host = match spec.login {
            Login::Facebook => FACEBOOK_API,
            Login::Instagram => INSTAGRAM_API,
        };
        let login = spec.login;
        let common = Spec {
            id: spec.account_id,
            api_version: spec.api_version,
            human_agent: spec.human_agent,
            quotes: spec.quotes,
            get_started: spec.get_started,
            windows: spec.windows,
            window_subcodes: spec.window_subcodes,
            ..Spec::default()
        };
        let mut profile = Profile::build(INSTAGRAM, host, "account_id", common, secrets)?;
        if login == Login::Instagram {
            // The app has two secrets then, and documents do not agree which one signs: both are accepted.
            profile.app.app_secrets.extend_from_slice(secrets.all("instagram_app_secret"));
            // Proofs are a matter of the other host.
            profile.app.proof = None;
        }
        Ok(Self { profile, refresh_token })
    }
}
