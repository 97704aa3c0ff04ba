//! What an option does when it is tapped.

use heliograph_channel::{Outcome, offers::label, postback};
use heliograph_proto::v1::{Option as Answer, option::Action};
use serde_json::{Value, json};

/// Longest label, in grapheme clusters.
pub(crate) const LABEL_LIMIT: i32 = 20;
/// Longest payload with its option's id: what a postback carries less the message's id and the marks between.
pub(crate) const PAYLOAD_LIMIT: i32 = 256;
/// The most a postback carries, in UTF-16 units.
const DATA_LIMIT: usize = 300;
const URL_LIMIT: usize = 1000;
/// LINE's own page for sending a location; the action of that name is for quick replies alone.
const LOCATION_PAGE: &str = "https://line.me/R/nv/location/";

/// Where an option stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a row above the keyboard.
    QuickReply,
    /// On a message.
    Button,
}

/// The action of an option of the message `message_id`.
pub(super) fn action(message_id: &str, option: &Answer, place: Place) -> Result<Value, Outcome> {
    let label = label(option);
    Ok(match &option.action {
        Some(Action::Url(url)) => json!({ "type": "uri", "label": label, "uri": short_enough(url)? }),
        Some(Action::Phone(phone)) => json!({ "type": "uri", "label": label, "uri": format!("tel:{phone}") }),
        Some(Action::AskLocation(_)) if place == Place::QuickReply => {
            json!({ "type": "location", "label": label })
        }
        Some(Action::AskLocation(_)) => json!({ "type": "uri", "label": label, "uri": LOCATION_PAGE }),
        Some(Action::Answer(_)) | None => {
            let data = postback::encode(message_id, option, DATA_LIMIT).ok_or_else(|| {
                let text = format!("the option `{label}` carries more than {DATA_LIMIT} characters");
                Outcome::permanent("option_payload_too_long", text)
            })?;
            json!({ "type": "postback", "label": label, "data": data, "displayText": label })
        }
    })
}

/// An action that opens a page.
pub(super) fn open(url: &str) -> Result<Value, Outcome> {
    Ok(json!({ "type": "uri", "uri": short_enough(url)? }))
}

fn short_enough(url: &str) -> Result<&str, Outcome> {
    if url.chars().count() > URL_LIMIT {
        let text = format!("a link has more than {URL_LIMIT} characters");
        return Err(Outcome::permanent("url_too_long", text));
    }
    Ok(url)
}
