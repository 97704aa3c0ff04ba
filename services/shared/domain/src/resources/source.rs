//! Documents with the place of every field, so that what is wrong can be pointed at.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Location, Spanned};

use super::{Problem, Problems};

/// Where something stands in a file. Both count from 1; 0 when it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: u64,
    /// Column, in characters.
    pub column: u64,
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

/// One document as plain data, and where each of its fields stands.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The data.
    pub(super) value: Value,
    /// Places by field path, such as `spec.regions[2].name`. The document itself has the empty path.
    places: BTreeMap<String, Place>,
    /// Places of the keys of mappings, by the path of what they hold.
    keys: BTreeMap<String, Place>,
}

impl Source {
    /// Where the name of a field stands.
    pub(super) fn key_place(&self, path: &str) -> Place {
        self.keys.get(path).copied().unwrap_or_else(|| self.place(path))
    }

    /// Where a field stands, or what is left of its path where the field itself is missing.
    pub(super) fn place(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return *place;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return self.places.get("").copied().unwrap_or_default(),
            }
        }
    }
}

/// Splits a file of YAML or JSON into its documents. A document that is a list counts as that many documents.
pub(super) fn read(file: &str, text: &str) -> Result<Vec<Source>, Problems> {
    let options = serde_saphyr::options! {
        // `NO` is Norway and `on` is a word; only true and false are booleans.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        emit_comments: false,
        // Room for a policy of thousands of rules; the default ends at some 8,000 rules of one line.
        budget: serde_saphyr::budget! { max_nodes: 1_000_000, max_events: 4_000_000 },
    };
    let documents: Vec<Spanned<Node>> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
            let place = error.location().map(Place::from).unwrap_or_default();
            // Without its snippet the error is one line, and quotes nothing but what is wrong.
            let message = error.without_snippet().to_string();
            Problem::new(file, place, "", "", message)
        })?;
    let mut sources = Vec::new();
    for document in documents {
        match document.value {
            Node::Seq(items) => sources.extend(items.into_iter().map(located)),
            _ => sources.push(located(document)),
        }
    }
    Ok(sources)
}

fn located(root: Spanned<Node>) -> Source {
    let mut source = Source { value: Value::Null, places: BTreeMap::new(), keys: BTreeMap::new() };
    source.value = settle(root, String::new(), &mut source);
    source
}

/// Turns a node into plain data and notes the places under `path`.
fn settle(node: Spanned<Node>, path: String, source: &mut Source) -> Value {
    let mut place = Place::from(node.referenced);
    let value = match node.value {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(value),
        Node::Number(value) => Value::Number(value),
        Node::Text(value) => Value::String(value),
        Node::Seq(items) => {
            place = source.keys.get(&path).copied().unwrap_or(place);
            let items = items.into_iter().enumerate();
            items.map(|(index, item)| settle(item, format!("{path}[{index}]"), source)).collect()
        }
        Node::Map(entries) => {
            // What is wrong with a whole block is shown at its key, what is wrong with a value at the value.
            place = source.keys.get(&path).copied().unwrap_or(place);
            let mut map = Map::new();
            for (key, value) in entries {
                let inner = if path.is_empty() { key.value.clone() } else { format!("{path}.{}", key.value) };
                source.keys.insert(inner.clone(), key.referenced.into());
                map.insert(key.value, settle(value, inner, source));
            }
            Value::Object(map)
        }
    };
    source.places.insert(path, place);
    value
}

/// A node of a document before it is known what it should be.
enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Seq(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain data")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        Number::from_f64(value).map(Node::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
