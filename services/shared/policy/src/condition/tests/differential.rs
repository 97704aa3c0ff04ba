//! Our evaluation against the CEL interpreter's, over facts that are known.

use std::collections::{BTreeMap, HashMap};

use cel::{Context, Program, Value};
use heliograph_domain::resources::SenderIdentity;
use proptest::prelude::*;

use super::{Condition, at, now, region};
use crate::{Consent, ContactFacts, Direction, Facts, MessageClass, Sent, Window};

fn choose(list: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(list).prop_map(str::to_owned).boxed()
}

fn free_text() -> BoxedStrategy<String> {
    choose(&[
        "channel",
        "account",
        "region.name",
        "contact.locale",
        "contact.language",
        "contact.number",
        "contact.time_zone",
        "contact.attributes.vip",
        "contact.attributes['plan']",
        "contact.attributes['nothing']",
        "'sms'",
        "'pt-BR'",
        "'über'",
        "'a\\'b'",
        "''",
        "(window.open ? channel : account)",
    ])
}

fn int() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        (-3_i64..100).prop_map(|number| if number < 0 { format!("({number})") } else { number.to_string() }),
        choose(&["region.confidence", "contact.sent", "9223372036854775807"]),
        choose(&[
            "size(contact.channels)",
            "contact.channels.size()",
            "size([1, 2])",
            "size(contact.attributes)"
        ]),
        free_text().prop_map(|text| format!("size({text})")),
    ];
    leaf.prop_recursive(2, 8, 2, |inner| {
        (inner.clone(), choose(&["+", "-", "*", "/", "%"]), inner)
            .prop_map(|(one, sign, other)| format!("({one} {sign} {other})"))
    })
    .boxed()
}

fn order() -> BoxedStrategy<String> {
    choose(&["==", "!=", "<", "<=", ">", ">="])
}

fn leaf() -> BoxedStrategy<String> {
    let same = || choose(&["==", "!="]);
    prop_oneof![
        choose(&[
            "true",
            "false",
            "window.open",
            "has(contact.attributes.vip)",
            "has(contact.attributes.none)"
        ]),
        (free_text(), order(), free_text()).prop_map(|(one, sign, other)| format!("{one} {sign} {other}")),
        (int(), order(), int()).prop_map(|(one, sign, other)| format!("{one} {sign} {other}")),
        (int(), order(), choose(&["1.5", "3.0", "0.0", "90.25"]))
            .prop_map(|(one, sign, other)| format!("{one} {sign} {other}")),
        (same(), choose(&["'inbound'", "'outbound'"]))
            .prop_map(|(sign, way)| format!("message.direction {sign} {way}")),
        (same(), choose(&["'marketing'", "'service'"]))
            .prop_map(|(sign, class)| format!("message.class {sign} {class}")),
        (same(), choose(&["'opted_in'", "'unknown'"]))
            .prop_map(|(sign, consent)| format!("consent {sign} {consent}")),
        (same(), choose(&["'BR'", "'US'", "''"]))
            .prop_map(|(sign, code)| format!("region.country {sign} {code}")),
        (free_text(), prop::collection::vec(free_text(), 0..3))
            .prop_map(|(text, list)| format!("{text} in [{}]", list.join(", "))),
        (int(), prop::collection::vec(int(), 1..3))
            .prop_map(|(int, list)| format!("{int} in [{}]", list.join(", "))),
        free_text().prop_map(|text| format!("{text} in contact.channels")),
        free_text().prop_map(|text| format!("{text} in contact.attributes")),
        (free_text(), choose(&["startsWith", "endsWith", "contains"]), free_text())
            .prop_map(|(text, function, part)| format!("{text}.{function}({part})")),
        (free_text(), choose(&["'^[a-z]+$'", "'B'", "'\\\\d{2}'", "''"]))
            .prop_map(|(text, pattern)| format!("{text}.matches({pattern})")),
        (
            choose(&["contact.channels", "['a', 'sms']", "[contact.attributes.nothing, 'sms']"]),
            choose(&["exists", "all"]),
            order(),
            free_text(),
        )
            .prop_map(|(list, function, sign, text)| format!("{list}.{function}(x, x {sign} {text})")),
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<String> {
    leaf()
        .prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|test| format!("!({test})")),
                (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one} && {other})")),
                (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one} || {other})")),
                (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("(({one}) == ({other}))")),
                (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(test, yes, no)| format!("(({test}) ? ({yes}) : ({no}))")),
                (inner.clone(), inner.clone(), inner)
                    .prop_map(|(one, other, third)| format!("({one} && {other} || !({third}))")),
            ]
        })
        .boxed()
}

/// The same facts, as the interpreter takes them.
fn context(facts: &Facts<'_>, attributes: &BTreeMap<String, String>) -> Context<'static, 'static> {
    let mut context = Context::default();
    let record = |fields: Vec<(&str, Value)>| -> Value {
        Value::from(
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<HashMap<_, _>>(),
        )
    };
    let attributes: HashMap<String, String> = attributes.clone().into_iter().collect();
    let channels: Vec<&str> = facts.contact.channels.to_vec();
    context.add_variable_from_value(
        "message",
        record(vec![
            ("direction", "outbound".into()),
            ("class", "marketing".into()),
            ("kind", facts.kind.into()),
        ]),
    );
    context.add_variable_from_value("channel", facts.channel.unwrap_or_default());
    context.add_variable_from_value("account", facts.account.unwrap_or_default());
    context.add_variable_from_value("sender", "short_code");
    context.add_variable_from_value(
        "region",
        record(vec![
            ("name", (&*facts.region.region).into()),
            ("country", "BR".into()),
            ("source", "number".into()),
            ("confidence", Value::Int(facts.region.confidence.into())),
        ]),
    );
    context.add_variable_from_value(
        "contact",
        record(vec![
            ("locale", "pt-BR".into()),
            ("language", "pt".into()),
            ("number", facts.contact.number.unwrap_or_default().into()),
            ("time_zone", "".into()),
            ("channels", channels.into()),
            ("attributes", attributes.into()),
            ("sent", Value::Int(2)),
        ]),
    );
    context.add_variable_from_value("consent", "opted_in");
    context.add_variable_from_value("window", record(vec![("open", Value::Bool(true))]));
    context
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_interpreter_agrees(text in condition()) {
        let region = region(Some("BR"));
        let attributes =
            BTreeMap::from([("vip".to_owned(), "yes".to_owned()), ("plan".to_owned(), "über".to_owned())]);
        let sent = [Sent { at: at("2026-11-22T00:00:00Z"), channel: "sms", class: MessageClass::Marketing }; 2];
        let facts = Facts {
            direction: Direction::Outbound,
            channel: Some("sms"),
            account: Some("acme-us"),
            sender: Some(SenderIdentity::ShortCode),
            class: MessageClass::Marketing,
            kind: "text",
            contact: ContactFacts {
                number: Some("+5511987654321"),
                locale: Some("pt-BR"),
                channels: &["sms", "whatsapp"],
                attributes: Some(&attributes),
                sent: &sent,
                ..ContactFacts::default()
            },
            consent: Consent::OptedIn,
            window: Window::Unlimited,
            ..Facts::about(&region)
        };
        let ours = match Condition::parse(&text) {
            Ok(condition) => condition.holds(&facts, now(), None),
            Err(error) => return Err(TestCaseError::fail(format!("{text}: {error}"))),
        };
        let theirs = Program::compile(&text).unwrap().execute(&context(&facts, &attributes));
        prop_assert_eq!(ours, matches!(theirs, Ok(Value::Bool(true))), "{}\n{:?}", text, theirs);
    }
}
