//! The expressions that name countries in a policy, and how a country finds its region.
//!
//! An expression is a list of terms: `DE`, `union:eu`, `region:419`, and with `!` in front the same as an exception:
//! `["region:419", "!CU"]`. When several regions name a country, the most specific term wins: a single country beats a
//! union beats a group, and a smaller union or group beats a larger one. Equal terms are an error, never an order.

use std::{cmp::Reverse, fmt, str::FromStr};

use super::{Country, CountrySet, group, groups, union, unions};
use crate::nearest::nearest;

/// How specific a term is: its kind first, then how few countries it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Specificity(u8, Reverse<usize>);

/// One term of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Term {
    /// One country: `DE`.
    Country(Country),
    /// A named union: `union:eu`.
    Union(&'static str),
    /// A UN M49 group: `region:419`.
    Group(&'static str),
}

impl Term {
    /// The countries it names.
    pub fn countries(self) -> CountrySet {
        let named = match self {
            Self::Country(country) => return [country].into_iter().collect(),
            Self::Union(name) => union(name),
            Self::Group(code) => group(code),
        };
        named.expect("a term names a union or group of the tables")
    }

    /// How specific it is: of two terms for one country, the greater wins.
    pub fn specificity(self) -> Specificity {
        let kind = match self {
            Self::Country(_) => 2,
            Self::Union(_) => 1,
            Self::Group(_) => 0,
        };
        Specificity(kind, Reverse(self.countries().len()))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Country(country) => country.fmt(f),
            Self::Union(name) => write!(f, "union:{name}"),
            Self::Group(code) => write!(f, "region:{code}"),
        }
    }
}

impl FromStr for Term {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let prefixed = |prefix: &str, known: &str| format!("{prefix}{known}");
        if let Some(name) = text.strip_prefix("union:") {
            return unions().find(|known| *known == name).map(Self::Union).ok_or_else(|| {
                let meant = nearest(&name.to_ascii_lowercase(), unions());
                ExpressionError::UnknownUnion {
                    text: text.to_owned(),
                    meant: meant.map(|known| prefixed("union:", known)),
                }
            });
        }
        if let Some(code) = text.strip_prefix("region:") {
            return groups()
                .find(|(known, _)| *known == code)
                .map(|(known, _)| Self::Group(known))
                .ok_or_else(|| {
                    let meant = nearest(code, groups().map(|(known, _)| known));
                    ExpressionError::UnknownGroup {
                        text: text.to_owned(),
                        meant: meant.map(|known| prefixed("region:", known)),
                    }
                });
        }
        text.parse().map(Self::Country).map_err(|_| {
            let lower = text.to_ascii_lowercase();
            let meant = if let Some(known) = unions().find(|known| *known == lower) {
                Some(prefixed("union:", known))
            } else if group(text).is_some() {
                Some(prefixed("region:", text))
            } else {
                Country::meant_by(text).map(str::to_owned)
            };
            ExpressionError::UnknownCountry { text: text.to_owned(), meant }
        })
    }
}

/// Why a term was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// Not a country code.
    #[error("unknown country {text:?}")]
    UnknownCountry {
        /// What was written.
        text: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// No union has this name.
    #[error("unknown union {text:?}")]
    UnknownUnion {
        /// What was written.
        text: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// No M49 group has this code.
    #[error("unknown M49 group {text:?}")]
    UnknownGroup {
        /// What was written.
        text: String,
        /// What was probably meant.
        meant: Option<String>,
    },
}

impl ExpressionError {
    /// What was probably meant.
    pub fn meant(&self) -> Option<&str> {
        match self {
            Self::UnknownCountry { meant, .. }
            | Self::UnknownUnion { meant, .. }
            | Self::UnknownGroup { meant, .. } => meant.as_deref(),
        }
    }
}

/// A parsed list of terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expression {
    included: Vec<Term>,
    excepted: CountrySet,
}

impl Expression {
    /// Parses a list of terms.
    ///
    /// # Errors
    /// Every term that is not understood, with its place in the list.
    pub fn parse<S: AsRef<str>>(terms: &[S]) -> Result<Self, Vec<(usize, ExpressionError)>> {
        let mut expression = Self::default();
        let mut errors = Vec::new();
        for (index, term) in terms.iter().enumerate() {
            let term = term.as_ref();
            let (text, except) = term.strip_prefix('!').map_or((term, false), |rest| (rest, true));
            match text.trim().parse::<Term>() {
                Ok(term) if except => expression.excepted = expression.excepted.with(&term.countries()),
                Ok(term) => expression.included.push(term),
                Err(error) => errors.push((index, error)),
            }
        }
        if errors.is_empty() { Ok(expression) } else { Err(errors) }
    }

    /// The countries it names, exceptions taken away.
    pub fn countries(&self) -> CountrySet {
        self.included
            .iter()
            .fold(CountrySet::EMPTY, |all, term| all.with(&term.countries()))
            .without(&self.excepted)
    }

    /// The most specific term that names the country; none when it is not named, or excepted.
    pub fn term_for(&self, country: Country) -> Option<Term> {
        if self.excepted.contains(country) {
            return None;
        }
        self.included
            .iter()
            .copied()
            .filter(|term| term.countries().contains(country))
            .max_by_key(|term| term.specificity())
    }
}

/// Which region a country falls into, and by which term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// Place of the region in the list that was resolved.
    pub region: usize,
    /// The term that named the country.
    pub term: Term,
}

/// A country that two regions name equally specifically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambiguity {
    /// The country.
    pub country: Country,
    /// The first region in the list, and its term.
    pub first: Match,
    /// The other region, and its term.
    pub second: Match,
}

/// For each country the region it falls into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution(Vec<Option<Match>>);

impl Resolution {
    /// Resolves all countries over a list of regions.
    ///
    /// # Errors
    /// Every country that two regions name equally specifically and more specifically than all others.
    pub fn of(regions: &[Expression]) -> Result<Self, Vec<Ambiguity>> {
        let mut best: Vec<Option<(Match, Specificity)>> = vec![None; Country::COUNT];
        let mut ties: Vec<Option<Match>> = vec![None; Country::COUNT];
        for (region, expression) in regions.iter().enumerate() {
            for term in &expression.included {
                let found = Match { region, term: *term };
                let (countries, specificity) =
                    (term.countries().without(&expression.excepted), term.specificity());
                for country in countries.iter() {
                    let (best, tie) = (&mut best[country.index()], &mut ties[country.index()]);
                    match best {
                        Some((_, held)) if *held > specificity => {}
                        Some((held, equal)) if *equal == specificity => {
                            if held.region != region {
                                tie.get_or_insert(found);
                            }
                        }
                        _ => (*best, *tie) = (Some((found, specificity)), None),
                    }
                }
            }
        }
        let matches: Vec<Option<Match>> = best.into_iter().map(|best| best.map(|(found, _)| found)).collect();
        let ambiguities: Vec<Ambiguity> = Country::all()
            .filter_map(|country| {
                let (first, second) = (matches[country.index()]?, ties[country.index()]?);
                Some(Ambiguity { country, first, second })
            })
            .collect();
        if ambiguities.is_empty() { Ok(Self(matches)) } else { Err(ambiguities) }
    }

    /// Where the country falls; none when no region names it.
    pub fn of_country(&self, country: Country) -> Option<Match> {
        self.0[country.index()]
    }
}
