//! From text to the syntax tree of CEL.

use cel::{Env, IdedExpr, parser::ParseErrors};

use super::ConditionError;

/// Longest condition in bytes.
const LONGEST: usize = 4096;
/// How deep expressions may stand in each other.
const DEEPEST: u16 = 32;
/// Words of other languages, and how CEL writes them.
const FOREIGN: [(&str, &str); 7] =
    [("and", "&&"), ("or", "||"), ("not", "!"), ("=", "=="), ("<>", "!="), ("&", "&&"), ("|", "||")];

/// Parses a condition. Macros stay the calls they are written as.
pub(super) fn parse(text: &str) -> Result<IdedExpr, ConditionError> {
    if text.trim().is_empty() {
        return Err(ConditionError::new("an empty condition; leave it out, and it always holds"));
    }
    if text.len() > LONGEST {
        return Err(ConditionError::new(format!("longer than {LONGEST} bytes")));
    }
    if depth(text) > usize::from(DEEPEST) {
        return Err(ConditionError::new(format!("brackets nested deeper than {DEEPEST}")));
    }
    let parser = Env::default().with_optional_support(false).parser();
    parser.max_recursion_depth(DEEPEST * 2).parse(text).map_err(|errors| explain(text, &errors))
}

/// How deep brackets stand in each other, those in strings included: a bound, not a count.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Where the text stops to be CEL, and what was probably meant there.
fn explain(text: &str, errors: &ParseErrors) -> ConditionError {
    if let Some(meant) = foreign(text) {
        return meant;
    }
    let Some(first) = errors.errors.first() else {
        return ConditionError::new("this is no CEL");
    };
    // What the parser could have gone on with is a list of dozens.
    let what = first.msg.trim_start_matches("Syntax error: ");
    let what = what.split(" expecting").next().unwrap_or(what).replace("'<EOF>'", "the end");
    let (line, column) = (first.pos.0.max(1), first.pos.1.max(1));
    ConditionError::new(format!("this is no CEL at line {line}, column {column}: {what}"))
}

/// A word or sign that CEL writes in another way, outside of strings.
fn foreign(text: &str) -> Option<ConditionError> {
    let mut quote = None;
    let mut plain = String::with_capacity(text.len());
    let mut escaped = false;
    for character in text.chars() {
        let inside = quote.is_some();
        match quote {
            Some(open) if character == open && !escaped => quote = None,
            None if matches!(character, '"' | '\'') => quote = Some(character),
            _ => {}
        }
        escaped = inside && character == '\\' && !escaped;
        plain.push(if inside || quote.is_some() { ' ' } else { character });
    }
    let sign = |character: char| "=<>!&|".contains(character);
    let mut rest = plain.as_str();
    while let Some(first) = rest.chars().next() {
        let same = |character: char| match first {
            _ if sign(first) => sign(character),
            _ if first.is_alphanumeric() => character.is_alphanumeric() || "_.".contains(character),
            _ => false,
        };
        let end = rest.find(|character| !same(character)).unwrap_or(rest.len()).max(first.len_utf8());
        let (token, after) = rest.split_at(end);
        if let Some((wrong, meant)) = FOREIGN.iter().find(|(wrong, _)| token.eq_ignore_ascii_case(wrong)) {
            return Some(ConditionError::meaning(format!("CEL has no {wrong}"), Some(*meant)));
        }
        rest = after;
    }
    None
}
