//! One term of an expression.

use std::{cmp::Reverse, fmt, str::FromStr, sync::Arc};

use super::{Country, CountrySet, Prefix, TenantUnion, Unions, group, groups, union, unions};
use crate::nearest::nearest;

/// How specific a term is: its kind first, then how few countries it names, or how many digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Specificity(u8, Reverse<usize>);

/// One term of an expression. Cloning one is a copy, or a count for a tenant's union.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// Numbers that start alike: `number:+1787`.
    Number(Prefix),
    /// One country: `DE`.
    Country(Country),
    /// A named union: `union:eu`.
    Union(&'static str),
    /// A union of the tenant's own: `union:dach-and-friends`.
    TenantUnion(Arc<TenantUnion>),
    /// A UN M49 group: `region:419`.
    Group(&'static str),
}

impl Term {
    /// Reads a term that may name one of the tenant's unions.
    ///
    /// # Errors
    /// What is wrong with it, and what was probably meant.
    pub fn parse_with(text: &str, own: &Unions) -> Result<Self, ExpressionError> {
        if let Some(number) = text.strip_prefix("number:") {
            return number.parse().map(Self::Number);
        }
        if let Some(name) = text.strip_prefix("union:") {
            if let Some(union) = own.get(name) {
                return Ok(Self::TenantUnion(Arc::clone(union)));
            }
            return unions().find(|known| *known == name).map(Self::Union).ok_or_else(|| {
                let built_in: Vec<&str> = unions().collect();
                let meant = nearest(&name.to_ascii_lowercase(), own.names().chain(built_in));
                ExpressionError::UnknownUnion {
                    text: text.to_owned(),
                    meant: meant.map(|known| format!("union:{known}")),
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
                        meant: meant.map(|known| format!("region:{known}")),
                    }
                });
        }
        text.parse().map(Self::Country).map_err(|_| {
            let lower = text.to_ascii_lowercase();
            let meant = if own.get(&lower).is_some() || unions().any(|known| known == lower) {
                Some(format!("union:{lower}"))
            } else if group(text).is_some() {
                Some(format!("region:{text}"))
            } else if text.parse::<Prefix>().is_ok() {
                Some(format!("number:{text}"))
            } else {
                Country::meant_by(text).map(str::to_owned)
            };
            ExpressionError::UnknownCountry { text: text.to_owned(), meant }
        })
    }

    /// The countries it names; none for a prefix, which names numbers.
    pub fn countries(&self) -> CountrySet {
        let named = match self {
            Self::Number(_) => return CountrySet::EMPTY,
            Self::Country(country) => return [*country].into_iter().collect(),
            Self::TenantUnion(union) => return union.countries(),
            Self::Union(name) => union(name),
            Self::Group(code) => group(code),
        };
        named.expect("a term names a union or group of the tables")
    }

    /// How specific it is: of two terms for one customer, the greater wins. Numbers beat countries beat unions beat groups;
    /// a longer prefix beats a shorter one, and a smaller union or group a larger one.
    pub fn specificity(&self) -> Specificity {
        let (kind, breadth) = match self {
            Self::Number(prefix) => return Specificity(3, Reverse(usize::MAX - prefix.digits())),
            Self::Country(_) => (2, 1),
            Self::Union(_) | Self::TenantUnion(_) => (1, self.countries().len()),
            Self::Group(_) => (0, self.countries().len()),
        };
        Specificity(kind, Reverse(breadth))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(prefix) => write!(f, "number:{prefix}"),
            Self::Country(country) => country.fmt(f),
            Self::Union(name) => write!(f, "union:{name}"),
            Self::TenantUnion(union) => write!(f, "union:{}", union.name()),
            Self::Group(code) => write!(f, "region:{code}"),
        }
    }
}

impl FromStr for Term {
    type Err = ExpressionError;

    /// Reads a term that names no union of a tenant.
    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        Self::parse_with(text, &Unions::default())
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
    /// Not the beginning of an international number.
    #[error("{text:?} is no prefix of numbers: write + and 1 to 15 digits, like number:+1787")]
    InvalidNumber {
        /// What was written.
        text: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// A prefix that begins with no country's calling code.
    #[error("{text:?} begins with the calling code of no country")]
    UnknownCallingCode {
        /// What was written.
        text: String,
    },
    /// A prefix in a union.
    #[error(
        "{text:?} is no country: a union is a set of countries, so name numbers in the region or rule itself"
    )]
    NumberInUnion {
        /// What was written.
        text: String,
    },
}

impl ExpressionError {
    /// What was probably meant.
    pub fn meant(&self) -> Option<&str> {
        match self {
            Self::UnknownCountry { meant, .. }
            | Self::UnknownUnion { meant, .. }
            | Self::UnknownGroup { meant, .. }
            | Self::InvalidNumber { meant, .. } => meant.as_deref(),
            Self::UnknownCallingCode { .. } | Self::NumberInUnion { .. } => None,
        }
    }
}
