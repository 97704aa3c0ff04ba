//! The sample tenant that is shipped.

use std::collections::BTreeSet;

use crate::{
    region::{Country, Expression, Resolution},
    resources::{Context, Document, Kind, Resource, Spec, Stored, diff, parse, validate},
};

const SAMPLE: &str = include_str!("../../../../../../deploy/samples/acme.yaml");
const CHANNELS: [&str; 11] = [
    "bottle",
    "instagram",
    "line",
    "messenger",
    "rcs",
    "sms",
    "telegram",
    "viber",
    "webchat",
    "wechat",
    "whatsapp",
];

fn sample() -> Vec<Document> {
    parse("acme.yaml", SAMPLE).unwrap_or_else(|problems| panic!("{problems}"))
}

fn context() -> Context<'static> {
    Context { channels: &CHANNELS, stored: &[], dev: true }
}

#[test]
fn it_is_valid_in_development_and_nowhere_else() {
    let documents = sample();
    validate(&documents, &context()).unwrap_or_else(|problems| panic!("{problems}"));
    let kinds: BTreeSet<Kind> = documents.iter().map(|document| document.resource.kind()).collect();
    assert!(kinds.is_superset(&BTreeSet::from([
        Kind::Tenant,
        Kind::ChannelPolicy,
        Kind::ChannelAccount,
        Kind::Queue,
        Kind::RoutingRule,
        Kind::Agent
    ])));

    let refused = validate(&documents, &Context { dev: false, ..context() }).unwrap_err();
    let inline = SAMPLE.matches("{ value:").count();
    assert_eq!(refused.0.len(), inline, "{refused}");
    assert!(refused.0.iter().all(|problem| problem.message.contains("in development only")), "{refused}");
}

#[test]
fn every_country_falls_into_one_region_or_the_default() {
    let documents = sample();
    let policy = documents.iter().find_map(|document| match &document.resource.spec {
        Spec::ChannelPolicy(policy) => Some(policy),
        _ => None,
    });
    let policy = policy.unwrap();
    let expressions: Vec<Expression> =
        policy.regions.iter().map(|region| Expression::parse(&region.countries).unwrap()).collect();
    let resolution = Resolution::of(&expressions).unwrap();
    let region = |code: &str| {
        let found = resolution.of_country(code.parse().unwrap());
        found.map_or("default", |found| policy.regions[found.region].name.as_str())
    };
    let table = [
        ("US", "north-america"),
        ("BR", "latam-europe"),
        ("PR", "latam-europe"),
        ("DE", "latam-europe"),
        ("CN", "greater-china"),
        ("SG", "greater-china"),
        ("PN", "islands"),
        ("TW", "line-lands"),
        ("IN", "india"),
        ("NG", "default"),
    ];
    for (code, name) in table {
        assert_eq!(region(code), name, "{code}");
    }
    assert_eq!(
        Country::all().filter(|country| resolution.of_country(*country).is_some()).count(),
        2 + 52 + 52 + 4 + 3 + 3 + 1 + 2
    );
}

#[test]
fn canonical_json_is_a_fixed_point_and_reads_back() {
    for document in sample() {
        let json = document.resource.to_json();
        let back = Resource::from_json(&json).unwrap();
        assert_eq!(back, document.resource);
        assert_eq!(back.to_json().to_string(), json.to_string());
        assert_eq!(diff(&document.resource, &back), []);

        // JSON is read like YAML.
        let again = parse("acme.json", &serde_json::to_string_pretty(&json).unwrap()).unwrap();
        assert_eq!(again[0].resource, document.resource);

        let stored = Stored {
            resource: document.resource,
            version: 3,
            applied_by: "ann".to_owned(),
            applied_at: "2026-11-22T18:00:00Z".parse().unwrap(),
        };
        let kept = serde_json::to_vec(&stored).unwrap();
        assert_eq!(serde_json::from_slice::<Stored>(&kept).unwrap(), stored);
    }
}

#[test]
fn resources_can_be_applied_in_parts() {
    let stored: Vec<Resource> = sample().into_iter().map(|document| document.resource).collect();
    let context = Context { stored: &stored, ..context() };
    for document in sample() {
        validate(&[document], &context).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn secrets_never_show_in_debug_output() {
    let shown = format!("{:?}", sample().into_iter().map(|document| document.resource).collect::<Vec<_>>());
    assert!(shown.contains("inline value"));
    assert!(!shown.contains("made-up-twilio-auth-token") && !shown.contains("whsec_"));
}
