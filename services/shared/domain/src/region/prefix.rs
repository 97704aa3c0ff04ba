//! Prefixes of international numbers, and tables that find the longest one that begins a number.

use std::{fmt, str::FromStr};

use super::{Country, ExpressionError};
use crate::phone;

/// Digits that fit: as many as E.164 allows a number to have.
const MAX_DIGITS: usize = 15;

/// The first digits of international numbers, 1 to 15 of them, as in `+1787`. A whole number is a prefix of itself.
///
/// Four bits a digit from the left, and the count in the last four: compared as integers, prefixes stand in the order of
/// their digits, and each before those that it begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(u64);

impl Prefix {
    /// Reads `+` and 1 to 15 digits; none if it is anything else. Whether a calling code begins it is not looked at.
    pub fn of_number(e164: &str) -> Option<Self> {
        Self::of_digits(e164.strip_prefix('+')?)
    }

    /// Reads 1 to 15 digits.
    pub(crate) fn of_digits(digits: &str) -> Option<Self> {
        if !(1..=MAX_DIGITS).contains(&digits.len()) {
            return None;
        }
        let mut packed = 0;
        for (place, digit) in digits.bytes().enumerate() {
            if !digit.is_ascii_digit() {
                return None;
            }
            packed |= u64::from(digit - b'0') << (60 - 4 * place);
        }
        Some(Self(packed | digits.len() as u64))
    }

    /// How many digits it has.
    pub fn digits(self) -> usize {
        (self.0 & 0xf) as usize
    }

    /// Whether a number, or a longer prefix, starts with it.
    pub fn begins(self, number: Self) -> bool {
        let digits = self.digits();
        digits <= number.digits() && (self.0 ^ number.0) >> (64 - 4 * digits) == 0
    }

    /// The countries of its calling code, the main one first; none for the codes of no country, such as +800.
    pub(crate) fn countries(self) -> Vec<Country> {
        let text = self.to_string();
        phone::calling_code(&text[1..]).map_or_else(Vec::new, |(_, countries)| countries)
    }
}

impl FromStr for Prefix {
    type Err = ExpressionError;

    /// Reads a prefix as a policy names it: `+` and digits that begin with the calling code of a country.
    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let Some(prefix) = Self::of_number(text).filter(|_| !text.starts_with("+0")) else {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let meant = Self::of_digits(&digits).filter(|prefix| !prefix.countries().is_empty());
            return Err(ExpressionError::InvalidNumber {
                text: text.to_owned(),
                meant: meant.map(|prefix| format!("number:{prefix}")),
            });
        };
        if prefix.countries().is_empty() {
            return Err(ExpressionError::UnknownCallingCode { text: text.to_owned() });
        }
        Ok(prefix)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("+")?;
        (0..self.digits()).try_for_each(|place| write!(f, "{}", self.0 >> (60 - 4 * place) & 0xf))
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is known of numbers by their longest prefix. One binary search finds it, whatever the prefixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrefixTable<T> {
    /// In order.
    prefixes: Vec<Prefix>,
    /// For each prefix the place of the longest one that begins it.
    parents: Vec<Option<u32>>,
    values: Vec<T>,
}

impl<T> PrefixTable<T> {
    /// A table of these. Of equal prefixes the last one counts.
    pub(crate) fn new(entries: impl IntoIterator<Item = (Prefix, T)>) -> Self {
        let sorted: std::collections::BTreeMap<Prefix, T> = entries.into_iter().collect();
        let (prefixes, values): (Vec<Prefix>, Vec<T>) = sorted.into_iter().unzip();
        let mut parents = Vec::with_capacity(prefixes.len());
        // Those that begin the prefix at hand, shortest first.
        let mut open: Vec<u32> = Vec::new();
        for (place, prefix) in prefixes.iter().enumerate() {
            while open.last().is_some_and(|last| !prefixes[*last as usize].begins(*prefix)) {
                open.pop();
            }
            parents.push(open.last().copied());
            open.push(place as u32);
        }
        Self { prefixes, parents, values }
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// Every prefix with what is known of it, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Prefix, &T)> {
        self.prefixes.iter().copied().zip(&self.values)
    }

    /// What is known by the longest prefix that begins the number.
    pub(crate) fn longest(&self, number: Prefix) -> Option<&T> {
        self.chain(number).next().map(|(_, value)| value)
    }

    /// Every prefix that begins the number, the longest first.
    pub(crate) fn chain(&self, number: Prefix) -> impl Iterator<Item = (Prefix, &T)> {
        // The prefixes that begin a number begin everything that stands between them and it.
        let before = self.prefixes.partition_point(|prefix| *prefix <= number).checked_sub(1);
        std::iter::successors(before, |place| self.parents[*place].map(|parent| parent as usize))
            .filter(move |place| self.prefixes[*place].begins(number))
            .map(|place| (self.prefixes[place], &self.values[place]))
    }
}
