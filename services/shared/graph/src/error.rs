//! The body every refused call is answered with.

use heliograph_channel::json::integer;
use serde_json::Value;

/// What the provider says went wrong. Statuses and titles change; the code is what to go by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphError {
    /// `error.code`.
    pub code: i64,
    /// `error.error_subcode`; 0 when there is none.
    pub subcode: i64,
    /// `error.type`, e.g. `OAuthException`.
    pub kind: String,
    /// `error.message`, with `error.error_data.details` behind it; without tokens.
    pub message: String,
    /// `error.is_transient`.
    pub transient: bool,
    /// `error.fbtrace_id`, which the provider's support asks for.
    pub trace: String,
}

impl GraphError {
    /// Reads `{"error": {…}}`; `None` when the body is anything else.
    pub fn read(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        Self::of(&body["error"])
    }

    /// Reads the object itself, as webhooks have it in their `errors`.
    pub fn of(error: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
        let mut message = text(&error["message"]);
        if message.is_empty() {
            message = text(&error["title"]);
        }
        let details = text(&error["error_data"]["details"]);
        if !details.is_empty() && details != message {
            message = if message.is_empty() { details } else { format!("{message}: {details}") };
        }
        Some(Self {
            code: integer(&error["code"])?,
            subcode: integer(&error["error_subcode"]).unwrap_or(0),
            kind: text(&error["type"]),
            message: without_tokens(&message),
            transient: error["is_transient"].as_bool().unwrap_or(false),
            trace: text(&error["fbtrace_id"]),
        })
    }

    /// The code as outcomes carry it: `190`, or with a subcode `190/463`.
    pub fn name(&self) -> String {
        if self.subcode == 0 { self.code.to_string() } else { format!("{}/{}", self.code, self.subcode) }
    }
}

/// No word is as long as this; access tokens are, and some messages repeat the one they refuse.
const LONGEST_WORD: usize = 40;

fn without_tokens(message: &str) -> String {
    let plain = |word: &str| word.chars().take_while(char::is_ascii_alphanumeric).count() < LONGEST_WORD;
    let token = |word: &str| word.starts_with("EAA") || word.starts_with("IGAA") || !plain(word);
    let words = message.split(' ').map(|word| if token(word) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
