//! Development: accounts that name no provider address get the sandbox's, so that sample resources run anywhere.

use heliograph_domain::resources::{Resource, Spec};
use serde::{Deserialize, Serialize};

/// The label that says which addresses were filled in, so that they can be filled in anew when they move.
pub const FILLED: &str = "heliograph.dev/sandboxed";

/// Where the sandbox and the ingress of a development fleet are.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Sandboxed {
    /// Base of the sandbox; `None` leaves accounts to their real providers.
    pub provider_base: Option<String>,
    /// Base of our own ingress as the sandbox reaches it.
    pub public_base: String,
}

impl Sandboxed {
    /// Fills in what a channel account lacks, and what an earlier call filled in.
    pub fn fill(&self, resource: &mut Resource) {
        let label = resource.metadata.labels.remove(FILLED);
        let ours =
            |field: &str| label.as_deref().is_some_and(|filled| filled.split(' ').any(|name| name == field));
        let Spec::ChannelAccount(account) = &mut resource.spec else { return };
        let mut filled = Vec::new();
        if (account.base_url.is_none() || ours("base_url"))
            && let Some(base) = &self.provider_base
        {
            account.base_url = provider_base(base, &account.channel, account.provider.as_deref());
            if account.base_url.is_some() {
                filled.push("base_url");
            }
        }
        if account.public_base_url.is_none() || ours("public_base_url") {
            account.public_base_url = Some(self.public_base.clone());
            filled.push("public_base_url");
        }
        if !filled.is_empty() {
            resource.metadata.labels.insert(FILLED.to_owned(), filled.join(" "));
        }
    }
}

/// Where the sandbox plays the provider of an account; nowhere for channels that have none behind them.
fn provider_base(base: &str, channel: &str, provider: Option<&str>) -> Option<String> {
    match (channel, provider) {
        ("webchat", _) => None,
        (_, Some(provider)) => Some(format!("{base}/{provider}")),
        (channel, None) => Some(format!("{base}/{channel}")),
    }
}
