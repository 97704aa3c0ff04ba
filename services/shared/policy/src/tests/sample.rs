//! What the sample policy says, customer by customer.

use std::collections::BTreeMap;

use heliograph_domain::region::Country;

use super::{facts, fired, judge, names, sample};
use crate::{CompiledPolicy, Direction, Hints, Outcome, RegionSource, find_region};

#[test]
fn each_region_gets_its_channels() {
    let policy = sample();
    // Number, channel, whether it is allowed, what else there is.
    let table: [(&str, &str, bool, &[&str]); 12] = [
        ("+12125550123", "sms", true, &["webchat", "email", "voice"]),
        ("+14165550123", "sms", true, &["webchat", "email", "voice"]),
        ("+12125550123", "wechat", false, &["sms", "webchat", "email", "voice"]),
        ("+5511987654321", "sms", false, &["whatsapp", "telegram", "viber", "webchat", "email"]),
        ("+5511987654321", "webchat", true, &["whatsapp", "telegram", "viber", "email"]),
        // Jamaica and Puerto Rico share +1 with the United States and are not in its region.
        ("+18765550123", "sms", false, &["whatsapp", "telegram", "viber", "webchat", "email"]),
        ("+17875550123", "sms", false, &["whatsapp", "telegram", "viber", "webchat", "email"]),
        ("+4915112345678", "whatsapp", true, &["telegram", "viber", "webchat", "email"]),
        ("+8613123456789", "wechat", true, &["email"]),
        ("+6581234567", "wechat", true, &["email"]),
        ("+6907290", "bottle", true, &[]),
        ("+2348031234567", "sms", false, &["webchat", "email"]),
    ];
    for (number, channel, allowed, alternatives) in table {
        let region = find_region(&policy, &Hints { number: Some(number), ..Hints::default() });
        assert_eq!((region.source, region.confidence), (RegionSource::Number, 90));
        for direction in [Direction::Inbound, Direction::Outbound] {
            let verdict = judge(&policy, &facts(direction, channel, &region));
            let outcome = if allowed { Outcome::Allow } else { Outcome::Deny };
            assert_eq!(verdict.outcome, outcome, "{number} {channel}\n{verdict}");
            assert_eq!(names(&verdict.alternatives), alternatives, "{number} {channel}");
            assert_eq!((&*verdict.policy, verdict.policy_version), ("default", 7));
        }
    }
}

#[test]
fn pitcairn_has_the_bottle() {
    // Pitcairn has no calling code of its own: the customer or the account has to say so.
    let policy = sample();
    let pitcairn = Some("PN".parse().unwrap());
    for (hints, source) in [
        (Hints { explicit: pitcairn, ..Hints::default() }, RegionSource::Explicit),
        (Hints { declared: pitcairn, ..Hints::default() }, RegionSource::Declared),
        (Hints { account: Some("PN"), ..Hints::default() }, RegionSource::Account),
    ] {
        let region = find_region(&policy, &hints);
        assert_eq!((&*region.region, region.source), ("islands", source));
        assert!(judge(&policy, &facts(Direction::Inbound, "bottle", &region)).is_allowed());
        let verdict = judge(&policy, &facts(Direction::Outbound, "sms", &region));
        assert_eq!((verdict.outcome, names(&verdict.alternatives)), (Outcome::Deny, vec!["bottle"]));
    }
}

#[test]
fn all_countries_fall_into_exactly_one_region_or_the_default() {
    let policy = sample();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for country in Country::all().filter(|country| country.is_assigned()) {
        let found = policy.place(country, RegionSource::Explicit);
        assert_eq!(found.country, Some(country));
        assert_eq!(found.term.is_some(), &*found.region != "default", "{country}");
        *counts.entry(found.region.to_string()).or_default() += 1;
    }
    let expected = [
        ("default", 131),
        ("greater-china", 4),
        ("india", 1),
        ("islands", 3),
        ("latam-europe", 103),
        ("line-lands", 3),
        ("north-america", 2),
        ("oceania", 2),
    ];
    assert_eq!(counts, expected.map(|(name, count)| (name.to_owned(), count)).into());
    assert_eq!(counts.values().sum::<usize>(), 249);
}

#[test]
fn a_verdict_explains_itself() {
    let policy = sample();
    let region = find_region(&policy, &Hints { number: Some("+5511987654321"), ..Hints::default() });
    let verdict = judge(&policy, &facts(Direction::Inbound, "sms", &region));
    assert_eq!(
        verdict.to_string(),
        "deny\n  region  latam-europe (country BR, named by region:419; source number, confidence 90 %)\n  \
         fired   region.forbids: region latam-europe does not allow sms\n  \
         tried   direction.inbound: consent and window are not asked of what the customer sends\n  \
         instead whatsapp, telegram, viber, webchat, email\n  policy  default version 7"
    );
    let json = serde_json::to_value(&verdict).unwrap();
    assert_eq!(json["outcome"], "deny");
    assert_eq!(json["rules_fired"][0]["code"], "region.forbids");
    assert_eq!(json["region"]["country"], "BR");
}

#[test]
fn a_tenant_without_a_policy_gets_reasons_too() {
    let policy = CompiledPolicy::nothing();
    let region = find_region(&policy, &Hints { number: Some("+12125550123"), ..Hints::default() });
    let verdict = judge(&policy, &facts(Direction::Outbound, "sms", &region));
    assert_eq!((&verdict.outcome, fired(&verdict)), (&Outcome::Deny, vec!["region.default_forbids"]));
    assert_eq!((&*verdict.policy, verdict.policy_version), ("none", 0));
}
