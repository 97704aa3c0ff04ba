#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod differential;
mod errors;
mod properties;

use std::collections::BTreeMap;

use heliograph_domain::resources::SenderIdentity;
use jiff::{Timestamp, Zoned};

use super::{PolicyCondition as Condition, PolicyFacts, World};
use crate::{
    Consent, ContactFacts, Direction, Facts, MessageClass, RegionFinding, RegionSource, Sent, Window,
};

fn region(country: Option<&str>) -> RegionFinding {
    RegionFinding {
        region: "latam".into(),
        country: country.map(|code| code.parse().unwrap()),
        source: RegionSource::Number,
        confidence: 90,
        term: None,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A Sunday, shortly before midnight in New York.
fn now() -> Timestamp {
    at("2026-11-23T04:30:15Z")
}

fn holds(text: &str, facts: &Facts<'_>, local: Option<&Zoned>) -> bool {
    Condition::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).holds(facts, now(), local)
}

#[test]
fn everything_that_is_known_can_be_asked_for() {
    let region = region(Some("BR"));
    let attributes =
        BTreeMap::from([("vip".to_owned(), "yes".to_owned()), ("plan".to_owned(), "über".to_owned())]);
    let sent = [Sent { at: at("2026-11-22T00:00:00Z"), channel: "sms", class: MessageClass::Marketing }; 3];
    let facts = Facts {
        direction: Direction::Outbound,
        channel: Some("sms"),
        account: Some("acme-us"),
        sender: Some(SenderIdentity::TenDlc),
        class: MessageClass::Marketing,
        kind: "text",
        contact: ContactFacts {
            number: Some("+5511987654321"),
            time_zone: None,
            locale: Some("pt-BR"),
            channels: &["sms", "whatsapp"],
            attributes: Some(&attributes),
            first_seen: Some(at("2026-01-01T00:00:00Z")),
            last_inbound: Some(at("2026-11-22T04:30:16Z")),
            sent: &sent,
        },
        consent: Consent::OptedIn,
        window: Window::Open { until: Some(at("2026-11-23T04:30:16Z")), templates: true },
        ..Facts::about(&region)
    };
    let local = now().in_tz("America/New_York").unwrap();
    let yes = [
        "message.direction == 'outbound'",
        "message.class == 'marketing' && message.kind == \"text\"",
        "message.class in ['marketing', 'utility']",
        "!(message.class in ['service'])",
        "channel == 'sms'",
        "account.startsWith('acme-') && account.endsWith('-us') && account.contains('me-u')",
        "account.matches('^acme-[a-z]{2}$')",
        "sender == '10dlc'",
        "region.name == 'latam' && region.country == 'BR' && contact.country == 'BR'",
        "region.source == 'number' && region.confidence >= 90",
        "contact.locale == 'pt-BR' && contact.language == 'pt'",
        "contact.number.startsWith('+55')",
        "contact.time_zone == '' && !has(contact.time_zone) && has(contact.locale)",
        "'whatsapp' in contact.channels && !('email' in contact.channels)",
        "contact.channels.exists(c, c == 'sms')",
        "contact.channels.all(c, c in ['sms', 'whatsapp'])",
        "!contact.channels.all(c, c == 'sms')",
        "contact.channels.exists(c, ['sms'].all(d, c == d && c != 'x'))",
        "contact.attributes['vip'] == 'yes' && contact.attributes.vip == 'yes'",
        "'vip' in contact.attributes && has(contact.attributes.vip) && has(contact.attributes['vip'])",
        "!has(contact.attributes.age) && !('age' in contact.attributes)",
        "size(contact.attributes) == 2 && size(contact.attributes.plan) == 4",
        "contact.channels.size() == 2 && size([1, 2, 3]) == 3 && size(['a']) == 1 && size('') == 0",
        "contact.sent == 3 && contact.sent in [1, 1 + 2]",
        "contact.first_seen < timestamp('2026-01-01T00:00:00.5Z')",
        "contact.first_seen == timestamp('2026-01-01T01:00:00+01:00')",
        "now - contact.last_inbound < duration('24h')",
        "contact.last_inbound + duration('23h59m59s') == now",
        "duration('90m') == duration('1h30m') && duration('1.5h') == duration('90m')",
        "duration('1h') + duration('30m') > duration('1h') && -1 == 0 - 1",
        "duration('1h') - duration('90m') == duration('-30m') && duration('0') < duration('1ns')",
        "(now - contact.first_seen).getHours() == 7828 && duration('90m').getMinutes() == 90",
        "duration('2m').getSeconds() == 120",
        "consent == 'opted_in' && consent != 'unknown'",
        "window.open",
        "window.open == true && (window.open != false)",
        // Monday by the clock of UTC, Sunday by the customer's.
        "now.getDayOfWeek() == 1 && now.getHours() == 4 && now.getMinutes() == 30 && now.getSeconds() == 15",
        "now.getFullYear() == 2026 && now.getMonth() == 10 && now.getDate() == 23",
        "now.getDayOfMonth() == 22 && now.getDayOfYear() == 326",
        "local.getDayOfWeek() == 0 && local.getHours() == 23 && local.getDate() == 22",
        "local == now && has(local) && has(now)",
        // An hour later by the customer's clock is the next day there.
        "(local + duration('1h')).getDayOfWeek() == 1 && (local + duration('1h')).getHours() == 0",
        "(local - duration('1h')).getHours() == 22",
        // Back over the change of clocks.
        "(local - duration('720h')).getHours() == 0 && (local - duration('720h')).getDate() == 24",
        "7 / 2 == 3 && -7 / 2 == -3 && 7 % 3 == 1 && 2 * 3 - 1 == 5 && -(2) == -2",
        "1 < 1.5 && 1.5 > 1 && 1.0 == 1 && 2 != 2.5 && 0.5 < 1.5",
        "9007199254740993 != 9007199254740992.0 && 9007199254740993 > 9007199254740992.0",
        "-1 > -1.5 && 1 >= 1.0 && 1.25 <= 2 && -0.5 < 0",
        "contact.sent > 2 ? channel == 'sms' : channel == 'email'",
        "(contact.sent > 5 ? 'a' : 'b') == 'b' && (contact.sent > 5 ? 1 : 2) == 2",
        "(window.open ? now : contact.first_seen) == now",
        "(window.open ? duration('1h') : duration('2h')) == duration('1h')",
        "'a' < 'b' && 'a' <= 'a' && 'b' > 'a' && 'b' >= 'b'",
        "!(channel in []) && !(contact.sent in [])",
        "true || false",
    ];
    for text in yes {
        assert!(holds(text, &facts, Some(&local)), "{text}");
        assert!(!holds(&format!("!({text})"), &facts, Some(&local)), "!({text})");
    }
}

#[test]
fn what_is_not_known_decides_nothing() {
    let region = region(None);
    let facts = Facts::about(&region);
    // What is unknown does not hold, and neither does its opposite.
    let unknown = [
        "contact.last_inbound < now",
        "contact.last_inbound == contact.last_inbound",
        "contact.last_inbound != now",
        "now - contact.first_seen > duration('1h')",
        "local.getHours() >= 0",
        "local == now",
        "contact.attributes.vip == 'yes'",
        "contact.attributes['vip'] != 'yes'",
        "contact.attributes.vip in ['yes']",
        "'yes' in [contact.attributes.vip]",
        "contact.attributes.vip.startsWith('y')",
        "contact.attributes.vip.matches('.*')",
        "size(contact.attributes.vip) >= 0",
        "size([contact.attributes.vip]) == 1",
        "contact.sent / contact.sent == 1",
        "1 % 0 == 0",
        "9223372036854775807 + 1 > 0",
        "9223372036854775807 * 2 > 0",
        "-9223372036854775807 - 2 < 0",
        "now + duration('8760000000h') > now",
        "(contact.attributes.vip == 'yes' ? 1 : 1) == 1",
        "contact.attributes.vip == 'yes' || contact.sent > 0",
        "contact.attributes.vip == 'yes' && contact.sent == 0",
        "(contact.attributes.vip == 'yes') == true",
        "['a', 'b'].exists(x, x == contact.attributes.vip)",
        "['a', 'b'].all(x, x == contact.attributes.vip)",
        "has(contact.attributes[contact.attributes.vip])",
        // A list with something unknown in it is unknown as a whole.
        "'b' in [contact.attributes.vip, 'b']",
        "[contact.attributes.vip, 'b'].exists(x, x == 'b')",
        "1 in [1, 1 / 0]",
        "size([1, 1 / 0]) == 2",
    ];
    for text in unknown {
        assert!(!holds(text, &facts, None), "{text}");
        assert!(!holds(&format!("!({text})"), &facts, None), "!({text})");
    }
    let yes = [
        "contact.attributes.vip == 'yes' || true",
        "!(contact.attributes.vip == 'yes' && false)",
        "!has(contact.last_inbound) && !has(local) && !has(contact.first_seen) && has(now)",
        "!has(contact.attributes) && !has(contact.channels) && size(contact.channels) == 0",
        "has(contact.last_inbound) ? false : true",
        "!contact.channels.exists(c, true) && contact.channels.all(c, false)",
        "['a', 'b'].exists(x, x == contact.attributes.vip || x == 'b')",
        "!['a', 'b'].all(x, x == contact.attributes.vip && x == 'a')",
        "message.direction == 'inbound' && message.class == 'service' && message.kind == ''",
        "channel == '' && account == '' && sender == '' && region.country == '' && contact.language == ''",
        "consent == 'unknown' && window.open && contact.sent == 0",
    ];
    for text in yes {
        assert!(holds(text, &facts, None), "{text}");
    }
}

#[test]
fn a_window_is_open_until_it_closes() {
    let region = region(None);
    let until = |until| Window::Open { until, templates: false };
    for (window, open) in [
        (Window::Unlimited, true),
        (until(None), true),
        (until(Some(at("2026-11-23T04:30:16Z"))), true),
        (until(Some(now())), false),
        (Window::Closed { templates: true }, false),
    ] {
        let facts = Facts { window, ..Facts::about(&region) };
        assert_eq!(holds("window.open", &facts, None), open, "{window:?}");
        assert_eq!(holds("!window.open", &facts, None), !open, "{window:?}");
    }
}

#[test]
fn every_value_that_facts_take_may_be_compared_with() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let serialized = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let cases = [
        ("message.class", MessageClass::ALL.map(|class| class.as_str().to_owned()).to_vec()),
        (
            "region.source",
            [
                RegionSource::Explicit,
                RegionSource::Number,
                RegionSource::Declared,
                RegionSource::Account,
                RegionSource::Locale,
                RegionSource::Nothing,
            ]
            .map(|source| source.as_str().to_owned())
            .to_vec(),
        ),
        (
            "consent",
            [Consent::Unknown, Consent::OptedIn, Consent::OptedOut]
                .map(|consent| serialized(serde_json::to_value(consent).unwrap()))
                .to_vec(),
        ),
        ("message.direction", names(&["inbound", "outbound"])),
        ("message.kind", names(&["text", "media", "template", "call_signal", ""])),
        (
            "sender",
            [
                SenderIdentity::Alphanumeric,
                SenderIdentity::ShortCode,
                SenderIdentity::TollFree,
                SenderIdentity::TenDlc,
                SenderIdentity::LongCode,
            ]
            .map(|kind| serialized(serde_json::to_value(kind).unwrap()))
            .to_vec(),
        ),
    ];
    for (variable, values) in cases {
        for value in values {
            Condition::parse(&format!("{variable} == '{value}'")).unwrap();
        }
    }
}

#[test]
fn a_condition_says_what_it_reads() {
    let condition = Condition::parse(
        "contact.locale == 'a' && contact.attributes.vip == 'local' && ['b'].exists(now, now == channel)",
    )
    .unwrap();
    for (variable, reads) in [
        ("contact.locale", true),
        ("contact.attributes", true),
        ("channel", true),
        ("local", false),
        ("now", false),
    ] {
        assert_eq!(condition.reads(variable), reads, "{variable}");
    }
    assert!(Condition::parse("has(contact.locale) || local.getHours() > 8").unwrap().reads("local"));
}

#[test]
fn every_variable_is_in_the_documentation() {
    let documented = include_str!("../condition.rs");
    for variable in PolicyFacts::VARIABLES {
        let name = format!("`{}`", variable.name);
        assert!(documented.lines().any(|line| line.starts_with("//! |") && line.contains(&name)), "{name}");
    }
}
