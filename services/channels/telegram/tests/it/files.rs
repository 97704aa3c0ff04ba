//! Files, chats that moved, and signals: what takes more than one request.

use heliograph_channel::{Body, Caller, CarrierError, Delivery, File, Outcome, Provider as _, Upload};
use heliograph_channel_telegram::Telegram;
use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, Edit, Media, MediaKind, MessageReference, ReadMark, SignalRequest, Typing, content::Kind,
    signal_request::Signal,
};
use serde_json::json;

use crate::support::{NOW_MS, TOKEN, account, answer, call, encode, message};

fn media(kind: MediaKind, content_type: &str, size_bytes: i64) -> Media {
    Media {
        kind: kind.into(),
        url: "https://media.example.com/x".to_owned(),
        content_type: content_type.to_owned(),
        size_bytes,
        ..Media::default()
    }
}

fn file(content_type: &str, size: usize) -> File {
    File { content_type: content_type.to_owned(), name: "tea.png".to_owned(), bytes: vec![7; size].into() }
}

const MEGABYTE: i64 = 1024 * 1024;

#[test]
fn telegram_fetches_what_it_can_show_and_the_rest_goes_along() {
    for (kind, content_type, size, expected) in [
        (MediaKind::Image, "image/png", 5 * MEGABYTE, Upload::Never),
        (MediaKind::Image, "image/png", 5 * MEGABYTE + 1, Upload::Within),
        (MediaKind::Image, "image/png", 0, Upload::Within),
        (MediaKind::Image, "image/svg+xml", 1, Upload::Within),
        (MediaKind::Video, "video/mp4", 20 * MEGABYTE, Upload::Never),
        (MediaKind::Video, "video/mp4", 20 * MEGABYTE + 1, Upload::Within),
        (MediaKind::File, "application/pdf", MEGABYTE, Upload::Never),
        (MediaKind::File, "text/csv", MEGABYTE, Upload::Within),
        (MediaKind::Sticker, "image/webp", 1, Upload::Within),
    ] {
        assert_eq!(
            Telegram.upload(&account(), &media(kind, content_type, size)),
            expected,
            "{content_type} {size}"
        );
    }
    let ours = Media { object_id: "med_1".to_owned(), ..media(MediaKind::Image, "image/png", 1) };
    assert_eq!(Telegram.upload(&account(), &ours), Upload::Within);
}

#[test]
fn a_file_goes_along_as_a_form_and_its_id_is_kept() {
    let sent = message(
        Kind::Media(Media { caption: "Tea".to_owned(), ..media(MediaKind::Image, "image/png", 0) }),
        "1111111",
        Some("1111111/7"),
    );
    let request = encode(&sent, Some(&file("image/png", 9))).unwrap();
    assert!(request.url.ends_with("/sendPhoto"), "{}", request.url);
    assert!(request.headers["content-type"].to_str().unwrap().starts_with("multipart/form-data; boundary="));
    let Body::Raw(body) = &request.body else { panic!("not a form") };
    let body = String::from_utf8_lossy(body);
    for part in [
        "name=\"chat_id\"\r\n\r\n1111111\r\n",
        "name=\"caption\"\r\n\r\nTea\r\n",
        "name=\"reply_parameters\"\r\n\r\n{\"allow_sending_without_reply\":true,\"message_id\":7}\r\n",
        "name=\"photo\"; filename=\"tea.png\"\r\nContent-Type: image/png\r\n\r\n",
    ] {
        assert!(body.contains(part), "{part:?} is not in {body}");
    }

    let photo =
        json!({ "ok": true, "result": { "photo": [{ "file_id": "small" }, { "file_id": "large" }] } });
    assert_eq!(Telegram.read_upload(&account(), &answer(200, &photo)).unwrap().provider_media_id, "large");
    let gif =
        json!({ "ok": true, "result": { "document": { "file_id": "d" }, "animation": { "file_id": "a" } } });
    assert_eq!(Telegram.read_upload(&account(), &answer(200, &gif)).unwrap().provider_media_id, "a");
    assert!(Telegram.read_upload(&account(), &answer(200, &json!({ "ok": true, "result": true }))).is_err());

    let stale = json!({ "ok": false, "error_code": 400, "description": "Bad Request: wrong file identifier/HTTP URL specified" });
    assert!(Telegram.is_stale_upload(&account(), &answer(400, &stale)));
    let other = json!({ "ok": false, "error_code": 400, "description": "Bad Request: chat not found" });
    assert!(!Telegram.is_stale_upload(&account(), &answer(400, &other)));
}

#[test]
fn a_picture_that_is_too_large_for_one_goes_as_a_file_and_the_largest_do_not_go() {
    let sent = message(Kind::Media(media(MediaKind::Image, "image/png", 0)), "1111111", None);
    let size = 10 * 1024 * 1024;
    assert!(encode(&sent, Some(&file("image/png", size))).unwrap().url.ends_with("/sendPhoto"));
    assert!(encode(&sent, Some(&file("image/png", size + 1))).unwrap().url.ends_with("/sendDocument"));
    let refused = encode(&sent, Some(&file("image/png", 5 * size + 1))).unwrap_err();
    assert!(
        matches!(refused, Outcome::Permanent { ref code, .. } if code == "file_too_large"),
        "{refused:?}"
    );
}

#[test]
fn another_medium_takes_the_place_of_one_with_its_file() {
    let edit = Edit {
        target: Some(MessageReference {
            provider_message_id: "1111111/5".to_owned(),
            ..MessageReference::default()
        }),
        content: Some(Box::new(heliograph_proto::v1::Content {
            kind: Some(Kind::Media(media(MediaKind::Image, "image/png", 0))),
        })),
    };
    let request =
        encode(&message(Kind::Edit(Box::new(edit)), "1111111", None), Some(&file("image/png", 3))).unwrap();
    let Body::Raw(body) = &request.body else { panic!("not a form") };
    let body = String::from_utf8_lossy(body);
    assert!(body.contains("{\"media\":\"attach://file\",\"type\":\"photo\"}"), "{body}");
    assert!(body.contains("name=\"file\"; filename=\"tea.png\""), "{body}");
}

#[test]
fn a_received_file_is_asked_for_and_then_fetched() {
    let account = account();
    let (method, fields) = call(&Telegram.encode_media_lookup(&Caller::new(&account, 0), "AgAC-x").unwrap());
    assert_eq!((method.as_str(), &fields["file_id"]), ("getFile", &json!("AgAC-x")));
    let found = json!({ "ok": true, "result": { "file_id": "AgAC-x", "file_path": "photos/file_1.jpg" } });
    let url = Telegram.read_media_lookup(&account, &answer(200, &found)).unwrap();
    assert!(!url.contains(TOKEN), "{url}");
    let request = Telegram.encode_media(&Caller::new(&account, 0), "AgAC-x", &url).unwrap();
    assert_eq!(request.exposed().0, format!("https://api.telegram.org/file/bot{TOKEN}/photos/file_1.jpg"));
    assert!(!format!("{request:?}").contains("made-up"), "{request:?}");

    // Nobody else's URL gets the token.
    for url in
        ["https://example.com/bot{secret}/x", "https://api.telegram.org.example.com/file/bot{secret}/x"]
    {
        assert_eq!(Telegram.encode_media(&Caller::new(&account, 0), "", url).unwrap().exposed().0, url);
    }
    let lost = |status, text: &str| {
        let body = json!({ "ok": false, "error_code": status, "description": text });
        Telegram.read_media_lookup(&account, &answer(status, &body)).unwrap_err()
    };
    assert!(matches!(lost(400, "Bad Request: file is too big"), CarrierError::Refused(_)));
    assert_eq!(lost(400, "Bad Request: invalid file_id"), CarrierError::NotFound);
    assert!(matches!(lost(500, "Internal Server Error"), CarrierError::Provider(_)));
}

#[test]
fn what_is_sent_to_a_chat_that_moved_is_sent_once_more_to_where_it_is() {
    let sent = message(content::text("hi").kind.unwrap(), "-4002", Some("-4002/7"));
    let delivery = Delivery::new(&sent, "dlv_1", "", NOW_MS);
    let moved = json!({
        "ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": { "migrate_to_chat_id": -1_001_234_567_890_i64 },
    });
    let next =
        Telegram.follow_up(&Caller::new(&account(), 0), &delivery, &answer(400, &moved)).unwrap().unwrap();
    let (method, fields) = call(&next);
    assert_eq!((method.as_str(), &fields["chat_id"]), ("sendMessage", &json!(-1_001_234_567_890_i64)));
    let ok = json!({ "ok": true, "result": {} });
    assert!(Telegram.follow_up(&Caller::new(&account(), 0), &delivery, &answer(200, &ok)).is_none());
}

#[test]
fn typing_is_shown_and_a_business_marks_as_read() {
    let signal = |user_id: &str, signal| SignalRequest {
        address: Some(Address { user_id: user_id.to_owned(), ..Address::default() }),
        signal: Some(signal),
        ..SignalRequest::default()
    };
    let shown = |request| {
        Telegram.encode_signal(&Caller::new(&account(), NOW_MS), &request).map(|request| call(&request))
    };
    let (method, fields) = shown(signal("-100#42", Signal::Typing(Typing { on: true }))).unwrap();
    assert_eq!(method, "sendChatAction");
    assert_eq!(json!(fields), json!({ "chat_id": -100, "message_thread_id": 42, "action": "typing" }));
    assert_eq!(shown(signal("11", Signal::Typing(Typing { on: false }))), None);

    let up_to =
        Some(MessageReference { provider_message_id: "9QH/11/7".to_owned(), ..MessageReference::default() });
    let mark = ReadMark { up_to, until: None };
    let (method, fields) = shown(signal("9QH/11", Signal::ReadMark(mark.clone()))).unwrap();
    assert_eq!(method, "readBusinessMessage");
    assert_eq!(json!(fields), json!({ "business_connection_id": "9QH", "chat_id": 11, "message_id": 7 }));
    assert_eq!(shown(signal("11", Signal::ReadMark(mark))), None);
}
