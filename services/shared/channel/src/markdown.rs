//! Markdown as text with marked spans, and back, for providers that mark spans up.
//!
//! What is read: bold (`**`), italic (`*`, `_`), strikethrough (`~~`), code, blocks of code, links. All else is text, and
//! so is a mark that nothing closes.

use std::cmp::Reverse;

/// How deep marks are looked for within each other.
const DEPTH: usize = 6;

/// Signs that stand for themselves behind a backslash.
const SPECIAL: [char; 7] = ['\\', '*', '_', '~', '`', '[', ']'];

/// What a span is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A link to this URL.
    Link(String),
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Struck out.
    Strikethrough,
    /// Code within a line.
    Code,
    /// A block of code, in this language if any.
    Block(String),
}

/// A marked part of a text. Spans may lie within each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub mark: Mark,
    /// Its first byte.
    pub from: usize,
    /// The byte behind its last.
    pub to: usize,
}

/// The text that somebody reads, and its marked spans, outer ones before inner ones.
pub fn read(markdown: &str) -> (String, Vec<Span>) {
    let mut reader = Reader::default();
    reader.read(markdown, DEPTH);
    (reader.text, reader.spans)
}

#[derive(Default)]
struct Reader {
    text: String,
    spans: Vec<Span>,
}

/// What stands before and behind a span. The longer mark goes first.
const MARKS: [(&str, Mark); 4] =
    [("**", Mark::Bold), ("~~", Mark::Strikethrough), ("*", Mark::Italic), ("_", Mark::Italic)];

impl Reader {
    fn read(&mut self, mut rest: &str, depth: usize) {
        let mut before = None;
        while let Some(first) = rest.chars().next() {
            if let Some(used) = self.mark(rest, before, depth) {
                before = rest[..used].chars().next_back();
                rest = &rest[used..];
                continue;
            }
            let is_sign = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_punctuation());
            let escaped = rest.strip_prefix('\\').filter(is_sign);
            let taken = escaped.unwrap_or(rest);
            let character = taken.chars().next().unwrap_or(first);
            self.text.push(character);
            before = escaped.is_none().then_some(character);
            rest = &taken[character.len_utf8()..];
        }
    }

    /// Runs `write` and marks what it wrote.
    fn within(&mut self, mark: Mark, write: impl FnOnce(&mut Self)) {
        let (from, at) = (self.text.len(), self.spans.len());
        write(self);
        if self.text.len() > from {
            self.spans.insert(at, Span { mark, from, to: self.text.len() });
        }
    }

    /// Reads the marked span that `rest` begins with; how many bytes of it were used.
    fn mark(&mut self, rest: &str, before: Option<char>, depth: usize) -> Option<usize> {
        if let Some(block) = rest.strip_prefix("```") {
            let (body, _) = block.split_once("```").filter(|(body, _)| body.contains('\n'))?;
            let (language, code) = body.split_once('\n')?;
            let code = code.strip_suffix('\n').unwrap_or(code);
            self.within(Mark::Block(language.to_owned()), |reader| reader.text.push_str(code));
            return Some(3 + body.len() + 3);
        }
        if let Some(code) = rest.strip_prefix('`').filter(|_| before != Some('`')) {
            let (code, _) = code.split_once('`').filter(|(code, _)| !code.is_empty())?;
            self.within(Mark::Code, |reader| reader.text.push_str(code));
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
            self.within(Mark::Link(url.to_owned()), |reader| reader.read(words, depth));
            return Some(words.len() + url.len() + 4);
        }
        let (sign, mark) = MARKS.iter().find(|(sign, _)| rest.starts_with(sign))?;
        // Within a word it is part of the word: snake_case.
        if *sign == "_" && before.is_some_and(char::is_alphanumeric) {
            return None;
        }
        let marked = &rest[sign.len()..];
        let inner = &marked[..find(marked, sign)?];
        if inner.is_empty() || inner.starts_with(char::is_whitespace) || inner.ends_with(char::is_whitespace)
        {
            return None;
        }
        self.within(mark.clone(), |reader| reader.read(inner, depth));
        Some(2 * sign.len() + inner.len())
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

/// `text` with its spans as Markdown. Spans that are none are left out.
pub fn write(text: &str, spans: &[Span]) -> String {
    let marks: Vec<Written> = spans.iter().filter_map(|span| Written::of(text, span)).collect();
    let mut edges: Vec<usize> = marks.iter().flat_map(|mark| [mark.from, mark.to]).collect();
    edges.extend([0, text.len()]);
    edges.sort_unstable();
    edges.dedup();
    let mut writer = Writer::default();
    for pair in edges.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        writer.run(&text[from..to], marks.iter().filter(|mark| mark.from <= from && to <= mark.to).collect());
    }
    writer.close(0);
    writer.out
}

/// A span as it is written: without white space at its ends, where nobody would see its marks.
struct Written {
    from: usize,
    to: usize,
    open: String,
    close: String,
    /// Nothing is marked up within.
    literal: bool,
    /// Of spans over the same text, links are outside, then what is bold, and so on.
    rank: u8,
}

impl Written {
    fn of(text: &str, span: &Span) -> Option<Self> {
        let marked = text.get(span.from..span.to)?;
        let from = span.from + (marked.len() - marked.trim_start().len());
        let to = from + marked.trim().len();
        // Between letters `_` is one itself.
        let within_word =
            text[..from].ends_with(char::is_alphanumeric) || text[to..].starts_with(char::is_alphanumeric);
        let same = |rank, mark: &str| (rank, mark.to_owned(), mark.to_owned());
        let (rank, open, close) = match &span.mark {
            Mark::Link(url) => (0, "[".to_owned(), format!("]({})", url.replace(')', "%29"))),
            Mark::Bold => same(1, "**"),
            Mark::Italic => same(2, if within_word { "*" } else { "_" }),
            Mark::Strikethrough => same(3, "~~"),
            Mark::Code | Mark::Block(_) if marked.contains('`') => return None,
            Mark::Code => same(4, "`"),
            Mark::Block(language) => (4, format!("```{language}\n"), "\n```".to_owned()),
        };
        (from < to).then_some(Self { from, to, open, close, literal: rank == 4, rank })
    }
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Marks to be closed, and which of them is which.
    open: Vec<((usize, u8), String)>,
}

impl Writer {
    /// A run of text that `over` lie over from end to end.
    fn run(&mut self, text: &str, mut over: Vec<&Written>) {
        over.sort_by_key(|mark| (mark.from, Reverse(mark.to), mark.rank));
        if let Some(literal) = over.iter().position(|mark| mark.literal) {
            over.truncate(literal + 1);
        }
        let id = |mark: &Written| (mark.from, mark.rank);
        let same = self.open.iter().zip(&over).take_while(|((open, _), mark)| *open == id(mark)).count();
        self.close(same);
        for mark in &over[same..] {
            self.out.push_str(&mark.open);
            self.open.push((id(mark), mark.close.clone()));
        }
        if over.last().is_some_and(|mark| mark.literal) {
            self.out.push_str(text);
            return;
        }
        for character in text.chars() {
            if SPECIAL.contains(&character) {
                self.out.push('\\');
            }
            self.out.push(character);
        }
    }

    fn close(&mut self, keep: usize) {
        for (_, mark) in self.open.drain(keep..).rev() {
            self.out.push_str(&mark);
        }
    }
}

#[cfg(test)]
mod tests;
