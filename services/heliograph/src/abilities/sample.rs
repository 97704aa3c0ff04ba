//! One message of each kind, as short as messages are.

use heliograph_domain::content::text;
use heliograph_proto::v1::{
    Answer, CallSignal, CallState, Card, Carousel, Choice, ContactCard, ContactPoint, Content, Deletion,
    Edit, ListMenu, ListSection, Location, Media, MediaKind, Option as Offered, Reaction, Template,
    content::Kind, option::Action,
};

/// Each kind with a message of it. What is said by a customer only is not among them.
pub(super) fn every_kind() -> Vec<(&'static str, Content)> {
    let all = [
        ("text", text("Hello").kind),
        ("media (image)", Some(media(MediaKind::Image, "image/jpeg"))),
        ("media (audio)", Some(media(MediaKind::Audio, "audio/mpeg"))),
        ("media (video)", Some(media(MediaKind::Video, "video/mp4"))),
        ("media (file)", Some(media(MediaKind::File, "application/pdf"))),
        (
            "location",
            Some(Kind::Location(Location { latitude: 52.5, longitude: 13.4, ..Location::default() })),
        ),
        ("contact_card", Some(Kind::ContactCard(contact()))),
        (
            "choice",
            Some(Kind::Choice(Choice {
                body: "Which?".to_owned(),
                options: options(3),
                ..Choice::default()
            })),
        ),
        ("list", Some(Kind::List(list()))),
        ("card", Some(Kind::Card(card()))),
        (
            "carousel",
            Some(Kind::Carousel(Carousel { cards: vec![card(), card(), card()], body: String::new() })),
        ),
        ("template", Some(Kind::Template(template()))),
        ("reaction", Some(Kind::Reaction(Reaction { emoji: "👍".to_owned(), ..Reaction::default() }))),
        (
            "edit",
            Some(Kind::Edit(Box::new(Edit { content: Some(Box::new(text("Hello!"))), ..Edit::default() }))),
        ),
        ("deletion", Some(Kind::Deletion(Deletion::default()))),
        (
            "call_signal",
            Some(Kind::CallSignal(CallSignal { state: CallState::Offered.into(), ..CallSignal::default() })),
        ),
    ];
    all.into_iter().map(|(name, kind)| (name, Content { kind })).collect()
}

fn media(kind: MediaKind, content_type: &str) -> Kind {
    Kind::Media(Media {
        kind: kind.into(),
        url: "https://example.com/a".to_owned(),
        content_type: content_type.to_owned(),
        size_bytes: 50_000,
        ..Media::default()
    })
}

fn contact() -> ContactCard {
    ContactCard {
        formatted_name: "Ann".to_owned(),
        given_name: "Ann".to_owned(),
        phones: vec![ContactPoint { value: "+12025550123".to_owned(), label: "work".to_owned() }],
        ..ContactCard::default()
    }
}

fn options(count: usize) -> Vec<Offered> {
    let option = |number: usize| Offered {
        id: format!("o{number}"),
        title: format!("Option {number}"),
        action: Some(Action::Answer(Answer::default())),
        ..Offered::default()
    };
    (1..=count).map(option).collect()
}

fn list() -> ListMenu {
    let section = ListSection { title: "Lamps".to_owned(), options: options(5) };
    ListMenu {
        body: "Which?".to_owned(),
        button: "Choose".to_owned(),
        sections: vec![section],
        ..ListMenu::default()
    }
}

fn card() -> Card {
    Card { title: "Lamp".to_owned(), body: "Bright".to_owned(), options: options(1), ..Card::default() }
}

fn template() -> Template {
    Template {
        name: "order_update".to_owned(),
        language: "en".to_owned(),
        rendered: "Your order is on its way".to_owned(),
        ..Template::default()
    }
}
