//! Random logs: the invariants hold after every entry, and replay from any snapshot is replay from the start.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    TENANT, address, configure, inbound,
    invariants::{check_agents, check_conversations, check_matching},
    pool, send, skills,
};
use crate::{
    Action, AgentSpec, Command, Decision, Entry, Inbound, Kind, Machine, PoolConfig, Position, Presence,
    QueueSpec, Target, Text, TimerDue, Timestamp, state::Phase, timer,
};

/// What happens, before it is resolved against the machine's ids.
#[derive(Clone, Debug)]
enum Step {
    Write {
        contact: u8,
        scope: bool,
        message: u8,
        voice: bool,
        sales: bool,
        skill: u8,
        prefer: bool,
        priority: i32,
        allowed: bool,
        unattended: bool,
    },
    Send {
        contact: u8,
        message: u8,
    },
    Command {
        agent: u8,
        verb: Verb,
        pick: u8,
        to: u8,
    },
    Configure {
        which: u8,
    },
    Pass {
        seconds: u32,
    },
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Online,
    Away,
    Offline,
    Heartbeat,
    Disconnected,
    Accept,
    Reject,
    Reply,
    Close,
    Finish,
    TransferAgent,
    TransferQueue,
    Release,
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    let flag = any::<bool>;
    let write = ((0..5_u8, flag(), 0..40_u8, flag()), (flag(), 0..4_u8, flag(), -1..2_i32, 0..8_u8))
        .prop_map(|((contact, scope, message, voice), (sales, skill, prefer, priority, given))| {
            Step::Write {
                contact,
                scope,
                message,
                voice,
                sales,
                skill,
                prefer,
                priority,
                allowed: given > 0,
                unattended: given > 6,
            }
        });
    let verb = prop::sample::select(vec![
        Verb::Online,
        Verb::Online,
        Verb::Online,
        Verb::Away,
        Verb::Offline,
        Verb::Heartbeat,
        Verb::Heartbeat,
        Verb::Disconnected,
        Verb::Accept,
        Verb::Accept,
        Verb::Accept,
        Verb::Accept,
        Verb::Reject,
        Verb::Reply,
        Verb::Close,
        Verb::Close,
        Verb::Finish,
        Verb::TransferAgent,
        Verb::TransferQueue,
        Verb::Release,
    ]);
    let command = (0..4_u8, verb, any::<u8>(), 0..4_u8).prop_map(|(agent, verb, pick, to)| Step::Command {
        agent,
        verb,
        pick,
        to,
    });
    let step = prop_oneof![
        8 => write,
        1 => (0..5_u8, 0..40_u8).prop_map(|(contact, message)| Step::Send { contact, message }),
        16 => command,
        1 => (0..5_u8).prop_map(|which| Step::Configure { which }),
        4 => prop_oneof![4 => 1..40_u32, 1 => Just(90_000_u32), 1 => Just(700_000)].prop_map(|seconds| Step::Pass { seconds }),
    ];
    prop::collection::vec((step, prop::bool::weighted(0.1)), 1..120)
}

fn name(agent: u8) -> Text {
    format!("agent-{agent}").into()
}

/// Five configurations that differ in agents, skills, capacities and times.
fn config(which: u8) -> PoolConfig {
    let spec = |agent: u8| AgentSpec {
        skills: [("french".into(), (agent * 3 + which) % 10 + 1), ("billing".into(), agent + 1)].into(),
        queues: if agent.is_multiple_of(2) {
            ["support".into(), "sales".into()].into()
        } else {
            ["support".into()].into()
        },
        capacity: [
            ("chat".into(), u32::from((agent + which) % 3 + 1)),
            ("voice".into(), u32::from(which % 2)),
        ]
        .into(),
        total: (which > 2).then_some(3),
    };
    let mut config = pool([]);
    config.agents =
        (0..4_u8).filter(|agent| *agent != which).map(|agent| (name(agent), spec(agent))).collect();
    config.classes.insert("voice".into(), "voice".into());
    config.weights.insert("voice".into(), 2);
    let wrap_up_seconds = u32::from(which) * 7;
    config.queues.insert("support".into(), QueueSpec { wrap_up_seconds, ..QueueSpec::default() });
    let required = skills(&[("billing", 1 + which % 3)]);
    config.queues.insert("sales".into(), QueueSpec { required, ring_seconds: 9, ..QueueSpec::default() });
    config
}

/// A machine, the log that made it, and what can be told from its decisions alone.
#[derive(Default)]
struct Run {
    machine: Machine,
    log: Vec<(Entry, Timestamp)>,
    now: i64,
    told: BTreeMap<Text, String>,
    /// Every id made, and every message received of a contact still remembered.
    made: BTreeSet<Text>,
    received: BTreeSet<(Text, Text)>,
}

impl Run {
    fn new() -> Self {
        Self { machine: Machine::new(), now: 1_000, ..Self::default() }
    }

    fn resolve(&self, step: &Step) -> Entry {
        match step {
            Step::Write {
                contact,
                scope,
                message,
                voice,
                sales,
                skill,
                prefer,
                priority,
                allowed,
                unattended,
            } => {
                let contact = format!("contact-{contact}");
                let mut entry = inbound(&contact, &format!("msg-{contact}-{message}"));
                entry.scope = if *scope { "default".into() } else { "orders".into() };
                entry.address = address(if *voice { "voice" } else { "webchat" }, &contact);
                entry.queue = if *sales { "sales".into() } else { "support".into() };
                let wanted = skills(&[("french", skill * 3)]);
                if *prefer {
                    entry.preferred = wanted;
                } else if *skill > 0 {
                    entry.required = wanted;
                }
                entry.priority = *priority;
                entry.policy_allowed = *allowed;
                entry.unattended = *unattended;
                Entry::Inbound(entry)
            }
            Step::Send { contact, message } => send(&format!("contact-{contact}"), &format!("out-{message}")),
            Step::Command { agent, verb, pick, to } => Entry::Command(Command {
                tenant: TENANT.into(),
                agent: name(*agent),
                command_id: format!("cmd-{}", self.log.len()).into(),
                action: self.action(&name(*agent), *verb, usize::from(*pick), *to),
            }),
            Step::Configure { which } => configure(config(*which)),
            Step::Pass { .. } => Entry::TimerDue(TimerDue { due: Timestamp(self.now) }),
        }
    }

    /// Mostly what the agent could really do, sometimes what they may not.
    fn action(&self, agent: &str, verb: Verb, pick: usize, to: u8) -> Action {
        let choose =
            |ids: Vec<Text>| if ids.is_empty() { "none".into() } else { ids[pick % ids.len()].clone() };
        let view = self.machine.agent(TENANT, if pick.is_multiple_of(7) { "agent-0" } else { agent });
        let (mut reservations, mut assigned, mut wrap_ups) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(view) = view {
            reservations = view.reservations.into_iter().map(|view| view.reservation).collect();
            assigned = view.assigned;
            wrap_ups = view.wrap_ups;
        }
        let conversation = choose(assigned);
        match verb {
            Verb::Online => Action::SetPresence { presence: Presence::Online },
            Verb::Away => Action::SetPresence { presence: Presence::Away },
            Verb::Offline => Action::SetPresence { presence: Presence::Offline },
            Verb::Heartbeat => Action::Heartbeat,
            Verb::Disconnected => Action::Disconnected,
            Verb::Accept => Action::Accept { reservation: choose(reservations) },
            Verb::Reject => Action::Reject { reservation: choose(reservations), reason: None },
            Verb::Reply => Action::Reply {
                conversation,
                message_id: format!("reply-{pick}").into(),
                address: to.is_multiple_of(2).then(|| address("email", agent)),
            },
            Verb::Close => Action::Close { conversation, wrap_up: Some("done".into()) },
            Verb::Finish => Action::FinishWrapUp { conversation: choose(wrap_ups), wrap_up: None },
            Verb::TransferAgent => Action::Transfer { conversation, to: Target::Agent(name(to)) },
            Verb::TransferQueue => Action::Transfer { conversation, to: Target::Queue("sales".into()) },
            Verb::Release => Action::Release { conversation },
        }
    }

    fn apply(&mut self, entry: &Entry) -> Vec<Decision> {
        self.log.push((entry.clone(), Timestamp(self.now)));
        let position = Position { partition: 3, sequence: self.log.len() as u64 };
        let decisions = self.machine.apply(entry, Timestamp(self.now), position);
        for decision in &decisions {
            self.hear(decision);
        }
        let remembered = &self.machine.pool(TENANT).unwrap().0.contacts;
        self.received.retain(|(contact, _)| remembered.get(contact).is_some());
        decisions
    }

    /// What a reader of the event stream knows of each conversation.
    fn hear(&mut self, decision: &Decision) {
        let Some(about) = &decision.conversation else { return };
        match &decision.kind {
            Kind::ConversationOpened { .. } => {
                assert!(self.made.insert(about.id.clone()), "an id made twice");
            }
            Kind::ReservationCreated { reservation, .. } => {
                assert!(self.made.insert(reservation.clone()), "an id made twice");
            }
            Kind::MessageReceived { message_id, .. } => {
                let message = (about.contact.clone(), message_id.clone());
                assert!(self.received.insert(message), "a message received twice");
            }
            _ => {}
        }
        let phase = match &decision.kind {
            Kind::ConversationOpened { .. } => "unassigned".to_owned(),
            Kind::ConversationQueued { .. } | Kind::ConversationRequeued { .. } => "waiting".to_owned(),
            Kind::ReservationCreated { agent, .. } => format!("reserved {agent}"),
            Kind::ConversationAssigned { agent, .. } => format!("assigned {agent}"),
            Kind::WrapUpStarted { agent, .. } => format!("wrapping {agent}"),
            Kind::ConversationClosed { .. } => {
                assert!(self.told.remove(&about.id).is_some(), "closed what was not open");
                return;
            }
            _ => return,
        };
        self.told.insert(about.id.clone(), phase);
    }

    fn check(&self) {
        assert_eq!(self.machine.timers(), &timer::derive(self.machine.pools()), "timers follow from facts");
        let (pool, index) = self.machine.pool(TENANT).unwrap();
        check_conversations(pool);
        check_agents(pool);
        check_matching(pool, index);
        let phases: BTreeMap<Text, String> = pool
            .conversations
            .sorted()
            .into_values()
            .map(|conversation| (conversation.about.id.clone(), phase_name(&conversation.phase)))
            .collect();
        assert_eq!(self.told, phases, "the decisions tell the whole story");
    }
}

fn phase_name(phase: &Phase) -> String {
    match phase {
        Phase::Unassigned => "unassigned".to_owned(),
        Phase::Waiting => "waiting".to_owned(),
        Phase::Reserved { agent, .. } => format!("reserved {agent}"),
        Phase::Assigned { agent } => format!("assigned {agent}"),
        Phase::WrapUp { agent, .. } => format!("wrapping {agent}"),
    }
}

fn told(decisions: &[Decision]) -> String {
    serde_json::to_string(decisions).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn invariants_hold_after_every_entry(steps in steps()) {
        let mut run = Run::new();
        run.apply(&configure(config(9)));
        for (step, twice) in &steps {
            if let Step::Pass { seconds } = step {
                run.now += i64::from(*seconds) * 1_000;
            }
            let entry = run.resolve(step);
            let decisions = run.apply(&entry);
            run.check();
            if let Entry::Inbound(_) = &entry {
                let received = decisions.iter().filter(|decision| matches!(decision.kind, Kind::MessageReceived { .. })).count();
                let duplicate = decisions.iter().filter(|decision| matches!(decision.kind, Kind::Duplicate { .. })).count();
                prop_assert_eq!(received + duplicate, 1);
            }
            if let Entry::Inbound(Inbound { unattended: true, .. }) = &entry {
                let rung = decisions.iter().find(|decision| !matches!(
                    decision.kind,
                    Kind::ConversationOpened { .. } | Kind::MessageReceived { .. } | Kind::Duplicate { .. }
                ));
                prop_assert!(rung.is_none(), "a word for the system led to {:?}", rung);
            }
            if *twice {
                let before = run.machine.pools().clone();
                run.apply(&entry);
                prop_assert_eq!(run.machine.pools(), &before, "{:?} came twice", entry);
            }
        }
    }

    #[test]
    fn replay_from_any_snapshot_is_replay_from_the_start(steps in steps(), cut in any::<prop::sample::Index>()) {
        let mut run = Run::new();
        run.apply(&configure(config(9)));
        for (step, _) in &steps {
            if let Step::Pass { seconds } = step {
                run.now += i64::from(*seconds) * 1_000;
            }
            let entry = run.resolve(step);
            run.apply(&entry);
        }
        let cut = cut.index(run.log.len());
        let mut first = Machine::new();
        let mut second = Machine::new();
        for (at, (entry, time)) in run.log.iter().enumerate() {
            if at == cut {
                second = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
            }
            let position = Position { partition: 3, sequence: at as u64 + 1 };
            let decided = told(&first.apply(entry, *time, position));
            if at >= cut {
                prop_assert_eq!(told(&second.apply(entry, *time, position)), decided);
            }
        }
        prop_assert_eq!(&second, &run.machine);
        prop_assert_eq!(second.digest(), run.machine.digest());
        prop_assert_eq!(second.next_due(), run.machine.next_due());
    }
}
