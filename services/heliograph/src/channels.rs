//! The channels this fleet has. The only list of them there is: a channel is one crate, one dependency line, one row
//! here and one value of the chart.

use std::collections::BTreeMap;

use futures::{FutureExt as _, future::BoxFuture};
use heliograph_channel::{
    Account, AccountError, Channel, RawAccount, Secrets, Settings,
    host::{ChannelHost, Hosted},
};
use heliograph_channel_bottle::{Bottle, BottleSettings};
use heliograph_channel_instagram::{Instagram, InstagramSettings};
use heliograph_channel_line::{Line, LineSettings};
use heliograph_channel_messenger::{Messenger, MessengerSettings};
use heliograph_channel_rcs::{Rcs, RcsSettings};
use heliograph_channel_sms::{Sms, SmsSettings};
use heliograph_channel_telegram::{Telegram, TelegramSettings};
use heliograph_channel_viber::{Viber, ViberSettings};
use heliograph_channel_webchat::{WebChat, WebChatSettings};
use heliograph_channel_wechat::{Wechat, WechatSettings};
use heliograph_channel_whatsapp::{WhatsApp, WhatsAppSettings};
use heliograph_proto::v1::Capabilities;
use serde_json::{Value, json};

use crate::fleet::Ground;

/// A channel as the binary knows it.
pub struct ChannelRow {
    /// Its name: folder, path on the ingress, token in subjects, target of `heliograph run`.
    pub name: &'static str,
    /// What it is, for `heliograph run --help`.
    pub about: &'static str,
    /// Checks an account as the channel will when it loads it.
    pub check: fn(&RawAccount) -> Result<(), AccountError>,
    /// What the channel can do in general, for services that plan work before an account is known.
    pub capabilities: fn() -> Capabilities,
    /// Starts it on its ground; nothing listens yet.
    pub start: for<'a> fn(&'a Ground) -> BoxFuture<'a, anyhow::Result<Hosted>>,
}

/// Every channel, by name.
pub const CHANNELS: &[ChannelRow] = &[
    ChannelRow {
        name: "bottle",
        about: "bring your own: signed JSON both ways",
        check: check::<BottleSettings>,
        capabilities: || in_general(&Bottle, None, json!({ "url": "https://example.com/" }), &["signing"]),
        start: |ground| {
            async {
                Ok(ChannelHost::new(Bottle).webhook().provider().start(&ground.host("bottle").await?).await?)
            }
            .boxed()
        },
    },
    ChannelRow {
        name: "instagram",
        about: "Instagram messaging",
        check: check::<InstagramSettings>,
        capabilities: || {
            let secrets = ["app_secret", "verify_token", "access_token"];
            in_general(&Instagram, None, json!({ "account_id": "1" }), &secrets)
        },
        start: |ground| {
            async {
                let host = ChannelHost::new(Instagram).webhook().provider().answer_within(META_PATIENCE);
                Ok(host.start(&ground.host("instagram").await?).await?)
            }
            .boxed()
        },
    },
    ChannelRow {
        name: "line",
        about: "LINE official accounts",
        check: check::<LineSettings>,
        capabilities: || in_general(&Line, None, json!({ "channel_id": "1" }), &["channel_secret"]),
        start: |ground| {
            async {
                let host = ChannelHost::new(Line).webhook().provider().answer_within(LINE_PATIENCE);
                Ok(host.start(&ground.host("line").await?).await?)
            }
            .boxed()
        },
    },
    ChannelRow {
        name: "messenger",
        about: "Facebook Messenger for Pages",
        check: check::<MessengerSettings>,
        capabilities: || {
            let secrets = ["app_secret", "verify_token", "access_token"];
            in_general(&Messenger, None, json!({ "page_id": "1" }), &secrets)
        },
        start: |ground| {
            async {
                let host = ChannelHost::new(Messenger).webhook().provider().answer_within(META_PATIENCE);
                Ok(host.start(&ground.host("messenger").await?).await?)
            }
            .boxed()
        },
    },
    ChannelRow {
        name: "rcs",
        about: "RCS Business Messaging by Google",
        check: check::<RcsSettings>,
        capabilities: heliograph_channel_rcs::capabilities,
        start: |ground| {
            async { Ok(ChannelHost::new(Rcs).webhook().provider().start(&ground.host("rcs").await?).await?) }
                .boxed()
        },
    },
    ChannelRow {
        name: "sms",
        about: "SMS by Sinch or Twilio",
        check: check::<SmsSettings>,
        capabilities: || {
            let settings = json!({ "service_plan_id": "plan", "sender": "+12025550123" });
            in_general(&Sms, Some("sinch"), settings, &["api_token", "webhook_secret"])
        },
        start: |ground| {
            async { Ok(ChannelHost::new(Sms).webhook().provider().start(&ground.host("sms").await?).await?) }
                .boxed()
        },
    },
    ChannelRow {
        name: "telegram",
        about: "Telegram bots",
        check: check::<TelegramSettings>,
        capabilities: || in_general(&Telegram, None, json!({}), &["bot_token", "webhook_secret"]),
        start: |ground| {
            async {
                let host = ChannelHost::new(Telegram).webhook().provider();
                Ok(host.start(&ground.host("telegram").await?).await?)
            }
            .boxed()
        },
    },
    ChannelRow {
        name: "viber",
        about: "Viber bots",
        check: check::<ViberSettings>,
        capabilities: || in_general(&Viber, None, json!({ "sender": { "name": "any" } }), &["auth_token"]),
        start: |ground| {
            async {
                Ok(ChannelHost::new(Viber).webhook().provider().start(&ground.host("viber").await?).await?)
            }
            .boxed()
        },
    },
    ChannelRow {
        name: "webchat",
        about: "the widget on a web page",
        check: check::<WebChatSettings>,
        capabilities: heliograph_channel_webchat::capabilities,
        start: |ground| {
            async {
                let options = ground.webchat()?;
                let (intake, links) = (ground.intake().await?, ground.links().await?);
                let channel = WebChat::start(&ground.fabric, &ground.redis, intake, links, options).await?;
                let host = ChannelHost::new(channel).routes(heliograph_channel_webchat::routes).carrier();
                Ok(host.start(&ground.host("webchat").await?).await?)
            }
            .boxed()
        },
    },
    ChannelRow {
        name: "wechat",
        about: "WeChat official accounts",
        check: check::<WechatSettings>,
        capabilities: || {
            let settings = json!({ "app_id": "wx0000000000000000", "mode": "plain" });
            in_general(&Wechat, None, settings, &["app_secret", "token"])
        },
        start: |ground| {
            async {
                let host = ChannelHost::new(Wechat).webhook().provider().answer_within(WECHAT_PATIENCE);
                Ok(host.start(&ground.host("wechat").await?).await?)
            }
            .boxed()
        },
    },
    ChannelRow {
        name: "whatsapp",
        about: "WhatsApp, by the Cloud API",
        check: check::<WhatsAppSettings>,
        capabilities: || {
            let settings = json!({ "phone_number_id": "100000000000000" });
            in_general(&WhatsApp, None, settings, &["access_token", "app_secret", "verify_token"])
        },
        start: |ground| {
            async {
                let host = ChannelHost::new(WhatsApp).webhook().provider();
                Ok(host.start(&ground.host("whatsapp").await?).await?)
            }
            .boxed()
        },
    },
];

/// LINE waits two seconds for an answer; half a second is for the way there and back.
const LINE_PATIENCE: std::time::Duration = std::time::Duration::from_millis(1500);

/// Meta asks for an answer within five seconds; one is for the way there and back.
const META_PATIENCE: std::time::Duration = std::time::Duration::from_secs(4);

/// WeChat waits five seconds for an answer; one second is for the way there and back.
const WECHAT_PATIENCE: std::time::Duration = std::time::Duration::from_secs(4);

/// The names of every channel.
pub fn names() -> Vec<&'static str> {
    CHANNELS.iter().map(|row| row.name).collect()
}

/// The channel of this name.
pub fn find(name: &str) -> Option<&'static ChannelRow> {
    CHANNELS.iter().find(|row| row.name == name)
}

/// What every channel can do in general, by its name.
pub fn capabilities() -> BTreeMap<String, Capabilities> {
    CHANNELS.iter().map(|row| (row.name.to_owned(), (row.capabilities)())).collect()
}

fn check<S: Settings>(raw: &RawAccount) -> Result<(), AccountError> {
    raw.load::<S>().map(|_: Account<S>| ())
}

/// What a channel can do for an account that says no more than it must.
fn in_general<C: Channel>(
    channel: &C,
    provider: Option<&str>,
    settings: Value,
    secrets: &[&str],
) -> Capabilities {
    let mut given = Secrets::default();
    for name in secrets {
        given.add(*name, "whsec_bm8gc2VjcmV0IG9mIGFueWJvZHkgYXQgYWxs".into());
    }
    let raw = RawAccount {
        tenant: "any".to_owned(),
        name: "any".to_owned(),
        channel: channel.name().to_owned(),
        provider: provider.map(str::to_owned),
        base_url: None,
        public_base_url: None,
        settings,
        secrets: given,
    };
    let account = raw.load().expect("the least account of a channel loads; a test says so for each");
    channel.capabilities(&account)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeSet;

    use heliograph_domain::resources::Kind;

    use super::*;
    use crate::admin::{Manifest, Rules, Sandboxed, check_manifests};

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
    fn every_channel_says_what_it_can_do_in_general() {
        for (name, capabilities) in capabilities() {
            assert_eq!(capabilities.channel, name);
            assert!(!capabilities.work_class.is_empty(), "{name}");
            assert!(capabilities.content.contains(&"text".to_owned()), "{name}");
        }
    }

    #[test]
    fn the_sample_tenant_loads_with_its_channels() {
        let manifest = Manifest { file: "acme.yaml".to_owned(), text: crate::SAMPLE.to_owned() };
        let sandbox = Sandboxed {
            provider_base: Some("http://127.0.0.1:9999".to_owned()),
            public_base: "http://127.0.0.1:8080".to_owned(),
        };
        let rules = Rules { inline_secrets: true, sandbox: Some(sandbox), ..Rules::default() };
        let documents = check_manifests(&[manifest], &[], &rules).unwrap();
        let accounts = documents.iter().filter(|document| document.resource.kind() == Kind::ChannelAccount);
        assert_eq!(accounts.count(), 12);
    }
}
