//! A LINE account's settings.

use std::time::Duration;

use heliograph_channel::{
    AccountError, Settings,
    account::{RawAccount, Secrets},
};
use secrecy::SecretString;
use serde::Deserialize;

/// What stands under `spec.settings` of a `line` account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LineSpec {
    /// The channel's number, for access tokens of 15 minutes; needed where no `channel_access_token` is given.
    pub channel_id: Option<String>,
    /// Answer with reply tokens while they are fresh: those messages are free.
    pub reply_tokens: bool,
    /// How long a reply token is used from when it came. LINE says one minute.
    pub reply_token_seconds: u64,
    /// How long the loading indicator shows unless a message comes: 5 to 60, in steps of 5.
    pub loading_seconds: u32,
    /// Mark customers' messages as read. Of use where the account's chat leaves that to us.
    pub mark_as_read: bool,
    /// How long a message can be quoted and marked as read: so long are its tokens kept.
    pub token_days: u64,
    /// Ask LINE to say when a customer has watched a video.
    pub track_videos: bool,
    /// Show the agent's name over their messages.
    pub agent_names: bool,
    /// The still picture of videos that bring none.
    pub video_preview_url: Option<String>,
    /// Where pictures of stickers are; `{id}` stands for the sticker's.
    pub sticker_url: String,
    /// How long a message waits when the month's quota is used up.
    pub quota_wait_seconds: u64,
    /// LINE's limits that may change.
    pub limits: Limits,
}

impl Default for LineSpec {
    fn default() -> Self {
        Self {
            channel_id: None,
            reply_tokens: true,
            // Ten seconds of the minute are for the way there and for clocks.
            reply_token_seconds: 50,
            loading_seconds: 20,
            mark_as_read: true,
            token_days: 7,
            track_videos: false,
            agent_names: false,
            video_preview_url: None,
            sticker_url: "https://stickershop.line-scdn.net/stickershop/v1/sticker/{id}/android/sticker.png"
                .to_owned(),
            quota_wait_seconds: 3600,
            limits: Limits::default(),
        }
    }
}

/// Limits of LINE's that its description does not give.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Text beside two buttons.
    pub confirm_text: usize,
    /// Text of buttons under a picture.
    pub buttons_text_with_picture: usize,
    /// A location's title and its address, each.
    pub location: usize,
    /// What is shown where a message cannot be, such as in a notification.
    pub alt_text: usize,
    /// Options of a list.
    pub list: i32,
    /// Cards of a carousel.
    pub carousel: i32,
    /// Size of an audio file.
    pub audio_bytes: i64,
    /// Requests to one endpoint.
    pub per_second: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            confirm_text: 240,
            buttons_text_with_picture: 60,
            location: 100,
            alt_text: 1500,
            list: 20,
            carousel: 10,
            audio_bytes: 200_000_000,
            per_second: 2000.0,
        }
    }
}

/// A checked LINE account.
#[derive(Debug)]
pub struct LineSettings {
    /// Signing secrets; several while one is being replaced. The first also asks for tokens.
    pub channel_secrets: Vec<SecretString>,
    /// How requests are authorized.
    pub access: Access,
    /// The rest, as it was written.
    pub spec: LineSpec,
}

/// How requests are authorized.
#[derive(Debug)]
pub enum Access {
    /// By a token that was issued in the console.
    Issued(SecretString),
    /// By tokens that this channel, by its number, asks for.
    Stateless(String),
}

impl LineSettings {
    /// How long tokens of messages are kept.
    pub(crate) fn tokens_last(&self) -> Duration {
        Duration::from_hours(24 * self.spec.token_days)
    }
}

impl Settings for LineSettings {
    type Spec = LineSpec;

    fn build(spec: LineSpec, secrets: &Secrets, _raw: &RawAccount) -> Result<Self, AccountError> {
        secrets.require("channel_secret")?;
        let access = match (secrets.all("channel_access_token").first(), &spec.channel_id) {
            (Some(token), _) => Access::Issued(token.clone()),
            (None, Some(id)) => Access::Stateless(id.clone()),
            (None, None) => {
                return Err(AccountError::new(
                    "spec.settings.channel_id",
                    "is missing; add it, or the secret `channel_access_token` with a long-lived token from the console",
                ));
            }
        };
        if !(1..=60).contains(&spec.reply_token_seconds) {
            let problem = "must be 1 to 60: LINE takes a reply token for one minute";
            return Err(AccountError::new("spec.settings.reply_token_seconds", problem));
        }
        if !(1..=365).contains(&spec.token_days) {
            return Err(AccountError::new("spec.settings.token_days", "must be 1 to 365"));
        }
        if !(5..=60).contains(&spec.loading_seconds) || !spec.loading_seconds.is_multiple_of(5) {
            let problem = "must be 5 to 60, in steps of 5";
            return Err(AccountError::new("spec.settings.loading_seconds", problem));
        }
        if spec.video_preview_url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
            let problem = "must begin with `https://`: LINE fetches nothing else";
            return Err(AccountError::new("spec.settings.video_preview_url", problem));
        }
        Ok(Self { channel_secrets: secrets.all("channel_secret").to_vec(), access, spec })
    }
}
