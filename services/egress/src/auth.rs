//! Who calls. The tenant comes from the credential; what a request says of it can only agree.

use heliograph_runtime::bearer;
use tonic::{Status, metadata::MetadataMap};

use crate::config::ApiToken;

/// The client that a call's bearer token belongs to.
pub(crate) fn client<'a>(tokens: &'a [ApiToken], metadata: &MetadataMap) -> Result<&'a ApiToken, Status> {
    let refused = || Status::unauthenticated("a valid `authorization: Bearer …` is needed");
    let header = metadata.get("authorization").and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let given = bearer::token(header).ok_or_else(refused)?;
    bearer::find(tokens, |token| &token.token, given).ok_or_else(refused)
}

/// A request may leave the tenant out, and may not name another one.
pub(crate) fn same_tenant(client: &ApiToken, named: &str) -> Result<(), Status> {
    if named.is_empty() || named == client.tenant {
        Ok(())
    } else {
        Err(Status::permission_denied("the credential belongs to another tenant"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;

    fn tokens() -> Vec<ApiToken> {
        let token = |token: &str, tenant: &str| ApiToken {
            token: token.into(),
            tenant: tenant.into(),
            client: "x".into(),
        };
        vec![token("one", "acme"), token("two", "other"), token("", "empty")]
    }

    fn metadata(value: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert("authorization", value.parse().unwrap());
        metadata
    }

    #[test]
    fn a_token_names_its_tenant_and_everything_else_is_refused() {
        let tokens = tokens();
        assert_eq!(client(&tokens, &metadata("Bearer one")).unwrap().tenant, "acme");
        assert_eq!(client(&tokens, &metadata("bearer two")).unwrap().tenant, "other");
        for bad in ["", "Bearer", "Bearer ", "Bearer three", "Basic one", "one", "Bearer on", "Bearer onee"] {
            assert_eq!(client(&tokens, &metadata(bad)).unwrap_err().code(), Code::Unauthenticated, "{bad:?}");
        }
        assert_eq!(client(&tokens, &MetadataMap::new()).unwrap_err().code(), Code::Unauthenticated);
        assert!(same_tenant(&tokens[0], "acme").is_ok());
        assert!(same_tenant(&tokens[0], "").is_ok());
        assert_eq!(same_tenant(&tokens[0], "other").unwrap_err().code(), Code::PermissionDenied);
    }
}
