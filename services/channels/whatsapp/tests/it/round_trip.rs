//! What is sent says what was meant: an independent reader of requests gets the same content back.

use heliograph_proto::{
    Timestamp,
    v1::{
        Answer, Card, Carousel, Choice, ContactCard, ContactPoint, ListMenu, ListSection, Location, Media,
        MediaKind, MessageReference, Money, Option as Offered, Reaction, Template, TemplateComponent,
        TemplateParameter, content::Kind, option::Action, template_parameter::Value as Filling,
    },
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::{
    random::kind,
    support::{CORRELATION, USER, account, message, sent},
};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The content of a request.
fn read(body: &Value) -> Kind {
    let kind = body["type"].as_str().unwrap();
    let said = &body[kind];
    match kind {
        "text" => heliograph_domain::content::text(text(&said["body"])).kind.unwrap(),
        "location" => Kind::Location(Location {
            latitude: said["latitude"].as_f64().unwrap(),
            longitude: said["longitude"].as_f64().unwrap(),
            name: text(&said["name"]),
            address: text(&said["address"]),
            ..Location::default()
        }),
        "contacts" => Kind::ContactCard(contact(&said[0])),
        "reaction" => Kind::Reaction(Reaction {
            target: Some(MessageReference {
                provider_message_id: text(&said["message_id"]),
                ..MessageReference::default()
            }),
            emoji: text(&said["emoji"]),
        }),
        "interactive" => interactive(said),
        "template" => Kind::Template(template(said)),
        _ => Kind::Media(media(body)),
    }
}

/// `{"type": "image", "image": {…}}`
fn media(holder: &Value) -> Media {
    let kind = holder["type"].as_str().unwrap();
    let said = &holder[kind];
    let kind = match kind {
        "image" => MediaKind::Image,
        "audio" => MediaKind::Audio,
        "video" => MediaKind::Video,
        "document" => MediaKind::File,
        "sticker" => MediaKind::Sticker,
        other => panic!("no medium is a {other}"),
    };
    Media {
        kind: kind.into(),
        provider_media_id: text(&said["id"]),
        url: text(&said["link"]),
        file_name: text(&said["filename"]),
        caption: text(&said["caption"]),
        voice_note: said["voice"] == true,
        ..Media::default()
    }
}

fn contact(said: &Value) -> ContactCard {
    let phone = |phone: &Value| ContactPoint {
        value: text(&phone["phone"]),
        label: text(&phone["type"]).to_lowercase(),
    };
    ContactCard {
        formatted_name: text(&said["name"]["formatted_name"]),
        given_name: text(&said["name"]["first_name"]),
        family_name: text(&said["name"]["last_name"]),
        organization: text(&said["org"]["company"]),
        phones: list(&said["phones"]).map(phone).collect(),
        birthday: text(&said["birthday"]),
        ..ContactCard::default()
    }
}

/// An id of `hg:<length>:<id><payload>`, or as it stands.
fn answer(id: &Value, title: &Value, description: &Value) -> Offered {
    let id = id.as_str().unwrap();
    let joined = id.strip_prefix("hg:").map(|rest| {
        let (length, rest) = rest.split_once(':').unwrap();
        rest.split_at(length.parse().unwrap())
    });
    let (id, payload) = joined.unwrap_or((id, ""));
    Offered {
        id: id.to_owned(),
        title: text(title),
        description: text(description),
        action: (!payload.is_empty()).then(|| Action::Answer(Answer { payload: payload.to_owned() })),
        ..Offered::default()
    }
}

fn buttons(action: &Value) -> Vec<Offered> {
    if action["name"] == "cta_url" {
        let url = text(&action["parameters"]["url"]);
        let title = text(&action["parameters"]["display_text"]);
        return vec![Offered {
            id: "link".to_owned(),
            title,
            action: Some(Action::Url(url)),
            ..Offered::default()
        }];
    }
    let button = |button: &Value| {
        let reply = &button[button["type"].as_str().unwrap()];
        answer(&reply["id"], &reply["title"], &Value::Null)
    };
    list(&action["buttons"]).map(button).collect()
}

fn interactive(said: &Value) -> Kind {
    let (action, body) = (&said["action"], text(&said["body"]["text"]));
    let header = &said["header"];
    let has_file = header.is_object() && header["type"] != "text";
    match said["type"].as_str().unwrap() {
        "list" => {
            let row = |row: &Value| answer(&row["id"], &row["title"], &row["description"]);
            let section = |section: &Value| ListSection {
                title: text(&section["title"]),
                options: list(&section["rows"]).map(row).collect(),
            };
            Kind::List(ListMenu {
                body,
                button: text(&action["button"]),
                sections: list(&action["sections"]).map(section).collect(),
                header: text(&header["text"]),
                footer: text(&said["footer"]["text"]),
            })
        }
        "carousel" => {
            let card = |card: &Value| slide(card, &text(&card["body"]["text"]));
            Kind::Carousel(Carousel { cards: list(&action["cards"]).map(card).collect(), body })
        }
        "button" | "cta_url" => Kind::Choice(Choice {
            body,
            options: buttons(action),
            header: has_file.then(|| media(header)),
            footer: text(&said["footer"]["text"]),
            ..Choice::default()
        }),
        other => panic!("nothing interactive is a {other}"),
    }
}

/// A title in bold on a line of its own, and what is below.
fn slide(said: &Value, whole: &str) -> Card {
    let (title, body) = whole.split_once('\n').unwrap();
    Card {
        title: title.strip_prefix('*').unwrap().strip_suffix('*').unwrap().to_owned(),
        body: body.to_owned(),
        media: said["header"].is_object().then(|| media(&said["header"])),
        options: buttons(&said["action"]),
        ..Card::default()
    }
}

fn template(said: &Value) -> Template {
    let filling = |parameter: &Value| match parameter["type"].as_str().unwrap() {
        "text" => Filling::Text(text(&parameter["text"])),
        "payload" => Filling::Payload(text(&parameter["payload"])),
        "currency" => {
            let thousandths = parameter["currency"]["amount_1000"].as_i64().unwrap();
            Filling::Money(Money {
                currency: text(&parameter["currency"]["code"]),
                units: thousandths / 1000,
                nanos: i32::try_from(thousandths % 1000 * 1_000_000).unwrap(),
            })
        }
        "date_time" => {
            let shown = text(&parameter["date_time"]["fallback_value"]);
            Filling::Time(Timestamp { seconds: minutes(&shown) * 60, nanos: 0 })
        }
        _ => Filling::Media(media(parameter)),
    };
    let component = |component: &Value| TemplateComponent {
        part: text(&component["type"]),
        index: text(&component["index"]).parse().unwrap_or(0),
        parameters: list(&component["parameters"])
            .map(|parameter| TemplateParameter { name: String::new(), value: Some(filling(parameter)) })
            .collect(),
    };
    Template {
        name: text(&said["name"]),
        language: text(&said["language"]["code"]).replace('_', "-"),
        components: list(&said["components"]).map(component).collect(),
        ..Template::default()
    }
}

/// `2026-11-30 12:00 UTC` as minutes since 1970.
fn minutes(shown: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| shown[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Days from civil, by March years.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    days * 1440 + number(11..13) * 60 + number(14..16)
}

/// What a reader can see of `kind`: seconds of a date are not shown, and a card of its own is a question below a title.
fn seen(kind: Kind) -> Kind {
    match kind {
        Kind::Template(mut template) => {
            for parameter in template.components.iter_mut().flat_map(|component| &mut component.parameters) {
                if let Some(Filling::Time(time)) = &mut parameter.value {
                    time.seconds -= time.seconds % 60;
                }
            }
            Kind::Template(template)
        }
        Kind::Card(card) => {
            let body =
                if card.media.is_some() { format!("*{}*\n{}", card.title, card.body) } else { card.body };
            Kind::Choice(Choice { body, options: card.options, header: card.media, ..Choice::default() })
        }
        kind => kind,
    }
}

#[test]
fn everything_sent_reads_as_it_was_meant() {
    let account = account(&json!({}));
    let outcome = TestRunner::default().run(&kind(), |kind| {
        let body = sent(&account, &message(kind.clone()));
        prop_assert_eq!(&body["recipient"], USER);
        prop_assert_eq!(&body["biz_opaque_callback_data"], CORRELATION);
        prop_assert_eq!(read(&body), seen(kind));
        Ok(())
    });
    outcome.unwrap();
}
