//! Countries, groups of countries, and the expressions that name them in a policy.
//!
//! Countries are the 249 officially assigned codes of ISO 3166-1 alpha-2, and Kosovo's user-assigned `XK`, which phone
//! numbers need. Groups are UN M49's, named by their three-digit code; unions are named sets such as `eu`.

mod country;
mod data;
mod expression;
pub(crate) mod prefix;
mod resolution;
mod set;
mod term;
mod unions;

use std::sync::LazyLock;

pub use country::{Country, UnknownCountry};
pub use expression::Expression;
pub use prefix::Prefix;
pub use resolution::{Ambiguity, Match, Resolution};
pub use set::CountrySet;
pub use term::{ExpressionError, Specificity, Term};
pub use unions::{TenantUnion, UnionError, UnionProblem, Unions};

/// The countries of every group, in the order of [`data::GROUPS`].
static GROUPS: LazyLock<Vec<CountrySet>> = LazyLock::new(|| data::GROUPS.iter().map(data::members).collect());

/// The countries of every union, in the order of [`data::UNIONS`].
static UNIONS: LazyLock<Vec<CountrySet>> =
    LazyLock::new(|| data::UNIONS.iter().map(|(_, countries)| data::set(countries)).collect());

/// Code and name of every UN M49 group that a policy may use, in the order of the code.
pub fn groups() -> impl Iterator<Item = (&'static str, &'static str)> {
    data::GROUPS.iter().map(|group| (group.code, group.name))
}

/// The countries of the UN M49 group with this three-digit code.
pub fn group(code: &str) -> Option<CountrySet> {
    data::GROUPS.iter().position(|group| group.code == code).map(|place| GROUPS[place])
}

/// Names of the unions that every policy may use.
pub fn unions() -> impl Iterator<Item = &'static str> {
    data::UNIONS.iter().map(|(name, _)| *name)
}

/// The countries of a named union.
pub fn union(name: &str) -> Option<CountrySet> {
    data::UNIONS.iter().position(|(known, _)| *known == name).map(|place| UNIONS[place])
}

#[cfg(test)]
mod tests;
