#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod numbers;
mod own;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    Country, CountrySet, Expression, ExpressionError, Resolution, Term, group, groups, union, unions,
};

fn country(code: &str) -> Country {
    code.parse().unwrap()
}

fn expression(terms: &[&str]) -> Expression {
    Expression::parse(terms).unwrap()
}

#[test]
fn every_code_finds_itself_and_nothing_else() {
    assert_eq!(Country::all().count(), Country::COUNT);
    assert_eq!(Country::all().filter(|country| country.is_assigned()).count(), 249);
    let codes: BTreeSet<&str> = Country::all().map(Country::code).collect();
    assert_eq!(codes.len(), Country::COUNT);
    for first in b'A'..=b'Z' {
        for second in b'A'..=b'Z' {
            let code = String::from_utf8(vec![first, second]).unwrap();
            match code.parse::<Country>() {
                Ok(country) => assert_eq!(country.code(), code),
                Err(_) => assert!(!codes.contains(code.as_str()), "{code}"),
            }
        }
    }
    for wrong in ["", "D", "de", "DEU", "D ", "ÄÖ", "AD AE"] {
        assert!(wrong.parse::<Country>().is_err(), "{wrong:?}");
    }
    for (index, country) in Country::all().enumerate() {
        assert_eq!((country.index(), Country::at(index)), (index, Some(country)));
    }
    assert_eq!(Country::at(Country::COUNT), None);
}

#[test]
fn the_subregions_of_m49_share_the_world_without_rest() {
    let leaves = [
        "005", "010", "011", "013", "014", "015", "017", "018", "021", "029", "030", "034", "035", "039",
        "053", "054", "057", "061", "143", "145", "151", "154", "155",
    ];
    let mut all = CountrySet::EMPTY;
    let mut sum = 0;
    for leaf in leaves {
        let countries = group(leaf).unwrap();
        assert!(!countries.is_empty(), "{leaf}");
        sum += countries.len();
        all = all.with(&countries);
    }
    assert_eq!(sum, Country::COUNT, "a country stands in two subregions");
    assert_eq!(all, CountrySet::all(), "a country stands in no subregion");
    assert_eq!(group("001").unwrap(), CountrySet::all());
}

#[test]
fn groups_have_the_sizes_that_m49_gives_them() {
    // Counted in the United Nations' list, plus TW in 030 and XK in 039.
    let sizes = [
        ("002", 60),
        ("019", 57),
        ("142", 51),
        ("150", 52),
        ("009", 29),
        ("202", 53),
        ("419", 52),
        ("003", 41),
        ("021", 5),
        ("029", 28),
        ("155", 9),
        ("830", 2),
    ];
    for (code, size) in sizes {
        assert_eq!(group(code).unwrap().len(), size, "{code}");
    }
    for (code, name) in groups() {
        assert!(code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        assert!(!name.is_empty() && group(code).is_some(), "{code}");
    }
    assert_eq!(group("999"), None);
}

#[test]
fn unions_have_their_members() {
    let sizes = [
        ("eu", 27),
        ("eea", 30),
        ("efta", 4),
        ("eurozone", 21),
        ("schengen", 29),
        ("dach", 3),
        ("benelux", 3),
        ("nordics", 8),
        ("baltics", 3),
        ("gcc", 6),
        ("asean", 11),
        ("latam", 21),
        ("mercosur", 5),
        ("usmca", 3),
        ("anz", 2),
        ("nanp", 25),
    ];
    for (name, size) in sizes {
        assert_eq!(union(name).unwrap().len(), size, "{name}");
    }
    assert_eq!(unions().count(), sizes.len());
    let (eu, eea, eurozone) = (union("eu").unwrap(), union("eea").unwrap(), union("eurozone").unwrap());
    assert_eq!(eea.without(&eu).iter().map(Country::code).collect::<Vec<_>>(), ["IS", "LI", "NO"]);
    assert!(eurozone.without(&eu).is_empty());
    assert!(union("latam").unwrap().without(&group("419").unwrap()).is_empty());
}

#[test]
fn locales_name_a_country_or_none() {
    let table = [
        ("pt-BR", Some("BR")),
        ("pt_BR.UTF-8", Some("BR")),
        ("zh-Hant-TW", Some("TW")),
        ("en-us", Some("US")),
        ("pt", None),
        ("es-419", None),
        ("de-u-ca-gregory", None),
        ("en-x-US", None),
        ("en-ZZ", None),
        ("C", None),
        ("", None),
    ];
    for (locale, code) in table {
        assert_eq!(Country::of_locale(locale).map(Country::code), code, "{locale}");
    }
}

#[test]
fn an_expression_names_countries_unions_groups_and_exceptions() {
    let latam = expression(&["region:419", "!CU", "!union:mercosur"]);
    assert_eq!(latam.countries().len(), 52 - 1 - 5);
    assert_eq!(latam.term_for(country("MX")), Some(&Term::Group("419")));
    assert_eq!(latam.term_for(country("CU")), None);
    assert_eq!(latam.term_for(country("BR")), None);
    let mixed = expression(&["region:150", "union:dach", "DE"]);
    assert_eq!(mixed.term_for(country("DE")).unwrap().to_string(), "DE");
    assert_eq!(mixed.term_for(country("AT")).unwrap().to_string(), "union:dach");
    assert_eq!(mixed.term_for(country("FR")).unwrap().to_string(), "region:150");
    // An exception holds against every term, wherever it stands.
    assert_eq!(expression(&["!DE", "DE", "FR"]).countries().len(), 1);
}

#[test]
fn a_wrong_term_is_named_with_what_was_meant() {
    let meant = |term: &str| -> (String, Option<String>) {
        let errors = Expression::parse(&["DE", term]).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].0, 1);
        (errors[0].1.to_string(), errors[0].1.meant().map(str::to_owned))
    };
    assert_eq!(meant("UK"), ("unknown country \"UK\"".to_owned(), Some("GB".to_owned())));
    assert_eq!(meant("us").1.as_deref(), Some("US"));
    assert_eq!(meant("eu").1.as_deref(), Some("union:eu"));
    assert_eq!(meant("419").1.as_deref(), Some("region:419"));
    assert_eq!(meant("union:dahc").1.as_deref(), Some("union:dach"));
    assert_eq!(meant("region:418").1.as_deref(), Some("region:018"));
    assert_eq!(meant("Atlantis").1, None);
    let errors = Expression::parse(&["!XY"]).unwrap_err();
    assert!(matches!(&errors[0].1, ExpressionError::UnknownCountry { text, .. } if text == "XY"));
}

#[test]
fn the_most_specific_term_wins_whatever_the_order() {
    let mut regions = [
        ("world", vec!["region:001"]),
        ("americas", vec!["region:019"]),
        ("latin", vec!["region:419"]),
        ("spoken", vec!["union:latam"]),
        ("market", vec!["union:mercosur"]),
        ("brazil", vec!["BR"]),
    ];
    let table = [
        ("BR", "brazil"),
        ("AR", "market"),
        ("MX", "spoken"),
        ("JM", "latin"),
        ("US", "americas"),
        ("DE", "world"),
    ];
    for _ in 0..regions.len() {
        regions.rotate_left(1);
        let expressions: Vec<Expression> = regions.iter().map(|(_, terms)| expression(terms)).collect();
        let resolution = Resolution::of(&expressions).unwrap();
        for (code, region) in table {
            let found = resolution.of_country(country(code)).unwrap();
            assert_eq!(regions[found.region].0, region, "{code}");
        }
    }
}

#[test]
fn equal_terms_are_ambiguous_unless_something_more_specific_decides() {
    let tie = [expression(&["DE", "region:155"]), expression(&["DE"]), expression(&["region:155", "!FR"])];
    let found = Resolution::of(&tie).unwrap_err();
    let codes: Vec<&str> = found.iter().map(|ambiguity| ambiguity.country.code()).collect();
    // FR is excepted in one of the two, and DE is a tie of its own.
    assert_eq!(codes, ["AT", "BE", "CH", "DE", "LI", "LU", "MC", "NL"]);
    let de = found.iter().find(|ambiguity| ambiguity.country.code() == "DE").unwrap();
    assert_eq!((de.first.region, de.second.region), (0, 1));
    // A tie between groups does not matter where a country is named.
    let decided = [expression(&["region:155"]), expression(&["region:155"]), expression(&["union:eu"])];
    let codes: Vec<&str> =
        Resolution::of(&decided).unwrap_err().iter().map(|ambiguity| ambiguity.country.code()).collect();
    assert_eq!(codes, ["CH", "LI", "MC"]);
    // The same term twice in one region is no conflict.
    assert!(Resolution::of(&[expression(&["DE", "DE"])]).is_ok());
}

fn term() -> impl Strategy<Value = String> {
    let codes: Vec<String> = Country::all().map(|country| country.code().to_owned()).collect();
    let named: Vec<String> = unions().map(|name| format!("union:{name}")).collect();
    let grouped: Vec<String> = groups().map(|(code, _)| format!("region:{code}")).collect();
    let plain = prop_oneof![
        proptest::sample::select(codes),
        proptest::sample::select(named),
        proptest::sample::select(grouped)
    ];
    (plain, proptest::bool::weighted(0.2))
        .prop_map(|(term, except)| if except { format!("!{term}") } else { term })
}

proptest! {
    #[test]
    fn resolution_agrees_with_the_most_specific_term_of_each_region(
        regions in proptest::collection::vec(proptest::collection::vec(term(), 1..5), 1..6)
    ) {
        let expressions: Vec<Expression> = regions.iter().map(|terms| Expression::parse(terms).unwrap()).collect();
        let resolved = Resolution::of(&expressions);
        for country in Country::all() {
            let mut candidates: Vec<(usize, &Term)> = expressions
                .iter()
                .enumerate()
                .filter_map(|(region, expression)| Some((region, expression.term_for(country)?)))
                .collect();
            candidates.sort_by_key(|(_, term)| std::cmp::Reverse(term.specificity()));
            let tie = candidates.len() > 1 && candidates[0].1.specificity() == candidates[1].1.specificity();
            match &resolved {
                Ok(resolution) => {
                    prop_assert!(!tie);
                    let found = resolution.of_country(country).map(|found| (found.region, &found.term));
                    prop_assert_eq!(found, candidates.first().copied());
                }
                Err(ambiguities) => {
                    prop_assert_eq!(tie, ambiguities.iter().any(|ambiguity| ambiguity.country == country));
                }
            }
        }
    }

    #[test]
    fn sets_behave_as_sets(one in proptest::collection::btree_set(0..Country::COUNT, 0..40),
                           two in proptest::collection::btree_set(0..Country::COUNT, 0..40)) {
        let set = |indexes: &BTreeSet<usize>| -> CountrySet { indexes.iter().filter_map(|index| Country::at(*index)).collect() };
        let back = |set: CountrySet| -> BTreeSet<usize> { set.iter().map(Country::index).collect() };
        prop_assert_eq!(back(set(&one)), one.clone());
        prop_assert_eq!(set(&one).len(), one.len());
        prop_assert_eq!(back(set(&one).with(&set(&two))), one.union(&two).copied().collect::<BTreeSet<_>>());
        prop_assert_eq!(back(set(&one).without(&set(&two))), one.difference(&two).copied().collect::<BTreeSet<_>>());
    }
}
