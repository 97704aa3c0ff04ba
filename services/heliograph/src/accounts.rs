//! Accounts as far as this machine knows them: the secrets of a fleet are where its channels run.

use std::collections::BTreeMap;

use heliograph_channel::{AccountError, RawAccount, Secrets};
use heliograph_domain::resources::{ChannelAccountSpec, Resource, SecretRef};

/// What stands for a secret that is not on this machine.
const ELSEWHERE: &str = "resolved-where-the-channel-runs";

/// An account with the secrets that can be found here; whether that is all of them.
///
/// # Errors
/// When one of its addresses is none.
pub fn raw_account(
    resource: &Resource,
    spec: &ChannelAccountSpec,
) -> Result<(RawAccount, bool), AccountError> {
    let without = ChannelAccountSpec { secrets: BTreeMap::new(), ..spec.clone() };
    let mut raw = heliograph_channel::host::raw_account(resource, &without, true)?;
    let mut complete = true;
    let mut secrets = Secrets::default();
    for (name, references) in &spec.secrets {
        for reference in references.iter() {
            let secret = reference.resolve(look_up).unwrap_or_else(|_| {
                complete = false;
                ELSEWHERE.into()
            });
            secrets.add(name, secret);
        }
    }
    raw.secrets = secrets;
    Ok((raw, complete))
}

fn look_up(reference: &SecretRef) -> Option<String> {
    match reference {
        SecretRef::Env(name) => std::env::var(name).ok(),
        SecretRef::File(path) => std::fs::read_to_string(path).ok(),
        SecretRef::Value(_) => None,
    }
}
