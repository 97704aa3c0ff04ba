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
#[serde(deny_unknown_fields)]
pub struct LineSpec {
    /// The channel's number, for access tokens of 15 minutes; needed where no `channel_access_token` is given.
    pub channel_id: Option<String>,
    /// Answer with reply tokens while they are fresh: those messages are free.
    #[serde(default = "yes")]
    pub reply_tokens: bool,
    /// How long a reply token is used from when it came. LINE says one minute.
    #[serde(default = "reply_token_seconds")]
    pub reply_token_seconds: u64,
    /// How long the loading indicator shows unless a message comes: 5 to 60, in steps of 5.
    #[serde(default = "loading_seconds")]
    pub loading_seconds: u32,
    /// Mark a chat as read; LINE opens this to partners only.
    #[serde(default)]
    pub mark_as_read: bool,
    /// Ask LINE to say when a customer has watched a video.
    #[serde(default)]
    pub track_videos: bool,
    /// Show the agent's name over their messages.
    #[serde(default)]
    pub agent_names: bool,
    /// The still picture of videos that bring none.
    pub video_preview_url: Option<String>,
    /// Where pictures of stickers are; `{id}` stands for the sticker's.
    #[serde(default = "sticker_url")]
    pub sticker_url: String,
    /// How long a message waits when the month's quota is used up.
    #[serde(default = "quota_wait_seconds")]
    pub quota_wait_seconds: u64,
    /// LINE's limits that may change.
    #[serde(default)]
    pub limits: Limits,
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

fn yes() -> bool {
    true
}

/// Ten seconds of the minute are for the way there and for clocks.
fn reply_token_seconds() -> u64 {
    50
}

fn loading_seconds() -> u32 {
    20
}

fn quota_wait_seconds() -> u64 {
    3600
}

fn sticker_url() -> String {
    "https://stickershop.line-scdn.net/stickershop/v1/sticker/{id}/android/sticker.png".to_owned()
}

/// A checked LINE account.
#[derive(Debug)]
pub struct LineSettings {
    /// Signing secrets; several while one is being replaced. The first also asks for tokens.
    pub channel_secrets: Vec<SecretString>,
    /// How requests are authorized.
    pub access: Access,
    /// How long reply tokens are used; `None`: they are not.
    pub reply_tokens: Option<Duration>,
    /// See [`LineSpec::loading_seconds`].
    pub loading_seconds: u32,
    /// See [`LineSpec::mark_as_read`].
    pub mark_as_read: bool,
    /// See [`LineSpec::track_videos`].
    pub track_videos: bool,
    /// See [`LineSpec::agent_names`].
    pub agent_names: bool,
    /// See [`LineSpec::video_preview_url`].
    pub video_preview_url: Option<String>,
    /// See [`LineSpec::sticker_url`].
    pub sticker_url: String,
    /// See [`LineSpec::quota_wait_seconds`].
    pub quota_wait: Duration,
    /// See [`LineSpec::limits`].
    pub limits: Limits,
}

/// How requests are authorized.
#[derive(Debug)]
pub enum Access {
    /// By a token that was issued in the console.
    Issued(SecretString),
    /// By tokens that this channel, by its number, asks for.
    Stateless(String),
}

impl Settings for LineSettings {
    type Spec = LineSpec;

    fn build(spec: LineSpec, secrets: &Secrets, _raw: &RawAccount) -> Result<Self, AccountError> {
        secrets.require("channel_secret")?;
        let access = match (secrets.all("channel_access_token").first(), spec.channel_id) {
            (Some(token), _) => Access::Issued(token.clone()),
            (None, Some(id)) => Access::Stateless(id),
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
        if !(5..=60).contains(&spec.loading_seconds) || !spec.loading_seconds.is_multiple_of(5) {
            let problem = "must be 5 to 60, in steps of 5";
            return Err(AccountError::new("spec.settings.loading_seconds", problem));
        }
        if spec.video_preview_url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
            let problem = "must begin with `https://`: LINE fetches nothing else";
            return Err(AccountError::new("spec.settings.video_preview_url", problem));
        }
        Ok(Self {
            channel_secrets: secrets.all("channel_secret").to_vec(),
            access,
            reply_tokens: spec.reply_tokens.then(|| Duration::from_secs(spec.reply_token_seconds)),
            loading_seconds: spec.loading_seconds,
            mark_as_read: spec.mark_as_read,
            track_videos: spec.track_videos,
            agent_names: spec.agent_names,
            video_preview_url: spec.video_preview_url,
            sticker_url: spec.sticker_url,
            quota_wait: Duration::from_secs(spec.quota_wait_seconds),
            limits: spec.limits,
        })
    }
}
