//! The bottle: bring your own channel.
//!
//! Whatever can post signed JSON is a channel: a satellite gateway, a ticket machine, the in-house messenger. Both
//! ways are signed by [Standard Webhooks](https://www.standardwebhooks.com), for which every language has a library.
//!
//! - **In**: the other side posts events to `/bottle/<account>` (see `inbound`).
//! - **Out**: we post messages to the account's `url` in our own JSON (see `outbound`), or, for third parties with
//!   an API of their own, in the shape that the account's template gives (see `template`).
//!
//! This crate is also the example for writing a channel: settings, inbound, outbound, and fixtures that the
//! conformance suite plays.

mod answer;
mod inbound;
mod letter;
mod outbound;
mod payload;
mod placeholder;
mod reading;
mod rule;
mod settings;
mod template;

pub use settings::{BottleSettings, Spec};

use heliograph_channel::{Account, Channel};
use heliograph_proto::v1::{Capabilities, MediaCapability, MediaKind, TextFormat, TextUnit};

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bottle;

/// Every kind of content: what the other side cannot show, it finds as text beside it.
const EVERYTHING: [&str; 15] = [
    "text",
    "media",
    "location",
    "contact_card",
    "choice",
    "list",
    "card",
    "carousel",
    "template",
    "reaction",
    "edit",
    "deletion",
    "call_signal",
    "custom",
    "selection",
];

/// What the other side tells beside messages.
const REPORTS: [&str; 3] = ["receipt", "typing", "consent"];

/// A kind as `Capabilities.receives` names it.
fn received(kind: &str) -> Vec<String> {
    match kind {
        "media" => {
            ["image", "audio", "video", "file", "sticker"].map(|word| format!("media.{word}")).to_vec()
        }
        kind => vec![kind.to_owned()],
    }
}

impl Channel for Bottle {
    type Settings = BottleSettings;

    fn name(&self) -> &'static str {
        "bottle"
    }

    fn capabilities(&self, account: &Account<BottleSettings>) -> Capabilities {
        let settings = &account.settings;
        // A template says what it can show by the placeholders it uses.
        let (content, own_protocol): (&[&str], bool) = match settings.template() {
            None => (&EVERYTHING, true),
            Some(template) if template.takes_content() => (&EVERYTHING, false),
            Some(_) => (&["text"], false),
        };
        let rich = content.len() > 1;
        Capabilities {
            channel: self.name().to_owned(),
            content: content.iter().map(|&kind| kind.to_owned()).collect(),
            text_limit: settings.text_limit(),
            text_unit: TextUnit::CodePoints.into(),
            media: if rich { every_media() } else { Vec::new() },
            formats: vec![TextFormat::Plain.into()],
            receives: EVERYTHING.iter().chain(&REPORTS).flat_map(|&kind| received(kind)).collect(),
            receipts_delivered: true,
            receipts_read: true,
            typing_in: true,
            typing_out: own_protocol,
            replies: rich,
            reactions: rich,
            edits: rich,
            deletions: rich,
            // `webhook-id` is the delivery's id on every attempt: the other side can tell a repeat.
            idempotent_send: own_protocol || settings.template().is_some_and(|template| template.idempotent),
            work_class: "async".to_owned(),
            business_initiated: true,
            ..Capabilities::default()
        }
    }
}

fn every_media() -> Vec<MediaCapability> {
    [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File, MediaKind::Sticker]
        .map(|kind| MediaCapability { kind: kind.into(), ..MediaCapability::default() })
        .into()
}
