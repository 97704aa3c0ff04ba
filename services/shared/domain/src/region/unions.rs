//! A tenant's own unions: named sets of countries, which may be built from each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{Hash, Hasher},
    sync::Arc,
};

use super::{CountrySet, Expression, ExpressionError, unions};
use crate::ids;

/// The unions of one tenant's policy, by name. The default has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unions(BTreeMap<String, Arc<TenantUnion>>);

/// One union of a tenant.
#[derive(Debug, PartialEq, Eq)]
pub struct TenantUnion {
    name: String,
    countries: CountrySet,
}

impl TenantUnion {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its countries.
    pub fn countries(&self) -> CountrySet {
        self.countries
    }
}

impl Hash for TenantUnion {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// What is wrong with one of a tenant's unions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("union {name:?}: {problem}")]
pub struct UnionError {
    /// The union's name.
    pub name: String,
    /// Place of the term in its list; none when the union as a whole is wrong.
    pub term: Option<usize>,
    /// What is wrong.
    #[source]
    pub problem: UnionProblem,
}

/// What can be wrong with a union.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnionProblem {
    /// The name is none.
    #[error("no name: lower-case letters, digits and inner hyphens, at most 63")]
    Name,
    /// There is a built-in union of the name.
    #[error("there is a built-in union of this name; choose another")]
    Shadows,
    /// A term is not understood.
    #[error(transparent)]
    Term(#[from] ExpressionError),
    /// It is built from itself.
    #[error("it is built from itself: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    /// Nothing is left of it.
    #[error("names no country")]
    Empty,
}

impl Unions {
    /// Compiles a policy's `unions`.
    ///
    /// # Errors
    /// Everything that is wrong with them, in the order of the names.
    pub fn compile(declared: &BTreeMap<String, Vec<String>>) -> Result<Self, Vec<UnionError>> {
        let (unions, errors) = Self::read(declared);
        if errors.is_empty() { Ok(unions) } else { Err(errors) }
    }

    /// Compiles them as far as they are right: every declared name is known, and a union that is wrong has no countries.
    pub(crate) fn read(declared: &BTreeMap<String, Vec<String>>) -> (Self, Vec<UnionError>) {
        let mut reader = Reader { declared, done: Self::default(), errors: Vec::new() };
        reader.names();
        reader.expressions();
        reader.errors.sort_by(|one, two| (&one.name, one.term).cmp(&(&two.name, two.term)));
        (reader.done, reader.errors)
    }

    /// The union of the name.
    pub fn get(&self, name: &str) -> Option<&Arc<TenantUnion>> {
        self.0.get(name)
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn insert(&mut self, name: &str, countries: CountrySet) {
        self.0.insert(name.to_owned(), Arc::new(TenantUnion { name: name.to_owned(), countries }));
    }
}

struct Reader<'a> {
    declared: &'a BTreeMap<String, Vec<String>>,
    done: Unions,
    errors: Vec<UnionError>,
}

impl<'a> Reader<'a> {
    fn fail(&mut self, name: &str, term: Option<usize>, problem: impl Into<UnionProblem>) {
        self.errors.push(UnionError { name: name.to_owned(), term, problem: problem.into() });
    }

    fn names(&mut self) {
        for name in self.declared.keys() {
            // Every name is known from the start, so that a term is unknown only if nobody declares it.
            self.done.insert(name, CountrySet::EMPTY);
            if !ids::is_name(name) {
                self.fail(name, None, UnionProblem::Name);
            } else if unions().any(|built_in| built_in == name) {
                self.fail(name, None, UnionProblem::Shadows);
            }
        }
    }

    /// Declared unions that a list of terms names.
    fn parts(&self, terms: &'a [String]) -> BTreeSet<&'a str> {
        let named = terms
            .iter()
            .filter_map(|term| term.strip_prefix('!').unwrap_or(term).trim().strip_prefix("union:"));
        named.filter(|name| self.declared.contains_key(*name)).collect()
    }

    /// Reads each union after those it is built from. What remains is built from itself.
    fn expressions(&mut self) {
        let declared = self.declared;
        let mut waits: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, terms) in declared {
            let parts = self.parts(terms);
            for part in &parts {
                users.entry(part).or_default().push(name);
            }
            waits.insert(name, parts);
        }
        let mut ready: Vec<&str> =
            waits.iter().filter(|(_, parts)| parts.is_empty()).map(|(name, _)| *name).collect();
        while let Some(name) = ready.pop() {
            waits.remove(name);
            self.expression(name, &declared[name]);
            for user in users.get(name).into_iter().flatten() {
                let left = waits.get_mut(user).expect("who waits for a union is not read before it");
                left.remove(name);
                if left.is_empty() {
                    ready.push(user);
                }
            }
        }
        self.cycles(&waits);
    }

    fn expression(&mut self, name: &str, terms: &[String]) {
        match Expression::parse_with(terms, &self.done) {
            Ok(expression) if expression.has_numbers() => {
                for (index, term) in terms.iter().enumerate() {
                    if term.trim_start_matches('!').trim().starts_with("number:") {
                        self.fail(name, Some(index), ExpressionError::NumberInUnion { text: term.clone() });
                    }
                }
            }
            Ok(expression) => {
                let countries = expression.countries();
                if countries.is_empty() {
                    self.fail(name, None, UnionProblem::Empty);
                }
                self.done.insert(name, countries);
            }
            Err(errors) => {
                for (index, error) in errors {
                    self.fail(name, Some(index), error);
                }
            }
        }
    }

    /// Each cycle once. Unions that only lead into one are not wrong themselves.
    fn cycles(&mut self, waits: &BTreeMap<&str, BTreeSet<&str>>) {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for start in waits.keys().copied() {
            let mut path: Vec<&str> = Vec::new();
            let mut at = start;
            // Whoever waits in vain waits for somebody who does.
            while seen.insert(at) {
                path.push(at);
                at = waits[at].first().expect("who waits for nobody was read");
            }
            if let Some(begin) = path.iter().position(|name| *name == at) {
                let cycle: Vec<String> =
                    path[begin..].iter().chain([&at]).map(|name| (*name).to_owned()).collect();
                self.fail(at, None, UnionProblem::Cycle(cycle));
            }
        }
    }
}
