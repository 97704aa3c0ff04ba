//! What LINE is sent says what was to be said: read back by a decoder that knows LINE's objects and nothing of ours.

use heliograph_proto::v1::{
    Answer, AskLocation, Card, Carousel, Choice, ListMenu, ListSection, Location, Media, MediaKind,
    Option as Choosable, content::Kind, option::Action,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::{
    random::{kind, message, pushed},
    support::whole,
};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn option(action: &Value) -> Choosable {
    let uri = text(&action["uri"]);
    let (id, does) = match action["type"].as_str().unwrap() {
        "postback" => {
            let data = text(&action["data"]);
            let [mark, message, id, _title, payload] =
                data.splitn(5, '|').collect::<Vec<_>>().try_into().unwrap();
            assert_eq!((mark, message), ("hg", "msg_0123456789abcdefghjkmnpqrs"));
            let id = id.replace("%7C", "|").replace("%25", "%");
            (id, Some(Action::Answer(Answer { payload: payload.to_owned() })))
        }
        "location" => (String::new(), Some(Action::AskLocation(AskLocation {}))),
        "uri" if uri.starts_with("tel:") => (String::new(), Some(Action::Phone(uri.replacen("tel:", "", 1)))),
        "uri" => (String::new(), Some(Action::Url(uri))),
        other => panic!("an action {other}"),
    };
    Choosable { id, title: text(&action["label"]), action: does, ..Choosable::default() }
}

fn picture(url: &Value) -> Option<Media> {
    url.as_str().map(|url| Media { kind: MediaKind::Image.into(), url: url.to_owned(), ..Media::default() })
}

fn card(bubble: &Value) -> Card {
    let texts = list(&bubble["body"]["contents"]);
    let of_weight = |weight: &str| {
        texts.iter().find(|part| part["weight"] == weight).map(|part| text(&part["text"])).unwrap_or_default()
    };
    Card {
        title: of_weight("bold"),
        body: of_weight("regular"),
        media: picture(&bubble["hero"]["url"]),
        options: list(&bubble["footer"]["contents"]).iter().map(|button| option(&button["action"])).collect(),
        url: text(&bubble["action"]["uri"]),
    }
}

fn menu(bubble: &Value) -> ListMenu {
    let mut menu = ListMenu { footer: text(&bubble["footer"]["contents"][0]["text"]), ..ListMenu::default() };
    for row in list(&bubble["body"]["contents"]) {
        let words = text(&row["text"]);
        match (row["size"].as_str(), row["weight"].as_str()) {
            (Some("xl"), _) => menu.header = words,
            (Some("md"), _) => menu.body = words,
            (Some("sm"), Some("bold")) => {
                menu.sections.push(ListSection { title: words, options: Vec::new() });
            }
            _ => menu.sections.last_mut().unwrap().options.push(option(&row["action"])),
        }
    }
    menu
}

fn media(message: &Value, caption: String) -> Media {
    let kind = match message["type"].as_str().unwrap() {
        "image" => MediaKind::Image,
        "video" => MediaKind::Video,
        "audio" => MediaKind::Audio,
        _ => MediaKind::Sticker,
    };
    let sticker = kind == MediaKind::Sticker;
    Media {
        kind: kind.into(),
        url: text(&message["originalContentUrl"]),
        thumbnail_url: text(&message["previewImageUrl"]),
        duration_ms: message["duration"].as_i64().unwrap_or_default(),
        provider_media_id: if sticker {
            format!("{}/{}", text(&message["packageId"]), text(&message["stickerId"]))
        } else {
            String::new()
        },
        caption,
        ..Media::default()
    }
}

/// What a customer sees.
fn read(messages: &[Value]) -> Kind {
    let last = messages.last().unwrap();
    let header = (messages.len() > 1).then(|| &messages[0]);
    let choice = |body: &Value, actions: Vec<&Value>, header, one_time| {
        let options = actions.into_iter().map(option).collect();
        Kind::Choice(Choice { body: text(body), options, header, one_time, ..Choice::default() })
    };
    match last["type"].as_str().unwrap() {
        "text" if !last["quickReply"].is_null() => {
            let actions = list(&last["quickReply"]["items"]).iter().map(|item| &item["action"]).collect();
            let header = header.and_then(|message| picture(&message["originalContentUrl"]));
            choice(&last["text"], actions, header, true)
        }
        "text" => match header {
            Some(message) => Kind::Media(media(message, text(&last["text"]))),
            None => heliograph_domain::content::text(text(&last["text"])).kind.unwrap(),
        },
        "template" => {
            let template = &last["template"];
            let actions = list(&template["actions"]).iter().collect();
            choice(&template["text"], actions, picture(&template["thumbnailImageUrl"]), false)
        }
        "location" => Kind::Location(Location {
            latitude: last["latitude"].as_f64().unwrap(),
            longitude: last["longitude"].as_f64().unwrap(),
            name: text(&last["title"]),
            address: text(&last["address"]),
            ..Location::default()
        }),
        "flex" if last["contents"]["type"] == "carousel" => Kind::Carousel(Carousel {
            cards: list(&last["contents"]["contents"]).iter().map(card).collect(),
            body: header.map(|message| text(&message["text"])).unwrap_or_default(),
        }),
        "flex" if list(&last["contents"]["body"]["contents"]).iter().any(|row| row["type"] == "button") => {
            Kind::List(menu(&last["contents"]))
        }
        "flex" => Kind::Card(card(&last["contents"])),
        _ => Kind::Media(media(last, String::new())),
    }
}

/// What a tap brings back is all that an answer is; links and calls bring nothing back.
fn comparable(mut kind: Kind) -> Kind {
    let options: Vec<&mut Choosable> = match &mut kind {
        Kind::Choice(choice) => {
            // Whether buttons stay depends on what fits.
            choice.one_time = false;
            choice.options.iter_mut().collect()
        }
        Kind::List(list) => list.sections.iter_mut().flat_map(|section| &mut section.options).collect(),
        Kind::Card(card) => card.options.iter_mut().collect(),
        Kind::Carousel(carousel) => carousel.cards.iter_mut().flat_map(|card| &mut card.options).collect(),
        _ => Vec::new(),
    };
    for option in options {
        match &mut option.action {
            None => option.action = Some(Action::Answer(Answer::default())),
            Some(Action::Answer(_)) => {}
            Some(_) => option.id.clear(),
        }
    }
    kind
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_what_was_said(kind in kind()) {
        let sent = pushed(&whole(), &message(kind.clone()));
        prop_assert_eq!(comparable(read(list(&sent["messages"]))), comparable(kind));
    }
}
