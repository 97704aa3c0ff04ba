//! Taking markup off, for channels that show plain text.

/// Markdown as a person would write it down: emphasis marks go, links show their address, lists keep their dashes.
pub(super) fn markdown_to_plain(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(markdown_line).collect();
    lines.join("\n")
}

fn markdown_line(line: &str) -> String {
    let trimmed = line.trim_start();
    let heading = trimmed.trim_start_matches('#');
    let body =
        if heading.len() < trimmed.len() && heading.starts_with(' ') { heading.trim_start() } else { line };
    let mut plain = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(character) = rest.chars().next() {
        if let Some((shown, after)) = link(rest) {
            plain.push_str(&shown);
            rest = after;
            continue;
        }
        let after = &rest[character.len_utf8()..];
        match character {
            '\\' => {
                // An escaped character stands for itself.
                let escaped = after.chars().next();
                plain.extend(escaped);
                rest = &after[escaped.map_or(0, char::len_utf8)..];
                continue;
            }
            '*' | '`' => {}
            '_' if is_mark(&plain, after) => {}
            '~' if after.starts_with('~') || plain.ends_with('~') => {}
            other => plain.push(other),
        }
        rest = after;
    }
    plain
}

/// An underscore within a word is part of it.
fn is_mark(before: &str, after: &str) -> bool {
    let inside = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    !(inside(before.chars().next_back()) && inside(after.chars().next()))
}

/// `[words](address)` as `words (address)`.
fn link(text: &str) -> Option<(String, &str)> {
    let (words, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (address, rest) = rest.split_once(')')?;
    let sane = !words.contains(['[', '\n']) && !address.contains(char::is_whitespace);
    let shown = if words == address { words.to_owned() } else { format!("{words} ({address})") };
    sane.then_some((shown, rest))
}

/// HTML without its tags: breaks and paragraphs are line ends, links show their address.
pub(super) fn html_to_plain(html: &str) -> String {
    let mut plain = String::with_capacity(html.len());
    let mut rest = html;
    let mut address: Option<String> = None;
    while let Some(at) = rest.find('<') {
        plain.push_str(&entities(&rest[..at]));
        let Some((tag, after)) = rest[at + 1..].split_once('>') else {
            plain.push_str(&rest[at..]);
            rest = "";
            break;
        };
        let name =
            tag.trim_start_matches('/').split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        match (name.to_ascii_lowercase().as_str(), tag.starts_with('/')) {
            ("br", _) | ("p" | "div" | "li" | "tr" | "h1" | "h2" | "h3", true) => plain.push('\n'),
            ("li", false) => plain.push_str("- "),
            ("a", false) => address = attribute(tag, "href"),
            ("a", true) => {
                if let Some(address) = address.take().filter(|address| !plain.ends_with(address.as_str())) {
                    plain.extend([" (", address.as_str(), ")"]);
                }
            }
            ("script" | "style", false) => {
                let end = after.to_ascii_lowercase().find(&format!("</{}", name.to_ascii_lowercase()));
                rest = end.map_or("", |end| &after[end..]);
                continue;
            }
            _ => {}
        }
        rest = after;
    }
    plain.push_str(&entities(rest));
    plain.trim().to_owned()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!("{name}="))?;
    let quote = after.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    after[1..].split_once(quote).map(|(value, _)| entities(value))
}

fn entities(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}
