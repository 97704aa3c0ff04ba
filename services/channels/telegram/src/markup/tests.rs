use proptest::prelude::*;
use serde_json::json;

use super::*;

fn entity(kind: &str, offset: usize, length: usize) -> Entity {
    Entity { kind: kind.to_owned(), offset, length, url: String::new(), language: String::new() }
}

fn marked(body: &str) -> Marked {
    Marked::from_text(&Text { body: body.to_owned(), format: TextFormat::Markdown.into(), ..Text::default() })
}

#[test]
fn a_text_without_marks_stays_as_it_is() {
    let text = to_text("2 * 3 = 6 @ann #x", &[entity("mention", 10, 4), entity("hashtag", 15, 2)]);
    assert_eq!((text.body.as_str(), text.format()), ("2 * 3 = 6 @ann #x", TextFormat::Plain));
}

#[test]
fn offsets_are_utf16_units() {
    let text = to_text("👋🏽 hi *you*", &[entity("bold", 5, 2)]);
    assert_eq!((text.body.as_str(), text.format()), ("👋🏽 **hi** \\*you\\*", TextFormat::Markdown));
}

#[test]
fn marks_nest_and_stand_next_to_words() {
    let link = Entity { url: "https://example.com/a(b)".to_owned(), ..entity("text_link", 4, 4) };
    let text = to_text("all that is bold ", &[entity("bold", 0, 17), link, entity("italic", 9, 2)]);
    assert_eq!(text.body, "**all [that](https://example.com/a(b%29) _is_ bold** ");
    assert_eq!(to_text("unbelievable", &[entity("italic", 2, 5)]).body, "un*belie*vable");
    let code = to_text("run a_b now", &[entity("code", 4, 3)]);
    assert_eq!(code.body, "run `a_b` now");
    let block = Entity { language: "rust".to_owned(), ..entity("pre", 0, 3) };
    assert_eq!(to_text("x()", &[block]).body, "```rust\nx()\n```");
}

#[test]
fn spans_that_are_none_are_left_out() {
    for broken in
        [entity("bold", 1, 1), entity("bold", 0, 9), entity("bold", usize::MAX, 2), entity("bold", 2, 1)]
    {
        assert_eq!(to_text("👋 ", &[broken]).body, "👋 ");
    }
}

#[test]
fn markdown_becomes_entities() {
    let marked =
        marked("Hi **Ann**, see [the _page_](https://example.com) or run `ls *`; 2\\*3 ~~no~~ 👋 *yes*");
    assert_eq!(marked.text, "Hi Ann, see the page or run ls *; 2*3 no 👋 yes");
    assert_eq!(
        json!(marked.entities),
        json!([
            { "type": "bold", "offset": 3, "length": 3 },
            { "type": "text_link", "url": "https://example.com", "offset": 12, "length": 8 },
            { "type": "italic", "offset": 16, "length": 4 },
            { "type": "code", "offset": 28, "length": 4 },
            { "type": "strikethrough", "offset": 38, "length": 2 },
            { "type": "italic", "offset": 44, "length": 3 },
        ])
    );
    assert_eq!(marked.units(), marked.text.encode_utf16().count());
}

#[test]
fn what_is_no_mark_is_text() {
    for text in [
        "2 * 3 * 4",
        "snake_case_name",
        "**open",
        "[x](javascript:1)",
        "a ** b",
        "`",
        "```x```",
        "\\",
        "**** ~~~~",
    ] {
        let marked = marked(text);
        assert_eq!((marked.text.as_str(), marked.entities.len()), (text, 0), "{text}");
    }
}

proptest! {
    #[test]
    fn anything_can_be_read(body in "[a* _~`\\[\\]()\\\\👋\n]{0,64}") {
        let marked = marked(&body);
        prop_assert_eq!(marked.units(), marked.text.encode_utf16().count());
        for entity in &marked.entities {
            let read: Entity = serde_json::from_value(entity.clone()).unwrap();
            let from = bytes_at(&marked.text, read.offset);
            let to = bytes_at(&marked.text, read.offset + read.length);
            prop_assert!(from.is_some() && to.is_some() && from < to, "{:?}", entity);
        }
    }

    /// Text of words, of which some spans are marked.
    #[test]
    fn what_telegram_marks_comes_back(
        words in proptest::collection::vec(("[a-z*_~`\\[\\]\\\\👋é]{1,6}", 0..6_u8), 1..12)
    ) {
        let (mut text, mut entities, mut units) = (String::new(), Vec::new(), 0);
        for (word, mark) in &words {
            let length = word.encode_utf16().count();
            let mut add = |kind: &str| entities.push(entity(kind, units, length));
            match mark {
                1 => add("bold"),
                2 => add("italic"),
                3 => add("strikethrough"),
                4 => {
                    add("bold");
                    add("italic");
                }
                5 if !word.contains('`') => add("code"),
                _ => {}
            }
            text.push_str(word);
            text.push(' ');
            units += length + 1;
        }
        let markdown = to_text(&text, &entities);
        let back = Marked::from_text(&markdown);
        prop_assert_eq!(&back.text, &text);
        let back: Vec<Entity> = back.entities.into_iter().map(|it| serde_json::from_value(it).unwrap()).collect();
        prop_assert_eq!(back, entities, "{}", markdown.body);
    }
}
