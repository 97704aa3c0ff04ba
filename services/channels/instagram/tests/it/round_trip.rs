//! What is encoded reads as what was meant, to a reader that knows the provider's documents and nothing of the channel.

use heliograph_channel::{
    Account, Body, Caller, Delivery, Outcome, Provider as _, ProviderRequest, ProviderResponse,
};
use heliograph_channel_instagram::{Instagram, InstagramSettings};
use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, Card, Choice, Content, Media, MediaKind, Message, Option as Offered, Sender, SenderKind,
    content::Kind, option::Action,
};
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::conformance::{ACCOUNT, raw};

fn account(login: &str) -> Account<InstagramSettings> {
    let settings = json!({ "account_id": ACCOUNT, "login": login, "human_agent": true });
    raw(settings).load().unwrap()
}

fn message(kind: Kind) -> Message {
    let address = Address { user_id: "1234".to_owned(), ..Address::default() };
    Message { content: Some(Content { kind: Some(kind) }), address: Some(address), ..Message::default() }
}

fn encoded(kind: Kind) -> Result<ProviderRequest, Outcome> {
    let message = message(kind);
    Instagram.encode(&Caller::new(&account("facebook"), 0), &Delivery::new(&message, "dlv_1", "corr", 0))
}

fn body(request: &ProviderRequest) -> Value {
    let Body::Json(body) = &request.body else { panic!("not JSON") };
    serde_json::from_slice(body).unwrap()
}

/// The whole of a request, but for what its message holds.
fn said(kind: Kind) -> Value {
    let mut body = body(&encoded(kind).unwrap());
    let message = body["message"].take();
    assert_eq!(body, json!({ "recipient": { "id": "1234" }, "message": null }));
    message
}

proptest! {
    #[test]
    fn texts_are_counted_in_bytes(body in "\\PC{0,400}[a-z]") {
        let bytes = body.len();
        match encoded(content::text(body.clone()).kind.unwrap()) {
            Ok(_) => {
                prop_assert!(bytes <= 1000);
                prop_assert_eq!(said(content::text(body.clone()).kind.unwrap()), json!({ "text": body }));
            }
            Err(refused) => {
                prop_assert!(bytes > 1000);
                let too_long = matches!(refused, Outcome::Permanent { code, .. } if code == "text_too_long");
                prop_assert!(too_long);
            }
        }
    }

    #[test]
    fn files_and_questions_read_as_what_was_meant(
        kind in 0..4_usize, url in "https://[a-z]{3,10}\\.example/[a-z]{0,9}", titles in proptest::collection::vec("\\PC{1,20}", 1..=13),
    ) {
        let words = ["image", "audio", "video", "file"];
        let kinds = [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File];
        let media = Media { kind: kinds[kind].into(), url: url.clone(), ..Media::default() };
        let expected = json!({ "attachment": { "type": words[kind], "payload": { "url": url } } });
        prop_assert_eq!(said(Kind::Media(media)), expected);

        let offered = titles.iter().map(|title| Offered {
            id: format!("id {title}"), title: title.clone(), ..Offered::default()
        });
        let choice = Choice { body: "Which?".to_owned(), options: offered.collect(), ..Choice::default() };
        let replies: Vec<Value> = titles.iter().map(|title| {
            json!({ "content_type": "text", "title": title, "payload": format!("id {title}") })
        }).collect();
        prop_assert_eq!(said(Kind::Choice(choice)), json!({ "text": "Which?", "quick_replies": replies }));
    }
}

#[test]
fn calls_and_other_stickers_have_no_form() {
    let call = Offered { action: Some(Action::Phone("+64".to_owned())), ..Offered::default() };
    let card = Card { title: "x".to_owned(), options: vec![call], ..Card::default() };
    let sticker =
        Media { kind: MediaKind::Sticker.into(), provider_media_id: "1".to_owned(), ..Media::default() };
    for (kind, expected) in
        [(Kind::Card(card), "action_not_supported"), (Kind::Media(sticker), "sticker_not_supported")]
    {
        let refused = encoded(kind).unwrap_err();
        assert!(matches!(&refused, Outcome::Permanent { code, .. } if code == expected), "{refused:?}");
    }
}

#[test]
fn each_login_has_its_own_host_and_only_one_is_proven() {
    let message = message(content::text("hi").kind.unwrap());
    let delivery = Delivery::new(&message, "dlv_1", "", 0);
    let url = |login: &str| Instagram.encode(&Caller::new(&account(login), 0), &delivery).unwrap().url;
    let behind_page = url("facebook");
    assert!(behind_page.starts_with("https://graph.facebook.com/v26.0/me/messages?appsecret_proof="));
    assert_eq!(url("instagram"), "https://graph.instagram.com/v26.0/me/messages");
}

#[test]
fn a_person_may_answer_when_the_window_is_closed_to_programs() {
    let mut message = message(content::text("still there?").kind.unwrap());
    message.sender = Some(Sender { kind: SenderKind::Agent.into(), ..Sender::default() });
    let delivery = Delivery::new(&message, "dlv_1", "", 0);
    let closed = json!({ "error": { "code": 10, "error_subcode": 2_018_278, "message": "closed" } });
    let answer = response(StatusCode::FORBIDDEN, &closed);
    let request =
        Instagram.follow_up(&Caller::new(&account("facebook"), 0), &delivery, &answer).unwrap().unwrap();
    let body = body(&request);
    assert_eq!((&body["messaging_type"], &body["tag"]), (&json!("MESSAGE_TAG"), &json!("HUMAN_AGENT")));
}

fn response(status: StatusCode, body: &Value) -> ProviderResponse {
    ProviderResponse { status, headers: HeaderMap::new(), body: body.to_string().into(), now_ms: 0 }
}

#[test]
fn tokens_are_renewed_and_young_ones_used_as_they_are() {
    let settings = json!({ "account_id": ACCOUNT, "login": "instagram", "refresh_token": true });
    let account: Account<InstagramSettings> = raw(settings).load().unwrap();
    let source = Instagram.token(&Caller::new(&account, 0)).unwrap();
    let expected =
        "https://graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token&access_token=";
    assert!(source.request.url.starts_with(expected));
    let read = |status: StatusCode, body: &Value| Instagram.read_token(&account, &response(status, body));

    let renewed = json!({ "access_token": "IGAAnew", "token_type": "bearer", "expires_in": 5_183_944 });
    let granted = read(StatusCode::OK, &renewed).unwrap();
    assert_eq!((granted.token.expose_secret(), granted.expires_in.as_secs()), ("IGAAnew", 5_183_944));
    let young = json!({ "error": { "code": 100, "message": "The token is not old enough" } });
    let granted = read(StatusCode::BAD_REQUEST, &young).unwrap();
    assert_eq!(granted.token.expose_secret(), "IGAAmadeupinstagramtoken0001");
    let over = json!({ "error": { "code": 190, "message": "The session has expired" } });
    let refused = read(StatusCode::BAD_REQUEST, &over).unwrap_err();
    assert!(matches!(refused, Outcome::Auth { token_expired: false, .. }), "{refused:?}");
    let away = read(StatusCode::BAD_GATEWAY, &Value::Null).unwrap_err();
    assert!(matches!(away, Outcome::Retry { .. }), "{away:?}");
    let odd = read(StatusCode::OK, &json!({})).unwrap_err();
    assert!(matches!(odd, Outcome::Retry { .. }), "{odd:?}");

    let plain = raw(json!({ "account_id": ACCOUNT, "login": "instagram" })).load().unwrap();
    assert!(Instagram.token(&Caller::new(&plain, 0)).is_none());
}
