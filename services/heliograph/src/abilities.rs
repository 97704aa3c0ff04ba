//! What each channel can receive and send, and what becomes of the rest: worked out from the code that does it.

mod limits;
mod page;
mod sample;

use heliograph_egress::transcode::transcode;
use heliograph_proto::v1::{Capabilities, Content};
use serde::Serialize;

use crate::channels::{CHANNELS, ChannelRow};

pub use page::page;

/// One channel.
#[derive(Clone, Debug, Serialize)]
pub struct Ability {
    /// Its name.
    pub channel: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What customers can say and do, as `Capabilities.receives` names it.
    pub receives: Vec<String>,
    /// What becomes of each kind of content that is sent.
    pub sends: Vec<Sending>,
    /// Signals to the customer: `typing`, `read marks`.
    pub signals: Vec<&'static str>,
    /// What is told of a message that was sent: `delivered`, `read`.
    pub receipts: Vec<&'static str>,
    /// Limits, rates and windows, in words.
    pub limits: Vec<String>,
    /// A resend after an unknown outcome is safe.
    pub idempotent: bool,
    /// The business may write first.
    pub business_initiated: bool,
}

/// What becomes of one kind of content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sending {
    /// The kind.
    pub kind: &'static str,
    /// Whether it goes out as it is.
    pub native: bool,
    /// In words: `as it is`, `as a list`, `as text`, `not at all`.
    pub how: String,
    /// The reasons' codes, as events carry them.
    pub reasons: Vec<String>,
}

/// Every channel, or the one called `name`.
pub fn all(name: Option<&str>) -> Vec<Ability> {
    CHANNELS.iter().filter(|row| name.is_none_or(|name| row.name == name)).map(ability).collect()
}

fn ability(row: &ChannelRow) -> Ability {
    let able = (row.capabilities)();
    let chosen = |pairs: &[(bool, &'static str)]| {
        pairs.iter().filter(|(has, _)| *has).map(|(_, word)| *word).collect::<Vec<_>>()
    };
    Ability {
        channel: row.name,
        about: row.about,
        sends: sample::every_kind()
            .into_iter()
            .map(|(kind, content)| sending(kind, &content, &able))
            .collect(),
        signals: chosen(&[(able.typing_out, "typing"), (able.read_marks_out, "read marks")]),
        receipts: chosen(&[(able.receipts_delivered, "delivered"), (able.receipts_read, "read")]),
        limits: limits::of(&able),
        idempotent: able.idempotent_send,
        business_initiated: able.business_initiated,
        receives: able.receives,
    }
}

/// Lets egress transcode a sample, and says what came of it.
fn sending(kind: &'static str, content: &Content, able: &Capabilities) -> Sending {
    match transcode(content, able, &|_| None) {
        Ok(done) => {
            let reasons: Vec<String> = done.reasons.into_iter().map(|reason| reason.code).collect();
            let how = reasons.first().map_or_else(|| "as it is".to_owned(), |code| in_words(code));
            Sending { kind, native: reasons.is_empty(), how, reasons }
        }
        Err(refused) => {
            Sending { kind, native: false, how: "not at all".to_owned(), reasons: vec![refused.code] }
        }
    }
}

fn in_words(code: &str) -> String {
    match code.rsplit_once("_to_") {
        Some((_, "text")) => "as text".to_owned(),
        Some((_, "cards")) => "as cards one by one".to_owned(),
        Some((_, other)) => format!("as a {other}"),
        None => match code {
            "transcode.body_split" => "in parts".to_owned(),
            "transcode.markup_removed" => "without its markup".to_owned(),
            other => other.trim_start_matches("transcode.").replace('_', " "),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use heliograph_domain::content::kind_name;

    use super::*;

    #[test]
    fn each_channel_says_what_becomes_of_each_kind() {
        let channels = all(None);
        assert_eq!(channels.len(), CHANNELS.len());
        for channel in &channels {
            assert!(!channel.receives.is_empty(), "{}", channel.channel);
            assert_eq!(channel.sends.len(), 16, "{}", channel.channel);
            assert_eq!(channel.sends[0].how, "as it is", "{} shows text", channel.channel);
        }
        let sms = &all(Some("sms"))[0];
        let of = |kind: &str| sms.sends.iter().find(|sending| sending.kind == kind).unwrap();
        assert_eq!(of("choice").how, "as text");
        assert_eq!(of("choice").reasons, ["transcode.choice_to_text"]);
        assert_eq!(of("deletion").how, "not at all");
    }

    #[test]
    fn the_samples_are_what_they_are_called() {
        for (kind, content) in sample::every_kind() {
            let is = kind_name(content.kind.as_ref().unwrap());
            assert!(kind == is || kind.starts_with(&format!("{is} ")), "{kind} is a {is}");
        }
    }
}
