//! The tenant that the fleets serve: Acme's policy, with accounts whose secrets come from the environment.

use heliograph_channel::{RawAccount, Secrets};
use serde_json::json;
use url::Url;

/// Signing key of the bottle's account.
pub const BOTTLE_SECRET: &str = "whsec_bWFkZS11cC1mb3ItZGV2ZWxvcG1lbnQtb25seSE=";
/// WeChat's signing token.
pub const WECHAT_TOKEN: &str = "madeupwechattoken";
/// WeChat's key: 43 characters of base64.
pub const WECHAT_AES_KEY: &str = "bWFkZS11cC1mb3ItZGV2ZWxvcG1lbnQtb25seS0wMDA";
/// WeChat's app id.
pub const WECHAT_APP: &str = "wx0123456789abcdef";
/// Signing secret of the Sinch account.
pub const SINCH_SECRET: &str = "made-up-sinch-webhook-secret";
/// Every channel that an account here can be of.
pub const CHANNELS: [&str; 11] = [
    "sms",
    "whatsapp",
    "messenger",
    "instagram",
    "wechat",
    "telegram",
    "line",
    "viber",
    "rcs",
    "bottle",
    "webchat",
];

/// Signing token of the Twilio account.
pub const TWILIO_TOKEN: &str = "made-up-twilio-auth-token";
/// Token of the Telegram bot.
pub const TELEGRAM_BOT: &str = "555000111:made-up-telegram-bot-token";
/// What Telegram proves itself by.
pub const TELEGRAM_WEBHOOK: &str = "made-up-telegram-webhook-secret";
/// Signing secret of the LINE account.
pub const LINE_SECRET: &str = "made-up-line-channel-secret";
/// Signing token of the RCS agent.
pub const RCS_TOKEN: &str = "made-up-rcs-client-token";
/// A service account's key file that is nobody's.
pub const RCS_KEY: &str = include_str!("../../services/channels/rcs/fixtures/service_account.json");
/// Token of the Viber bot, which signs, too.
pub const VIBER_TOKEN: &str = "made-up-viber-auth-token";

/// What signs webhooks of the WhatsApp, the Messenger and the Instagram account.
pub const META_SECRET: &str = "made-up-meta-app-secret";
/// The Page.
pub const PAGE: &str = "682498302938465";
/// The Instagram account.
pub const INSTAGRAM: &str = "17841400000000001";

/// What the page's server signs identities with.
pub const WEBCHAT_SECRET: &str = "made-up-webchat-identity-secret";

/// The secrets, as environment variables of the channel services.
pub fn environment() -> Vec<(String, String)> {
    [
        ("ACME_BOTTLE", BOTTLE_SECRET),
        ("ACME_WECHAT_TOKEN", WECHAT_TOKEN),
        ("ACME_WECHAT_KEY", WECHAT_AES_KEY),
        ("ACME_WECHAT_APP_SECRET", "made-up-wechat-app-secret"),
        ("ACME_WHATSAPP_TOKEN", "made-up-whatsapp-system-user-token"),
        ("ACME_WHATSAPP_APP_SECRET", META_SECRET),
        ("ACME_WHATSAPP_VERIFY", "made-up-whatsapp-verify-token"),
        ("ACME_SINCH_TOKEN", "made-up-sinch-token"),
        ("ACME_SINCH_SECRET", SINCH_SECRET),
        ("ACME_TWILIO_TOKEN", TWILIO_TOKEN),
        ("ACME_META_SECRET", META_SECRET),
        ("ACME_META_VERIFY", "made-up-meta-verify-token"),
        ("ACME_PAGE_TOKEN", "made-up-page-token"),
        ("ACME_INSTAGRAM_TOKEN", "made-up-instagram-token"),
        ("ACME_TELEGRAM_BOT", TELEGRAM_BOT),
        ("ACME_TELEGRAM_WEBHOOK", TELEGRAM_WEBHOOK),
        ("ACME_VIBER", VIBER_TOKEN),
        ("ACME_LINE", LINE_SECRET),
        ("ACME_RCS_TOKEN", RCS_TOKEN),
        ("ACME_RCS_KEY", RCS_KEY),
        ("ACME_WEBCHAT", WEBCHAT_SECRET),
        ("ACME_ANN", "ann"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// The accounts, as the sandbox plays their providers.
pub fn accounts() -> Vec<RawAccount> {
    let account = |name: &str, channel: &str, provider: Option<&str>, settings, secrets: &[(&str, &str)]| {
        let mut resolved = Secrets::default();
        for (name, value) in secrets {
            resolved.add(*name, (*value).into());
        }
        RawAccount {
            tenant: "acme".to_owned(),
            name: name.to_owned(),
            channel: channel.to_owned(),
            provider: provider.map(str::to_owned),
            base_url: None,
            public_base_url: None,
            settings,
            secrets: resolved,
        }
    };
    vec![
        account(
            "acme-us",
            "sms",
            Some("sinch"),
            json!({ "service_plan_id": "made-up-plan", "sender": "+12025550123" }),
            &[("api_token", "made-up-sinch-token"), ("webhook_secret", SINCH_SECRET)],
        ),
        account(
            "acme-ca",
            "sms",
            Some("twilio"),
            json!({ "account_sid": "AC00000000000000000000000000000000", "sender": "+16135550123" }),
            &[("auth_token", TWILIO_TOKEN)],
        ),
        account(
            "acme-cn",
            "wechat",
            None,
            json!({ "app_id": WECHAT_APP, "mode": "encrypted" }),
            &[
                ("token", WECHAT_TOKEN),
                ("encoding_aes_key", WECHAT_AES_KEY),
                ("app_secret", "made-up-wechat-app-secret"),
            ],
        ),
        account(
            "acme-au",
            "messenger",
            None,
            json!({ "page_id": PAGE }),
            &[("app_secret", META_SECRET), ("access_token", "made-up-page-token")],
        ),
        account(
            "acme-nz",
            "instagram",
            None,
            json!({ "account_id": INSTAGRAM, "login": "instagram" }),
            &[("app_secret", META_SECRET), ("access_token", "made-up-instagram-token")],
        ),
        account(
            "acme-br",
            "whatsapp",
            None,
            json!({ "phone_number_id": "106540352242922" }),
            &[("access_token", "made-up-whatsapp-system-user-token"), ("app_secret", META_SECRET)],
        ),
        account(
            "acme-islands",
            "bottle",
            None,
            json!({ "url": "acme-islands" }),
            &[("signing", BOTTLE_SECRET)],
        ),
        account(
            "acme-telegram",
            "telegram",
            None,
            json!({}),
            &[("bot_token", TELEGRAM_BOT), ("webhook_secret", TELEGRAM_WEBHOOK)],
        ),
        account(
            "acme-viber",
            "viber",
            None,
            json!({ "sender": { "name": "Acme" } }),
            &[("auth_token", VIBER_TOKEN)],
        ),
        account(
            "acme-jp",
            "line",
            None,
            json!({ "channel_id": "1234567890" }),
            &[("channel_secret", LINE_SECRET)],
        ),
        account(
            "acme-in",
            "rcs",
            None,
            json!({ "agent_id": "acme@rbm.goog" }),
            &[("client_token", RCS_TOKEN), ("service_account", RCS_KEY)],
        ),
    ]
}

/// The manifest. `base` is the provider's API for a channel and provider, `public` our ingress of a channel.
pub fn manifest(base: impl Fn(&str, Option<&str>) -> String, public: impl Fn(&str) -> Url) -> String {
    let mut manifest = include_str!("tenant.yaml").to_owned();
    for (mark, channel, provider) in [
        ("SINCH", "sms", Some("sinch")),
        ("TWILIO", "sms", Some("twilio")),
        ("WECHAT", "wechat", None),
        ("MESSENGER", "messenger", None),
        ("INSTAGRAM", "instagram", None),
        ("WHATSAPP", "whatsapp", None),
        ("BOTTLE", "bottle", None),
        ("TELEGRAM", "telegram", None),
        ("VIBER", "viber", None),
        ("LINE", "line", None),
        ("RCS", "rcs", None),
    ] {
        manifest = manifest.replace(&format!("${mark}_API"), &base(channel, provider));
    }
    for channel in CHANNELS {
        let mark = format!("${}_INGRESS", channel.to_uppercase());
        manifest = manifest.replace(&mark, public(channel).as_str().trim_end_matches('/'));
    }
    manifest
}
