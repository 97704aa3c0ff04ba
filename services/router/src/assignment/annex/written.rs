//! How the annex is written into snapshots.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{super::blob::Blob, Annex, Known, Manner};

/// The annex as it is written: verdicts once each.
#[derive(Serialize, Deserialize)]
struct Written {
    verdicts: Vec<Blob>,
    conversations: BTreeMap<String, WrittenKnown>,
    configured: BTreeMap<String, String>,
    #[serde(default)]
    manners: BTreeMap<String, Manner>,
}

#[derive(Serialize, Deserialize)]
struct WrittenKnown {
    address: Blob,
    /// Index into the verdicts.
    verdict: u32,
    window: Blob,
    last_inbound_ms: i64,
    #[serde(default)]
    note: String,
    #[serde(default)]
    held: Vec<String>,
    #[serde(default)]
    language: String,
    #[serde(default)]
    callback: Blob,
    #[serde(default)]
    consult: Blob,
    #[serde(default)]
    handovers: Vec<Blob>,
}

impl Serialize for Annex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut verdicts = Vec::new();
        let mut places: HashMap<&Bytes, u32> = HashMap::new();
        let conversations = self
            .conversations
            .iter()
            .map(|(id, known)| {
                let verdict = *places.entry(&known.verdict).or_insert_with(|| {
                    verdicts.push(Blob(known.verdict.clone()));
                    verdicts.len() as u32 - 1
                });
                let written = WrittenKnown {
                    address: Blob(known.address.clone()),
                    verdict,
                    window: Blob(known.window.clone()),
                    last_inbound_ms: known.last_inbound_ms,
                    note: known.note.clone(),
                    held: known.held.clone(),
                    language: known.language.clone(),
                    callback: Blob(known.callback.clone()),
                    consult: Blob(known.consult.clone()),
                    handovers: known.handovers.iter().cloned().map(Blob).collect(),
                };
                (id.clone(), written)
            })
            .collect();
        let (configured, manners) = (self.configured.clone(), self.manners.clone());
        Written { verdicts, conversations, configured, manners }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Annex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { verdicts, conversations, configured, manners } = Written::deserialize(deserializer)?;
        let conversations = conversations
            .into_iter()
            .map(|(id, written)| {
                let verdict = verdicts.get(written.verdict as usize);
                let verdict = verdict.ok_or_else(|| de::Error::custom("a conversation names no verdict"))?;
                let known = Known {
                    address: written.address.0,
                    verdict: verdict.0.clone(),
                    window: written.window.0,
                    last_inbound_ms: written.last_inbound_ms,
                    note: written.note,
                    held: written.held,
                    language: written.language,
                    callback: written.callback.0,
                    consult: written.consult.0,
                    handovers: written.handovers.into_iter().map(|blob| blob.0).collect(),
                };
                Ok((id, known))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { conversations, configured, manners, shared: HashSet::new() })
    }
}
