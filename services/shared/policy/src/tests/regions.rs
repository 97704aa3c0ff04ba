//! Where customers fall.

use heliograph_domain::region::Country;
use serde_json::json;

use super::{compile, names};
use crate::{Hints, RegionSource, find_region};

#[test]
fn first_digits_beat_countries() {
    let policy = compile(json!({
        "unions": { "home": ["US", "CA"] },
        "regions": [
            { "name": "america", "countries": ["union:home"], "channels": ["sms"] },
            { "name": "new-york", "countries": ["number:+1212", "number:+1917"], "channels": ["webchat"] },
            { "name": "caribbean", "countries": ["PR", "number:+1787"], "channels": ["whatsapp"] },
        ],
        "default": { "channels": ["email"] },
    }))
    .unwrap();
    let table = [
        ("+12125550123", "new-york", Some("US"), Some("number:+1212")),
        ("+14155550123", "america", Some("US"), Some("union:home")),
        ("+14165550123", "america", Some("CA"), Some("union:home")),
        ("+17875550123", "caribbean", Some("PR"), Some("number:+1787")),
        ("+19395550123", "caribbean", Some("PR"), Some("PR")),
        ("+4915112345678", "default", Some("DE"), None),
    ];
    for (number, region, country, term) in table {
        let found =
            find_region(&policy, &Hints { number: Some(number), locale: Some("de-DE"), ..Hints::default() });
        assert_eq!(
            (&*found.region, found.country.map(Country::code), found.term.as_deref()),
            (region, country, term),
            "{number}"
        );
        assert_eq!(found.source, RegionSource::Number);
    }
    // A number of no country leaves it to what else is known.
    let found = find_region(
        &policy,
        &Hints { number: Some("+80012345678"), locale: Some("en-CA"), ..Hints::default() },
    );
    assert_eq!((&*found.region, found.source), ("america", RegionSource::Locale));
    // A country that somebody declared is not a number.
    let found = find_region(
        &policy,
        &Hints { explicit: Some("US".parse().unwrap()), number: Some("+12125550123"), ..Hints::default() },
    );
    assert_eq!((&*found.region, found.source), ("america", RegionSource::Explicit));
    assert_eq!(names(policy.channels_of("new-york")), ["webchat"]);
}
