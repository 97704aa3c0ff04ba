//! What differs between the products.

use heliograph_proto::v1::{
    Capabilities, MediaCapability, MediaKind, RateRule, RateScope, TextFormat, TextUnit, WindowRule,
};

/// One of the two products on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// The channel.
    pub channel: &'static str,
    /// What `object` says in its webhooks.
    pub object: &'static str,
    /// What an account is called in its documents, for refusals.
    pub account: &'static str,
    /// Longest text, in `text_unit`.
    pub text_limit: usize,
    /// Messenger counts characters, Instagram bytes.
    pub text_unit: TextUnit,
    /// Messages may say what they are for, be silent templates and carry data that echoes repeat.
    pub is_messenger: bool,
}

/// Facebook Messenger, for a Page.
pub const MESSENGER: Product = Product {
    channel: "messenger",
    object: "page",
    account: "Page",
    text_limit: 2000,
    text_unit: TextUnit::CodePoints,
    is_messenger: true,
};

/// Instagram messaging, for a professional account.
pub const INSTAGRAM: Product = Product {
    channel: "instagram",
    object: "instagram",
    account: "Instagram account",
    text_limit: 1000,
    text_unit: TextUnit::Bytes,
    is_messenger: false,
};

/// The most answers beside a message.
pub(crate) const QUICK_REPLIES: usize = 13;
/// The most buttons of a card or below a text.
pub(crate) const BUTTONS: usize = 3;
/// Longest title of a button or quick reply, in characters.
pub(crate) const OPTION_TITLE: usize = 20;
/// Longest `payload` of a button or quick reply, in characters.
pub(crate) const PAYLOAD: usize = 1000;
/// Longest text above buttons, in characters.
pub(crate) const BUTTON_TEXT: usize = 640;
/// The most cards side by side.
pub(crate) const CARDS: usize = 10;
/// Longest title and longest text of a card, in characters.
pub(crate) const CARD_TEXT: usize = 80;

/// The kinds of files there are. None has a place for words.
const MEDIA: [MediaKind; 5] =
    [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File, MediaKind::Sticker];

const MEGABYTE: i64 = 1 << 20;

impl Product {
    /// How long a text is as this product counts.
    pub(crate) fn length(&self, text: &str) -> usize {
        match self.text_unit {
            TextUnit::Bytes => text.len(),
            _ => text.chars().count(),
        }
    }

    /// What every account can receive and show; `more` names further kinds of content.
    pub fn capabilities(&self, windows: &[WindowRule], more: &[&str]) -> Capabilities {
        let actions: &[&str] =
            if self.is_messenger { &["answer", "url", "phone"] } else { &["answer", "url"] };
        let content = ["text", "media", "choice", "card", "carousel", "reaction", "custom"];
        Capabilities {
            channel: self.channel.to_owned(),
            content: content.iter().chain(more).map(|kind| (*kind).to_owned()).collect(),
            text_limit: limit(self.text_limit),
            text_unit: self.text_unit.into(),
            choice_limit: limit(QUICK_REPLIES),
            option_title_limit: limit(OPTION_TITLE),
            option_unit: TextUnit::CodePoints.into(),
            option_payload_limit: limit(PAYLOAD - crate::messaging::payload::OVERHEAD),
            option_actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            card_limit: limit(CARDS),
            card_title_limit: limit(CARD_TEXT),
            card_body_limit: limit(CARD_TEXT),
            card_option_limit: limit(BUTTONS),
            carousel_bare: true,
            receives: self.receives(),
            media: self.media(),
            bare_media: MEDIA.map(i32::from).to_vec(),
            receipts_delivered: self.is_messenger,
            receipts_read: true,
            typing_out: true,
            read_marks_out: true,
            replies: true,
            reactions: true,
            formats: vec![TextFormat::Plain.into()],
            work_class: "chat".to_owned(),
            windows: windows.to_vec(),
            rate_per_second: 300.0,
            burst: 300,
            rates: vec![rate(300.0, 300, &[]), rate(10.0, 10, &["media.audio", "media.video"])],
            ..Capabilities::default()
        }
    }

    /// What customers can say and do.
    fn receives(&self) -> Vec<String> {
        let both = [
            "text",
            "media.image",
            "media.audio",
            "media.video",
            "media.file",
            "card",
            "custom",
            "selection",
            "reaction",
            "edit",
            "conversation_start",
            "read_mark",
        ];
        let own: &[&str] = if self.is_messenger {
            &["media.sticker", "location", "consent", "receipt"]
        } else {
            &["deletion"]
        };
        both.iter().chain(own).map(|kind| (*kind).to_owned()).collect()
    }

    fn media(&self) -> Vec<MediaCapability> {
        let takes = |kind: MediaKind, megabytes: i64, types: &[&str]| MediaCapability {
            kind: kind.into(),
            max_bytes: megabytes * MEGABYTE,
            content_types: types.iter().map(|it| (*it).to_owned()).collect(),
        };
        let image = takes(MediaKind::Image, 8, &["image/png", "image/jpeg", "image/gif"]);
        let sticker = takes(MediaKind::Sticker, 8, &[]);
        if self.is_messenger {
            let any = |kind| takes(kind, 25, &[]);
            return vec![image, any(MediaKind::Audio), any(MediaKind::Video), any(MediaKind::File), sticker];
        }
        let audio = ["audio/aac", "audio/mp4", "audio/x-m4a", "audio/m4a", "audio/wav", "audio/x-wav"];
        let video = ["video/mp4", "video/ogg", "video/x-msvideo", "video/quicktime", "video/webm"];
        vec![
            image,
            takes(MediaKind::Audio, 25, &audio),
            takes(MediaKind::Video, 25, &video),
            takes(MediaKind::File, 25, &["application/pdf"]),
            sticker,
        ]
    }
}

fn limit(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}

fn rate(per_second: f64, burst: i32, content: &[&str]) -> RateRule {
    RateRule {
        scope: RateScope::Account.into(),
        per_second,
        burst,
        content: content.iter().map(|kind| (*kind).to_owned()).collect(),
    }
}
