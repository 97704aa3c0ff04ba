//! The channels this fleet has. The only list of them there is: a channel is one crate, one dependency line, one row
//! here and one value of the chart.

use heliograph_channel::{Account, AccountError, RawAccount, Secrets, Settings};
use heliograph_channel_bottle::BottleSettings;
use heliograph_channel_sms::SmsSettings;
use heliograph_channel_wechat::WechatSettings;
use heliograph_domain::resources::{ChannelAccountSpec, Resource, SecretRef};

/// A channel as the binary knows it.
pub struct ChannelRow {
    /// Its name: folder, path on the ingress, token in subjects, target of `heliograph run`.
    pub name: &'static str,
    /// What it is, for `heliograph run --help`.
    pub about: &'static str,
    /// Checks an account as the channel will when it loads it.
    pub check: fn(&RawAccount) -> Result<(), AccountError>,
}

/// Every channel, by name.
pub const CHANNELS: &[ChannelRow] = &[
    ChannelRow {
        name: "bottle",
        about: "bring your own: signed JSON both ways",
        check: check::<BottleSettings>,
    },
    ChannelRow { name: "sms", about: "SMS by Sinch or Twilio", check: check::<SmsSettings> },
    ChannelRow { name: "webchat", about: "the widget on a web page", check: |_| Ok(()) },
    ChannelRow { name: "wechat", about: "WeChat official accounts", check: check::<WechatSettings> },
];

/// The names of every channel.
pub fn names() -> Vec<&'static str> {
    CHANNELS.iter().map(|row| row.name).collect()
}

/// The channel of this name.
pub fn find(name: &str) -> Option<&'static ChannelRow> {
    CHANNELS.iter().find(|row| row.name == name)
}

fn check<S: Settings>(raw: &RawAccount) -> Result<(), AccountError> {
    raw.load::<S>().map(|_: Account<S>| ())
}

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
    let without = ChannelAccountSpec { secrets: std::collections::BTreeMap::new(), ..spec.clone() };
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeSet;

    use super::*;
    use crate::admin::{Manifest, Rules, Sandboxed};

    #[test]
    fn every_channel_folder_stands_in_the_table() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../channels");
        let folders: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().join("Cargo.toml").is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        let table: BTreeSet<String> = names().into_iter().map(str::to_owned).collect();
        assert_eq!(folders, table);
    }

    #[test]
    fn the_sample_tenant_loads_with_its_channels() {
        let manifest = Manifest { file: "acme.yaml".to_owned(), text: crate::SAMPLE.to_owned() };
        let sandbox = Sandboxed {
            provider_base: Some("http://127.0.0.1:9999".to_owned()),
            public_base: "http://127.0.0.1:8080".to_owned(),
        };
        let rules = Rules { inline_secrets: true, sandbox: Some(sandbox) };
        let documents = crate::admin::check_manifests(&[manifest], &[], &rules).unwrap();
        let accounts =
            documents.iter().filter(|document| document.resource.key().kind.as_str() == "ChannelAccount");
        assert_eq!(accounts.count(), 5);
    }
}
