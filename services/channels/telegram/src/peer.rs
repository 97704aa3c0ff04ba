//! Who is written to, and how messages are named.

use std::fmt;

use heliograph_channel::json::flag;
use serde_json::Value;

/// A chat as an address's `user_id`: `1111111`, `-1001234567890#42` in a topic of a group, `AbC1/1111111` for a customer
/// of a business account, who is another chat than the same person writing to the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The connection of the business account.
    pub business: Option<String>,
    /// The chat's number, or `@name`.
    pub chat: String,
    /// The topic of a group.
    pub topic: Option<i64>,
}

impl Peer {
    /// Reads a `user_id`; `None` when it names no chat.
    pub(crate) fn parse(user_id: &str) -> Option<Self> {
        let (business, rest) = match user_id.rsplit_once('/') {
            Some((business, rest)) => (Some(business.to_owned()), rest),
            None => (None, user_id),
        };
        let (chat, topic) = match rest.split_once('#') {
            Some((chat, topic)) => (chat, Some(topic.parse().ok()?)),
            None => (rest, None),
        };
        let named = chat.strip_prefix('@').is_some_and(|name| !name.is_empty());
        let chat = if named { chat.to_owned() } else { chat.parse::<i64>().ok()?.to_string() };
        Some(Self { business, chat, topic })
    }

    /// The chat that a message, or what happened to one, stands in.
    pub(crate) fn of(message: &Value) -> Option<Self> {
        Some(Self {
            business: message["business_connection_id"].as_str().map(str::to_owned),
            chat: message["chat"]["id"].as_i64()?.to_string(),
            topic: message["message_thread_id"].as_i64().filter(|_| flag(message, "is_topic_message")),
        })
    }

    /// What the API takes as `chat_id`.
    pub(crate) fn chat_id(&self) -> Value {
        self.chat.parse::<i64>().map_or_else(|_| self.chat.clone().into(), Into::into)
    }

    /// How a message is named here: its number is its chat's own, so the chat goes before it.
    pub(crate) fn message(&self, id: i64) -> String {
        format!("{}/{id}", Self { topic: None, ..self.clone() })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(business) = &self.business {
            write!(formatter, "{business}/")?;
        }
        formatter.write_str(&self.chat)?;
        self.topic.map_or(Ok(()), |topic| write!(formatter, "#{topic}"))
    }
}

/// The number in a message's name.
pub(crate) fn message_number(provider_message_id: &str) -> Option<i64> {
    provider_message_id.rsplit('/').next()?.parse().ok()
}

/// What a button sends back: an option's id and payload.
pub(crate) mod callback {
    /// Stands between the two, and in neither.
    const BETWEEN: char = '\u{1f}';

    /// The button's data.
    pub(crate) fn encode(id: &str, payload: &str) -> String {
        if payload.is_empty() && !id.contains(BETWEEN) {
            id.to_owned()
        } else {
            format!("{id}{BETWEEN}{payload}")
        }
    }

    /// An option's id and payload; data that another program made is an id.
    pub(crate) fn decode(data: &str) -> (&str, &str) {
        data.split_once(BETWEEN).unwrap_or((data, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_is_read_as_it_was_written() {
        for id in ["1111111", "-1001234567890#42", "AbC1/1111111", "@acme_news", "A/b/-5#1"] {
            assert_eq!(Peer::parse(id).map(|peer| peer.to_string()).as_deref(), Some(id));
        }
        for id in ["", "@", "ann", "AbC1/", "1#", "1#x", "99999999999999999999"] {
            assert_eq!(Peer::parse(id), None, "{id}");
        }
    }

    #[test]
    fn a_message_is_named_with_its_chat() {
        let peer = Peer { business: Some("AbC1".to_owned()), chat: "11".to_owned(), topic: None };
        assert_eq!(peer.message(7), "AbC1/11/7");
        assert_eq!(message_number("AbC1/11/7"), Some(7));
        assert_eq!(message_number("7"), Some(7));
        assert_eq!(message_number("their-1"), None);
    }
}
