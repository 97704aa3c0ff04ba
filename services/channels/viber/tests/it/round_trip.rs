//! What is encoded is what was said, within Viber's limits; and what its customers answer comes back as what was asked.

use heliograph_channel::{Webhook as _, WebhookRequest};
use heliograph_channel_viber::{Viber, sign};
use heliograph_domain::content::options;
use heliograph_proto::v1::{
    Answer, Card, Carousel, Choice, ContactCard, ContactPoint, Location, Media, MediaKind, Message,
    Option as Button, Selection, Text, content::Kind, inbound_event, option::Action,
};
use proptest::{option, prelude::*};
use serde_json::{Value, json};

use crate::support::{NOW_MS, TOKEN, account, body, encode, follow_up, message};

fn words(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec("[a-zé👋你<>& \n]", 0..most / 2).prop_map(|all| format!("x{}", all.concat()))
}

fn buttons(most: usize) -> impl Strategy<Value = Vec<Button>> {
    let one = (words(20), option::of("[a-z&=é ]{1,20}"), any::<bool>());
    proptest::collection::vec(one, 0..=most).prop_map(|all| {
        let button = |(index, (title, payload, url)): (usize, (String, Option<String>, bool))| {
            let action = match payload {
                Some(payload) if !url => Some(Action::Answer(Answer { payload })),
                _ => url.then(|| Action::Url("https://example.com/?a=1&b=2".to_owned())),
            };
            // Titles differ, as those of one question do.
            let title = format!("{index} {title}");
            Button { id: format!("o&{index}"), title, action, ..Button::default() }
        };
        all.into_iter().enumerate().map(button).collect()
    })
}

fn picture() -> impl Strategy<Value = Option<Media>> {
    option::of(Just(Media {
        kind: MediaKind::Image.into(),
        url: "https://media.example.com/a.png".to_owned(),
        content_type: "image/png".to_owned(),
        size_bytes: 1000,
        ..Media::default()
    }))
}

fn card() -> impl Strategy<Value = Card> {
    ("[a-z&]{1,30}", "[a-z<]{0,40}", picture(), buttons(2)).prop_map(|(title, body, media, options)| Card {
        title,
        body,
        media,
        options,
        ..Card::default()
    })
}

fn messages() -> impl Strategy<Value = Message> {
    let kinds = prop_oneof![
        Just((MediaKind::Image, "image/png")),
        Just((MediaKind::Video, "video/mp4")),
        Just((MediaKind::Audio, "audio/ogg")),
        Just((MediaKind::File, "text/csv")),
    ];
    let media = (kinds, words(100), 0..60_000_000_i64, 0..400_000_i64).prop_map(
        |((kind, content_type), caption, size, duration_ms)| {
            Kind::Media(Media {
                kind: kind.into(),
                url: "https://media.example.com/a.bin".to_owned(),
                content_type: content_type.to_owned(),
                size_bytes: size.min(52_428_800),
                caption,
                duration_ms,
                ..Media::default()
            })
        },
    );
    // As many digits as positions have: more are lost on their way through JSON.
    let degrees = |most: i32| (-most * 10_000..=most * 10_000).prop_map(|n| f64::from(n) / 10_000.0);
    let place = (degrees(90), degrees(180), option::of(words(20))).prop_map(|(latitude, longitude, name)| {
        let name = name.unwrap_or_default();
        Kind::Location(Location { latitude, longitude, name, ..Location::default() })
    });
    let contact = (words(20), option::of("\\+[1-9][0-9]{6,14}")).prop_map(|(name, phone)| {
        let phones =
            phone.map(|value| ContactPoint { value, ..ContactPoint::default() }).into_iter().collect();
        Kind::ContactCard(ContactCard { formatted_name: name, phones, ..ContactCard::default() })
    });
    let choice =
        (words(100), words(20), picture(), buttons(24)).prop_map(|(body, footer, header, options)| {
            Kind::Choice(Choice { body, footer, header, options, ..Choice::default() })
        });
    let cards = proptest::collection::vec(card(), 1..=6)
        .prop_map(|cards| Kind::Carousel(Carousel { cards, ..Carousel::default() }));
    prop_oneof![
        words(200).prop_map(|body| Kind::Text(Text { body, ..Text::default() })),
        media,
        place,
        contact,
        choice,
        card().prop_map(Kind::Card),
        cards,
    ]
    .prop_map(message)
}

/// The rules of Viber's documents.
fn valid(sent: &Value) -> Result<(), TestCaseError> {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    prop_assert!(sent.to_string().len() <= 30 * 1024);
    prop_assert_eq!(&sent["receiver"], "01234567890A=");
    prop_assert!((1..=28).contains(&length(&sent["sender"]["name"])));
    prop_assert!(length(&sent["tracking_data"]) <= 4000);
    match sent["type"].as_str().unwrap() {
        "text" => prop_assert!((1..=7000).contains(&length(&sent["text"]))),
        "picture" => prop_assert!(
            length(&sent["text"]) <= 768 && sent["media"].is_string() && sent["text"].is_string()
        ),
        "video" => {
            prop_assert!((1..=27_262_976).contains(&sent["size"].as_i64().unwrap()));
            prop_assert!(sent["duration"].as_i64().unwrap_or(0) <= 180);
        }
        "file" => {
            prop_assert!((1..=52_428_800).contains(&sent["size"].as_i64().unwrap()));
            prop_assert!((1..=256).contains(&length(&sent["file_name"])));
        }
        "contact" => {
            prop_assert!((1..=28).contains(&length(&sent["contact"]["name"])));
            prop_assert!((1..=18).contains(&length(&sent["contact"]["phone_number"])));
        }
        "location" => prop_assert!(sent["location"]["lat"].is_f64() && sent["location"]["lon"].is_f64()),
        "rich_media" => {
            let group = &sent["rich_media"];
            let (columns, rows) =
                (group["ButtonsGroupColumns"].as_u64().unwrap(), group["ButtonsGroupRows"].as_u64().unwrap());
            prop_assert!(columns <= 6 && rows <= 7 && sent["min_api_version"].as_u64().unwrap() >= 7);
            let all: u64 = group["Buttons"].as_array().unwrap().iter().map(area).sum();
            prop_assert!(
                all.is_multiple_of(columns * rows) && (1..=6).contains(&(all / (columns * rows))),
                "{all}"
            );
        }
        other => prop_assert!(false, "there is no type {}", other),
    }
    if let Some(keyboard) = sent.get("keyboard") {
        let all: u64 = keyboard["Buttons"].as_array().unwrap().iter().map(area).sum();
        prop_assert!(all.div_ceil(6) <= 12);
        prop_assert_eq!(&keyboard["Type"], "keyboard");
    }
    Ok(())
}

fn area(button: &Value) -> u64 {
    assert!(["reply", "open-url", "none"].contains(&button["ActionType"].as_str().unwrap()));
    assert!(button["Text"].as_str().unwrap_or_default().chars().count() <= 250);
    button["Columns"].as_u64().unwrap() * button["Rows"].as_u64().unwrap()
}

/// The customer says `text`, and their app hands `tracking_data` back.
fn answered(text: &str, tracking_data: &Value) -> Option<Selection> {
    let body = json!({
        "event": "message", "timestamp": NOW_MS, "message_token": 5, "sender": { "id": "01234567890A=" },
        "message": { "type": "text", "text": text, "tracking_data": tracking_data },
    });
    let body = body.to_string();
    let request = WebhookRequest {
        method: http::Method::POST,
        path: String::new(),
        query: String::new(),
        headers: [(
            "x-viber-content-signature".parse().unwrap(),
            sign(TOKEN, body.as_bytes()).parse().unwrap(),
        )]
        .into_iter()
        .collect(),
        body: body.into(),
        now_ms: NOW_MS,
    };
    let received = Viber.receive(&account(), &request).unwrap();
    let Some(inbound_event::Kind::Message(message)) = &received.events[0].kind else {
        panic!("not a message")
    };
    match &message.content.as_ref()?.kind {
        Some(Kind::Selection(selection)) => Some(selection.clone()),
        _ => None,
    }
}

/// Every option that answers comes back as itself, by its button and, from an app that is too old, by its number.
fn comes_back(message: &Message, sent: &Value) -> Result<(), TestCaseError> {
    let kind = message.content.as_ref().unwrap().kind.as_ref().unwrap();
    let buttons = [&sent["keyboard"]["Buttons"], &sent["rich_media"]["Buttons"]];
    let buttons: Vec<&Value> = buttons.into_iter().filter_map(Value::as_array).flatten().collect();
    let taps: Vec<&str> = buttons
        .iter()
        .filter(|button| button["ActionType"] == "reply")
        .map(|button| button["ActionBody"].as_str().unwrap())
        .collect();
    let answers: Vec<(&Button, &str)> = options(kind)
        .into_iter()
        .filter_map(|option| match &option.action {
            Some(Action::Answer(answer)) => Some((option, answer.payload.as_str())),
            None => Some((option, "")),
            _ => None,
        })
        .collect();
    prop_assert_eq!(taps.len(), answers.len());
    let simple = follow_up(message, &json!({ "status": 14, "status_message": "incompatibleWithVersion" }));
    let simple = simple.map(|request| body(&request.unwrap()));
    for (index, (option, payload)) in answers.iter().enumerate() {
        let tapped = answered(taps[index], &sent["tracking_data"]).unwrap();
        prop_assert_eq!(
            (&tapped.option_id, tapped.payload.as_str(), tapped.typed),
            (&option.id, *payload, false)
        );
        let simple = simple.as_ref().unwrap();
        let numbered = format!("{}. {}", index + 1, option.title);
        let shown = simple["text"].as_str().unwrap().contains(&numbered);
        prop_assert!(shown, "{} is not shown", numbered);
        if let Some(typed) = answered(&(index + 1).to_string(), &simple["tracking_data"]) {
            prop_assert!(typed.typed);
            prop_assert_eq!(typed.payload.as_str(), *payload);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_what_was_said(message in messages()) {
        let sent = body(&encode(&message).map_err(|outcome| TestCaseError::fail(format!("{outcome:?}")))?);
        valid(&sent)?;
        match message.content.as_ref().unwrap().kind.as_ref().unwrap() {
            Kind::Text(text) => prop_assert_eq!(&sent["text"], &text.body),
            Kind::Media(media) => {
                let shown = if sent["type"] == "text" { &sent["text"] } else { &sent["media"] };
                prop_assert!(shown.as_str().unwrap().contains(&media.url));
                prop_assert!(sent["text"].as_str().unwrap_or_default().contains(&media.caption));
            }
            Kind::Location(place) if sent["type"] == "location" => {
                let point = (sent["location"]["lat"].as_f64(), sent["location"]["lon"].as_f64());
                prop_assert_eq!(point, (Some(place.latitude), Some(place.longitude)));
            }
            _ => comes_back(&message, &sent)?,
        }
    }
}

#[test]
fn a_text_is_not_sent_again_in_another_way() {
    let text = message(Kind::Text(Text { body: "hi".to_owned(), ..Text::default() }));
    assert!(follow_up(&text, &json!({ "status": 13 })).is_none());
    let choice = message(Kind::Choice(Choice { body: "Tea?".to_owned(), ..Choice::default() }));
    assert!(follow_up(&choice, &json!({ "status": 3 })).is_none());
    let simple = body(&follow_up(&choice, &json!({ "status": 13 })).unwrap().unwrap());
    assert_eq!((&simple["text"], &simple["min_api_version"]), (&json!("Tea?"), &json!(1)));
}
