//! A set of countries.

use std::fmt;

use super::Country;

/// A set of countries, one bit each.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CountrySet([u64; 4]);

impl CountrySet {
    /// No country at all.
    pub const EMPTY: Self = Self([0; 4]);

    /// Every country there is.
    pub fn all() -> Self {
        Country::all().collect()
    }

    /// Adds one country.
    pub fn insert(&mut self, country: Country) {
        self.0[country.index() / 64] |= 1 << (country.index() % 64);
    }

    /// Whether the country is in the set.
    pub fn contains(&self, country: Country) -> bool {
        self.0[country.index() / 64] & (1 << (country.index() % 64)) != 0
    }

    /// How many countries are in the set.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no country is in the set.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// The countries of either set.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    /// The countries of this set that are not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & !other.0[word]))
    }

    /// The countries in the order of the code.
    pub fn iter(&self) -> impl Iterator<Item = Country> + '_ {
        Country::all().filter(|country| self.contains(*country))
    }
}

impl FromIterator<Country> for CountrySet {
    fn from_iter<I: IntoIterator<Item = Country>>(countries: I) -> Self {
        let mut set = Self::EMPTY;
        for country in countries {
            set.insert(country);
        }
        set
    }
}

impl fmt::Debug for CountrySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
