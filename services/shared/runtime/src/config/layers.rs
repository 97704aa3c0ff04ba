//! Layers that do not come from files: defaults, environment variables, flags. Each value remembers where it was set.

use config::{Map, Source, Value, ValueKind};

use super::{ConfigError, settings::ENV_PREFIX};

/// A layer made of single keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs {
    entries: Vec<(Vec<String>, Value)>,
}

impl Pairs {
    /// Adds `section.key`.
    pub(super) fn set(&mut self, key: &str, value: &str, origin: &str) {
        let path = key.split('.').map(str::to_owned).collect();
        self.entries.push((path, value_of(value, origin)));
    }

    /// Takes every `HELIOGRAPH__…` variable. Names are folded to lower case; `__` goes one level down.
    pub(super) fn from_env(variables: &[(String, String)]) -> Result<Self, ConfigError> {
        let mut pairs = Self::default();
        // Sorted, so that `…__CHANNELS={…}` stands before `…__CHANNELS__SMS__ENDPOINT` whatever the environment's order.
        let mut variables: Vec<_> = variables.iter().collect();
        variables.sort();
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(ENV_PREFIX) else { continue };
            let path: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
            let origin = format!("environment variable {name}");
            if path.iter().any(String::is_empty) {
                let reason = "expected HELIOGRAPH__SECTION__KEY".to_owned();
                return Err(ConfigError::Invalid { key: path.join("."), origin, reason });
            }
            pairs.entries.push((path, value_of(value, &origin)));
        }
        Ok(pairs)
    }
}

impl Source for Pairs {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        let mut root = Map::new();
        for (path, value) in &self.entries {
            insert(&mut root, path, value.clone());
        }
        Ok(root)
    }
}

fn insert(table: &mut Map<String, Value>, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return;
    }
    let origin = value.origin().map(str::to_owned);
    let child = table
        .entry(first.clone())
        .or_insert_with(|| Value::new(origin.as_ref(), ValueKind::Table(Map::new())));
    if !matches!(child.kind, ValueKind::Table(_)) {
        *child = Value::new(origin.as_ref(), ValueKind::Table(Map::new()));
    }
    if let ValueKind::Table(inner) = &mut child.kind {
        insert(inner, rest, value);
    }
}

/// Text stays text until a setting's type says otherwise, so that a password of digits keeps its zeros. Only what is
/// plainly a JSON object or list is read as one.
fn value_of(text: &str, origin: &str) -> Value {
    let origin = origin.to_owned();
    if text.starts_with(['{', '['])
        && let Ok(json) = serde_json::from_str(text)
    {
        return from_json(json, &origin);
    }
    Value::new(Some(&origin), ValueKind::String(text.to_owned()))
}

fn from_json(json: serde_json::Value, origin: &String) -> Value {
    use serde_json::Value as Json;
    let kind = match json {
        Json::Null => ValueKind::Nil,
        Json::Bool(value) => ValueKind::Boolean(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => ValueKind::I64(value),
            (None, Some(value)) => ValueKind::U64(value),
            (None, None) => ValueKind::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(value) => ValueKind::String(value),
        Json::Array(items) => {
            ValueKind::Array(items.into_iter().map(|item| from_json(item, origin)).collect())
        }
        Json::Object(fields) => {
            ValueKind::Table(fields.into_iter().map(|(key, value)| (key, from_json(value, origin))).collect())
        }
    };
    Value::new(Some(origin), kind)
}
