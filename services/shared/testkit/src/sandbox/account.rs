//! An account as its provider knows it.

use heliograph_channel::RawAccount;
use secrecy::ExposeSecret as _;

use super::providers::{CLOUDS, Cloud};

/// The provider's side of one of our accounts.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) provider: &'static str,
    pub(super) cloud: &'static Cloud,
    /// Where the provider calls us.
    pub(super) webhook_url: String,
    raw: RawAccount,
}

impl Account {
    /// `None` for channels without a provider (web chat).
    pub(super) fn new(raw: &RawAccount, webhook_url: &str) -> Option<Self> {
        let is_its = |cloud: &&Cloud| {
            cloud.channel == raw.channel
                && (cloud.provider.is_none() || cloud.provider == raw.provider.as_deref())
        };
        let cloud = CLOUDS.iter().find(is_its)?;
        Some(Self {
            name: raw.name.clone(),
            provider: cloud.name,
            cloud,
            webhook_url: webhook_url.to_owned(),
            raw: raw.clone(),
        })
    }

    /// A text among the account's settings; empty when it is not there.
    pub(super) fn setting(&self, name: &str) -> &str {
        self.raw.settings[name].as_str().unwrap_or_default()
    }

    /// The newest value of a secret; empty when there is none.
    pub(super) fn secret(&self, name: &str) -> &str {
        self.raw.secrets.all(name).first().map_or("", |secret| secret.expose_secret())
    }
}
