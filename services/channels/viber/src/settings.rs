//! A Viber account's settings, and what they let it do.

use std::time::Duration;

use heliograph_channel::{
    AccountError, Settings,
    able::{self, limit, names},
    account::{RawAccount, Secrets, above_zero},
};
use heliograph_proto::v1::{Capabilities, MediaKind, RateScope, TextFormat, TextUnit};
use secrecy::SecretString;
use serde::Deserialize;

/// Characters of a text.
pub(crate) const TEXT: usize = 7000;
/// Characters beside a picture.
pub(crate) const CAPTION: usize = 768;
/// Characters of the sender's name, and of a contact's.
pub(crate) const NAME: usize = 28;
/// Characters of a contact's number.
pub(crate) const PHONE: usize = 18;
/// Bytes of a video.
pub(crate) const VIDEO: i64 = 27_262_976;
/// Seconds of a video.
pub(crate) const VIDEO_SECONDS: i64 = 180;
/// Bytes of a file.
pub(crate) const FILE: i64 = 52_428_800;
/// Characters of a file's name.
pub(crate) const FILE_NAME: usize = 256;
/// Characters of a URL.
pub(crate) const URL: usize = 2000;
/// Bytes of a message, everything included.
pub(crate) const MESSAGE: usize = 30 * 1024;
/// Cards side by side.
pub(crate) const CARDS: usize = 6;
/// Answers under one card: what a card's seven rows leave beside a picture and its words.
pub(crate) const CARD_OPTIONS: usize = 2;
/// Characters of a card's title and body, which share a button's text.
pub(crate) const CARD_TITLE: usize = 60;
pub(crate) const CARD_BODY: usize = 120;

/// What stands under `spec.settings` of a `viber` account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViberSpec {
    /// Who messages are from.
    pub sender: SenderSpec,
    /// Answers a customer who opens the chat, before they said anything; without it nothing is answered.
    pub welcome: Option<String>,
    /// Numbers that Viber does not promise.
    #[serde(default)]
    pub limits: Limits,
}

/// Who messages are from, as customers see it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderSpec {
    /// At most 28 characters.
    pub name: String,
    /// URL of a picture of at most 100 KB.
    pub avatar: Option<String>,
}

/// What Viber does not say, or says for some apps only; it may change.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests a second, over all customers.
    pub per_second: f64,
    /// Messages an hour to a customer who does not answer.
    pub per_hour_and_customer: f64,
    /// Seconds until a customer of whom that was said gets the next one.
    pub wait_seconds: u32,
    /// Rows of a keyboard; two answers stand in a row when there are more answers than rows.
    pub keyboard_rows: u16,
    /// Characters on a button.
    pub button_text: u16,
    /// Bytes of a picture shown as one: iPhones show 1 MB, others 3 MB.
    pub picture: i64,
    /// The API version from which apps can do without showing what a tapped button sends.
    pub silent_version: u8,
    /// The API version from which apps show cards.
    pub rich_media_version: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_second: 50.0,
            per_hour_and_customer: 100.0,
            wait_seconds: 900,
            keyboard_rows: 12,
            button_text: 250,
            picture: 1024 * 1024,
            silent_version: 6,
            rich_media_version: 7,
        }
    }
}

impl Limits {
    pub(crate) fn wait(&self) -> Duration {
        Duration::from_secs(u64::from(self.wait_seconds))
    }
}

/// A checked Viber account.
#[derive(Debug)]
pub struct ViberSettings {
    /// Signs what comes in and admits what goes out; several while one is being replaced.
    pub auth_tokens: Vec<SecretString>,
    /// See [`ViberSpec::sender`].
    pub sender: SenderSpec,
    /// See [`ViberSpec::welcome`].
    pub welcome: Option<String>,
    /// See [`ViberSpec::limits`].
    pub limits: Limits,
}

impl Settings for ViberSettings {
    type Spec = ViberSpec;

    fn build(spec: ViberSpec, secrets: &Secrets, _raw: &RawAccount) -> Result<Self, AccountError> {
        secrets.require("auth_token")?;
        let name = spec.sender.name.trim();
        if name.is_empty() || name.chars().count() > NAME {
            let problem = format!("is what customers see messages come from: 1 to {NAME} characters");
            return Err(AccountError::new("spec.settings.sender.name", problem));
        }
        if let Some(welcome) = &spec.welcome
            && (welcome.trim().is_empty() || welcome.chars().count() > TEXT)
        {
            let problem = format!("has 1 to {TEXT} characters; leave it out to answer nothing");
            return Err(AccountError::new("spec.settings.welcome", problem));
        }
        let limits = spec.limits;
        above_zero([
            ("limits.per_second", limits.per_second),
            ("limits.per_hour_and_customer", limits.per_hour_and_customer),
            ("limits.keyboard_rows", limits.keyboard_rows.into()),
        ])?;
        Ok(Self {
            auth_tokens: secrets.all("auth_token").to_vec(),
            sender: spec.sender,
            welcome: spec.welcome,
            limits,
        })
    }
}

/// Kinds of content that are shown.
const CONTENT: &str = "text media location contact_card choice card carousel custom";

/// What customers can say and do.
const RECEIVES: &str = "text media.image media.video media.file media.sticker location contact_card selection receipt \
                        consent conversation_start";

/// What an account with these settings can show.
pub(crate) fn capabilities(settings: &ViberSettings) -> Capabilities {
    let limits = &settings.limits;
    let media = [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File, MediaKind::Sticker];
    let rate = |scope, per_second, burst: f64| able::rate(scope, per_second, burst.max(1.0) as i32, "");
    let hourly = limits.per_hour_and_customer;
    Capabilities {
        channel: "viber".to_owned(),
        content: names(CONTENT),
        receives: names(RECEIVES),
        text_limit: limit(TEXT),
        text_unit: TextUnit::Utf16.into(),
        caption_limit: limit(CAPTION),
        choice_limit: i32::from(limits.keyboard_rows) * 2,
        option_title_limit: i32::from(limits.button_text),
        option_actions: names("answer url"),
        card_limit: limit(CARDS),
        card_title_limit: limit(CARD_TITLE),
        card_body_limit: limit(CARD_BODY),
        card_option_limit: limit(CARD_OPTIONS),
        carousel_bare: true,
        media: media
            .map(|kind| able::media(kind, if kind == MediaKind::Sticker { 0 } else { FILE }, ""))
            .into(),
        bare_media: [MediaKind::Audio, MediaKind::File, MediaKind::Sticker].map(Into::into).to_vec(),
        receipts_delivered: true,
        receipts_read: true,
        formats: vec![TextFormat::Plain.into()],
        work_class: "chat".to_owned(),
        rate_per_second: limits.per_second,
        burst: limits.per_second as i32,
        rates: vec![
            rate(RateScope::Account, limits.per_second, limits.per_second),
            rate(RateScope::Recipient, hourly / 3600.0, hourly),
        ],
        ..Capabilities::default()
    }
}
