//! Countries, groups of countries, and the expressions that name them in a policy.
//!
//! Countries are the 249 officially assigned codes of ISO 3166-1 alpha-2, and Kosovo's user-assigned `XK`, which phone
//! numbers need. Groups are UN M49's, named by their three-digit code; unions are named sets such as `eu`.

mod country;
mod data;
mod expression;
mod set;

pub use country::{Country, UnknownCountry};
pub use expression::{Ambiguity, Expression, ExpressionError, Match, Resolution, Specificity, Term};
pub use set::CountrySet;

/// Code and name of every UN M49 group that a policy may use, in the order of the code.
pub fn groups() -> impl Iterator<Item = (&'static str, &'static str)> {
    data::GROUPS.iter().map(|group| (group.code, group.name))
}

/// The countries of the UN M49 group with this three-digit code.
pub fn group(code: &str) -> Option<CountrySet> {
    data::GROUPS.iter().find(|group| group.code == code).map(data::members)
}

/// Names of the unions that a policy may use.
pub fn unions() -> impl Iterator<Item = &'static str> {
    data::UNIONS.iter().map(|(name, _)| *name)
}

/// The countries of a named union.
pub fn union(name: &str) -> Option<CountrySet> {
    data::UNIONS.iter().find(|(known, _)| *known == name).map(|(_, countries)| data::set(countries))
}

#[cfg(test)]
mod tests;
