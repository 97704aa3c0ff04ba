//! What a suggestion brings back when it is tapped: `hg|<message>|<option>|<payload>`. Its text comes back beside it.
//! Suggestions of messages that were made elsewhere bring back whatever somebody wrote.

use heliograph_proto::v1::{MessageReference, Option as Answer, Selection, option::Action};

/// The most that comes back, in UTF-16 units.
pub(crate) const LIMIT: usize = 2048;

const MARK: &str = "hg";

/// What an option of the message `message_id` brings back; `None` when it is longer than the provider takes.
pub(crate) fn encode(message_id: &str, option: &Answer) -> Option<String> {
    let payload = match &option.action {
        Some(Action::Answer(answer)) => answer.payload.as_str(),
        _ => "",
    };
    let data = format!("{MARK}|{}|{}|{payload}", escape(message_id), escape(&option.id));
    (data.encode_utf16().count() <= LIMIT).then_some(data)
}

/// What was chosen.
pub(crate) fn decode(data: &str, title: String) -> Selection {
    let mut parts = data.splitn(4, '|');
    let mut next = || parts.next();
    if let (Some(MARK), Some(message), Some(option), Some(payload)) = (next(), next(), next(), next()) {
        let message_id = unescape(message);
        let question = (!message_id.is_empty())
            .then(|| MessageReference { message_id, provider_message_id: String::new() });
        let (option_id, payload) = (unescape(option), payload.to_owned());
        return Selection { option_id, title, payload, question, typed: false };
    }
    Selection { option_id: data.to_owned(), title, ..Selection::default() }
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('|', "%7C")
}

fn unescape(text: &str) -> String {
    text.replace("%7C", "|").replace("%25", "%")
}
