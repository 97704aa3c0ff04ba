//! Text with placeholders: `Hello {{to|url}}`.
//!
//! A placeholder is a name and an encoder, nothing more: no logic, no loops. The encoder makes it impossible for a
//! customer's or agent's text to change the shape of a request; it may be left out of nothing.
//!
//! | encoder | what it makes of the value |
//! | --- | --- |
//! | `json` | a JSON value: texts with their quotes, `content` as the object it is |
//! | `url` | percent-encoded, for a path, a query or a form |
//! | `xml` | escaped, for an element or an attribute in quotes |
//! | `plain` | as it is: for our own ids and for secrets alone |

use std::borrow::Cow;

use heliograph_channel::{AccountError, Delivery, Secrets};
use heliograph_proto::v1::Content;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use url::form_urlencoded;

use crate::letter;

/// A template, parsed.
#[derive(Debug)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Debug)]
enum Part {
    Literal(String),
    Value(Name, Encoder),
    Secret(SecretString, Encoder),
}

/// Where a pattern stands; not every placeholder may stand everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Url,
    Header,
    Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Text,
    Content,
    To,
    /// `to` without its leading `+`.
    ToNoPlus,
    Thread,
    ReplyTo,
    MessageId,
    DeliveryId,
    Correlation,
}

const NAMES: [(&str, Name); 9] = [
    ("text", Name::Text),
    ("content", Name::Content),
    ("to", Name::To),
    ("to_no_plus", Name::ToNoPlus),
    ("thread", Name::Thread),
    ("reply_to", Name::ReplyTo),
    ("message_id", Name::MessageId),
    ("delivery_id", Name::DeliveryId),
    ("correlation", Name::Correlation),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoder {
    Json,
    Url,
    Xml,
    Plain,
}

const ENCODERS: [(&str, Encoder); 4] =
    [("json", Encoder::Json), ("url", Encoder::Url), ("xml", Encoder::Xml), ("plain", Encoder::Plain)];

impl Pattern {
    /// Parses `source`, which stands at `field` of the resource.
    pub(crate) fn parse(
        field: &str,
        source: &str,
        place: Place,
        secrets: &Secrets,
    ) -> Result<Self, AccountError> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((literal, opened)) = rest.split_once("{{") {
            let Some((placeholder, behind)) = opened.split_once("}}") else {
                return Err(AccountError::new(
                    field,
                    "a placeholder is opened by `{{` and never closed by `}}`",
                ));
            };
            parts.push(Part::Literal(literal.to_owned()));
            let part = parse_placeholder(placeholder.trim(), place, secrets);
            parts.push(part.map_err(|problem| {
                AccountError::new(field, format!("`{{{{{}}}}}` {problem}", placeholder.trim()))
            })?);
            rest = behind;
        }
        parts.push(Part::Literal(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Fills the placeholders in.
    pub(crate) fn fill(&self, delivery: &Delivery<'_>) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => filled.push_str(literal),
                Part::Value(name, encoder) => filled.push_str(&encoder.encode(*name, &name.value(delivery))),
                Part::Secret(secret, encoder) => {
                    filled.push_str(&encoder.encode(Name::Text, secret.expose_secret()));
                }
            }
        }
        filled
    }

    /// Whether the whole content, and not its text alone, goes out.
    pub(crate) fn takes_content(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Value(Name::Content, _)))
    }

    /// Whether a secret is part of it.
    pub(crate) fn holds_secret(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Secret(..)))
    }
}

fn parse_placeholder(placeholder: &str, place: Place, secrets: &Secrets) -> Result<Part, String> {
    let Some((name, encoder)) = placeholder.split_once('|') else {
        return Err("has no encoder; write e.g. `{{text|json}}`".to_owned());
    };
    let (name, encoder) = (name.trim(), encoder.trim());
    let encoder = look_up(&ENCODERS, encoder)
        .ok_or_else(|| format!("has an unknown encoder; the encoders are {}", list(&ENCODERS)))?;
    if let Some(secret) = name.strip_prefix("secret.") {
        if place == Place::Url {
            return Err("puts a secret into the URL, where logs and proxies see it; use a header".to_owned());
        }
        let secret = secrets.require(secret).map_err(|error| error.to_string())?;
        return Ok(Part::Secret(secret.clone(), encoder));
    }
    let name = look_up(&NAMES, name)
        .ok_or_else(|| format!("is unknown; there are {} and `secret.<name>`", list(&NAMES)))?;
    match (name, encoder) {
        (Name::MessageId | Name::DeliveryId, _) => {}
        (_, Encoder::Plain) => {
            return Err("would let its value change the request; use json, url or xml".to_owned());
        }
        (Name::Content, Encoder::Url | Encoder::Xml) => return Err("can only be encoded as json".to_owned()),
        (_, Encoder::Json | Encoder::Xml) if place == Place::Url => {
            return Err("stands in a URL and so needs the encoder url".to_owned());
        }
        _ => {}
    }
    Ok(Part::Value(name, encoder))
}

impl Name {
    fn value<'a>(self, delivery: &Delivery<'a>) -> Cow<'a, str> {
        let message = delivery.message;
        let user_id = message.address.as_ref().map_or("", |address| address.user_id.as_str());
        match self {
            Self::Text => message.content.as_ref().map(letter::text).unwrap_or_default().into(),
            Self::Content => {
                letter::canonical(message.content.as_ref().unwrap_or(&Content::default())).to_string().into()
            }
            Self::To => user_id.into(),
            Self::ToNoPlus => user_id.strip_prefix('+').unwrap_or(user_id).into(),
            Self::Thread => message.address.as_ref().map_or("", |address| address.thread.as_str()).into(),
            Self::ReplyTo => message.reply_to.as_ref().map_or("", letter::target).into(),
            Self::MessageId => message.id.as_str().into(),
            Self::DeliveryId => delivery.delivery_id.into(),
            Self::Correlation => delivery.correlation.into(),
        }
    }
}

impl Encoder {
    fn encode(self, name: Name, value: &str) -> String {
        match self {
            Self::Json if name == Name::Content => value.to_owned(),
            Self::Json => json!(value).to_string(),
            Self::Url => {
                form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
            }
            Self::Xml => value.chars().fold(String::new(), |mut escaped, character| {
                match character {
                    '&' => escaped.push_str("&amp;"),
                    '<' => escaped.push_str("&lt;"),
                    '>' => escaped.push_str("&gt;"),
                    '"' => escaped.push_str("&quot;"),
                    '\'' => escaped.push_str("&apos;"),
                    // XML 1.0 has no way to write these (2.2).
                    control if control.is_control() && !matches!(control, '\t' | '\n' | '\r') => {}
                    other => escaped.push(other),
                }
                escaped
            }),
            Self::Plain => value.to_owned(),
        }
    }
}

fn look_up<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

fn list<T>(table: &[(&str, T)]) -> String {
    table.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use heliograph_channel::{Delivery, Secrets};
    use heliograph_domain::content;
    use heliograph_proto::v1::{Address, Message};

    use super::{Pattern, Place};

    fn parse(source: &str, place: Place) -> Result<Pattern, String> {
        let mut secrets = Secrets::default();
        secrets.add("token", "s3cret".into());
        Pattern::parse("body", source, place, &secrets).map_err(|error| error.to_string())
    }

    fn fill(source: &str, text: &str) -> String {
        let message = Message {
            id: "msg_1".to_owned(),
            content: Some(content::text(text)),
            address: Some(Address { user_id: "+1 5/6".to_owned(), ..Address::default() }),
            ..Message::default()
        };
        let delivery = Delivery::new(&message, "dlv_1", "c", 0);
        parse(source, Place::Body).unwrap().fill(&delivery)
    }

    #[test]
    fn values_cannot_leave_their_place() {
        assert_eq!(fill(r#"{"t":{{text|json}}}"#, "\",\"x\":\"\n"), "{\"t\":\"\\\",\\\"x\\\":\\\"\\n\"}");
        assert_eq!(fill("a={{text|url}}&b=1", "1&b=2 é"), "a=1%26b%3D2%20%C3%A9&b=1");
        assert_eq!(fill("<t>{{text|xml}}</t>", "</t>\u{0}&\"'"), "<t>&lt;/t&gt;&amp;&quot;&apos;</t>");
        assert_eq!(
            fill("{{to|url}} {{to_no_plus|url}} {{message_id|plain}}", ""),
            "%2B1%205%2F6 1%205%2F6 msg_1"
        );
        assert_eq!(fill("{{content|json}}", "hi"), r#"{"text":{"body":"hi","format":"TEXT_FORMAT_PLAIN"}}"#);
        assert_eq!(fill("{{secret.token|plain}}", ""), "s3cret");
    }

    #[test]
    fn what_is_not_safe_is_refused_when_the_account_is_loaded() {
        for (source, place, problem) in [
            ("{{text}}", Place::Body, "has no encoder"),
            ("{{text|raw}}", Place::Body, "unknown encoder"),
            ("{{text|plain}}", Place::Body, "would let its value change the request"),
            ("{{text|json}}", Place::Url, "needs the encoder url"),
            ("{{txt|json}}", Place::Body, "is unknown"),
            ("{{content|url}}", Place::Body, "can only be encoded as json"),
            ("{{secret.token|url}}", Place::Url, "puts a secret into the URL"),
            ("{{secret.other|plain}}", Place::Header, "spec.secrets.other: is missing"),
            ("{{text|json", Place::Body, "never closed"),
        ] {
            let error = parse(source, place).unwrap_err();
            assert!(error.contains(problem), "{source}: {error}");
        }
    }
}
