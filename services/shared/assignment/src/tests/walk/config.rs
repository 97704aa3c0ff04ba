//! Configurations that use everything there is, in three families with a weight each.

use std::collections::BTreeSet;

use crate::{
    AgentChoice, AgentSpec, Closed, MaxWait, Overflow, OverflowWhen, PoolConfig, QueueSpec, Relax, Sticky,
    Text, Timestamp, WaitEnd, tests::needs,
};

pub(super) const AGENTS: u64 = 7;

pub(super) fn name(agent: u64) -> Text {
    format!("agent-{agent}").into()
}

/// The configuration `which` of a family, at a time that hours begin from.
pub(super) fn config(family: u64, which: u64, now: i64) -> PoolConfig {
    let family = family % 3;
    let mut config = PoolConfig {
        classes: [("voice".into(), "voice".into()), ("email".into(), "async".into())].into(),
        weights: [("voice".into(), 3), ("async".into(), 1)].into(),
        cool_off_seconds: 5,
        ..PoolConfig::default()
    };
    if family == 1 {
        config.interrupts = [
            ("voice".into(), BTreeSet::from(["chat".into(), "async".into()])),
            ("chat".into(), BTreeSet::from(["async".into()])),
        ]
        .into();
    }
    config.agents = (0..AGENTS)
        .filter(|agent| *agent != which + 1)
        .map(|agent| (name(agent), agent_spec(family, which, agent)))
        .collect();
    let choice = [
        AgentChoice::LongestIdle,
        AgentChoice::LeastOccupied,
        AgentChoice::BestLevel,
        AgentChoice::Mix { idle: 3, occupancy: 5, level: 7 },
    ][(which % 4) as usize];
    let support = QueueSpec {
        choice,
        wrap_up_seconds: which as u32 * 3,
        sticky: which.is_multiple_of(2).then_some(Sticky { remember_seconds: 600, wait_seconds: 12 }),
        relax: if family == 0 { relaxation() } else { Vec::new() },
        announce_seconds: if family == 2 { 15 } else { 0 },
        callback: true,
        ..QueueSpec::default()
    };
    let sales = QueueSpec {
        required: needs(&[("billing", 1 + (which % 3) as u8)]),
        priority: 2,
        target_seconds: 5,
        aging_seconds: 30,
        ring_seconds: 9,
        ..QueueSpec::default()
    };
    config.queues = [("support".into(), support), ("sales".into(), sales)].into();
    config.queues.insert("night".into(), night(family, which, now));
    config
}

fn agent_spec(family: u64, which: u64, agent: u64) -> AgentSpec {
    let mut queues = vec![("support", 1 + (agent % 3) as u8)];
    if agent.is_multiple_of(2) {
        queues.push(("sales", 1));
    }
    if agent > 2 {
        queues.push(("night", 1));
    }
    let capacity =
        [("chat", ((agent + which) % 3 + 1) as u32), ("voice", ((agent + which) % 2) as u32), ("async", 2)];
    AgentSpec {
        skills: [
            ("french".into(), ((agent * 3 + which) % 10 + 1) as u8),
            ("billing".into(), (agent + 1) as u8),
        ]
        .into(),
        queues: queues.into_iter().map(|(queue, ring)| (queue.into(), ring)).collect(),
        capacity: capacity.into_iter().map(|(class, most)| (class.into(), most)).collect(),
        total: (family == 1 || which > 3).then_some(3),
        auto_accept: agent == 5,
        supervisor: agent == 0,
    }
}

fn relaxation() -> Vec<Relax> {
    vec![
        Relax { after_seconds: 10, lower: 2, ..Relax::default() },
        Relax { after_seconds: 20, ring: 2, ..Relax::default() },
        Relax { after_seconds: 30, drop: ["french".into()].into(), ring: 3, ..Relax::default() },
    ]
}

/// A queue with hours, which passes on what it cannot keep.
fn night(family: u64, which: u64, now: i64) -> QueueSpec {
    let at = |seconds: i64| Timestamp(now + seconds * 1_000);
    let open = vec![(at(30), at(100)), (at(160), at(400)), (at(100_000), at(900_000))];
    let closed = match which % 3 {
        0 => Closed::Wait,
        1 => Closed::Overflow("support".into()),
        _ => Closed::Close,
    };
    let then = match which % 3 {
        0 => WaitEnd::Callback,
        1 => WaitEnd::Close,
        _ => WaitEnd::Overflow("sales".into()),
    };
    let overflow = vec![
        Overflow { when: OverflowWhen::Waiting(3), to: "support".into() },
        Overflow { when: OverflowWhen::NobodyOnline, to: "sales".into() },
        Overflow { when: OverflowWhen::After(25), to: "support".into() },
        Overflow { when: OverflowWhen::Estimated(60), to: "sales".into() },
    ];
    QueueSpec {
        open: (family == 2).then_some(open),
        closed,
        overflow,
        max_wait: Some(MaxWait { after_seconds: 40, then }),
        announce_seconds: 7,
        callback: true,
        ..QueueSpec::default()
    }
}
