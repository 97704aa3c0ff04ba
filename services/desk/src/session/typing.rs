//! How often an agent's typing becomes a fact. Pure.

use std::collections::HashMap;

/// So often at most is it said that an agent types in a conversation, in milliseconds.
const EVERY_MS: i64 = 3_000;
/// Conversations remembered.
const REMEMBERED: usize = 256;

/// What was said last, by conversation.
#[derive(Debug, Default)]
pub(super) struct Typing {
    said: HashMap<String, (bool, i64)>,
}

impl Typing {
    /// Whether this is to be said now. That the agent stopped is said at once, if it was said that it types.
    pub(super) fn says(&mut self, conversation: &str, on: bool, now_ms: i64) -> bool {
        let due = match self.said.get(conversation) {
            Some((_, at)) if on => now_ms - at >= EVERY_MS,
            Some((was, _)) => *was,
            None => on,
        };
        if due {
            if self.said.len() >= REMEMBERED {
                self.said.retain(|_, (_, at)| now_ms - *at < EVERY_MS);
            }
            let since = match self.said.get(conversation) {
                // Stopping does not open the door for starting again sooner.
                Some((_, at)) if !on => *at,
                _ => now_ms,
            };
            self.said.insert(conversation.to_owned(), (on, since));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::Typing;

    #[test]
    fn typing_is_said_every_three_seconds_and_its_end_once() {
        let mut typing = Typing::default();
        assert!(!typing.says("c", false, 0), "nothing to end");
        assert!(typing.says("c", true, 0));
        assert!(!typing.says("c", true, 2_999));
        assert!(typing.says("d", true, 2_999), "conversations are apart");
        assert!(typing.says("c", true, 3_000));
        assert!(typing.says("c", false, 3_100));
        assert!(!typing.says("c", false, 3_200));
        assert!(!typing.says("c", true, 5_999), "no faster by stopping in between");
        assert!(typing.says("c", true, 6_000));
    }
}
