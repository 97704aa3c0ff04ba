//! A web chat account's settings: who may embed it, how identities are proven, and how much a visitor may do.

use heliograph_channel::{
    AccountError, Settings,
    account::{RawAccount, Secrets},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::origin::Origins;

/// Shorter identity secrets can be guessed.
const IDENTITY_SECRET_BYTES: usize = 16;

/// What stands under `spec.settings` of a `webchat` account.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebChatSpec {
    /// Pages that may embed the widget: `https://shop.example`, `https://*.shop.example` or `null`. The account's own
    /// `public_base_url` always may.
    pub origins: Vec<String>,
    /// Take connections without an `Origin` header: clients that are no browsers. An origin guards browsers alone.
    pub allow_missing_origin: bool,
    /// Take only visitors whose identity is proven.
    pub identity_required: bool,
    /// The `aud` that an identity token has to name when it names one at all.
    pub identity_audience: Option<String>,
    /// Messages of one visitor in ten seconds.
    pub msg_per_10s: u32,
    /// New sessions of one IP address (IPv6: one /64) in a minute.
    pub sessions_per_minute: u32,
    /// Connections of one visitor to one replica; the oldest gives way.
    pub sockets_per_visitor: usize,
    /// Largest file a visitor may send, in bytes.
    pub upload_bytes: u64,
    /// How many bytes of files a visitor may send in a minute.
    pub upload_bytes_per_minute: u64,
    /// Longest text, in characters.
    pub text_chars: usize,
}

impl Default for WebChatSpec {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            allow_missing_origin: false,
            identity_required: false,
            identity_audience: None,
            msg_per_10s: 10,
            sessions_per_minute: 20,
            sockets_per_visitor: 3,
            upload_bytes: 20 * 1024 * 1024,
            upload_bytes_per_minute: 60 * 1024 * 1024,
            text_chars: 10_000,
        }
    }
}

/// A checked web chat account.
#[derive(Debug)]
pub struct WebChatSettings {
    /// Who may embed it.
    pub origins: Origins,
    /// Secrets that identities are proven with, newest first; none: identities are refused.
    pub identity: Vec<SecretString>,
    /// The rest as it was written.
    pub limits: WebChatSpec,
}

impl Settings for WebChatSettings {
    type Spec = WebChatSpec;

    fn build(spec: WebChatSpec, secrets: &Secrets, raw: &RawAccount) -> Result<Self, AccountError> {
        let origins = Origins::parse(&spec.origins, raw.public_base_url.as_ref(), spec.allow_missing_origin)
            .map_err(|(at, problem)| AccountError::new(format!("spec.settings.origins[{at}]"), problem))?;
        let identity = secrets.all("identity").to_vec();
        if identity.iter().any(|secret| secret.expose_secret().len() < IDENTITY_SECRET_BYTES) {
            let problem = format!("is shorter than {IDENTITY_SECRET_BYTES} bytes; use a long random one");
            return Err(AccountError::new("spec.secrets.identity", problem));
        }
        if spec.identity_required && identity.is_empty() {
            secrets.require("identity")?;
        }
        let positive = [
            ("msg_per_10s", spec.msg_per_10s > 0),
            ("sessions_per_minute", spec.sessions_per_minute > 0),
            ("sockets_per_visitor", spec.sockets_per_visitor > 0),
            ("text_chars", (1..=16_000).contains(&spec.text_chars)),
            ("upload_bytes", spec.upload_bytes <= 64 * 1024 * 1024),
        ];
        if let Some((field, _)) = positive.iter().find(|(_, good)| !good) {
            let problem =
                "is out of range: at least 1; text_chars at most 16000, upload_bytes at most 67108864";
            return Err(AccountError::new(format!("spec.settings.{field}"), problem));
        }
        Ok(Self { origins, identity, limits: spec })
    }
}
