//! What holds for every policy and every set of facts.

use std::sync::Arc;

use heliograph_domain::{
    region::{Country, Expression, Resolution},
    resources::{ChannelPolicySpec, Effect, PolicyRegion, PolicyRule, RegionPlan, Scope},
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    CompiledPolicy, Consent, Direction, Facts, Hints, MessageClass, Outcome, Window, decide, find_region,
};

const CHANNELS: [&str; 5] = ["sms", "webchat", "email", "wechat", "whatsapp"];
const TERMS: [&str; 12] = [
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

fn channels() -> impl Strategy<Value = Vec<String>> {
    proptest::sample::subsequence(CHANNELS.to_vec(), 0..=CHANNELS.len())
        .prop_shuffle()
        .prop_map(|channels| channels.into_iter().map(str::to_owned).collect())
}

fn terms() -> impl Strategy<Value = Vec<String>> {
    vec(select(TERMS.to_vec()).prop_map(str::to_owned), 0..4)
}

fn class() -> impl Strategy<Value = MessageClass> {
    select(MessageClass::ALL.to_vec())
}

fn deny() -> impl Strategy<Value = PolicyRule> {
    (channels(), terms(), vec(class(), 0..3)).prop_map(|(channels, countries, classes)| PolicyRule {
        name: "rule".to_owned(),
        scope: Scope { channels, countries, classes, ..Scope::default() },
        when: None,
        then: Effect::Deny,
        reason: None,
    })
}

/// Policies that can be compiled: regions that would make one ambiguous are left out.
fn policy() -> impl Strategy<Value = ChannelPolicySpec> {
    let regions = vec((terms(), channels()), 0..5);
    (regions, channels(), vec(deny(), 0..3)).prop_map(|(drawn, default, deny)| {
        let mut regions: Vec<PolicyRegion> = Vec::new();
        for (index, (countries, channels)) in drawn.into_iter().enumerate() {
            regions.push(PolicyRegion {
                name: format!("r{index}"),
                countries,
                channels,
                ..PolicyRegion::default()
            });
            let parsed: Vec<Expression> =
                regions.iter().map(|region| Expression::parse(&region.countries).unwrap()).collect();
            if Resolution::of(&parsed).is_err() {
                regions.pop();
            }
        }
        ChannelPolicySpec { regions, default: DefaultRegion { channels: default }, deny }
    })
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
    account: Option<&'static str>,
    now: Timestamp,
}

fn case() -> impl Strategy<Value = Case> {
    let time = (0_i64..10).prop_map(|second| Timestamp::from_second(second).unwrap());
    let window = prop_oneof![
        Just(Window::Unlimited),
        any::<bool>().prop_map(|templates| Window::Closed { templates }),
        (option::of(time.clone()), any::<bool>())
            .prop_map(|(until, templates)| Window::Open { until, templates }),
    ];
    let known = CHANNELS.to_vec();
    (
        (select(vec![Direction::Inbound, Direction::Outbound]), option::of(select(known.clone())), class()),
        (select(vec![Consent::Unknown, Consent::OptedIn, Consent::OptedOut]), window),
        option::of(proptest::sample::subsequence(known, 0..=CHANNELS.len())),
        option::of(select(NUMBERS.to_vec())),
        option::of((0..Country::COUNT).prop_map(|index| Country::at(index).unwrap())),
        (option::of(select(vec!["r0", "r1", "default", "US", "nowhere"])), time),
    )
        .prop_map(
            |(
                (direction, channel, class),
                (consent, window),
                available,
                number,
                declared,
                (account, now),
            )| {
                Case { direction, channel, class, consent, window, available, number, declared, account, now }
            },
        )
}

fn run(policy: &CompiledPolicy, case: &Case) -> crate::Verdict {
    let hints =
        Hints { number: case.number, declared: case.declared, account: case.account, ..Hints::default() };
    let region = find_region(policy, &hints);
    let facts = Facts {
        direction: case.direction,
        channel: case.channel,
        class: case.class,
        region: &region,
        consent: case.consent,
        window: case.window,
        available: case.available.as_deref(),
    };
    decide(policy, &facts, case.now)
}

fn offered(verdict: &crate::Verdict) -> &[Arc<str>] {
    match &verdict.outcome {
        Outcome::UseChannel(channels) => channels,
        _ => &[],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_set_of_facts_gets_one_verdict_with_reasons(spec in policy(), case in case()) {
        let policy = CompiledPolicy::compile("p", 1, &spec, &Calendars::new()).unwrap();
        let verdict = run(&policy, &case);
        prop_assert_eq!(&run(&CompiledPolicy::compile("p", 1, &spec, &Calendars::new()).unwrap(), &case), &verdict);
        prop_assert!(!verdict.rules_fired.is_empty());
        prop_assert!(verdict.rules_fired.iter().chain(&verdict.rules_tried).all(|reason| !reason.to_string().is_empty()));
        // A channel that is offered is one of the region's, is not the one asked about, and is allowed when asked about.
        if let Outcome::UseChannel(channels) = &verdict.outcome {
            prop_assert!(!channels.is_empty());
        }
        for channel in offered(&verdict).iter().chain(&verdict.alternatives) {
            prop_assert_ne!(Some(&**channel), case.channel);
            let channel = *CHANNELS.iter().find(|known| ***known == **channel).unwrap();
            let free = Case {
                channel: Some(channel), consent: Consent::OptedIn, window: Window::Unlimited, ..case.clone()
            };
            prop_assert_eq!(run(&policy, &free).outcome, Outcome::Allow);
        }
    }

    #[test]
    fn adding_a_deny_never_allows_more(spec in policy(), extra in deny(), at in any::<prop::sample::Index>(), case in case()) {
        let before = run(&CompiledPolicy::compile("p", 1, &spec, &Calendars::new()).unwrap(), &case);
        let mut stricter = spec.clone();
        stricter.rules.insert(at.index(spec.rules.len() + 1), extra);
        let after = run(&CompiledPolicy::compile("p", 1, &stricter, &Calendars::new()).unwrap(), &case);
        prop_assert!(after.outcome.permissiveness() <= before.outcome.permissiveness(), "{}\n{}", before, after);
        prop_assert!(offered(&after).iter().all(|channel| offered(&before).contains(channel)));
        prop_assert!(after.alternatives.iter().all(|channel| before.alternatives.contains(channel)));
    }

    #[test]
    fn the_order_of_regions_and_rules_means_nothing(spec in policy(), case in case()) {
        let mut turned = spec.clone();
        turned.regions.reverse();
        turned.rules.reverse();
        let (one, two) = (CompiledPolicy::compile("p", 1, &spec, &Calendars::new()).unwrap(), CompiledPolicy::compile("p", 1, &turned, &Calendars::new()).unwrap());
        let (one, two) = (run(&one, &case), run(&two, &case));
        prop_assert_eq!(one.outcome, two.outcome);
        prop_assert_eq!(one.region.region, two.region.region);
        prop_assert_eq!(one.alternatives, two.alternatives);
    }

    #[test]
    fn an_opt_out_never_allows_more(spec in policy(), case in case()) {
        let policy = CompiledPolicy::compile("p", 1, &spec, &Calendars::new()).unwrap();
        let verdict = |consent| run(&policy, &Case { consent, ..case.clone() }).outcome.permissiveness();
        prop_assert!(verdict(Consent::OptedOut) <= verdict(Consent::OptedIn));
        if case.class != MessageClass::Emergency {
            prop_assert!(verdict(Consent::OptedOut) <= verdict(Consent::Unknown));
            prop_assert!(case.direction == Direction::Inbound || verdict(Consent::OptedOut) == 0);
        }
    }
}
