//! Each effect of a rule, and what several of them make together.

use heliograph_domain::resources::SenderIdentity;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{compile, facts, fired, judge, now};
use crate::{
    CompiledPolicy, Consent, ContactFacts, Direction, Facts, Hints, MessageClass, Outcome, RegionFinding,
    Sent, Window, find_region,
};

/// A policy of one region that has three channels, with these rules.
fn policy(rules: &Value) -> CompiledPolicy {
    compile(json!({
        "regions": [{ "name": "here", "countries": ["DE", "US"], "channels": ["sms", "email", "whatsapp"] }],
        "default": { "channels": ["email"] },
        "rules": rules,
    }))
    .unwrap()
}

fn germany(policy: &CompiledPolicy) -> RegionFinding {
    find_region(policy, &Hints { number: Some("+4915112345678"), ..Hints::default() })
}

fn out(region: &RegionFinding) -> Facts<'_> {
    facts(Direction::Outbound, "sms", region)
}

fn channels(names: &[&str]) -> Outcome {
    Outcome::UseChannel(names.iter().map(|name| (*name).into()).collect())
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

fn in_minutes(minutes: i64) -> Timestamp {
    ago(-minutes)
}

fn sent(minutes: i64, channel: &'static str, class: MessageClass) -> Sent<'static> {
    Sent { at: ago(minutes), channel, class }
}

/// What is different in the facts.
type Change = fn(Facts<'_>) -> Facts<'_>;

#[test]
fn each_effect_has_its_outcome() {
    let sender = |sender, facts| Facts { sender: Some(sender), ..facts };
    let keep: Change = |facts| facts;
    let consented: Change = |facts| Facts { consent: Consent::OptedIn, ..facts };
    let template: Change = |facts| Facts { kind: "template", ..facts };
    let text: Change = |facts| Facts { kind: "text", ..facts };
    let email: Change = |facts| Facts { channel: Some("email"), ..facts };
    // The effect, what is different in the facts, what comes out, and the reason that decides.
    let table: [(Value, Change, Outcome, &str); 12] = [
        (json!("deny"), keep, Outcome::Deny, "rule.deny"),
        (json!("needs_consent"), keep, Outcome::NeedsConsent, "rule.needs_consent"),
        (json!("needs_consent"), consented, Outcome::Allow, "region.allows"),
        (json!("needs_template"), keep, Outcome::NeedsTemplate, "rule.needs_template"),
        (json!("needs_template"), text, Outcome::NeedsTemplate, "rule.needs_template"),
        (json!("needs_template"), template, Outcome::Allow, "region.allows"),
        // The order is the rule's.
        (
            json!({ "use_channel": ["whatsapp", "email"] }),
            keep,
            channels(&["whatsapp", "email"]),
            "rule.use_channel",
        ),
        (json!({ "use_channel": ["whatsapp", "email"] }), email, Outcome::Allow, "region.allows"),
        // A rule only narrows: what the region does not have is not offered.
        (json!({ "use_channel": ["wechat", "email"] }), keep, channels(&["email"]), "rule.use_channel"),
        (json!({ "use_channel": ["wechat"] }), keep, Outcome::Deny, "rule.use_channel"),
        // Nothing is known of the sender.
        (json!({ "sender": ["short_code"] }), keep, Outcome::Allow, "region.allows"),
        (json!({ "at_most": { "messages": 1, "per": "1h" } }), keep, Outcome::Allow, "region.allows"),
    ];
    for (then, change, outcome, reason) in table {
        let policy = policy(&json!([{ "name": "r", "then": then }]));
        let region = germany(&policy);
        let verdict = judge(&policy, &change(out(&region)));
        assert_eq!((&verdict.outcome, verdict.reason().code()), (&outcome, reason), "{then}\n{verdict}");
        // A rule that is about the message is listed on one side or the other.
        let listed =
            |reasons: &[crate::Reason]| reasons.iter().filter(|reason| reason.rule().is_some()).count();
        let fires = outcome != Outcome::Allow;
        assert_eq!(
            (listed(&verdict.rules_fired), listed(&verdict.rules_tried)),
            (usize::from(fires), usize::from(!fires)),
            "{then}\n{verdict}"
        );
        // Only a denial looks at what the customer sends.
        let inbound = judge(&policy, &Facts { direction: Direction::Inbound, ..change(out(&region)) });
        let denied = then == json!("deny");
        assert_eq!(inbound.outcome, if denied { Outcome::Deny } else { Outcome::Allow }, "{then}");
        assert_eq!(
            listed(&inbound.rules_fired) + listed(&inbound.rules_tried),
            usize::from(denied),
            "{then}"
        );
    }
    let policy = policy(&json!([{ "name": "r", "then": { "sender": ["short_code", "10dlc"] } }]));
    let region = germany(&policy);
    for (kind, outcome) in [
        (SenderIdentity::ShortCode, Outcome::Allow),
        (SenderIdentity::TenDlc, Outcome::Allow),
        (SenderIdentity::Alphanumeric, Outcome::Deny),
        (SenderIdentity::LongCode, Outcome::Deny),
        (SenderIdentity::TollFree, Outcome::Deny),
    ] {
        assert_eq!(judge(&policy, &sender(kind, out(&region))).outcome, outcome, "{kind:?}");
    }
    let verdict = judge(&policy, &sender(SenderIdentity::Alphanumeric, out(&region)));
    assert_eq!(verdict.reason().to_string(), "rule r does not let it leave from an alphanumeric sender");
    // The other channels' senders are not known, so they are not excluded.
    assert_eq!(super::names(&verdict.alternatives), ["email", "whatsapp"]);
}

#[test]
fn scopes_narrow_rules() {
    let policy = policy(&json!([
        { "name": "by-region", "match": { "regions": ["default"] }, "then": "deny" },
        { "name": "by-country", "match": { "countries": ["US"] }, "then": "deny" },
        { "name": "by-channel", "match": { "channels": ["email"] }, "then": "deny" },
        { "name": "by-class", "match": { "classes": ["marketing"] }, "then": "deny" },
        { "name": "by-direction", "match": { "direction": "inbound" }, "then": "deny" },
        { "name": "by-number", "match": { "countries": ["number:+49160"] }, "then": "deny" },
        { "name": "by-numbers-but", "match": { "countries": ["US", "!number:+1212"] }, "then": "deny" },
    ]));
    let said = |number: &'static str, change: fn(Facts<'_>) -> Facts<'_>| {
        let region = find_region(&policy, &Hints { number: Some(number), ..Hints::default() });
        let contact = ContactFacts { number: Some(number), ..ContactFacts::default() };
        let facts = change(Facts { contact, consent: Consent::OptedIn, ..out(&region) });
        let verdict = judge(&policy, &facts);
        let rules = verdict.rules_fired.iter().filter_map(|reason| reason.rule().map(ToString::to_string));
        rules.collect::<Vec<_>>()
    };
    let nothing: fn(Facts<'_>) -> Facts<'_> = |facts| facts;
    assert_eq!(said("+4915112345678", nothing), [""; 0]);
    assert_eq!(said("+254712123456", nothing), ["by-region"]);
    assert_eq!(said("+14155550123", nothing), ["by-country", "by-numbers-but"]);
    assert_eq!(said("+12125550123", nothing), ["by-country"]);
    assert_eq!(said("+4916012345678", nothing), ["by-number"]);
    assert_eq!(said("+4915112345678", |facts| Facts { channel: Some("email"), ..facts }), ["by-channel"]);
    assert_eq!(
        said("+4915112345678", |facts| Facts { class: MessageClass::Marketing, ..facts }),
        ["by-class"]
    );
    assert_eq!(
        said("+4915112345678", |facts| Facts { direction: Direction::Inbound, ..facts }),
        ["by-direction"]
    );
}

#[test]
fn a_cap_counts_what_the_rule_is_about() {
    let policy = policy(&json!([{
        "name": "cap", "match": { "channels": ["sms", "email"], "classes": ["marketing", "utility"] },
        "then": { "at_most": { "messages": 2, "per": "1h" } }, "reason": "nobody likes more",
    }]));
    let region = germany(&policy);
    let defer = |minutes| Outcome::Defer(in_minutes(minutes));
    let (marketing, utility) = (MessageClass::Marketing, MessageClass::Utility);
    let table: [(&[Sent<'_>], Outcome); 8] = [
        (&[], Outcome::Allow),
        (&[sent(10, "sms", marketing)], Outcome::Allow),
        (&[sent(10, "sms", marketing), sent(40, "email", utility)], defer(20)),
        // One that left the window at this very moment is not counted.
        (&[sent(10, "sms", marketing), sent(60, "email", utility)], Outcome::Allow),
        (&[sent(10, "sms", marketing), sent(59, "email", utility)], defer(1)),
        // Of another channel or class.
        (&[sent(10, "sms", marketing), sent(40, "whatsapp", utility)], Outcome::Allow),
        (&[sent(10, "sms", marketing), sent(40, "sms", MessageClass::Service)], Outcome::Allow),
        // More than may be, as after a cap was lowered: one may go when all but one have left.
        (&[sent(10, "sms", marketing), sent(20, "sms", marketing), sent(40, "sms", marketing)], defer(40)),
    ];
    for (sent, outcome) in table {
        let contact = ContactFacts { sent, ..ContactFacts::default() };
        let facts = Facts { contact, class: utility, ..out(&region) };
        let verdict = judge(&policy, &facts);
        assert_eq!(verdict.outcome, outcome, "{sent:?}\n{verdict}");
        // What the rule is not about is not capped.
        let verdict = judge(&policy, &Facts { class: MessageClass::Service, ..facts });
        assert_eq!(verdict.outcome, Outcome::Allow);
    }
    assert_eq!(policy.caps_reach(), std::time::Duration::from_hours(1));
    let full = [sent(10, "sms", marketing), sent(40, "email", utility)];
    let contact = ContactFacts { sent: &full, ..ContactFacts::default() };
    let verdict = judge(&policy, &Facts { contact, class: utility, ..out(&region) });
    assert_eq!(
        verdict.reason().to_string(),
        "rule cap lets 2 in 1h go, which were sent; the next may go at 2026-11-22T18:20:00Z: nobody likes more"
    );
}

#[test]
fn the_strictest_of_several_decides() {
    let region = |policy: &CompiledPolicy| germany(policy);
    let history = [sent(10, "sms", MessageClass::Service), sent(20, "sms", MessageClass::Service)];
    let contact = ContactFacts { sent: &history, ..ContactFacts::default() };
    let cap =
        |name: &str, per: &str| json!({ "name": name, "then": { "at_most": { "messages": 1, "per": per } } });
    let rule = |name: &str, then: Value| json!({ "name": name, "then": then });
    let deny = rule("deny", json!("deny"));
    let consent = rule("consent", json!("needs_consent"));
    let template = rule("template", json!("needs_template"));
    let some = rule("some", json!({ "use_channel": ["whatsapp", "email"] }));
    let one = rule("one", json!({ "use_channel": ["email"] }));
    let other = rule("other", json!({ "use_channel": ["whatsapp"] }));
    let both = rule("both", json!({ "use_channel": ["whatsapp", "email"] }));
    let later = Outcome::Defer(in_minutes(110));
    let table = [
        (json!([template, deny, consent, some]), Outcome::Deny, "rule.deny"),
        (json!([template, consent]), Outcome::NeedsConsent, "rule.needs_consent"),
        (json!([cap("hour", "1h"), template]), Outcome::Defer(in_minutes(50)), "rule.at_most"),
        // The latest of several times.
        (json!([cap("hour", "1h"), cap("more", "2h")]), later.clone(), "rule.at_most"),
        (json!([cap("more", "2h"), cap("hour", "1h")]), later, "rule.at_most"),
        (json!([cap("hour", "1h"), consent]), Outcome::NeedsConsent, "rule.needs_consent"),
        (json!([consent, some]), channels(&["whatsapp", "email"]), "rule.use_channel"),
        (json!([some, one]), channels(&["email"]), "rule.use_channel"),
        // Of several lists what they have in common, in the region's order.
        (json!([some, both]), channels(&["email", "whatsapp"]), "rule.use_channel"),
        (json!([one, other]), Outcome::Deny, "rule.use_channel"),
    ];
    for (rules, outcome, reason) in table {
        let policy = policy(&rules);
        let region = region(&policy);
        let verdict = judge(&policy, &Facts { contact, ..out(&region) });
        assert_eq!((&verdict.outcome, verdict.reason().code()), (&outcome, reason), "{rules}\n{verdict}");
    }
}

#[test]
fn rules_and_windows_agree_on_the_channels_they_leave() {
    let policy = policy(
        &json!([{ "name": "one", "match": { "channels": ["sms"] }, "then": { "use_channel": ["email"] } }]),
    );
    let region = germany(&policy);
    let verdict = judge(&policy, &Facts { window: Window::Closed { templates: false }, ..out(&region) });
    assert_eq!(verdict.outcome, channels(&["email"]));
    assert_eq!(fired(&verdict), ["rule.use_channel", "window.closed", "region.allows"]);
    // Without a channel, what would not go by a channel is not offered on it.
    let verdict = judge(&policy, &Facts { channel: None, ..out(&region) });
    assert_eq!(verdict.outcome, channels(&["email", "whatsapp"]));
}

#[test]
fn a_region_may_live_at_its_sites_only() {
    let policy = compile(json!({
        "regions": [{ "name": "eu", "countries": ["union:eu"], "channels": ["sms", "email"], "residency": ["fra", "dub"] }],
        "default": { "channels": ["sms"] },
    }))
    .unwrap();
    let (germany, kenya) =
        (germany(&policy), find_region(&policy, &Hints { locale: Some("sw-KE"), ..Hints::default() }));
    for (region, site, outcome, code) in [
        (&germany, Some("fra"), Outcome::Allow, "region.allows"),
        (&germany, Some("iad"), Outcome::Deny, "residency.elsewhere"),
        (&germany, None, Outcome::Allow, "region.allows"),
        (&kenya, Some("iad"), Outcome::Allow, "region.allows"),
    ] {
        for direction in [Direction::Inbound, Direction::Outbound] {
            let verdict = judge(&policy, &Facts { site, ..facts(direction, "sms", region) });
            assert_eq!((&verdict.outcome, verdict.reason().code()), (&outcome, code), "{site:?}\n{verdict}");
            assert_eq!(verdict.alternatives.is_empty(), region == &kenya || outcome == Outcome::Deny);
        }
    }
    assert_eq!(policy.residency("eu").iter().map(|site| &**site).collect::<Vec<_>>(), ["fra", "dub"]);
    assert!(policy.residency("default").is_empty());
    let verdict = judge(&policy, &Facts { site: Some("iad"), ..out(&germany) });
    assert_eq!(
        verdict.reason().to_string(),
        "what region eu says may be held at fra, dub only, and this is iad"
    );
}

#[test]
fn classes_may_have_channels_of_their_own() {
    let policy = compile(json!({
        "regions": [{
            "name": "eu", "countries": ["union:eu"], "channels": ["sms", "email"],
            "classes": { "marketing": ["email"], "emergency": ["voice", "sms"], "utility": [] },
        }],
        "default": { "channels": [] },
    }))
    .unwrap();
    let region = germany(&policy);
    let table = [
        (MessageClass::Service, Outcome::Allow, &["email"][..]),
        (MessageClass::Authentication, Outcome::Allow, &["email"]),
        (MessageClass::Marketing, Outcome::Deny, &["email"]),
        (MessageClass::Emergency, Outcome::Allow, &["voice"]),
        (MessageClass::Utility, Outcome::Deny, &[]),
    ];
    for (class, outcome, alternatives) in table {
        let verdict = judge(&policy, &Facts { class, consent: Consent::OptedIn, ..out(&region) });
        assert_eq!(verdict.outcome, outcome, "{verdict}");
        assert_eq!(super::names(&verdict.alternatives), alternatives, "{class:?}");
    }
    let view = policy.regions().next().unwrap();
    assert_eq!((view.classes.len(), view.countries.len(), view.is_default), (3, 27, false));
    assert!(policy.regions().last().unwrap().is_default);
}

#[test]
fn a_policy_says_whether_its_rules_read_the_window() {
    let rules = |when: &str| policy(&json!([{ "name": "r", "when": when, "then": "deny" }]));
    assert!(rules("message.kind == 'text' && !window.open").reads_window());
    assert!(!rules("message.kind == 'text'").reads_window());
    assert!(!CompiledPolicy::nothing().reads_window());
}
