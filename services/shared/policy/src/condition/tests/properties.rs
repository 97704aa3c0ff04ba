//! Whatever is written and whatever is known: there is an answer.

use std::collections::BTreeMap;

use heliograph_domain::resources::SenderIdentity;
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::super::PolicyCondition as Condition;
use crate::{
    Consent, ContactFacts, Direction, Facts, MessageClass, RegionFinding, RegionSource, Sent, Window,
};

const CONDITIONS: [&str; 12] = [
    "now - contact.last_inbound > duration('2562047h') || contact.first_seen + duration('2562047h') < now",
    "local.getHours() * contact.sent / (contact.sent - 1) % region.confidence == 3",
    "(now + duration('2000000h')).getFullYear() > 2000 && (now - duration('2000000h')).getMonth() == 1",
    "contact.channels.all(c, c.size() > 2 && c.startsWith(channel)) ? account < sender : window.open",
    "contact.attributes[contact.locale] == contact.attributes[contact.language]",
    "size(contact.attributes.vip) + size(contact.number) > 9223372036854775807 - contact.sent",
    "contact.number.matches('^[+]?[0-9]*$') && contact.locale.matches('(?i)^[a-z]+.*$')",
    "!(consent == 'unknown') && message.class != 'service' || message.kind == 'text'",
    "(local - now).getSeconds() == 0 && local.getDayOfYear() >= 0 && local.getDayOfWeek() <= 6",
    "(has(contact.last_inbound) ? contact.last_inbound : now) <= now",
    "-contact.sent < 0.5 && contact.sent >= -0.5",
    "region.country in ['BR', 'US', ''] == (contact.country in ['BR', 'US', ''])",
];

fn moments() -> impl Strategy<Value = Timestamp> {
    let (least, most) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    prop_oneof![least..=most, 1_600_000_000_i64..1_900_000_000]
        .prop_map(|second| Timestamp::from_second(second).unwrap())
}

proptest! {
    #[test]
    fn a_condition_always_answers(
        times in (moments(), prop::option::of(moments()), prop::option::of(moments())),
        texts in prop::collection::vec(".{0,12}", 5),
        channels in prop::collection::vec("[a-z]{0,6}", 0..4),
        attributes in prop::option::of(prop::collection::btree_map(".{0,3}", ".{0,5}", 0..3)),
        sent in 0_usize..4,
        confidence in 0_u8..=100,
        choices in (0_usize..5, 0_usize..3, any::<bool>(), any::<bool>(), any::<bool>()),
        zone in prop::sample::select(vec!["America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Etc/UTC"]),
    ) {
        let (now, first_seen, last_inbound) = times;
        let (class, consent, outbound, known, open) = choices;
        let region = RegionFinding {
            region: texts[0].as_str().into(),
            country: known.then(|| "BR".parse().unwrap()),
            source: RegionSource::Locale,
            confidence,
            term: None,
        };
        let channels: Vec<&str> = channels.iter().map(String::as_str).collect();
        let attributes: Option<BTreeMap<String, String>> = attributes;
        let sent = vec![Sent { at: now, channel: "sms", class: MessageClass::Service }; sent];
        let facts = Facts {
            direction: if outbound { Direction::Outbound } else { Direction::Inbound },
            channel: known.then_some(&*texts[1]),
            account: Some(&texts[2]),
            sender: known.then_some(SenderIdentity::ShortCode),
            class: MessageClass::ALL[class],
            kind: &texts[3],
            contact: ContactFacts {
                number: Some(&texts[4]),
                time_zone: None,
                locale: known.then_some(&*texts[2]),
                channels: &channels,
                attributes: attributes.as_ref(),
                first_seen,
                last_inbound,
                sent: &sent,
            },
            consent: [Consent::Unknown, Consent::OptedIn, Consent::OptedOut][consent],
            window: if open { Window::Open { until: last_inbound, templates: true } } else { Window::Closed { templates: false } },
            ..Facts::about(&region)
        };
        let local = now.to_zoned(TimeZone::get(zone).unwrap());
        for text in CONDITIONS {
            let condition = Condition::parse(text).unwrap();
            let opposite = Condition::parse(&format!("!({text})")).unwrap();
            for local in [None, Some(&local)] {
                let both = condition.holds(&facts, now, local) && opposite.holds(&facts, now, local);
                prop_assert!(!both, "{} and its opposite", text);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        let _ = Condition::parse(&text);
    }

    #[test]
    fn any_row_of_tokens_is_read_or_refused(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "channel", "contact", ".", "sent", "channels", "==", "!=", "&&", "||", "!", "(", ")", "[", "]", "in", "?", ":",
            "'a'", "\"b\"", "1", "-", "+", "/", "%", "true", "exists", "all", "has", "size", ",", "x", "now", "duration",
            "'1h'", "getHours", "matches", "{", "}", "\\", "'", "#", "1.5", "2u", "null",
        ]), 0..24),
    ) {
        let _ = Condition::parse(&tokens.join(" "));
        let _ = Condition::parse(&tokens.concat());
    }
}
