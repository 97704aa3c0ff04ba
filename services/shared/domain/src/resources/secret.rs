//! References to secrets.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// Where a secret is found. Resources hold references, never secrets; `value` is for development only, and [`validate`]
/// refuses it elsewhere.
///
/// [`validate`]: super::validate
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretRef {
    /// Name of an environment variable of the process that needs the secret.
    Env(String),
    /// Path of a file, such as a mounted Kubernetes secret. One trailing line break is not part of the secret.
    File(String),
    /// The secret itself, in development.
    #[serde(serialize_with = "expose", deserialize_with = "conceal")]
    Value(SecretString),
}

impl SecretRef {
    /// Finds the secret. `lookup` reads the environment variable or file of an `env` or `file` reference and answers none
    /// when there is none; it is never called for `value`.
    pub fn resolve(&self, lookup: impl FnOnce(&Self) -> Option<String>) -> Result<SecretString, SecretError> {
        let found = match self {
            Self::Value(value) => return Ok(value.clone()),
            Self::Env(_) => lookup(self),
            Self::File(_) => lookup(self).map(|content| {
                let end = content.strip_suffix('\n').unwrap_or(&content);
                end.strip_suffix('\r').unwrap_or(end).to_owned()
            }),
        };
        match found {
            None => Err(SecretError::Missing(self.to_string())),
            Some(secret) if secret.is_empty() => Err(SecretError::Empty(self.to_string())),
            Some(secret) => Ok(secret.into()),
        }
    }

    /// Whether it carries the secret itself.
    pub fn is_inline(&self) -> bool {
        matches!(self, Self::Value(_))
    }
}

/// Says where the secret is found, never the secret.
impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Value(_) => f.write_str("inline value"),
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for SecretRef {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Env(one), Self::Env(two)) | (Self::File(one), Self::File(two)) => one == two,
            (Self::Value(one), Self::Value(two)) => one.expose_secret() == two.expose_secret(),
            _ => false,
        }
    }
}

impl Eq for SecretRef {}

/// One secret, or several while it is being rotated: the first signs, all of them are accepted. Written as one reference
/// or as a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRefs(pub Vec<SecretRef>);

impl SecretRefs {
    /// The references, the one that signs first.
    pub fn iter(&self) -> impl Iterator<Item = &SecretRef> {
        self.0.iter()
    }
}

impl Serialize for SecretRefs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => only.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SecretRefs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;

        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = SecretRefs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reference such as {env: NAME}, or a list of them")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretRefs, A::Error> {
                SecretRef::deserialize(MapAccessDeserializer::new(map)).map(|one| SecretRefs(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<SecretRefs, A::Error> {
                let mut several = Vec::new();
                while let Some(one) = seq.next_element()? {
                    several.push(one);
                }
                Ok(SecretRefs(several))
            }
        }

        deserializer.deserialize_any(OneOrSeveral)
    }
}

/// Why a secret was not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing stands where the reference points.
    #[error("no secret found: {0} is not there or not readable")]
    Missing(String),
    /// What stands there is empty.
    #[error("no secret found: {0} is empty")]
    Empty(String),
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

fn conceal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}
