//! Signing in with the development passwords of `Agent` resources.

use std::{sync::Arc, time::Duration};

use heliograph_domain::{
    ids,
    resources::{AgentSpec, Kind, SecretRef, Spec},
};
use heliograph_proto::v1::{SignInRequest, SignInResponse};
use heliograph_store::{
    now_ms,
    rate::{Permit, Rate, RateLimiter},
    resources::ResourceView,
};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use crate::auth::{AuthError, Identity, Tokens, profile};

/// Longest login or password looked at, in bytes.
const LONGEST: usize = 256;

/// Why somebody cannot sign in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// Development users are off.
    #[error(
        "signing in with a password is for development and is off here (desk.dev_users); sign-in through OpenID Connect comes later"
    )]
    Off,
    /// Any of the three; which one is nobody's business.
    #[error("tenant, login or password is not right")]
    Wrong,
    /// Too many tries.
    #[error("too many tries; try again in {} s", .0.as_secs().max(1))]
    TooMany(Duration),
}

impl SignInError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Off => "dev_users_off",
            Self::Wrong => "wrong_credentials",
            Self::TooMany(_) => "too_many_tries",
        }
    }
}

/// Who may sign in, and what they get for it.
#[derive(Debug, Clone)]
pub(crate) struct Users {
    pub(crate) resources: ResourceView,
    pub(crate) limiter: RateLimiter,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) by_password: bool,
    pub(crate) per_minute: u32,
}

impl Users {
    /// Exchanges a password for a session token. `from` is the client's address, for the rate limit.
    pub(crate) async fn sign_in(
        &self,
        request: &SignInRequest,
        from: &str,
    ) -> Result<SignInResponse, SignInError> {
        if !self.by_password {
            return Err(SignInError::Off);
        }
        let SignInRequest { tenant, login, password } = request;
        if !ids::is_name(tenant) || login.is_empty() || login.len() > LONGEST || password.len() > LONGEST {
            return Err(SignInError::Wrong);
        }
        let burst = f64::from(self.per_minute);
        let bucket = ids::derive("sign-in", &[login, from]);
        let rate = Rate::new(burst / 60.0, burst);
        if let Permit::RetryAfter(wait) = self.limiter.take(tenant, &["desk", &bucket], rate, 1.0).await {
            return Err(SignInError::TooMany(wait));
        }
        let found = self.find(tenant, login);
        let expected = match found.as_ref().and_then(|(_, spec)| spec.password.as_ref()) {
            Some(reference) => resolve(reference).await,
            None => None,
        };
        // Compared even where there is nothing to compare with, so that the time tells nothing.
        let right = same(expected.as_ref(), password);
        let Some((name, spec)) = found.filter(|_| right) else { return Err(SignInError::Wrong) };
        let now = u64::try_from(now_ms() / 1_000).unwrap_or_default();
        let token = self.tokens.session(tenant, &name, &spec.roles, now);
        Ok(SignInResponse { token, agent: Some(profile(tenant, &name, &spec)) })
    }

    /// Who holds this session token.
    pub(crate) fn identify(&self, token: &str) -> Result<Identity, AuthError> {
        self.tokens.identify(token, &self.resources.snapshot())
    }

    fn find(&self, tenant: &str, login: &str) -> Option<(String, AgentSpec)> {
        let resources = self.resources.snapshot();
        let agents = resources.of_tenant(tenant, Some(Kind::Agent));
        let mut matching = agents.filter_map(|stored| match &stored.resource.spec {
            Spec::Agent(spec) => {
                let name = &stored.resource.metadata.name;
                (spec.login.as_ref().unwrap_or(name) == login).then(|| (name.clone(), spec.clone()))
            }
            _ => None,
        });
        matching.next()
    }
}

async fn resolve(reference: &SecretRef) -> Option<SecretString> {
    let text = match reference {
        SecretRef::Env(name) => std::env::var(name).ok(),
        SecretRef::File(path) => tokio::fs::read_to_string(path).await.ok(),
        SecretRef::Value(_) => None,
    };
    let resolved = reference.resolve(|_| text);
    resolved
        .inspect_err(|error| tracing::warn!(%error, "the password of a development user cannot be read"))
        .ok()
}

/// Whether the password is the expected one; hashed first, so that neither length nor content shows in the time.
fn same(expected: Option<&SecretString>, given: &str) -> bool {
    let hash = |text: &str| ids::derive("password", &[text]);
    let known = hash(expected.map_or("", |expected| expected.expose_secret()));
    let equal: bool = known.as_bytes().ct_eq(hash(given).as_bytes()).into();
    equal && expected.is_some() && !given.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_right() {
        let password = SecretString::from("secret");
        assert!(same(Some(&password), "secret"));
        for wrong in ["", "Secret", "secret ", "secre"] {
            assert!(!same(Some(&password), wrong), "{wrong:?}");
        }
        assert!(!same(None, ""), "an agent without a password cannot sign in");
        assert!(!same(Some(&SecretString::from("")), ""));
    }
}
