//! Phone numbers: what kind of address a carrier's `from` or `to` is, its E.164 form, and its country.
//!
//! Numbering plans come from the `phonenumber` crate, a port of Google's libphonenumber with its metadata.

use std::fmt;

use phonenumber::{Metadata, Type, metadata::DATABASE};
use serde::{Deserialize, Serialize};

use crate::region::Country;

/// Longest number E.164 allows, in digits.
const MAX_DIGITS: usize = 15;
/// Shortest international number in use, in digits: Niue's seven.
const MIN_DIGITS: usize = 7;
/// Longest short code in use, in digits.
const MAX_SHORT_CODE: usize = 8;
/// Longest alphanumeric sender GSM allows, in characters (3GPP TS 23.040, 9.1.2.5).
const MAX_ALPHA: usize = 11;
/// Longest text that is looked at as a number, in bytes. Separators included, no number is longer.
const MAX_TEXT: usize = 40;

/// Types of numbers that have a range of their own in a numbering plan.
const ISSUED: [Type; 10] = [
    Type::FixedLine,
    Type::Mobile,
    Type::TollFree,
    Type::PremiumRate,
    Type::SharedCost,
    Type::PersonalNumber,
    Type::Voip,
    Type::Pager,
    Type::Uan,
    Type::Voicemail,
];

/// What kind of address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An international number, with `+`.
    E164,
    /// A short code: digits that mean something in one country or network only.
    ShortCode,
    /// An alphanumeric sender such as `ACME`. It cannot be answered.
    Alpha,
    /// Anything else: an id whose form is the channel's own business.
    Opaque,
}

/// An address on a carrier's network, in its canonical spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    kind: Kind,
    text: String,
}

impl Address {
    /// Reads an address as providers write it: with or without `+`, with `00`, `tel:` or separators. Never fails: what is
    /// no number is opaque.
    pub fn parse(raw: &str) -> Self {
        let raw = raw.trim();
        let text = raw.strip_prefix("tel:").unwrap_or(raw);
        let of = |kind, text: &str| Self { kind, text: text.to_owned() };
        if text.len() > MAX_TEXT {
            return of(Kind::Opaque, raw);
        }
        let Some(digits) = digits(text) else {
            return of(if is_alpha(text) { Kind::Alpha } else { Kind::Opaque }, raw);
        };
        let e164 = |number: &Number<'_>| Self { kind: Kind::E164, text: format!("+{}", number.digits) };
        let international =
            if text.starts_with('+') { Some(digits.as_str()) } else { digits.strip_prefix("00") };
        if let Some(international) = international {
            return Number::of(international).map_or_else(|| of(Kind::Opaque, raw), |number| e164(&number));
        }
        match Number::of(&digits) {
            // Seven or eight digits without '+' are a number only if a numbering plan knows them.
            Some(number) if digits.len() > MAX_SHORT_CODE || number.is_issued() => e164(&number),
            _ if (3..=MAX_SHORT_CODE).contains(&digits.len()) => of(Kind::ShortCode, &digits),
            _ => of(Kind::Opaque, raw),
        }
    }

    /// What kind of address it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its canonical spelling: a number as `+` and digits, a short code as digits, others as they came.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The E.164 number, if it is one.
    pub fn e164(&self) -> Option<&str> {
        (self.kind == Kind::E164).then_some(&self.text)
    }

    /// The country of the number; none for other kinds, for numbers of no country (`+800`, `+883`), and for numbers of a
    /// shared calling code that belong to nobody.
    pub fn country(&self) -> Option<Country> {
        self.e164().and_then(country)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The E.164 form of a number, or none if the text is no international number.
pub fn normalize(raw: &str) -> Option<String> {
    let address = Address::parse(raw);
    (address.kind == Kind::E164).then_some(address.text)
}

/// The country of an E.164 number. Calling codes that several countries share (+1, +7, +39, +44, +47, +61, …) are told
/// apart by the digits that follow.
pub fn country(e164: &str) -> Option<Country> {
    Number::of(e164.strip_prefix('+')?)?.country()
}

/// Whether an E.164 number is free to call: in a toll-free range of its numbering plan, or under +800.
pub fn is_toll_free(e164: &str) -> bool {
    e164.strip_prefix('+').and_then(Number::of).is_some_and(|number| number.is_toll_free())
}

/// The calling code that begins these digits, and its countries, the main one first. Codes of no country (800, 883, …) have
/// none.
pub(crate) fn calling_code(digits: &str) -> Option<(&str, Vec<Country>)> {
    // No calling code begins another.
    (1..=digits.len().min(3)).find_map(|length| {
        let code = digits.get(..length).filter(|code| !code.starts_with('0'))?;
        let regions = DATABASE.region(&code.parse().ok()?)?;
        let mut countries: Vec<Country> = Vec::with_capacity(regions.len());
        for country in regions.into_iter().filter_map(of_plan) {
            if !countries.contains(&country) {
                countries.push(country);
            }
        }
        Some((code, countries))
    })
}

/// An international number, split where its calling code ends.
///
/// The `phonenumber` crate is used for its metadata only: its parser takes a trunk prefix off numbers that have none (+7 800
/// becomes +7 00), and its lookup of countries drops leading zeros, and with them Italy's and the Vatican's numbers.
struct Number<'a> {
    digits: &'a str,
    /// Countries of the calling code, the main one first.
    regions: Vec<&'static str>,
    national: &'a str,
}

impl<'a> Number<'a> {
    /// Reads the digits after `+`, if their count is possible and a calling code begins them.
    fn of(digits: &'a str) -> Option<Self> {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        if !plain || !(MIN_DIGITS..=MAX_DIGITS).contains(&digits.len()) || digits.starts_with('0') {
            return None;
        }
        // No calling code begins another.
        (1..=3).find_map(|length| {
            let (code, national) = digits.split_at(length);
            let regions = DATABASE.region(&code.parse().ok()?)?;
            Some(Self { digits, regions, national })
        })
    }

    fn country(&self) -> Option<Country> {
        // With one country behind the calling code, that is it, even where the metadata lags a new range.
        if let [only] = self.regions[..] {
            return of_plan(only);
        }
        let issuer = |region: &&&str| DATABASE.by_id(**region).is_some_and(|plan| self.belongs_to(plan));
        self.regions.iter().find(issuer).and_then(|region| of_plan(region))
    }

    /// Whether a plan of the calling code has the number in one of its ranges.
    fn is_issued(&self) -> bool {
        self.regions.iter().any(|region| DATABASE.by_id(*region).is_some_and(|plan| self.is_issued_by(plan)))
    }

    /// Whether it is free to call: in a toll-free range of a plan of its calling code, +800 included.
    fn is_toll_free(&self) -> bool {
        let code = self.digits[..self.digits.len() - self.national.len()].parse::<u16>();
        let plans = code.ok().and_then(|code| DATABASE.by_code(&code)).unwrap_or_default();
        plans.into_iter().any(|plan| self.is_in(plan, Type::TollFree))
    }

    /// Plans that share a calling code have leading digits of their own, or are told apart by their ranges.
    fn belongs_to(&self, plan: &Metadata) -> bool {
        match plan.leading_digits() {
            Some(leading) => leading.find(self.national).is_some_and(|found| found.start() == 0),
            None => self.is_issued_by(plan),
        }
    }

    fn is_issued_by(&self, plan: &Metadata) -> bool {
        ISSUED.iter().any(|kind| self.is_in(plan, *kind))
    }

    fn is_in(&self, plan: &Metadata, kind: Type) -> bool {
        plan.descriptors().general().is_match(self.national)
            && plan.descriptors().get(kind).is_some_and(|range| range.is_match(self.national))
    }
}

/// The country of a region of the numbering plans, which has codes of its own for two islands of Saint Helena's territory.
fn of_plan(region: &str) -> Option<Country> {
    match region {
        "AC" | "TA" => "SH",
        other => other,
    }
    .parse()
    .ok()
}

/// The digits of a text that consists of digits, one leading `+` and customary separators.
fn digits(text: &str) -> Option<String> {
    let body = text.strip_prefix('+').unwrap_or(text);
    if !body.starts_with(|first: char| first.is_ascii_digit() || first == '(') {
        return None;
    }
    let mut digits = String::with_capacity(body.len());
    // "+44 (0) 20 …" is how people write the trunk prefix that is not dialled from abroad.
    for character in body.replacen("(0)", "", 1).chars() {
        match character {
            '0'..='9' => digits.push(character),
            ' ' | '-' | '.' | '(' | ')' | '\u{a0}' => {}
            _ => return None,
        }
    }
    (digits.len() >= 3).then_some(digits)
}

/// Whether a carrier could show it as an alphanumeric sender.
fn is_alpha(text: &str) -> bool {
    text.len() <= MAX_ALPHA
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" &+-_.".contains(&byte))
}

#[cfg(test)]
mod tests;
