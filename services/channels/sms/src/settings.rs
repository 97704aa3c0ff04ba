//! An SMS account's settings: which provider, and what it needs.

use heliograph_channel::{
    AccountError, Settings,
    account::{RawAccount, Secrets},
};
use secrecy::SecretString;
use serde::Deserialize;

/// What stands under `spec.settings` of an `sms` account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsSpec {
    /// The number, short code or alphanumeric sender messages leave from.
    pub sender: Option<String>,
    /// Twilio: send through this messaging service instead of `sender`.
    pub messaging_service_sid: Option<String>,
    /// Twilio: the account, `AC…`.
    pub account_sid: Option<String>,
    /// Twilio: the API key, `SK…`, when the secret `api_key_secret` is used to send.
    pub api_key_sid: Option<String>,
    /// Sinch: the service plan.
    pub service_plan_id: Option<String>,
    /// Sinch: `us`, `eu`, `au`, `br` or `ca`.
    #[serde(default = "default_region")]
    pub sinch_region: String,
    /// Parts a message may take at most; longer ones are refused before they cost anything.
    #[serde(default = "default_max_parts")]
    pub max_parts: usize,
    /// The sender can send pictures (MMS).
    #[serde(default)]
    pub mms: bool,
}

fn default_region() -> String {
    "us".to_owned()
}

fn default_max_parts() -> usize {
    10
}

/// A checked SMS account.
#[derive(Debug)]
pub struct SmsSettings {
    /// Who carries it.
    pub provider: SmsProvider,
    /// See [`SmsSpec::sender`].
    pub sender: Option<String>,
    /// See [`SmsSpec::max_parts`].
    pub max_parts: usize,
    /// See [`SmsSpec::mms`].
    pub mms: bool,
}

/// The provider behind an account.
#[derive(Debug)]
pub enum SmsProvider {
    /// Sinch SMS REST ("xms").
    Sinch(Sinch),
    /// Twilio Messaging.
    Twilio(Twilio),
}

/// Credentials of a Sinch account.
#[derive(Debug)]
pub struct Sinch {
    /// Service plan.
    pub service_plan_id: String,
    /// `us`, `eu`, …
    pub region: String,
    /// Bearer token of the plan.
    pub api_token: SecretString,
    /// Secrets callbacks are signed with; several during rotation.
    pub webhook_secrets: Vec<SecretString>,
    /// `user:password` pairs accepted as basic authorization on callbacks, for plans without signatures.
    pub callback_credentials: Vec<SecretString>,
}

/// Credentials of a Twilio account.
#[derive(Debug)]
pub struct Twilio {
    /// `AC…`.
    pub account_sid: String,
    /// User and password to send with: the account and its token, or an API key and its secret.
    pub user: String,
    /// See [`Twilio::user`].
    pub password: SecretString,
    /// Tokens callbacks are signed with (HMAC-SHA1); several during rotation.
    pub auth_tokens: Vec<SecretString>,
    /// Shared keys (HMAC-SHA256). When there is one, SHA-1 signatures are not accepted any more.
    pub shared_keys: Vec<SecretString>,
    /// Send through this service.
    pub messaging_service_sid: Option<String>,
}

impl Settings for SmsSettings {
    type Spec = SmsSpec;

    fn build(spec: SmsSpec, secrets: &Secrets, raw: &RawAccount) -> Result<Self, AccountError> {
        let provider = match raw.provider.as_deref() {
            Some("sinch") => SmsProvider::Sinch(sinch(&spec, secrets)?),
            Some("twilio") => SmsProvider::Twilio(twilio(&spec, secrets, raw)?),
            Some(other) => {
                let problem = format!("`{other}` does not carry SMS here; use `sinch` or `twilio`");
                return Err(AccountError::new("spec.provider", problem));
            }
            None => {
                let problem = "is missing; use `sinch` or `twilio`";
                return Err(AccountError::new("spec.provider", problem));
            }
        };
        Ok(Self { provider, sender: spec.sender, max_parts: spec.max_parts, mms: spec.mms })
    }
}

fn sinch(spec: &SmsSpec, secrets: &Secrets) -> Result<Sinch, AccountError> {
    let webhook_secrets = secrets.all("webhook_secret").to_vec();
    let callback_credentials = secrets.all("callback_basic").to_vec();
    if webhook_secrets.is_empty() && callback_credentials.is_empty() {
        return Err(AccountError::new(
            "spec.secrets",
            "need `webhook_secret` (signed callbacks) or `callback_basic` (`user:password` in the callback URL), \
             or anybody could post messages in this account's name",
        ));
    }
    required(spec.sender.as_ref(), "sender", "the number messages leave from")?;
    if !["us", "eu", "au", "br", "ca"].contains(&spec.sinch_region.as_str()) {
        let problem = format!("`{}` is none of us, eu, au, br, ca", spec.sinch_region);
        return Err(AccountError::new("spec.settings.sinch_region", problem));
    }
    Ok(Sinch {
        service_plan_id: required(
            spec.service_plan_id.as_ref(),
            "service_plan_id",
            "the Sinch service plan",
        )?,
        region: spec.sinch_region.clone(),
        api_token: secrets.require("api_token")?.clone(),
        webhook_secrets,
        callback_credentials,
    })
}

fn twilio(spec: &SmsSpec, secrets: &Secrets, raw: &RawAccount) -> Result<Twilio, AccountError> {
    if raw.public_base_url.is_none() {
        return Err(AccountError::new(
            "spec.public_base_url",
            "is missing; Twilio signs the URL it calls, so it must be known as Twilio sees it",
        ));
    }
    if spec.messaging_service_sid.is_none() {
        required(spec.sender.as_ref(), "sender", "the number messages leave from")?;
    }
    let account_sid = required(spec.account_sid.as_ref(), "account_sid", "the account, AC…")?;
    let (user, password) = match &spec.api_key_sid {
        Some(key) => (key.clone(), secrets.require("api_key_secret")?.clone()),
        None => (account_sid.clone(), secrets.require("auth_token")?.clone()),
    };
    let shared_keys = secrets.all("shared_key").to_vec();
    if shared_keys.is_empty() {
        secrets.require("auth_token")?;
    }
    Ok(Twilio {
        account_sid,
        user,
        password,
        auth_tokens: secrets.all("auth_token").to_vec(),
        shared_keys,
        messaging_service_sid: spec.messaging_service_sid.clone(),
    })
}

fn required(value: Option<&String>, field: &str, what: &str) -> Result<String, AccountError> {
    value
        .filter(|value| !value.trim().is_empty())
        .cloned()
        .ok_or_else(|| AccountError::new(format!("spec.settings.{field}"), format!("is missing: {what}")))
}
