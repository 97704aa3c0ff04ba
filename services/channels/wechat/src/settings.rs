//! A WeChat account's settings.

use std::time::Duration;

use heliograph_channel::{
    AccountError, Settings,
    account::{RawAccount, Secrets},
};
use heliograph_proto::v1::WindowRule;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::crypto::Cipher;

/// The provider waits five seconds; one is for the way there and back.
const LONGEST_HOLD: u64 = 4;

/// What stands under `spec.settings` of a `wechat` account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatSpec {
    /// `wx…`, from the account's console.
    pub app_id: String,
    /// How the account's console is set: plain, compatible or encrypted.
    #[serde(default)]
    pub mode: Mode,
    /// Service accounts may send menus of choices.
    #[serde(default)]
    pub service_account: bool,
    /// Customer-service account messages are sent as, `name@account`.
    pub kf_account: Option<String>,
    /// Seconds, at most 4: requests are held so long for a reply, which then goes out as the answer and counts against no
    /// window. Absent: they are answered at once.
    pub passive_reply: Option<u64>,
    /// How often the business may write after what; the provider changes these numbers.
    #[serde(default = "default_windows")]
    pub windows: Vec<WindowSpec>,
}

/// One way a window opens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// `message`, `menu`, `subscribe` or `scan`.
    pub kind: String,
    /// How long it stays open.
    pub seconds: i64,
    /// How many messages it allows; 0: no limit.
    #[serde(default)]
    pub messages: i32,
}

/// How requests are protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is encrypted; the signature does not cover the body.
    Plain,
    /// Plain fields and an encrypted copy; the copy is what counts.
    Compatible,
    /// Encrypted only.
    #[default]
    Encrypted,
}

/// The provider's table of 2026: five messages in 48 hours after a message, three in a minute after a tap.
fn default_windows() -> Vec<WindowSpec> {
    [("message", 48 * 3600, 5), ("menu", 60, 3), ("subscribe", 60, 3), ("scan", 60, 3)]
        .map(|(kind, seconds, messages)| WindowSpec { kind: kind.to_owned(), seconds, messages })
        .to_vec()
}

/// A checked WeChat account.
#[derive(Debug)]
pub struct WechatSettings {
    /// See [`WechatSpec::app_id`].
    pub app_id: String,
    /// For access tokens.
    pub app_secret: SecretString,
    /// Signing tokens; several while one is being replaced.
    pub tokens: Vec<SecretString>,
    /// See [`WechatSpec::mode`].
    pub mode: Mode,
    /// One for each `encoding_aes_key`; the provider goes on using the previous one for a while.
    pub ciphers: Vec<Cipher>,
    /// See [`WechatSpec::service_account`].
    pub service_account: bool,
    /// See [`WechatSpec::kf_account`].
    pub kf_account: Option<String>,
    /// See [`WechatSpec::passive_reply`].
    pub passive_reply: Option<Duration>,
    /// As capabilities show them.
    pub windows: Vec<WindowRule>,
}

impl Settings for WechatSettings {
    type Spec = WechatSpec;

    fn build(spec: WechatSpec, secrets: &Secrets, _raw: &RawAccount) -> Result<Self, AccountError> {
        secrets.require("token")?;
        let mut ciphers = Vec::new();
        if spec.mode != Mode::Plain {
            secrets.require("encoding_aes_key")?;
            for key in secrets.all("encoding_aes_key") {
                let cipher = Cipher::new(key.expose_secret(), &spec.app_id)
                    .map_err(|error| AccountError::new("spec.secrets.encoding_aes_key", error.to_string()))?;
                ciphers.push(cipher);
            }
        }
        if let Some(seconds) = spec.passive_reply.filter(|seconds| !(1..=LONGEST_HOLD).contains(seconds)) {
            let problem = format!(
                "is {seconds}; the provider hangs up after 5 seconds, so hold requests for 1 to {LONGEST_HOLD}"
            );
            return Err(AccountError::new("spec.settings.passive_reply", problem));
        }
        let windows = spec
            .windows
            .into_iter()
            .map(|window| WindowRule {
                kind: window.kind,
                seconds: window.seconds,
                messages: window.messages,
            })
            .collect();
        Ok(Self {
            app_id: spec.app_id,
            app_secret: secrets.require("app_secret")?.clone(),
            tokens: secrets.all("token").to_vec(),
            mode: spec.mode,
            ciphers,
            service_account: spec.service_account,
            kf_account: spec.kf_account,
            passive_reply: spec.passive_reply.map(Duration::from_secs),
            windows,
        })
    }
}
