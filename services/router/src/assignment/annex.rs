//! What the shell remembers of each open conversation, beside the machine: what the machine never sees, because it
//! carries ids and no content. It follows from the log as the machine does, and is in the same snapshot.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use heliograph_domain::ids;
use heliograph_proto::{
    Message,
    v1::{Address, Verdict, Window},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Different verdicts kept to be shared. Conversations of one region and channel have the same.
const SHARED: usize = 4_096;

/// The shell's memory of one partition.
#[derive(Debug, Default)]
pub(crate) struct Annex {
    conversations: BTreeMap<String, Known>,
    /// Digest of each tenant's configuration as the machine has it.
    configured: BTreeMap<String, String>,
    /// Encoded verdicts that are in use, so that equal ones share their bytes. No fact: empty after a restore.
    shared: HashSet<Bytes>,
}

/// What is known of one open conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// [`Address`], encoded.
    address: Bytes,
    /// [`Verdict`], encoded.
    verdict: Bytes,
    /// [`Window`], encoded; empty when there is none.
    window: Bytes,
    /// The customer's last message, milliseconds since 1970; 0 when they have said nothing.
    pub(crate) last_inbound_ms: i64,
    /// What the agent noted when closing.
    pub(crate) note: String,
    /// The addresses it was held with, as [`name`] names them.
    held: Vec<String>,
}

/// Names an address.
fn name(address: &Address) -> String {
    ids::derive("adr", &[&address.channel, &address.account, &address.user_id])
}

impl Known {
    pub(crate) fn address(&self) -> Option<Address> {
        decode(&self.address)
    }

    pub(crate) fn verdict(&self) -> Option<Verdict> {
        decode(&self.verdict)
    }

    pub(crate) fn window(&self) -> Option<Window> {
        decode(&self.window)
    }
}

fn decode<M: Message + Default>(bytes: &Bytes) -> Option<M> {
    // Nothing encoded is nothing known; what we encoded ourselves decodes.
    if bytes.is_empty() { None } else { M::decode(bytes.clone()).ok() }
}

fn encode(message: Option<&impl Message>) -> Bytes {
    message.map_or_else(Bytes::new, |message| message.encode_to_vec().into())
}

/// An address that a conversation was not held with before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holding {
    /// The conversation's first.
    First,
    /// The conversation goes on there.
    Another,
}

impl Annex {
    pub(crate) fn get(&self, conversation: &str) -> Option<&Known> {
        self.conversations.get(conversation)
    }

    /// The customer wrote. Returns when they had written before.
    pub(crate) fn heard(
        &mut self,
        conversation: &str,
        address: Option<&Address>,
        verdict: Option<&Verdict>,
        window: Option<&Window>,
        at_ms: i64,
    ) -> i64 {
        let verdict = self.share(encode(verdict));
        let known = self.conversations.entry(conversation.to_owned()).or_default();
        let before = known.last_inbound_ms;
        known.address = encode(address);
        known.verdict = verdict;
        known.window = encode(window);
        known.last_inbound_ms = at_ms;
        before
    }

    /// The business wrote. What the customer's own messages said stands.
    pub(crate) fn spoke(&mut self, conversation: &str, address: Option<&Address>, verdict: Option<&Verdict>) {
        let verdict = self.share(encode(verdict));
        let known = self.conversations.entry(conversation.to_owned()).or_default();
        if known.address.is_empty() {
            known.address = encode(address);
        }
        if known.verdict.is_empty() {
            known.verdict = verdict;
        }
    }

    /// The conversation is held with this address. None if it was before.
    pub(crate) fn hold(&mut self, conversation: &str, address: &Address) -> Option<Holding> {
        let known = self.conversations.entry(conversation.to_owned()).or_default();
        let name = name(address);
        if known.held.contains(&name) {
            return None;
        }
        known.held.push(name);
        Some(if known.held.len() == 1 { Holding::First } else { Holding::Another })
    }

    pub(crate) fn note(&mut self, conversation: &str, note: &str) {
        if let Some(known) = self.conversations.get_mut(conversation) {
            note.clone_into(&mut known.note);
        }
    }

    pub(crate) fn close(&mut self, conversation: &str) {
        self.conversations.remove(conversation);
    }

    /// How many conversations are remembered.
    pub(crate) fn len(&self) -> usize {
        self.conversations.len()
    }

    /// The digest of the tenant's configuration in force.
    pub(crate) fn configured(&self, tenant: &str) -> Option<&str> {
        self.configured.get(tenant).map(String::as_str)
    }

    /// Tenants with a configuration in force.
    pub(crate) fn configured_tenants(&self) -> impl Iterator<Item = &str> {
        self.configured.keys().map(String::as_str)
    }

    pub(crate) fn configure(&mut self, tenant: &str, digest: String) {
        self.configured.insert(tenant.to_owned(), digest);
    }

    fn share(&mut self, bytes: Bytes) -> Bytes {
        if let Some(known) = self.shared.get(&bytes) {
            return known.clone();
        }
        if self.shared.len() >= SHARED {
            self.shared.clear();
        }
        self.shared.insert(bytes.clone());
        bytes
    }
}

/// The annex as it is written: verdicts once each.
#[derive(Serialize, Deserialize)]
struct Written {
    verdicts: Vec<Blob>,
    conversations: BTreeMap<String, WrittenKnown>,
    configured: BTreeMap<String, String>,
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
                };
                (id.clone(), written)
            })
            .collect();
        Written { verdicts, conversations, configured: self.configured.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Annex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { verdicts, conversations, configured } = Written::deserialize(deserializer)?;
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
                };
                Ok((id, known))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { conversations, configured, shared: HashSet::new() })
    }
}

/// Bytes, written as bytes and not as a list of numbers.
struct Blob(Bytes);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Blob;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(Bytes::copy_from_slice(bytes)))
            }
            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
                Ok(Blob(bytes.into()))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}
