//! How a country or a number finds its region.
//!
//! When several regions name a customer, the most specific term wins: a prefix of numbers beats a country beats a union
//! beats a group; a longer prefix beats a shorter one, and a smaller union or group a larger one. Equal terms are an error,
//! never an order. What a region excepts falls to whatever else would hold it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use super::{Country, Expression, Prefix, Specificity, Term, expression::Included, prefix::PrefixTable};
use crate::phone;

/// Which region a customer falls into, and by which term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Place of the region in the list that was resolved.
    pub region: usize,
    /// The term that named the customer.
    pub term: Term,
    /// The term as it is written, so that whoever shows it need not write it anew.
    pub text: Arc<str>,
}

/// A country, or numbers, that two regions name equally specifically.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguity {
    /// The country; for numbers the main one of their calling code, or the one they are of where that matters.
    pub country: Country,
    /// The numbers it is about; none when it is the whole country.
    pub number: Option<Prefix>,
    /// The first region in the list, and its term.
    pub first: Match,
    /// The other region, and its term.
    pub second: Match,
}

/// What it is that two regions name: `DE`, or `+1787`.
impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => number.fmt(f),
            None => self.country.fmt(f),
        }
    }
}

/// For each country, and each prefix that some region names or excepts, the region it falls into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    countries: Vec<Option<Match>>,
    numbers: PrefixTable<Held>,
}

/// What holds the numbers whose longest prefix in the table this is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    /// Where the number's country makes a difference.
    by_country: Vec<(Country, Option<Match>)>,
    /// For every other country, and when it is not known.
    otherwise: Option<Match>,
}

impl Resolution {
    /// Resolves all countries and prefixes over a list of regions.
    ///
    /// # Errors
    /// Every country and prefix that two regions name equally specifically and more specifically than all others.
    pub fn of(regions: &[Expression]) -> Result<Self, Vec<Ambiguity>> {
        let mut resolver = Resolver::new(regions);
        let countries: Vec<Option<Match>> =
            Country::all().map(|country| resolver.country(country, &[], None)).collect();
        let numbers = resolver.numbers();
        if resolver.ambiguities.is_empty() {
            Ok(Self { countries, numbers })
        } else {
            Err(resolver.ambiguities)
        }
    }

    /// Where the country falls; none when no region names it. A customer whose number is known is found by
    /// [`Self::of_number_in`] alone, because a number may fall elsewhere than its country.
    pub fn of_country(&self, country: Country) -> Option<&Match> {
        self.countries[country.index()].as_ref()
    }

    /// Where an E.164 number falls, by its prefix or its country; none when no region names it: that is the default.
    pub fn of_number(&self, e164: &str) -> Option<&Match> {
        self.of_number_in(e164, phone::country(e164))
    }

    /// Like [`Self::of_number`], where [`phone::country`] of the number is known already: one binary search.
    pub fn of_number_in(&self, e164: &str, country: Option<Country>) -> Option<&Match> {
        let named = if self.numbers.is_empty() { None } else { Prefix::of_number(e164) };
        match named.and_then(|number| self.numbers.longest(number)) {
            Some(held) => {
                let differs = held.by_country.iter().find(|(other, _)| Some(*other) == country);
                differs.map_or(&held.otherwise, |(_, found)| found).as_ref()
            }
            None => self.of_country(country?),
        }
    }

    /// Whether some region names or excepts numbers, so that a customer's country alone does not tell the region.
    pub fn has_numbers(&self) -> bool {
        !self.numbers.is_empty()
    }
}

/// The regions' terms, in the order in which they are asked.
struct Resolver<'a> {
    regions: &'a [Expression],
    /// For each country the terms that name it, the most specific first, and among equals in the order of the regions.
    by_country: Vec<Vec<(Specificity, usize, &'a Included)>>,
    ambiguities: Vec<Ambiguity>,
    /// Countries that two regions are known to name equally.
    tied: BTreeSet<(Country, usize, usize)>,
    /// Prefixes that two regions are known to name.
    shared: BTreeSet<(Prefix, usize, usize)>,
}

/// What regions say about a prefix.
#[derive(Default)]
struct Named<'a> {
    including: Vec<(usize, &'a Included)>,
    excepting: Vec<usize>,
}

impl<'a> Resolver<'a> {
    fn new(regions: &'a [Expression]) -> Self {
        let mut by_country = vec![Vec::new(); Country::COUNT];
        for (region, expression) in regions.iter().enumerate() {
            for included in &expression.included {
                for country in included.countries.without(&expression.excepted).iter() {
                    by_country[country.index()].push((included.specificity, region, included));
                }
            }
        }
        for terms in &mut by_country {
            // A stable sort: equals stay in the order of the regions.
            terms.sort_by_key(|(specificity, ..)| Reverse(*specificity));
        }
        Self { regions, by_country, ambiguities: Vec::new(), tied: BTreeSet::new(), shared: BTreeSet::new() }
    }

    /// Where a country falls, or those of its numbers that `without` except.
    fn country(&mut self, country: Country, without: &[usize], number: Option<Prefix>) -> Option<Match> {
        let mut terms =
            self.by_country[country.index()].iter().filter(|(_, region, _)| !without.contains(region));
        let (specificity, region, included) = *terms.next()?;
        let equal = terms.take_while(|(other, ..)| *other == specificity);
        let second = equal.copied().find(|(_, other, _)| *other != region);
        let first = found(region, included);
        // What is ambiguous for a whole country is not reported again for its numbers.
        if let Some((_, other, equal)) = second
            && self.tied.insert((country, region, other))
        {
            let second = found(other, equal);
            self.ambiguities.push(Ambiguity { country, number, first: first.clone(), second });
        }
        Some(first)
    }

    fn numbers(&mut self) -> PrefixTable<Held> {
        let mut named: BTreeMap<Prefix, Named<'a>> = BTreeMap::new();
        for (region, expression) in self.regions.iter().enumerate() {
            for included in &expression.included {
                if let Term::Number(prefix) = included.term {
                    named.entry(prefix).or_default().including.push((region, included));
                }
            }
            for prefix in &expression.excepted_numbers {
                named.entry(*prefix).or_default().excepting.push(region);
            }
        }
        let named = PrefixTable::new(named);
        let held: Vec<(Prefix, Held)> =
            named.iter().map(|(prefix, _)| (prefix, self.held(prefix, &named))).collect();
        PrefixTable::new(held)
    }

    fn held(&mut self, prefix: Prefix, named: &PrefixTable<Named<'a>>) -> Held {
        let chain: Vec<(Prefix, &Named<'a>)> = named.chain(prefix).collect();
        let without: Vec<usize> =
            chain.iter().flat_map(|(_, named)| named.excepting.iter().copied()).collect();
        let otherwise = self.number(&chain, &without, None);
        let mut by_country = Vec::new();
        for country in prefix.countries() {
            let by_number = self.number(&chain, &without, Some(country));
            let found = by_number.or_else(|| self.country(country, &without, Some(prefix)));
            if found != otherwise {
                by_country.push((country, found));
            }
        }
        Held { by_country, otherwise }
    }

    /// The region that names the prefix, or the longest that begins it, and excepts neither it nor the country.
    fn number(
        &mut self,
        chain: &[(Prefix, &Named<'a>)],
        without: &[usize],
        country: Option<Country>,
    ) -> Option<Match> {
        let holds = |region: usize| {
            let excepted = |country| self.regions[region].excepted.contains(country);
            !without.contains(&region) && !country.is_some_and(excepted)
        };
        for (prefix, named) in chain {
            let mut including = named.including.iter().filter(|(region, _)| holds(*region));
            let Some((region, included)) = including.next() else { continue };
            let second = including.find(|(other, _)| other != region);
            let first = found(*region, included);
            if let Some((other, equal)) = second
                && self.shared.insert((*prefix, *region, *other))
            {
                let main = prefix.countries().first().copied();
                let country = country.or(main).expect("a term's prefix is of a country");
                let second = found(*other, equal);
                self.ambiguities.push(Ambiguity {
                    country,
                    number: Some(*prefix),
                    first: first.clone(),
                    second,
                });
            }
            return Some(first);
        }
        None
    }
}

fn found(region: usize, included: &Included) -> Match {
    Match { region, term: included.term.clone(), text: Arc::clone(&included.text) }
}
