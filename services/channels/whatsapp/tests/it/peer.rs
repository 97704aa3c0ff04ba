//! What we send is what `pywa` sends for the same message. It stands in `.tools/peers`, or not.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use heliograph_proto::v1::{Content, MessageReference};
use serde_json::{Value, json};

use crate::support::{CORRELATION, USER, account, message, sent};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");

/// The bodies that the peer sends.
fn by_pywa(calls: &[Value]) -> Vec<Value> {
    let request = json!({ "peer": "whatsapp_sends", "calls": calls });
    let mut script = Command::new(Path::new(ROOT).join(".tools/peers/bin/python"))
        .arg(Path::new(ROOT).join("tests/peers/sign.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    script.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    assert!(output.status.success(), "the peer failed");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_str(printed["body"].as_str().unwrap()).unwrap()
}

/// Our messages, and what to ask of the peer for the same.
fn cases() -> Vec<(Value, &'static str, Value)> {
    let link = "https://media.example.com/tea.png";
    let image = json!({ "kind": "MEDIA_KIND_IMAGE", "url": link });
    vec![
        (json!({ "text": { "body": "Grüße 👍" } }), "send_message", json!({ "text": "Grüße 👍" })),
        (
            json!({ "media": { "kind": "MEDIA_KIND_IMAGE", "url": link, "caption": "Tea" } }),
            "send_image",
            json!({ "image": link, "caption": "Tea" }),
        ),
        (
            json!({ "media": { "kind": "MEDIA_KIND_FILE", "providerMediaId": "1003", "fileName": "a.pdf" } }),
            "send_document",
            json!({ "document": "1003", "filename": "a.pdf" }),
        ),
        (
            json!({ "media": { "kind": "MEDIA_KIND_AUDIO", "providerMediaId": "1003", "voiceNote": true } }),
            "send_audio",
            json!({ "audio": "1003", "is_voice": true }),
        ),
        (
            json!({ "media": { "kind": "MEDIA_KIND_STICKER", "providerMediaId": "1003" } }),
            "send_sticker",
            json!({ "sticker": "1003" }),
        ),
        (
            json!({ "location": { "latitude": 37.44, "longitude": -122.16, "name": "Philz", "address": "Ave" } }),
            "send_location",
            json!({ "latitude": 37.44, "longitude": -122.16, "name": "Philz", "address": "Ave" }),
        ),
        (
            json!({ "reaction": { "target": { "providerMessageId": "wamid.1" }, "emoji": "👍" } }),
            "send_reaction",
            json!({ "message_id": "wamid.1", "emoji": "👍" }),
        ),
        (
            json!({ "reaction": { "target": { "providerMessageId": "wamid.1" } } }),
            "remove_reaction",
            json!({ "message_id": "wamid.1" }),
        ),
        (
            json!({ "choice": { "body": "Tea?", "footer": "Free", "header": image, "options": [
                { "id": "yes", "title": "Yes" }, { "id": "no", "title": "No" },
            ] } }),
            "send_image",
            json!({ "image": link, "caption": "Tea?", "footer": "Free", "buttons": [
                { "pywa": "Button", "title": "Yes", "callback_data": "yes" },
                { "pywa": "Button", "title": "No", "callback_data": "no" },
            ] }),
        ),
        (
            json!({ "choice": { "body": "Track it", "options": [{ "title": "Open", "url": link }] } }),
            "send_message",
            json!({ "text": "Track it", "buttons": { "pywa": "URLButton", "title": "Open", "url": link } }),
        ),
        (
            json!({ "choice": { "body": "Where?", "options": [{ "title": "Here", "askLocation": {} }] } }),
            "request_location",
            json!({ "text": "Where?" }),
        ),
        (
            json!({ "list": { "body": "Drinks?", "header": "Menu", "footer": "Free", "button": "Open", "sections": [
                { "title": "Hot", "options": [{ "id": "tea", "title": "Tea", "description": "black" }] },
            ] } }),
            "send_message",
            json!({ "text": "Drinks?", "header": "Menu", "footer": "Free", "buttons": {
                "pywa": "SectionList", "button_title": "Open", "sections": [
                    { "pywa": "Section", "title": "Hot", "rows": [
                        { "pywa": "SectionRow", "title": "Tea", "callback_data": "tea", "description": "black" },
                    ] },
                ],
            } }),
        ),
        (
            json!({ "carousel": { "body": "Lamps", "cards": [
                { "body": "one", "media": image, "options": [{ "title": "See", "url": link }] },
                { "body": "two", "media": image, "options": [{ "id": "buy", "title": "Buy" }] },
            ] } }),
            "send_carousel",
            json!({ "body": "Lamps", "cards": [
                { "pywa": "ImageCarouselCard", "image": link, "body": "one",
                  "buttons": { "pywa": "URLButton", "title": "See", "url": link } },
                { "pywa": "ImageCarouselCard", "image": link, "body": "two",
                  "buttons": [{ "pywa": "Button", "title": "Buy", "callback_data": "buy" }] },
            ] }),
        ),
        (
            json!({ "contactCard": {
                "formattedName": "Ann Christian", "givenName": "Ann", "phones": [{ "value": "+64930", "label": "work" }],
            } }),
            "send_contact",
            json!({ "contact": { "pywa": "Contact",
                "name": { "pywa": "Contact.Name", "formatted_name": "Ann Christian", "first_name": "Ann" },
                "phones": [{ "pywa": "Contact.Phone", "phone": "+64930", "type": "WORK" }],
            } }),
        ),
    ]
}

/// What says nothing is not sent, or is.
fn without_nothing(value: Value) -> Value {
    let nothing = |value: &Value| value.is_null() || *value == json!([]) || *value == json!({});
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().map(|(name, value)| (name, without_nothing(value)));
            Value::Object(kept.filter(|(_, value)| !nothing(value)).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nothing).collect()),
        plain => plain,
    }
}

#[test]
fn we_send_what_pywa_sends() {
    if !Path::new(ROOT).join(".tools/peers/bin/python").exists() {
        eprintln!("skipped: `make tools-peers` fetches the providers' SDKs");
        return;
    }
    let account = account(&json!({}));
    let (mut ours, mut calls) = (Vec::new(), Vec::new());
    for (content, send, mut arguments) in cases() {
        let content: Content = serde_json::from_value(content).unwrap();
        let mut message = message(content.kind.unwrap());
        arguments["to"] = USER.into();
        arguments["tracker"] = CORRELATION.into();
        if !send.ends_with("reaction") {
            let provider_message_id = "wamid.QUOTED".to_owned();
            message.reply_to = Some(MessageReference { provider_message_id, ..MessageReference::default() });
            arguments["reply_to_message_id"] = "wamid.QUOTED".into();
        }
        ours.push(sent(&account, &message));
        calls.push(json!({ "send": send, "arguments": arguments }));
    }
    let theirs = by_pywa(&calls);
    assert_eq!(ours.len(), theirs.len());
    for ((ours, theirs), call) in ours.into_iter().zip(theirs).zip(calls) {
        assert_eq!(without_nothing(ours), without_nothing(theirs), "{}", call["send"]);
    }
}
