//! Telegram's entities as Markdown, and Markdown as entities.
//!
//! Entities rather than a `parse_mode`: nothing in a text can be taken for markup by mistake, and a text's length is what
//! the customer reads. Offsets are UTF-16 units.

use heliograph_channel::{
    json::{owned, text as of, without_empty},
    markdown::{self, Mark, Span},
};
use heliograph_domain::limits::measure;
use heliograph_proto::v1::{Text, TextFormat, TextUnit};
use serde_json::{Value, json};

/// A received text: Markdown where it is marked up, and plain otherwise.
pub(crate) fn to_text<'a>(text: &str, entities: impl Iterator<Item = &'a Value>) -> Text {
    let spans: Vec<Span> = entities.filter_map(|entity| span(text, entity)).collect();
    let (body, format) = if spans.is_empty() {
        (text.to_owned(), TextFormat::Plain)
    } else {
        (markdown::write(text, &spans), TextFormat::Markdown)
    };
    Text { body, format: format.into(), ..Text::default() }
}

fn span(text: &str, entity: &Value) -> Option<Span> {
    let mark = match of(entity, "type") {
        "text_link" => Mark::Link(owned(entity, "url")),
        "bold" => Mark::Bold,
        "italic" => Mark::Italic,
        "strikethrough" => Mark::Strikethrough,
        "code" => Mark::Code,
        "pre" => Mark::Block(owned(entity, "language")),
        _ => return None,
    };
    let (from, length) = (entity["offset"].as_u64()?, entity["length"].as_u64()?);
    Some(Span { mark, from: byte(text, from)?, to: byte(text, from.checked_add(length)?)? })
}

/// The byte at which a UTF-16 unit stands; `None` within a character and behind the end.
fn byte(text: &str, unit: u64) -> Option<usize> {
    let (unit, mut units) = (usize::try_from(unit).ok()?, 0);
    for (at, character) in text.char_indices() {
        if units >= unit {
            return (units == unit).then_some(at);
        }
        units += character.len_utf16();
    }
    (units == unit).then_some(text.len())
}

/// A text as it is read, with Telegram's entities.
#[derive(Default)]
pub(crate) struct Marked {
    pub text: String,
    pub entities: Vec<Value>,
}

impl Marked {
    pub(crate) fn from_text(text: &Text) -> Self {
        if text.format() != TextFormat::Markdown {
            return Self::plain(&text.body);
        }
        let (text, spans) = markdown::read(&text.body);
        let entities = spans.iter().map(|span| entity(&text, span)).collect();
        Self { text, entities }
    }

    pub(crate) fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), entities: Vec::new() }
    }

    /// Adds a text with what stands `before` it, unless it is empty; as a whole marked as `mark`, if it is.
    pub(crate) fn add(&mut self, before: &str, text: &str, mark: Option<Mark>) {
        if !text.is_empty() {
            self.text.push_str(before);
            let from = self.text.len();
            self.text.push_str(text);
            let span = mark.map(|mark| Span { mark, from, to: self.text.len() });
            self.entities.extend(span.map(|span| entity(&self.text, &span)));
        }
    }
}

/// Length as Telegram counts.
pub(crate) fn units(text: &str) -> usize {
    measure(text, TextUnit::Utf16)
}

fn entity(text: &str, span: &Span) -> Value {
    let mut entity = match &span.mark {
        Mark::Link(url) => json!({ "type": "text_link", "url": url }),
        Mark::Bold => json!({ "type": "bold" }),
        Mark::Italic => json!({ "type": "italic" }),
        Mark::Strikethrough => json!({ "type": "strikethrough" }),
        Mark::Code => json!({ "type": "code" }),
        Mark::Block(language) => without_empty(json!({ "type": "pre", "language": language })),
    };
    entity["offset"] = units(&text[..span.from]).into();
    entity["length"] = units(&text[span.from..span.to]).into();
    entity
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn of(kind: &str, offset: u64, length: u64) -> Value {
        json!({ "type": kind, "offset": offset, "length": length })
    }

    #[test]
    fn a_text_without_marks_stays_as_it_is() {
        let text = to_text("2 * 3 = 6 @ann #x", [of("mention", 10, 4), of("hashtag", 15, 2)].iter());
        assert_eq!((text.body.as_str(), text.format()), ("2 * 3 = 6 @ann #x", TextFormat::Plain));
        for broken in [of("bold", 1, 1), of("bold", 0, 9), of("bold", u64::MAX, 2)] {
            assert_eq!(to_text("👋 ", [broken].iter()).body, "👋 ");
        }
    }

    #[test]
    fn offsets_are_utf16_units_both_ways() {
        let given = of("bold", 5, 2);
        let text = to_text("👋🏽 hi *you*", std::iter::once(&given));
        assert_eq!((text.body.as_str(), text.format()), ("👋🏽 **hi** \\*you\\*", TextFormat::Markdown));
        let marked = Marked::from_text(&text);
        assert_eq!(marked.text, "👋🏽 hi *you*");
        assert_eq!(marked.entities, [json!({ "type": "bold", "offset": 5, "length": 2 })]);
    }
}
