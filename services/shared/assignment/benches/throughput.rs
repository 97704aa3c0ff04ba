//! Entries a second, with 10 to 100,000 conversations open: the cost of an entry must not depend on how many are.
//!
//! `cargo bench -p heliograph-assignment` prints a table. Each round is a customer who writes twice, the offer that
//! follows, its acceptance, a reply and the closing, among heartbeats, while the others wait or are assigned.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a measurement needs the clock")]

use std::time::Instant;

use heliograph_assignment::{
    Action, Address, AgentSpec, Command, Configure, Decision, Entry, Inbound, Kind, Machine, PoolConfig,
    Position, Presence, QueueSpec, Skill, Text, TimerDue, Timestamp,
};

const QUEUES: usize = 10;
const LANGUAGES: [&str; 5] = ["english", "french", "spanish", "chinese", "welsh"];

struct Load {
    machine: Machine,
    sequence: u64,
    now: i64,
}

impl Load {
    fn new(agents: usize, open: usize) -> Self {
        let mut load = Self { machine: Machine::new(), sequence: 0, now: 0 };
        // Room for the standing conversations and for more.
        let capacity = (open / agents + 5) as u32;
        let config = PoolConfig {
            queues: (0..QUEUES).map(|queue| (name("queue", queue), QueueSpec::default())).collect(),
            agents: (0..agents).map(|agent| (name("agent", agent), spec(agent, capacity))).collect(),
            liveness_seconds: 1_000_000_000,
            inactivity_seconds: 1_000_000_000,
            ..PoolConfig::default()
        };
        load.apply(&Entry::Configure(Configure { tenant: "acme".into(), config }));
        for agent in 0..agents {
            load.act(&name("agent", agent), Action::SetPresence { presence: Presence::Online });
        }
        // Half of the standing conversations are assigned; half wait for a skill that nobody has.
        for at in 0..open {
            let language = if at.is_multiple_of(2) { LANGUAGES[at / 2 % 5] } else { "klingon" };
            let decisions = load.write(&name("standing", at), at, language);
            load.answer(&decisions);
        }
        load
    }

    fn apply(&mut self, entry: &Entry) -> Vec<Decision> {
        self.sequence += 1;
        self.now += 1;
        self.machine.apply(entry, Timestamp(self.now), Position { partition: 0, sequence: self.sequence })
    }

    fn act(&mut self, agent: &Text, action: Action) -> Vec<Decision> {
        let command_id = name("cmd", self.sequence as usize);
        self.apply(&Entry::Command(Command {
            tenant: "acme".into(),
            agent: agent.clone(),
            command_id,
            action,
        }))
    }

    fn write(&mut self, contact: &Text, at: usize, language: &str) -> Vec<Decision> {
        let entry = Inbound {
            tenant: "acme".into(),
            contact: contact.clone(),
            scope: "default".into(),
            message_id: name("msg", self.sequence as usize),
            address: Address {
                channel: "webchat".into(),
                account: "main".into(),
                user: contact.clone(),
                region: Some("islands".into()),
            },
            queue: name("queue", at % QUEUES),
            required: vec![Skill::new(language, 3)],
            preferred: Vec::new(),
            priority: i32::try_from(at % 3).unwrap(),
            language: Some(language.into()),
            policy_allowed: true,
            unattended: false,
            policy_reasons: Vec::new(),
            at_provider: None,
        };
        self.apply(&Entry::Inbound(entry))
    }

    /// Accepts what `decisions` offer.
    fn answer(&mut self, decisions: &[Decision]) -> Option<Text> {
        let (reservation, agent) = decisions.iter().find_map(|decision| match &decision.kind {
            Kind::ReservationCreated { reservation, agent, .. } => Some((reservation.clone(), agent.clone())),
            _ => None,
        })?;
        self.act(&agent, Action::Accept { reservation });
        Some(agent)
    }

    fn round(&mut self, at: usize) {
        let contact = name("customer", at);
        let language = LANGUAGES[at % 5];
        let decisions = self.write(&contact, at, language);
        let conversation = decisions[0].conversation.clone().unwrap().id.clone();
        let agent = self.answer(&decisions).unwrap();
        self.write(&contact, at, language);
        let message_id = name("reply", at);
        self.act(&agent, Action::Reply { conversation: conversation.clone(), message_id, address: None });
        self.act(&agent, Action::Heartbeat);
        self.act(&agent, Action::Close { conversation, wrap_up: None });
        if let Some(due) = self.machine.next_due().filter(|due| due.0 <= self.now) {
            self.apply(&Entry::TimerDue(TimerDue { due }));
        }
    }
}

fn name(kind: &str, at: usize) -> Text {
    format!("{kind}-{at}").into()
}

fn spec(agent: usize, capacity: u32) -> AgentSpec {
    AgentSpec {
        skills: [(LANGUAGES[agent % 5].into(), 5), (LANGUAGES[(agent / 5) % 5].into(), 8)].into(),
        queues: (0..QUEUES).map(|queue| name("queue", queue)).collect(),
        capacity: [("chat".into(), capacity)].into(),
        total: None,
    }
}

fn main() {
    println!("{:>8} {:>8} {:>12} {:>10} {:>12}", "agents", "open", "entries/s", "µs/entry", "restore ms");
    for (agents, open) in [(1_000, 10), (1_000, 1_000), (1_000, 10_000), (1_000, 100_000), (10_000, 100_000)]
    {
        let mut load = Load::new(agents, open);
        let (from, started) = (load.sequence, Instant::now());
        for at in 0..10_000 {
            load.round(at);
        }
        let (entries, seconds) = ((load.sequence - from) as f64, started.elapsed().as_secs_f64());
        let snapshot = serde_json::to_vec(&load.machine).unwrap();
        let started = Instant::now();
        let restored: Machine = serde_json::from_slice(&snapshot).unwrap();
        let restore = started.elapsed().as_millis();
        assert_eq!(restored, load.machine);
        let (rate, cost) = (entries / seconds, seconds * 1e6 / entries);
        println!("{agents:>8} {open:>8} {rate:>12.0} {cost:>10.2} {restore:>12}");
    }
}
