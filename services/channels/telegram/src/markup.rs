//! Telegram's entities as Markdown, and Markdown as entities.
//!
//! Entities rather than a `parse_mode`: nothing in a text can be taken for markup by mistake, and a text's length is what
//! the customer reads. Offsets are UTF-16 units.

use std::cmp::Reverse;

use heliograph_proto::v1::{Text, TextFormat};
use serde_json::{Value, json};

use crate::payload::Entity;

/// How deep marks are looked for within each other.
const DEPTH: usize = 6;

/// What stands before and behind a span, and what Telegram calls it. The longer mark goes first.
const MARKS: [(&str, &str); 4] = [("**", "bold"), ("~~", "strikethrough"), ("*", "italic"), ("_", "italic")];

/// A received text: Markdown where it is marked up, and plain otherwise.
pub(crate) fn to_text(text: &str, entities: &[Entity]) -> Text {
    let spans: Vec<Span> = entities.iter().filter_map(|entity| Span::of(text, entity)).collect();
    if spans.is_empty() {
        return Text { body: text.to_owned(), format: TextFormat::Plain.into(), ..Text::default() };
    }
    let mut edges: Vec<usize> = spans.iter().flat_map(|span| [span.from, span.to]).collect();
    edges.extend([0, text.len()]);
    edges.sort_unstable();
    edges.dedup();
    let mut writer = Writer::default();
    for pair in edges.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let over: Vec<&Span> = spans.iter().filter(|span| span.from <= from && to <= span.to).collect();
        writer.run(&text[from..to], &over);
    }
    writer.close(0);
    Text { body: writer.out, format: TextFormat::Markdown.into(), ..Text::default() }
}

/// A marked span in bytes, without white space at its ends, where Markdown would not see its marks.
struct Span {
    from: usize,
    to: usize,
    open: String,
    close: String,
    /// Nothing is marked up within.
    literal: bool,
    /// Of spans that lie over the same text, links are outside, then what is bold, and so on.
    rank: u8,
}

impl Span {
    fn of(text: &str, entity: &Entity) -> Option<Self> {
        let (from, to) =
            (bytes_at(text, entity.offset)?, bytes_at(text, entity.offset.checked_add(entity.length)?)?);
        let marked = text.get(from..to)?;
        let from = from + (marked.len() - marked.trim_start().len());
        let to = from + marked.trim().len();
        // Between letters `_` is one itself.
        let within_word =
            text[..from].ends_with(char::is_alphanumeric) || text[to..].starts_with(char::is_alphanumeric);
        let same = |rank, mark: &str| (rank, mark.to_owned(), mark.to_owned());
        let (rank, open, close) = match entity.kind.as_str() {
            "text_link" => (0, "[".to_owned(), format!("]({})", entity.url.replace(')', "%29"))),
            "bold" => same(1, "**"),
            "italic" => same(2, if within_word { "*" } else { "_" }),
            "strikethrough" => same(3, "~~"),
            "code" if !marked.contains('`') => same(4, "`"),
            "pre" if !marked.contains('`') => (4, format!("```{}\n", entity.language), "\n```".to_owned()),
            _ => return None,
        };
        (from < to).then_some(Self { from, to, open, close, literal: rank == 4, rank })
    }
}

/// The byte at which a UTF-16 unit stands; `None` within a character and behind the end.
fn bytes_at(text: &str, unit: usize) -> Option<usize> {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        if units >= unit {
            return (units == unit).then_some(at);
        }
        units += character.len_utf16();
    }
    (units == unit).then_some(text.len())
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Marks to be closed, and since where they are open.
    open: Vec<(usize, String)>,
}

impl Writer {
    /// A run of text that `over` lie over from end to end.
    fn run(&mut self, text: &str, over: &[&Span]) {
        let mut over = over.to_vec();
        over.sort_by_key(|span| (span.from, Reverse(span.to), span.rank));
        if let Some(literal) = over.iter().position(|span| span.literal) {
            over.truncate(literal + 1);
        }
        let id = |span: &Span| span.from << 3 | usize::from(span.rank);
        let same = self.open.iter().zip(&over).take_while(|((open, _), span)| *open == id(span)).count();
        self.close(same);
        for span in &over[same..] {
            self.out.push_str(&span.open);
            self.open.push((id(span), span.close.clone()));
        }
        if over.last().is_some_and(|span| span.literal) {
            self.out.push_str(text);
        } else {
            escape(text, &mut self.out);
        }
    }

    fn close(&mut self, keep: usize) {
        for (_, mark) in self.open.drain(keep..).rev() {
            self.out.push_str(&mark);
        }
    }
}

const SPECIAL: [char; 7] = ['\\', '*', '_', '~', '`', '[', ']'];

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        if SPECIAL.contains(&character) {
            out.push('\\');
        }
        out.push(character);
    }
}

/// A text as it is read, with Telegram's entities.
#[derive(Default)]
pub(crate) struct Marked {
    pub text: String,
    pub entities: Vec<Value>,
    units: usize,
}

impl Marked {
    /// What stands for a text of ours.
    pub(crate) fn from_text(text: &Text) -> Self {
        let mut marked = Self::default();
        match text.format() {
            TextFormat::Markdown => marked.markdown(&text.body, DEPTH),
            _ => marked.plain(&text.body),
        }
        marked
    }

    /// Its length as Telegram counts.
    pub(crate) fn units(&self) -> usize {
        self.units
    }

    pub(crate) fn plain(&mut self, text: &str) {
        self.text.push_str(text);
        self.units += text.encode_utf16().count();
    }

    /// Adds a text that is marked as a whole.
    pub(crate) fn marked(&mut self, text: &str, entity: &Value) {
        self.within(entity, |marked| marked.plain(text));
    }

    /// Runs `write` and marks what it wrote.
    fn within(&mut self, entity: &Value, write: impl FnOnce(&mut Self)) {
        let (from, at) = (self.units, self.entities.len());
        write(self);
        let mut entity = entity.clone();
        entity["offset"] = from.into();
        entity["length"] = (self.units - from).into();
        if self.units > from {
            self.entities.insert(at, entity);
        }
    }

    fn markdown(&mut self, mut rest: &str, depth: usize) {
        let mut before = None;
        while let Some(first) = rest.chars().next() {
            if let Some(used) = self.mark(rest, before, depth) {
                before = rest[..used].chars().next_back();
                rest = &rest[used..];
                continue;
            }
            let escaped =
                rest.strip_prefix('\\').filter(|rest| rest.starts_with(|c: char| c.is_ascii_punctuation()));
            let taken = escaped.unwrap_or(rest);
            let character = taken.chars().next().unwrap_or(first);
            self.plain(character.encode_utf8(&mut [0; 4]));
            before = escaped.is_none().then_some(character);
            rest = &taken[character.len_utf8()..];
        }
    }

    /// Writes the marked span that `rest` begins with; how many bytes of it were used.
    fn mark(&mut self, rest: &str, before: Option<char>, depth: usize) -> Option<usize> {
        if let Some(block) = rest.strip_prefix("```") {
            let (body, _) = block.split_once("```").filter(|(body, _)| body.contains('\n'))?;
            let (language, code) = body.split_once('\n')?;
            let mut entity = json!({ "type": "pre" });
            if !language.is_empty() {
                entity["language"] = language.into();
            }
            self.marked(code.strip_suffix('\n').unwrap_or(code), &entity);
            return Some(3 + body.len() + 3);
        }
        if let Some(code) = rest.strip_prefix('`').filter(|_| before != Some('`')) {
            let (code, _) = code.split_once('`').filter(|(code, _)| !code.is_empty())?;
            self.marked(code, &json!({ "type": "code" }));
            return Some(code.len() + 2);
        }
        let depth = depth.checked_sub(1)?;
        if let Some(link) = rest.strip_prefix('[') {
            let words = &link[..find(link, "]")?];
            let (url, _) = link[words.len()..].strip_prefix("](")?.split_once(')')?;
            let known =
                ["http://", "https://", "tg://", "mailto:"].iter().any(|scheme| url.starts_with(scheme));
            if !known || url.contains(char::is_whitespace) {
                return None;
            }
            self.within(&json!({ "type": "text_link", "url": url }), |marked| marked.markdown(words, depth));
            return Some(words.len() + url.len() + 4);
        }
        let (mark, kind) = MARKS.iter().find(|(mark, _)| rest.starts_with(mark))?;
        // Within a word it is part of the word: snake_case.
        if *mark == "_" && before.is_some_and(char::is_alphanumeric) {
            return None;
        }
        let marked = &rest[mark.len()..];
        let inner = &marked[..find(marked, mark)?];
        if inner.is_empty() || inner.starts_with(char::is_whitespace) || inner.ends_with(char::is_whitespace)
        {
            return None;
        }
        self.within(&json!({ "type": kind }), |marked| marked.markdown(inner, depth));
        Some(2 * mark.len() + inner.len())
    }
}

/// Where `mark` closes: not escaped, not within code, and at the end of a row of the same signs.
fn find(text: &str, mark: &str) -> Option<usize> {
    let sign = mark.chars().next()?;
    let (mut at, mut code) = (0, false);
    while let Some(character) = text[at..].chars().next() {
        match character {
            '\\' if !code => {
                at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8);
                continue;
            }
            '`' => code = !code,
            _ => {}
        }
        if !code && text[at..].starts_with(mark) {
            let row = text[at..].chars().take_while(|c| *c == sign).count();
            let word = mark == "_" && text[at + 1..].starts_with(char::is_alphanumeric);
            if row >= mark.len() && !word && (mark != "*" || row % 2 == 1) {
                return Some(at + row - mark.len());
            }
            at += row;
            continue;
        }
        at += character.len_utf8();
    }
    None
}

#[cfg(test)]
mod tests;
