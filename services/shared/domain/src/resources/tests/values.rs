//! Periods, secrets, differences.

use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::resources::{
    AgentSpec, ClockTime, Kind, Level, Period, Resource, ResourceKey, SecretError, SecretRef, SecretRefs,
    diff,
};

#[test]
fn periods_are_read_as_people_write_them() {
    let table = [
        ("30s", 30_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("2d", 172_800_000),
        ("250ms", 250),
        ("0s", 0),
    ];
    for (text, millis) in table {
        let period: Period = text.parse().unwrap();
        assert_eq!(period.as_millis(), millis);
        assert_eq!(period.to_string(), text);
    }
    assert_eq!("90s".parse::<Period>().unwrap().to_string(), "1m30s");
    for wrong in ["", "30", "s", "-1s", "1 s", "1y", "1.5h", "99999999999999999999d", "9999999999999999d"] {
        assert!(wrong.parse::<Period>().is_err(), "{wrong:?}");
    }
}

#[test]
fn clock_times_cover_the_day() {
    for (text, minutes) in [("00:00", 0), ("09:30", 570), ("24:00", 1_440)] {
        let time: ClockTime = text.parse().unwrap();
        assert_eq!((time.minutes(), time.to_string().as_str()), (minutes, text));
    }
    for wrong in ["9:30", "24:01", "12:60", "12", "+1:00", "12:00:00", ""] {
        assert!(wrong.parse::<ClockTime>().is_err(), "{wrong:?}");
    }
}

#[test]
fn secrets_are_found_by_the_lookup_and_shown_by_nobody() {
    let env: SecretRef = serde_json::from_value(json!({ "env": "TOKEN" })).unwrap();
    let found = env.resolve(|_| Some("hush".to_owned())).unwrap();
    assert_eq!(found.expose_secret(), "hush");
    assert_eq!(
        env.resolve(|_| None).unwrap_err(),
        SecretError::Missing("environment variable TOKEN".to_owned())
    );
    assert!(matches!(env.resolve(|_| Some(String::new())), Err(SecretError::Empty(_))));

    let file: SecretRef = serde_json::from_value(json!({ "file": "/run/token" })).unwrap();
    assert_eq!(file.resolve(|_| Some("hush\r\n".to_owned())).unwrap().expose_secret(), "hush");
    assert!(matches!(file.resolve(|_| Some("\n".to_owned())), Err(SecretError::Empty(_))));

    let value: SecretRef = serde_json::from_value(json!({ "value": "hush" })).unwrap();
    assert_eq!(value.resolve(|_| panic!("never asked")).unwrap().expose_secret(), "hush");
    assert!(!format!("{value:?} {value}").contains("hush"));

    let several: SecretRefs = serde_json::from_value(json!([{ "env": "NEW" }, { "env": "OLD" }])).unwrap();
    assert_eq!(several.iter().count(), 2);
    assert_eq!(serde_json::to_value(&several).unwrap(), json!([{ "env": "NEW" }, { "env": "OLD" }]));
    assert!(serde_json::from_value::<SecretRef>(json!({ "env": "A", "file": "B" })).is_err());
}

fn account(token: &str, channels: &[&str]) -> (Resource, Resource) {
    let account = json!({
        "apiVersion": "heliograph.dev/v1", "kind": "ChannelAccount",
        "metadata": { "tenant": "acme", "name": "main" },
        "spec": { "channel": "sms", "secrets": { "token": { "value": token } } },
    });
    let policy = json!({
        "apiVersion": "heliograph.dev/v1", "kind": "ChannelPolicy",
        "metadata": { "tenant": "acme", "name": "default" },
        "spec": { "default": { "channels": channels } },
    });
    (Resource::from_json(&account).unwrap(), Resource::from_json(&policy).unwrap())
}

#[test]
fn a_difference_is_a_list_of_fields_without_secrets() {
    let (old_account, old_policy) = account("one", &["sms", "email"]);
    let (new_account, new_policy) = account("two", &["sms", "webchat", "email"]);
    let changes = diff(&old_policy, &new_policy);
    let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["spec.default.channels[1]", "spec.default.channels[2]"]);
    assert_eq!((changes[1].old.clone(), changes[1].new.clone()), (None, Some(json!("email"))));

    let changes = diff(&old_account, &new_account);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].path, "spec.secrets.token.value");
    let shown = serde_json::to_string(&changes).unwrap();
    assert!(!shown.contains("one") && !shown.contains("two"), "{shown}");

    let mut bare = serde_json::to_value(&old_account).unwrap();
    bare["spec"].as_object_mut().unwrap().remove("secrets");
    let added = diff(&Resource::from_json(&bare).unwrap(), &new_account);
    assert!(!serde_json::to_string(&added).unwrap().contains("two"), "{added:?}");
}

#[test]
fn secrets_are_masked_wherever_they_are_added_or_removed() {
    let account = |secrets: serde_json::Value| {
        Resource::from_json(&json!({
            "apiVersion": "heliograph.dev/v1", "kind": "ChannelAccount",
            "metadata": { "tenant": "acme", "name": "main" },
            "spec": { "channel": "sms", "secrets": secrets },
        }))
        .unwrap()
    };
    let forms = [
        account(json!({})),
        account(json!({ "token": { "env": "TOKEN" } })),
        account(json!({ "token": { "value": "hush" } })),
        account(json!({ "token": [{ "value": "hush" }, { "value": "hush-too" }] })),
    ];
    for old in &forms {
        for new in &forms {
            let shown = serde_json::to_string(&diff(old, new)).unwrap();
            assert!(!shown.contains("hush"), "{shown}");
            assert_eq!(shown == "[]", old == new, "{shown}");
        }
    }
}

#[test]
fn keys_are_paths_of_a_store() {
    let key = ResourceKey { tenant: "acme".to_owned(), kind: Kind::ChannelAccount, name: "main".to_owned() };
    assert_eq!(key.path(), "acme.ChannelAccount.main");
    assert_eq!(ResourceKey::from_path(&key.path()), Some(key));
    for wrong in ["", "acme", "acme.Queue", "acme.queue.x", "acme.Queue.x.y"] {
        assert_eq!(ResourceKey::from_path(wrong), None, "{wrong}");
    }
}

#[test]
fn languages_are_skills_of_an_agent() {
    let agent: AgentSpec = serde_json::from_value(
        json!({ "display_name": "Ann", "skills": { "billing": 3 }, "languages": { "pt": 9 } }),
    )
    .unwrap();
    let skills: Vec<(String, u8)> =
        agent.all_skills().into_iter().map(|(name, level)| (name, level.get())).collect();
    assert_eq!(skills, [("billing".to_owned(), 3), ("lang-pt".to_owned(), 9)]);
}

proptest! {
    #[test]
    fn periods_round_trip(millis in 0..10_u64.pow(15)) {
        let period: Period = format!("{millis}ms").parse().unwrap();
        prop_assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
    }

    #[test]
    fn levels_are_one_to_ten(level in any::<i64>()) {
        prop_assert_eq!(Level::try_from(level).is_ok(), (1..=10).contains(&level));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,200}") {
        // Never a panic; what is refused has at least one problem.
        if let Err(problems) = crate::resources::parse("f.yaml", &text) {
            prop_assert!(!problems.0.is_empty());
        }
    }
}
