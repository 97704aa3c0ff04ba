//! Content at random, within what the account declares.

use heliograph_proto::{
    Timestamp,
    v1::{
        Answer, Card, Carousel, Choice, ContactCard, ContactPoint, ListMenu, ListSection, Location, Media,
        MediaKind, MessageReference, Money, Option as Offered, Reaction, Template, TemplateComponent,
        TemplateParameter, content::Kind, option::Action, template_parameter::Value as Filling,
    },
};
use proptest::{collection::vec, option, prelude::*};

/// Text of `1..=most` characters of all sorts.
fn text(most: usize) -> impl Strategy<Value = String> {
    let letters =
        proptest::char::ranges(vec!['!'..='~', 'à'..='ÿ', 'あ'..='ん', '一'..='龠', '😀'..='🙏'].into());
    vec(letters, 1..=most).prop_map(String::from_iter)
}

fn maybe(most: usize) -> impl Strategy<Value = String> {
    option::of(text(most)).prop_map(Option::unwrap_or_default)
}

fn url() -> impl Strategy<Value = String> {
    "https://media\\.example\\.com/[a-z]{1,12}(/[a-z0-9]{1,8}){0,3}\\.png"
}

fn media(kinds: &'static [MediaKind]) -> impl Strategy<Value = Media> {
    (proptest::sample::select(kinds), any::<bool>(), url(), maybe(200), any::<bool>()).prop_map(
        |(kind, uploaded, url, caption, voice)| Media {
            kind: kind.into(),
            provider_media_id: if uploaded { "1003383421387256".to_owned() } else { String::new() },
            url: if uploaded { String::new() } else { url },
            file_name: if kind == MediaKind::File { "a.pdf".to_owned() } else { String::new() },
            caption: if matches!(kind, MediaKind::Audio | MediaKind::Sticker) {
                String::new()
            } else {
                caption
            },
            voice_note: voice && kind == MediaKind::Audio,
            ..Media::default()
        },
    )
}

const HEADERS: &[MediaKind] = &[MediaKind::Image, MediaKind::Video, MediaKind::File];
const ALL: &[MediaKind] =
    &[MediaKind::Image, MediaKind::Video, MediaKind::File, MediaKind::Audio, MediaKind::Sticker];

fn header() -> impl Strategy<Value = Option<Media>> {
    option::of(media(HEADERS)).prop_map(|media| media.map(|media| Media { caption: String::new(), ..media }))
}

/// Answers with ids and titles of their own.
fn answers(most: usize, title: usize) -> impl Strategy<Value = Vec<Offered>> {
    vec((text(title - 2), text(10), maybe(20), maybe(72)), 1..=most).prop_map(|options| {
        let option =
            |(index, (title, id, payload, description)): (usize, (String, String, String, String))| {
                let action = (!payload.is_empty()).then_some(Action::Answer(Answer { payload }));
                Offered {
                    id: format!("{id}{index}"),
                    title: format!("{title}{index}"),
                    description,
                    action,
                    ..Offered::default()
                }
            };
        options.into_iter().enumerate().map(option).collect()
    })
}

fn link() -> impl Strategy<Value = Vec<Offered>> {
    (text(20), url()).prop_map(|(title, url)| {
        vec![Offered { id: "link".to_owned(), title, action: Some(Action::Url(url)), ..Offered::default() }]
    })
}

fn without_description(options: Vec<Offered>) -> Vec<Offered> {
    options.into_iter().map(|option| Offered { description: String::new(), ..option }).collect()
}

fn buttons() -> impl Strategy<Value = Vec<Offered>> {
    prop_oneof![answers(3, 20).prop_map(without_description), link()]
}

fn choice() -> impl Strategy<Value = Choice> {
    (text(900), buttons(), header(), maybe(60)).prop_map(|(body, options, header, footer)| Choice {
        body,
        options,
        header,
        footer,
        ..Choice::default()
    })
}

fn list() -> impl Strategy<Value = ListMenu> {
    let sections = (answers(10, 24), text(24), text(24)).prop_map(|(mut options, first, second)| {
        let rest = options.split_off(options.len().div_ceil(2));
        let mut sections = vec![ListSection { title: first, options }];
        if !rest.is_empty() {
            sections.push(ListSection { title: second, options: rest });
        }
        sections
    });
    (text(900), text(20), sections, maybe(60), maybe(60)).prop_map(
        |(body, button, sections, header, footer)| ListMenu { body, button, sections, header, footer },
    )
}

fn card() -> impl Strategy<Value = Card> {
    let picture = option::of(media(&[MediaKind::Image, MediaKind::Video]));
    (text(50), text(97), picture, buttons()).prop_map(|(title, body, media, options)| Card {
        title,
        body,
        media: media.map(|media| Media { caption: String::new(), ..media }),
        options,
        ..Card::default()
    })
}

fn contact() -> impl Strategy<Value = ContactCard> {
    let phone = ("\\+[1-9][0-9]{6,13}", proptest::sample::select(vec!["work", "home"]));
    let phones = vec(phone, 1..=3);
    (text(30), text(20), maybe(20), maybe(30), phones).prop_map(|(name, given, family, company, phones)| {
        let point = |(value, label): (String, &str)| ContactPoint { value, label: label.to_owned() };
        ContactCard {
            formatted_name: name,
            given_name: given,
            family_name: family,
            organization: company,
            phones: phones.into_iter().map(point).collect(),
            birthday: "1990-02-03".to_owned(),
            ..ContactCard::default()
        }
    })
}

fn filling() -> impl Strategy<Value = Filling> {
    prop_oneof![
        text(60).prop_map(Filling::Text),
        (0..1_000_000_i64, 0..1000_i32).prop_map(|(units, thousandths)| {
            Filling::Money(Money { currency: "EUR".to_owned(), units, nanos: thousandths * 1_000_000 })
        }),
        (0..4_000_000_000_i64).prop_map(|seconds| Filling::Time(Timestamp { seconds, nanos: 0 })),
    ]
}

fn template() -> impl Strategy<Value = Template> {
    let fill = |value| TemplateParameter { name: String::new(), value: Some(value) };
    (vec(filling(), 1..=4), media(HEADERS), text(30)).prop_map(move |(body, media, payload)| {
        let component =
            |part: &str, parameters| TemplateComponent { part: part.to_owned(), index: 0, parameters };
        let media = Media { caption: String::new(), ..media };
        Template {
            name: "order_update".to_owned(),
            language: "en-US".to_owned(),
            components: vec![
                component("header", vec![fill(Filling::Media(media))]),
                component("body", body.into_iter().map(fill).collect()),
                component("button", vec![fill(Filling::Payload(payload))]),
            ],
            ..Template::default()
        }
    })
}

/// Every kind the account shows.
pub(crate) fn kind() -> impl Strategy<Value = Kind> {
    let degrees = |most: i32| (-most * 1_000_000..=most * 1_000_000).prop_map(|point| f64::from(point) / 1e6);
    let location =
        (degrees(90), degrees(180), maybe(50), maybe(50)).prop_map(|(latitude, longitude, name, address)| {
            Kind::Location(Location { latitude, longitude, name, address, ..Location::default() })
        });
    let reaction = proptest::sample::select(vec!["👍", "❤️", ""]).prop_map(|emoji| {
        let target =
            MessageReference { provider_message_id: "wamid.1".to_owned(), ..MessageReference::default() };
        Kind::Reaction(Reaction { target: Some(target), emoji: emoji.to_owned() })
    });
    let carousel =
        (text(300), vec(card(), 2..=10)).prop_map(|(body, cards)| Kind::Carousel(Carousel { cards, body }));
    prop_oneof![
        text(2000).prop_map(|body| heliograph_domain::content::text(body).kind.unwrap()),
        media(ALL).prop_map(Kind::Media),
        location,
        contact().prop_map(Kind::ContactCard),
        choice().prop_map(Kind::Choice),
        list().prop_map(Kind::List),
        card().prop_map(Kind::Card),
        carousel,
        template().prop_map(Kind::Template),
        reaction,
    ]
}
