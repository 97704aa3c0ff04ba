//! What an account may say, and what it is told when it says something else.

use heliograph_channel::{Channel as _, RawAccount, Secrets};
use heliograph_channel_messenger::{Messenger, MessengerSettings};
use serde_json::{Value, json};

use crate::conformance::raw;

fn refusal(settings: Value) -> String {
    raw(settings).load::<MessengerSettings>().unwrap_err().to_string()
}

fn windows(settings: Value) -> Vec<(String, i64)> {
    let account = raw(settings).load::<MessengerSettings>().unwrap();
    let windows = Messenger.capabilities(&account).windows;
    windows.into_iter().map(|rule| (rule.kind, rule.seconds)).collect()
}

#[test]
fn what_is_wrong_is_named() {
    for (settings, expected) in [
        (json!({}), "spec.settings: missing field `page_id`"),
        (json!({ "page_id": "my-shop" }), "spec.settings.page_id: is not the id of a"),
        (json!({ "page_id": "1", "api_version": "26" }), "spec.settings.api_version: `26` is not a version"),
        (
            json!({ "page_id": "1", "windows": [{ "kind": "message", "seconds": 0 }] }),
            "spec.settings.windows[0]: needs",
        ),
    ] {
        let said = refusal(settings);
        assert!(said.starts_with(expected), "{said}");
    }
    for secret in ["app_secret", "verify_token", "access_token"] {
        let whole = raw(json!({ "page_id": "1" }));
        let mut secrets = Secrets::default();
        for (name, value) in whole.secrets.iter().filter(|(name, _)| *name != secret) {
            secrets.add(name, value.clone());
        }
        let said = RawAccount { secrets, ..whole }.load::<MessengerSettings>().unwrap_err();
        assert_eq!(said.field, format!("spec.secrets.{secret}"));
    }
}

#[test]
fn windows_are_data() {
    let rule = |kind: &str, seconds: i64| (kind.to_owned(), seconds);
    let (day, week) = (86_400, 604_800);
    assert_eq!(windows(json!({ "page_id": "1" })), [rule("message", day), rule("ad", week)]);
    let people = windows(json!({ "page_id": "1", "human_agent": true }));
    assert_eq!(people, [rule("message", week), rule("ad", week)]);
    let own = json!({ "page_id": "1", "windows": [{ "kind": "message", "seconds": 60 }] });
    assert_eq!(windows(own), [rule("message", 60)]);
}
