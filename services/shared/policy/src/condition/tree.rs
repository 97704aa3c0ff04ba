//! The typed tree that conditions become, and its evaluation. None is unknown.

use std::{cmp::Ordering, collections::BTreeMap};

use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use super::{
    schema::World,
    time::{Moment, Part},
};

/// How deep `exists` and `all` may stand in each other.
pub(super) const MOST_BOUND: usize = 4;

/// What the variables of `exists` and `all` stand for.
pub(super) type Bindings<'a> = [&'a str; MOST_BOUND];

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Same,
    Other,
    Less,
    LessOrSame,
    More,
    MoreOrSame,
}

impl Order {
    fn holds(self, found: Ordering) -> bool {
        match self {
            Self::Same => found.is_eq(),
            Self::Other => found.is_ne(),
            Self::Less => found.is_lt(),
            Self::LessOrSame => found.is_le(),
            Self::More => found.is_gt(),
            Self::MoreOrSame => found.is_ge(),
        }
    }
}

/// What is true, false or unknown.
#[derive(Debug, Clone)]
pub(super) enum Test<W: World> {
    Is(bool),
    Read(for<'a> fn(&'a W::Scene<'a>) -> bool),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Choose(Box<Choice<W, Self>>),
    Bools(Order, Box<(Self, Self)>),
    Ints(Order, Box<(Int<W>, Int<W>)>),
    Floats(Order, Box<(Float<W>, Float<W>)>),
    Texts(Order, Box<(Text<W>, Text<W>)>),
    Moments(Order, Box<(When<W>, When<W>)>),
    Spans(Order, Box<(Span<W>, Span<W>)>),
    StartsWith(Box<(Text<W>, Text<W>)>),
    EndsWith(Box<(Text<W>, Text<W>)>),
    Contains(Box<(Text<W>, Text<W>)>),
    Matches(Box<(Text<W>, Regex)>),
    TextIn(Box<(Text<W>, Texts<W>)>),
    IntIn(Box<(Int<W>, Vec<Int<W>>)>),
    KeyIn(Box<Text<W>>, Map<W>),
    Known(Box<When<W>>),
    Filled(Box<Text<W>>),
    AnyOf(Box<Each<W>>),
    AllOf(Box<Each<W>>),
}

/// `test ? yes : no`.
#[derive(Debug, Clone)]
pub(super) struct Choice<W: World, T> {
    pub(super) test: Test<W>,
    pub(super) yes: T,
    pub(super) no: T,
}

/// A test of each text of a list.
#[derive(Debug, Clone)]
pub(super) struct Each<W: World> {
    pub(super) list: Texts<W>,
    /// The place of what the variable stands for.
    pub(super) slot: usize,
    pub(super) body: Test<W>,
}

/// A whole number.
#[derive(Debug, Clone)]
pub(super) enum Int<W: World> {
    Is(i64),
    Read(for<'a> fn(&'a W::Scene<'a>) -> i64),
    Negative(Box<Self>),
    Sum(Arithmetic, Box<(Self, Self)>),
    Choose(Box<Choice<W, Self>>),
    SizeOfText(Box<Text<W>>),
    SizeOfTexts(Box<Texts<W>>),
    SizeOfInts(Vec<Self>),
    SizeOfMap(Map<W>),
    OfMoment(Part, Box<When<W>>),
    OfSpan(Part, Box<Span<W>>),
}

/// What is computed with whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Plus,
    Minus,
    Times,
    Over,
    Rest,
}

/// A number that may be a fraction.
#[derive(Debug, Clone)]
pub(super) enum Float<W: World> {
    Is(f64),
    Int(Int<W>),
}

/// A string.
#[derive(Debug, Clone)]
pub(super) enum Text<W: World> {
    Is(Box<str>),
    Read(for<'a> fn(&'a W::Scene<'a>) -> &'a str),
    /// What a variable of `exists` or `all` stands for.
    Bound(usize),
    At(Map<W>, Box<Self>),
    Choose(Box<Choice<W, Self>>),
}

/// A list of strings.
#[derive(Debug, Clone)]
pub(super) enum Texts<W: World> {
    Read(for<'a> fn(&'a W::Scene<'a>) -> &'a [&'a str]),
    /// As they are written, in order.
    Literals(Vec<Box<str>>),
    Are(Vec<Text<W>>),
}

/// A map of strings.
pub(super) type Map<W> = for<'a> fn(&'a <W as World>::Scene<'a>) -> Option<&'a BTreeMap<String, String>>;

/// A point in time.
#[derive(Debug, Clone)]
pub(super) enum When<W: World> {
    Is(Timestamp),
    Read(for<'a> fn(&'a W::Scene<'a>) -> Option<Moment<'a>>),
    Later(Box<(Self, Span<W>)>),
    Earlier(Box<(Self, Span<W>)>),
    Choose(Box<Choice<W, Self>>),
}

/// A length of time.
#[derive(Debug, Clone)]
pub(super) enum Span<W: World> {
    Is(SignedDuration),
    Between(Box<(When<W>, When<W>)>),
    Plus(Box<(Self, Self)>),
    Minus(Box<(Self, Self)>),
    Choose(Box<Choice<W, Self>>),
}

impl<W: World> Test<W> {
    pub(super) fn test<'a>(&'a self, scene: &'a W::Scene<'a>, bound: &Bindings<'a>) -> Option<bool> {
        match self {
            Self::Is(value) => Some(*value),
            Self::Read(read) => Some(read(scene)),
            Self::Not(test) => test.test(scene, bound).map(|value| !value),
            Self::All(tests) => all(tests.iter().map(|test| test.test(scene, bound))),
            Self::Any(tests) => any(tests.iter().map(|test| test.test(scene, bound))),
            Self::Choose(choice) => choice.of(scene, bound)?.test(scene, bound),
            Self::Bools(order, pair) => {
                Some(order.holds(pair.0.test(scene, bound)?.cmp(&pair.1.test(scene, bound)?)))
            }
            Self::Ints(order, pair) => {
                Some(order.holds(pair.0.get(scene, bound)?.cmp(&pair.1.get(scene, bound)?)))
            }
            Self::Floats(order, pair) => {
                let found = pair.0.get(scene, bound)?.compare(pair.1.get(scene, bound)?);
                Some(found.map_or(*order == Order::Other, |found| order.holds(found)))
            }
            Self::Texts(order, pair) => {
                Some(order.holds(pair.0.get(scene, bound)?.cmp(pair.1.get(scene, bound)?)))
            }
            Self::Moments(order, pair) => {
                Some(order.holds(pair.0.get(scene, bound)?.at.cmp(&pair.1.get(scene, bound)?.at)))
            }
            Self::Spans(order, pair) => {
                Some(order.holds(pair.0.get(scene, bound)?.cmp(&pair.1.get(scene, bound)?)))
            }
            Self::StartsWith(pair) => Some(pair.0.get(scene, bound)?.starts_with(pair.1.get(scene, bound)?)),
            Self::EndsWith(pair) => Some(pair.0.get(scene, bound)?.ends_with(pair.1.get(scene, bound)?)),
            Self::Contains(pair) => Some(pair.0.get(scene, bound)?.contains(pair.1.get(scene, bound)?)),
            Self::Matches(pair) => Some(pair.1.is_match(pair.0.get(scene, bound)?)),
            Self::TextIn(pair) => pair.1.have(pair.0.get(scene, bound)?, scene, bound),
            Self::IntIn(pair) => {
                let wanted = pair.0.get(scene, bound)?;
                pair.1.iter().try_fold(false, |found, int| Some(found | (int.get(scene, bound)? == wanted)))
            }
            Self::KeyIn(key, map) => {
                let key = key.get(scene, bound)?;
                Some(map(scene).is_some_and(|map| map.contains_key(key)))
            }
            Self::Known(when) => Some(when.get(scene, bound).is_some()),
            Self::Filled(text) => Some(text.get(scene, bound).is_some_and(|text| !text.is_empty())),
            Self::AnyOf(each) => any(each.results(scene, bound)?),
            Self::AllOf(each) => all(each.results(scene, bound)?),
        }
    }
}

impl<W: World, T> Choice<W, T> {
    fn of<'a>(&'a self, scene: &'a W::Scene<'a>, bound: &Bindings<'a>) -> Option<&'a T> {
        Some(if self.test.test(scene, bound)? { &self.yes } else { &self.no })
    }
}

impl<W: World> Each<W> {
    /// What comes out for each text; none for a list with something unknown in it.
    fn results<'a>(
        &'a self,
        scene: &'a W::Scene<'a>,
        bound: &Bindings<'a>,
    ) -> Option<impl Iterator<Item = Option<bool>>> {
        self.list.count(scene, bound)?;
        Some(self.list.iter(scene, bound).map(move |text| {
            let mut inner = *bound;
            inner[self.slot] = text?;
            self.body.test(scene, &inner)
        }))
    }
}

impl<W: World> Int<W> {
    fn get<'a>(&'a self, scene: &'a W::Scene<'a>, bound: &Bindings<'a>) -> Option<i64> {
        let size = |count: usize| i64::try_from(count).ok();
        match self {
            Self::Is(number) => Some(*number),
            Self::Read(read) => Some(read(scene)),
            Self::Negative(number) => number.get(scene, bound)?.checked_neg(),
            Self::Sum(arithmetic, pair) => {
                let (one, other) = (pair.0.get(scene, bound)?, pair.1.get(scene, bound)?);
                match arithmetic {
                    Arithmetic::Plus => one.checked_add(other),
                    Arithmetic::Minus => one.checked_sub(other),
                    Arithmetic::Times => one.checked_mul(other),
                    Arithmetic::Over => one.checked_div(other),
                    Arithmetic::Rest => one.checked_rem(other),
                }
            }
            Self::Choose(choice) => choice.of(scene, bound)?.get(scene, bound),
            Self::SizeOfText(text) => size(text.get(scene, bound)?.chars().count()),
            Self::SizeOfTexts(texts) => size(texts.count(scene, bound)?),
            Self::SizeOfInts(ints) => {
                ints.iter().try_fold(0, |count, int| int.get(scene, bound).map(|_| count + 1))
            }
            Self::SizeOfMap(map) => size(map(scene).map_or(0, BTreeMap::len)),
            Self::OfMoment(part, when) => Some(part.of_moment(when.get(scene, bound)?)),
            Self::OfSpan(part, span) => part.of_span(span.get(scene, bound)?),
        }
    }
}

/// A number with its kind, so that large whole ones are compared exactly.
#[derive(Debug, Clone, Copy)]
enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    /// None when there is no order: one is not a number.
    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(one), Self::Int(other)) => Some(one.cmp(&other)),
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(&other),
            (Self::Int(one), Self::Float(other)) => int_to_float(one, other),
            (Self::Float(one), Self::Int(other)) => int_to_float(other, one).map(Ordering::reverse),
        }
    }
}

fn int_to_float(int: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // Beyond 128 bits the fraction is larger, or smaller, than every whole number there is: the conversion saturates.
    let whole = float.trunc();
    let fraction = float - whole;
    let order = i128::from(int).cmp(&(whole as i128));
    Some(order.then_with(|| 0.0_f64.partial_cmp(&fraction).unwrap_or(Ordering::Equal)))
}

impl<W: World> Float<W> {
    fn get<'a>(&'a self, scene: &'a W::Scene<'a>, bound: &Bindings<'a>) -> Option<Number> {
        Some(match self {
            Self::Is(number) => Number::Float(*number),
            Self::Int(int) => Number::Int(int.get(scene, bound)?),
        })
    }
}

impl<W: World> Text<W> {
    fn get<'a>(&'a self, scene: &'a W::Scene<'a>, bound: &Bindings<'a>) -> Option<&'a str> {
        match self {
            Self::Is(text) => Some(text),
            Self::Read(read) => Some(read(scene)),
            Self::Bound(slot) => Some(bound[*slot]),
            Self::At(map, key) => map(scene)?.get(key.get(scene, bound)?).map(String::as_str),
            Self::Choose(choice) => choice.of(scene, bound)?.get(scene, bound),
        }
    }
}

impl<W: World> Texts<W> {
    /// Whether a string is among them. A list with something unknown in it is unknown.
    fn have<'a>(&'a self, wanted: &str, scene: &'a W::Scene<'a>, bound: &Bindings<'a>) -> Option<bool> {
        match self {
            Self::Read(read) => Some(read(scene).contains(&wanted)),
            Self::Literals(texts) => Some(texts.binary_search_by(|text| (**text).cmp(wanted)).is_ok()),
            Self::Are(texts) => {
                texts.iter().try_fold(false, |found, text| Some(found | (text.get(scene, bound)? == wanted)))
            }
        }
    }

    fn count<'a>(&'a self, scene: &'a W::Scene<'a>, bound: &Bindings<'a>) -> Option<usize> {
        match self {
            Self::Read(read) => Some(read(scene).len()),
            Self::Literals(texts) => Some(texts.len()),
            Self::Are(texts) => {
                texts.iter().try_fold(0, |count, text| text.get(scene, bound).map(|_| count + 1))
            }
        }
    }

    fn iter<'a>(
        &'a self,
        scene: &'a W::Scene<'a>,
        bound: &Bindings<'a>,
    ) -> impl Iterator<Item = Option<&'a str>> {
        let (read, literals, written): (&[&str], &[Box<str>], &[Text<W>]) = match self {
            Self::Read(read) => (read(scene), &[], &[]),
            Self::Literals(literals) => (&[], literals, &[]),
            Self::Are(written) => (&[], &[], written),
        };
        let known = read.iter().copied().chain(literals.iter().map(|text| &**text)).map(Some);
        known.chain(written.iter().map(move |text| text.get(scene, bound)))
    }
}

impl<W: World> When<W> {
    fn get<'a>(&'a self, scene: &'a W::Scene<'a>, bound: &Bindings<'a>) -> Option<Moment<'a>> {
        match self {
            Self::Is(at) => Some(Moment::utc(*at)),
            Self::Read(read) => read(scene),
            Self::Later(pair) => pair.0.get(scene, bound)?.plus(pair.1.get(scene, bound)?),
            Self::Earlier(pair) => pair.0.get(scene, bound)?.plus(pair.1.get(scene, bound)?.checked_neg()?),
            Self::Choose(choice) => choice.of(scene, bound)?.get(scene, bound),
        }
    }
}

impl<W: World> Span<W> {
    fn get<'a>(&'a self, scene: &'a W::Scene<'a>, bound: &Bindings<'a>) -> Option<SignedDuration> {
        match self {
            Self::Is(span) => Some(*span),
            Self::Between(pair) => {
                Some(pair.0.get(scene, bound)?.at.duration_since(pair.1.get(scene, bound)?.at))
            }
            Self::Plus(pair) => pair.0.get(scene, bound)?.checked_add(pair.1.get(scene, bound)?),
            Self::Minus(pair) => pair.0.get(scene, bound)?.checked_sub(pair.1.get(scene, bound)?),
            Self::Choose(choice) => choice.of(scene, bound)?.get(scene, bound),
        }
    }
}

/// False if one is false; otherwise unknown if one is unknown.
fn all(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut found = Some(true);
    for result in results {
        match result {
            Some(false) => return Some(false),
            Some(true) => {}
            None => found = None,
        }
    }
    found
}

/// True if one is true; otherwise unknown if one is unknown.
fn any(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(results.map(|result| result.map(|value| !value))).map(|value| !value)
}
