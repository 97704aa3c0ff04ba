//! A tenant's configured presence on a channel, ready for use.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;
use url::Url;

/// What a channel makes of an account's `settings` and `secrets`.
pub trait Settings: Sized + Send + Sync + 'static {
    /// The `settings` object of the resource; unknown fields should be refused.
    type Spec: DeserializeOwned;

    /// Checks the settings and takes the secrets the channel needs.
    ///
    /// # Errors
    /// When a field is missing or wrong, naming it, what is wrong and how to put it right. Never holds a secret.
    fn build(spec: Self::Spec, secrets: &Secrets, raw: &RawAccount) -> Result<Self, AccountError>;
}

/// One account with its channel's settings. Everything in it is fixed until the resource changes.
#[derive(Debug)]
pub struct Account<S> {
    /// Owner; nothing crosses tenants.
    pub tenant: String,
    /// Name of the `ChannelAccount` resource and its path on the ingress.
    pub name: String,
    /// The channel.
    pub channel: String,
    /// Where the provider's API is: a sandbox can stand in. Absent: the provider's own.
    pub base_url: Option<Url>,
    /// The ingress as the provider sees it, for signatures over URLs and for callbacks, without the path.
    pub public_base_url: Option<Url>,
    /// The channel's part.
    pub settings: S,
}

impl<S> Account<S> {
    /// The URL the provider calls for this account: `<public base>/<channel>/<account>`.
    pub fn webhook_url(&self) -> Option<String> {
        let base = self.public_base_url.as_ref()?.as_str().trim_end_matches('/').to_owned();
        Some(format!("{base}/{}/{}", self.channel, self.name))
    }

    /// The provider's API base without a trailing slash: the account's own, or `default`.
    pub fn api_base(&self, default: &str) -> String {
        self.base_url.as_ref().map_or(default, Url::as_str).trim_end_matches('/').to_owned()
    }
}

/// An account as the resource gives it, with its secrets resolved.
#[derive(Clone, Debug)]
pub struct RawAccount {
    /// Owner.
    pub tenant: String,
    /// Resource name.
    pub name: String,
    /// Channel.
    pub channel: String,
    /// The provider, on channels that have several: `sinch`.
    pub provider: Option<String>,
    /// See [`Account::base_url`].
    pub base_url: Option<Url>,
    /// See [`Account::public_base_url`].
    pub public_base_url: Option<Url>,
    /// The channel's own settings, unparsed.
    pub settings: serde_json::Value,
    /// The secrets, by name.
    pub secrets: Secrets,
}

impl RawAccount {
    /// Parses the settings for channel settings `S`.
    ///
    /// # Errors
    /// Names the field (`spec.settings.origins[0]`) and what is wrong with it.
    pub fn load<S: Settings>(&self) -> Result<Account<S>, AccountError> {
        let spec = serde_path_to_error::deserialize(&self.settings).map_err(|error| {
            let path = error.path().to_string();
            let field =
                if path == "." { "spec.settings".to_owned() } else { format!("spec.settings.{path}") };
            AccountError::new(field, error.into_inner().to_string())
        })?;
        Ok(Account {
            tenant: self.tenant.clone(),
            name: self.name.clone(),
            channel: self.channel.clone(),
            base_url: self.base_url.clone(),
            public_base_url: self.public_base_url.clone(),
            settings: S::build(spec, &self.secrets, self)?,
        })
    }
}

/// An account's secrets by name. A name may hold several values while a secret is being rotated: the first is used
/// to sign, all of them are accepted. Printing shows the names alone.
#[derive(Clone, Debug, Default)]
pub struct Secrets(BTreeMap<String, Vec<SecretString>>);

impl Secrets {
    /// Adds a value behind those already there.
    pub fn add(&mut self, name: impl Into<String>, value: SecretString) {
        self.0.entry(name.into()).or_default().push(value);
    }

    /// Every value of `name`, newest first; empty when there is none.
    pub fn all(&self, name: &str) -> &[SecretString] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Every name with every value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.0.iter().flat_map(|(name, values)| values.iter().map(move |value| (name.as_str(), value)))
    }

    /// The value of `name` to sign with.
    ///
    /// # Errors
    /// When there is none: names the field and says how to add it.
    pub fn require(&self, name: &str) -> Result<&SecretString, AccountError> {
        self.all(name).first().ok_or_else(|| {
            AccountError::new(
                format!("spec.secrets.{name}"),
                format!("is missing; add it as a reference, e.g. `{name}: {{ env: NAME_OF_THE_VARIABLE }}`"),
            )
        })
    }
}

/// Whether `given` is one of `secrets`, in a time that does not say how much of it is right.
pub fn is_one_of(given: &str, secrets: &[SecretString]) -> bool {
    secrets.iter().any(|secret| bool::from(secret.expose_secret().as_bytes().ct_eq(given.as_bytes())))
}

/// Checks that settings are numbers above 0.
///
/// # Errors
/// Names the first that is none.
pub fn above_zero<'a>(numbers: impl IntoIterator<Item = (&'a str, f64)>) -> Result<(), AccountError> {
    match numbers.into_iter().find(|(_, number)| !(number.is_finite() && *number > 0.0)) {
        Some((field, _)) => Err(AccountError::new(format!("spec.settings.{field}"), "is not above 0")),
        None => Ok(()),
    }
}

/// An account that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct AccountError {
    /// Path in the resource.
    pub field: String,
    /// What is wrong and how to put it right, without secrets.
    pub problem: String,
}

impl AccountError {
    /// An error about `field`.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}
