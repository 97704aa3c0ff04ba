//! Tables for each rule, and properties over random logs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod colleagues;
mod invariants;
mod needs;
mod presence;
mod priorities;
mod queueing;
mod reservations;
mod snapshots;
mod waiting;
mod walk;
mod work;

use std::collections::BTreeMap;

use crate::{
    Action, Address, AgentSpec, Command, Configure, Decision, Entry, Inbound, Kind, Machine, Need,
    PoolConfig, Position, Presence, QueueSpec, SendMessage, Skill, Target, Text, TimerDue, Timestamp,
};

const TENANT: &str = "acme";

/// A machine with a log position and a clock.
struct Bench {
    machine: Machine,
    sequence: u64,
    now: i64,
    commands: u32,
}

impl Bench {
    fn new(config: PoolConfig) -> Self {
        let mut bench = Self { machine: Machine::new(), sequence: 0, now: 1_000_000, commands: 0 };
        bench.apply(&configure(config));
        bench
    }

    fn apply(&mut self, entry: &Entry) -> Vec<Decision> {
        self.sequence += 1;
        self.machine.apply(entry, Timestamp(self.now), Position { partition: 0, sequence: self.sequence })
    }

    /// A command under a new command id.
    fn act(&mut self, agent: &str, action: Action) -> Vec<Decision> {
        self.commands += 1;
        let command_id = format!("cmd_{}", self.commands);
        self.apply(&command(agent, &command_id, action))
    }

    fn presence(&mut self, agent: &str, presence: Presence) -> Vec<Decision> {
        self.act(agent, Action::SetPresence { presence, when_done: false })
    }

    fn online(&mut self, agent: &str) -> Vec<Decision> {
        self.presence(agent, Presence::Online)
    }

    /// `contact` writes a message of its own id.
    fn write(&mut self, contact: &str) -> Vec<Decision> {
        let message = format!("msg_{}", self.sequence);
        self.apply(&Entry::Inbound(inbound(contact, &message)))
    }

    /// Time passes, and the shell appends what falls due, as it falls due.
    fn pass(&mut self, seconds: i64) -> Vec<Decision> {
        let end = self.now + seconds * 1_000;
        let mut decisions = Vec::new();
        while let Some(due) = self.machine.next_due().filter(|due| due.0 <= end) {
            self.now = self.now.max(due.0);
            decisions.extend(self.apply(&Entry::TimerDue(TimerDue { due })));
        }
        self.now = end;
        decisions
    }

    fn accept(&mut self, agent: &str) -> Vec<Decision> {
        let reservation = self.machine.agent(TENANT, agent).unwrap().reservations[0].reservation.clone();
        self.act(agent, Action::Accept { reservation })
    }

    /// The id of the contact's open conversation.
    fn open(&self, contact: &str) -> Text {
        self.machine.open_conversation(TENANT, contact, "default").unwrap().about.id
    }

    /// Who has the contact's open conversation, in any phase.
    fn holder(&self, contact: &str) -> Option<String> {
        let (pool, _) = self.machine.pool(TENANT).unwrap();
        let number = pool.contacts.get(contact)?.open.get("default")?;
        pool.conversations[number].phase.agent().map(ToString::to_string)
    }

    fn agent(&self, agent: &str) -> crate::AgentView {
        self.machine.agent(TENANT, agent).unwrap()
    }
}

fn configure(config: PoolConfig) -> Entry {
    Entry::Configure(Configure { tenant: TENANT.into(), config })
}

fn command(agent: &str, command_id: &str, action: Action) -> Entry {
    Entry::Command(Command {
        tenant: TENANT.into(),
        agent: agent.into(),
        command_id: command_id.into(),
        action,
    })
}

fn address(channel: &str, user: &str) -> Address {
    Address {
        channel: channel.into(),
        account: "main".into(),
        user: user.into(),
        region: Some("islands".into()),
    }
}

fn inbound(contact: &str, message: &str) -> Inbound {
    Inbound {
        tenant: TENANT.into(),
        contact: contact.into(),
        scope: "default".into(),
        message_id: message.into(),
        address: address("webchat", contact),
        queue: "support".into(),
        required: Vec::new(),
        preferred: Vec::new(),
        priority: 0,
        no_sticky: false,
        language: None,
        policy_allowed: true,
        unattended: false,
        policy_reasons: Vec::new(),
        at_provider: None,
    }
}

fn send(contact: &str, message: &str) -> Entry {
    Entry::Send(SendMessage {
        tenant: TENANT.into(),
        contact: contact.into(),
        scope: "default".into(),
        message_id: message.into(),
        address: address("sms", contact),
        class: None,
        command_id: format!("cmd_{message}").into(),
    })
}

/// An agent of the queue `support` with room for `chats` chats.
fn agent(chats: u32, skills: &[(&str, u8)]) -> AgentSpec {
    AgentSpec {
        skills: skills.iter().map(|(name, level)| ((*name).into(), *level)).collect(),
        queues: [("support".into(), 1)].into(),
        capacity: [("chat".into(), chats)].into(),
        ..AgentSpec::default()
    }
}

/// A pool with the queue `support` and these agents.
fn pool<const N: usize>(agents: [(&str, AgentSpec); N]) -> PoolConfig {
    PoolConfig {
        queues: BTreeMap::from([("support".into(), QueueSpec::default())]),
        agents: agents.into_iter().map(|(name, spec)| (name.into(), spec)).collect(),
        ..PoolConfig::default()
    }
}

fn names(decisions: &[Decision]) -> Vec<&'static str> {
    decisions.iter().map(|decision| decision.kind.name()).collect()
}

/// The code of the one refusal in `decisions`.
fn refusal(decisions: &[Decision]) -> (String, String) {
    match decisions {
        [Decision { kind: Kind::CommandRefused { code, message, .. }, .. }] => {
            (code.to_string(), message.clone())
        }
        other => panic!("one refusal was expected, not {other:?}"),
    }
}

fn skills(wanted: &[(&str, u8)]) -> Vec<Skill> {
    wanted.iter().map(|(name, level)| Skill::new(*name, *level)).collect()
}

fn needs(wanted: &[(&str, u8)]) -> Vec<Need> {
    skills(wanted).into_iter().map(Need::Skill).collect()
}

fn to_agent(agent: &str) -> Target {
    Target::Agent(agent.into())
}
