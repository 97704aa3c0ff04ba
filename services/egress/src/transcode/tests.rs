#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use heliograph_domain::{content, limits};
use heliograph_proto::v1::{
    self as proto, Capabilities, Card, Carousel, Choice, Content, Deletion, ListMenu, ListSection, Location,
    Media, MediaKind, Option as Answer, Text, TextFormat, TextUnit, content::Kind, option::Action,
};
use proptest::prelude::*;

use super::{Transcoded, Untranslatable, split};

fn transcode(content: &Content, able: &Capabilities) -> Result<Transcoded, Untranslatable> {
    super::transcode(content, able, &|_| None)
}

fn sms(text_limit: i32) -> Capabilities {
    Capabilities {
        channel: "sms".to_owned(),
        content: vec!["text".to_owned()],
        text_limit,
        text_unit: TextUnit::CodePoints.into(),
        ..Capabilities::default()
    }
}

fn of(kind: Kind) -> Content {
    Content { kind: Some(kind) }
}

fn text_of(content: &Content) -> String {
    content::preview(content)
}

fn question(titles: &[&str]) -> Content {
    let options = titles
        .iter()
        .enumerate()
        .map(|(index, title)| Answer {
            id: format!("o{index}"),
            title: (*title).to_owned(),
            ..Answer::default()
        })
        .collect();
    of(Kind::Choice(Choice { body: "Which one?".to_owned(), options, ..Choice::default() }))
}

#[test]
fn what_a_channel_shows_goes_out_as_it_is() {
    let out = transcode(&content::text("hello"), &sms(160)).unwrap();
    assert_eq!(out.parts, [content::text("hello")]);
    assert!(out.reasons.is_empty());
}

#[test]
fn a_question_becomes_numbered_text_and_the_numbers_are_remembered() {
    let out = transcode(&question(&["Red", "Blue"]), &sms(160)).unwrap();
    assert_eq!(text_of(&out.parts[0]), "Which one?\n1. Red\n2. Blue");
    assert_eq!(out.numbered[1].id, "o1");
    assert_eq!(out.reasons[0].code, "transcode.choice_to_text");
}

#[test]
fn too_many_or_too_long_options_become_text_too() {
    let mut able = sms(0);
    able.content.push("choice".to_owned());
    able.choice_limit = 2;
    able.option_title_limit = 5;
    assert!(transcode(&question(&["Red", "Blue"]), &able).unwrap().reasons.is_empty());
    for titles in [&["1", "2", "3"][..], &["a long title", "b"]] {
        let out = transcode(&question(titles), &able).unwrap();
        assert_eq!(out.reasons[0].code, "transcode.choice_to_text");
    }
}

#[test]
fn media_and_places_become_links() {
    let media = Media {
        kind: MediaKind::Image.into(),
        url: "https://example.test/a.png".to_owned(),
        caption: "Look".to_owned(),
        ..Media::default()
    };
    let out = transcode(&of(Kind::Media(media)), &sms(0)).unwrap();
    assert_eq!(text_of(&out.parts[0]), "Look\nimage: https://example.test/a.png");
    let place =
        Location { latitude: -25.07, longitude: -130.1, name: "Adamstown".to_owned(), ..Location::default() };
    let out = transcode(&of(Kind::Location(place)), &sms(0)).unwrap();
    assert!(text_of(&out.parts[0]).starts_with("Adamstown\nhttps://www.openstreetmap.org/?mlat=-25.07"));
}

#[test]
fn files_that_we_keep_are_linked_to_where_that_is_possible() {
    let ours = |url: &str| Media {
        kind: MediaKind::File.into(),
        object_id: "med_1".to_owned(),
        url: url.to_owned(),
        file_name: "offer.pdf".to_owned(),
        ..Media::default()
    };
    let link = |id: &str| Some(format!("https://media.test/{id}"));
    let with = |media: Media, link: &super::Link<'_>| {
        let out = super::transcode(&of(Kind::Media(media)), &sms(0), link).unwrap();
        (text_of(&out.parts[0]), codes(&out).join(" "))
    };
    let changed = "transcode.media_to_text";
    let said = |text: &str, codes: &str| (text.to_owned(), codes.to_owned());
    // What the provider says of where it is, or the desk, is of no use to a customer.
    for url in ["", "/desk/media/acme/med_1", "https://provider.test/1"] {
        assert_eq!(with(ours(url), &link), said("offer.pdf: https://media.test/med_1", changed), "{url}");
    }
    let lost = format!("{changed} transcode.no_link");
    assert_eq!(with(ours(""), &|_| None), said("[offer.pdf]", &lost));
    assert_eq!(with(ours("/desk/media/acme/med_1"), &|_| None), said("[offer.pdf]", &lost));
    let card = Card { title: "Lamp".to_owned(), media: Some(ours("")), ..Card::default() };
    let out = super::transcode(&of(Kind::Card(card)), &sms(0), &link).unwrap();
    assert_eq!(text_of(&out.parts[0]), "Lamp\nhttps://media.test/med_1");
}

#[test]
fn captions_follow_files_that_go_without_words() {
    let file = |kind: MediaKind| {
        of(Kind::Media(Media { kind: kind.into(), caption: "Look".to_owned(), ..Media::default() }))
    };
    let mut able = sms(0);
    able.content.push("media".to_owned());
    able.bare_media.push(MediaKind::Audio.into());
    let out = transcode(&file(MediaKind::Audio), &able).unwrap();
    assert_eq!(out.parts.iter().map(text_of).collect::<Vec<_>>(), ["[audio]", "Look"]);
    assert_eq!(out.reasons[0].code, "transcode.caption_split");
    let out = transcode(&file(MediaKind::Image), &able).unwrap();
    assert_eq!((out.parts.len(), text_of(&out.parts[0]).as_str()), (1, "[image] Look"));
}

#[test]
fn markup_is_taken_off_where_it_would_show() {
    let marked = |body: &str, format: TextFormat| {
        of(Kind::Text(Text { body: body.to_owned(), format: format.into(), ..Text::default() }))
    };
    for (body, format, plain) in [
        ("# Hi\n**bold** and _soft_ snake_case", TextFormat::Markdown, "Hi\nbold and soft snake_case"),
        ("see [our page](https://example.test)", TextFormat::Markdown, "see our page (https://example.test)"),
        ("2 \\* 3", TextFormat::Markdown, "2 * 3"),
        ("<p>Hi &amp; bye</p><ul><li>one</li></ul>", TextFormat::Html, "Hi & bye\n- one"),
        (
            "<a href=\"https://e.test\">here</a><script>x<y</script>!",
            TextFormat::Html,
            "here (https://e.test)!",
        ),
    ] {
        let out = transcode(&marked(body, format), &sms(0)).unwrap();
        assert_eq!(text_of(&out.parts[0]), plain);
        assert_eq!(out.reasons[0].code, "transcode.markup_removed");
    }
}

#[test]
fn what_has_no_form_is_refused_with_its_reason() {
    let refused = transcode(&of(Kind::Deletion(Deletion::default())), &sms(0)).unwrap_err();
    assert_eq!(refused.code, "transcode.deletion_not_supported");
    assert_eq!(transcode(&Content::default(), &sms(0)).unwrap_err().code, "transcode.empty");
    assert_eq!(transcode(&content::text("  "), &sms(0)).unwrap_err().code, "transcode.empty");
}

#[test]
fn a_long_text_is_cut_between_words() {
    let out = transcode(&content::text("one two three four"), &sms(9)).unwrap();
    let parts: Vec<String> = out.parts.iter().map(text_of).collect();
    assert_eq!(parts, ["one two", "three", "four"]);
    assert_eq!(out.reasons[0].code, "transcode.text_split");
}

proptest! {
    #[test]
    fn no_part_is_above_the_limit_and_nothing_but_white_space_is_lost(
        text in "[a-z \\n👍🏽é你\u{301}]{0,200}",
        limit in 20_usize..60,
        unit in prop::sample::select(vec![
            TextUnit::Bytes, TextUnit::Utf16, TextUnit::CodePoints, TextUnit::Graphemes,
        ]),
    ) {
        let parts = split::split(&text, limit, unit);
        let kept = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(kept(&parts.concat()), kept(&text));
        for part in &parts {
            let one = unicode_segmentation::UnicodeSegmentation::graphemes(part.as_str(), true).count() == 1;
            prop_assert!(one || limits::measure(part, unit) <= limit, "{:?}", part);
        }
    }
}

/// A channel with buttons for three short answers, lists of ten, and cards side by side from two on.
fn social() -> Capabilities {
    Capabilities {
        channel: "social".to_owned(),
        content: ["text", "choice", "list", "card", "carousel"].map(str::to_owned).to_vec(),
        text_limit: 4096,
        text_unit: TextUnit::CodePoints.into(),
        choice_limit: 3,
        option_title_limit: 20,
        choice_body_limit: 12,
        list_limit: 10,
        list_title_limit: 24,
        card_limit: 10,
        card_option_limit: 1,
        carousel_least: 2,
        option_actions: vec!["answer".to_owned(), "url".to_owned()],
        option_payload_limit: 20,
        ..Capabilities::default()
    }
}

fn codes(out: &super::Transcoded) -> Vec<&str> {
    out.reasons.iter().map(|reason| reason.code.as_str()).collect()
}

fn card(title: &str, options: usize) -> Card {
    let option =
        |index| Answer { id: format!("{title}{index}"), title: "Take it".to_owned(), ..Answer::default() };
    Card { title: title.to_owned(), options: (0..options).map(option).collect(), ..Card::default() }
}

#[test]
fn more_answers_than_buttons_become_a_list_and_few_of_a_list_become_buttons() {
    let out = transcode(&question(&["1", "2", "3", "4"]), &social()).unwrap();
    assert_eq!(codes(&out), ["transcode.choice_to_list"]);
    let [Content { kind: Some(Kind::List(list)) }] = out.parts.as_slice() else { panic!("{:?}", out.parts) };
    assert_eq!((list.body.as_str(), list.sections[0].options.len()), ("Which one?", 4));
    let only_buttons = Capabilities { content: vec!["text".to_owned(), "choice".to_owned()], ..social() };
    let short = Kind::List(ListMenu {
        body: "Which?".to_owned(),
        sections: vec![ListSection {
            title: String::new(),
            options: vec![Answer { id: "a".to_owned(), title: "A".to_owned(), ..Answer::default() }],
        }],
        ..ListMenu::default()
    });
    let out = transcode(&of(short), &only_buttons).unwrap();
    assert_eq!(codes(&out), ["transcode.list_to_choice"]);
}

#[test]
fn a_long_question_goes_ahead_as_text_and_its_end_keeps_the_buttons() {
    let mut long = question(&["Yes", "No"]);
    if let Some(Kind::Choice(choice)) = &mut long.kind {
        choice.body = "The lamp is late. Do you wait?".to_owned();
    }
    let out = transcode(&long, &social()).unwrap();
    assert_eq!(codes(&out), ["transcode.body_split"]);
    let shown: Vec<String> = out.parts.iter().map(text_of).collect();
    assert_eq!(shown.join(" "), "The lamp is late. Do you wait?");
    assert!(
        matches!(&out.parts.last().unwrap().kind, Some(Kind::Choice(choice)) if choice.options.len() == 2)
    );
}

#[test]
fn answers_that_do_what_the_channel_cannot_become_text() {
    let mut call = question(&["Call us"]);
    if let Some(Kind::Choice(choice)) = &mut call.kind {
        choice.options[0].action = Some(Action::Phone("+12025550123".to_owned()));
    }
    assert_eq!(codes(&transcode(&call, &social()).unwrap()), ["transcode.choice_to_text"]);
    let mut heavy = question(&["Yes"]);
    if let Some(Kind::Choice(choice)) = &mut heavy.kind {
        choice.options[0].action = Some(Action::Answer(proto::Answer { payload: "x".repeat(20) }));
    }
    assert_eq!(codes(&transcode(&heavy, &social()).unwrap()), ["transcode.choice_to_text"]);
}

#[test]
fn cards_that_do_not_fit_side_by_side_go_out_one_by_one_and_numbers_run_on() {
    let carousel = |cards: Vec<Card>| of(Kind::Carousel(Carousel { cards, body: "Two lamps".to_owned() }));
    let fits = transcode(&carousel(vec![card("a", 1), card("b", 1)]), &social()).unwrap();
    assert!(fits.reasons.is_empty());
    let alone = transcode(&carousel(vec![card("a", 1)]), &social()).unwrap();
    assert_eq!((codes(&alone), alone.parts.len()), (vec!["transcode.carousel_to_cards"], 2));
    let mixed = transcode(&carousel(vec![card("a", 2), card("b", 1), card("c", 2)]), &social()).unwrap();
    assert_eq!(
        codes(&mixed),
        ["transcode.carousel_to_cards", "transcode.card_to_text", "transcode.card_to_text"]
    );
    let ids: Vec<&str> = mixed.numbered.iter().map(|numbered| numbered.id.as_str()).collect();
    assert_eq!(ids, ["a0", "a1", "c0", "c1"]);
    assert!(text_of(&mixed.parts[3]).contains("3. Take it"));
}

#[test]
fn what_is_said_of_a_carousel_goes_ahead_where_it_has_no_place() {
    let cards = vec![card("a", 1), card("b", 1)];
    let carousel = of(Kind::Carousel(Carousel { cards: cards.clone(), body: "Two lamps".to_owned() }));
    let bare = Capabilities { carousel_bare: true, ..social() };
    let short = Capabilities { carousel_body_limit: 8, ..social() };
    for able in [bare, short] {
        let out = transcode(&carousel, &able).unwrap();
        assert_eq!(codes(&out), ["transcode.carousel_body_ahead"]);
        let below = of(Kind::Carousel(Carousel { cards: cards.clone(), body: String::new() }));
        assert_eq!((text_of(&out.parts[0]).as_str(), &out.parts[1..]), ("Two lamps", &[below][..]));
    }
    let room = Capabilities { carousel_body_limit: 9, ..social() };
    assert_eq!(transcode(&carousel, &room).unwrap().parts, [carousel]);
}

#[test]
fn a_header_or_footer_without_a_place_takes_room_of_the_body() {
    let mut asked = question(&["Yes", "No"]);
    if let Some(Kind::Choice(choice)) = &mut asked.kind {
        (choice.body, choice.footer) = ("Wait for it, or not?".to_owned(), "until 5".to_owned());
    }
    let able = Capabilities { choice_body_limit: 25, ..social() };
    // 20 and 7 are more than 25, with a line between them.
    let out = transcode(&asked, &able).unwrap();
    assert_eq!(codes(&out), ["transcode.body_split"]);
    let Some(Kind::Choice(last)) = &out.parts.last().unwrap().kind else { panic!("{:?}", out.parts) };
    assert!(last.body.len() + last.footer.len() < 25, "{last:?}");
    let placed = Capabilities { footer_limit: 7, ..able };
    assert_eq!(transcode(&asked, &placed).unwrap().parts, [asked.clone()]);
    // A footer that leaves no room at all: everything is said in words.
    let none = Capabilities { choice_body_limit: 10, list_body_limit: 10, ..social() };
    assert_eq!(codes(&transcode(&asked, &none).unwrap()), ["transcode.choice_to_text"]);
}

#[test]
fn long_words_on_a_lists_button_are_cut() {
    let option = Answer { id: "a".to_owned(), title: "A".to_owned(), ..Answer::default() };
    let list = of(Kind::List(ListMenu {
        body: "Which?".to_owned(),
        button: "Everything we have".to_owned(),
        sections: vec![ListSection { title: String::new(), options: vec![option] }],
        ..ListMenu::default()
    }));
    let out = transcode(&list, &Capabilities { list_button_limit: 12, ..social() }).unwrap();
    assert_eq!(codes(&out), ["transcode.button_cut"]);
    let [Content { kind: Some(Kind::List(shown)) }] = out.parts.as_slice() else { panic!("{:?}", out.parts) };
    assert_eq!(shown.button, "Everything…");
    let room = Capabilities { list_button_limit: 18, ..social() };
    assert_eq!(transcode(&list, &room).unwrap().parts, [list]);
}
