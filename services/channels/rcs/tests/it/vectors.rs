//! `fixtures/vectors.json`: the signature over the decoded data, one over the envelope, and the handshake.

use heliograph_channel::{Account, Refusal, Webhook};
use heliograph_channel_rcs::{Rcs, RcsSettings, sign};
use heliograph_proto::v1::inbound_event::Kind;
use serde_json::{Value, json};

use crate::support::{post, raw_account};

fn vector(part: &str) -> Value {
    let all: Vec<Value> = serde_json::from_str(include_str!("../../fixtures/vectors.json")).unwrap();
    all.into_iter()
        .find(|vector| vector["name"].as_str().unwrap().contains(part))
        .unwrap_or_else(|| panic!("no vector named {part}"))
}

fn account(vector: &Value, settings: Value) -> Account<RcsSettings> {
    raw_account(settings, vector["secrets"]["client_token"].as_str().unwrap()).load().unwrap()
}

#[test]
fn a_signed_message_is_read_and_a_changed_one_is_refused() {
    let vector = vector("X-Goog-Signature");
    let account = account(&vector, json!({ "agent_id": "fake_agent_0001@rbm.goog" }));
    let (body, signature) =
        (vector["body"].as_str().unwrap(), vector["headers"]["X-Goog-Signature"].as_str().unwrap());
    let signed = vector["expected"]["signed_bytes"].as_str().unwrap();
    assert_eq!(sign(vector["secrets"]["client_token"].as_str().unwrap(), signed.as_bytes()), signature);

    let received = Rcs.receive(&account, &post(body, Some(signature))).unwrap();
    let event = &received.events[0];
    assert_eq!(event.provider_event_id, "+12223334444:message:MxFAKE0001");
    let time = event.occurred_at.as_ref().unwrap();
    assert_eq!((time.seconds, time.nanos), (1_794_336_000, 123_456_000));
    let Some(Kind::Message(message)) = &event.kind else { panic!("not a message") };
    assert_eq!(heliograph_domain::content::preview(message.content.as_ref().unwrap()), "hi");

    // The envelope is not signed: it may come again as another one, and is the same event.
    let again = body.replace("10000000000000001", "10000000000000002");
    let again = Rcs.receive(&account, &post(again, Some(signature))).unwrap();
    assert_eq!(again.events[0].id, event.id);

    let forged = body.replacen("eyJzZW5kZXJQaG9uZU51", "eyJzZW5kZXJQaG9uZU52", 1);
    assert_ne!(forged, body);
    for request in [post(forged, Some(signature)), post(body, None), post(body, Some("AAAA"))] {
        let refused = Rcs.receive(&account, &request).unwrap_err();
        assert!(matches!(refused, Refusal::Forged(_)), "{refused}");
    }
}

#[test]
fn a_signature_over_the_envelope_is_refused() {
    let vector = vector("NEGATIVE");
    let account = account(&vector, json!({ "agent_id": "fake_agent_0001@rbm.goog" }));
    let signature = vector["headers"]["X-Goog-Signature"].as_str();
    let refused = Rcs.receive(&account, &post(vector["body"].as_str().unwrap(), signature)).unwrap_err();
    assert!(matches!(refused, Refusal::Forged(_)), "{refused}");
}

#[test]
fn the_handshake_is_answered_in_either_style_and_only_for_the_right_token() {
    let vector = vector("validation challenge");
    let body = vector["body"].as_str().unwrap();
    let answer = |settings| {
        let received = Rcs.receive(&account(&vector, settings), &post(body, None)).unwrap();
        assert!(received.events.is_empty());
        assert!(received.answer.content_type.starts_with("text/plain"));
        String::from_utf8(received.answer.body.to_vec()).unwrap()
    };
    let expected = vector["expected"]["body"].as_str().unwrap();
    assert_eq!(answer(json!({ "agent_id": "a" })), expected);
    assert_eq!(answer(json!({ "agent_id": "a", "handshake": "labelled" })), format!("secret: {expected}"));

    let wrong = body.replace("FAKECLIENTTOKEN01", "FAKECLIENTTOKEN02");
    let account = account(&vector, json!({ "agent_id": "a" }));
    let refused = Rcs.receive(&account, &post(wrong, None)).unwrap_err();
    assert!(refused.status().is_client_error(), "{refused}");
}
