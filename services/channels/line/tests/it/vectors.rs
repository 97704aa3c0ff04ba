//! `fixtures/vectors.json`: what `line-bot-sdk` signs is accepted, and nothing that differs from it.

use heliograph_channel::{Refusal, Webhook};
use heliograph_channel_line::{Line, sign};
use heliograph_proto::v1::inbound_event::Kind;
use serde_json::{Value, json};

use crate::support::{post, raw_account};

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../fixtures/vectors.json")).unwrap()
}

#[test]
fn every_vector_holds_and_every_change_to_it_is_refused() {
    for vector in vectors() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let name = text(&vector["name"]);
        let secret = text(&vector["secrets"]["channel_secret"]);
        let account = raw_account(json!({ "channel_id": "1" }), &[("channel_secret", &secret)]);
        let account = account.load().unwrap();
        let (body, signature) = (text(&vector["body"]), text(&vector["headers"]["x-line-signature"]));
        assert_eq!(sign(&secret, body.as_bytes()), text(&vector["expected"]["signature"]), "{name}");
        let received = Line.receive(&account, &post(body.clone(), &signature)).unwrap();
        assert!(received.answer.status.is_success(), "{name}");

        let changed = body.replacen("destination", "destinatiom", 1);
        let unescaped = body.replace("こんにちは", "\\u3053\\u3093\\u306b\\u3061\\u306f");
        for forged in [changed, format!("{body} "), unescaped].into_iter().filter(|forged| *forged != body) {
            let refused = Line.receive(&account, &post(forged, &signature)).unwrap_err();
            assert!(matches!(refused, Refusal::Forged(_)), "{name}: {refused}");
        }
        for wrong in ["", "AAAA", &signature[1..], &signature.to_lowercase()] {
            let refused = Line.receive(&account, &post(body.clone(), wrong)).unwrap_err();
            assert!(matches!(refused, Refusal::Forged(_)), "{name}: {refused}");
        }
    }
}

#[test]
fn the_signed_message_is_read_with_its_quote_and_reply_token() {
    let vector = &vectors()[0];
    let secret = vector["secrets"]["channel_secret"].as_str().unwrap();
    let account = raw_account(json!({ "channel_id": "1" }), &[("channel_secret", secret)]).load().unwrap();
    let body = vector["body"].as_str().unwrap();
    let signature = vector["headers"]["x-line-signature"].as_str().unwrap();
    let received = Line.receive(&account, &post(body, signature)).unwrap();
    let Some(Kind::Message(message)) = &received.events[0].kind else { panic!("not a message") };
    let text = heliograph_domain::content::preview(message.content.as_ref().unwrap());
    assert_eq!(text, "こんにちは");
    assert_eq!(message.reply_to.as_ref().unwrap().provider_message_id, "468789532432007169");
    assert_eq!(received.events[0].provider_event_id, "01H810YECXQQZ37VAXPF6H9E6T");
    assert_eq!(received.replies.len(), 1);
    assert_eq!(received.replies[0].valid_for.as_secs(), 50);
}

#[test]
fn the_question_whether_somebody_is_there_is_answered() {
    let vector = &vectors()[1];
    let secret = vector["secrets"]["channel_secret"].as_str().unwrap();
    let account = raw_account(json!({ "channel_id": "1" }), &[("channel_secret", secret)]).load().unwrap();
    let signature = vector["headers"]["x-line-signature"].as_str().unwrap();
    let received = Line.receive(&account, &post(vector["body"].as_str().unwrap(), signature)).unwrap();
    assert!(received.events.is_empty());
    assert_eq!(received.answer.status.as_u16(), 200);
}
