//! The time zones of prefixes of numbers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

use super::{nanp, time_zone, zones_of};
use crate::{
    phone,
    region::{Country, Prefix},
};

/// Calling codes have one to three digits.
const CALLING_CODES: std::ops::Range<u16> = 1..1_000;

/// Calling code, zones, and the digits after the code that tell them: area codes as the countries' numbering plans assign
/// them to states and provinces. What is not listed may be anywhere in the country.
const AREAS: &[(&str, &[&str], &str)] = &[
    // Australia: by states; mobile numbers (4) tell nothing. Broken Hill keeps Adelaide's time.
    ("61", &["Australia/Sydney", "Australia/Lord_Howe", "Australia/Brisbane"], "2"),
    ("61", &["Australia/Sydney"], "3"),
    ("61", &["Australia/Brisbane", "Australia/Sydney"], "7"),
    ("61", &["Australia/Adelaide", "Australia/Darwin", "Australia/Perth", "Australia/Eucla"], "8"),
    ("61", &["Australia/Perth", "Indian/Cocos"], "89162"),
    ("61", &["Australia/Perth", "Indian/Christmas"], "89164"),
    // Brazil: 65 to 67 and 69 the west, 68 Acre, 92, 95 and 97 the Amazon, 81 Pernambuco with its far island
    ("55", &["America/Sao_Paulo"], "1 2 3 4 5 61 62 63 64 7 82 83 84 85 86 87 88 89 91 93 94 96 98 99"),
    ("55", &["America/Sao_Paulo", "America/Noronha"], "81"),
    ("55", &["America/Manaus"], "65 66 67 69 92 95"),
    ("55", &["America/Manaus", "America/Rio_Branco"], "97"),
    ("55", &["America/Rio_Branco"], "68"),
    // Chile: the capital, Valparaíso with Easter Island, Aysén
    ("56", &["America/Santiago"], "2"),
    ("56", &["America/Santiago", "Pacific/Easter"], "32"),
    ("56", &["America/Coyhaique", "America/Santiago"], "67"),
    // China keeps Beijing's time; in Xinjiang (90 and 99) many keep their own.
    ("86", &["Asia/Shanghai"], "1 2 3 4 5 6 7 8 9"),
    ("86", &["Asia/Shanghai", "Asia/Urumqi"], "90 99"),
    // Ecuador: the Galápagos share 5 with the coast.
    ("593", &["America/Guayaquil"], "2 3 4 6 7"),
    // Indonesia: Sumatra, Java; Bali, Nusa Tenggara, Sulawesi; Kalimantan has both; Maluku and Papua
    ("62", &["Asia/Jakarta"], "2 31 32 33 34 35 6 7"),
    ("62", &["Asia/Makassar"], "36 37 38 4"),
    ("62", &["Asia/Jakarta", "Asia/Makassar"], "5"),
    ("62", &["Asia/Jayapura"], "9"),
    // Mexico: Sonora, Sinaloa, southern Lower California, Nayarit
    ("52", &["America/Mexico_City"], "2 3 4 5 6 7 8 9"),
    (
        "52",
        &["America/Hermosillo"],
        "612 613 615 622 623 624 631 632 633 634 637 638 641 642 643 644 645 647 651 653",
    ),
    (
        "52",
        &["America/Hermosillo"],
        "662 667 668 669 672 673 687 694 695 696 697 698 311 319 323 324 325 389",
    ),
    ("52", &["America/Hermosillo", "America/Mexico_City"], "327 329 660"),
    // Lower California, Quintana Roo
    ("52", &["America/Tijuana"], "616 646 658 661 663 664 665 686"),
    ("52", &["America/Cancun"], "983 984 987 998"),
    ("52", &["America/Cancun", "America/Mexico_City"], "997"),
    // the northern border, which follows Texas
    ("52", &["America/Matamoros"], "867 868 877 878 891 892 894 897 899"),
    ("52", &["America/Matamoros", "America/Mexico_City"], "626 862 873"),
    ("52", &["America/Ciudad_Juarez"], "656"),
    ("52", &["America/Ciudad_Juarez", "America/Hermosillo", "America/Mexico_City"], "657"),
    // New Zealand: the Chatham Islands share 3 with the South Island.
    ("64", &["Pacific/Auckland"], "4 6 7 9"),
    // Australia's Antarctic stations
    ("672", &["Antarctica/Casey", "Antarctica/Davis", "Antarctica/Mawson", "Australia/Sydney"], "1"),
    // Portugal: the Azores
    ("351", &["Europe/Lisbon"], "2"),
    ("351", &["Atlantic/Azores"], "292 295 296"),
    // Réunion and Mayotte
    ("262", &["Indian/Reunion"], "262 263 692 693"),
    ("262", &["Indian/Mayotte"], "269 639"),
    // Russia: the European part
    ("7", &["Europe/Moscow"], "47 48 49 81 82 83 84 85 86 87"),
    ("7", &["Europe/Kaliningrad"], "401"),
    ("7", &["Europe/Samara"], "341 842 845 846 848 851"),
    // the Urals, Siberia, the far east
    ("7", &["Asia/Yekaterinburg"], "342 343 345 346 347 349 351 352 353"),
    ("7", &["Asia/Omsk"], "381"),
    ("7", &["Asia/Krasnoyarsk"], "382 383 384 385 388 390 391 394"),
    ("7", &["Asia/Irkutsk"], "301 395"),
    ("7", &["Asia/Yakutsk"], "302 416"),
    ("7", &["Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan"], "411"),
    ("7", &["Asia/Vladivostok"], "421 423 426"),
    ("7", &["Asia/Magadan"], "413 424"),
    ("7", &["Asia/Kamchatka"], "415 427"),
    // Kazakhstan
    ("7", &["Asia/Almaty"], "6 7"),
    // Spain: the Canary Islands
    ("34", &["Europe/Madrid"], "8 9"),
    ("34", &["Atlantic/Canary"], "822 827 828 922 927 928"),
    // Ukraine: numbers of the Crimea are Russian now.
    ("380", &["Europe/Kyiv"], "3 4 5 6 7 8 9"),
];

/// What is Russia's under the calling code it shares with Kazakhstan. Its mobile numbers (9) tell nothing more.
const RUSSIA: (&str, &str, &str) = ("7", "RU", "3 4 8 9");

/// Zones by prefix: every calling code with the zones of all its countries, and the area codes of some.
pub(super) fn rows() -> BTreeMap<Prefix, Vec<&'static str>> {
    let mut zones: BTreeMap<Prefix, Vec<&'static str>> = BTreeMap::new();
    let mut tell = |digits: &str, named: Vec<&'static str>| {
        zones.insert(Prefix::of_digits(digits).expect("prefixes are digits"), named);
    };
    for code in CALLING_CODES {
        let digits = code.to_string();
        let Some((_, countries)) = phone::calling_code(&digits).filter(|(code, _)| *code == digits) else {
            continue;
        };
        if !countries.is_empty() {
            tell(&digits, of_countries(&countries));
        }
    }
    for (area, named) in nanp::areas() {
        tell(&format!("1{area}"), named.to_vec());
    }
    let (code, country, areas) = RUSSIA;
    let country: Country = country.parse().expect("a known country");
    for area in areas.split_ascii_whitespace() {
        tell(&format!("{code}{area}"), zones_of(country).to_vec());
    }
    for (code, named, areas) in AREAS {
        for area in areas.split_ascii_whitespace() {
            tell(&format!("{code}{area}"), named.to_vec());
        }
    }
    zones
}

/// The zones of all these countries, of zones that keep the same time only the first.
fn of_countries(countries: &[Country]) -> Vec<&'static str> {
    if let [only] = countries {
        return zones_of(*only).to_vec();
    }
    let mut kept: BTreeSet<Vec<i32>> = BTreeSet::new();
    let names = countries.iter().flat_map(|country| zones_of(*country).iter().copied());
    names.filter(|name| time_zone(name).is_some_and(|zone| kept.insert(course(&zone)))).collect()
}

/// How a zone's clocks go in 2026 and 2027: its offset in seconds, week by week.
pub(super) fn course(zone: &TimeZone) -> Vec<i32> {
    let start = civil::date(2026, 1, 1).to_zoned(TimeZone::UTC).expect("a date of our time").timestamp();
    let week = |count: i64| start.checked_add(SignedDuration::from_hours(count * 7 * 24));
    let weeks = (0..2 * 52).map(|count| week(count).expect("a date of our time"));
    weeks.map(|at: Timestamp| zone.to_offset(at).seconds()).collect()
}
