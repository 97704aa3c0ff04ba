//! Prefixes of numbers in regions.

use proptest::prelude::*;

use super::{country, expression};
use crate::{
    phone,
    region::{
        Country, Expression, ExpressionError, Match, Prefix, Resolution, Specificity, Term,
        prefix::PrefixTable,
    },
};

/// Numbers of every calling code, with their countries; none for those of no country.
fn samples() -> impl Iterator<Item = (&'static str, Option<Country>)> {
    let lines = include_str!("../../../fixtures/numbers.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap()).map(|(number, code)| (number, code.parse().ok()))
}

fn region_of(regions: &[Expression], number: &str) -> Option<usize> {
    Resolution::of(regions).unwrap().of_number(number).map(|found| found.region)
}

#[test]
fn prefixes_are_read_written_and_compared() {
    for text in ["+1", "+1787", "+441481", "+123456789012345"] {
        let prefix: Prefix = text.parse().unwrap();
        assert_eq!(prefix.to_string(), text);
        assert_eq!(prefix.digits(), text.len() - 1);
        assert!(prefix.begins(prefix));
    }
    let prefix = |text: &str| Prefix::of_number(text).unwrap();
    assert!(prefix("+1").begins(prefix("+1787")) && !prefix("+1787").begins(prefix("+1")));
    assert!(!prefix("+1787").begins(prefix("+1788")) && !prefix("+10").begins(prefix("+1")));
    for wrong in ["", "+", "1787", "+1a", "+1234567890123456", "+ 1"] {
        assert_eq!(Prefix::of_number(wrong), None, "{wrong:?}");
    }
}

#[test]
fn a_prefix_begins_with_the_calling_code_of_a_country() {
    let meant = |term: &str| {
        let errors = Expression::parse(&[term]).unwrap_err();
        errors[0].1.meant().map(str::to_owned)
    };
    assert_eq!(meant("number:1787").as_deref(), Some("number:+1787"));
    assert_eq!(meant("!number:+1 (787)").as_deref(), Some("number:+1787"));
    assert_eq!(meant("+1787").as_deref(), Some("number:+1787"));
    assert_eq!(meant("number:"), None);
    assert_eq!(meant("number:+"), None);
    for term in ["number:+999", "number:+800", "number:+2", "number:+8835"] {
        let errors = Expression::parse(&[term]).unwrap_err();
        assert!(matches!(&errors[0].1, ExpressionError::UnknownCallingCode { .. }), "{term}: {errors:?}");
    }
    for term in ["number:+0123", "number:+", "number:+1234567890123456"] {
        let errors = Expression::parse(&[term]).unwrap_err();
        assert!(matches!(&errors[0].1, ExpressionError::InvalidNumber { .. }), "{term}: {errors:?}");
    }
    assert_eq!(expression(&["number:+1787"]).included[0].term.to_string(), "number:+1787");
}

#[test]
fn a_longer_prefix_beats_a_shorter_one_and_both_beat_countries() {
    let regions = [
        expression(&["region:419", "US"]),
        expression(&["number:+1787", "number:+1"]),
        expression(&["number:+1787555", "PR"]),
    ];
    let table = [
        ("+17875551234", Some(2)),
        ("+17876661234", Some(1)),
        ("+19396661234", Some(1)),
        ("+12125550123", Some(1)),
        ("+5511987654321", Some(0)),
        ("+4915112345678", None),
        ("+80012345678", None),
        ("no number", None),
    ];
    for (number, region) in table {
        assert_eq!(region_of(&regions, number), region, "{number}");
    }
    let resolution = Resolution::of(&regions).unwrap();
    let found = resolution.of_number("+17876661234").unwrap();
    assert_eq!((found.term.clone(), &*found.text), (Term::Number("+1787".parse().unwrap()), "number:+1787"));
    assert_eq!(resolution.of_country(country("PR")).unwrap().region, 2);
    assert!(resolution.has_numbers() && !Resolution::of(&[expression(&["DE"])]).unwrap().has_numbers());
}

#[test]
fn excepted_numbers_fall_to_whatever_else_would_hold_them() {
    // The Dominican Republic has three area codes; two stay with the first region.
    let first = expression(&["union:nanp", "!number:+1809"]);
    let both = [first.clone(), expression(&["region:419"])];
    for (number, region) in [("+18095550123", Some(1)), ("+18295550123", Some(0)), ("+12125550123", Some(0))]
    {
        assert_eq!(region_of(&both, number), region, "{number}");
    }
    // With nothing else they fall to the default.
    let alone = [first];
    assert_eq!(region_of(&alone, "+18095550123"), None);
    assert_eq!(region_of(&alone, "+18295550123"), Some(0));
    assert_eq!(Resolution::of(&alone).unwrap().of_country(country("DO")).map(|found| found.region), Some(0));
    // An exception holds against longer prefixes of its own region as well, and against shorter ones of no other.
    let nested = [expression(&["number:+1809555", "!number:+1809"]), expression(&["number:+1"])];
    assert_eq!(region_of(&nested, "+18095550123"), Some(1));
    // A country excepted takes its numbers with it.
    let without = [expression(&["number:+1", "!CA"]), expression(&["region:021"])];
    for (number, region) in [("+14165550123", Some(1)), ("+12125550123", Some(0)), ("+18005550100", Some(0))]
    {
        assert_eq!(region_of(&without, number), region, "{number}");
    }
}

#[test]
fn a_prefix_in_two_regions_is_ambiguous_unless_it_is_excepted_in_one() {
    let shown = |regions: &[Expression]| {
        let found = Resolution::of(regions).unwrap_err();
        found
            .into_iter()
            .map(|found| format!("{found} {} {}", found.first.text, found.second.text))
            .collect::<Vec<_>>()
    };
    let tie =
        [expression(&["number:+1787"]), expression(&["PR", "number:+1787"]), expression(&["number:+17875"])];
    assert_eq!(shown(&tie), ["+1787 number:+1787 number:+1787"]);
    assert_eq!(Resolution::of(&tie).unwrap_err()[0].number, Some("+1787".parse().unwrap()));
    let excepted = [expression(&["number:+1787"]), expression(&["number:+1787", "!number:+1787", "PR"])];
    assert!(Resolution::of(&excepted).is_ok());
    // What an exception uncovers may be ambiguous too.
    let uncovered = [
        expression(&["DO", "!number:+1809"]),
        expression(&["union:latam"]),
        expression(&["union:latam", "!BR"]),
        expression(&[
            "region:001",
            "AR",
            "BO",
            "CL",
            "CO",
            "CR",
            "CU",
            "EC",
            "GT",
            "HN",
            "HT",
            "MX",
            "NI",
            "PA",
            "PE",
            "PR",
            "PY",
            "SV",
            "UY",
            "VE",
        ]),
    ];
    assert_eq!(shown(&uncovered), ["+1809 union:latam union:latam"]);
    // The same prefix twice in one region is no conflict.
    assert!(Resolution::of(&[expression(&["number:+1787", "number:+1787"])]).is_ok());
}

#[test]
fn an_expression_names_customers_by_number_or_country() {
    let named = expression(&["number:+1787", "DE", "!number:+4915", "region:005", "!AR"]);
    let table = [
        (Some("+17875550123"), Some("PR"), true),
        (Some("+17875550123"), None, true),
        (Some("+12125550123"), Some("US"), false),
        (Some("+4915112345678"), Some("DE"), false),
        (Some("+4930123456"), Some("DE"), true),
        (None, Some("DE"), true),
        (None, Some("AR"), false),
        (None, None, false),
    ];
    for (number, code, expected) in table {
        let number = number.map(|number| Prefix::of_number(number).unwrap());
        assert_eq!(named.names(number, code.map(country)), expected, "{number:?} {code:?}");
    }
    assert!(named.has_numbers() && !expression(&["DE"]).has_numbers());
    assert!(
        !expression(&["number:+1787"]).is_empty() && expression(&["number:+1787"]).countries().is_empty()
    );
    assert!(expression(&["number:+1787", "!number:+178"]).is_empty());
    assert!(expression(&["DE", "!DE"]).is_empty());
}

#[test]
fn where_no_prefix_is_named_a_number_falls_where_its_country_does() {
    let regions = [
        expression(&["region:150"]),
        expression(&["union:nanp"]),
        expression(&["region:001", "!region:150"]),
    ];
    let resolution = Resolution::of(&regions).unwrap();
    for (number, country) in samples() {
        let by_country = country.and_then(|country| resolution.of_country(country));
        assert_eq!(resolution.of_number(number), by_country, "{number}");
        // Exactly one of the regions is the most specific, and none when the number has no country.
        let holding: Vec<Specificity> =
            regions.iter().filter_map(|region| region.term_for(country?)).map(Term::specificity).collect();
        let most = holding.iter().max();
        assert_eq!(holding.iter().filter(|one| Some(*one) == most).count(), usize::from(country.is_some()));
    }
}

/// What a resolution must say, worked out the long way: the most specific term of each region that does not except the
/// customer; the places of the regions that share the most specific one.
fn by_hand(regions: &[Expression], number: &str, country: Option<Country>) -> Vec<usize> {
    let number = Prefix::of_number(number).unwrap();
    let holding = |region: &Expression| {
        let excepted = region.excepted_numbers.iter().any(|prefix| prefix.begins(number))
            || country.is_some_and(|country| region.excepted.contains(country));
        let named = |term: &Term| match term {
            Term::Number(prefix) => prefix.begins(number),
            term => country.is_some_and(|country| term.countries().contains(country)),
        };
        let terms = region.included.iter().map(|included| &included.term).filter(|term| named(term));
        terms.map(Term::specificity).max().filter(|_| !excepted)
    };
    let found: Vec<Option<Specificity>> = regions.iter().map(holding).collect();
    let most = found.iter().copied().max().flatten();
    let places = 0..regions.len();
    places.filter(|place| most.is_some() && found[*place] == most).collect()
}

fn term() -> impl Strategy<Value = String> {
    let numbers: Vec<&str> = samples().map(|(number, _)| number).collect();
    let number = (proptest::sample::select(numbers), 2..8_usize)
        .prop_map(|(number, length)| format!("number:{}", &number[..length.min(number.len())]))
        .prop_filter("of a country", |term| term.parse::<Term>().is_ok());
    // Few prefixes of one calling code, so that they meet.
    let near = "[2-5][0-1]{0,3}".prop_map(|digits| format!("number:+1{digits}"));
    let named = proptest::sample::select(vec![
        "US",
        "CA",
        "DO",
        "DE",
        "union:nanp",
        "union:eu",
        "region:419",
        "region:001",
    ]);
    let plain = prop_oneof![number, near, named.prop_map(str::to_owned)];
    (plain, proptest::bool::weighted(0.25))
        .prop_map(|(term, except)| if except { format!("!{term}") } else { term })
}

/// Numbers that the terms above meet: some of every calling code, and many of one.
fn numbers() -> Vec<String> {
    let near = (0..256).map(|bits: u32| {
        let digits: String = (0..4).map(|place| char::from(b'0' + (bits >> (2 * place) & 3) as u8)).collect();
        format!("+1{}{digits}5550", 2 + bits % 4)
    });
    near.chain(samples().map(|(number, _)| number.to_owned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn numbers_fall_to_the_most_specific_region_and_to_that_one_only(
        regions in proptest::collection::vec(proptest::collection::vec(term(), 1..6), 1..5)
    ) {
        let expressions: Vec<Expression> = regions.iter().map(|terms| Expression::parse(terms).unwrap()).collect();
        match Resolution::of(&expressions) {
            Ok(resolution) => for number in numbers() {
                let country = phone::country(&number);
                let expected = by_hand(&expressions, &number, country);
                let found: Vec<usize> = resolution.of_number_in(&number, country).map(|found| found.region).into_iter().collect();
                prop_assert_eq!(found, expected, "{}", number);
                let unknown = by_hand(&expressions, &number, None);
                let found: Vec<usize> = resolution.of_number_in(&number, None).map(|found| found.region).into_iter().collect();
                prop_assert_eq!(found, unknown, "{} of nowhere", number);
            },
            // What is called ambiguous is so for the number itself, or for its country.
            Err(ambiguities) => for found in ambiguities {
                match found.number {
                    None => {
                        let named = |region: usize| expressions[region].term_for(found.country).map(Term::specificity);
                        prop_assert_eq!(named(found.first.region), named(found.second.region));
                    }
                    Some(prefix) => {
                        let of = by_hand(&expressions, &prefix.to_string(), Some(found.country));
                        let nobody = by_hand(&expressions, &prefix.to_string(), None);
                        prop_assert!(of.len() > 1 || nobody.len() > 1, "{}: {:?}", prefix, of);
                    }
                }
            }
        }
    }

    #[test]
    fn the_order_of_regions_and_terms_means_nothing(
        regions in proptest::collection::vec(proptest::collection::vec(term(), 1..6), 2..6),
        turn in 1..5_usize,
    ) {
        let count = regions.len();
        let mut turned: Vec<Vec<String>> = regions.clone();
        turned.rotate_left(turn % count);
        for terms in &mut turned {
            terms.reverse();
        }
        let resolve = |regions: &[Vec<String>]| {
            let expressions: Vec<Expression> = regions.iter().map(|terms| Expression::parse(terms).unwrap()).collect();
            Resolution::of(&expressions)
        };
        match (resolve(&regions), resolve(&turned)) {
            (Ok(one), Ok(two)) => {
                let back = |found: Option<&Match>| found.map(|found| ((found.region + turn) % count, found.term.clone()));
                let plain = |found: Option<&Match>| found.map(|found| (found.region, found.term.clone()));
                for number in numbers() {
                    prop_assert_eq!(plain(one.of_number(&number)), back(two.of_number(&number)), "{}", number);
                }
                for country in Country::all() {
                    prop_assert_eq!(plain(one.of_country(country)), back(two.of_country(country)), "{}", country);
                }
            }
            (one, two) => prop_assert!(one.is_err() && two.is_err()),
        }
    }

    #[test]
    fn the_longest_prefix_is_found_by_one_search(
        prefixes in proptest::collection::vec("[1-2][0-2]{0,5}", 0..40),
        number in "[1-2][0-2]{0,14}",
    ) {
        let entries = prefixes.iter().map(|digits| (Prefix::of_digits(digits).unwrap(), digits.as_str()));
        let table = PrefixTable::new(entries);
        let mut expected: Vec<&str> =
            prefixes.iter().map(String::as_str).filter(|prefix| number.starts_with(prefix)).collect();
        expected.sort_unstable_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        expected.dedup();
        let number = Prefix::of_digits(&number).unwrap();
        let found: Vec<&str> = table.chain(number).map(|(_, digits)| *digits).collect();
        prop_assert_eq!(table.longest(number), found.first());
        prop_assert_eq!(found, expected);
    }
}
