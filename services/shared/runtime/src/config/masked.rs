//! What is in force, for a person to read.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::Value as Json;

use super::values::masked_urls;

/// One setting in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The key with dots between its parts.
    pub key: String,
    /// Its value, masked where it is a secret. Null when it is not set and has no default.
    pub value: Json,
    /// The file, environment variable or flag it came from, or `defaults`.
    pub source: String,
}

/// Every setting in force, in the order of its key. Prints one line each: `key = value  # source`.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Masked {
    /// The settings.
    pub entries: Vec<Entry>,
}

impl Masked {
    pub(super) fn new(
        sections: &BTreeMap<&'static str, Json>,
        origin: impl Fn(&[&str]) -> Option<String>,
    ) -> Self {
        let mut entries = Vec::new();
        for (name, section) in sections {
            flatten(&mut vec![*name], section, &origin, &mut entries);
        }
        Self { entries }
    }
}

fn flatten<'a>(
    path: &mut Vec<&'a str>,
    value: &'a Json,
    origin: &impl Fn(&[&str]) -> Option<String>,
    entries: &mut Vec<Entry>,
) {
    match value {
        Json::Object(fields) if !fields.is_empty() || path.len() == 1 => {
            for (key, inner) in fields {
                path.push(key);
                flatten(path, inner, origin, entries);
                path.pop();
            }
        }
        _ => entries.push(Entry {
            key: path.join("."),
            value: mask_urls(value),
            source: origin(path).unwrap_or_else(|| "defaults".to_owned()),
        }),
    }
}

/// The second line of defence: a password inside a URL is masked even where the setting's author forgot.
fn mask_urls(value: &Json) -> Json {
    match value {
        Json::String(text) => Json::String(masked_urls(text)),
        Json::Array(items) => Json::Array(items.iter().map(mask_urls).collect()),
        other => other.clone(),
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.entries.iter().map(|entry| entry.key.len()).max().unwrap_or(0);
        for Entry { key, value, source } in &self.entries {
            match value {
                Json::Null => writeln!(f, "{key:width$} =  # not set")?,
                Json::String(text) => writeln!(f, "{key:width$} = {text}  # {source}")?,
                other => writeln!(f, "{key:width$} = {other}  # {source}")?,
            }
        }
        Ok(())
    }
}
