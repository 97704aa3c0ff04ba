//! What the channel can receive and show.

use heliograph_channel::able::{limit, media, names, rate, window};
use heliograph_proto::v1::{Capabilities, MediaCapability, MediaKind, RateScope, TextFormat, TextUnit};

use crate::settings::WhatsAppSpec;

/// What customers can say and do.
const RECEIVES: &str = "text media.image media.audio media.video media.file media.sticker location contact_card selection \
                        reaction edit deletion custom receipt consent conversation_start address_change";

/// Kinds of content shown natively.
const CONTENT: &str = "text media location contact_card choice list card carousel template reaction custom";

pub(crate) const TEXT: usize = 4096;
pub(crate) const QUESTION: usize = 1024;
pub(crate) const LABEL: usize = 60;
pub(crate) const BUTTON: usize = 20;
pub(crate) const ROW_DESCRIPTION: usize = 72;
pub(crate) const SLIDE: usize = 160;

const MIB: i64 = 1024 * 1024;

/// What an account with these settings can do.
pub(crate) fn of(spec: &WhatsAppSpec) -> Capabilities {
    Capabilities {
        channel: "whatsapp".to_owned(),
        receives: names(RECEIVES),
        content: names(CONTENT),
        text_limit: limit(TEXT),
        text_unit: TextUnit::CodePoints.into(),
        caption_limit: spec.caption_limit.into(),
        choice_limit: 3,
        choice_body_limit: limit(QUESTION),
        option_title_limit: limit(BUTTON),
        option_actions: names("answer url ask_location"),
        // Of a list's row; a button takes more. An id with a payload behind it is up to eight longer than both.
        option_payload_limit: 200 - 8,
        list_limit: 10,
        list_body_limit: spec.list_body_limit.into(),
        list_title_limit: 24,
        list_section_limit: 24,
        card_limit: 10,
        carousel_least: 2,
        card_title_limit: limit(LABEL),
        // Title and body share a slide's text; title, bold marks and line break take the rest.
        card_body_limit: limit(SLIDE - LABEL - 3),
        card_option_limit: 3,
        carousel_body_limit: limit(QUESTION),
        footer_limit: limit(LABEL),
        list_header_limit: limit(LABEL),
        list_button_limit: limit(BUTTON),
        media: files(),
        bare_media: vec![MediaKind::Audio.into(), MediaKind::Sticker.into()],
        receipts_delivered: true,
        receipts_read: true,
        typing_out: true,
        read_marks_out: true,
        replies: true,
        reactions: true,
        windows: vec![window("message", i64::from(spec.window_hours) * 3600)],
        formats: vec![TextFormat::Plain.into()],
        work_class: "chat".to_owned(),
        business_initiated: true,
        rate_per_second: spec.per_second,
        burst: spec.per_second.ceil() as i32,
        rates: vec![rate(RateScope::Recipient, 1.0 / spec.pair_seconds, spec.pair_burst.into(), "")],
        ..Capabilities::default()
    }
}

/// Files by kind, with their largest size and the types taken.
fn files() -> Vec<MediaCapability> {
    let office = "application/vnd.openxmlformats-officedocument";
    let documents = format!(
        "text/plain application/pdf application/msword {office}.wordprocessingml.document \
         application/vnd.ms-excel {office}.spreadsheetml.sheet \
         application/vnd.ms-powerpoint {office}.presentationml.presentation"
    );
    let audio = "audio/aac audio/amr audio/mpeg audio/mp4 audio/ogg";
    let mut audio = media(MediaKind::Audio, 16 * MIB, audio);
    audio.content_types.push("audio/ogg; codecs=opus".to_owned());
    vec![
        media(MediaKind::Image, 5 * MIB, "image/jpeg image/png"),
        audio,
        media(MediaKind::Video, 16 * MIB, "video/mp4 video/3gpp"),
        media(MediaKind::File, 100 * MIB, &documents),
        // 100 KB where it does not move.
        media(MediaKind::Sticker, 500 * 1024, "image/webp"),
    ]
}
