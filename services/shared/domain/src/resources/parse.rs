//! From text to resources, and between resources and JSON.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    API_VERSION, Kind, Metadata, Place, Problem, Problems, Resource, Spec,
    source::{self, Source},
};
use crate::nearest::nearest;

/// A resource that was read from a file, and remembers where its fields stand.
#[derive(Debug, Clone)]
pub struct Document {
    /// The resource.
    pub resource: Resource,
    file: String,
    source: Source,
}

impl Document {
    /// Where a field stands in its file; the nearest field above it when it is not written.
    pub fn place(&self, path: &str) -> Place {
        self.source.place(path)
    }

    /// A problem with one of its fields.
    pub fn problem(&self, path: &str, message: impl Into<String>) -> Problem {
        let resource = self.resource.key().to_string();
        Problem::new(&self.file, self.place(path), &resource, path, message)
    }
}

/// Reads every resource of a file: YAML documents, or JSON, or lists of either. `file` is only named in problems.
///
/// # Errors
/// All problems of all documents. Syntax errors hide what comes after them.
pub fn parse(file: &str, text: &str) -> Result<Vec<Document>, Problems> {
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    for source in source::read(file, text)? {
        match from_value(&source.value) {
            Ok(resource) => documents.push(Document { resource, file: file.to_owned(), source }),
            Err(error) => problems.push(error.at(file, &title(&source.value), &source)),
        }
    }
    if problems.is_empty() { Ok(documents) } else { Err(Problems(problems)) }
}

impl Resource {
    /// Reads a resource from JSON as [`Self::to_json`] writes it.
    pub fn from_json(value: &Value) -> Result<Self, JsonError> {
        from_value(value).map_err(|error| JsonError { path: error.path, message: error.message })
    }

    /// Canonical JSON: keys sorted, defaults written out. Equal resources have equal canonical JSON, byte for byte.
    pub fn to_json(&self) -> Value {
        sorted(serde_json::to_value(self).expect("resources have string keys and finite numbers"))
    }
}

/// Why JSON is no resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct JsonError {
    /// The field.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

pub(super) struct FieldError {
    path: String,
    message: String,
    suggestion: Option<String>,
}

impl FieldError {
    fn new(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), message: message.into(), suggestion: None }
    }

    /// The same as a problem of a file.
    pub(super) fn at(self, file: &str, title: &str, source: &Source) -> Problem {
        // A name that is wrong is shown where the name stands.
        let at_key = self.message.starts_with("unknown field");
        let place = if at_key { source.key_place(&self.path) } else { source.place(&self.path) };
        let mut problem = Problem::new(file, place, title, &self.path, self.message);
        problem.suggestion = self.suggestion;
        problem
    }
}

/// The fields of a resource.
const FIELDS: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];

fn from_value(value: &Value) -> Result<Resource, FieldError> {
    let Value::Object(fields) = value else {
        return Err(FieldError::new("", "a resource is a mapping with apiVersion, kind, metadata and spec"));
    };
    if let Some(unknown) = fields.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        let mut error =
            FieldError::new(unknown, format!("unknown field, expected one of {}", FIELDS.join(", ")));
        error.suggestion = nearest(unknown, FIELDS).map(str::to_owned);
        return Err(error);
    }
    match fields.get("apiVersion") {
        Some(Value::String(version)) if version == API_VERSION => {}
        Some(_) => return Err(FieldError::new("apiVersion", format!("must be {API_VERSION}"))),
        None => return Err(FieldError::new("", format!("missing field apiVersion ({API_VERSION})"))),
    }
    let kind = kind(fields)?;
    let mut metadata: Metadata = field(fields, "metadata")?;
    if kind == Kind::Tenant && metadata.tenant.is_empty() {
        metadata.tenant.clone_from(&metadata.name);
    }
    let spec = match kind {
        Kind::Tenant => Spec::Tenant(field(fields, "spec")?),
        Kind::ChannelAccount => Spec::ChannelAccount(field(fields, "spec")?),
        Kind::ChannelPolicy => Spec::ChannelPolicy(field(fields, "spec")?),
        Kind::Queue => Spec::Queue(field(fields, "spec")?),
        Kind::RoutingRule => Spec::RoutingRule(field(fields, "spec")?),
        Kind::Agent => Spec::Agent(field(fields, "spec")?),
        Kind::WebhookEndpoint => Spec::WebhookEndpoint(field(fields, "spec")?),
        Kind::Calendar => Spec::Calendar(field(fields, "spec")?),
    };
    Ok(Resource { metadata, spec })
}

fn kind(fields: &Map<String, Value>) -> Result<Kind, FieldError> {
    let names = || Kind::ALL.into_iter().map(Kind::as_str);
    match fields.get("kind") {
        Some(Value::String(name)) => {
            Kind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
                let mut error = FieldError::new("kind", format!("unknown kind {name:?}"));
                let same = names().find(|known| known.eq_ignore_ascii_case(name));
                error.suggestion = same.or_else(|| nearest(name, names())).map(str::to_owned);
                error
            })
        }
        Some(_) => Err(FieldError::new("kind", "expected a string")),
        None => {
            let names: Vec<&str> = names().collect();
            Err(FieldError::new("", format!("missing field kind, one of {}", names.join(", "))))
        }
    }
}

/// Reads one of a resource's fields strictly, and says which field inside it is wrong.
fn field<T: DeserializeOwned>(fields: &Map<String, Value>, name: &str) -> Result<T, FieldError> {
    let value = fields.get(name).ok_or_else(|| FieldError::new("", format!("missing field {name}")))?;
    strictly(value, name)
}

/// Reads what stands at the path `name`, empty for a whole document.
pub(super) fn strictly<T: DeserializeOwned>(value: &Value, name: &str) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let inner = error.path().to_string();
        let path = match inner.as_str() {
            "." => name.to_owned(),
            inner if name.is_empty() => inner.to_owned(),
            inner if inner.starts_with('[') => format!("{name}{inner}"),
            inner => format!("{name}.{inner}"),
        };
        let message = error.inner().to_string();
        let suggestion = meant(&message);
        let hint = if message.starts_with("invalid type: null") && path.ends_with(']') {
            "; a text that starts with ! must stand in quotes"
        } else if message.starts_with("invalid type: integer") && message.ends_with("expected a string") {
            "; write it in quotes"
        } else {
            ""
        };
        FieldError { path, message: format!("{message}{hint}"), suggestion }
    })
}

/// What was meant by the unknown field or variant that serde complains about: it quotes the unknown word first and the
/// known ones after it.
fn meant(message: &str) -> Option<String> {
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return None;
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let unknown = words.next()?;
    nearest(unknown, words).map(str::to_owned)
}

/// `Kind/name` as far as the document says so.
fn title(value: &Value) -> String {
    let kind = value.get("kind").and_then(Value::as_str);
    let name = value.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Value::as_str);
    match (kind, name) {
        (Some(kind), Some(name)) => format!("{kind}/{name}"),
        (Some(kind), None) => kind.to_owned(),
        _ => String::new(),
    }
}

/// The same value with the keys of every object in order, whatever order the JSON library keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|one, two| one.0.cmp(&two.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        plain => plain,
    }
}
