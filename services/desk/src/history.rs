//! A conversation's events, which are its subject on the public stream.

use std::collections::VecDeque;

use heliograph_fabric::{
    LogError, RangeReader, Stream,
    subjects::{EventFilter, NONE, is_token},
};
use heliograph_proto::v1::{DeskEvent, Event, History};

use crate::{auth::Identity, session::Shared, tail::Item, view::party};

/// Events in one answer unless the client asks for fewer.
const USUAL: usize = 200;
/// Most events in one answer.
const MOST: usize = 500;

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    /// Not a conversation's id.
    #[error("that is not a conversation")]
    NoConversation,
    /// Not this agent's, and never was; or there is no such conversation, which is not told apart.
    #[error("this conversation is not yours to read")]
    Forbidden,
    /// The stream cannot be read.
    #[error("the history cannot be read now")]
    Broker(#[from] LogError),
}

impl HistoryError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoConversation => "no_conversation",
            Self::Forbidden => "forbidden",
            Self::Broker(_) => "broker_away",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) conversation: String,
    /// Events before this sequence; 0: the newest.
    pub(crate) before: u64,
    /// As the client asked; 0 is the usual.
    pub(crate) limit: i32,
}

/// By what right a history is read.
#[derive(Debug, Clone)]
pub(crate) enum Reader {
    /// The agent has the conversation before it now.
    Allowed,
    /// The agent has conversations of these contacts before it: theirs may be read. Otherwise the conversation itself
    /// must tell that it once was the agent's.
    Serving(Vec<String>),
}

/// The newest events before a place, oldest first.
pub(crate) async fn load(
    shared: &Shared,
    identity: &Identity,
    page: &Page,
    reader: &Reader,
) -> Result<History, HistoryError> {
    let limit = limit(page.limit);
    let conversation = page.conversation.as_str();
    if !is_token(conversation) || conversation == NONE {
        return Err(HistoryError::NoConversation);
    }
    let filter =
        EventFilter { tenant: &identity.tenant, conversation: Some(conversation), ..EventFilter::default() };
    let subject = filter.subject().map_err(|_| HistoryError::NoConversation)?;
    let mut allowed = identity.supervisor
        || match reader {
            Reader::Allowed => true,
            Reader::Serving(contacts) => {
                shared.people.held_with(&identity.tenant, contacts, conversation).await
            }
        };
    let mut range = RangeReader::open(&shared.fabric, Stream::Events, [subject], 0).await?;
    let mut newest = VecDeque::new();
    let mut more = false;
    while let Some(record) = range.next().await? {
        let reached = page.before != 0 && record.seq >= page.before;
        if reached && allowed {
            break;
        }
        let Some(item) = Item::of(&record) else { continue };
        allowed |= was_before(&item.event, &identity.agent);
        if reached {
            continue;
        }
        if newest.len() >= limit {
            newest.pop_front();
            more = true;
        }
        newest.push_back(DeskEvent { sequence: item.sequence, event: Some(item.event) });
    }
    if !allowed {
        return Err(HistoryError::Forbidden);
    }
    Ok(History { conversation: conversation.to_owned(), events: newest.into(), more })
}

/// Whether an event says that the conversation was offered to the agent, or the agent's. Answers to commands do not: an
/// agent may send those about any conversation.
fn was_before(event: &Event, agent: &str) -> bool {
    let told = matches!(event.r#type.split_once('.'), Some(("reservation" | "conversation", _)));
    told && party(event) == Some(agent)
}

fn limit(asked: i32) -> usize {
    match usize::try_from(asked) {
        Ok(0) | Err(_) => USUAL,
        Ok(asked) => asked.min(MOST),
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, USUAL, limit};

    #[test]
    fn limits_are_kept() {
        assert_eq!([0, -1, 1, 500, 501].map(limit), [USUAL, USUAL, 1, 500, MOST]);
    }
}
