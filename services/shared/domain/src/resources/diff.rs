//! What changed between two versions of a resource.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::Resource;

/// What stands for the value of a secret.
const MASK: &str = "********";

/// One field that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The field, such as `spec.regions[2].channels[0]`.
    pub path: String,
    /// What it was; absent when it is new. Secrets are masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What it is; absent when it is gone. Secrets are masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// The fields in which two versions differ, in the order of the path. Nothing when they say the same, however written.
pub fn diff(old: &Resource, new: &Resource) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(String::new(), Some(&old.to_json()), Some(&new.to_json()), &mut changes);
    changes
}

fn compare(path: String, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(inner, old.get(key), new.get(key), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(format!("{path}[{index}]"), old.get(index), new.get(index), changes);
            }
        }
        (old, new) if old == new => {}
        (old, new) => {
            let (old, new) = (old.map(|value| masked(&path, value)), new.map(|value| masked(&path, value)));
            changes.push(Change { path, old, new });
        }
    }
}

/// The value without secrets: what stands under `value` in a secret reference.
fn masked(path: &str, value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), masked(&format!("{path}.{key}"), value))).collect()
        }
        Value::Array(items) => items.iter().map(|item| masked(path, item)).collect(),
        plain if is_secret(path) => match plain {
            Value::Null => Value::Null,
            _ => Value::from(MASK),
        },
        plain => plain.clone(),
    }
}

fn is_secret(path: &str) -> bool {
    let holder = path.strip_suffix(".value");
    holder.is_some_and(|holder| {
        matches!(holder, "spec.password" | "spec.secret") || holder.starts_with("spec.secrets.")
    })
}
