//! API tokens.

use heliograph_runtime::bearer;

use crate::{config::ApiToken, error::Refusal};

/// The tenant whose events an `Authorization` header opens.
pub(crate) fn tenant<'a>(tokens: &'a [ApiToken], authorization: Option<&str>) -> Result<&'a str, Refusal> {
    let given = authorization.and_then(bearer::token).ok_or(Refusal::NoToken)?;
    let found = bearer::find(tokens, |entry| &entry.token, given).ok_or(Refusal::NoToken)?;
    Ok(&found.tenant)
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
        let tokens = [entry("one-of-acme", "acme"), entry("one-of-globex", "globex")];
        let tenant = |header: &str| super::tenant(&tokens, Some(header)).ok().map(str::to_owned);
        assert_eq!(tenant("Bearer one-of-globex").as_deref(), Some("globex"));
        assert_eq!(tenant("bearer one-of-acme").as_deref(), Some("acme"));
        for bad in ["Bearer one-of-acm", "Bearer ", "one-of-acme", "Basic one-of-acme"] {
            assert_eq!(tenant(bad), None, "{bad}");
        }
        assert!(super::tenant(&tokens, None).is_err());
    }
}
