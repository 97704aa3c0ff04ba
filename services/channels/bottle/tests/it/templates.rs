//! Accounts whose settings cannot be used say so by field, before anything is sent.

use heliograph_channel::RawAccount;
use heliograph_channel_bottle::BottleSettings;
use serde_json::{Value, json};
use url::Url;

use super::account;

fn problem(settings: Value) -> String {
    account(settings).load::<BottleSettings>().unwrap_err().to_string()
}

#[test]
fn bad_settings_name_their_field() {
    for (settings, expected) in [
        (json!({}), "spec.settings.url: is missing"),
        (json!({ "url": "ftp://x" }), "spec.settings.url: is not an http or https URL"),
        (json!({ "url": "/out" }), "spec.settings.url: is a path, so the account needs a `base_url`"),
        (
            json!({ "url": "https://x", "template": { "url": "https://y" } }),
            "spec.settings.url: cannot stand beside",
        ),
        (json!({ "url": 1 }), "spec.settings.url: invalid type"),
        (
            json!({ "template": { "url": "https://{{to|url}}.x/" } }),
            "spec.settings.template.url: has a placeholder in its host",
        ),
        (
            json!({ "template": { "url": "https://x", "method": "PATCH" } }),
            "spec.settings.template.method: is not",
        ),
        (
            json!({ "template": { "url": "https://x", "body": "{{text}}" } }),
            "spec.settings.template.body: `{{text}}` has no encoder",
        ),
        (
            json!({ "template": { "url": "https://x", "headers": { "a b": "c" } } }),
            "spec.settings.template.headers.a b: is not the name",
        ),
        (
            json!({ "template": { "url": "https://x", "success": { "status": ["6xx"] } } }),
            "spec.settings.template.success.status: is a list",
        ),
        (
            json!({ "template": { "url": "https://x", "errors": [{ "class": "bad" }] } }),
            "spec.settings.template.errors[0].class: is not one of",
        ),
        (
            json!({ "template": { "url": "https://x", "external_id": "id" } }),
            "spec.settings.template.external_id: is not a JSON pointer",
        ),
        (
            json!({ "template": { "url": "https://x", "typo": 1 } }),
            "spec.settings.template.typo: unknown field",
        ),
    ] {
        let found = problem(settings.clone());
        assert!(found.starts_with(expected), "{settings}: {found}");
    }
}

#[test]
fn a_path_stands_below_the_base_url() {
    for url in ["/bottle", "bottle"] {
        let raw = RawAccount {
            base_url: Some(Url::parse("http://127.0.0.1:9999/sandbox/").unwrap()),
            ..account(json!({ "url": url }))
        };
        let loaded = raw.load::<BottleSettings>().unwrap();
        assert!(format!("{loaded:?}").contains("http://127.0.0.1:9999/sandbox/bottle"), "{url}");
    }
}

#[test]
fn a_missing_secret_is_named() {
    let raw = RawAccount {
        secrets: heliograph_channel::Secrets::default(),
        ..account(json!({ "url": "https://x" }))
    };
    let error = raw.load::<BottleSettings>().unwrap_err();
    assert_eq!(error.field, "spec.secrets.signing");
}
