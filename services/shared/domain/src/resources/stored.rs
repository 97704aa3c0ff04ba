//! A resource in force.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};
use serde_json::Value;

use super::Resource;

/// A resource as it stands in the store, with who applied it and when beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The resource.
    pub resource: Resource,
    /// How often it was applied with a change, from 1.
    pub version: u64,
    /// Who applied this version.
    pub applied_by: String,
    /// When this version was applied.
    pub applied_at: Timestamp,
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = serializer.serialize_struct("Stored", 4)?;
        written.serialize_field("resource", &self.resource.to_json())?;
        written.serialize_field("version", &self.version)?;
        written.serialize_field("applied_by", &self.applied_by)?;
        written.serialize_field("applied_at", &self.applied_at)?;
        written.end()
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Read {
            resource: Value,
            version: u64,
            applied_by: String,
            applied_at: Timestamp,
        }
        let read = Read::deserialize(deserializer)?;
        Ok(Self {
            resource: Resource::from_json(&read.resource).map_err(serde::de::Error::custom)?,
            version: read.version,
            applied_by: read.applied_by,
            applied_at: read.applied_at,
        })
    }
}
