#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use heliograph_proto::v1::{
    AskLocation, Content, Custom, Edit, ListSection, MediaCapability, MediaKind, Template, Text,
};
use proptest::prelude::*;

use super::*;

const FAMILY: &str = "👩‍👧";

fn able() -> Capabilities {
    let content = ["text", "media", "choice", "list", "card", "carousel", "template", "edit"];
    let media = |kind: MediaKind, max_bytes, content_types: &[&str]| MediaCapability {
        kind: kind.into(),
        max_bytes,
        content_types: content_types.iter().map(|&name| name.to_owned()).collect(),
    };
    Capabilities {
        channel: "pigeon".to_owned(),
        content: content.map(str::to_owned).to_vec(),
        text_limit: 10,
        caption_limit: 5,
        choice_limit: 2,
        option_title_limit: 4,
        option_payload_limit: 6,
        option_actions: ["answer", "url"].map(str::to_owned).to_vec(),
        choice_body_limit: 8,
        list_limit: 3,
        list_body_limit: 9,
        list_title_limit: 5,
        list_section_limit: 3,
        list_header_limit: 4,
        footer_limit: 4,
        card_limit: 3,
        card_title_limit: 4,
        card_body_limit: 6,
        card_option_limit: 1,
        carousel_least: 2,
        carousel_body_limit: 7,
        media: vec![
            media(MediaKind::Image, 100, &["image/png"]),
            media(MediaKind::Image, 50, &["image/gif"]),
            media(MediaKind::Audio, 0, &[]),
        ],
        bare_media: vec![MediaKind::Audio.into()],
        ..Capabilities::default()
    }
}

fn code(kind: &Kind) -> &'static str {
    check(kind, &able()).map_or_else(|excess| excess.code, |()| "fits")
}

fn text(body: &str) -> Kind {
    Kind::Text(Text { body: body.to_owned(), ..Text::default() })
}

fn option(id: &str, title: &str) -> Offered {
    Offered { id: id.to_owned(), title: title.to_owned(), ..Offered::default() }
}

fn doing(action: Action) -> Offered {
    Offered { action: Some(action), ..option("a", "A") }
}

fn choice(body: &str, options: &[Offered]) -> Choice {
    Choice { body: body.to_owned(), options: options.to_vec(), ..Choice::default() }
}

fn list(body: &str, section: &str, options: &[Offered]) -> ListMenu {
    let section = ListSection { title: section.to_owned(), options: options.to_vec() };
    ListMenu { body: body.to_owned(), sections: vec![section], ..ListMenu::default() }
}

fn card(title: &str, body: &str, options: usize) -> Card {
    let options = vec![option("a", "A"); options];
    Card { title: title.to_owned(), body: body.to_owned(), options, ..Card::default() }
}

fn carousel(body: &str, cards: usize) -> Kind {
    Kind::Carousel(Carousel { body: body.to_owned(), cards: vec![card("A", "", 1); cards] })
}

fn media(kind: MediaKind, content_type: &str, size_bytes: i64, caption: &str) -> Media {
    let (content_type, caption) = (content_type.to_owned(), caption.to_owned());
    Media { kind: kind.into(), content_type, size_bytes, caption, ..Media::default() }
}

fn edit(kind: Option<Kind>) -> Kind {
    Kind::Edit(Box::new(Edit { content: Some(Box::new(Content { kind })), ..Edit::default() }))
}

#[test]
fn each_unit_counts_in_its_own_way() {
    let units = [TextUnit::Unspecified, TextUnit::CodePoints, TextUnit::Utf16, TextUnit::Bytes];
    assert_eq!(units.map(|unit| measure(FAMILY, unit)), [3, 3, 5, 11]);
    assert_eq!(measure(FAMILY, TextUnit::Graphemes), 1);
    assert_eq!(measure("", TextUnit::Graphemes), 0);
}

#[test]
fn a_limit_is_in_the_unit_of_the_channel() {
    let long = FAMILY.repeat(2);
    for (unit, limit) in
        [(TextUnit::CodePoints, 6), (TextUnit::Utf16, 10), (TextUnit::Bytes, 22), (TextUnit::Graphemes, 2)]
    {
        let mut able = Capabilities { text_unit: unit.into(), text_limit: limit, ..able() };
        assert_eq!(check(&text(&long), &able), Ok(()), "{unit:?}");
        able.text_limit -= 1;
        assert_eq!(check(&text(&long), &able).unwrap_err().code, "text_too_long", "{unit:?}");
    }
    let able = Capabilities { option_unit: TextUnit::Graphemes.into(), ..able() };
    let option = option("a", &FAMILY.repeat(4));
    assert_eq!(check(&Kind::Choice(choice("?", &[option])), &able), Ok(()));
}

#[test]
fn what_is_cut_ends_with_a_sign_and_fits() {
    assert_eq!(cut("short", 5, TextUnit::CodePoints), "short");
    assert_eq!(cut("too long", 5, TextUnit::CodePoints), "too…");
    assert_eq!(cut(&FAMILY.repeat(3), 2, TextUnit::Graphemes), format!("{FAMILY}…"));
}

#[test]
fn texts_and_captions_have_their_limits() {
    assert_eq!(code(&text("0123456789")), "fits");
    let excess = check(&text("0123456789a"), &able()).unwrap_err();
    assert_eq!(
        (excess.code, excess.to_string().as_str()),
        ("text_too_long", "a text may have 10 characters, not 11")
    );
    assert_eq!(code(&edit(Some(text("0123456789a")))), "text_too_long");
    assert_eq!(code(&edit(Some(text("0123456789")))), "fits");
    assert_eq!(code(&edit(None)), "fits");
    let image = |caption| Kind::Media(media(MediaKind::Image, "image/png", 0, caption));
    assert_eq!((code(&image("01234")), code(&image("012345"))), ("fits", "caption_too_long"));
    let audio = |caption| Kind::Media(media(MediaKind::Audio, "", 0, caption));
    assert_eq!((code(&audio("")), code(&audio("0"))), ("fits", "caption_not_supported"));
    assert_eq!(
        code(&Kind::Template(Template { rendered: "0123456789a".to_owned(), ..Template::default() })),
        "fits"
    );
}

#[test]
fn a_channel_shows_the_kinds_it_declares() {
    assert_eq!(code(&Kind::Custom(Custom::default())), "content_not_supported");
    assert_eq!(code(&edit(Some(Kind::Custom(Custom::default())))), "content_not_supported");
    let file = |kind, content_type, bytes| Kind::Media(media(kind, content_type, bytes, ""));
    for (kind, content_type, bytes, wanted) in [
        (MediaKind::Image, "image/png", 100, "fits"),
        (MediaKind::Image, "image/png", 101, "media_too_large"),
        (MediaKind::Image, "image/gif", 51, "media_too_large"),
        (MediaKind::Image, "image/webp", 1, "media_type_not_supported"),
        (MediaKind::Audio, "audio/any", 1_000_000, "fits"),
        (MediaKind::Video, "video/mp4", 1, "media_kind_not_supported"),
    ] {
        assert_eq!(code(&file(kind, content_type, bytes)), wanted, "{kind:?} {content_type} {bytes}");
    }
    let mut pictured = card("A", "", 1);
    pictured.media = Some(media(MediaKind::Video, "video/mp4", 1, ""));
    assert_eq!(code(&Kind::Card(pictured)), "media_kind_not_supported");
}

#[test]
fn questions_have_their_limits() {
    let (a, b) = (option("a", "A"), option("b", "B"));
    let code_of = |body: &str, options: &[Offered]| code(&Kind::Choice(choice(body, options)));
    assert_eq!(code_of("01234567", &[a.clone(), b.clone()]), "fits");
    assert_eq!(code_of("012345678", std::slice::from_ref(&a)), "body_too_long");
    assert_eq!(code_of("?", &[]), "no_options");
    assert_eq!(code_of("?", &[a.clone(), b.clone(), option("c", "C")]), "too_many_options");
    assert_eq!(code_of("?", &[option("a", "01234")]), "option_title_too_long");
    // It is called by its id.
    assert_eq!(code_of("?", &[option("01234", "")]), "option_title_too_long");
    assert_eq!(code_of("?", &[option("0123456", "A")]), "option_payload_too_long");
    let answer = doing(Action::Answer(Answer { payload: "012345".to_owned() }));
    assert_eq!(code_of("?", &[answer]), "option_payload_too_long");
    assert_eq!(code_of("?", &[doing(Action::Url("https://example.com".to_owned()))]), "fits");
    assert_eq!(code_of("?", &[doing(Action::Phone("+12225550001".to_owned()))]), "option_not_supported");
    assert_eq!(code_of("?", &[doing(Action::AskLocation(AskLocation::default()))]), "option_not_supported");
    // A footer that has no place takes room of the body.
    let footed =
        |footer: &str| Choice { footer: footer.to_owned(), ..choice("01234567", std::slice::from_ref(&a)) };
    assert_eq!(code(&Kind::Choice(footed("0123"))), "fits");
    assert_eq!(code(&Kind::Choice(footed("01234"))), "body_too_long");
}

#[test]
fn lists_have_their_limits() {
    let options = [option("a", "01234"), option("b", "B"), option("c", "C")];
    let listed = list("012345678", "012", &options);
    assert_eq!(code(&Kind::List(listed.clone())), "fits");
    assert_eq!(code(&Kind::List(list("0123456789", "", &options))), "body_too_long");
    assert_eq!(code(&Kind::List(list("?", "0123", &options))), "section_title_too_long");
    assert_eq!(code(&Kind::List(list("?", "", &[option("a", "012345")]))), "option_title_too_long");
    assert_eq!(code(&Kind::List(list("?", "", &vec![option("a", "A"); 4]))), "too_many_options");
    assert_eq!(code(&Kind::List(ListMenu { header: "0123".to_owned(), ..listed.clone() })), "fits");
    assert_eq!(code(&Kind::List(ListMenu { header: "01234".to_owned(), ..listed.clone() })), "body_too_long");
    // Longer words on the button are cut.
    let able = Capabilities { list_button_limit: 2, ..able() };
    assert_eq!(check(&Kind::List(ListMenu { button: "0123".to_owned(), ..listed }), &able), Ok(()));
}

#[test]
fn cards_have_their_limits() {
    assert_eq!(code(&Kind::Card(card("0123", "012345", 1))), "fits");
    assert_eq!(code(&Kind::Card(card("01234", "", 0))), "title_too_long");
    assert_eq!(code(&Kind::Card(card("", "0123456", 0))), "body_too_long");
    assert_eq!(code(&Kind::Card(card("", "", 2))), "too_many_options");
    for (body, cards, wanted) in [
        ("0123456", 2, "fits"),
        ("01234567", 2, "body_too_long"),
        ("", 1, "carousel_size"),
        ("", 3, "fits"),
        ("", 4, "carousel_size"),
    ] {
        assert_eq!(code(&carousel(body, cards)), wanted, "{body:?} {cards}");
    }
    let able = Capabilities { carousel_bare: true, ..able() };
    assert_eq!(check(&carousel("0", 2), &able).unwrap_err().code, "body_not_supported");
    assert_eq!(check(&carousel("", 2), &able), Ok(()));
}

#[test]
fn what_declares_no_limits_takes_anything() {
    let able = Capabilities { content: able().content, ..Capabilities::default() };
    let options = vec![option("a", &"long".repeat(50)); 50];
    let kinds = [
        text(&"long".repeat(5000)),
        Kind::Choice(choice("?", &options)),
        Kind::List(list("?", "long section", &options)),
        carousel("cards", 50),
        Kind::Media(media(MediaKind::Video, "video/mp4", i64::MAX, "caption")),
    ];
    for kind in kinds {
        assert_eq!(check(&kind, &able), Ok(()));
    }
}

fn any_option() -> impl Strategy<Value = Offered> {
    let action = prop_oneof![
        Just(None),
        ".{0,4}".prop_map(|payload| Some(Action::Answer(Answer { payload }))),
        Just(Some(Action::Url("https://example.com".to_owned()))),
        Just(Some(Action::AskLocation(AskLocation::default()))),
    ];
    ("[ab]{1,4}", ".{0,6}", action).prop_map(|(id, title, action)| Offered {
        id,
        title,
        action,
        ..Offered::default()
    })
}

fn any_card() -> impl Strategy<Value = Card> {
    let options = prop::collection::vec(any_option(), 0..3);
    (".{0,6}", ".{0,8}", options).prop_map(|(title, body, options)| Card {
        title,
        body,
        options,
        ..Card::default()
    })
}

fn any_kind() -> impl Strategy<Value = Kind> {
    let options = || prop::collection::vec(any_option(), 0..4);
    prop_oneof![
        ".{0,14}".prop_map(|body| text(&body)),
        (".{0,12}", ".{0,6}", options())
            .prop_map(|(body, footer, options)| Kind::Choice(Choice { footer, ..choice(&body, &options) })),
        (".{0,12}", ".{0,5}", options())
            .prop_map(|(body, section, it)| Kind::List(list(&body, &section, &it))),
        any_card().prop_map(Kind::Card),
        (".{0,9}", prop::collection::vec(any_card(), 0..5))
            .prop_map(|(body, cards)| Kind::Carousel(Carousel { body, cards })),
        (0..6, 0_i64..200, ".{0,7}").prop_map(|(kind, size_bytes, caption)| {
            let content_type = "image/png".to_owned();
            Kind::Media(Media { kind, size_bytes, caption, content_type, ..Media::default() })
        }),
    ]
}

fn unit() -> impl Strategy<Value = TextUnit> {
    prop::sample::select(vec![
        TextUnit::Unspecified,
        TextUnit::CodePoints,
        TextUnit::Utf16,
        TextUnit::Bytes,
        TextUnit::Graphemes,
    ])
}

proptest! {
    #[test]
    fn what_passes_is_within_every_limit(kind in any_kind(), texts in unit(), labels in unit()) {
        let able = Capabilities { text_unit: texts.into(), option_unit: labels.into(), ..able() };
        if check(&kind, &able).is_err() {
            return Ok(());
        }
        let labels = label_unit(&able);
        let title_limit = if matches!(kind, Kind::List(_)) { 5 } else { 4 };
        for option in options(&kind) {
            prop_assert!(measure(&option.title, labels) <= title_limit);
            let payload = match &option.action {
                Some(Action::Answer(answer)) => answer.payload.len(),
                _ => 0,
            };
            prop_assert!(option.id.len() + payload <= 6);
            prop_assert!(!matches!(option.action, Some(Action::AskLocation(_) | Action::Phone(_))));
        }
        let small = |card: &Card| {
            measure(&card.title, labels) <= 4 && measure(&card.body, labels) <= 6 && card.options.len() <= 1
        };
        match &kind {
            Kind::Text(text) => prop_assert!(measure(&text.body, texts) <= 10),
            Kind::Choice(choice) => {
                prop_assert!((1..=2).contains(&choice.options.len()));
                prop_assert!(measure(&choice.body, texts) <= 8);
                prop_assert!(measure(&choice.footer, texts) <= 4 || measure(&choice.body, texts) == 0);
            }
            Kind::List(list) => {
                prop_assert!((1..=3).contains(&list.sections[0].options.len()));
                prop_assert!(measure(&list.body, texts) <= 9);
                prop_assert!(measure(&list.sections[0].title, labels) <= 3);
            }
            Kind::Card(card) => prop_assert!(small(card)),
            Kind::Carousel(carousel) => {
                prop_assert!((2..=3).contains(&carousel.cards.len()));
                prop_assert!(measure(&carousel.body, texts) <= 7);
                prop_assert!(carousel.cards.iter().all(small));
            }
            Kind::Media(media) => {
                let limit = if media.kind() == MediaKind::Audio { 0 } else { 5 };
                prop_assert!(measure(&media.caption, texts) <= limit);
                prop_assert!(media.kind() == MediaKind::Audio || media.size_bytes <= 100);
                prop_assert!([MediaKind::Image, MediaKind::Audio].contains(&media.kind()));
            }
            _ => {}
        }
    }

    #[test]
    fn what_is_cut_is_within_its_limit(text in ".{0,20}", limit in 3_usize..12, unit in unit()) {
        let kept = cut(&text, limit, unit);
        prop_assert!(measure(&kept, unit) <= limit, "{kept:?}");
    }
}
