//! Why a condition is refused.

/// Why a condition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConditionError {
    /// What is wrong, with the name of what is.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl ConditionError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), suggestion: None }
    }

    pub(super) fn meaning(message: impl Into<String>, suggestion: Option<impl Into<String>>) -> Self {
        Self { message: message.into(), suggestion: suggestion.map(Into::into) }
    }
}
