//! A tenant's own unions.

use std::collections::BTreeMap;

use super::country;
use crate::region::{Country, Expression, ExpressionError, Resolution, Term, UnionProblem, Unions, union};

fn declared(unions: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let terms = |terms: &[&str]| terms.iter().map(|term| (*term).to_owned()).collect();
    unions.iter().map(|(name, list)| ((*name).to_owned(), terms(list))).collect()
}

#[test]
fn unions_are_built_from_each_other_whatever_their_names() {
    let unions = Unions::compile(&declared(&[
        ("a", &["union:z", "!CH"]),
        ("z", &["union:dach", "union:m"]),
        ("m", &["FR", "region:021"]),
        ("twice", &["union:m", "union:m", "union:a"]),
    ]))
    .unwrap();
    let codes =
        |name: &str| unions.get(name).unwrap().countries().iter().map(Country::code).collect::<Vec<_>>();
    assert_eq!(codes("z"), ["AT", "BM", "CA", "CH", "DE", "FR", "GL", "PM", "US"]);
    assert_eq!(codes("a"), ["AT", "BM", "CA", "DE", "FR", "GL", "PM", "US"]);
    assert_eq!(codes("twice"), codes("a"));
    assert_eq!(unions.names().collect::<Vec<_>>(), ["a", "m", "twice", "z"]);
}

#[test]
fn a_tenants_union_is_as_specific_as_a_built_in_one_of_its_size() {
    let unions =
        Unions::compile(&declared(&[("three", &["DE", "FR", "IT"]), ("two", &["DE", "FR"])])).unwrap();
    let parse = |terms: &[&str]| Expression::parse_with(terms, &unions).unwrap();
    let region = |regions: &[Expression], code: &str| {
        let resolution = Resolution::of(regions).unwrap();
        resolution.of_country(country(code)).map(|found| (found.region, found.text.to_string()))
    };
    let regions =
        [parse(&["union:three"]), parse(&["union:two"]), parse(&["union:eu"]), parse(&["region:150", "FR"])];
    assert_eq!(region(&regions, "DE"), Some((1, "union:two".to_owned())));
    assert_eq!(region(&regions, "IT"), Some((0, "union:three".to_owned())));
    assert_eq!(region(&regions, "ES"), Some((2, "union:eu".to_owned())));
    assert_eq!(region(&regions, "FR"), Some((3, "FR".to_owned())));
    assert_eq!(region(&regions, "US"), None);
    // Germany, Austria and Switzerland are three as well.
    let tie = Resolution::of(&[parse(&["union:three"]), parse(&["union:dach"])]).unwrap_err();
    assert_eq!(tie.iter().map(ToString::to_string).collect::<Vec<_>>(), ["DE"]);
    assert!(matches!(&tie[0].first.term, Term::TenantUnion(union) if union.name() == "three"));
    // Without the tenant's unions the name means nothing.
    assert!(Expression::parse(&["union:three"]).is_err());
    assert_eq!(parse(&["union:eu"]).countries(), union("eu").unwrap());
}

#[test]
fn what_is_wrong_with_unions_is_all_said() {
    let errors = Unions::compile(&declared(&[
        ("self", &["union:self"]),
        ("ring-one", &["union:ring-two", "DE"]),
        ("ring-two", &["union:ring-one"]),
        ("leads-in", &["union:ring-one", "FR"]),
        ("nanp", &["US"]),
        ("Bad", &["DE"]),
        ("empty", &[]),
        ("numbers", &["!number:+1787", "US"]),
        ("unknown", &["DE", "union:nowhere"]),
        ("fine", &["DE"]),
    ]))
    .unwrap_err();
    let cycle = |names: &[&str]| UnionProblem::Cycle(names.iter().map(|name| (*name).to_owned()).collect());
    let found: Vec<(&str, Option<usize>, UnionProblem)> =
        errors.iter().map(|error| (error.name.as_str(), error.term, error.problem.clone())).collect();
    let unknown = ExpressionError::UnknownUnion { text: "union:nowhere".to_owned(), meant: None };
    let number = ExpressionError::NumberInUnion { text: "!number:+1787".to_owned() };
    assert_eq!(
        found,
        [
            ("Bad", None, UnionProblem::Name),
            ("empty", None, UnionProblem::Empty),
            ("nanp", None, UnionProblem::Shadows),
            ("numbers", Some(0), UnionProblem::Term(number)),
            ("ring-one", None, cycle(&["ring-one", "ring-two", "ring-one"])),
            ("self", None, cycle(&["self", "self"])),
            ("unknown", Some(1), UnionProblem::Term(unknown)),
        ]
    );
    assert_eq!(
        errors[4].to_string(),
        r#"union "ring-one": it is built from itself: ring-one → ring-two → ring-one"#
    );
}

#[test]
fn a_long_chain_of_unions_is_no_burden() {
    let chain: BTreeMap<String, Vec<String>> = (0..20_000)
        .map(|link| {
            (
                format!("u{link}"),
                vec![if link == 0 { "DE".to_owned() } else { format!("union:u{}", link - 1) }],
            )
        })
        .collect();
    let unions = Unions::compile(&chain).unwrap();
    assert!(unions.get("u19999").unwrap().countries().contains(country("DE")));
}
