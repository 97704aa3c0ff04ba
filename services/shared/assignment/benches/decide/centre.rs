//! A contact centre at work: customers write, agents accept, answer and close, and those who can be there wait.

use std::{collections::VecDeque, time::Instant};

use heliograph_assignment::{
    Action, Address, AgentSpec, Command, Configure, Decision, Entry, Inbound, Kind, Machine, Need,
    PoolConfig, Position, Presence, QueueSpec, Skill, Text, TimerDue, Timestamp,
};

const TENANT: &str = "acme";
const QUEUES: usize = 20;
/// Queues that one agent serves.
const SERVED: usize = 4;
/// Skills that one agent has, at levels from 1 to 10.
const HAS: usize = 8;

/// How large a centre is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) agents: usize,
    pub(crate) skills: usize,
    /// Different things that work asks for: a queue, one or two skills at a level, a preferred one.
    pub(crate) kinds: usize,
    /// How much waits. Without, half of what the agents can carry is in hand.
    pub(crate) backlog: usize,
}

struct Ask {
    queue: Text,
    required: Vec<Need>,
    preferred: Vec<Skill>,
}

/// See the module.
pub(crate) struct Centre {
    machine: Machine,
    asks: Vec<Ask>,
    sequence: u64,
    now: i64,
    dice: u64,
    customers: u64,
    /// What agents will do, in the order in which they come to it.
    todo: VecDeque<(Text, Action)>,
    /// Conversations in the agents' hands.
    assigned: VecDeque<(Text, Text)>,
    load: usize,
    backlog: usize,
    waiting: usize,
}

impl Centre {
    pub(crate) fn new(size: Size) -> Self {
        let mut centre = Self {
            machine: Machine::new(),
            asks: Vec::new(),
            sequence: 0,
            now: 1_700_000_000_000,
            dice: 7,
            customers: 0,
            todo: VecDeque::new(),
            assigned: VecDeque::new(),
            // Five chats each, half of them in use.
            load: size.agents * 5 / 2,
            backlog: size.backlog,
            waiting: 0,
        };
        let queues = (0..QUEUES).map(|queue| (name("queue", queue), QueueSpec::default())).collect();
        let agents =
            (0..size.agents).map(|agent| (name("agent", agent), centre.agent(size.skills))).collect();
        centre.asks = (0..size.kinds).map(|_| centre.ask(size.skills)).collect();
        let config = PoolConfig {
            queues,
            agents,
            liveness_seconds: 1_000_000_000,
            inactivity_seconds: 1_000_000_000,
            ..PoolConfig::default()
        };
        centre.apply(&Entry::Configure(Configure { tenant: TENANT.into(), config }));
        for agent in 0..size.agents {
            let online = Action::SetPresence { presence: Presence::Online, when_done: false };
            centre.act(name("agent", agent), online);
        }
        let full = if size.backlog > 0 { size.backlog + size.agents * 5 } else { centre.load };
        for _ in 0..full {
            let decisions = centre.write();
            centre.hear(&decisions);
            centre.catch_up();
        }
        centre
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// So many entries; how many decisions they led to, and how long each took in nanoseconds.
    pub(crate) fn run(&mut self, entries: usize) -> (u64, Vec<u32>) {
        let mut decisions = 0;
        let mut times = Vec::with_capacity(entries);
        while times.len() < entries {
            let entry = self.next();
            let started = Instant::now();
            let decided = self.apply(&entry);
            times.push(u32::try_from(started.elapsed().as_nanos()).unwrap_or(u32::MAX));
            decisions += decided.len() as u64;
            self.hear(&decided);
        }
        (decisions, times)
    }

    /// What happens next: what agents have to do first, then a timer, then a closing or a new customer, so that what is in
    /// hand or waits stays as much as it is.
    fn next(&mut self) -> Entry {
        if let Some((agent, action)) = self.todo.pop_front() {
            return self.command(agent, action);
        }
        if let Some(due) = self.machine.next_due().filter(|due| due.0 <= self.now) {
            return Entry::TimerDue(TimerDue { due });
        }
        let enough =
            if self.backlog > 0 { self.waiting >= self.backlog } else { self.assigned.len() >= self.load };
        if enough && let Some((agent, conversation)) = self.assigned.pop_front() {
            let (reply, heartbeat) = (self.roll().is_multiple_of(2), self.roll().is_multiple_of(2));
            if reply {
                let message_id = name("reply", self.sequence as usize);
                let answer = Action::Reply { conversation: conversation.clone(), message_id, address: None };
                self.todo.push_back((agent.clone(), answer));
            }
            if heartbeat {
                self.todo.push_back((agent.clone(), Action::Heartbeat));
            }
            self.todo.push_back((agent.clone(), Action::Close { conversation, wrap_up: None }));
            let (agent, action) = self.todo.pop_front().expect("it was filled above");
            return self.command(agent, action);
        }
        self.message()
    }

    fn hear(&mut self, decisions: &[Decision]) {
        for decision in decisions {
            match &decision.kind {
                Kind::ReservationCreated { reservation, agent, .. } => {
                    self.waiting -= 1;
                    self.todo.push_back((agent.clone(), Action::Accept { reservation: reservation.clone() }));
                }
                Kind::ConversationAssigned { agent, .. } => {
                    let conversation = decision.conversation.as_ref().unwrap().id.clone();
                    self.assigned.push_back((agent.clone(), conversation));
                }
                Kind::ConversationQueued { .. } | Kind::ConversationRequeued { .. } => self.waiting += 1,
                _ => {}
            }
        }
    }

    fn catch_up(&mut self) {
        while let Some((agent, action)) = self.todo.pop_front() {
            let decisions = self.act(agent, action);
            self.hear(&decisions);
        }
    }

    fn apply(&mut self, entry: &Entry) -> Vec<Decision> {
        self.sequence += 1;
        self.now += 1;
        self.machine.apply(entry, Timestamp(self.now), Position { partition: 0, sequence: self.sequence })
    }

    fn act(&mut self, agent: Text, action: Action) -> Vec<Decision> {
        let entry = self.command(agent, action);
        self.apply(&entry)
    }

    fn command(&self, agent: Text, action: Action) -> Entry {
        let command_id = name("cmd", self.sequence as usize);
        Entry::Command(Command { tenant: TENANT.into(), agent, command_id, action })
    }

    fn write(&mut self) -> Vec<Decision> {
        let entry = self.message();
        self.apply(&entry)
    }

    fn message(&mut self) -> Entry {
        self.customers += 1;
        let contact = name("customer", self.customers as usize);
        let at = self.roll() as usize % self.asks.len();
        let priority = (self.roll() % 3) as i32;
        let ask = &self.asks[at];
        Entry::Inbound(Inbound {
            tenant: TENANT.into(),
            contact: contact.clone(),
            scope: "default".into(),
            message_id: name("msg", self.sequence as usize),
            address: Address {
                channel: "webchat".into(),
                account: "main".into(),
                user: contact,
                region: Some("islands".into()),
            },
            queue: ask.queue.clone(),
            required: ask.required.clone(),
            preferred: ask.preferred.clone(),
            priority,
            no_sticky: false,
            language: Some("cy".into()),
            policy_allowed: true,
            unattended: false,
            policy_reasons: Vec::new(),
            at_provider: None,
        })
    }

    fn agent(&mut self, skills: usize) -> AgentSpec {
        let has = (0..HAS).map(|_| (self.skill(skills), 1 + (self.roll() % 10) as u8)).collect();
        let first = self.roll() as usize;
        let queues = (0..SERVED).map(|at| (name("queue", (first + at * 5) % QUEUES), 1)).collect();
        AgentSpec { skills: has, queues, capacity: [("chat".into(), 5)].into(), ..AgentSpec::default() }
    }

    fn ask(&mut self, skills: usize) -> Ask {
        let queue = name("queue", self.roll() as usize % QUEUES);
        let mut required = vec![Need::Skill(Skill::new(self.skill(skills), 1 + (self.roll() % 5) as u8))];
        if self.roll().is_multiple_of(5) {
            let either = (0..3).map(|_| Need::Skill(Skill::new(self.skill(skills), 2))).collect();
            required.push(Need::Any { any: either });
        }
        let preferred = vec![Skill::new(self.skill(skills), 3)];
        Ask { queue, required, preferred }
    }

    fn skill(&mut self, skills: usize) -> Text {
        name("skill", self.roll() as usize % skills)
    }

    /// SplitMix64.
    fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

fn name(kind: &str, at: usize) -> Text {
    format!("{kind}-{at}").into()
}
