#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use heliograph_domain::content;
use heliograph_proto::v1::{
    Capabilities, Choice, Content, Deletion, Location, Media, MediaKind, Option as Answer, Text, TextFormat,
    TextUnit, content::Kind,
};
use proptest::prelude::*;

use super::{measure, split, transcode};

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
            prop_assert!(one || measure::length(part, unit) <= limit, "{:?}", part);
        }
    }
}
