use proptest::prelude::*;

use super::*;

fn span(mark: Mark, from: usize, to: usize) -> Span {
    Span { mark, from, to }
}

#[test]
fn marks_nest_and_stand_next_to_words() {
    let link = Mark::Link("https://example.com/a(b)".to_owned());
    let spans = [span(Mark::Bold, 0, 17), span(link, 4, 8), span(Mark::Italic, 9, 11)];
    assert_eq!(write("all that is bold ", &spans), "**all [that](https://example.com/a(b%29) _is_ bold** ");
    assert_eq!(write("unbelievable", &[span(Mark::Italic, 2, 7)]), "un*belie*vable");
    assert_eq!(write("run a_b now", &[span(Mark::Code, 4, 7)]), "run `a_b` now");
    assert_eq!(write("x()", &[span(Mark::Block("rust".to_owned()), 0, 3)]), "```rust\nx()\n```");
    assert_eq!(write("2*3 [x]", &[]), "2\\*3 \\[x\\]");
}

#[test]
fn spans_that_are_none_are_left_out() {
    for (from, to) in [(1, 4), (0, 9), (2, 1), (usize::MAX, 2), (4, 5)] {
        assert_eq!(write("👋 ", &[span(Mark::Bold, from, to)]), "👋 ", "{from} {to}");
    }
}

#[test]
fn markdown_becomes_spans() {
    let (text, spans) =
        read("Hi **Ann**, see [the _page_](https://example.com) or run `ls *`; 2\\*3 ~~no~~ 👋 *yes*");
    assert_eq!(text, "Hi Ann, see the page or run ls *; 2*3 no 👋 yes");
    let marked: Vec<(&Mark, &str)> =
        spans.iter().map(|span| (&span.mark, &text[span.from..span.to])).collect();
    let link = Mark::Link("https://example.com".to_owned());
    assert_eq!(
        marked,
        [
            (&Mark::Bold, "Ann"),
            (&link, "the page"),
            (&Mark::Italic, "page"),
            (&Mark::Code, "ls *"),
            (&Mark::Strikethrough, "no"),
            (&Mark::Italic, "yes"),
        ]
    );
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
        assert_eq!(read(text), (text.to_owned(), Vec::new()));
    }
}

proptest! {
    #[test]
    fn anything_can_be_read(markdown in "[a* _~`\\[\\]()\\\\👋\n]{0,64}") {
        let (text, spans) = read(&markdown);
        for span in spans {
            prop_assert!(span.from < span.to && text.get(span.from..span.to).is_some(), "{:?}", span);
        }
    }

    /// Words, of which some are marked.
    #[test]
    fn what_is_written_is_read_again(
        words in proptest::collection::vec(("[a-z*_~`\\[\\]\\\\👋é]{1,6}", 0..6_u8), 1..12)
    ) {
        let (mut text, mut spans) = (String::new(), Vec::new());
        for (word, mark) in &words {
            let (from, to) = (text.len(), text.len() + word.len());
            match mark {
                1 => spans.push(span(Mark::Bold, from, to)),
                2 => spans.push(span(Mark::Italic, from, to)),
                3 => spans.push(span(Mark::Strikethrough, from, to)),
                4 => spans.extend([span(Mark::Bold, from, to), span(Mark::Italic, from, to)]),
                5 if !word.contains('`') => spans.push(span(Mark::Code, from, to)),
                _ => {}
            }
            text.push_str(word);
            text.push(' ');
        }
        prop_assert_eq!(read(&write(&text, &spans)), (text, spans));
    }
}
