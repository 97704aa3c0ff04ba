#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{civil, tz::TimeZone};

use super::{meant_by, numbers::course, time_zone, time_zones_of_number, zones_of, zones_of_number};
use crate::region::Country;

fn rows(text: &'static str) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap()).map(|(key, rest)| (key, rest.split(' ').collect()))
}

fn clock(zone: &str) -> Vec<i32> {
    course(&time_zone(zone).unwrap_or_else(|| panic!("{zone} is not in the database")))
}

fn clocks(zones: &[&str]) -> BTreeSet<Vec<i32>> {
    zones.iter().map(|zone| clock(zone)).collect()
}

#[test]
fn every_country_has_each_of_its_times_once() {
    let mut listed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (country, zones) in rows(include_str!("../../fixtures/zone.tab")) {
        listed.entry(country).or_default().extend(zones);
    }
    for country in Country::all() {
        let ours = zones_of(country);
        assert!(!ours.is_empty(), "{country}");
        assert_eq!(clocks(ours).len(), ours.len(), "{country} has one time twice");
        if let Some(listed) = listed.get(country.code()) {
            assert!(clocks(ours).is_superset(&clocks(listed)), "{country} lacks one of {listed:?}");
            assert!(
                ours.iter().all(|zone| listed.contains(zone)),
                "{country} has a zone that is not its own"
            );
        } else {
            assert!(["BV", "HM", "XK"].contains(&country.code()), "{country}");
        }
    }
    assert_eq!(listed.len(), Country::COUNT - 3);
}

#[test]
fn zones_are_known_to_the_database_that_is_built_in() {
    for (_, zones) in rows(include_str!("../../fixtures/zone.tab")) {
        assert!(zones.into_iter().all(|zone| time_zone(zone).is_some()));
    }
    for wrong in ["", "Mars/Olympus", "America", "America/Sao_Paulo ", "../etc/passwd", "UTC+3"] {
        assert!(time_zone(wrong).is_none(), "{wrong:?}");
    }
    assert_eq!(meant_by("America/Sao_Paolo").as_deref(), Some("America/Sao_Paulo"));
    assert_eq!(meant_by("america/chicago").as_deref(), Some("America/Chicago"));
    assert_eq!(meant_by("Sao Paulo").as_deref(), Some("America/Sao_Paulo"));
    assert_eq!(meant_by("Olympus Mons"), None);
}

#[test]
fn numbers_tell_the_zone_as_far_as_they_can() {
    let table: &[(&str, &[&str])] = &[
        ("+12125550123", &["America/New_York"]),
        ("+13125550123", &["America/Chicago"]),
        ("+14155550123", &["America/Los_Angeles"]),
        ("+16025550123", &["America/Phoenix"]),
        ("+18085550123", &["Pacific/Honolulu"]),
        ("+17875550123", &["America/Puerto_Rico"]),
        ("+18765550123", &["America/Jamaica"]),
        ("+14165550123", &["America/Toronto"]),
        ("+16045550123", &["America/Vancouver"]),
        ("+5511987654321", &["America/Sao_Paulo"]),
        ("+5568987654321", &["America/Rio_Branco"]),
        ("+61755501234", &["Australia/Brisbane", "Australia/Sydney"]),
        ("+74012345678", &["Europe/Kaliningrad"]),
        ("+74212345678", &["Asia/Vladivostok"]),
        ("+77710009998", &["Asia/Almaty"]),
        ("+34922123456", &["Atlantic/Canary"]),
        ("+34915551234", &["Europe/Madrid"]),
        ("+34612345678", &["Europe/Madrid", "Atlantic/Canary"]),
        ("+351296123456", &["Atlantic/Azores"]),
        ("+351212345678", &["Europe/Lisbon"]),
        ("+447400123456", &["Europe/London"]),
        ("+8613123456789", &["Asia/Shanghai"]),
        ("+80012345678", &[]),
        ("+999", &[]),
        ("12125550123", &[]),
        ("", &[]),
    ];
    for (number, zones) in table {
        assert_eq!(zones_of_number(number), *zones, "{number}");
        let named: Vec<_> = zones.iter().filter_map(|zone| time_zone(zone)).collect();
        assert_eq!(time_zones_of_number(number), named, "{number}");
    }
    // Whose area code is of no place may be anywhere under the calling code.
    let anywhere = clocks(zones_of_number("+18005550100"));
    for country in ["US", "CA", "PR", "GU", "BM"] {
        assert!(anywhere.is_superset(&clocks(zones_of(country.parse().unwrap()))), "{country}");
    }
    assert_eq!(clocks(zones_of_number("+79123456789")), clocks(zones_of("RU".parse().unwrap())));
}

/// Offsets in January and July 2026, in seconds.
fn seasons(zones: &[&str]) -> BTreeSet<[i32; 2]> {
    let offset = |zone: &str, month| {
        let at = civil::date(2026, month, 15).to_zoned(TimeZone::UTC).unwrap().timestamp();
        time_zone(zone).unwrap_or_else(|| panic!("{zone}")).to_offset(at).seconds()
    };
    zones.iter().map(|zone| [1, 7].map(|month| offset(zone, month))).collect()
}

/// Where we differ from the library, by prefix.
const DIFFER: [&str; 23] = [
    // Area codes that it gives to a neighbour: Saskatchewan's overlay, Orlando's, Tijuana's, Saratov's.
    "+1474", "+1689", "+52663", "+7845",
    // Chihuahua, which has kept Mexico City's time since 2022.
    "+52614", "+52652", "+52659",
    // Countries where it names a zone that no longer keeps the same time as theirs.
    "+211", "+21252", "+21259", "+21265", "+21280", "+2131", "+2135", "+2138", "+2139", "+218", "+505",
    // Papua and the Moluccas, where it falls back to Jakarta, and Australia's Antarctic stations.
    "+62920", "+62958", "+62963", "+62979", "+67210",
];

#[test]
fn zones_agree_with_an_independent_library() {
    let (mut numbers, mut codes, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for (number, theirs) in rows(include_str!("../../fixtures/zones.txt")) {
        numbers += 1;
        codes.insert(crate::phone::calling_code(&number[1..]).unwrap().0);
        let zones = zones_of_number(number);
        let (ours, theirs) = (seasons(zones), (seasons(&theirs), theirs));
        // More than theirs is careful, fewer of theirs is precise.
        let agree = !ours.is_empty() && (ours.is_superset(&theirs.0) || ours.is_subset(&theirs.0));
        if agree == DIFFER.iter().any(|prefix| number.starts_with(prefix)) {
            wrong.push(format!("{number}: {:?}, not {zones:?}", theirs.1));
        }
    }
    assert!(numbers > 300 && codes.len() > 200, "{numbers} numbers of {} calling codes", codes.len());
    assert_eq!(wrong.join("\n"), "");
}
