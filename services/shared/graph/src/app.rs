//! What every account behind the Graph API has: an app, whose secrets prove webhooks, and a token to call with.

use heliograph_channel::{AccountError, Body, ProviderRequest, Received, Refusal, Secrets, WebhookRequest};
use http::Method;
use secrecy::SecretString;
use serde_json::Value;

/// Where the API is, unless an account has a base of its own.
pub const API: &str = "https://graph.facebook.com";

/// The Graph version that requests go to unless an account says otherwise.
const VERSION: &str = "v26.0";

/// An account's app, ready for use.
#[derive(Debug)]
pub struct App {
    /// The Graph version, e.g. `v26.0`.
    pub api_version: String,
    /// Secrets that sign webhooks; any of them is accepted.
    pub app_secrets: Vec<SecretString>,
    /// The secret that proves the token, where the API wants proofs.
    pub proof: Option<SecretString>,
    /// What the handshake asks for; any of them is accepted.
    pub verify_tokens: Vec<SecretString>,
    /// What calls are made with.
    pub access_token: SecretString,
}

impl App {
    /// Checks the version and takes the secrets `app_secret`, `verify_token` and `access_token`. Calls are proven where
    /// `proven` says so.
    ///
    /// # Errors
    /// When the version is none or a secret is missing, naming it.
    pub fn build(api_version: Option<String>, proven: bool, secrets: &Secrets) -> Result<Self, AccountError> {
        let api_version = api_version.unwrap_or_else(|| VERSION.to_owned());
        let is_version = api_version
            .strip_prefix('v')
            .and_then(|version| version.split_once('.'))
            .is_some_and(|(major, minor)| is_digits(major) && is_digits(minor));
        if !is_version {
            let problem = format!("`{api_version}` is not a version of the Graph API, such as `{VERSION}`");
            return Err(AccountError::new("spec.settings.api_version", problem));
        }
        let app_secret = secrets.require("app_secret")?;
        secrets.require("verify_token")?;
        Ok(Self {
            api_version,
            app_secrets: secrets.all("app_secret").to_vec(),
            proof: proven.then(|| app_secret.clone()),
            verify_tokens: secrets.all("verify_token").to_vec(),
            access_token: secrets.require("access_token")?.clone(),
        })
    }

    /// A request to the provider's own webhook: the handshake by GET, and by POST a signed body, which `read` reads.
    ///
    /// # Errors
    /// [`Refusal`] where it is not from the provider or not JSON, and what `read` refuses.
    pub fn receive(
        &self,
        request: &WebhookRequest,
        read: impl FnOnce(Value) -> Result<Received, Refusal>,
    ) -> Result<Received, Refusal> {
        match request.method {
            Method::GET => crate::handshake(request, &self.verify_tokens),
            Method::POST => {
                crate::verify(request, &self.app_secrets)?;
                let body = serde_json::from_slice(&request.body);
                read(body.map_err(|error| Refusal::Malformed(format!("the body is not JSON: {error}")))?)
            }
            _ => Err(Refusal::Method("GET or POST")),
        }
    }

    /// A call of `path` below the API at `base`, with the account's token or the fresher one that is given.
    pub fn call(
        &self,
        base: &str,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: Body,
    ) -> ProviderRequest {
        let url = format!("{base}/{}/{path}", self.api_version);
        crate::call(method, url, token.unwrap_or(&self.access_token), self.proof.as_ref(), body)
    }
}

/// Checks that a setting is an id as the provider's console shows it: digits alone.
///
/// # Errors
/// When it is not, naming the setting and `whose` id it should be.
pub fn check_id(field: &str, id: &str, whose: &str) -> Result<(), AccountError> {
    if is_digits(id) {
        return Ok(());
    }
    let problem = format!("is not the id of a {whose}: digits, as the app's dashboard shows them");
    Err(AccountError::new(format!("spec.settings.{field}"), problem))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
