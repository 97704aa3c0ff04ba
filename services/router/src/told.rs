//! What customers are told while they wait, in their language. Pure.

mod words;

use heliograph_domain::content::{self, CALL_BACK, WAIT};
use heliograph_proto::v1::{Answer, Choice, Content, Option as Button, content::Kind, option::Action};

use words::Words;

/// What there is to tell. Times are seconds from the moment it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Their place.
    Place {
        /// From 1.
        position: u32,
        /// How long it will probably take.
        wait: Option<u32>,
    },
    /// The queue is closed, and opens after so long.
    Closed(u32),
    /// Nobody is there to answer.
    Nobody,
    /// They are called back, after so long at the earliest.
    CalledBack(Option<u32>),
    /// They wait again.
    WaitsAgain {
        /// From 1.
        position: u32,
        /// How long it will probably take.
        wait: Option<u32>,
    },
    /// The queue is closed and takes nothing; it opens after so long, if it is known to.
    Shut(Option<u32>),
    /// They waited in vain.
    InVain,
    /// Somebody answers them now.
    Turn,
}

/// What may be chosen instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    /// Nothing.
    Nothing,
    /// To be called back instead of waiting.
    CallBack,
    /// To wait instead of being called back.
    Wait,
}

/// The news in the language of `tag` (BCP 47), else in English.
pub(crate) fn content(news: News, offer: Offer, tag: &str) -> Content {
    let words = Words::of(tag);
    let body = text(news, words);
    let (id, title) = match offer {
        Offer::Nothing => return content::text(body),
        Offer::CallBack => (CALL_BACK, words.call_me_back),
        Offer::Wait => (WAIT, words.i_will_wait),
    };
    let option = Button {
        id: id.to_owned(),
        title: title.to_owned(),
        action: Some(Action::Answer(Answer::default())),
        ..Button::default()
    };
    let choice = Choice { body, options: vec![option], one_time: true, ..Choice::default() };
    Content { kind: Some(Kind::Choice(choice)) }
}

fn text(news: News, words: &Words) -> String {
    match news {
        News::Place { position, wait } => place(position, wait, words),
        News::Closed(seconds) => words.closed.replace("{wait}", &span(seconds, words)),
        News::Nobody => words.nobody.to_owned(),
        News::CalledBack(None) => words.called_back.to_owned(),
        News::CalledBack(Some(seconds)) => words.called_back_later.replace("{wait}", &span(seconds, words)),
        News::WaitsAgain { position, wait } => {
            words.join(&[words.waits_again.to_owned(), place(position, wait, words)])
        }
        News::Shut(None) => words.shut.to_owned(),
        News::Shut(Some(seconds)) => words.shut_until.replace("{wait}", &span(seconds, words)),
        News::InVain => words.in_vain.to_owned(),
        News::Turn => words.turn.to_owned(),
    }
}

fn place(position: u32, wait: Option<u32>, words: &Words) -> String {
    let place = match position {
        0 | 1 => words.next.to_owned(),
        position => words.number.replace("{n}", &position.to_string()),
    };
    let wait = wait.map(|seconds| words.wait.replace("{wait}", &span(seconds, words)));
    words.join(&[Some(place), wait].into_iter().flatten().collect::<Vec<_>>())
}

/// A stretch of time as one says it: minutes are rounded up, so that nobody waits longer for the rounding.
fn span(seconds: u32, words: &Words) -> String {
    let (one, many, count) = match seconds {
        0..60 => return words.under_a_minute.to_owned(),
        60..5_400 => (words.minute, words.minutes, seconds.div_ceil(60)),
        5_400..129_600 => (words.hour, words.hours, (seconds + 1_800) / 3_600),
        _ => (words.day, words.days, seconds / 86_400 + u32::from(seconds % 86_400 >= 43_200)),
    };
    if count == 1 { one.to_owned() } else { many.replace("{n}", &count.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(news: News, tag: &str) -> String {
        content::preview(&content(news, Offer::Nothing, tag))
    }

    #[test]
    fn a_place_is_told_with_the_wait_where_it_is_known() {
        let place = |position, wait| said(News::Place { position, wait }, "en-GB");
        assert_eq!(place(3, None), "You are number 3 in the queue.");
        assert_eq!(place(3, Some(230)), "You are number 3 in the queue. The wait is about 4 minutes.");
        assert_eq!(place(1, Some(5)), "You are next. The wait is less than a minute.");
        assert_eq!(
            said(News::Place { position: 2, wait: Some(60) }, "zh-TW"),
            "您排在第2位。预计等待约1分钟。"
        );
    }

    #[test]
    fn a_stretch_of_time_is_said_as_people_do() {
        let words = Words::of("en");
        for (seconds, said) in [
            (59, "less than a minute"),
            (60, "about a minute"),
            (61, "about 2 minutes"),
            (5_399, "about 90 minutes"),
            (5_400, "about 2 hours"),
            (50_400, "about 14 hours"),
            (129_600, "about 2 days"),
            (u32::MAX, "about 49710 days"),
        ] {
            assert_eq!(span(seconds, words), said, "{seconds}");
        }
    }

    #[test]
    fn a_choice_says_the_same_and_how_to_choose() {
        let offered = content(News::Nobody, Offer::CallBack, "de-CH");
        assert_eq!(content::preview(&offered), said(News::Nobody, "de"));
        let options = content::options(offered.kind.as_ref().expect("it says something"));
        assert_eq!((options[0].id.as_str(), options[0].title.as_str()), ("hg.callback", "Rückruf anfordern"));
        let offered = content(News::CalledBack(None), Offer::Wait, "fr");
        assert_eq!(content::options(offered.kind.as_ref().expect("it says something"))[0].id, "hg.wait");
    }
}
