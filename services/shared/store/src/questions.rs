//! Questions that went out with numbered options, so that a typed "2" finds its way back to the option it means.
//!
//! A channel without buttons shows a question as text. The options are remembered for the customer's address, the
//! latest question only: that is the one a person answers. Losing it costs a tap that reads as text.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::connection::{Redis, RedisError};
use crate::keys;
use crate::models::{Fields, ReadModel};

/// How long an answer is waited for.
pub const TTL: Duration = Duration::from_hours(7 * 24);

/// An option as the customer saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// `Option.id`.
    pub id: String,
    /// What it was called.
    pub title: String,
    /// What is carried back with the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub payload: String,
}

/// The latest question on an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The message that asked.
    pub message_id: String,
    /// Its options; the first has the number 1.
    pub options: Vec<Asked>,
}

impl Question {
    /// The option that `typed` means: its number, or its exact title whatever the case.
    pub fn answer(&self, typed: &str) -> Option<&Asked> {
        let typed = typed.trim();
        if let Ok(number) = typed.trim_end_matches(['.', ')']).parse::<usize>() {
            return self.options.get(number.checked_sub(1)?);
        }
        let lower = typed.to_lowercase();
        self.options.iter().find(|option| !lower.is_empty() && option.title.trim().to_lowercase() == lower)
    }
}

/// The latest questions of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Questions {
    model: ReadModel,
}

impl Questions {
    /// Questions kept in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { model: ReadModel::new(redis, "question", TTL) }
    }

    /// Remembers what `message_id` asked whoever has this address.
    pub async fn remember(
        &self,
        tenant: &str,
        channel: &str,
        account: &str,
        user_id: &str,
        message_id: &str,
        options: &[Asked],
    ) -> Result<(), RedisError> {
        let options = serde_json::to_string(options).expect("strings serialize");
        let fields =
            Fields::from([("message".to_owned(), message_id.to_owned()), ("options".to_owned(), options)]);
        self.model.put(tenant, &keys::address(channel, account, user_id), &fields).await
    }

    /// The latest question on this address; none when nothing was asked, or Redis has lost it.
    pub async fn recall(
        &self,
        tenant: &str,
        channel: &str,
        account: &str,
        user_id: &str,
    ) -> Result<Option<Question>, RedisError> {
        let found = self.model.get(tenant, &keys::address(channel, account, user_id)).await?;
        Ok(found.and_then(|mut fields| {
            let options = serde_json::from_str(fields.get("options")?).ok()?;
            Some(Question { message_id: fields.remove("message")?, options })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Question};

    #[test]
    fn numbers_and_titles_are_answers_and_nothing_else_is() {
        let option =
            |id: &str, title: &str| Asked { id: id.into(), title: title.into(), payload: String::new() };
        let question = Question {
            message_id: "msg_1".into(),
            options: vec![option("a", "Blau"), option("b", "Größe Ä"), option("c", "7")],
        };
        let answer = |typed: &str| question.answer(typed).map(|option| option.id.as_str());
        assert_eq!(answer("1"), Some("a"));
        assert_eq!(answer(" 2. "), Some("b"));
        assert_eq!(answer("GRÖSSE ä"), None);
        assert_eq!(answer("größe ä"), Some("b"));
        assert_eq!(answer("blau"), Some("a"));
        for nothing in ["", "0", "4", "blau bitte", "-1"] {
            assert_eq!(answer(nothing), None, "{nothing}");
        }
    }
}
