//! Messages drawn within the limits that the channel declares.

use heliograph_proto::{
    Timestamp,
    v1::{
        Answer, Card, Choice, ContactCard, ContactPoint, Content, Deletion, Edit, ListMenu, ListSection,
        Location, Media, MediaKind, Message, MessageReference, Option as Button, Reaction, Text, TextFormat,
        content::Kind, option::Action,
    },
};
use proptest::{option, prelude::*};

use crate::support::message;

pub(crate) fn messages() -> impl Strategy<Value = Message> {
    let user = prop_oneof![
        any::<u32>().prop_map(|id| id.to_string()),
        (1..4_000_000_000_i64, option::of(1..99_i64)).prop_map(|(id, topic)| match topic {
            Some(topic) => format!("-100{id}#{topic}"),
            None => format!("-100{id}"),
        }),
        ("[A-Za-z0-9_-]{20}", any::<u32>()).prop_map(|(business, id)| format!("{business}/{id}")),
    ];
    (contents(), user, option::of(1..999_999_i64)).prop_map(|(kind, user, reply)| {
        let reply = reply.map(|number| format!("{user}/{number}"));
        message(kind, &user, reply.as_deref())
    })
}

pub(crate) fn contents() -> impl Strategy<Value = Kind> {
    let target = || {
        (1..999_999_i64).prop_map(|number| {
            Some(MessageReference {
                provider_message_id: format!("11/{number}"),
                ..MessageReference::default()
            })
        })
    };
    let edit = (target(), prop_oneof![texts(), media(), choices()]).prop_map(|(target, kind)| {
        let kind = match kind {
            // A question under a picture is another message.
            Kind::Choice(choice) => Kind::Choice(Choice { header: None, ..choice }),
            other => other,
        };
        Kind::Edit(Box::new(Edit { target, content: Some(Box::new(Content { kind: Some(kind) })) }))
    });
    prop_oneof![
        texts(),
        media(),
        places(),
        contacts(),
        choices(),
        lists(),
        cards(),
        (target(), "👍|❤|").prop_map(|(target, emoji)| Kind::Reaction(Reaction { target, emoji })),
        target().prop_map(|target| Kind::Deletion(Deletion { target })),
        edit,
    ]
}

/// Text with something to see in it.
fn words(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec("[a-zé👋你*_`~\\[\\]<>& \n]", 0..most / 2)
        .prop_map(|all| format!("x{}", all.concat()))
}

fn texts() -> impl Strategy<Value = Kind> {
    (words(400), any::<bool>()).prop_map(|(body, markdown)| {
        let format = if markdown { TextFormat::Markdown } else { TextFormat::Plain };
        Kind::Text(Text { body, format: format.into(), ..Text::default() })
    })
}

fn media() -> impl Strategy<Value = Kind> {
    medium().prop_map(Kind::Media)
}

fn medium() -> impl Strategy<Value = Media> {
    let kinds = prop_oneof![
        Just((MediaKind::Image, "image/png")),
        Just((MediaKind::Image, "image/gif")),
        Just((MediaKind::Image, "image/tiff")),
        Just((MediaKind::Audio, "audio/ogg")),
        Just((MediaKind::Audio, "audio/mpeg")),
        Just((MediaKind::Video, "video/mp4")),
        Just((MediaKind::File, "text/csv")),
        Just((MediaKind::Sticker, "image/webp")),
    ];
    (kinds, "[A-Za-z0-9_-]{20}", words(200), 0..90_000_i64, 0..2000_i32, any::<bool>(), any::<bool>())
        .prop_map(|((kind, content_type), id, caption, duration_ms, width, voice_note, animated)| Media {
            kind: kind.into(),
            provider_media_id: id,
            content_type: content_type.to_owned(),
            caption,
            duration_ms,
            width,
            height: width / 2,
            voice_note,
            animated,
            ..Media::default()
        })
}

fn places() -> impl Strategy<Value = Kind> {
    // As many digits as positions have: more are lost on their way through JSON.
    let degrees = |most: i32| (-most * 10_000..=most * 10_000).prop_map(|n| f64::from(n) / 10_000.0);
    let point = (degrees(90), degrees(180), (0..3000).prop_map(f64::from));
    (point, option::of(words(40)), option::of(words(40)), option::of(0..99_999_i64)).prop_map(
        |((latitude, longitude, accuracy_meters), name, address, live)| {
            Kind::Location(Location {
                latitude,
                longitude,
                accuracy_meters,
                name: name.unwrap_or_default(),
                address: address.unwrap_or_default(),
                live_until: live.map(|seconds| Timestamp { seconds: 1_767_225_600 + seconds, nanos: 0 }),
                ..Location::default()
            })
        },
    )
}

fn contacts() -> impl Strategy<Value = Kind> {
    (words(30), words(30), option::of("\\+[1-9][0-9]{6,14}"), "[a-z]{3}@example\\.com").prop_map(
        |(given, family, phone, email)| {
            let point = |value| ContactPoint { value, ..ContactPoint::default() };
            Kind::ContactCard(ContactCard {
                formatted_name: format!("{given} {family}"),
                given_name: given,
                family_name: family,
                phones: phone.map(point).into_iter().collect(),
                emails: vec![point(email)],
                ..ContactCard::default()
            })
        },
    )
}

fn buttons(most: usize) -> impl Strategy<Value = Vec<Button>> {
    let one = (words(20), words(40), option::of("[a-z]{1,20}"), any::<bool>());
    proptest::collection::vec(one, 1..most).prop_map(|all| {
        let button =
            |(index, (title, description, payload, url)): (usize, (String, String, Option<String>, bool))| {
                let action = match payload {
                    Some(payload) if !url => Some(Action::Answer(Answer { payload })),
                    _ => url.then(|| Action::Url("https://example.com/".to_owned())),
                };
                Button { id: format!("option-{index}"), title, description, action, ..Button::default() }
            };
        all.into_iter().enumerate().map(button).collect()
    })
}

fn choices() -> impl Strategy<Value = Kind> {
    (words(200), words(40), option::of(medium()), buttons(8)).prop_map(|(body, footer, header, options)| {
        Kind::Choice(Choice { body, footer, header, options, ..Choice::default() })
    })
}

fn lists() -> impl Strategy<Value = Kind> {
    (words(200), option::of(words(30)), words(20), buttons(8), buttons(4)).prop_map(
        |(body, header, title, first, mut second)| {
            for option in &mut second {
                option.id.push_str("-b");
            }
            let sections = vec![
                ListSection { title, options: first },
                ListSection { options: second, ..ListSection::default() },
            ];
            let header = header.unwrap_or_default();
            Kind::List(ListMenu { body, header, sections, ..ListMenu::default() })
        },
    )
}

fn cards() -> impl Strategy<Value = Kind> {
    (words(60), words(200), option::of(medium()), any::<bool>(), buttons(4)).prop_map(
        |(title, body, media, link, options)| {
            let url = if link { "https://example.com/lamp".to_owned() } else { String::new() };
            Kind::Card(Card { title, body, media, options, url })
        },
    )
}
