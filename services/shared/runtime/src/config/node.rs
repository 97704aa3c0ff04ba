//! Reads typed settings out of the merged tree, keeping hold of the key and the source of whatever is wrong.
//!
//! `config` has a deserializer of its own; its errors lose the path, the source and the list of known keys, which are
//! what a person needs.

use std::fmt;

use config::{Value, ValueKind};
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
    value::{MapAccessDeserializer, StringDeserializer},
};

use super::{ConfigError, error::nearest};

/// Reads `value`, which stands at `key` (empty for the root), as a `T`.
pub(super) fn read<T: de::DeserializeOwned>(value: &Value, key: &str) -> Result<T, ConfigError> {
    T::deserialize(Node(value)).map_err(|error| error.into_config_error(key))
}

/// One value of the tree.
struct Node<'a>(&'a Value);

/// What went wrong and, filled in on the way up, where.
#[derive(Debug)]
struct NodeError {
    /// Innermost key first.
    path: Vec<String>,
    origin: Option<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Unknown { field: String, expected: &'static [&'static str] },
    Missing(&'static str),
    Other(String),
}

impl NodeError {
    fn new(kind: Kind) -> Self {
        Self { path: Vec::new(), origin: None, kind }
    }

    /// Says that it happened below `key`. The innermost known source wins.
    fn below(mut self, key: String, value: &Value) -> Self {
        self.path.push(key);
        self.at(value)
    }

    fn at(mut self, value: &Value) -> Self {
        if self.origin.is_none() {
            self.origin = deepest(value).origin().map(str::to_owned);
        }
        self
    }

    fn into_config_error(self, key: &str) -> ConfigError {
        let mut parts: Vec<&str> = self.path.iter().map(String::as_str).rev().collect();
        if !key.is_empty() {
            parts.insert(0, key);
        }
        let origin = self.origin.unwrap_or_else(|| "defaults".to_owned());
        match self.kind {
            Kind::Unknown { field, expected } => {
                parts.push(&field);
                let key = parts.join(".");
                let nearest = nearest(&field, expected.iter().copied()).map(|found| {
                    parts.pop();
                    parts.push(found);
                    parts.join(".")
                });
                ConfigError::UnknownKey { key, origin, nearest }
            }
            Kind::Missing(field) => {
                parts.push(field);
                ConfigError::Missing { key: parts.join(".") }
            }
            Kind::Other(reason) => ConfigError::Invalid { key: parts.join("."), origin, reason },
        }
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for NodeError {}

impl de::Error for NodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Kind::Other(message.to_string()))
    }

    // The value itself is left out: it may be a secret that slipped into the wrong key.
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            Unexpected::Bool(_) => "a truth value",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
            Unexpected::Str(_) | Unexpected::Char(_) => "text",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a table of keys",
            Unexpected::Option | Unexpected::Unit => "nothing",
            _ => "something else",
        };
        Self::new(Kind::Other(format!("expected {expected}, found {found}")))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Kind::Other(format!("expected {expected}")))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::Other(format!("expected one of {}", expected.join(", "))))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::Unknown { field: field.to_owned(), expected })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Missing(field))
    }
}

impl Node<'_> {
    fn number<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, NodeError> {
        match &self.0.kind {
            ValueKind::I64(value) => visitor.visit_i64(*value),
            ValueKind::U64(value) => visitor.visit_u64(*value),
            ValueKind::I128(value) => visitor.visit_i128(*value),
            ValueKind::U128(value) => visitor.visit_u128(*value),
            ValueKind::Float(value) => visitor.visit_f64(*value),
            ValueKind::String(text) => {
                let text = text.trim();
                if let Ok(value) = text.parse::<u64>() {
                    visitor.visit_u64(value)
                } else if let Ok(value) = text.parse::<i64>() {
                    visitor.visit_i64(value)
                } else if let Ok(value) = text.parse::<f64>() {
                    visitor.visit_f64(value)
                } else {
                    Err(de::Error::invalid_type(Unexpected::Str(text), &visitor))
                }
            }
            _ => Err(de::Error::invalid_type(unexpected(self.0), &visitor)),
        }
        .map_err(|error: NodeError| error.at(self.0))
    }
}

/// Methods that all read a number, and differ only in what the visitor makes of it.
macro_rules! numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
            self.number(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = NodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        match &self.0.kind {
            ValueKind::Nil => visitor.visit_unit(),
            ValueKind::Boolean(value) => visitor.visit_bool(*value),
            ValueKind::String(value) => visitor.visit_str(value),
            ValueKind::Array(_) => return self.deserialize_seq(visitor),
            ValueKind::Table(_) => return self.deserialize_map(visitor),
            _ => return self.number(visitor),
        }
        .map_err(|error: NodeError| error.at(self.0))
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        let found = match &self.0.kind {
            ValueKind::Boolean(value) => Some(*value),
            ValueKind::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        match found {
            Some(value) => visitor.visit_bool(value),
            None => Err(de::Error::invalid_type(unexpected(self.0), &"true or false")),
        }
        .map_err(|error: NodeError| error.at(self.0))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        match &self.0.kind {
            ValueKind::String(text) => visitor.visit_str(text),
            ValueKind::Boolean(value) => visitor.visit_string(value.to_string()),
            ValueKind::I64(value) => visitor.visit_string(value.to_string()),
            ValueKind::U64(value) => visitor.visit_string(value.to_string()),
            ValueKind::I128(value) => visitor.visit_string(value.to_string()),
            ValueKind::U128(value) => visitor.visit_string(value.to_string()),
            ValueKind::Float(value) => visitor.visit_string(value.to_string()),
            _ => Err(de::Error::invalid_type(unexpected(self.0), &"text")),
        }
        .map_err(|error: NodeError| error.at(self.0))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.deserialize_string(visitor)
    }

    /// An empty text counts as unset: that is how an environment variable or a chart value takes a default away.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        match &self.0.kind {
            ValueKind::Nil => visitor.visit_none(),
            ValueKind::String(text) if text.is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(Node(self.0)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, NodeError> {
        visitor.visit_newtype_struct(self)
    }

    /// A list, or text with commas, which is what an environment variable can hold.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        let origin = self.0.origin().map(str::to_owned);
        let split: Vec<Value>;
        let items = match &self.0.kind {
            ValueKind::Array(items) => items.as_slice(),
            ValueKind::String(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                split = parts
                    .map(|part| Value::new(origin.as_ref(), ValueKind::String(part.to_owned())))
                    .collect();
                &split
            }
            _ => return Err(NodeError::at(de::Error::invalid_type(unexpected(self.0), &"a list"), self.0)),
        };
        visitor.visit_seq(Items { items: items.iter(), next: 0 }).map_err(|error| error.at(self.0))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, NodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        let mut fields: Vec<(&String, &Value)> = match &self.0.kind {
            ValueKind::Table(table) => table.iter().collect(),
            ValueKind::Nil => Vec::new(),
            _ => {
                return Err(NodeError::at(
                    de::Error::invalid_type(unexpected(self.0), &"a table of keys"),
                    self.0,
                ));
            }
        };
        // The tree is a hash map: sorted, the same mistake is reported every time.
        fields.sort_by_key(|(key, _)| *key);
        visitor
            .visit_map(Fields { fields: fields.into_iter(), value: None })
            .map_err(|error| error.at(self.0))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NodeError> {
        match &self.0.kind {
            ValueKind::String(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            ValueKind::Table(table) => {
                let fields = table.iter().collect::<Vec<_>>().into_iter();
                visitor.visit_enum(MapAccessDeserializer::new(Fields { fields, value: None }))
            }
            _ => Err(de::Error::invalid_type(unexpected(self.0), &"the name of a choice")),
        }
        .map_err(|error: NodeError| error.at(self.0))
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct tuple_struct ignored_any }
}

fn unexpected(value: &Value) -> Unexpected<'_> {
    match &value.kind {
        ValueKind::Nil => Unexpected::Unit,
        ValueKind::Boolean(value) => Unexpected::Bool(*value),
        ValueKind::String(text) => Unexpected::Str(text),
        ValueKind::Table(_) => Unexpected::Map,
        ValueKind::Array(_) => Unexpected::Seq,
        _ => Unexpected::Float(0.0),
    }
}

struct Items<'a> {
    items: std::slice::Iter<'a, Value>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = NodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, NodeError> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Node(item)).map(Some).map_err(|error| error.below(index.to_string(), item))
    }
}

struct Fields<'a> {
    fields: std::vec::IntoIter<(&'a String, &'a Value)>,
    value: Option<(&'a String, &'a Value)>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = NodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NodeError> {
        let Some((key, value)) = self.fields.next() else { return Ok(None) };
        self.value = Some((key, value));
        let name: StringDeserializer<NodeError> = key.clone().into_deserializer();
        // An unknown key is where its own value was set, which may be another file than its table's.
        seed.deserialize(name).map(Some).map_err(|error| error.at(value))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, NodeError> {
        let (key, value) = self.value.take().expect("serde asks for a value only after its key");
        seed.deserialize(Node(value)).map_err(|error| error.below(key.clone(), value))
    }
}

/// The first value below a table that knows where it was set; tables made while merging do not.
pub(super) fn deepest(value: &Value) -> &Value {
    match &value.kind {
        ValueKind::Table(table) if value.origin().is_none() => {
            table.iter().min_by_key(|(key, _)| *key).map_or(value, |(_, inner)| deepest(inner))
        }
        _ => value,
    }
}
