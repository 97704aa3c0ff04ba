//! What the shell remembers of each open conversation, beside the machine: what the machine never sees, because it
//! carries ids and no content. It follows from the log as the machine does, and is in the same snapshot.

mod written;

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use heliograph_assignment::Text;
use heliograph_domain::ids;
use heliograph_proto::{
    Message,
    v1::{Address, Callback, Configuration, ConsultAsked, Handover, Verdict, Window},
};
use serde::{Deserialize, Serialize};

/// Different verdicts kept to be shared. Conversations of one region and channel have the same.
const SHARED: usize = 4_096;
/// What is kept of what those said who handed a conversation on: the last ones.
const HANDOVERS: usize = 5;

/// The shell's memory of one partition.
#[derive(Debug, Default)]
pub(crate) struct Annex {
    conversations: BTreeMap<String, Known>,
    /// Digest of each tenant's configuration as the machine has it.
    configured: BTreeMap<String, String>,
    /// How each tenant's customers are told their place.
    manners: BTreeMap<String, Manner>,
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
    /// Of the customer's last message, a BCP 47 tag; empty when unknown.
    pub(crate) language: String,
    /// [`Callback`], encoded; empty when the customer is not to be called back.
    callback: Bytes,
    /// [`ConsultAsked`], encoded; empty when no colleague is asked.
    consult: Bytes,
    /// [`Handover`]s, encoded, the last one last.
    handovers: Vec<Bytes>,
}

/// How customers are told their place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manner {
    /// The language where the customer's is not known; a BCP 47 tag.
    pub(crate) locale: String,
    /// Channels that show it by themselves.
    pub(crate) shown_by: Vec<String>,
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

    pub(crate) fn callback(&self) -> Option<Callback> {
        decode(&self.callback)
    }

    pub(crate) fn consult(&self) -> Option<ConsultAsked> {
        decode(&self.consult)
    }

    pub(crate) fn handovers(&self) -> Vec<Handover> {
        self.handovers.iter().filter_map(decode).collect()
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
        language: &str,
        at_ms: i64,
    ) -> i64 {
        let verdict = self.share(encode(verdict));
        let known = self.conversations.entry(conversation.to_owned()).or_default();
        let before = known.last_inbound_ms;
        known.address = encode(address);
        known.verdict = verdict;
        known.window = encode(window);
        // What does not tell the language does not take it away.
        if !language.is_empty() {
            language.clone_into(&mut known.language);
        }
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

    /// The customer is to be called back, or is not.
    pub(crate) fn call_back(&mut self, conversation: &str, callback: Option<&Callback>) {
        if let Some(known) = self.conversations.get_mut(conversation) {
            known.callback = encode(callback);
        }
    }

    /// A colleague is asked for advice, or is not any more.
    pub(crate) fn consult(&mut self, conversation: &str, asked: Option<&ConsultAsked>) {
        if let Some(known) = self.conversations.get_mut(conversation) {
            known.consult = encode(asked);
        }
    }

    /// The conversation was handed on, and something was said with it.
    pub(crate) fn hand_over(&mut self, conversation: &str, handover: &Handover) {
        let Some(known) = self.conversations.get_mut(conversation) else { return };
        if known.handovers.len() >= HANDOVERS {
            known.handovers.remove(0);
        }
        known.handovers.push(encode(Some(handover)));
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

    pub(crate) fn configure(&mut self, tenant: &str, digest: String, configuration: &Configuration) {
        self.configured.insert(tenant.to_owned(), digest);
        let Configuration { locale, shows_waiting, .. } = configuration;
        let manner = Manner { locale: locale.clone(), shown_by: shows_waiting.clone() };
        self.manners.insert(tenant.to_owned(), manner);
    }

    /// Takes out what is known of a tenant and of these conversations, which are all of its.
    pub(crate) fn take(&mut self, tenant: &str, conversations: &[Text]) -> Self {
        let known = |id: &Text| self.conversations.remove_entry(&**id);
        let conversations = conversations.iter().filter_map(known).collect();
        let configured = self.configured.remove_entry(tenant).into_iter().collect();
        let manners = self.manners.remove_entry(tenant).into_iter().collect();
        Self { conversations, configured, manners, shared: HashSet::new() }
    }

    /// Takes in what was taken out elsewhere.
    pub(crate) fn join(&mut self, came: Self) {
        for (id, mut known) in came.conversations {
            known.verdict = self.share(known.verdict);
            self.conversations.insert(id, known);
        }
        self.configured.extend(came.configured);
        self.manners.extend(came.manners);
    }

    /// How the tenant's customers are told their place.
    pub(crate) fn manner(&self, tenant: &str) -> Option<&Manner> {
        self.manners.get(tenant)
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
