//! What the provider is sent says what was to be said: read back by a decoder that knows its messages and nothing of
//! ours.

use heliograph_channel::{Caller, Delivery, Provider};
use heliograph_channel_rcs::Rcs;
use heliograph_proto::v1::{
    Address, Answer, AskLocation, Card, Carousel, Choice, Content, Location, Media, MediaKind, Message,
    Option as Choosable, content::Kind, option::Action,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json};

use crate::support::{PHONE, account, body};

fn words(most: usize) -> impl Strategy<Value = String> {
    let letters =
        proptest::char::ranges(vec!['!'..='~', 'à'..='ÿ', 'あ'..='ん', '一'..='龠', '😀'..='🙏'].into());
    vec(letters, 1..=most).prop_map(String::from_iter)
}

fn url() -> impl Strategy<Value = String> {
    "[a-z]{1,12}(/[a-z0-9]{1,8}){0,3}\\.png".prop_map(|path| format!("https://media.example.com/{path}"))
}

fn media() -> impl Strategy<Value = Media> {
    (url(), option::of("files/[a-z0-9]{4,12}")).prop_map(|(url, uploaded)| {
        let media = Media { kind: MediaKind::Image.into(), ..Media::default() };
        match uploaded {
            Some(provider_media_id) => Media { provider_media_id, ..media },
            None => Media { url, ..media },
        }
    })
}

fn options(most: usize) -> impl Strategy<Value = Vec<Choosable>> {
    let action = prop_oneof![
        2 => Just(None),
        4 => words(200).prop_map(|payload| Some(Action::Answer(Answer { payload }))),
        1 => url().prop_map(|url| Some(Action::Url(url))),
        1 => "\\+[1-9][0-9]{6,13}".prop_map(|phone| Some(Action::Phone(phone))),
        1 => Just(Some(Action::AskLocation(AskLocation {}))),
    ];
    vec((words(20), words(12), action), 0..=most).prop_map(|options| {
        let numbered = options.into_iter().enumerate();
        let option = |(index, (id, title, action)): (usize, (String, String, Option<Action>))| Choosable {
            id: format!("{index}{id}"),
            title,
            action,
            ..Choosable::default()
        };
        numbered.map(option).collect()
    })
}

fn card() -> impl Strategy<Value = Card> {
    (words(100), words(500), option::of(media()), options(4)).prop_map(|(title, body, media, options)| Card {
        title,
        body,
        media,
        options,
        url: String::new(),
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    let captioned = (media(), option::of(words(500)))
        .prop_map(|(media, caption)| Media { caption: caption.unwrap_or_default(), ..media });
    // In microdegrees: reading JSON may be off by the last of 53 bits.
    let degrees = |most: i32| (-most * 1_000_000..=most * 1_000_000).prop_map(|micro| f64::from(micro) / 1e6);
    let location = (degrees(90), degrees(180), words(50)).prop_map(|(latitude, longitude, name)| {
        Kind::Location(Location { latitude, longitude, name, ..Location::default() })
    });
    let choice = (words(500), option::of(media()), options(11)).prop_map(|(body, header, mut options)| {
        options
            .insert(0, Choosable { id: "first".to_owned(), title: "1".to_owned(), ..Choosable::default() });
        options.truncate(11);
        Kind::Choice(Choice { body, header, options, ..Choice::default() })
    });
    let carousel =
        vec(card(), 2..=10).prop_map(|cards| Kind::Carousel(Carousel { cards, body: String::new() }));
    prop_oneof![
        words(1500).prop_map(|text| heliograph_domain::content::text(text).kind.unwrap()),
        captioned.prop_map(Kind::Media),
        location,
        choice,
        card().prop_map(Kind::Card),
        carousel,
    ]
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn file(value: &Value) -> Option<Media> {
    let media = Media { kind: MediaKind::Image.into(), ..Media::default() };
    if let Some(url) = value["contentInfo"]["fileUrl"].as_str() {
        return Some(Media { url: url.to_owned(), ..media });
    }
    let name = value["uploadedRbmFile"]["fileName"].as_str()?;
    Some(Media { provider_media_id: name.to_owned(), ..media })
}

fn option(suggestion: &Value) -> Choosable {
    let (given, action) = if suggestion["reply"].is_object() {
        (&suggestion["reply"], None)
    } else {
        let given = &suggestion["action"];
        let action = if given["openUrlAction"].is_object() {
            Action::Url(text(&given["openUrlAction"]["url"]))
        } else if given["dialAction"].is_object() {
            Action::Phone(text(&given["dialAction"]["phoneNumber"]))
        } else {
            assert!(given["shareLocationAction"].is_object(), "{given}");
            Action::AskLocation(AskLocation {})
        };
        (given, Some(action))
    };
    let data = text(&given["postbackData"]);
    let [mark, message, id, _title, payload] = data.splitn(5, '|').collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((mark, message), ("hg", "msg_1"));
    Choosable {
        id: id.replace("%7C", "|").replace("%25", "%"),
        title: text(&given["text"]),
        action: Some(action.unwrap_or_else(|| Action::Answer(Answer { payload: payload.to_owned() }))),
        ..Choosable::default()
    }
}

fn read_card(content: &Value) -> Card {
    Card {
        title: text(&content["title"]),
        body: text(&content["description"]),
        media: file(&content["media"]),
        options: list(&content["suggestions"]).iter().map(option).collect(),
        url: String::new(),
    }
}

fn read(content: &Value) -> Kind {
    let below = list(&content["suggestions"]);
    let place = &below.first().unwrap_or(&Value::Null)["action"]["viewLocationAction"];
    if place.is_object() {
        return Kind::Location(Location {
            latitude: place["latLong"]["latitude"].as_f64().unwrap(),
            longitude: place["latLong"]["longitude"].as_f64().unwrap(),
            name: text(&content["text"]),
            ..Location::default()
        });
    }
    let rich = &content["richCard"];
    let carousel = list(&rich["carouselCard"]["cardContents"]);
    if !carousel.is_empty() {
        let cards = carousel.iter().map(read_card).collect();
        return Kind::Carousel(Carousel { cards, body: String::new() });
    }
    let card = rich.is_object().then(|| read_card(&rich["standaloneCard"]["cardContent"]));
    if !below.is_empty() {
        let options = below.iter().map(option).collect();
        let (body, header) = match card {
            Some(card) => (card.body, card.media),
            None => (text(&content["text"]), None),
        };
        return Kind::Choice(Choice { body, options, header, ..Choice::default() });
    }
    match card {
        Some(Card { title, body, media: Some(media), .. }) if title.is_empty() => {
            Kind::Media(Media { caption: body, ..media })
        }
        Some(card) => Kind::Card(card),
        None => match file(content) {
            Some(media) => Kind::Media(media),
            None => heliograph_domain::content::text(text(&content["text"])).kind.unwrap(),
        },
    }
}

/// An answer without a payload is an answer.
fn comparable(mut kind: Kind) -> Kind {
    let options: Vec<&mut Choosable> = match &mut kind {
        Kind::Choice(choice) => choice.options.iter_mut().collect(),
        Kind::Card(card) => card.options.iter_mut().collect(),
        Kind::Carousel(carousel) => carousel.cards.iter_mut().flat_map(|card| &mut card.options).collect(),
        _ => Vec::new(),
    };
    for option in options {
        option.action.get_or_insert(Action::Answer(Answer::default()));
    }
    kind
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_what_was_said(kind in kind()) {
        let message = Message {
            id: "msg_1".to_owned(),
            content: Some(Content { kind: Some(kind.clone()) }),
            address: Some(Address { user_id: PHONE.to_owned(), ..Address::default() }),
            ..Message::default()
        };
        let request =
            Rcs.encode(&Caller::new(&account(json!({})), 0), &Delivery::new(&message, "dlv_1", "", 0)).unwrap();
        let sent = body(&request);
        prop_assert_eq!(comparable(read(&sent["contentMessage"])), comparable(kind));
    }
}
