//! What a button carries, and brings back when it is tapped.
//!
//! LINE hands a postback's `data` back and nothing else, neither label nor message. So ours holds the message, the
//! option, its title where there is room, and the payload: `hg|<message>|<option>|<title>|<payload>`. Postbacks of rich
//! menus and of messages made elsewhere hold whatever somebody wrote.

use heliograph_proto::v1::{MessageReference, Option as Answer, Selection, option::Action};

/// The most a postback carries, in UTF-16 units.
pub(crate) const LIMIT: usize = 300;

const MARK: &str = "hg";

/// `data` of an option of the message `message_id`; `None` when it is longer than LINE takes.
pub(crate) fn encode(message_id: &str, option: &Answer) -> Option<String> {
    let payload = match &option.action {
        Some(Action::Answer(answer)) => answer.payload.as_str(),
        _ => "",
    };
    let data = |title: &str| {
        format!("{MARK}|{}|{}|{}|{payload}", escape(message_id), escape(&option.id), escape(title))
    };
    [data(&option.title), data("")].into_iter().find(|data| data.encode_utf16().count() <= LIMIT)
}

/// What was chosen.
pub(crate) fn decode(data: &str) -> Selection {
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
