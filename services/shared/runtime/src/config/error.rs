//! What can be wrong with a configuration.

use std::path::PathBuf;

/// A configuration that a service must not start with. Says which key, where it was set, and what to do about it;
/// never the value, which may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A configuration file that is missing, unreadable, or not YAML or TOML.
    #[error("cannot read the configuration file {}: {reason}", path.display())]
    File {
        /// The file as it was given.
        path: PathBuf,
        /// What the reader or parser said.
        reason: String,
    },
    /// A key that nothing reads.
    #[error("unknown key `{key}` (from {origin}){}", suggestion(nearest.as_deref()))]
    UnknownKey {
        /// The key with dots between its parts.
        key: String,
        /// The file, environment variable or flag it came from.
        origin: String,
        /// The known key that looks most like it, if any looks like it at all.
        nearest: Option<String>,
    },
    /// A value that is not what its key wants.
    #[error("`{key}` (from {origin}): {reason}")]
    Invalid {
        /// The key with dots between its parts.
        key: String,
        /// The file, environment variable or flag it came from.
        origin: String,
        /// What was expected and what kind of thing was found.
        reason: String,
    },
    /// A key that has no default and was not set.
    #[error("`{key}` is not set; set it in a file or as {}", super::settings::variable(key))]
    Missing {
        /// The key with dots between its parts.
        key: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

/// The candidate that needs the fewest edits to become `word`, if that is few enough for a slip of the fingers.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance, one row at a time.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}
