//! Content at random, within what the account declares.

use heliograph_channel::{Account, Body, Caller, Delivery, Provider};
use heliograph_channel_line::{Line, LineSettings};
use heliograph_proto::v1::{
    Address, Answer, AskLocation, Card, Carousel, Choice, Content, ListMenu, ListSection, Location, Media,
    MediaKind, Message, Option as Choosable, Sender, content::Kind, option::Action,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;

use crate::support::USER;

/// Text of `1..=most` characters of all sorts, none of them a control character.
fn text(most: usize) -> impl Strategy<Value = String> {
    let letters =
        proptest::char::ranges(vec!['!'..='~', 'à'..='ÿ', 'あ'..='ん', '一'..='龠', '😀'..='🙏'].into());
    vec(letters, 1..=most).prop_map(String::from_iter)
}

fn url() -> impl Strategy<Value = String> {
    "[a-z]{1,12}(/[a-z0-9]{1,8}){0,3}\\.(png|mp4)"
        .prop_map(|path| format!("https://media.example.com/{path}"))
}

fn media_of(kind: MediaKind) -> impl Strategy<Value = Media> {
    (url(), url(), 1..10_000_000_i64).prop_map(move |(url, thumbnail_url, duration_ms)| Media {
        kind: kind.into(),
        url,
        thumbnail_url: if kind == MediaKind::Audio { String::new() } else { thumbnail_url },
        duration_ms: if kind == MediaKind::Audio { duration_ms } else { 0 },
        ..Media::default()
    })
}

fn sticker() -> impl Strategy<Value = Media> {
    (1..20_000_u32, 1..90_000_000_u32).prop_map(|(package, id)| Media {
        kind: MediaKind::Sticker.into(),
        provider_media_id: format!("{package}/{id}"),
        ..Media::default()
    })
}

fn medium() -> impl Strategy<Value = Media> {
    let kind = prop_oneof![
        media_of(MediaKind::Image),
        media_of(MediaKind::Video),
        media_of(MediaKind::Audio),
        sticker(),
    ];
    (kind, option::of(text(300)))
        .prop_map(|(media, caption)| Media { caption: caption.unwrap_or_default(), ..media })
}

/// Options with ids of their own. LINE's own page stands in for the question where somebody is, on buttons.
fn options(most: usize, ask: bool) -> impl Strategy<Value = Vec<Choosable>> {
    let action = prop_oneof![
        2 => Just(None),
        4 => text(120).prop_map(|payload| Some(Action::Answer(Answer { payload }))),
        1 => url().prop_map(|url| Some(Action::Url(url))),
        1 => "\\+[1-9][0-9]{6,13}".prop_map(|phone| Some(Action::Phone(phone))),
        1 => Just(ask.then_some(Action::AskLocation(AskLocation {}))),
    ];
    vec((text(20), text(20), action), 1..=most).prop_map(|options| {
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

fn choice() -> impl Strategy<Value = Choice> {
    let picture = option::of(media_of(MediaKind::Image));
    (text(400), options(13, true), picture, any::<bool>()).prop_map(|(body, options, header, one_time)| {
        Choice {
            body,
            options,
            header: header.map(|media| Media { thumbnail_url: String::new(), ..media }),
            one_time,
            ..Choice::default()
        }
    })
}

fn list() -> impl Strategy<Value = ListMenu> {
    let section = (text(30), options(4, false)).prop_map(|(title, options)| ListSection { title, options });
    (text(300), text(30), vec(section, 1..=4), text(30)).prop_map(|(body, header, sections, footer)| {
        ListMenu { body, header, sections, footer, ..ListMenu::default() }
    })
}

fn card() -> impl Strategy<Value = Card> {
    let picture = option::of(media_of(MediaKind::Image));
    (text(60), text(300), picture, options(4, false), option::of(url())).prop_map(
        |(title, body, media, options, url)| Card {
            title,
            body,
            media: media.map(|media| Media { thumbnail_url: String::new(), ..media }),
            options,
            url: url.unwrap_or_default(),
        },
    )
}

/// Every kind the account shows.
pub(crate) fn kind() -> impl Strategy<Value = Kind> {
    // In microdegrees: reading JSON may be off by the last of 53 bits.
    let degrees = |most: i32| (-most * 1_000_000..=most * 1_000_000).prop_map(|micro| f64::from(micro) / 1e6);
    let location =
        (degrees(90), degrees(180), text(50), text(50)).prop_map(|(latitude, longitude, name, address)| {
            Kind::Location(Location { latitude, longitude, name, address, ..Location::default() })
        });
    let carousel = (option::of(text(300)), vec(card(), 1..=10))
        .prop_map(|(body, cards)| Kind::Carousel(Carousel { cards, body: body.unwrap_or_default() }));
    prop_oneof![
        text(2500).prop_map(|body| heliograph_domain::content::text(body).kind.unwrap()),
        medium().prop_map(Kind::Media),
        location,
        choice().prop_map(Kind::Choice),
        list().prop_map(Kind::List),
        card().prop_map(Kind::Card),
        carousel,
    ]
}

/// A message of an agent with this content.
pub(crate) fn message(kind: Kind) -> Message {
    Message {
        id: "msg_0123456789abcdefghjkmnpqrs".to_owned(),
        content: Some(Content { kind: Some(kind) }),
        sender: Some(Sender {
            display_name: "Ana 🙂 of the shop in Osaka".to_owned(), ..Sender::default()
        }),
        address: Some(Address { user_id: USER.to_owned(), ..Address::default() }),
        ..Message::default()
    }
}

/// What LINE is sent for it.
pub(crate) fn pushed(account: &Account<LineSettings>, message: &Message) -> Value {
    let correlation = "msg_0123456789abcdefghjkmnpqrs.cnv_0123456789abcdefghjkmnpqrs.japan";
    let request =
        Line.encode(&Caller::new(account, 0), &Delivery::new(message, "dlv_1", correlation, 0)).unwrap();
    let Body::Json(body) = request.body else { panic!("not JSON") };
    serde_json::from_slice(&body).unwrap()
}
