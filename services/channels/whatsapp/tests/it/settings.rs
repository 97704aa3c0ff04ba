//! What an account may say, and what it is told when it says something else.

use heliograph_channel::{Channel as _, Secrets};
use heliograph_channel_whatsapp::{WhatsApp, WhatsAppSettings};
use heliograph_proto::v1::RateScope;
use serde_json::json;

use crate::support::{account, raw_account};

#[test]
fn numbers_of_the_provider_can_be_set() {
    let settings = json!({
        "per_second": 1000, "pair_seconds": 3, "pair_burst": 4, "caption_limit": 500, "list_body_limit": 4096,
        "window_hours": 72,
    });
    let able = WhatsApp.capabilities(&account(&settings));
    assert_eq!((able.rate_per_second, able.burst), (1000.0, 1000));
    assert_eq!((able.caption_limit, able.list_body_limit, able.windows[0].seconds), (500, 4096, 72 * 3600));
    let pair = &able.rates[0];
    assert_eq!((pair.scope(), pair.burst), (RateScope::Recipient, 4));
    assert!((pair.per_second - 1.0 / 3.0).abs() < 1e-9);
}

#[test]
fn what_cannot_be_is_named() {
    for (field, value) in [
        ("phone_number_id", json!("+15550783881")),
        ("phone_number_id", json!("")),
        ("api_version", json!("26.0")),
        ("api_version", json!("v26/../x")),
        ("per_second", json!(0)),
        ("pair_seconds", json!(-1)),
        ("pair_burst", json!(0)),
        ("caption_limit", json!(0)),
        ("list_body_limit", json!(0)),
        ("window_hours", json!(0)),
        ("media", json!("pigeon")),
    ] {
        let error = raw_account(&json!({ field: value })).load::<WhatsAppSettings>().unwrap_err();
        assert_eq!(error.field, format!("spec.settings.{field}"), "{error}");
    }
}

#[test]
fn every_secret_is_asked_for() {
    for missing in ["access_token", "app_secret", "verify_token"] {
        let mut raw = raw_account(&json!({}));
        let mut secrets = Secrets::default();
        for (name, value) in raw.secrets.iter().filter(|(name, _)| *name != missing) {
            secrets.add(name, value.clone());
        }
        raw.secrets = secrets;
        let error = raw.load::<WhatsAppSettings>().unwrap_err();
        assert_eq!(error.field, format!("spec.secrets.{missing}"));
    }
}
