//! What Telegram posts, as far as it is read. What is not named here stays in `other`.
#![allow(clippy::struct_field_names, reason = "fields are called what Telegram calls them")]

use serde::Deserialize;
use serde_json::{Map, Value};

/// A message, or what happened in a chat.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    pub message_id: i64,
    #[serde(default)]
    pub date: i64,
    pub chat: Chat,
    pub from: Option<User>,
    pub sender_chat: Option<Chat>,
    pub sender_business_bot: Option<User>,
    pub business_connection_id: Option<String>,
    pub message_thread_id: Option<i64>,
    #[serde(default)]
    pub is_topic_message: bool,
    #[serde(default)]
    pub is_automatic_forward: bool,
    pub edit_date: Option<i64>,
    pub media_group_id: Option<String>,
    pub reply_to_message: Option<Named>,
    pub quote: Option<Quote>,
    pub forward_origin: Option<Value>,
    pub text: Option<String>,
    #[serde(default)]
    pub entities: Vec<Entity>,
    #[serde(default)]
    pub caption: String,
    pub photo: Option<Vec<File>>,
    pub animation: Option<File>,
    pub audio: Option<File>,
    pub document: Option<File>,
    pub sticker: Option<File>,
    pub video: Option<File>,
    pub video_note: Option<File>,
    pub voice: Option<File>,
    pub venue: Option<Venue>,
    pub location: Option<Place>,
    pub contact: Option<Contact>,
    pub migrate_to_chat_id: Option<i64>,
    pub migrate_from_chat_id: Option<i64>,
    pub reply_markup: Option<Keyboard>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Chat {
    pub id: i64,
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
}

impl Chat {
    pub(crate) fn is_private(&self) -> bool {
        self.kind == "private"
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub id: i64,
    pub is_bot: bool,
    pub first_name: String,
    pub last_name: String,
    pub username: String,
    pub language_code: String,
}

impl User {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

/// Another message that this one is about, as far as it names it.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub message_id: i64,
    pub from: Option<User>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Quote {
    pub text: String,
}

/// A span of a text, in UTF-16 units.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entity {
    #[serde(rename = "type")]
    pub kind: String,
    pub offset: usize,
    pub length: usize,
    pub url: String,
    pub language: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    pub file_id: String,
    pub mime_type: String,
    pub file_name: String,
    pub file_size: i64,
    /// Seconds.
    pub duration: i64,
    pub width: i32,
    pub height: i32,
    /// Of a sticker.
    pub emoji: String,
    pub is_animated: bool,
    pub is_video: bool,
    /// Of a piece of music.
    pub performer: String,
    pub title: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    pub latitude: f64,
    pub longitude: f64,
    pub horizontal_accuracy: f64,
    /// Seconds from the message's date.
    pub live_period: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Venue {
    pub location: Place,
    pub title: String,
    pub address: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Contact {
    pub phone_number: String,
    pub first_name: String,
    pub last_name: String,
    pub user_id: Option<i64>,
    pub vcard: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Keyboard {
    pub inline_keyboard: Vec<Vec<Button>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Button {
    pub text: String,
    pub callback_data: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CallbackQuery {
    pub from: User,
    /// The message with the buttons, of which little may be left.
    pub message: Option<Message>,
    pub data: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Reacted {
    pub chat: Chat,
    pub message_id: i64,
    pub user: Option<User>,
    #[serde(default)]
    pub date: i64,
    #[serde(default)]
    pub old_reaction: Vec<Emoji>,
    #[serde(default)]
    pub new_reaction: Vec<Emoji>,
}

/// `emoji` is absent where it is one that somebody drew.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Emoji {
    pub emoji: Option<String>,
    pub custom_emoji_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Deleted {
    pub business_connection_id: String,
    pub chat: Chat,
    pub message_ids: Vec<i64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MemberUpdated {
    pub chat: Chat,
    pub from: User,
    #[serde(default)]
    pub date: i64,
    pub old_chat_member: Member,
    pub new_chat_member: Member,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Member {
    pub status: String,
}
