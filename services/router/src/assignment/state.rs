//! All that follows from a partition's log, and what each entry makes of it. No I/O, no clock.

use heliograph_assignment::{Decision, Kind as Decided, Machine, Timestamp};
use heliograph_domain::ids;
use heliograph_proto::v1::{RoutingEntry, command, routing_entry::Kind};

use super::{
    OpenChange,
    annex::{Annex, Holding, Known},
    convert::{self, Unfit},
    emit::{self, Emission, Held},
};

/// The read model of an open conversation is refreshed when the customer writes again after this long.
const REFRESH_MS: i64 = 60_000;

/// The machine of one partition and what the shell remembers beside it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) partition: u16,
    pub(crate) machine: Machine,
    pub(crate) annex: Annex,
}

/// What an entry leads to.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// In the order in which they are published, within their lanes.
    pub(crate) emissions: Vec<Emission>,
    pub(crate) open: Vec<OpenChange>,
    /// The tenant whose configuration the entry was.
    pub(crate) configured: Option<String>,
}

impl State {
    /// The state before the first entry.
    pub(crate) fn new(partition: u16) -> Self {
        Self { partition, machine: Machine::new(), annex: Annex::default() }
    }

    /// Applies the entry that stands at `sequence` and was stored at `at_ms`.
    ///
    /// # Errors
    /// An entry that is unfit changes nothing.
    pub(crate) fn apply(
        &mut self,
        entry: &RoutingEntry,
        sequence: u64,
        at_ms: i64,
    ) -> Result<Effects, Unfit> {
        let fed = convert::entry(entry)?;
        let position = convert::position(self.partition, sequence);
        let decisions = self.machine.apply(&fed, Timestamp(at_ms), position);
        let mut effects = Effects::default();
        if let Some(Kind::Configuration(configuration)) = &entry.kind {
            self.annex.configure(&entry.tenant, ids::derive("cfg", &[&configuration.json]));
            effects.configured = Some(entry.tenant.clone());
        }
        for decision in &decisions {
            let held = self.remember(entry, decision, at_ms, &mut effects.open);
            let about = emit::Decided { entry, decision, position, at_ms };
            emit::emit(&about, &self.annex, held.as_ref(), &mut effects.emissions);
            if let (Decided::ConversationClosed { .. }, Some(conversation)) =
                (&decision.kind, &decision.conversation)
            {
                self.annex.close(&conversation.id);
                effects.open.push(OpenChange {
                    tenant: decision.tenant.to_string(),
                    contact: conversation.contact.to_string(),
                    fields: None,
                });
            }
        }
        Ok(effects)
    }

    /// Takes in what the entry says of a conversation beyond what the machine sees. Returns the address that the
    /// conversation is held with for the first time.
    fn remember(
        &mut self,
        entry: &RoutingEntry,
        decision: &Decision,
        at_ms: i64,
        open: &mut Vec<OpenChange>,
    ) -> Option<Held> {
        let conversation = decision.conversation.as_ref()?;
        let id = &*conversation.id;
        let mut refresh = false;
        let mut at = None;
        match (&decision.kind, &entry.kind) {
            (Decided::ConversationOpened { .. }, Some(Kind::Proposal(proposal))) => {
                // The event of the opening already tells where the customer is; when they wrote follows below.
                let address = proposal.event.as_ref().and_then(|event| event.address.as_ref());
                self.annex.spoke(id, address, proposal.verdict.as_ref());
                at = address;
                refresh = true;
            }
            (Decided::ConversationOpened { .. }, Some(Kind::Send(send))) => {
                let address = send.message.as_ref().and_then(|message| message.address.as_ref());
                self.annex.spoke(id, address, send.verdict.as_ref());
                at = address;
                refresh = true;
            }
            (Decided::MessageReceived { .. }, Some(Kind::Proposal(proposal))) => {
                let address = proposal.event.as_ref().and_then(|event| event.address.as_ref());
                let channel = self.annex.get(id).and_then(Known::address).map(|known| known.channel);
                let (verdict, window) = (proposal.verdict.as_ref(), proposal.window.as_ref());
                let before = self.annex.heard(id, address, verdict, window, at_ms);
                let moved = channel.as_ref() != address.map(|address| &address.channel);
                refresh = before != 0 && (moved || at_ms - before >= REFRESH_MS);
                at = address;
            }
            (Decided::MessageAccepted { .. }, Some(Kind::Send(send))) => {
                let address = send.message.as_ref().and_then(|message| message.address.as_ref());
                self.annex.spoke(id, address, send.verdict.as_ref());
                at = address;
            }
            (Decided::MessageAccepted { .. }, Some(Kind::Command(asked))) => {
                if let Some(command::Action::Reply(reply)) = &asked.action {
                    at = reply.address.as_ref();
                }
            }
            (
                Decided::WrapUpStarted { .. } | Decided::ConversationClosed { .. },
                Some(Kind::Command(asked)),
            ) => {
                if let Some(command::Action::Close(close)) = &asked.action {
                    self.annex.note(id, &close.note);
                }
            }
            _ => {}
        }
        if refresh {
            let address = &conversation.address;
            let region = address.region.as_deref().unwrap_or(heliograph_fabric::subjects::NONE);
            let fields = [
                ("conversation", id),
                ("region", region),
                ("channel", &*address.channel),
                ("scope", &*conversation.scope),
            ];
            open.push(OpenChange {
                tenant: decision.tenant.to_string(),
                contact: conversation.contact.to_string(),
                fields: Some(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
            });
        }
        let at = at?;
        let since_ms = match self.annex.hold(id, at)? {
            Holding::Another => at_ms,
            // A conversation that an older release opened has none yet.
            Holding::First => {
                self.machine.conversation(&decision.tenant, id).map_or(at_ms, |seen| seen.opened_at.0)
            }
        };
        Some(Held { address: at.clone(), since_ms })
    }
}
