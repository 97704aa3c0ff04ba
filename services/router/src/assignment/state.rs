//! All that follows from a partition's log, and what each entry makes of it. No I/O, no clock.

use heliograph_assignment::{self as machine, Decision, Kind as Decided, Machine, Timestamp};
use heliograph_proto::{
    Timestamp as Moment,
    v1::{Address, Callback, RoutingEntry, command, routing_entry::Kind},
};

use super::{
    OpenChange,
    annex::{Annex, Holding, Known},
    convert::{self, Unfit},
    emit::{self, Emission, Held},
    residence::Residence,
};
use crate::book;

/// The read model of an open conversation is refreshed when the customer writes again after this long.
const REFRESH_MS: i64 = 60_000;

/// The machine of one partition and what the shell remembers beside it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) partition: u16,
    pub(crate) machine: Machine,
    pub(crate) annex: Annex,
    pub(crate) residence: Residence,
}

/// What an entry leads to.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// In the order in which they are published, within their lanes.
    pub(crate) emissions: Vec<Emission>,
    pub(crate) open: Vec<OpenChange>,
    /// The tenant whose configuration the entry was.
    pub(crate) configured: Option<String>,
    /// What is published must stand behind everything that was decided before.
    pub(crate) behind_all: bool,
    /// A tenant came from another partition.
    pub(crate) arrived: bool,
}

impl State {
    /// The state before the first entry.
    pub(crate) fn new(partition: u16) -> Self {
        Self { partition, machine: Machine::new(), annex: Annex::default(), residence: Residence::default() }
    }

    /// Applies the entry, whose tenant is here, that stands at `sequence` and was stored at `at_ms`.
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
            self.annex.configure(&entry.tenant, book::digest(configuration), configuration);
            effects.configured = Some(entry.tenant.clone());
        }
        if decisions.iter().any(|decision| matches!(decision.kind, Decided::CommandAccepted { .. })) {
            self.note(entry, at_ms);
        }
        for (at, decision) in decisions.iter().enumerate() {
            let held = self.remember(entry, decision, at_ms, &mut effects.open);
            let following = &decisions[at + 1..];
            let config = self.machine.config(&decision.tenant);
            let about = emit::Decided { entry, decision, following, config, position, at_ms };
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

    /// Takes in what a command that was accepted says in words.
    fn note(&mut self, entry: &RoutingEntry, at_ms: i64) {
        if let Some((conversation, handover)) = convert::handed_over(entry, at_ms) {
            self.annex.hand_over(conversation, &handover);
        }
        if let Some((conversation, asked)) = convert::asked_for_advice(entry) {
            self.annex.consult(conversation, Some(&asked));
        }
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
                let language = proposal.wanted.as_ref().map_or("", |wanted| &wanted.language);
                let before = self.annex.heard(id, address, verdict, window, language, at_ms);
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
            (Decided::CallbackScheduled { address, not_before, .. }, kind) => {
                let asked = match kind {
                    Some(Kind::Callback(asked)) => asked.address.clone(),
                    _ => None,
                };
                let known = self.annex.get(id).and_then(Known::address);
                let callback = Callback {
                    address: Some(named(address, [asked, known])),
                    not_before: not_before.map(|at| Moment::from_millis(at.0)),
                };
                self.annex.call_back(id, Some(&callback));
            }
            (Decided::CallbackCancelled { .. }, _) => self.annex.call_back(id, None),
            (Decided::ConsultEnded { .. }, _) => self.annex.consult(id, None),
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

/// The address that the machine names, with all that is known of it.
fn named(address: &machine::Address, known: [Option<Address>; 2]) -> Address {
    let machine::Address { channel, account, user, .. } = address;
    let is_it = |known: &Address| {
        *known.channel == **channel && *known.account == **account && *known.user_id == **user
    };
    known.into_iter().flatten().find(is_it).unwrap_or_else(|| Address {
        channel: channel.to_string(),
        account: account.to_string(),
        user_id: user.to_string(),
        ..Address::default()
    })
}
