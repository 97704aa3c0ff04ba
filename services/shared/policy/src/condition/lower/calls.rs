//! Functions and methods.

use cel::{IdedExpr, common::ast::Expr};
use regex::RegexBuilder;

use super::{Lowering, Origin, Typed, path};
use crate::condition::{
    ConditionError, nearest,
    schema::World,
    time::{self, Part},
    tree::{Each, Int, Span, Test, Text, When},
};

/// Largest compiled regular expression in bytes.
const LARGEST_PATTERN: usize = 128 * 1024;
/// Functions that are called on a string with a string.
const OF_TEXTS: [&str; 4] = ["startsWith", "endsWith", "contains", "matches"];
/// Functions that are called alone.
const ALONE: [&str; 4] = ["has", "size", "timestamp", "duration"];

impl Lowering {
    /// A call of a function alone.
    pub(super) fn function<W: World>(
        &mut self,
        name: &str,
        args: &[IdedExpr],
    ) -> Result<Typed<W>, ConditionError> {
        match (name, args) {
            ("has", [arg]) => self.has(arg),
            ("size", [arg]) => size(self.lower(arg)?),
            ("timestamp", [arg]) => match self.lower::<W>(arg)? {
                Typed::Text(_, Origin::Literal(text)) => {
                    let at = text.parse().map_err(|_| {
                        let message = format!("{text:?} is no timestamp; write it like 2026-11-22T18:00:00Z");
                        ConditionError::new(message)
                    })?;
                    Ok(Typed::When(When::Is(at)))
                }
                _ => Err(ConditionError::new("timestamp takes a literal string")),
            },
            ("duration", [arg]) => match self.lower::<W>(arg)? {
                Typed::Text(_, Origin::Literal(text)) => {
                    let span = time::span(&text).ok_or_else(|| {
                        let meant = in_hours(&text).map(|hours| format!("duration(\"{hours}h\")"));
                        let message = format!("{text:?} is no duration; write it like 36h, 1h30m or 90s");
                        ConditionError::meaning(message, meant)
                    })?;
                    Ok(Typed::Span(Span::Is(span)))
                }
                _ => Err(ConditionError::new("duration takes a literal string")),
            },
            (name, _) if ALONE.contains(&name) => Err(count(name, 1, args.len())),
            (name, _) if is_method(name) => {
                let message = format!("{name} is called on a value");
                let arguments = if OF_TEXTS.contains(&name) { "…" } else { "" };
                Err(ConditionError::meaning(message, Some(format!("….{name}({arguments})"))))
            }
            (name, _) => {
                let meant = nearest(name, ALONE).or_else(|| nearest(name, methods()));
                Err(ConditionError::meaning(format!("there is no function {name}"), meant))
            }
        }
    }

    /// A call of a function on a value.
    pub(super) fn method<W: World>(
        &mut self,
        target: &IdedExpr,
        name: &str,
        args: &[IdedExpr],
    ) -> Result<Typed<W>, ConditionError> {
        if let ("exists" | "all", [variable, body]) = (name, args) {
            return self.each(target, name, variable, body);
        }
        // A name that is not known is told before a function that is not.
        let target = self.lower::<W>(target)?;
        if !is_method(name) {
            let meant = nearest(name, methods());
            let message = match name {
                "exists_one" | "existsOne" | "map" | "filter" => {
                    format!("conditions have exists and all, not {name}")
                }
                _ => format!("a {} has no function {name}", target.name()),
            };
            return Err(ConditionError::meaning(message, meant));
        }
        if let Some(part) = Part::of(name) {
            return part_of(part, name, target, args.len());
        }
        match (name, args) {
            ("size", []) => size(target),
            (_, [arg]) if OF_TEXTS.contains(&name) => {
                let arg = self.lower(arg)?;
                texts(name, target, arg)
            }
            ("size", _) => Err(count(name, 0, args.len())),
            ("exists" | "all", _) => Err(count(name, 2, args.len())),
            _ => Err(count(name, 1, args.len())),
        }
    }

    fn has<W: World>(&mut self, arg: &IdedExpr) -> Result<Typed<W>, ConditionError> {
        if path(&arg.expr).is_none_or(|segments| segments.len() < 2) {
            let lowered = self.lower::<W>(arg)?;
            return match lowered {
                Typed::Text(Text::At(map, key), _) => Ok(Typed::Bool(Test::KeyIn(key, map))),
                Typed::When(When::Read(_)) => Ok(known(lowered)),
                _ => Err(ConditionError::new("has takes a field, such as contact.last_inbound")),
            };
        }
        let lowered = self.lower::<W>(arg)?;
        Ok(match lowered {
            Typed::Text(Text::At(map, key), _) => Typed::Bool(Test::KeyIn(key, map)),
            other => known(other),
        })
    }

    fn each<W: World>(
        &mut self,
        target: &IdedExpr,
        name: &str,
        variable: &IdedExpr,
        body: &IdedExpr,
    ) -> Result<Typed<W>, ConditionError> {
        let list = match self.lower::<W>(target)? {
            Typed::Texts(list, _) => list,
            other => {
                let message = format!("{name} looks at lists of strings, and this is a {}", other.name());
                return Err(ConditionError::new(message));
            }
        };
        let Expr::Ident(variable) = &variable.expr else {
            return Err(ConditionError::new(format!(
                "the first argument of {name} is a new name, such as x"
            )));
        };
        let each = self
            .within(variable, |lowering, slot| Ok(Each { list, slot, body: lowering.test(body, name)? }))?;
        let each = Box::new(each);
        Ok(Typed::Bool(if name == "all" { Test::AllOf(each) } else { Test::AnyOf(each) }))
    }
}

/// Whether something is known, or is not empty.
fn known<W: World>(typed: Typed<W>) -> Typed<W> {
    Typed::Bool(match typed {
        Typed::When(when) => Test::Known(Box::new(when)),
        Typed::Text(text, _) => Test::Filled(Box::new(text)),
        Typed::Texts(texts, _) => filled(Int::SizeOfTexts(Box::new(texts))),
        Typed::Map(map, _) => filled(Int::SizeOfMap(map)),
        _ => Test::Is(true),
    })
}

fn filled<W: World>(size: Int<W>) -> Test<W> {
    Test::Ints(crate::condition::tree::Order::Other, Box::new((size, Int::Is(0))))
}

fn size<W: World>(typed: Typed<W>) -> Result<Typed<W>, ConditionError> {
    Ok(Typed::Int(match typed {
        Typed::Text(text, _) => Int::SizeOfText(Box::new(text)),
        Typed::Texts(texts, _) => Int::SizeOfTexts(Box::new(texts)),
        Typed::Ints(ints) => Int::SizeOfInts(ints),
        Typed::Map(map, _) => Int::SizeOfMap(map),
        other => return Err(ConditionError::new(format!("a {} has no size", other.name()))),
    }))
}

fn texts<W: World>(name: &str, target: Typed<W>, arg: Typed<W>) -> Result<Typed<W>, ConditionError> {
    let (text, arg, origin) = match (target, arg) {
        (Typed::Text(text, of), Typed::Text(arg, origin)) => {
            // A regular expression may say by itself what it makes of case.
            if let (Origin::Variable(variable, values), Origin::Literal(literal)) = (&of, &origin)
                && name != "matches"
            {
                values.check_part(variable, literal)?;
            }
            (text, arg, origin)
        }
        (Typed::Texts(..), Typed::Text(_, Origin::Literal(literal))) if name == "contains" => {
            let message = "contains is asked of a string, and this is a list of strings";
            return Err(ConditionError::meaning(message, Some(format!("{literal:?} in …"))));
        }
        (Typed::Text(..), arg) => {
            return Err(ConditionError::new(format!("{name} takes a string, and this is a {}", arg.name())));
        }
        (target, _) => {
            let message = format!("{name} is asked of a string, and this is a {}", target.name());
            return Err(ConditionError::new(message));
        }
    };
    let pair = Box::new((text, arg));
    Ok(Typed::Bool(match name {
        "startsWith" => Test::StartsWith(pair),
        "endsWith" => Test::EndsWith(pair),
        "contains" => Test::Contains(pair),
        _ => {
            let Origin::Literal(pattern) = origin else {
                return Err(ConditionError::new("matches takes a literal regular expression"));
            };
            let built = RegexBuilder::new(&pattern)
                .size_limit(LARGEST_PATTERN)
                .dfa_size_limit(LARGEST_PATTERN)
                .build();
            match built {
                Ok(regex) => Test::Matches(Box::new((pair.0, regex))),
                Err(regex::Error::CompiledTooBig(_)) => {
                    return Err(ConditionError::new(format!(
                        "the regular expression {pattern:?} is too large"
                    )));
                }
                Err(error) => {
                    // The last line says what is wrong; those before draw where.
                    let text = error.to_string();
                    let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    let message = format!("{pattern:?} is no regular expression: {why}");
                    return Err(ConditionError::new(message));
                }
            }
        }
    }))
}

fn part_of<W: World>(
    part: Part,
    name: &str,
    target: Typed<W>,
    args: usize,
) -> Result<Typed<W>, ConditionError> {
    if args > 0 {
        let message =
            format!("{name} takes no time zone: now has the clock of UTC, local that of the customer");
        return Err(ConditionError::new(message));
    }
    Ok(Typed::Int(match target {
        Typed::When(when) => Int::OfMoment(part, Box::new(when)),
        Typed::Span(span) if matches!(part, Part::Hours | Part::Minutes | Part::Seconds) => {
            Int::OfSpan(part, Box::new(span))
        }
        other => return Err(ConditionError::new(format!("a {} has no function {name}", other.name()))),
    }))
}

/// Days and weeks, which CEL's durations do not have, in hours.
fn in_hours(text: &str) -> Option<u64> {
    let (number, hours) = match (text.strip_suffix('d'), text.strip_suffix('w')) {
        (Some(number), _) => (number, 24),
        (_, Some(number)) => (number, 7 * 24),
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(hours)
}

fn methods() -> impl Iterator<Item = &'static str> {
    OF_TEXTS.into_iter().chain(["size", "exists", "all"]).chain(Part::ALL.iter().map(|(name, _)| *name))
}

fn is_method(name: &str) -> bool {
    methods().any(|known| known == name)
}

fn count(name: &str, wanted: usize, found: usize) -> ConditionError {
    let plural = if wanted == 1 { "" } else { "s" };
    ConditionError::new(format!("{name} takes {wanted} argument{plural}, and has {found}"))
}
