//! What is encoded reads as what was meant, to a reader that knows the provider's documents and nothing of the channel.

use heliograph_channel::{
    Account, Body, Caller, Delivery, Outcome, Provider as _, ProviderRequest, ProviderResponse, Upload,
};
use heliograph_channel_messenger::{Messenger, MessengerSettings};
use heliograph_domain::content;
use heliograph_proto::v1::{
    Answer, Card, Carousel, Choice, Content, Media, MediaKind, Message, MessageReference, Option as Offered,
    Reaction, Sender, SenderKind, SignalRequest, Typing, content::Kind, option::Action,
    signal_request::Signal,
};
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::conformance::{PAGE, raw};

fn account() -> Account<MessengerSettings> {
    raw(json!({ "page_id": PAGE, "human_agent": true })).load().unwrap()
}

fn message(kind: Kind) -> Message {
    let address = heliograph_proto::v1::Address { user_id: "1254".to_owned(), ..Default::default() };
    let content = Some(Content { kind: Some(kind) });
    Message { content, address: Some(address), ..Message::default() }
}

fn encoded(message: &Message) -> Result<ProviderRequest, Outcome> {
    Messenger.encode(&Caller::new(&account(), 0), &Delivery::new(message, "dlv_1", "corr", 0))
}

fn body(request: &ProviderRequest) -> Value {
    let Body::Json(body) = &request.body else { panic!("not JSON") };
    serde_json::from_slice(body).unwrap()
}

/// Reads a request of the Send API as the provider's documents describe it.
fn decode(body: &Value) -> Kind {
    assert_eq!(body["recipient"], json!({ "id": "1254" }));
    if let Some(action) = body["sender_action"].as_str() {
        assert!(body["message"].is_null(), "an action and a message are two requests");
        let emoji = match action {
            "react" => body["payload"]["reaction"].as_str().unwrap(),
            other => {
                assert_eq!(other, "unreact");
                ""
            }
        };
        let target = body["payload"]["message_id"].as_str().unwrap();
        return Kind::Reaction(Reaction { target: reference(target), emoji: emoji.to_owned() });
    }
    assert_eq!(body["messaging_type"], "RESPONSE");
    let message = &body["message"];
    assert_eq!(message["metadata"], "corr");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if message["quick_replies"].is_array() {
        let options = message["quick_replies"].as_array().unwrap().iter().map(|reply| {
            assert_eq!(reply["content_type"], "text");
            option(&reply["title"], &reply["payload"])
        });
        let options = options.collect();
        return Kind::Choice(Choice { body: text(&message["text"]), options, ..Choice::default() });
    }
    if message["text"].is_string() {
        return content::text(text(&message["text"])).kind.unwrap();
    }
    let attachment = &message["attachment"];
    let payload = &attachment["payload"];
    let kind = match attachment["type"].as_str().unwrap() {
        "image" => MediaKind::Image,
        "audio" => MediaKind::Audio,
        "video" => MediaKind::Video,
        "file" => MediaKind::File,
        other => {
            assert_eq!((other, &payload["template_type"]), ("template", &json!("generic")));
            let cards: Vec<Card> = payload["elements"].as_array().unwrap().iter().map(card).collect();
            return match cards.as_slice() {
                [only] => Kind::Card(only.clone()),
                _ => Kind::Carousel(Carousel { cards, ..Carousel::default() }),
            };
        }
    };
    Kind::Media(Media {
        kind: kind.into(),
        url: text(&payload["url"]),
        provider_media_id: text(&payload["attachment_id"]),
        ..Media::default()
    })
}

fn card(element: &Value) -> Card {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let options = element["buttons"].as_array().into_iter().flatten().map(|button| {
        let title = &button["title"];
        match button["type"].as_str().unwrap() {
            "postback" => option(title, &button["payload"]),
            "web_url" => acts(title, Action::Url(text(&button["url"]))),
            "phone_number" => acts(title, Action::Phone(text(&button["payload"]))),
            other => panic!("no button is called {other}"),
        }
    });
    let image = text(&element["image_url"]);
    let media = (!image.is_empty()).then(|| picture(&image));
    Card {
        title: text(&element["title"]),
        body: text(&element["subtitle"]),
        media,
        options: options.collect(),
        url: text(&element["default_action"]["url"]),
    }
}

fn picture(url: &str) -> Media {
    Media { kind: MediaKind::Image.into(), url: url.to_owned(), ..Media::default() }
}

/// `hg:<length>:<id><payload>`, or the id alone.
fn option(title: &Value, payload: &Value) -> Offered {
    let carried = payload.as_str().unwrap();
    let (id, back) = match carried.strip_prefix("hg:") {
        Some(rest) => {
            let (length, rest) = rest.split_once(':').unwrap();
            rest.split_at(length.parse().unwrap())
        }
        None => (carried, ""),
    };
    let answer = (!back.is_empty()).then(|| Action::Answer(Answer { payload: back.to_owned() }));
    Offered {
        id: id.to_owned(),
        title: title.as_str().unwrap().to_owned(),
        action: answer,
        ..Offered::default()
    }
}

fn acts(title: &Value, action: Action) -> Offered {
    Offered { title: title.as_str().unwrap().to_owned(), action: Some(action), ..Offered::default() }
}

#[expect(clippy::unnecessary_wraps, reason = "as the field is that it stands in")]
fn reference(mid: &str) -> Option<MessageReference> {
    Some(MessageReference { provider_message_id: mid.to_owned(), ..MessageReference::default() })
}

fn answers(most: usize) -> impl Strategy<Value = Vec<Offered>> {
    let answer = ("[a-z:|é]{1,20}", "\\PC{1,20}", "\\PC{0,40}").prop_map(|(id, title, payload)| {
        let action = (!payload.is_empty()).then_some(Action::Answer(Answer { payload }));
        Offered { id, title, action, ..Offered::default() }
    });
    proptest::collection::vec(answer, 1..=most)
}

fn buttons() -> impl Strategy<Value = Vec<Offered>> {
    let link = ("\\PC{1,20}", "https://[a-z]{3,10}\\.example/[a-z]{0,9}").prop_map(|(title, url)| Offered {
        title,
        action: Some(Action::Url(url)),
        ..Offered::default()
    });
    let call = ("\\PC{1,20}", "\\+[0-9]{9}").prop_map(|(title, phone)| Offered {
        title,
        action: Some(Action::Phone(phone)),
        ..Offered::default()
    });
    let one = prop_oneof![answers(1).prop_map(|mut one| one.remove(0)), link, call];
    proptest::collection::vec(one, 0..=3)
}

fn cards() -> impl Strategy<Value = Card> {
    let url = "https://[a-z]{3,10}\\.example/[a-z]{0,9}";
    ("\\PC{1,80}", "\\PC{1,80}", proptest::option::of(url), buttons(), prop_oneof![Just(String::new()), url])
        .prop_map(|(title, body, image, options, url)| Card {
            title,
            body,
            media: image.as_deref().map(picture),
            options,
            url,
        })
}

fn kinds() -> impl Strategy<Value = Kind> {
    let spoken = "\\PC{0,50}[a-z]\\PC{0,1900}";
    let media = (0..4_usize, "https://[a-z]{3,10}\\.example/[a-z]{0,9}", "[0-9]{0,16}");
    let media = media.prop_map(|(kind, url, id)| {
        let kinds = [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File];
        let url = if id.is_empty() { url } else { String::new() };
        Kind::Media(Media { kind: kinds[kind].into(), url, provider_media_id: id, ..Media::default() })
    });
    prop_oneof![
        spoken.prop_map(|body| content::text(body).kind.unwrap()),
        media,
        ("[a-z]{1,9}\\PC{0,900}", answers(13)).prop_map(|(body, options)| Kind::Choice(Choice {
            body,
            options,
            ..Choice::default()
        })),
        cards().prop_map(Kind::Card),
        proptest::collection::vec(cards(), 2..=10)
            .prop_map(|cards| Kind::Carousel(Carousel { cards, ..Carousel::default() })),
        ("m_[a-z]{4}", prop_oneof![Just(String::new()), Just("👍".to_owned()), Just("❤️".to_owned())])
            .prop_map(|(mid, emoji)| Kind::Reaction(Reaction { target: reference(&mid), emoji })),
    ]
}

proptest! {
    #[test]
    fn what_is_sent_reads_as_what_was_meant(kind in kinds()) {
        let request = encoded(&message(kind.clone())).unwrap();
        prop_assert_eq!(decode(&body(&request)), kind);
    }

    #[test]
    fn what_the_provider_would_refuse_is_not_sent(length in 2001..2500_usize, many in 14..20_usize) {
        let long = content::text("é".repeat(length)).kind.unwrap();
        let option = |n: usize| Offered { id: n.to_string(), title: "x".to_owned(), ..Offered::default() };
        let options = |count: usize| (0..count).map(option).collect::<Vec<_>>();
        let asked = |body: &str, options| {
            Kind::Choice(Choice { body: body.to_owned(), options, ..Choice::default() })
        };
        let titled = |title: &str| Card { title: title.to_owned(), ..Card::default() };
        let cases = [
            (long, "text_too_long"),
            (asked("?", options(many)), "too_many_answers"),
            (asked("?", vec![Offered { title: "x".repeat(21), ..Offered::default() }]), "option_title_too_long"),
            (asked("?", vec![Offered { id: "x".repeat(1001), ..Offered::default() }]), "option_payload_too_long"),
            (Kind::Card(Card { options: options(4), ..titled("x") }), "too_many_buttons"),
            (Kind::Card(titled(&"x".repeat(81))), "card_title_too_long"),
            (Kind::Carousel(Carousel { cards: vec![Card { body: "x".to_owned(), ..titled("x") }; 11], ..Carousel::default() }), "too_many_cards"),
            (Kind::Reaction(Reaction { target: None, emoji: "👍".to_owned() }), "reaction_without_target"),
        ];
        for (kind, expected) in cases {
            let refused = encoded(&message(kind)).unwrap_err();
            prop_assert!(matches!(&refused, Outcome::Permanent { code, .. } if code == expected), "{:?}", refused);
        }
    }
}

#[test]
fn a_person_may_answer_when_the_window_is_closed_to_programs() {
    let closed = json!({ "error": { "code": 10, "error_subcode": 2_018_278, "message": "closed" } });
    let response = |body: &Value| ProviderResponse {
        status: StatusCode::FORBIDDEN,
        headers: HeaderMap::new(),
        body: body.to_string().into(),
        now_ms: 0,
    };
    let by = |kind: SenderKind| Message {
        sender: Some(Sender { kind: kind.into(), ..Sender::default() }),
        ..message(content::text("still there?").kind.unwrap())
    };
    let (account, agent, bot) = (account(), by(SenderKind::Agent), by(SenderKind::Bot));
    let follow = |account: &Account<MessengerSettings>, message: &Message, answer: &Value| {
        let delivery = Delivery::new(message, "dlv_1", "corr", 0);
        Messenger.follow_up(&Caller::new(account, 0), &delivery, &response(answer))
    };
    let request = follow(&account, &agent, &closed).unwrap().unwrap();
    let body = body(&request);
    assert_eq!((&body["messaging_type"], &body["tag"]), (&json!("MESSAGE_TAG"), &json!("HUMAN_AGENT")));
    assert_eq!(body["message"]["text"], "still there?");
    assert!(follow(&account, &bot, &closed).is_none(), "a program is none");
    let other = json!({ "error": { "code": 551, "message": "not available" } });
    assert!(follow(&account, &agent, &other).is_none(), "the window was open");
    let plain = raw(json!({ "page_id": PAGE })).load().unwrap();
    assert!(follow(&plain, &agent, &closed).is_none(), "the account may not");
}

#[test]
fn files_are_fetched_once_and_named_from_then_on() {
    let account = account();
    let file = Media {
        kind: MediaKind::Video.into(),
        url: "https://media.example.com/v".to_owned(),
        ..Media::default()
    };
    assert_eq!(Messenger.upload(&account, &file), Upload::BeforeByLink);
    let request = Messenger.encode_upload(&Caller::new(&account, 0), &file, None).unwrap();
    assert!(request.url.starts_with("https://graph.facebook.com/v26.0/me/message_attachments?"));
    let payload = json!({ "url": "https://media.example.com/v", "is_reusable": true });
    let expected = json!({ "message": { "attachment": { "type": "video", "payload": payload } } });
    assert_eq!(body(&request), expected);
    let answer = |status: StatusCode, body: &Value| ProviderResponse {
        status,
        headers: HeaderMap::new(),
        body: body.to_string().into(),
        now_ms: 0,
    };
    let granted = Messenger
        .read_upload(&account, &answer(StatusCode::OK, &json!({ "attachment_id": "1745" })))
        .unwrap();
    assert_eq!((granted.provider_media_id.as_str(), granted.expires_in.as_secs()), ("1745", 30 * 86_400));
    let nothing = Messenger.read_upload(&account, &answer(StatusCode::OK, &json!({})));
    assert!(matches!(nothing, Err(Outcome::Retry { .. })), "{nothing:?}");
    let error = json!({ "error": { "code": 100, "error_subcode": 2_018_074, "message": "Invalid" } });
    let stale = answer(StatusCode::BAD_REQUEST, &error);
    assert!(Messenger.is_stale_upload(&account, &stale));
    assert!(matches!(Messenger.read_upload(&account, &stale), Err(Outcome::Permanent { .. })));
    let unkept = raw(json!({ "page_id": PAGE, "attachment_days": 0 })).load().unwrap();
    assert_eq!(Messenger.upload(&unkept, &file), Upload::Never);
}

#[test]
fn signals_are_actions_and_may_be_repeated() {
    let address = Some(heliograph_proto::v1::Address { user_id: "1254".to_owned(), ..Default::default() });
    for (signal, action) in [
        (Signal::Typing(Typing { on: true }), "typing_on"),
        (Signal::Typing(Typing { on: false }), "typing_off"),
        (Signal::ReadMark(heliograph_proto::v1::ReadMark::default()), "mark_seen"),
    ] {
        let signal = SignalRequest { address: address.clone(), signal: Some(signal), ..Default::default() };
        let request = Messenger.encode_signal(&Caller::new(&account(), 0), &signal).unwrap();
        assert_eq!(body(&request), json!({ "recipient": { "id": "1254" }, "sender_action": action }));
        assert!(Messenger.is_idempotent(&account(), &request));
    }
    let said = encoded(&message(content::text("hi").kind.unwrap())).unwrap();
    assert!(!Messenger.is_idempotent(&account(), &said));
}
