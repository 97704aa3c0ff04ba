//! `fixtures/vectors.json`: a message signed by `viberbot`.

use heliograph_channel::{Account, Refusal, Secrets, Webhook as _, WebhookRequest};
use heliograph_channel_viber::{Viber, ViberSettings, sign};
use heliograph_proto::v1::inbound_event::Kind;
use serde_json::Value;

use crate::support::{raw_account, settings};

fn account(vector: &Value) -> Account<ViberSettings> {
    let mut raw = raw_account(settings());
    raw.secrets = Secrets::default();
    raw.secrets.add("auth_token", vector["secrets"]["auth_token"].as_str().unwrap().into());
    raw.load().unwrap()
}

#[test]
fn every_vector_holds() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../fixtures/vectors.json")).unwrap();
    assert_eq!(vectors.len(), 1);
    for vector in &vectors {
        let account = account(vector);
        let body = vector["body"].as_str().unwrap().to_owned();
        let given = vector["headers"]["X-Viber-Content-Signature"].as_str().unwrap();
        assert_eq!(sign(vector["secrets"]["auth_token"].as_str().unwrap(), body.as_bytes()), given);
        let request = |signature: &str, body: &str| WebhookRequest {
            method: http::Method::POST,
            path: String::new(),
            query: format!("sig={given}"),
            headers: [("x-viber-content-signature".parse().unwrap(), signature.parse().unwrap())]
                .into_iter()
                .collect(),
            body: body.to_owned().into(),
            now_ms: 1_457_764_198_000,
        };
        let received = Viber.receive(&account, &request(given, &body)).unwrap();
        let Some(Kind::Message(message)) = &received.events[0].kind else { panic!("not a message") };
        assert_eq!(message.provider_message_id, "4912661846655238145");
        for (signature, body) in [
            (given, body.replace("service", "servile")),
            (&given[..63], body.clone()),
            ("", body.clone()),
            (&given.to_uppercase(), body.clone()),
        ] {
            let refused = Viber.receive(&account, &request(signature, &body));
            assert!(matches!(refused, Err(Refusal::Forged(_))), "{signature}");
        }
    }
}
