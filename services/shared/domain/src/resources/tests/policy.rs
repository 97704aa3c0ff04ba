//! What is refused of a policy, and that a large one is examined to its end.

use std::fmt::Write as _;

use super::problems::{file, problems, refused};
use crate::resources::{ChannelPolicySpec, Context, Kind, parse, references, validate};

const REGIONS: &str = "regions:\n  - { name: europe, countries: [region:150], channels: [sms] }\ndefault: { channels: [webchat] }\n";

/// Problems of a policy with one region, `europe`, and these further fields, which start in line 13. Without their
/// beginning, which is the same for all.
#[track_caller]
fn of(fields: &str) -> Vec<String> {
    let found = problems(&file("ChannelPolicy", "default", &format!("{REGIONS}{fields}")));
    let short =
        |problem: String| problem.replace("f.yaml:", "").replace(" ChannelPolicy/default: spec.", " ");
    found.into_iter().map(short).collect()
}

#[test]
fn everything_a_policy_can_say_is_accepted() {
    let fields = r#"unions:
  near: [union:dach, FR, "!CH"]
  far: [union:near, region:021, union:anz]
rules:
  - { name: children, match: { countries: [DE, "number:+1787", "!number:+1212"] }, when: contact.age < 18, then: deny, reason: The law. }
  - { name: opted-in, match: { classes: [marketing], regions: [europe, default] }, then: needs_consent }
  - { name: template, match: { channels: [wechat], direction: outbound }, then: needs_template }
  - { name: cheap, then: { use_channel: [webchat, sms] } }
  - { name: night, then: { quiet_hours: { from: "21:00", to: "08:00" } } }
  - { name: few, match: { countries: [union:far] }, then: { at_most: { messages: 50, per: 31d } } }
  - { name: registered, match: { countries: [US] }, then: { sender: [10dlc, toll_free, short_code] } }
  - { name: inbound, match: { direction: inbound, countries: [KP] }, then: deny }
fallback:
  - { name: later, on: [failed, no_receipt], after: 10m, to: [webchat] }
  - { name: risky, match: { channels: [sms], classes: [emergency] }, on: [in_doubt, denied, window_closed] }
templates:
  - { channel: wechat, name: hello, language: en_US, text_parameter: text }
  - { channel: wechat, regions: [europe, default], name: hallo }
consent:
  channels: [sms, wechat]
  keywords: { stop: [GENUG], start: [WIEDER], help: [WER] }
  replies: { stop: { de: "{name}: Schluss.", pt-BR: Fim. } }
identity: { join: [verified_phone, verified_email] }"#;
    assert_eq!(of(fields), Vec::<String>::new());
    // Each of its parts is read back as it was written.
    let text = file("ChannelPolicy", "default", &format!("{REGIONS}{fields}"));
    let policy = &parse("f.yaml", &text).unwrap()[1].resource;
    assert_eq!(crate::resources::Resource::from_json(&policy.to_json()).as_ref(), Ok(policy));
}

#[test]
fn unions_are_refused_for_what_is_wrong_with_them() {
    let fields = r#"unions:
  eu: [FR]
  Mine: [DE]
  loop: [union:pool, DE]
  numbers: [FR, number:+1787]
  none: [DE, "!region:150"]
  pool: [union:loop]
  typo: [union:lop, UK, "!DEE"]
rules:
  - { name: all, match: { countries: [union:typo, union:noen] }, then: deny }"#;
    assert_eq!(
        of(fields),
        [
            r#"15:5: unions.Mine: "Mine" is no name: lower-case letters, digits and inner hyphens, at most 63; did you mean "mine"?"#,
            "14:5: unions.eu: there is a built-in union of this name; choose another",
            "16:5: unions.loop: it is built from itself: loop → pool → loop",
            "18:5: unions.none: names no country",
            r#"17:19: unions.numbers[1]: "number:+1787" is no country: a union is a set of countries, so name numbers in the region or rule itself"#,
            r#"20:12: unions.typo[0]: unknown union "union:lop"; did you mean "union:loop"?"#,
            r#"20:23: unions.typo[1]: unknown country "UK"; did you mean "GB"?"#,
            r#"20:27: unions.typo[2]: unknown country "DEE"; did you mean "!DE"?"#,
            r#"22:53: rules[0].match.countries[1]: unknown union "union:noen"; did you mean "union:none"?"#,
        ]
    );
}

#[test]
fn regions_are_refused_for_what_is_wrong_with_them() {
    let spec = r#"unions: { home: [DE, AT] }
regions:
  - { name: one, countries: [union:home, "number:1787", "number:+999"], channels: [sms], time_zone: Europe/Berln }
  - { name: one, countries: [CA], channels: [sms], classes: { marketing: [smss] }, residency: [fra, fra, US] }
default: { channels: [], classes: { emergency: [sms, sms] }, time_zone: berlin, residency: [iad] }"#;
    refused(
        "ChannelPolicy",
        "default",
        spec,
        &[
            r#"f.yaml:12:103: ChannelPolicy/default: spec.regions[0].time_zone: unknown time zone "Europe/Berln"; write it like America/Sao_Paulo; did you mean "Europe/Berlin"?"#,
            r#"f.yaml:12:44: ChannelPolicy/default: spec.regions[0].countries[1]: "1787" is no prefix of numbers: write + and 1 to 15 digits, like number:+1787; did you mean "number:+1787"?"#,
            r#"f.yaml:12:59: ChannelPolicy/default: spec.regions[0].countries[2]: "+999" begins with the calling code of no country"#,
            r#"f.yaml:13:15: ChannelPolicy/default: spec.regions[1].name: region "one" is declared twice"#,
            r#"f.yaml:13:77: ChannelPolicy/default: spec.regions[1].classes.marketing[0]: unknown channel "smss"; did you mean "sms"?"#,
            r#"f.yaml:13:103: ChannelPolicy/default: spec.regions[1].residency[1]: site "fra" is listed twice"#,
            r#"f.yaml:13:108: ChannelPolicy/default: spec.regions[1].residency[2]: "US" is no name: lower-case letters, digits and inner hyphens, at most 63; did you mean "us"?"#,
            r#"f.yaml:14:56: ChannelPolicy/default: spec.default.classes.emergency[1]: channel "sms" is listed twice"#,
            r#"f.yaml:14:75: ChannelPolicy/default: spec.default.time_zone: unknown time zone "berlin"; write it like America/Sao_Paulo; did you mean "Europe/Berlin"?"#,
        ],
    );
}

#[test]
fn numbers_and_unions_of_two_regions_must_not_tie() {
    let spec = r#"unions: { home: [DE, AT] }
regions:
  - { name: one, countries: [union:home, "number:+1787"], channels: [] }
  - { name: two, countries: ["number:+1787", union:anz, CH], channels: [] }
  - { name: three, countries: [union:home, "!DE"], channels: [] }
default: { channels: [] }"#;
    refused(
        "ChannelPolicy",
        "default",
        spec,
        &[
            r#"f.yaml:13:32: ChannelPolicy/default: spec.regions[1].countries[0]: ambiguous for +1787: region "one" names them as specifically with number:+1787; except them in one of the two"#,
            r#"f.yaml:14:34: ChannelPolicy/default: spec.regions[2].countries[0]: ambiguous for AT: region "one" names them as specifically with union:home; except them in one of the two"#,
        ],
    );
}

#[test]
fn rules_are_refused_for_what_is_wrong_with_them() {
    let fields = r#"rules:
  - { name: One, match: { regions: [europ, asia], countries: [UK], channels: [smss] }, then: deny }
  - { name: two, then: deny, when: " " }
  - { name: two, match: { direction: inbound }, then: needs_consent }
  - { name: none, match: { countries: [DE, "!DE"] }, then: { use_channel: [] } }
  - { name: hours, then: { hours: ofice } }
  - { name: quiet, then: { quiet_hours: { from: "00:00", to: "24:00" } } }
  - { name: cap, then: { at_most: { messages: 51, per: 32d } } }
  - { name: cap-zero, then: { at_most: { messages: 0, per: 0s } } }
  - { name: sender, then: { sender: [] } }
  - { name: senders, then: { sender: [10dlc, 10dlc] } }
  - { name: everything, then: deny }"#;
    let mut text = file("ChannelPolicy", "default", &format!("{REGIONS}{fields}"));
    text.push_str("---\napiVersion: heliograph.dev/v1\nkind: Calendar\nmetadata: { tenant: acme, name: office }\nspec: { hours: [{ days: [mon], from: \"09:00\", to: \"17:00\" }] }\n");
    let found: Vec<String> = problems(&text)
        .into_iter()
        .map(|problem| problem.replace("f.yaml:", "").replace(" ChannelPolicy/default: spec.", " "))
        .collect();
    assert_eq!(
        found,
        [
            r#"18:37: rules[4].then.hours: there is no Calendar "ofice"; did you mean "office"?"#,
            r#"14:15: rules[0].name: "One" is no name: lower-case letters, digits and inner hyphens, at most 63; did you mean "one"?"#,
            r#"14:39: rules[0].match.regions[0]: the policy has no region "europ"; did you mean "europe"?"#,
            r#"14:46: rules[0].match.regions[1]: the policy has no region "asia""#,
            r#"14:65: rules[0].match.countries[0]: unknown country "UK"; did you mean "GB"?"#,
            r#"14:81: rules[0].match.channels[0]: unknown channel "smss"; did you mean "sms"?"#,
            "15:38: rules[1].when: the condition is empty; leave it out to mean always",
            r#"16:15: rules[2].name: rule "two" is declared twice"#,
            "16:40: rules[2].match.direction: only deny looks at what comes in; leave direction out, or write outbound",
            "17:30: rules[3].match.countries: names no country",
            "17:64: rules[3].then.use_channel: name at least one channel; to use none is deny",
            "19:64: rules[5].then.quiet_hours.to: 24:00 is when it begins, so the quiet would never end",
            "20:49: rules[6].then.at_most.messages: 51 is out of range; caps count 1 to 50 messages",
            "20:58: rules[6].then.at_most.per: 32d is out of range; caps look back more than 0s and at most 31d",
            "21:54: rules[7].then.at_most.messages: 0 is out of range; caps count 1 to 50 messages",
            "21:62: rules[7].then.at_most.per: 0s is out of range; caps look back more than 0s and at most 31d",
            "22:31: rules[8].then.sender: name at least one kind of sender; to allow none is deny",
            "23:48: rules[9].then.sender[1]: 10dlc is listed twice",
            "24:7: rules[10]: forbids everything: say in match or when which messages",
        ]
    );
}

#[test]
fn fallbacks_and_templates_are_refused_for_what_is_wrong_with_them() {
    let fields = r#"fallback:
  - { name: A, on: [], to: [smss] }
  - { name: patient, on: [no_receipt] }
  - { name: patient, on: [no_receipt], after: 5s }
  - { name: slow, on: [no_receipt, no_receipt], after: 25h }
  - { name: eager, match: { direction: inbound, regions: [asia] }, on: [failed], after: 1m }
  - { name: circle, match: { channels: [sms] }, on: [failed], to: [sms] }
templates:
  - { channel: wehcat, name: " " }
  - { channel: wechat, name: all }
  - { channel: wechat, name: again, text_parameter: "" }
  - { channel: sms, regions: [europe, nowhere], name: x }
  - { channel: sms, regions: [default, europe], name: y }"#;
    assert_eq!(
        of(fields),
        [
            r#"14:15: fallback[0].name: "A" is no name: lower-case letters, digits and inner hyphens, at most 63; did you mean "a"?"#,
            "14:18: fallback[0].on: name at least one of denied, failed, window_closed, no_receipt, in_doubt",
            r#"14:31: fallback[0].to[0]: unknown channel "smss"; did you mean "sms"?"#,
            "15:24: fallback[1].on: no_receipt needs after: how long a receipt is waited for, like 10m",
            r#"16:15: fallback[2].name: fallback "patient" is declared twice"#,
            "16:49: fallback[2].after: 5s is out of range; a receipt is waited for 10s to 1d",
            "17:38: fallback[3].on[1]: no_receipt is listed twice",
            "17:58: fallback[3].after: 1d1h is out of range; a receipt is waited for 10s to 1d",
            r#"18:61: fallback[4].match.regions[0]: the policy has no region "asia""#,
            "18:42: fallback[4].match.direction: fallbacks are about messages to the customer; leave direction out",
            "18:91: fallback[4].after: waits for a receipt, and no_receipt is not in on; add it there or leave this out",
            r#"19:65: fallback[5].to: "sms" is the channel that did not reach the customer"#,
            r#"21:18: templates[0].channel: unknown channel "wehcat"; did you mean "wechat"?"#,
            "21:32: templates[0].name: the name is empty: write the template's name or id with the provider",
            "23:55: templates[2].text_parameter: the name is empty; leave it out if the template takes no text",
            r#"23:7: templates[2]: there is a template for all regions on "wechat" already"#,
            r#"24:41: templates[3].regions[1]: the policy has no region "nowhere""#,
            r#"25:42: templates[4].regions[1]: there is a template for europe on "sms" already"#,
        ]
    );
}

#[test]
fn consent_is_refused_for_what_is_wrong_with_it() {
    let fields = r#"consent:
  channels: [sms, smss]
  keywords: { stop: [genug, " ", Genug], start: [ja], help: [" GENUG ", wer] }
  replies: { stop: { deutsch-: Nein, de: "{firma} {name}" }, help: { en: "" } }
identity: { join: [verified_phone, verified_phone] }"#;
    assert_eq!(
        of(fields),
        [
            r#"14:21: consent.channels[1]: unknown channel "smss"; did you mean "sms"?"#,
            "15:31: consent.keywords.stop[1]: the keyword is empty",
            r#"15:36: consent.keywords.stop[2]: keyword "Genug" is listed twice"#,
            r#"15:64: consent.keywords.help[0]: keyword " GENUG " is among stop already; a word means one thing"#,
            "16:44: consent.replies.stop.de: {firma} is not known; {name} stands for the tenant's display name",
            r#"16:34: consent.replies.stop.deutsch-: "deutsch-" is no language tag; write it like pt or pt-BR"#,
            "16:76: consent.replies.help.en: the reply is empty; leave it out to use ours",
            "17:38: identity.join[1]: is listed twice",
        ]
    );
}

#[test]
fn a_calendar_is_refused_for_what_is_wrong_with_it() {
    let spec = r#"time_zone: America/Sao_Paolo
hours:
  - { days: [mon, tue], from: "09:00", to: "13:00" }
  - { days: [mon], from: "13:00", to: "18:00" }
  - { days: [wed, tue], from: "12:59", to: "14:00" }
  - { days: [fri, fri], from: "09:00", to: "24:00" }
holidays:
  - { date: 2026-12-25, name: Christmas }
  - { date: 2026-12-25 }"#;
    refused(
        "Calendar",
        "office",
        spec,
        &[
            r#"f.yaml:10:14: Calendar/office: spec.time_zone: unknown time zone "America/Sao_Paolo"; write it like America/Sao_Paulo; did you mean "America/Sao_Paulo"?"#,
            "f.yaml:14:21: Calendar/office: spec.hours[2].days[1]: overlaps with spec.hours[0] on tue",
            "f.yaml:15:21: Calendar/office: spec.hours[3].days[1]: fri is listed twice",
            "f.yaml:18:15: Calendar/office: spec.holidays[1].date: 2026-12-25 is listed twice",
        ],
    );
    refused(
        "Calendar",
        "office",
        "hours: []",
        &["f.yaml:10:3: Calendar/office: spec.hours: never open: name hours"],
    );
}

#[test]
fn a_calendar_is_named_by_the_policy_that_uses_it() {
    let fields = "rules:\n  - { name: open, then: { hours: office } }";
    let documents =
        parse("f.yaml", &file("ChannelPolicy", "default", &format!("{REGIONS}{fields}"))).unwrap();
    let named = references(&documents[1].resource);
    let calendar = named.iter().find(|(_, key)| key.kind == Kind::Calendar).unwrap();
    assert_eq!((calendar.0.as_str(), calendar.1.name.as_str()), ("spec.rules[0].then.hours", "office"));
}

/// A policy of 500 regions and 5,000 rules. `wrong` stands where a country of the last rule should.
fn large(wrong: &str) -> String {
    let mut spec = String::from("regions:\n");
    for region in 0..500 {
        // Regions of area codes and parts of them: +12000 … +12499.
        let line = format!(
            "  - {{ name: r{region}, countries: [\"number:+12{region:03}\"], channels: [sms, webchat] }}\n"
        );
        spec.push_str(&line);
    }
    spec.push_str("default: { channels: [webchat] }\nrules:\n");
    for rule in 0..5_000 {
        let country = if rule == 4_999 { wrong } else { "region:150" };
        writeln!(
            spec,
            "  - {{ name: rule-{rule}, match: {{ regions: [r{}, r{}], countries: [{country}, US, union:eu], channels: [sms], classes: [marketing] }}, when: contact.age > {rule}, then: {{ at_most: {{ messages: 3, per: 7d }} }}, reason: Number {rule}. }}",
            rule % 500,
            (rule + 1) % 500
        )
        .unwrap();
    }
    file("ChannelPolicy", "default", spec.trim_end())
}

#[test]
fn a_large_policy_is_examined_to_its_last_line() {
    assert_eq!(problems(&large("MX")), Vec::<String>::new());
    let found = problems(&large("UK"));
    // Nine lines before the spec, 1 + 500 of regions, the default, and the rules.
    let line = 9 + 1 + 500 + 1 + 1 + 5_000;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("f.yaml:{line}:")), "{found:?}");
    assert!(
        found[0]
            .ends_with(r#"spec.rules[4999].match.countries[0]: unknown country "UK"; did you mean "GB"?"#),
        "{found:?}"
    );
}

#[test]
fn a_large_policy_that_is_wrong_throughout_is_examined_too() {
    let text = large("UK").replace("regions: [r", "regions: [x");
    let found = problems(&text);
    assert_eq!(found.len(), 5_001, "the first region of each rule, and a country");
    assert!(found[0].ends_with("the policy has no region \"x0\"; did you mean \"r0\"?"), "{}", found[0]);
    assert!(found[4_999].ends_with("the policy has no region \"x499\""), "{}", found[4_999]);
}

#[test]
fn what_a_policy_leaves_out_stays_out_of_its_json() {
    let empty = serde_json::to_value(ChannelPolicySpec::default()).unwrap();
    assert_eq!(empty, serde_json::json!({ "regions": [], "default": { "channels": [] } }));
    // A policy alone needs its tenant, and nothing else.
    let documents = parse("f.yaml", &file("ChannelPolicy", "default", REGIONS)).unwrap();
    let stored = [documents[0].resource.clone()];
    let context = Context { channels: &["sms"], stored: &stored, dev: false };
    assert_eq!(validate(&documents[1..], &context), Ok(()));
}
