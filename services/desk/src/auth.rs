//! Session tokens: JWTs, HS256.

use std::fmt;

use heliograph_domain::resources::{AgentSpec, Kind, ResourceKey, Role, Spec};
use heliograph_proto::v1::AgentProfile;
use heliograph_store::resources::Snapshot;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::config::DeskConfig;

const ISSUER: &str = "heliograph-desk";
const SESSION: &str = "desk.session";

/// Who a session belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// From the token, never from a request.
    pub(crate) tenant: String,
    /// The `Agent` resource's name.
    pub(crate) agent: String,
    /// Sees everything of the tenant.
    pub(crate) supervisor: bool,
    /// As the client is told.
    pub(crate) profile: AgentProfile,
    /// When the token ends, seconds since 1970.
    pub(crate) expires_at: u64,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    /// Its time is over.
    #[error("the session has expired, please sign in again")]
    Expired,
    /// Not a token of ours.
    #[error("the session token is not valid, please sign in again")]
    Invalid,
    /// The agent it names is gone.
    #[error("this user no longer exists")]
    Gone,
}

impl AuthError {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Expired => "token_expired",
            Self::Invalid => "token_invalid",
            Self::Gone => "user_gone",
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct SessionClaims {
    iss: String,
    aud: String,
    sub: String,
    tenant: String,
    roles: Vec<Role>,
    iat: u64,
    exp: u64,
}

/// Makes and reads tokens.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    ttl: u64,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

impl Tokens {
    pub(crate) fn new(config: &DeskConfig) -> Self {
        let drawn = || {
            tracing::warn!("desk.session_secret is not set: sessions end with this process");
            SecretString::from(format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>()))
        };
        let secret = config.session_secret.clone().unwrap_or_else(drawn);
        let bytes = secret.expose_secret().as_bytes();
        Self {
            encoding: EncodingKey::from_secret(bytes),
            decoding: DecodingKey::from_secret(bytes),
            ttl: config.session_ttl.as_secs(),
        }
    }

    /// A session token, good from `now` (seconds since 1970).
    pub(crate) fn session(&self, tenant: &str, agent: &str, roles: &[Role], now: u64) -> String {
        self.sign(&SessionClaims {
            iss: ISSUER.to_owned(),
            aud: SESSION.to_owned(),
            sub: agent.to_owned(),
            tenant: tenant.to_owned(),
            roles: roles.to_vec(),
            iat: now,
            exp: now + self.ttl,
        })
    }

    /// Who holds this session token. Roles and queues are those the agent has now; a role must be in the token as well.
    pub(crate) fn identify(&self, token: &str, resources: &Snapshot) -> Result<Identity, AuthError> {
        let claims: SessionClaims = self.read(token, SESSION)?;
        let spec = agent(resources, &claims.tenant, &claims.sub).ok_or(AuthError::Gone)?;
        let supervisor = spec.is(Role::Supervisor) && claims.roles.contains(&Role::Supervisor);
        let profile = profile(&claims.tenant, &claims.sub, spec);
        Ok(Identity { tenant: claims.tenant, agent: claims.sub, supervisor, profile, expires_at: claims.exp })
    }

    fn sign(&self, claims: &impl Serialize) -> String {
        encode(&Header::new(Algorithm::HS256), claims, &self.encoding)
            .expect("plain claims sign with any key")
    }

    fn read<C: DeserializeOwned>(&self, token: &str, audience: &str) -> Result<C, AuthError> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        // A token ends with the second it names.
        validation.reject_tokens_expiring_in_less_than = 1;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        decode(token, &self.decoding, &validation).map(|read| read.claims).map_err(|error| {
            match error.kind() {
                ErrorKind::ExpiredSignature => AuthError::Expired,
                _ => AuthError::Invalid,
            }
        })
    }
}

/// The agent of this name.
pub(crate) fn agent<'a>(resources: &'a Snapshot, tenant: &str, name: &str) -> Option<&'a AgentSpec> {
    let key = ResourceKey { tenant: tenant.to_owned(), kind: Kind::Agent, name: name.to_owned() };
    match &resources.get(&key)?.resource.spec {
        Spec::Agent(spec) => Some(spec),
        _ => None,
    }
}

/// What a client is told of an agent.
pub(crate) fn profile(tenant: &str, name: &str, spec: &AgentSpec) -> AgentProfile {
    let role = |role: &Role| match role {
        Role::Agent => "agent".to_owned(),
        Role::Supervisor => "supervisor".to_owned(),
    };
    AgentProfile {
        tenant: tenant.to_owned(),
        name: name.to_owned(),
        display_name: spec.display_name.clone(),
        roles: spec.roles.iter().map(role).collect(),
        queues: spec.queue_names().map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn tokens(secret: &str) -> Tokens {
        let session_secret = Some(SecretString::from(secret));
        Tokens::new(&DeskConfig { session_secret, ..DeskConfig::default() })
    }

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_token_is_read_by_its_own_secret_until_it_ends() {
        let now = jsonwebtoken::get_current_timestamp();
        let token = tokens(SECRET).session("acme", "ada", &[Role::Agent], now);
        let read: SessionClaims = tokens(SECRET).read(&token, SESSION).unwrap();
        assert_eq!((read.tenant.as_str(), read.sub.as_str()), ("acme", "ada"));
        let other = tokens("another-secret-another-secret-aa").read::<SessionClaims>(&token, SESSION);
        assert_eq!(other.unwrap_err(), AuthError::Invalid);
        let old = tokens(SECRET).session("acme", "ada", &[Role::Agent], now - 13 * 3600);
        assert_eq!(tokens(SECRET).read::<SessionClaims>(&old, SESSION).unwrap_err(), AuthError::Expired);
    }
}
