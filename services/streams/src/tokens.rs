//! API tokens.

use std::fmt;

use heliograph_domain::ids;
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use crate::{config::ApiToken, error::Refusal};

/// The tokens, hashed, with their tenants.
pub(crate) struct Tokens(Vec<(String, String)>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tokens").field(&self.0.len()).finish()
    }
}

impl Tokens {
    pub(crate) fn new(tokens: &[ApiToken]) -> Self {
        let hashed = tokens.iter().map(|entry| (hash(entry.token.expose_secret()), entry.tenant.clone()));
        Self(hashed.collect())
    }

    /// The tenant whose events an `Authorization` header opens. Every token is compared, each in constant time.
    pub(crate) fn tenant(&self, authorization: Option<&str>) -> Result<&str, Refusal> {
        let given = authorization.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| hash(token.trim()))
        });
        let given = given.ok_or(Refusal::NoToken)?;
        let mut found = None;
        for (known, tenant) in &self.0 {
            let same: bool = known.as_bytes().ct_eq(given.as_bytes()).into();
            if same {
                found = Some(tenant.as_str());
            }
        }
        found.ok_or(Refusal::NoToken)
    }
}

/// Equal in length whatever is hashed, so that a comparison tells nothing.
fn hash(token: &str) -> String {
    ids::derive("token", &[token])
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn a_token_opens_its_tenant_and_nothing_else() {
        let entry = |token: &str, tenant: &str| ApiToken {
            token: SecretString::from(token),
            tenant: tenant.to_owned(),
        };
        let tokens = Tokens::new(&[entry("one-of-acme", "acme"), entry("one-of-globex", "globex")]);
        let tenant = |header: &str| tokens.tenant(Some(header)).ok().map(str::to_owned);
        assert_eq!(tenant("Bearer one-of-globex").as_deref(), Some("globex"));
        assert_eq!(tenant("bearer one-of-acme").as_deref(), Some("acme"));
        for bad in ["Bearer one-of-acm", "Bearer ", "one-of-acme", "Basic one-of-acme"] {
            assert_eq!(tenant(bad), None, "{bad}");
        }
        assert!(tokens.tenant(None).is_err());
        assert!(!format!("{tokens:?}").contains("acme"));
    }
}
