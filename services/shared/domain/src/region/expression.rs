//! The expressions that name countries in a policy.
//!
//! An expression is a list of terms: `DE`, `union:eu`, `region:419`, `number:+1787`, and with `!` in front the same as an
//! exception: `["region:419", "!CU"]`. An exception holds against every term of its list, wherever it stands.

use std::sync::Arc;

use super::{Country, CountrySet, ExpressionError, Prefix, Specificity, Term, Unions};

/// A parsed list of terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expression {
    pub(super) included: Vec<Included>,
    /// The countries of all terms together.
    named: CountrySet,
    pub(super) excepted: CountrySet,
    /// Prefixes whose numbers are excepted.
    pub(super) excepted_numbers: Vec<Prefix>,
}

/// A term, with what is asked of it often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Included {
    pub(super) term: Term,
    /// The term as it is written.
    pub(super) text: Arc<str>,
    pub(super) countries: CountrySet,
    pub(super) specificity: Specificity,
}

impl Expression {
    /// Parses a list of terms that names no union of a tenant.
    ///
    /// # Errors
    /// Every term that is not understood, with its place in the list.
    pub fn parse<S: AsRef<str>>(terms: &[S]) -> Result<Self, Vec<(usize, ExpressionError)>> {
        Self::parse_with(terms, &Unions::default())
    }

    /// Parses a list of terms that may name unions of the tenant's own: those of [`Unions::compile`].
    ///
    /// # Errors
    /// Every term that is not understood, with its place in the list.
    pub fn parse_with<S: AsRef<str>>(
        terms: &[S],
        own: &Unions,
    ) -> Result<Self, Vec<(usize, ExpressionError)>> {
        let mut expression = Self::default();
        let mut errors = Vec::new();
        for (index, term) in terms.iter().enumerate() {
            let term = term.as_ref();
            let (text, except) = term.strip_prefix('!').map_or((term, false), |rest| (rest, true));
            match Term::parse_with(text.trim(), own) {
                Ok(term) => expression.add(term, except),
                Err(error) => errors.push((index, error)),
            }
        }
        if errors.is_empty() { Ok(expression) } else { Err(errors) }
    }

    fn add(&mut self, term: Term, except: bool) {
        let countries = term.countries();
        match term {
            Term::Number(prefix) if except => self.excepted_numbers.push(prefix),
            _ if except => self.excepted = self.excepted.with(&countries),
            term => {
                self.named = self.named.with(&countries);
                let (text, specificity) = (term.to_string().into(), term.specificity());
                self.included.push(Included { term, text, countries, specificity });
            }
        }
    }

    /// The countries it names, exceptions taken away. Numbers are not among them: see [`Self::names`].
    pub fn countries(&self) -> CountrySet {
        self.named.without(&self.excepted)
    }

    /// Whether it names anybody at all: a country, or a prefix that is not excepted as a whole.
    pub fn is_empty(&self) -> bool {
        let excepted = |prefix: Prefix| self.excepted_numbers.iter().any(|other| other.begins(prefix));
        self.countries().is_empty() && self.prefixes().all(excepted)
    }

    /// Whether numbers are named or excepted, so that a country alone does not tell whether somebody is meant.
    pub fn has_numbers(&self) -> bool {
        self.prefixes().next().is_some() || !self.excepted_numbers.is_empty()
    }

    /// Whether it names a customer with this number, of this country; either may be unknown.
    pub fn names(&self, number: Option<Prefix>, country: Option<Country>) -> bool {
        let begun = |prefix: Prefix| number.is_some_and(|number| prefix.begins(number));
        let excepted = country.is_some_and(|country| self.excepted.contains(country))
            || self.excepted_numbers.iter().any(|prefix| begun(*prefix));
        !excepted
            && (country.is_some_and(|country| self.named.contains(country)) || self.prefixes().any(begun))
    }

    /// The most specific term that names the country; none when it is not named, or excepted.
    pub fn term_for(&self, country: Country) -> Option<&Term> {
        if self.excepted.contains(country) {
            return None;
        }
        let named = self.included.iter().filter(|included| included.countries.contains(country));
        named.max_by_key(|included| included.specificity).map(|included| &included.term)
    }

    /// The prefixes it names.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = Prefix> + '_ {
        self.included.iter().filter_map(|included| match included.term {
            Term::Number(prefix) => Some(prefix),
            _ => None,
        })
    }
}
