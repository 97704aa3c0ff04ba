//! Verdicts a second on the sample policy of the whole world, what a verdict costs with 10, 100 and 1,000 rules, and how
//! long a large policy takes to compile.
//!
//! `cargo bench -p heliograph-policy` prints three tables. The messages are every channel and class, in both directions, to
//! and from 200 customers all over the world.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a measurement needs the clock")]

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use heliograph_domain::{
    region::Country,
    resources::{ChannelPolicySpec, PolicyRegion, PolicyRule, RegionPlan, SenderIdentity, Spec, parse},
};
use heliograph_policy::{
    Calendars, CompiledPolicy, Consent, ContactFacts, Direction, Facts, Hints, MessageClass, RegionFinding,
    Sent, Window, decide, find_region,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// For each row at least so many verdicts are measured.
const VERDICTS: usize = 2_000_000;
/// In so many runs.
const RUNS: usize = 10;

const CHANNELS: [&str; 8] = ["sms", "whatsapp", "email", "webchat", "voice", "wechat", "line", "bottle"];

/// First digits of numbers, and how many digits follow.
const PREFIXES: [(&str, usize); 40] = [
    ("+1212", 7),
    ("+1305", 7),
    ("+1415", 7),
    ("+1808", 7),
    ("+1514", 7),
    ("+1416", 7),
    ("+1787", 7),
    ("+1876", 7),
    ("+5511", 9),
    ("+5215", 9),
    ("+5491", 9),
    ("+5731", 8),
    ("+5699", 8),
    ("+4915", 9),
    ("+336", 8),
    ("+346", 8),
    ("+393", 9),
    ("+4479", 8),
    ("+316", 8),
    ("+4879", 7),
    ("+4670", 7),
    ("+3519", 8),
    ("+4179", 7),
    ("+7916", 7),
    ("+8613", 9),
    ("+8529", 7),
    ("+8869", 8),
    ("+8190", 8),
    ("+8210", 8),
    ("+9198", 8),
    ("+6281", 8),
    ("+6591", 6),
    ("+614", 8),
    ("+6421", 7),
    ("+9715", 8),
    ("+9725", 8),
    ("+2782", 7),
    ("+2348", 9),
    ("+2547", 8),
    ("+2010", 8),
];

/// A customer.
struct Customer {
    number: String,
    region: RegionFinding,
    attributes: BTreeMap<String, String>,
    sent: Vec<Sent<'static>>,
}

fn customers(policy: &CompiledPolicy, now: Timestamp) -> Vec<Customer> {
    let mut customers = Vec::with_capacity(200);
    for at in 0..200_usize {
        let (prefix, digits) = PREFIXES[at % PREFIXES.len()];
        let number = format!("{prefix}{:0digits$}", 5_550_123 + at * 37);
        let number = number[..prefix.len() + digits].to_owned();
        let region = find_region(policy, &Hints { number: Some(&number), ..Hints::default() });
        let known: [(&str, &str); 2] = [("customer", "yes"), ("tier", "gold")];
        let attributes =
            known[..at % 3].iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sent = (1..=at % 4).map(|back| Sent {
            at: now - SignedDuration::from_hours(20) * i32::try_from(back).unwrap(),
            channel: CHANNELS[(at + back) % CHANNELS.len()],
            class: MessageClass::ALL[(at + back) % 3],
        });
        customers.push(Customer { number, region, attributes: attributes.collect(), sent: sent.collect() });
    }
    customers
}

/// Every channel and class, in both directions, for each customer.
fn messages(customers: &[Customer], now: Timestamp) -> Vec<Facts<'_>> {
    let mut messages = Vec::new();
    for (at, customer) in customers.iter().enumerate() {
        for (place, channel) in CHANNELS.into_iter().enumerate() {
            for class in MessageClass::ALL {
                for direction in [Direction::Inbound, Direction::Outbound] {
                    let mix = at + place;
                    messages.push(Facts {
                        direction,
                        channel: Some(channel),
                        account: Some("main"),
                        sender: (channel == "sms").then_some(SenderIdentity::ShortCode),
                        class,
                        kind: if mix % 5 == 0 { "template" } else { "text" },
                        contact: ContactFacts {
                            number: Some(&customer.number),
                            locale: Some("en"),
                            attributes: Some(&customer.attributes),
                            last_inbound: Some(now - SignedDuration::from_hours(30)),
                            sent: &customer.sent,
                            ..ContactFacts::default()
                        },
                        consent: [Consent::OptedIn, Consent::Unknown, Consent::OptedIn][mix % 3],
                        window: match mix % 4 {
                            0 => Window::Closed { templates: channel == "whatsapp" },
                            1 => Window::Open {
                                until: Some(now + SignedDuration::from_hours(2)),
                                templates: true,
                            },
                            _ => Window::Unlimited,
                        },
                        available: Some(&CHANNELS),
                        ..Facts::about(&customer.region)
                    });
                }
            }
        }
    }
    messages
}

/// Seconds a verdict takes, and how many rules were asked on average.
fn measure(policy: &CompiledPolicy, messages: &[Facts<'_>], now: Timestamp) -> (f64, f64) {
    let asked: usize = messages
        .iter()
        .map(|facts| {
            let verdict = decide(policy, facts, now);
            verdict
                .rules_fired
                .iter()
                .chain(&verdict.rules_tried)
                .filter(|reason| reason.rule().is_some())
                .count()
        })
        .sum();
    // What else the machine does only ever makes it slower: the best of several runs is the truest.
    let rounds = (VERDICTS / RUNS).div_ceil(messages.len());
    let best = (0..RUNS).map(|_| {
        let started = Instant::now();
        for _ in 0..rounds {
            for facts in messages {
                black_box(decide(black_box(policy), black_box(facts), now));
            }
        }
        started.elapsed().as_secs_f64()
    });
    let seconds = best.fold(f64::INFINITY, f64::min) / (rounds * messages.len()) as f64;
    (seconds, asked as f64 / messages.len() as f64)
}

fn world() -> (ChannelPolicySpec, Calendars) {
    let documents = parse("world.yaml", include_str!("../../../../deploy/samples/world.yaml")).unwrap();
    let (mut policy, mut calendars) = (None, Calendars::new());
    for document in documents {
        match document.resource.spec {
            Spec::ChannelPolicy(spec) => policy = Some(spec),
            Spec::Calendar(spec) => {
                calendars.insert(document.resource.metadata.name, spec);
            }
            _ => {}
        }
    }
    (policy.unwrap(), calendars)
}

/// Rules that are each about one country, and three that are about everybody.
fn narrow(count: usize) -> ChannelPolicySpec {
    let countries: Vec<&str> = Country::all().map(Country::code).collect();
    let everybody = [
        json!({ "name": "a", "match": { "classes": ["marketing"] }, "then": "needs_consent" }),
        json!({ "name": "b", "then": { "at_most": { "messages": 5, "per": "1h" } } }),
        json!({ "name": "c", "when": "message.kind == \"media\"", "then": "deny" }),
    ];
    let others = (3..count).map(|rule| {
        json!({
            "name": format!("rule-{rule}"),
            // Countries in a stride, so that few rules meet on one.
            "match": { "countries": [countries[rule * 97 % countries.len()]], "channels": [CHANNELS[rule % 5]] },
            "then": (["deny", "needs_template", "needs_consent"])[rule % 3],
        })
    });
    let rules = everybody.into_iter().chain(others).collect();
    ChannelPolicySpec { rules: rules_of(rules), ..world().0 }
}

fn rules_of(rules: Vec<Value>) -> Vec<PolicyRule> {
    serde_json::from_value(Value::Array(rules)).unwrap()
}

/// As many regions and rules as a policy may be expected to have at most.
fn large(regions: usize, rules: usize, calendar: &str) -> ChannelPolicySpec {
    let countries: Vec<&str> = Country::all().map(Country::code).collect();
    let term = |at: usize| match countries.get(at) {
        Some(country) => (*country).to_owned(),
        None => format!("number:+49{}", 1500 + at),
    };
    let region = |at: usize| PolicyRegion {
        name: format!("region-{at}"),
        countries: vec![term(at)],
        channels: CHANNELS.iter().map(|channel| (*channel).to_owned()).collect(),
        ..PolicyRegion::default()
    };
    let rule = |at: usize| {
        let scope = match at % 3 {
            0 => {
                json!({ "regions": [format!("region-{}", at % regions)], "classes": ["marketing", "utility"] })
            }
            1 => {
                json!({ "countries": ["region:150", format!("!{}", countries[at % countries.len()])], "channels": ["sms"] })
            }
            _ => json!({ "countries": [term(at % regions)], "channels": ["sms", "voice"] }),
        };
        let then = match at % 6 {
            0 => json!("deny"),
            1 => json!({ "hours": calendar }),
            2 => json!({ "at_most": { "messages": 3, "per": "1d" } }),
            3 => json!({ "use_channel": ["email", "webchat"] }),
            4 => json!({ "quiet_hours": { "from": "21:00", "to": "08:00" } }),
            _ => json!("needs_consent"),
        };
        let mut rule = json!({ "name": format!("rule-{at}"), "match": scope, "then": then });
        if at.is_multiple_of(3) {
            rule["when"] =
                json!(format!("contact.attributes[\"tier\"] == \"{at}\" && contact.sent > {}", at % 7));
        }
        rule
    };
    ChannelPolicySpec {
        regions: (0..regions).map(region).collect(),
        default: RegionPlan::default(),
        rules: rules_of((0..rules).map(rule).collect()),
        ..ChannelPolicySpec::default()
    }
}

fn main() {
    let now: Timestamp = "2026-01-14T12:00:00Z".parse().unwrap();
    let (spec, calendars) = world();
    let compile = |spec: &ChannelPolicySpec| CompiledPolicy::compile("bench", 1, spec, &calendars).unwrap();

    let policy = compile(&spec);
    let customers = customers(&policy, now);
    let messages = messages(&customers, now);
    println!(
        "The sample policy: {} regions, {} rules, {} messages",
        spec.regions.len(),
        spec.rules.len(),
        messages.len()
    );
    println!("{:<28} {:>12} {:>12} {:>10}", "messages", "verdicts/s", "ns/verdict", "rules");
    let row = |name: &str, part: &[Facts<'_>]| {
        let (seconds, asked) = measure(&policy, part, now);
        println!("{name:<28} {:>12.0} {:>12.0} {asked:>10.2}", 1.0 / seconds, seconds * 1e9);
    };
    row("all", &messages);
    let some = |keep: &dyn Fn(&Facts<'_>) -> bool| {
        messages.iter().filter(|facts| keep(facts)).copied().collect::<Vec<_>>()
    };
    row("inbound", &some(&|facts| facts.direction == Direction::Inbound));
    for class in MessageClass::ALL {
        let part = some(&|facts| facts.direction == Direction::Outbound && facts.class == class);
        row(&format!("outbound {}", class.as_str()), &part);
    }

    println!("\nThe same regions with more and more rules, of which few are about a message");
    println!("{:>28} {:>12} {:>12} {:>10} {:>8}", "rules", "verdicts/s", "ns/verdict", "rules", "ratio");
    let mut first = None;
    for count in [10, 100, 1_000] {
        let (seconds, asked) = measure(&compile(&narrow(count)), &messages, now);
        let ratio = seconds / *first.get_or_insert(seconds);
        println!("{count:>28} {:>12.0} {:>12.0} {asked:>10.2} {ratio:>7.2}x", 1.0 / seconds, seconds * 1e9);
    }

    println!("\nCompiling");
    println!("{:>12} {:>15} {:>12}", "regions", "rules", "ms");
    let calendar = calendars.keys().next().unwrap();
    for (regions, rules) in [(50, 500), (500, 5_000)] {
        let spec = large(regions, rules, calendar);
        let started = Instant::now();
        black_box(compile(&spec));
        println!("{regions:>12} {rules:>15} {:>12.1}", started.elapsed().as_secs_f64() * 1e3);
    }
}
