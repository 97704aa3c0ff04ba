//! What a button carries, and brings back when it is tapped, on channels that hand back one text and nothing else.
//!
//! So it holds the message, the option, its title where there is room, and the payload:
//! `hg|<message>|<option>|<title>|<payload>`. Buttons that were made elsewhere bring back whatever somebody wrote.

use heliograph_proto::v1::{MessageReference, Option as Answer, Selection, option::Action};

/// What a link or a place brings back that no option stands for: nothing is said by opening it.
pub const OPENED: &str = "hg||||";

const MARK: &str = "hg";

/// What an option of the message `message_id` carries; `None` when that is longer than `limit` UTF-16 units.
pub fn encode(message_id: &str, option: &Answer, limit: usize) -> Option<String> {
    let payload = match &option.action {
        Some(Action::Answer(answer)) => answer.payload.as_str(),
        _ => "",
    };
    let data = |title: &str| {
        format!("{MARK}|{}|{}|{}|{payload}", escape(message_id), escape(&option.id), escape(title))
    };
    [data(&option.title), data("")].into_iter().find(|data| data.encode_utf16().count() <= limit)
}

/// What was chosen.
pub fn decode(data: &str) -> Selection {
    let mut parts = data.splitn(5, '|');
    let mut next = || parts.next();
    if let (Some(MARK), Some(message), Some(option), Some(title), Some(payload)) =
        (next(), next(), next(), next(), next())
    {
        let message_id = unescape(message);
        let question = (!message_id.is_empty())
            .then(|| MessageReference { message_id, provider_message_id: String::new() });
        return Selection {
            option_id: unescape(option),
            title: unescape(title),
            payload: payload.to_owned(),
            question,
            typed: false,
        };
    }
    Selection { option_id: data.to_owned(), ..Selection::default() }
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('|', "%7C")
}

fn unescape(text: &str) -> String {
    text.replace("%7C", "|").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use heliograph_proto::v1::Answer as Carried;

    use super::*;

    #[test]
    fn an_option_comes_back_whole_and_without_its_title_where_there_is_no_room() {
        let payload = "a|b %7C".to_owned();
        let option = Answer {
            id: "50 % | half".to_owned(),
            title: "Half | off".to_owned(),
            action: Some(Action::Answer(Carried { payload: payload.clone() })),
            ..Answer::default()
        };
        let data = encode("msg_1", &option, 300).unwrap();
        let chosen = decode(&data);
        assert_eq!((chosen.option_id.as_str(), chosen.title.as_str()), ("50 % | half", "Half | off"));
        assert_eq!((chosen.payload, chosen.question.unwrap().message_id.as_str()), (payload, "msg_1"));

        let short = encode("msg_1", &option, data.len() - 1).unwrap();
        assert_eq!(decode(&short).title, "");
        assert_eq!(encode("msg_1", &option, 20), None);
    }

    #[test]
    fn what_somebody_else_wrote_is_the_option() {
        for data in ["action=buy&itemid=111", "hg|a|b", ""] {
            assert_eq!(decode(data), Selection { option_id: data.to_owned(), ..Selection::default() });
        }
    }
}
