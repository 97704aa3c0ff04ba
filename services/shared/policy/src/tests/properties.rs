//! What holds for every policy and every set of facts.

use std::{collections::BTreeSet, sync::Arc};

use heliograph_domain::{
    region::{Country, Expression, Resolution},
    resources::{
        ChannelPolicySpec, Effect, PolicyRegion, PolicyRule, RegionPlan, Scope, SenderIdentity, Way,
    },
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select, strategy::ValueTree as _};
use serde_json::json;

use crate::{
    Calendars, CompiledPolicy, Consent, ContactFacts, Direction, Facts, Hints, MessageClass, OutOfScope,
    Outcome, Reason, Sent, Verdict, Window, decide, find_region, out_of_scope,
};

const CHANNELS: [&str; 5] = ["sms", "webchat", "email", "wechat", "whatsapp"];
const TERMS: [&str; 14] = [
    "DE",
    "US",
    "BR",
    "CN",
    "union:eu",
    "union:dach",
    "union:latam",
    "region:150",
    "region:419",
    "region:019",
    "number:+1212",
    "number:+4915",
    "!FR",
    "!MX",
];
const NUMBERS: [&str; 7] = [
    "+12125550123",
    "+5511987654321",
    "+4915112345678",
    "+33612345678",
    "+8613123456789",
    "+80012345678",
    "nonsense",
];
const CONDITIONS: [&str; 6] = [
    "true",
    "message.class == \"marketing\" || channel == \"sms\"",
    "local.getHours() < 12",
    "contact.sent > 1 && window.open",
    "contact.attributes[\"tier\"] == \"gold\"",
    "region.country in [\"DE\", \"US\"] || sender == \"10dlc\"",
];
const TIMES: [&str; 5] = [
    "1970-01-01T00:00:03Z",
    "2026-11-22T18:00:00Z",
    "2026-10-25T00:30:00Z",
    "2027-03-28T01:00:00Z",
    "2026-12-25T09:00:00Z",
];

fn channels() -> impl Strategy<Value = Vec<String>> {
    proptest::sample::subsequence(CHANNELS.to_vec(), 0..=CHANNELS.len())
        .prop_shuffle()
        .prop_map(|channels| channels.into_iter().map(str::to_owned).collect())
}

fn some_channels() -> impl Strategy<Value = Vec<String>> {
    channels().prop_filter("no channel", |channels| !channels.is_empty())
}

fn terms() -> impl Strategy<Value = Vec<String>> {
    vec(select(TERMS.to_vec()).prop_map(str::to_owned), 0..4)
}

/// Terms of a scope: none at all, or such as name somebody.
fn places() -> impl Strategy<Value = Vec<String>> {
    terms().prop_map(|terms| if Expression::parse(&terms).unwrap().is_empty() { Vec::new() } else { terms })
}

fn class() -> impl Strategy<Value = MessageClass> {
    select(MessageClass::ALL.to_vec())
}

fn sender() -> impl Strategy<Value = SenderIdentity> {
    select(vec![SenderIdentity::Alphanumeric, SenderIdentity::ShortCode, SenderIdentity::TenDlc])
}

fn effect() -> impl Strategy<Value = Effect> {
    let quiet = select(vec![("21:00", "08:00"), ("12:00", "13:00"), ("00:00", "24:00"), ("00:00", "23:59")]);
    let cap = (1_u32..4, select(vec!["1s", "1h", "31d"]));
    prop_oneof![
        Just(Effect::Deny),
        Just(Effect::NeedsConsent),
        Just(Effect::NeedsTemplate),
        some_channels().prop_map(Effect::UseChannel),
        select(vec!["office", "never", "tokyo"]).prop_map(|name| Effect::Hours(name.to_owned())),
        quiet.prop_map(|(from, to)| {
            serde_json::from_value(json!({ "quiet_hours": { "from": from, "to": to } })).unwrap()
        }),
        cap.prop_map(|(messages, per)| {
            serde_json::from_value(json!({ "at_most": { "messages": messages, "per": per } })).unwrap()
        }),
        vec(sender(), 1..3).prop_map(Effect::Sender),
    ]
}

fn rule() -> impl Strategy<Value = PolicyRule> {
    let way = option::of(select(vec![Way::Inbound, Way::Outbound]));
    let regions = proptest::sample::subsequence(vec!["default".to_owned()], 0..=1);
    let scope = (way, regions, places(), channels(), vec(class(), 0..3));
    (scope, effect(), option::of(select(CONDITIONS.to_vec()))).prop_map(
        |((direction, regions, countries, channels, classes), then, when)| {
            // Only a denial may look at what comes in.
            let direction = if then == Effect::Deny { direction } else { None };
            PolicyRule {
                name: "extra".to_owned(),
                scope: Scope { direction, regions, countries, channels, classes },
                when: when.map(str::to_owned),
                then,
                reason: None,
            }
        },
    )
}

/// Policies that can be compiled: regions that would make one ambiguous are left out.
fn policy() -> impl Strategy<Value = ChannelPolicySpec> {
    let residency = proptest::sample::subsequence(vec!["fra".to_owned(), "iad".to_owned()], 0..=2);
    let zone = option::of(select(vec!["America/Denver", "Asia/Kolkata"]));
    let own = option::of((class(), channels()));
    let regions = vec((terms(), channels(), residency, zone, own), 0..5);
    (regions, channels(), vec(rule(), 0..7)).prop_map(|(drawn, default, mut rules)| {
        let mut regions: Vec<PolicyRegion> = Vec::new();
        for (index, (countries, channels, residency, zone, own)) in drawn.into_iter().enumerate() {
            regions.push(PolicyRegion {
                name: format!("r{index}"),
                countries,
                channels,
                classes: own.into_iter().collect(),
                time_zone: zone.map(str::to_owned),
                residency,
            });
            let parsed: Vec<Expression> =
                regions.iter().map(|region| Expression::parse(&region.countries).unwrap()).collect();
            if Resolution::of(&parsed).is_err() {
                regions.pop();
            }
        }
        for (index, rule) in rules.iter_mut().enumerate() {
            rule.name = format!("rule-{index}");
        }
        let default = RegionPlan { channels: default, ..RegionPlan::default() };
        ChannelPolicySpec { regions, default, rules, ..ChannelPolicySpec::default() }
    })
}

fn calendars() -> Calendars {
    let hours = json!([{ "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00" }]);
    serde_json::from_value(json!({
        "office": { "hours": hours, "holidays": [{ "date": "2026-12-25" }] },
        "tokyo": { "time_zone": "Asia/Tokyo", "hours": hours },
        "never": { "hours": [] },
    }))
    .unwrap()
}

fn compile(spec: &ChannelPolicySpec) -> CompiledPolicy {
    CompiledPolicy::compile("p", 1, spec, &calendars()).unwrap()
}

#[derive(Debug, Clone)]
struct Case {
    direction: Direction,
    channel: Option<&'static str>,
    class: MessageClass,
    consent: Consent,
    window: Window,
    available: Option<Vec<&'static str>>,
    number: Option<&'static str>,
    declared: Option<Country>,
    region: Option<&'static str>,
    kind: &'static str,
    sender: Option<SenderIdentity>,
    site: Option<&'static str>,
    zone: Option<&'static str>,
    sent: Vec<Sent<'static>>,
    now: Timestamp,
}

fn time() -> impl Strategy<Value = Timestamp> {
    let known: Vec<Timestamp> = TIMES.iter().map(|time| time.parse().unwrap()).collect();
    prop_oneof![
        8 => select(known),
        1 => select(vec![Timestamp::MIN, Timestamp::MAX]),
        4 => (1_700_000_000_i64..1_900_000_000).prop_map(|second| Timestamp::from_second(second).unwrap()),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let window = prop_oneof![
        Just(Window::Unlimited),
        any::<bool>().prop_map(|templates| Window::Closed { templates }),
        (option::of(time()), any::<bool>()).prop_map(|(until, templates)| Window::Open { until, templates }),
    ];
    let known = CHANNELS.to_vec();
    let sent =
        (time(), select(known.clone()), class()).prop_map(|(at, channel, class)| Sent { at, channel, class });
    (
        (select(vec![Direction::Inbound, Direction::Outbound]), option::of(select(known.clone())), class()),
        (select(vec![Consent::Unknown, Consent::OptedIn, Consent::OptedOut]), window),
        option::of(proptest::sample::subsequence(known, 0..=CHANNELS.len())),
        option::of(select(NUMBERS.to_vec())),
        option::of((0..Country::COUNT).prop_map(|index| Country::at(index).unwrap())),
        option::of(select(vec!["r0", "r1", "default", "US", "nowhere"])),
        (select(vec!["", "text", "template"]), option::of(sender())),
        option::of(select(vec!["fra", "iad", "syd"])),
        (option::of(select(vec!["Europe/Berlin", "Pacific/Apia", "nowhere"])), vec(sent, 0..5), time()),
    )
        .prop_map(
            |(
                (direction, channel, class),
                (consent, window),
                available,
                number,
                declared,
                region,
                (kind, sender),
                site,
                (zone, sent, now),
            )| Case {
                direction,
                channel,
                class,
                consent,
                window,
                available,
                number,
                declared,
                region,
                kind,
                sender,
                site,
                zone,
                sent,
                now,
            },
        )
}

fn with<T>(policy: &CompiledPolicy, case: &Case, ask: impl FnOnce(&Facts<'_>) -> T) -> T {
    let hints =
        Hints { number: case.number, declared: case.declared, account: case.region, ..Hints::default() };
    let region = find_region(policy, &hints);
    ask(&Facts {
        direction: case.direction,
        channel: case.channel,
        account: Some("main"),
        sender: case.sender,
        class: case.class,
        kind: case.kind,
        region: &region,
        contact: ContactFacts {
            number: case.number,
            time_zone: case.zone,
            sent: &case.sent,
            ..ContactFacts::default()
        },
        consent: case.consent,
        window: case.window,
        available: case.available.as_deref(),
        site: case.site,
    })
}

fn run(policy: &CompiledPolicy, case: &Case) -> Verdict {
    with(policy, case, |facts| decide(policy, facts, case.now))
}

fn offered(verdict: &Verdict) -> &[Arc<str>] {
    match &verdict.outcome {
        Outcome::UseChannel(channels) => channels,
        _ => &[],
    }
}

fn rules(reasons: &[Reason]) -> BTreeSet<Arc<str>> {
    reasons.iter().filter_map(Reason::rule).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn every_set_of_facts_gets_one_verdict_with_reasons(spec in policy(), case in case()) {
        let policy = compile(&spec);
        let verdict = run(&policy, &case);
        prop_assert_eq!(&run(&compile(&spec), &case), &verdict);
        prop_assert!(!verdict.rules_fired.is_empty());
        prop_assert!(verdict.rules_fired.iter().chain(&verdict.rules_tried).all(|reason| !reason.to_string().is_empty()));
        prop_assert!(!verdict.to_string().is_empty());
        match &verdict.outcome {
            Outcome::UseChannel(channels) => prop_assert!(!channels.is_empty()),
            Outcome::Defer(until) => prop_assert!(*until > case.now),
            _ => {}
        }
        // A channel that is offered is one of the region's, is not the one asked about, and is not refused when asked about.
        for channel in offered(&verdict).iter().chain(&verdict.alternatives) {
            prop_assert_ne!(Some(&**channel), case.channel);
            let channel = *CHANNELS.iter().find(|known| ***known == **channel).unwrap();
            let free = Case {
                channel: Some(channel), consent: Consent::OptedIn, window: Window::Unlimited, sender: None, ..case.clone()
            };
            let free = run(&policy, &free);
            prop_assert!(!matches!(free.outcome, Outcome::UseChannel(_)), "{}", free);
            prop_assert!(free.outcome != Outcome::Deny || free.reason().code() == "rule.hours", "{}", free);
        }
    }

    #[test]
    fn a_rule_that_is_added_never_allows_more(spec in policy(), extra in rule(), at in any::<prop::sample::Index>(), case in case()) {
        let before = run(&compile(&spec), &case);
        let mut stricter = spec.clone();
        stricter.rules.insert(at.index(spec.rules.len() + 1), extra);
        let after = run(&compile(&stricter), &case);
        prop_assert!(after.outcome.permissiveness() <= before.outcome.permissiveness(), "{}\n{}", before, after);
        prop_assert!(after.outcome.rank() <= before.outcome.rank(), "{}\n{}", before, after);
        match (&before.outcome, &after.outcome) {
            (Outcome::Defer(before), Outcome::Defer(after)) => prop_assert!(before <= after),
            (Outcome::UseChannel(before), Outcome::UseChannel(after)) => {
                prop_assert!(after.iter().all(|channel| before.contains(channel)));
            }
            _ => {}
        }
        prop_assert!(after.alternatives.iter().all(|channel| before.alternatives.contains(channel)));
    }

    #[test]
    fn the_order_of_regions_and_rules_means_nothing(spec in policy(), case in case(), turn in 0_usize..7) {
        let mut turned = spec.clone();
        turned.regions.reverse();
        turned.rules.reverse();
        let turn = turn % turned.rules.len().max(1);
        turned.rules.rotate_left(turn);
        // Not only the outcome: every reason stands in its place.
        prop_assert_eq!(run(&compile(&spec), &case), run(&compile(&turned), &case));
    }

    #[test]
    fn exactly_the_rules_in_scope_are_asked(spec in policy(), case in case()) {
        let policy = compile(&spec);
        let verdict = run(&policy, &case);
        let (fired, tried) = (rules(&verdict.rules_fired), rules(&verdict.rules_tried));
        prop_assert!(fired.is_disjoint(&tried));
        // The index says what looking at the rules one by one says.
        let others: BTreeSet<Arc<str>> =
            with(&policy, &case, |facts| out_of_scope(&policy, facts)).into_iter().map(|(rule, _)| rule).collect();
        let asked: BTreeSet<Arc<str>> = fired.union(&tried).cloned().collect();
        prop_assert!(asked.is_disjoint(&others), "{:?} {:?}", asked, others);
        prop_assert_eq!(asked.len() + others.len(), spec.rules.len());
    }

    #[test]
    fn an_opt_out_never_allows_more(spec in policy(), case in case()) {
        let policy = compile(&spec);
        let verdict = |consent| run(&policy, &Case { consent, ..case.clone() }).outcome.permissiveness();
        prop_assert!(verdict(Consent::OptedOut) <= verdict(Consent::OptedIn));
        if case.class != MessageClass::Emergency {
            prop_assert!(verdict(Consent::OptedOut) <= verdict(Consent::Unknown));
            prop_assert!(case.direction == Direction::Inbound || verdict(Consent::OptedOut) == 0);
        }
    }
}

/// Hundreds of rules, so that the index has several words: asked one by one they say the same.
#[test]
fn the_index_agrees_with_a_scan_of_many_rules() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut draw = |count: usize| {
        let tree = vec(rule(), count).new_tree(&mut runner).unwrap();
        tree.current()
    };
    let mut rules = draw(300);
    for (index, rule) in rules.iter_mut().enumerate() {
        rule.name = format!("rule-{index}");
    }
    let region = |name: &str, term: &str| PolicyRegion {
        name: name.to_owned(),
        countries: vec![term.to_owned()],
        channels: CHANNELS.iter().map(ToString::to_string).collect(),
        ..PolicyRegion::default()
    };
    let spec = ChannelPolicySpec {
        regions: vec![region("r0", "region:150"), region("r1", "region:019")],
        rules,
        ..ChannelPolicySpec::default()
    };
    let policy = compile(&spec);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..300 {
        let case = case().new_tree(&mut runner).unwrap().current();
        let verdict = run(&policy, &case);
        let mut asked: Vec<Arc<str>> = verdict
            .rules_fired
            .iter()
            .chain(&verdict.rules_tried)
            .filter_map(Reason::rule)
            .cloned()
            .collect();
        let others: Vec<(Arc<str>, OutOfScope)> = with(&policy, &case, |facts| out_of_scope(&policy, facts));
        met.extend(asked.iter().cloned());
        asked.extend(others.into_iter().map(|(rule, _)| rule));
        asked.sort();
        let mut all: Vec<Arc<str>> = policy.rule_names().collect();
        all.sort();
        assert_eq!(asked, all, "{case:?}");
    }
    assert!(met.len() > 150, "the cases hardly met any rule: {}", met.len());
}
