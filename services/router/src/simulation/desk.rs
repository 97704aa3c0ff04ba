//! The desk of this world: agents who read the events and do what agents do.

use std::time::Duration;

use heliograph_domain::{content, ids};
use heliograph_fabric::{Broker as _, Start, Stream, Tail as _};
use heliograph_proto::{
    Message as _,
    v1::{
        AcceptReservation, AgentStateQuery, CloseConversation, Command, Disconnected, Event, FinishWrapUp,
        Heartbeat, Presence, RejectReservation, ReleaseConversation, Reply, RoutingAnswer, RoutingEntry,
        RoutingQuery, SetPresence, TransferConversation, command::Action, event::Payload,
        routing_answer::Answer, routing_entry::Kind, routing_query::Query, transfer_conversation::To,
    },
};

use super::chance::Chance;
use super::questions;
use super::tally::Seen;
use super::town::{AGENTS, LAYOUT, TENANTS, Writer, ledger};
use crate::naming::{query_subject, routing_partition};

/// Starts every tenant's desk.
pub(super) fn open(writer: &Writer, seed: u64) {
    for tenant in TENANTS {
        for (agent, _) in AGENTS {
            let chance = Chance::of(seed, &format!("agent/{tenant}/{agent}"));
            tokio::spawn(Desk::of(writer, tenant, agent, chance).shift());
        }
        let chance = Chance::of(seed, &format!("desk/{tenant}"));
        tokio::spawn(read(writer.clone(), tenant, seed));
        tokio::spawn(ask(writer.clone(), tenant, chance));
    }
}

/// One agent's place at the desk.
struct Desk {
    writer: Writer,
    tenant: &'static str,
    agent: String,
    chance: Chance,
    commands: u32,
}

impl Desk {
    fn of(writer: &Writer, tenant: &'static str, agent: &str, chance: Chance) -> Self {
        Self { writer: writer.clone(), tenant, agent: agent.to_owned(), chance, commands: 0 }
    }

    /// Comes, stays with interruptions, and says from time to time that they are there.
    async fn shift(mut self) {
        if !self.writer.rest(self.chance.millis(0, 5_000)).await {
            return;
        }
        self.present(Presence::Online).await;
        while self.writer.rest(self.chance.millis(5_000, 20_000)).await {
            match self.chance.below(12) {
                0 => {
                    self.command(Action::Disconnected(Disconnected {})).await;
                    if self.writer.rest(self.chance.millis(1_000, 40_000)).await {
                        self.present(Presence::Online).await;
                    }
                }
                1 => {
                    self.present(Presence::Away).await;
                    if self.writer.rest(self.chance.millis(1_000, 10_000)).await {
                        self.present(Presence::Online).await;
                    }
                }
                // Nothing is heard of them until they are taken for gone.
                2 => {
                    if self.writer.rest(Duration::from_secs(65)).await {
                        self.present(Presence::Online).await;
                    }
                }
                _ => self.command(Action::Heartbeat(Heartbeat {})).await,
            }
        }
    }

    async fn present(&mut self, presence: Presence) {
        self.command(Action::SetPresence(SetPresence {
            presence: presence.into(),
            ..SetPresence::default()
        }))
        .await;
    }

    /// Says something until it is stored; now and then once more.
    async fn command(&mut self, action: Action) {
        self.commands += 1;
        let drawn = self.chance.draw();
        let command_id = format!("{}-{drawn:016x}-{}", self.agent, self.commands);
        let id = ids::derive(ids::COMMAND, &[self.tenant, &self.agent, &command_id]);
        let quiet = matches!(action, Action::Heartbeat(_));
        let command =
            Command { command_id: command_id.clone(), agent: self.agent.clone(), action: Some(action) };
        let entry = RoutingEntry { id, tenant: self.tenant.to_owned(), kind: Some(Kind::Command(command)) };
        let lane = format!("{}/{}", self.tenant, self.agent);
        self.writer.append(lane.clone(), &entry, "routing.command").await;
        if !quiet {
            let told = (self.tenant.to_owned(), self.agent.clone(), command_id);
            ledger(&self.writer.books).commands.push(told);
        }
        if self.chance.once_in(20) {
            let (writer, after) = (self.writer.clone(), *self.chance.pick(&[1, 10, 125]));
            tokio::spawn(async move {
                if writer.rest(Duration::from_secs(after)).await {
                    writer.append(lane, &entry, "routing.command").await;
                }
            });
        }
    }

    /// Does what this event asks of the agent, after some thought.
    async fn react(mut self, event: Event) {
        if !self.writer.rest(self.chance.millis(100, 4_000)).await {
            return;
        }
        let conversation = event.conversation.clone();
        match event.payload {
            Some(Payload::ReservationCreated(it)) => match self.chance.below(10) {
                0..7 => {
                    let reservation_id = it.reservation_id;
                    self.command(Action::Accept(AcceptReservation { reservation_id })).await;
                }
                7 => {
                    let (reservation_id, reason) = (it.reservation_id, "busy".to_owned());
                    self.command(Action::Reject(RejectReservation { reservation_id, reason })).await;
                }
                // It rings out.
                _ => {}
            },
            Some(Payload::ConversationAssigned(_)) => self.converse(conversation).await,
            Some(Payload::ConversationWrapUp(_)) if self.chance.once_in(2) => {
                self.command(Action::FinishWrapUp(FinishWrapUp { conversation })).await;
            }
            Some(Payload::AgentPresenceChanged(it))
                if it.to() != Presence::Online
                    && self.writer.rest(self.chance.millis(1_000, 8_000)).await =>
            {
                self.present(Presence::Online).await;
            }
            _ => {}
        }
    }

    async fn converse(&mut self, conversation: String) {
        for _ in 0..self.chance.below(4) {
            if !self.writer.rest(self.chance.millis(200, 5_000)).await {
                return;
            }
            let said = content::text(format!("reply {}", self.commands));
            let conversation = conversation.clone();
            let reply = Reply { conversation, content: Some(said), ..Reply::default() };
            self.command(Action::Reply(reply)).await;
        }
        let pass = |conversation, to| {
            let to = Some(to);
            Action::Transfer(TransferConversation { conversation, to, ..TransferConversation::default() })
        };
        let action = match self.chance.below(10) {
            0 => Action::Release(ReleaseConversation { conversation }),
            1 => pass(conversation, To::Agent(self.chance.pick(&AGENTS).0.to_owned())),
            2 => pass(conversation, To::Queue("sales".to_owned())),
            _ => Action::Close(CloseConversation { conversation, ..CloseConversation::default() }),
        };
        self.command(action).await;
    }
}

/// Reads a tenant's events and has the agents react.
async fn read(writer: Writer, tenant: &'static str, seed: u64) {
    let filter = format!("hg.event.{tenant}.>");
    let tail = writer.ground.tail(Stream::Events.name(), vec![filter], Start::After(0)).await;
    let mut tail = tail.expect("a stream is there from its beginning");
    while let Ok(record) = tail.next().await {
        let Ok(event) = Event::decode(record.payload) else { continue };
        let agent = match &event.payload {
            Some(Payload::ReservationCreated(it)) => &it.agent,
            Some(Payload::ConversationAssigned(it)) => &it.agent,
            Some(Payload::ConversationWrapUp(it)) => &it.agent,
            Some(Payload::AgentPresenceChanged(it)) => &it.agent,
            _ => continue,
        };
        let chance = Chance::of(seed, &format!("react/{}", event.id));
        tokio::spawn(Desk::of(&writer, tenant, agent, chance).react(event));
    }
}

/// What an owner answered: what its state held, and where the events ended before it looked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub(super) tenant: &'static str,
    pub(super) applied: u64,
    pub(super) floor: u64,
}

/// Asks a tenant's owner for an agent's state, as a desk does that connects.
async fn ask(writer: Writer, tenant: &'static str, mut chance: Chance) {
    let mut partition = routing_partition(tenant, LAYOUT.routing);
    while writer.rest(chance.millis(500, 6_000)).await {
        let query = Query::AgentState(AgentStateQuery { agent: AGENTS[0].0.to_owned() });
        let query = RoutingQuery { tenant: tenant.to_owned(), query: Some(query) };
        let subject = query_subject(partition);
        let answer = questions::ask(&writer.ground, &subject, query.encode_to_vec().into()).await;
        let Some(answer) = answer else { continue };
        let answer = RoutingAnswer::decode(answer).expect("an answer of the shell's");
        if let Some(Answer::Elsewhere(it)) = answer.answer {
            partition = u16::try_from(it.partition).expect("a partition");
            continue;
        }
        let applied = answer.position.unwrap_or_default().sequence;
        let heard = Heard { tenant, applied, floor: answer.sequence };
        let mut inner = writer.ground.world.inner();
        inner.broker.tally.note(Seen::Asked);
        inner.heard.push(heard);
    }
}
