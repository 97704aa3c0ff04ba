//! Time zones of countries and of phone numbers.
//!
//! A number tells where its owner lives no better than its numbering plan does, and mobile numbers travel. So the answer is a
//! list: whoever must not be disturbed at night is asked about in every zone of it.

mod countries;
mod nanp;
mod numbers;

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::region::{Country, Prefix, prefix::PrefixTable};

/// The database that is part of the program, so that every replica reckons alike whatever its machine has installed.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The rows of [`countries::COUNTRIES`] in the order of [`Country::index`].
static BY_COUNTRY: LazyLock<Vec<&'static [&'static str]>> = LazyLock::new(|| {
    let zones = |country: Country| countries::COUNTRIES.iter().find(|(code, _)| *code == country.code());
    Country::all().map(|country| zones(country).map_or(&[] as &[&str], |(_, zones)| zones)).collect()
});

/// Every prefix of numbers that tells a time zone: calling codes, and within some of them area codes.
static BY_NUMBER: LazyLock<PrefixTable<Told>> = LazyLock::new(|| {
    let rows = numbers::rows().into_iter();
    PrefixTable::new(rows.map(|(prefix, names)| {
        let zones = names.iter().filter_map(|name| time_zone(name)).collect();
        (prefix, Told { names, zones })
    }))
});

/// What a prefix tells.
#[derive(Debug)]
struct Told {
    names: Vec<&'static str>,
    /// The zones of these names.
    zones: Vec<TimeZone>,
}

/// The zone of this IANA name, such as `America/Sao_Paulo`; none if there is none of the name.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    DATABASE.get(name).ok()
}

/// The name of the IANA zone that was probably meant.
pub(crate) fn meant_by(name: &str) -> Option<String> {
    let known: Vec<String> = DATABASE.available().map(|known| known.as_str().to_owned()).collect();
    let same = known.iter().find(|known| known.eq_ignore_ascii_case(name)).map(String::as_str);
    // Of a city alone, the zone that is named after it.
    let city = || {
        let city = name.replace(' ', "_");
        known
            .iter()
            .map(String::as_str)
            .find(|known| known.rsplit_once('/').is_some_and(|(_, last)| last.eq_ignore_ascii_case(&city)))
    };
    let close = || crate::nearest::nearest(name, known.iter().map(String::as_str));
    same.or_else(city).or_else(close).map(str::to_owned)
}

/// The IANA zones of a country: one for each way its clocks go, the one with the most people first. Never empty.
pub fn zones_of(country: Country) -> &'static [&'static str] {
    BY_COUNTRY[country.index()]
}

/// The IANA zones in which the owner of an E.164 number may live, as far as its first digits tell: of its area code in the
/// countries with several zones, or else of every country of its calling code. Empty for numbers of no country.
pub fn zones_of_number(e164: &str) -> &'static [&'static str] {
    told(e164).map_or(&[], |told| &told.names)
}

/// The zones of [`zones_of_number`], ready to reckon with.
pub fn time_zones_of_number(e164: &str) -> &'static [TimeZone] {
    told(e164).map_or(&[], |told| &told.zones)
}

fn told(e164: &str) -> Option<&'static Told> {
    BY_NUMBER.longest(Prefix::of_number(e164)?)
}

#[cfg(test)]
mod tests;
