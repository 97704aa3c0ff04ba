//! A Telegram account's settings, and what they let it do.

use heliograph_channel::{
    AccountError, Settings,
    able::{limit, media, names, rate},
    account::{RawAccount, Secrets, above_zero},
};
use heliograph_proto::v1::{Capabilities, MediaKind, RateScope, TextFormat, TextUnit};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// Bytes of one upload (50 MB), whatever it is.
pub(crate) const UPLOAD: usize = 50 * 1024 * 1024;
/// Bytes of a picture shown as one (10 MB); larger ones go as files.
pub(crate) const PHOTO: usize = 10 * 1024 * 1024;
/// UTF-16 units of a text.
pub(crate) const TEXT: usize = 4096;
/// UTF-16 units beside a medium.
pub(crate) const CAPTION: usize = 1024;
/// Bytes that come back when a button is tapped.
pub(crate) const CALLBACK: usize = 64;

/// What stands under `spec.settings` of a `telegram` account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelegramSpec {
    /// The bot is a member of groups: what goes to a chat keeps to the rate of a group, too.
    pub groups: bool,
    /// The bot answers for business accounts it is connected to, and marks what their customers write as read.
    pub business: bool,
    /// Numbers that Telegram does not promise.
    pub limits: Limits,
}

/// What Telegram says in its FAQ, or not at all; it may change.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Messages a second, over all chats.
    pub per_second: f64,
    /// Messages a second in one chat.
    pub per_second_and_chat: f64,
    /// Messages a minute in one group.
    pub per_minute_and_group: f64,
    /// Buttons of one message.
    pub buttons: u16,
    /// Bytes of a picture that Telegram fetches from its URL.
    pub photo_by_url: i64,
    /// Bytes of another file that Telegram fetches from its URL.
    pub file_by_url: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_second: 30.0,
            per_second_and_chat: 1.0,
            per_minute_and_group: 20.0,
            buttons: 100,
            photo_by_url: 5 * 1024 * 1024,
            file_by_url: 20 * 1024 * 1024,
        }
    }
}

/// A checked Telegram account.
#[derive(Debug)]
pub struct TelegramSettings {
    /// The bot's token. It stands in the path of every request.
    pub bot_token: SecretString,
    /// What Telegram proves itself by; several while one is being replaced.
    pub webhook_secrets: Vec<SecretString>,
    /// The rest, as it was written.
    pub spec: TelegramSpec,
}

impl Settings for TelegramSettings {
    type Spec = TelegramSpec;

    fn build(spec: TelegramSpec, secrets: &Secrets, _raw: &RawAccount) -> Result<Self, AccountError> {
        let bot_token = secrets.require("bot_token")?.clone();
        let of = |secret: &SecretString, more: &[u8]| {
            let secret = secret.expose_secret().as_bytes();
            (1..=256).contains(&secret.len())
                && secret.iter().all(|byte| byte.is_ascii_alphanumeric() || more.contains(byte))
        };
        if !of(&bot_token, b":_-") {
            let problem = "is not a bot's token; BotFather gives it as digits, a colon, and letters";
            return Err(AccountError::new("spec.secrets.bot_token", problem));
        }
        secrets.require("webhook_secret")?;
        let webhook_secrets = secrets.all("webhook_secret").to_vec();
        if !webhook_secrets.iter().all(|secret| of(secret, b"_-")) {
            let problem =
                "is not what `setWebhook` takes as `secret_token`: 1 to 256 letters, digits, `_` and `-`";
            return Err(AccountError::new("spec.secrets.webhook_secret", problem));
        }
        let limits = &spec.limits;
        above_zero([
            ("limits.per_second", limits.per_second),
            ("limits.per_second_and_chat", limits.per_second_and_chat),
            ("limits.per_minute_and_group", limits.per_minute_and_group),
        ])?;
        Ok(Self { bot_token, webhook_secrets, spec })
    }
}

/// Kinds of content that are shown.
const CONTENT: &str = "text media location contact_card choice list card reaction edit deletion custom";

/// What customers can say and do.
const RECEIVES: &str = "text media.image media.audio media.video media.file media.sticker location contact_card selection \
                        reaction edit deletion custom consent conversation_start address_change";

/// What an account with these settings can show.
pub(crate) fn capabilities(settings: &TelegramSettings) -> Capabilities {
    let TelegramSpec { groups, business, limits } = &settings.spec;
    let kinds = [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File, MediaKind::Sticker];
    let (buttons, each) = (i32::from(limits.buttons), limits.per_second as i32);
    let mut rates = vec![
        rate(RateScope::Account, limits.per_second, each.max(1), ""),
        // Short bursts are let through.
        rate(RateScope::Recipient, limits.per_second_and_chat, 3, ""),
    ];
    if *groups {
        let group = limits.per_minute_and_group;
        rates.push(rate(RateScope::Recipient, group / 60.0, group.max(1.0) as i32, ""));
    }
    Capabilities {
        channel: "telegram".to_owned(),
        content: names(CONTENT),
        receives: names(RECEIVES),
        text_limit: limit(TEXT),
        text_unit: TextUnit::Utf16.into(),
        caption_limit: limit(CAPTION),
        choice_limit: buttons,
        list_limit: buttons,
        option_actions: names("answer url"),
        // One byte stands between the two.
        option_payload_limit: limit(CALLBACK) - 1,
        // What is asked may stand under a picture.
        choice_body_limit: limit(CAPTION),
        list_body_limit: limit(CAPTION),
        card_title_limit: 200,
        card_body_limit: 800,
        card_option_limit: buttons,
        media: kinds.map(|kind| media(kind, i64::from(limit(UPLOAD)), "")).to_vec(),
        bare_media: vec![MediaKind::Sticker.into()],
        typing_out: true,
        read_marks_out: *business,
        replies: true,
        reactions: true,
        edits: true,
        deletions: true,
        formats: vec![TextFormat::Plain.into(), TextFormat::Markdown.into()],
        work_class: "chat".to_owned(),
        rate_per_second: limits.per_second,
        burst: each,
        rates,
        ..Capabilities::default()
    }
}
