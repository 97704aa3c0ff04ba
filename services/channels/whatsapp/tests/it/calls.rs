//! Media, read marks, another try by number, and what is refused before the provider would.

use heliograph_channel::{Body, Caller, CarrierError, Delivery, File, Outcome, Provider as _, Upload};
use heliograph_channel_whatsapp::WhatsApp;
use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, Choice, Media, MediaKind, Message, MessageReference, Option as Offered, Reaction, ReadMark,
    SignalRequest, Typing, content::Kind, signal_request::Signal,
};
use serde_json::json;

use crate::support::{CORRELATION, account, answer, json_of, message, sent};

fn text() -> Message {
    message(content::text("Hello").kind.unwrap())
}

#[test]
fn received_media_are_asked_for_and_fetched_with_the_token() {
    let account = account(&json!({}));
    let lookup = WhatsApp.encode_media_lookup(&Caller::new(&account, 0), "1003383421387256").unwrap();
    assert_eq!(lookup.url, "https://graph.facebook.com/v26.0/1003383421387256");
    for odd in ["", "../me", "1?x=y", "a/b"] {
        assert!(WhatsApp.encode_media_lookup(&Caller::new(&account, 0), odd).is_none(), "{odd}");
    }
    let found = json!({ "url": "https://lookaside.fbsbx.com/x", "mime_type": "image/jpeg", "id": "1" });
    let url = WhatsApp.read_media_lookup(&account, &answer(200, &found)).unwrap();
    let fetch = WhatsApp.encode_media(&Caller::new(&account, 0), "1003383421387256", &url).unwrap();
    assert_eq!(fetch.url, "https://lookaside.fbsbx.com/x");
    assert!(fetch.headers["authorization"].is_sensitive());

    let gone = json!({ "error": { "code": 100, "message": "Object does not exist" } });
    let refused = WhatsApp.read_media_lookup(&account, &answer(400, &gone)).unwrap_err();
    assert!(matches!(refused, CarrierError::NotFound));
    let refused = WhatsApp.read_media_lookup(&account, &answer(500, &json!({}))).unwrap_err();
    assert!(matches!(refused, CarrierError::Provider(_)));
}

#[test]
fn media_are_uploaded_and_known_for_thirty_days() {
    let account = account(&json!({ "appsecret_proof": true }));
    let media = Media { kind: MediaKind::Image.into(), ..Media::default() };
    assert_eq!(WhatsApp.upload(&account, &media), Upload::Before);
    let file = File { content_type: "image/png".to_owned(), name: "tea.png".to_owned(), bytes: "PNG".into() };
    let request = WhatsApp.encode_upload(&Caller::new(&account, 0), &media, Some(&file)).unwrap();
    let (path, proof) = request.url.split_once('?').unwrap();
    assert_eq!(path, "https://graph.facebook.com/v26.0/106540352242922/media");
    assert_eq!(proof.strip_prefix("appsecret_proof=").unwrap().len(), 64);
    let Body::Raw(body) = &request.body else { panic!("not a form") };
    let form = String::from_utf8_lossy(body);
    for part in ["name=\"messaging_product\"\r\n\r\nwhatsapp", "name=\"type\"\r\n\r\nimage/png", "PNG"] {
        assert!(form.contains(part), "{part}");
    }
    let grant = WhatsApp.read_upload(&account, &answer(200, &json!({ "id": "1003" }))).unwrap();
    assert_eq!((grant.provider_media_id.as_str(), grant.expires_in.as_secs()), ("1003", 30 * 24 * 3600));
    let lost = WhatsApp.read_upload(&account, &answer(200, &json!({}))).unwrap_err();
    assert!(matches!(lost, Outcome::Retry { .. }), "{lost:?}");
    let refused = json!({ "error": { "code": 190, "message": "expired" } });
    let refused = WhatsApp.read_upload(&account, &answer(401, &refused)).unwrap_err();
    assert!(matches!(refused, Outcome::Auth { .. }), "{refused:?}");
}

#[test]
fn ids_that_the_provider_forgot_are_told_from_other_mistakes() {
    let account = account(&json!({}));
    for (code, text, stale) in [
        (131_053, "Media upload error", true),
        (131_052, "Media download error", true),
        (100, "Invalid parameter: Media ID not found", true),
        (100, "Invalid parameter", false),
        (131_026, "Message undeliverable", false),
    ] {
        let body = json!({ "error": { "code": code, "message": text } });
        assert_eq!(WhatsApp.is_stale_upload(&account, &answer(400, &body)), stale, "{code} {text}");
    }
}

#[test]
fn media_may_go_by_link() {
    let account = account(&json!({ "media": "link" }));
    let media = Media {
        kind: MediaKind::Image.into(),
        url: "https://media.example.com/tea.png".to_owned(),
        ..Media::default()
    };
    assert_eq!(WhatsApp.upload(&account, &media), Upload::Never);
    let sent = sent(&account, &message(Kind::Media(media)));
    assert_eq!(sent["image"], json!({ "link": "https://media.example.com/tea.png" }));
}

#[test]
fn who_cannot_be_reached_by_user_id_is_tried_by_number() {
    let account = account(&json!({}));
    let mut message = text();
    let refused = answer(400, &json!({ "error": { "code": 131_062, "message": "not by this id" } }));
    let next = |message: &Message| {
        let delivery = Delivery::new(message, "dlv_1", CORRELATION, 0);
        WhatsApp.follow_up(&Caller::new(&account, 0), &delivery, &refused)
    };
    assert!(next(&message).is_none());
    message.address.as_mut().unwrap().phone = "+16505551234".to_owned();
    let first = sent(&account, &message);
    assert_eq!((&first["recipient"], &first["to"]), (&json!("US.13491208655302741918"), &json!(null)));
    let second = json_of(&next(&message).unwrap().unwrap());
    assert_eq!((&second["recipient"], &second["to"]), (&json!(null), &json!("16505551234")));
    assert_eq!(second["text"], first["text"]);

    let delivery = Delivery::new(&message, "dlv_1", CORRELATION, 0);
    let other = answer(400, &json!({ "error": { "code": 131_026, "message": "Message undeliverable" } }));
    assert!(WhatsApp.follow_up(&Caller::new(&account, 0), &delivery, &other).is_none());
}

#[test]
fn what_was_read_is_marked() {
    let account = account(&json!({}));
    let signal = |signal| {
        let signal = SignalRequest { signal: Some(signal), ..SignalRequest::default() };
        WhatsApp.encode_signal(&Caller::new(&account, 0), &signal)
    };
    let up_to = MessageReference { provider_message_id: "wamid.1".to_owned(), ..MessageReference::default() };
    let mark = signal(Signal::ReadMark(ReadMark { up_to: Some(up_to), until: None })).unwrap();
    let expected = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1" });
    assert_eq!(json_of(&mark), expected);
    assert!(signal(Signal::ReadMark(ReadMark::default())).is_none());
}

#[test]
fn typing_is_shown_upon_what_the_customer_wrote_last() {
    let account = account(&json!({}));
    let typing =
        |on| SignalRequest { signal: Some(Signal::Typing(Typing { on })), ..SignalRequest::default() };
    assert!(WhatsApp.encode_signal(&Caller::new(&account, 0), &typing(true)).is_none());
    let shown =
        WhatsApp.encode_signal_upon(&Caller::new(&account, 0), &typing(true), &"wamid.1".into()).unwrap();
    let expected = json!({
        "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1",
        "typing_indicator": { "type": "text" },
    });
    assert_eq!(json_of(&shown), expected);
    assert!(
        WhatsApp.encode_signal_upon(&Caller::new(&account, 0), &typing(false), &"wamid.1".into()).is_none()
    );
}

#[test]
fn what_the_provider_would_refuse_is_not_sent() {
    let account = account(&json!({}));
    let option =
        |title: &str| Offered { id: title.to_owned(), title: title.to_owned(), ..Offered::default() };
    let choice = |body: String, options: Vec<Offered>| {
        message(Kind::Choice(Choice { body, options, ..Choice::default() }))
    };
    let media =
        |media: Media| message(Kind::Media(Media { url: "https://example.com/a".to_owned(), ..media }));
    let long = || "x".repeat(5000);
    for (code, message) in [
        ("text_too_long", message(content::text(long()).kind.unwrap())),
        ("body_too_long", choice(long(), vec![option("a")])),
        ("body_empty", choice(String::new(), vec![option("a")])),
        ("no_options", choice("?".to_owned(), vec![])),
        ("too_many_options", choice("?".to_owned(), ["a", "b", "c", "d"].map(option).to_vec())),
        ("same_options", choice("?".to_owned(), vec![option("a"), option("a")])),
        ("option_title_too_long", choice("?".to_owned(), vec![option(&"a".repeat(21))])),
        ("option_title_empty", choice("?".to_owned(), vec![option("")])),
        ("no_target", message(Kind::Reaction(Reaction { emoji: "👍".to_owned(), ..Reaction::default() }))),
        ("media_kind_not_supported", media(Media::default())),
        (
            "caption_too_long",
            media(Media { kind: MediaKind::Image.into(), caption: long(), ..Media::default() }),
        ),
        (
            "caption_not_supported",
            media(Media { kind: MediaKind::Audio.into(), caption: "x".to_owned(), ..Media::default() }),
        ),
        (
            "media_too_large",
            media(Media { kind: MediaKind::Image.into(), size_bytes: 1 << 30, ..Media::default() }),
        ),
        ("no_content", Message { address: Some(Address::default()), ..Message::default() }),
        ("no_address", Message { address: None, ..text() }),
    ] {
        let delivery = Delivery::new(&message, "dlv_1", CORRELATION, 0);
        match WhatsApp.encode_checked(&account, &delivery, None) {
            Err(Outcome::Permanent { code: found, .. }) => assert_eq!(found, code),
            other => panic!("{code}: {other:?}"),
        }
    }
}
