//! What must hold after every entry, found by looking at everything, and by other means than the machine's own.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    AgentSpec, Need, Presence, QueueSpec, Text,
    index::Index,
    machine::Machine,
    state::{Agent, Conversation, Number, Phase, Pool, Stand},
    timer,
};

/// Everything below. `thorough` also looks at what takes long to look at: all contacts and all timers.
pub(super) fn check(machine: &Machine, tenant: &str, thorough: bool) {
    let (pool, index) = machine.pool(tenant).unwrap();
    let everything = pool.conversations.sorted();
    if thorough {
        assert_eq!(machine.timers(), &timer::derive(machine.pools()), "timers follow from facts");
        check_contacts(pool, &everything);
    }
    check_conversations(pool, &everything);
    check_agents(pool, &everything);
    check_matching(pool, index, &everything);
}

type Everything<'a> = BTreeMap<&'a Number, &'a Conversation>;

/// Each open conversation is the one of its contact and scope.
fn check_contacts(pool: &Pool, everything: &Everything<'_>) {
    let mut open = 0;
    for (contact, memory) in pool.contacts.sorted() {
        open += memory.open.len();
        assert_eq!(memory.forget_at.is_some(), memory.open.is_empty());
        for (scope, number) in &memory.open {
            let about = &pool.conversations[number].about;
            assert_eq!((&about.contact, &about.scope), (contact, scope));
        }
    }
    assert_eq!(open, everything.len(), "one open conversation per contact and scope, none lost");
}

/// Whoever is asked for was asked for by somebody.
fn check_conversations(pool: &Pool, everything: &Everything<'_>) {
    let mut uses = BTreeMap::new();
    for conversation in everything.values() {
        if let Some(ask) = conversation.ask {
            *uses.entry(ask).or_insert(0) += 1;
        } else {
            assert!(matches!(conversation.phase, Phase::Unassigned), "whoever has it was asked for");
        }
        assert!(conversation.wait.due.is_none() || conversation.phase == Phase::Waiting);
    }
    let counted: BTreeMap<_, _> = pool.asks.uses().into_iter().filter(|(_, uses)| *uses > 0).collect();
    assert_eq!(uses, counted, "every ask is counted");
}

/// Workloads are what the conversations say, and within capacity.
fn check_agents(pool: &Pool, everything: &Everything<'_>) {
    let mut work: BTreeMap<&Text, BTreeSet<Number>> = BTreeMap::new();
    let mut consults: BTreeMap<&Text, BTreeSet<Number>> = BTreeMap::new();
    let mut joined: BTreeMap<&Text, BTreeSet<Number>> = BTreeMap::new();
    let mut used: BTreeMap<&Text, BTreeMap<&Text, u32>> = BTreeMap::new();
    let mut ringing: BTreeMap<&Text, BTreeSet<&Text>> = BTreeMap::new();
    for (number, conversation) in everything {
        let class = &conversation.class;
        if let Some(agent) = conversation.phase.agent() {
            work.entry(agent).or_default().insert(**number);
            *used.entry(agent).or_default().entry(class).or_default() += 1;
            if matches!(conversation.phase, Phase::Reserved { .. }) {
                ringing.entry(agent).or_default().insert(class);
            }
        }
        if let Some(consult) = &conversation.consult {
            assert!(matches!(&conversation.phase, Phase::Assigned { agent, .. } if *agent == consult.by));
            assert_ne!(consult.agent, consult.by);
            consults.entry(&consult.agent).or_default().insert(**number);
            *used.entry(&consult.agent).or_default().entry(class).or_default() += 1;
            if consult.ringing.is_some() {
                ringing.entry(&consult.agent).or_default();
            }
        }
        for supervisor in &conversation.joined {
            assert!(matches!(conversation.phase, Phase::Assigned { .. }));
            joined.entry(supervisor).or_default().insert(**number);
        }
    }
    for (name, agent) in pool.agents.sorted() {
        assert_eq!(agent.work, work.remove(name).unwrap_or_default(), "{name}");
        assert_eq!(agent.consults, consults.remove(name).unwrap_or_default(), "{name}");
        assert_eq!(agent.joined, joined.remove(name).unwrap_or_default(), "{name}");
        let used = used.remove(name).unwrap_or_default();
        assert_eq!(
            agent.used.iter().collect::<BTreeMap<_, _>>(),
            used.iter().map(|(class, used)| (*class, used)).collect()
        );
        let ringing = ringing.remove(name);
        check_capacity(pool, name, &used, ringing.as_ref().unwrap_or(&BTreeSet::new()));
        if agent.presence == Presence::Offline {
            assert!(used.is_empty() && agent.alive_until.is_none() && agent.grace_until.is_none());
            assert!(agent.joined.is_empty() && agent.when_done.is_none());
        }
        assert!(agent.ready() || ringing.is_none(), "nothing rings at {name}, who is not there");
    }
    assert!(work.is_empty() && consults.is_empty() && joined.is_empty(), "nothing is with who is gone");
}

/// Nobody carries more than they can. A smaller configuration takes no assigned conversation away, but nothing rings.
fn check_capacity(pool: &Pool, name: &Text, used: &BTreeMap<&Text, u32>, ringing: &BTreeSet<&Text>) {
    let spec = &pool.config.agents[name];
    for (class, used) in used {
        let most = spec.capacity.get(*class).copied().unwrap_or(0);
        assert!(*used <= most || !ringing.contains(*class), "{name} has {used} of {class}, {most} at most");
    }
    let interrupted = |class: &Text| {
        used.keys()
            .any(|by| *by != class && pool.config.interrupts.get(*by).is_some_and(|of| of.contains(class)))
    };
    let load: u32 = used
        .iter()
        .filter(|(class, _)| !interrupted(class))
        .map(|(class, used)| used * pool.config.weights.get(*class).copied().unwrap_or(1))
        .sum();
    assert!(spec.total.is_none_or(|total| load <= total) || ringing.is_empty(), "{name} carries {load}");
}

/// No work waits that a free agent may take, and the indexes say what a scan says.
fn check_matching(pool: &Pool, index: &Index, everything: &Everything<'_>) {
    let waiting: Vec<_> = everything
        .iter()
        .filter(|(_, conversation)| conversation.phase == Phase::Waiting)
        .map(|(number, it)| (**number, *it))
        .collect();
    let mut lines: BTreeMap<&Text, Vec<(i64, Number)>> = BTreeMap::new();
    for (number, conversation) in &waiting {
        let queue = queue(pool, conversation);
        let spec = pool.config.queues.get(queue).cloned().unwrap_or_default();
        if !matches!(conversation.wait.stand, Stand::Asleep { .. }) {
            lines.entry(queue).or_default().push((place(conversation, &spec), *number));
        }
        for (name, agent) in pool.agents.sorted() {
            let may = may_take(pool, name, agent, *number, conversation, &spec);
            assert!(!may, "{name} is free for {conversation:?}");
        }
        assert!(index.best_agent(pool, *number).is_none());
    }
    let reservations = everything.iter().flat_map(|(number, conversation)| {
        let rings = match &conversation.phase {
            Phase::Reserved { reservation, .. } => Some(reservation),
            _ => None,
        };
        let consult = conversation.consult.as_ref().and_then(|consult| consult.ringing.as_ref());
        rings.into_iter().chain(consult.map(|(reservation, _)| reservation)).map(|id| (id, *number))
    });
    assert_eq!(index.reservations.sorted(), reservations.collect());
    assert_eq!(index.by_id.len(), everything.len());
    for line in index.heard_of() {
        let mut expected = lines.remove(&line.name).unwrap_or_default();
        expected.sort_unstable();
        assert!(line.in_order().eq(expected.iter().map(|(_, number)| *number)), "the order of {}", line.name);
        let serves = |name: &Text| pool.config.agents[name].queues.contains_key(&line.name);
        let ready = pool.agents.sorted().into_iter().filter(|(name, agent)| serves(name) && agent.ready());
        assert_eq!(line.ready as usize, ready.count(), "{}", line.name);
        for (at, key) in expected.iter().enumerate() {
            assert_eq!(line.position(*key) as usize, at + 1);
        }
    }
    assert!(lines.is_empty(), "all that waits is in a line");
}

fn queue<'a>(pool: &'a Pool, conversation: &Conversation) -> &'a Text {
    &pool.asks.get(conversation.ask.unwrap()).queue
}

fn place(conversation: &Conversation, spec: &QueueSpec) -> i64 {
    let aging = if spec.aging_seconds == 0 { spec.target_seconds * 10 } else { spec.aging_seconds };
    conversation.arrived.0 - i64::from(conversation.priority + spec.priority) * i64::from(aging) * 1_000
}

/// Whether an agent might take waiting work now, said in the words of the configuration.
pub(super) fn may_take(
    pool: &Pool,
    name: &Text,
    agent: &Agent,
    number: Number,
    conversation: &Conversation,
    queue: &QueueSpec,
) -> bool {
    let config = &pool.config;
    let spec = &config.agents[name];
    let ask = pool.asks.get(conversation.ask.unwrap());
    if pool.queues.get(&ask.queue).is_some_and(|known| known.closed) || pool.cools_off(name, number) {
        return false;
    }
    match &conversation.wait.stand {
        Stand::Asleep { .. } => return false,
        Stand::Held { agent, .. } if agent != name => return false,
        Stand::Held { .. } | Stand::Open => {}
    }
    let class = &conversation.class;
    let carried = agent.used.get(class).copied().unwrap_or(0);
    if !agent.ready() || carried >= spec.capacity.get(class).copied().unwrap_or(0) {
        return false;
    }
    if let Some(total) = spec.total {
        let interrupts = config.interrupts.get(class);
        let weight = |class: &Text| config.weights.get(class).copied().unwrap_or(1);
        let counted = agent
            .used
            .iter()
            .filter(|(other, _)| interrupts.is_none_or(|of| *other == class || !of.contains(*other)));
        if counted.map(|(class, used)| used * weight(class)).sum::<u32>() + weight(class) > total {
            return false;
        }
    }
    matches!(conversation.wait.stand, Stand::Held { .. })
        || asked_of(spec, &ask.queue, &ask.required, queue, conversation.wait.steps)
}

/// Whether `spec` is asked for work with these needs in that queue, after so many steps.
fn asked_of(spec: &AgentSpec, queue: &Text, own: &[Need], rules: &QueueSpec, steps: u8) -> bool {
    let taken = &rules.relax[..usize::from(steps).min(rules.relax.len())];
    let lower = taken.iter().map(|step| step.lower).max().unwrap_or(0);
    let dropped = |name: &Text| taken.iter().any(|step| step.drop.contains(name));
    let ring = taken.iter().map(|step| step.ring).max().unwrap_or(0).max(1);
    spec.queues.get(queue).is_some_and(|own| *own <= ring)
        && own.iter().chain(&rules.required).all(|need| fulfils(spec, need, lower, &dropped) != Some(false))
}

/// Whether a need is fulfilled; none if nothing is left of it.
fn fulfils(spec: &AgentSpec, need: &Need, lower: u8, dropped: &dyn Fn(&Text) -> bool) -> Option<bool> {
    match need {
        Need::Skill(skill) if dropped(&skill.name) => None,
        Need::Skill(skill) => {
            let has = spec.skills.get(&skill.name).copied().unwrap_or(0);
            Some(has >= skill.level.saturating_sub(lower).max(1))
        }
        Need::All { all } => {
            let left: Vec<bool> = all.iter().filter_map(|need| fulfils(spec, need, lower, dropped)).collect();
            (!left.is_empty()).then(|| left.iter().all(|it| *it))
        }
        Need::Any { any } => {
            let left: Option<Vec<bool>> =
                any.iter().map(|need| fulfils(spec, need, lower, dropped)).collect();
            left.map(|left| left.iter().any(|it| *it))
        }
        Need::Not { not } => fulfils(spec, not, 0, dropped).map(|it| !it),
    }
}
