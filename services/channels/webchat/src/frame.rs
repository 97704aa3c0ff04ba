//! What the widget says: JSON text frames, told apart by `t`. Unknown kinds are ignored, unknown fields too: a newer
//! widget may say more.

use serde::Deserialize;
use url::Url;

use crate::identity::Claim;

/// The sub-protocol of the connection.
pub(crate) const SUBPROTOCOL: &str = "heliograph.chat.v1";
/// Largest frame a client may send, in bytes.
pub(crate) const LARGEST: usize = 64 * 1024;
/// Files one message may have.
const FILES: usize = 10;
/// Longest id a client may use.
const LONGEST_ID: usize = 128;

/// Close codes.
pub(crate) mod close {
    /// Nothing was heard for too long.
    pub(crate) const IDLE: u16 = 1001;
    /// The server restarts: come back a little later.
    pub(crate) const RESTART: u16 = 1012;
    /// Something of ours is away: come back.
    pub(crate) const TRY_AGAIN: u16 = 1013;
    /// A frame that cannot be read.
    pub(crate) const BAD_FRAME: u16 = 4400;
    /// The token or identity is refused.
    pub(crate) const AUTH: u16 = 4401;
    /// No hello in time.
    pub(crate) const HELLO_TIMEOUT: u16 = 4408;
    /// A newer connection of the visitor took over.
    pub(crate) const REPLACED: u16 = 4409;
    /// Too fast.
    pub(crate) const RATE: u16 = 4429;
}

/// A frame from the widget.
#[derive(Debug, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub(crate) enum Frame {
    /// The first one.
    Hello(Hello),
    /// Something said.
    Msg(Msg),
    /// The visitor types, or stopped.
    Typing {
        /// Whether they do.
        #[serde(default)]
        on: bool,
    },
    /// The visitor saw everything up to here.
    Read {
        /// A number of the log.
        up_to: u64,
    },
    /// The widget holds everything up to here.
    Got {
        /// A number of the log.
        up_to: u64,
    },
    /// Something is missing: send what follows again.
    Sync {
        /// A number of the log.
        after: u64,
    },
    /// Is anybody there?
    Ping,
    /// Something newer than us.
    #[serde(other)]
    Unknown,
}

/// Who comes, and how far they are.
#[derive(Debug, Deserialize)]
pub(crate) struct Hello {
    /// Version of the protocol.
    pub v: u32,
    /// A token from an earlier welcome.
    #[serde(default)]
    pub resume: Option<String>,
    /// Number of the last entry the widget has.
    #[serde(default)]
    pub last_seq: u64,
    /// What the page says of its visitor.
    #[serde(default)]
    pub identity: Option<Claim>,
    /// The page.
    #[serde(default)]
    pub page: Page,
}

/// The page the widget is on. What a browser says: not verified.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Page {
    /// Its address.
    pub url: String,
    /// BCP 47.
    pub locale: String,
}

impl Page {
    /// The address without user, query and fragment, which can hold secrets; empty when it is no web address.
    pub(crate) fn bare_url(&self) -> String {
        let Ok(mut url) = Url::parse(&self.url) else { return String::new() };
        if !matches!(url.scheme(), "http" | "https") || self.url.len() > 2048 {
            return String::new();
        }
        url.set_query(None);
        url.set_fragment(None);
        // Fails only for addresses that cannot have any.
        let _ = (url.set_username(""), url.set_password(None));
        url.into()
    }

    /// The locale if it looks like one.
    pub(crate) fn sound_locale(&self) -> &str {
        let sound = self.locale.len() <= 35
            && self.locale.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if sound { &self.locale } else { "" }
    }
}

/// Something said.
#[derive(Debug, Deserialize)]
pub(crate) struct Msg {
    /// The widget's id, the same over every repetition.
    pub cid: String,
    /// Text.
    #[serde(default)]
    pub text: String,
    /// Upload ids.
    #[serde(default)]
    pub attachments: Vec<String>,
    /// The answer that was chosen.
    #[serde(default)]
    pub choice: Option<Choice>,
    /// The message this answers.
    #[serde(default)]
    pub reply_to: Option<String>,
}

/// An answer that was chosen.
#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    /// Of the button.
    pub id: String,
    /// What stood on it.
    #[serde(default)]
    pub title: String,
}

impl Msg {
    /// Why it cannot be taken: a code the widget knows and a text; nothing when it can.
    pub(crate) fn problem(&self, text_chars: usize) -> Option<(&'static str, String)> {
        if self.text.chars().count() > text_chars {
            return Some(("text_too_long", format!("the text is longer than {text_chars} characters")));
        }
        let bad = |problem: &str| Some(("bad_frame", problem.to_owned()));
        if self.text.trim().is_empty() && self.attachments.is_empty() && self.choice.is_none() {
            return bad("the message is empty");
        }
        if self.attachments.len() > FILES {
            return bad("the message has too many files");
        }
        let choice = self.choice.iter().flat_map(|choice| [&choice.id, &choice.title]);
        if self.reply_to.iter().chain(choice).any(|text| text.len() > 1024) {
            return bad("an id is too long");
        }
        None
    }

    /// Whether the cid can be one.
    pub(crate) fn has_sound_cid(&self) -> bool {
        !self.cid.is_empty()
            && self.cid.len() <= LONGEST_ID
            && self.cid.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_a_newer_widget_says_disturbs_nobody() {
        let frame = serde_json::from_str(r#"{"t":"poll","x":1}"#).unwrap();
        assert!(matches!(frame, Frame::Unknown));
        let hello = serde_json::from_str(r#"{"t":"hello","v":1,"new":{"a":1}}"#).unwrap();
        assert!(matches!(hello, Frame::Hello(Hello { last_seq: 0, resume: None, .. })));
        assert!(serde_json::from_str::<Frame>(r#"{"no":"t"}"#).is_err());
    }

    #[test]
    fn pages_lose_what_may_be_secret() {
        let page = |url: &str| Page { url: url.to_owned(), ..Page::default() }.bare_url();
        assert_eq!(page("https://u:p@shop.test/cart?token=1#x"), "https://shop.test/cart");
        assert_eq!(page("javascript:alert(1)"), "");
        assert_eq!(page("nonsense"), "");
    }

    #[test]
    fn messages_are_bounded() {
        let msg = |json: &str| serde_json::from_str::<Msg>(json).unwrap();
        assert_eq!(msg(r#"{"cid":"c","text":"ä"}"#).problem(1), None);
        assert_eq!(msg(r#"{"cid":"c","text":"äö"}"#).problem(1).unwrap().0, "text_too_long");
        assert_eq!(msg(r#"{"cid":"c","text":" "}"#).problem(10).unwrap().0, "bad_frame");
        assert!(!msg(r#"{"cid":"a b"}"#).has_sound_cid());
        assert!(!msg(r#"{"cid":""}"#).has_sound_cid());
    }
}
