//! What is tried next, and which template stands in.

use std::time::Duration;

use heliograph_domain::resources::{JoinBy, Trigger};
use serde_json::json;

use super::{compile, names};
use crate::{CompiledPolicy, FallbackAsk, Hints, MessageClass, RegionFinding, find_region};

fn policy() -> CompiledPolicy {
    compile(json!({
        "regions": [
            { "name": "eu", "countries": ["union:eu"], "channels": ["whatsapp", "sms", "email"], "classes": { "marketing": ["email", "sms"] } },
            { "name": "islands", "countries": ["PN", "TK"], "channels": ["bottle"] },
        ],
        "default": { "channels": ["email"] },
        "fallback": [
            { "name": "never-twice", "match": { "classes": ["authentication"] }, "on": ["failed"], "to": ["sms"] },
            { "name": "in-france", "match": { "countries": ["FR"], "channels": ["whatsapp"] }, "on": ["no_receipt", "in_doubt"], "after": "5m", "to": ["email"] },
            { "name": "in-europe", "match": { "regions": ["eu"], "channels": ["whatsapp"] }, "on": ["failed", "no_receipt", "window_closed"], "after": "2h", "to": ["sms", "email"] },
            { "name": "by-region", "match": { "regions": ["eu"] }, "on": ["denied"] },
        ],
        "templates": [
            { "channel": "whatsapp", "name": "write_us", "language": "en" },
            { "channel": "whatsapp", "regions": ["eu"], "name": "schreib_uns", "language": "de", "text_parameter": "1" },
            { "channel": "sms", "regions": ["islands"], "name": "sos" },
        ],
        "identity": { "join": ["verified_phone"] },
    }))
    .unwrap()
}

fn from(policy: &CompiledPolicy, country: &str) -> RegionFinding {
    find_region(policy, &Hints { declared: Some(country.parse().unwrap()), ..Hints::default() })
}

/// The trigger, the customer's place, the channel, the class, what was tried, and the plan that is made of it.
type Row<'a> = (
    Trigger,
    &'a RegionFinding,
    &'a str,
    MessageClass,
    &'a [&'a str],
    Option<(&'a str, Option<Duration>, &'a [&'a str])>,
);

#[test]
fn the_first_fallback_that_is_about_the_message_is_taken() {
    let policy = policy();
    let (germany, france, kenya) = (from(&policy, "DE"), from(&policy, "FR"), from(&policy, "KE"));
    let (service, marketing) = (MessageClass::Service, MessageClass::Marketing);
    let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
    let table: [Row<'_>; 12] = [
        (
            Trigger::Failed,
            &germany,
            "whatsapp",
            service,
            &[],
            Some(("in-europe", minutes(120), &["sms", "email"])),
        ),
        (
            Trigger::Failed,
            &germany,
            "whatsapp",
            service,
            &["sms"],
            Some(("in-europe", minutes(120), &["email"])),
        ),
        (
            Trigger::Failed,
            &germany,
            "whatsapp",
            service,
            &["sms", "email"],
            Some(("in-europe", minutes(120), &[])),
        ),
        (Trigger::NoReceipt, &france, "whatsapp", service, &[], Some(("in-france", minutes(5), &["email"]))),
        // In doubt only where it is written.
        (Trigger::InDoubt, &france, "whatsapp", service, &[], Some(("in-france", minutes(5), &["email"]))),
        (Trigger::InDoubt, &germany, "whatsapp", service, &[], None),
        (Trigger::Failed, &germany, "sms", service, &[], None),
        // The region's channels for the class, in its order, without the one that did not work.
        (Trigger::Denied, &germany, "sms", service, &[], Some(("by-region", None, &["whatsapp", "email"]))),
        (Trigger::Denied, &germany, "sms", marketing, &[], Some(("by-region", None, &["email"]))),
        (Trigger::Denied, &kenya, "sms", service, &[], None),
        (
            Trigger::Failed,
            &germany,
            "whatsapp",
            MessageClass::Authentication,
            &[],
            Some(("never-twice", None, &["sms"])),
        ),
        (
            Trigger::Failed,
            &kenya,
            "bottle",
            MessageClass::Authentication,
            &[],
            Some(("never-twice", None, &["sms"])),
        ),
    ];
    for (trigger, region, channel, class, tried, expected) in table {
        let plan = policy.fallback(&FallbackAsk { trigger, region, channel, class, tried });
        let got = plan.as_ref().map(|plan| (&*plan.rule, plan.after, names(&plan.to)));
        let expected = expected.map(|(rule, after, to)| (rule, after, to.to_vec()));
        assert_eq!(got, expected, "{trigger:?} {channel} {class:?} {tried:?}");
    }
    assert_eq!(policy.receipt_patience(&france, "whatsapp", service), minutes(5));
    assert_eq!(policy.receipt_patience(&germany, "whatsapp", service), minutes(120));
    assert_eq!(policy.receipt_patience(&germany, "sms", service), None);
}

#[test]
fn a_template_of_the_region_is_preferred() {
    let policy = policy();
    let template = |region, channel| policy.template(region, channel).map(|template| template.name.as_str());
    assert_eq!(template("eu", "whatsapp"), Some("schreib_uns"));
    assert_eq!(template("islands", "whatsapp"), Some("write_us"));
    assert_eq!(template("islands", "sms"), Some("sos"));
    assert_eq!(template("eu", "sms"), None);
}

#[test]
fn identities_join_by_what_is_declared() {
    assert!(policy().joins(JoinBy::VerifiedPhone));
    assert!(!policy().joins(JoinBy::VerifiedEmail));
    assert_eq!(policy().caps_reach(), Duration::ZERO);
}
