//! Rules one by one.

use serde_json::json;

use super::{compile, facts, fired, judge, names, now, sample};
use crate::{
    Consent, Direction, Facts, Hints, MessageClass, OutOfScope, Outcome, RegionSource, Window, find_region,
    out_of_scope,
};

#[test]
fn the_best_source_decides_where_a_customer_is() {
    let policy = sample();
    let full = Hints {
        explicit: Some("PN".parse().unwrap()),
        number: Some("+5511987654321"),
        declared: Some("DE".parse().unwrap()),
        account: Some("greater-china"),
        locale: Some("en-US"),
    };
    let steps = [
        (full, "islands", Some("PN"), RegionSource::Explicit, 100),
        (Hints { explicit: None, ..full }, "latam-europe", Some("BR"), RegionSource::Number, 90),
        (
            Hints { explicit: None, number: None, ..full },
            "latam-europe",
            Some("DE"),
            RegionSource::Declared,
            70,
        ),
        (
            Hints { explicit: None, number: Some("+80012345678"), declared: None, ..full },
            "greater-china",
            None,
            RegionSource::Account,
            50,
        ),
        (
            Hints { account: Some("US"), ..Hints::default() },
            "north-america",
            Some("US"),
            RegionSource::Account,
            50,
        ),
        // An account's region that the policy does not have says nothing.
        (
            Hints { account: Some("atlantis"), locale: Some("pt-BR"), ..Hints::default() },
            "latam-europe",
            Some("BR"),
            RegionSource::Locale,
            30,
        ),
        (Hints { locale: Some("pt"), ..Hints::default() }, "default", None, RegionSource::Nothing, 0),
        (Hints { number: Some("nonsense"), ..Hints::default() }, "default", None, RegionSource::Nothing, 0),
        (
            Hints { locale: Some("fr-SN"), ..Hints::default() },
            "default",
            Some("SN"),
            RegionSource::Locale,
            30,
        ),
    ];
    for (hints, region, country, source, confidence) in steps {
        let found = find_region(&policy, &hints);
        let got = (&*found.region, found.country.map(heliograph_domain::region::Country::code), found.source);
        assert_eq!(got, (region, country, source), "{hints:?}");
        assert_eq!(found.confidence, confidence);
    }
}

#[test]
fn consent_and_window_bind_what_is_sent() {
    use Outcome::{Allow, Deny, NeedsConsent, NeedsTemplate};
    // Without any rule: consent and window are looked at all the same.
    let policy = compile(json!({
        "regions": [{ "name": "here", "countries": ["US"], "channels": ["sms", "webchat", "email", "voice"] }],
        "default": { "channels": [] },
    }))
    .unwrap();
    let region = find_region(&policy, &Hints { number: Some("+12125550123"), ..Hints::default() });
    let base = facts(Direction::Outbound, "sms", &region);
    let elsewhere = || Outcome::UseChannel(vec!["webchat".into(), "email".into(), "voice".into()]);
    let open = Window::Open { until: Some(now() + jiff::SignedDuration::from_secs(1)), templates: true };
    let over = Window::Open { until: Some(now()), templates: true };
    let over_for_good = Window::Open { until: Some(now()), templates: false };
    let closed = |templates| Window::Closed { templates };
    let class = |class, facts| Facts { class, ..facts };
    let consent = |consent, facts| Facts { consent, ..facts };
    let window = |window, facts| Facts { window, ..facts };
    let out = consent(Consent::OptedOut, base);
    let table = [
        (base, Allow, "region.allows"),
        (consent(Consent::OptedIn, base), Allow, "region.allows"),
        (out, Deny, "consent.opted_out"),
        (class(MessageClass::Utility, out), Deny, "consent.opted_out"),
        (class(MessageClass::Authentication, out), Deny, "consent.opted_out"),
        (class(MessageClass::Marketing, out), Deny, "consent.opted_out"),
        (class(MessageClass::Emergency, out), Allow, "region.allows"),
        (class(MessageClass::Marketing, base), NeedsConsent, "consent.missing"),
        (class(MessageClass::Marketing, consent(Consent::OptedIn, base)), Allow, "region.allows"),
        (window(open, base), Allow, "region.allows"),
        (window(Window::Open { until: None, templates: false }, base), Allow, "region.allows"),
        (window(over, base), NeedsTemplate, "window.elapsed"),
        (window(over_for_good, base), elsewhere(), "window.elapsed"),
        (window(closed(true), base), NeedsTemplate, "window.closed"),
        (window(closed(false), base), elsewhere(), "window.closed"),
        // A template goes where one is needed.
        (Facts { kind: "template", ..window(closed(true), base) }, Allow, "region.allows"),
        (Facts { kind: "template", ..window(over, base) }, Allow, "region.allows"),
        (Facts { kind: "template", ..window(closed(false), base) }, elsewhere(), "window.closed"),
        // The strictest decides.
        (window(closed(true), out), Deny, "consent.opted_out"),
        (window(closed(true), class(MessageClass::Marketing, base)), NeedsConsent, "consent.missing"),
        // What the customer sends is not subject to either.
        (Facts { direction: Direction::Inbound, ..window(closed(false), out) }, Allow, "region.allows"),
    ];
    for (facts, outcome, reason) in table {
        let verdict = judge(&policy, &facts);
        assert_eq!(verdict.outcome, outcome, "{facts:?}\n{verdict}");
        assert_eq!(verdict.reason().code(), reason, "{facts:?}\n{verdict}");
    }
}

#[test]
fn a_closed_window_with_nowhere_to_go_is_a_refusal() {
    let policy = sample();
    let region = find_region(&policy, &Hints { account: Some("islands"), ..Hints::default() });
    let base = facts(Direction::Outbound, "bottle", &region);
    let verdict = judge(&policy, &Facts { window: Window::Closed { templates: false }, ..base });
    assert_eq!((&verdict.outcome, fired(&verdict)), (&Outcome::Deny, vec!["window.closed", "region.allows"]));
}

#[test]
fn without_a_channel_the_best_ones_are_offered() {
    let policy = sample();
    let region = find_region(&policy, &Hints { number: Some("+5511987654321"), ..Hints::default() });
    let base = Facts { channel: None, ..facts(Direction::Outbound, "", &region) };
    let verdict = judge(&policy, &base);
    assert_eq!(
        verdict.outcome,
        Outcome::UseChannel(["whatsapp", "telegram", "viber", "webchat", "email"].map(Into::into).to_vec())
    );
    let verdict = judge(&policy, &Facts { available: Some(&["webchat", "sms"]), ..base });
    assert_eq!(verdict.outcome, Outcome::UseChannel(vec!["webchat".into()]));
    let verdict = judge(&policy, &Facts { available: Some(&["sms"]), ..base });
    assert_eq!((&verdict.outcome, fired(&verdict)), (&Outcome::Deny, vec!["region.offers"]));
    let verdict = judge(&policy, &Facts { consent: Consent::OptedOut, ..base });
    assert_eq!(verdict.outcome, Outcome::Deny);
}

#[test]
fn a_channel_without_an_account_is_denied_and_not_offered() {
    let policy = sample();
    let region = find_region(&policy, &Hints { number: Some("+4915112345678"), ..Hints::default() });
    let available = Some(&["sms", "webchat", "wechat", "bottle"][..]);
    let verdict = judge(&policy, &Facts { available, ..facts(Direction::Outbound, "whatsapp", &region) });
    assert_eq!(verdict.outcome, Outcome::Deny);
    assert_eq!(verdict.reason().code(), "channel.unavailable");
    assert_eq!(names(&verdict.alternatives), ["webchat"]);
}

#[test]
fn deny_rules_forbid_what_they_name() {
    let policy = compile(json!({
        "regions": [{ "name": "europe", "countries": ["region:150"], "channels": ["sms", "email"] }],
        "default": { "channels": ["sms", "email"] },
        "rules": [
            {
                "name": "no-sms-in-dach", "match": { "channels": ["sms"], "countries": ["union:dach"] },
                "then": "deny", "reason": "too dear",
            },
            {
                "name": "no-ads-in-europe",
                "match": { "countries": ["region:150"], "classes": ["marketing"] }, "then": "deny",
            },
        ],
    }))
    .unwrap();
    let from = |number| find_region(&policy, &Hints { number: Some(number), ..Hints::default() });
    let (germany, france, kenya) = (from("+4915112345678"), from("+33612345678"), from("+254712123456"));
    let europe = find_region(&policy, &Hints { account: Some("europe"), ..Hints::default() });
    let marketing = |region| Facts {
        class: MessageClass::Marketing,
        consent: Consent::OptedIn,
        ..facts(Direction::Outbound, "email", region)
    };

    let verdict = judge(&policy, &facts(Direction::Outbound, "sms", &germany));
    assert_eq!((&verdict.outcome, fired(&verdict)), (&Outcome::Deny, vec!["rule.deny", "region.allows"]));
    assert_eq!(verdict.reason().to_string(), "rule no-sms-in-dach forbids it: too dear");
    assert_eq!(names(&verdict.alternatives), ["email"]);
    assert!(judge(&policy, &facts(Direction::Outbound, "sms", &france)).is_allowed());
    // Not every country of the region is meant, so a customer somewhere in it is not.
    assert!(judge(&policy, &facts(Direction::Outbound, "sms", &europe)).is_allowed());

    for (region, outcome) in [(&germany, Outcome::Deny), (&europe, Outcome::Deny), (&kenya, Outcome::Allow)] {
        assert_eq!(judge(&policy, &marketing(region)).outcome, outcome, "{region:?}");
    }
    // Rules about other countries were not tried, and are listed apart.
    let verdict = judge(&policy, &marketing(&kenya));
    let tried: Vec<_> = verdict.rules_tried.iter().map(crate::Reason::code).collect();
    assert_eq!(tried, ["consent.suffices", "window.open"]);
    assert_eq!(
        out_of_scope(&policy, &marketing(&kenya)),
        [("no-ads-in-europe".into(), OutOfScope::Country), ("no-sms-in-dach".into(), OutOfScope::Country)]
    );
}

#[test]
fn a_region_that_a_new_version_dropped_is_the_default() {
    let old = sample();
    let new = compile(json!({ "default": { "channels": ["email"] } })).unwrap();
    let region = find_region(&old, &Hints { number: Some("+12125550123"), ..Hints::default() });
    let verdict = judge(&new, &facts(Direction::Outbound, "sms", &region));
    assert_eq!((&verdict.outcome, fired(&verdict)), (&Outcome::Deny, vec!["region.default_forbids"]));
    assert_eq!(names(&verdict.alternatives), ["email"]);
}
