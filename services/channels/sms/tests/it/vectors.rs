//! `fixtures/vectors.json`: signatures by `twilio` and `sinch`, septets by `gsm0338`, parts by rule and npm `gsm`.

use heliograph_channel::{Account, Refusal, Webhook, WebhookRequest, account::RawAccount};
use heliograph_channel_sms::{
    Sms, SmsSettings, gsm7,
    segments::{self, Encoding},
};
use serde_json::{Value, json};

fn vectors(channel: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_json::from_str(include_str!("../../fixtures/vectors.json")).unwrap();
    let found: Vec<Value> = all.into_iter().filter(|vector| vector["channel"] == channel).collect();
    assert!(!found.is_empty(), "no vectors for {channel}");
    found
}

/// An account whose webhook URL is `url` without its path below the account and query.
fn account(provider: &str, base: &str, settings: Value, secrets: &[(&str, &str)]) -> Account<SmsSettings> {
    let mut raw = RawAccount {
        tenant: "acme".to_owned(),
        name: "sms".to_owned(),
        channel: "twilio".to_owned(),
        provider: Some(provider.to_owned()),
        base_url: None,
        public_base_url: Some(base.parse().unwrap()),
        settings,
        secrets: heliograph_channel::account::Secrets::default(),
    };
    for (name, value) in secrets {
        raw.secrets.add(*name, (*value).into());
    }
    raw.load().unwrap()
}

fn request(vector: &Value, path: &str, query: &str, now_ms: i64) -> WebhookRequest {
    let mut headers = http::HeaderMap::new();
    for (name, value) in vector["headers"].as_object().unwrap() {
        let name: http::HeaderName = name.parse().unwrap();
        headers.insert(name, value.as_str().unwrap().parse().unwrap());
    }
    WebhookRequest {
        method: http::Method::POST,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: vector["body"].as_str().unwrap().to_owned().into(),
        now_ms,
    }
}

#[test]
fn twilio_signatures_hold_as_its_sdk_makes_them() {
    for vector in vectors("twilio.messaging") {
        let name = vector["name"].as_str().unwrap();
        let url: url::Url = vector["url"].as_str().unwrap().parse().unwrap();
        // The vectors' paths are `/twilio/<last>`; the account stands in for the last part.
        let mut base = url.clone();
        base.set_path("");
        base.set_query(None);
        // `url` drops the scheme's own port; put it back as configured.
        let base = if name == "sms_inbound_port_443_variant" {
            "https://hooks.example.test:443".to_owned()
        } else {
            base.to_string()
        };
        let last = url.path().rsplit('/').next().unwrap().to_owned();
        let token = ("auth_token", vector["secrets"]["auth_token"].as_str().unwrap());
        let mut secrets = vec![token];
        if name == "sms_sharedkey_hmac_sha256" {
            // The vector was made with the same value as shared key.
            secrets.push(("shared_key", token.1));
        }
        let settings = json!({ "account_sid": "AC1", "sender": "+15005550010" });
        let mut account = account("twilio", &base, settings, &secrets);
        account.name = last;
        let request = request(&vector, "", url.query().unwrap_or_default(), 0);
        let outcome = Sms.receive(&account, &request);
        let valid = vector["expected"]["valid"].as_bool().unwrap();
        match outcome {
            Ok(_) => assert!(valid, "{name}: accepted"),
            Err(Refusal::Forged(why)) => assert!(!valid, "{name}: refused: {why}"),
            Err(other) => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn a_shared_key_is_not_talked_down_to_sha1() {
    let vector = vectors("twilio.messaging").into_iter().find(|v| v["name"] == "sms_inbound_basic").unwrap();
    let token = vector["secrets"]["auth_token"].as_str().unwrap().to_owned();
    let settings = json!({ "account_sid": "AC1", "sender": "+15005550010" });
    let secrets = [("auth_token", token.as_str()), ("shared_key", "fake-shared-key")];
    let account = account("twilio", "https://hooks.example.test", settings, &secrets);
    let refused = Sms.receive(&account, &request(&vector, "", "", 0)).unwrap_err();
    assert!(matches!(refused, Refusal::Forged(_)), "{refused}");
}

#[test]
fn sinch_signatures_hold_as_its_sdk_makes_them() {
    for vector in vectors("sinch.conversation") {
        let secret = vector["secrets"]["webhook_secret"].as_str().unwrap();
        let settings = json!({ "sender": "+12025550134", "service_plan_id": "plan" });
        let account = account(
            "sinch",
            "https://hooks.example.test",
            settings,
            &[("webhook_secret", secret), ("api_token", "fake-token")],
        );
        let signed_at: i64 =
            vector["headers"]["x-sinch-webhook-signature-timestamp"].as_str().unwrap().parse().unwrap();
        let fresh = request(&vector, "", "", signed_at * 1000 + 1000);
        // The bodies are of the Conversation API, which this account does not speak: past the signature, no further.
        let outcome = Sms.receive(&account, &fresh);
        assert!(matches!(outcome, Err(Refusal::Malformed(_))), "{outcome:?}");
        let stale = request(&vector, "", "", (signed_at + 301) * 1000);
        assert!(matches!(Sms.receive(&account, &stale), Err(Refusal::Stale(_))));
        let mut forged = fresh;
        forged.body = "{}".into();
        assert!(matches!(Sms.receive(&account, &forged), Err(Refusal::Forged(_))));
    }
}

#[test]
fn septets_are_those_of_gsm0338() {
    for vector in vectors("sms.gsm7") {
        let text = vector["inputs"]["text"].as_str().unwrap();
        let mut encoded = Vec::new();
        for character in text.chars() {
            let (first, second) = gsm7::septets(character).unwrap();
            encoded.push(first);
            encoded.extend(second);
        }
        assert_eq!(hex::encode(encoded), vector["expected"]["septets_hex"].as_str().unwrap(), "{text}");
    }
}

#[test]
fn parts_are_counted_as_carriers_bill_them() {
    for vector in vectors("sms.segments") {
        let text = vector["inputs"]["text"].as_str().unwrap();
        let counted = segments::count(text);
        let encoding = match vector["expected"]["encoding"].as_str().unwrap() {
            "GSM7" => Encoding::Gsm7,
            _ => Encoding::Ucs2,
        };
        assert_eq!(counted.encoding, encoding, "{text}");
        assert_eq!(counted.parts as u64, vector["expected"]["parts"].as_u64().unwrap(), "{text}");
    }
}
