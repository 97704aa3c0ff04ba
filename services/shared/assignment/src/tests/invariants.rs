//! What must hold after every entry, found by looking at everything.

use std::collections::BTreeMap;

use crate::{
    Presence, Text,
    index::Index,
    state::{Phase, Pool},
};

/// Each open conversation is the one of its contact and scope.
pub(super) fn check_conversations(pool: &Pool) {
    let mut open = 0;
    for (contact, memory) in pool.contacts.sorted() {
        open += memory.open.len();
        assert_eq!(memory.forget_at.is_some(), memory.open.is_empty());
        for (scope, number) in &memory.open {
            let about = &pool.conversations[number].about;
            assert_eq!((&about.contact, &about.scope), (contact, scope));
        }
    }
    assert_eq!(open, pool.conversations.len(), "one open conversation per contact and scope, none lost");
}

/// Workloads are what the conversations say, and within capacity.
pub(super) fn check_agents(pool: &Pool) {
    for (name, agent) in &pool.agents {
        let spec = &pool.config.agents[name];
        let mut used: BTreeMap<Text, u32> = BTreeMap::new();
        let mut ringing: BTreeMap<Text, u32> = BTreeMap::new();
        for (number, conversation) in pool.conversations.sorted() {
            let carried = conversation.phase.agent() == Some(name);
            assert_eq!(carried, agent.work.contains(number));
            if carried {
                let class = &conversation.profile.class;
                *used.entry(class.clone()).or_default() += 1;
                if let Phase::Reserved { .. } = conversation.phase {
                    *ringing.entry(class.clone()).or_default() += 1;
                }
            }
        }
        assert_eq!(used, agent.used);
        // A smaller configuration takes no assigned conversation away, but nothing more rings.
        for (class, used) in &used {
            assert!(
                *used <= spec.capacity.get(class).copied().unwrap_or(0) || !ringing.contains_key(class),
                "{name}"
            );
        }
        let load: u32 = used.iter().map(|(class, used)| used * pool.config.weight(class)).sum();
        assert!(spec.total.is_none_or(|total| load <= total) || ringing.is_empty(), "{name}");
        if agent.presence == Presence::Offline {
            assert!(used.is_empty() && agent.alive_until.is_none() && agent.grace_until.is_none());
        }
        assert!(agent.ready() || ringing.is_empty(), "nothing rings at an agent who is not there");
    }
    let carried: usize = pool.agents.values().map(|agent| agent.work.len()).sum();
    let held = pool
        .conversations
        .sorted()
        .into_values()
        .filter(|conversation| conversation.phase.agent().is_some())
        .count();
    assert_eq!(carried, held, "no conversation is with an agent who is gone");
}

/// No work waits that a free agent may take, and the indexes say what a scan says.
pub(super) fn check_matching(pool: &Pool, index: &Index) {
    let rebuilt = Index::build(pool);
    for (number, conversation) in pool.conversations.sorted() {
        assert_eq!(index.by_id[&conversation.about.id], *number);
        if let Phase::Reserved { agent, direct: false, .. } = &conversation.phase {
            assert!(!pool.cools_off(agent, *number), "offered again to {agent}, who gave it up");
        }
        if conversation.phase != Phase::Waiting {
            continue;
        }
        let profile = &conversation.profile;
        for agent in pool.agents.keys() {
            let may = pool.suits(agent, profile)
                && pool.is_free(agent, &profile.class)
                && !pool.cools_off(agent, *number);
            assert!(!may, "{agent} is free for {conversation:?}");
        }
        assert!(index.best_agent(pool, *number).is_none());
        let key = conversation.key(*number);
        let ahead = pool.conversations.sorted().into_iter().filter(|(other, conversation)| {
            conversation.phase == Phase::Waiting
                && conversation.profile.queue == profile.queue
                && conversation.key(**other) <= key
        });
        assert_eq!(index.position(&profile.queue, key) as usize, ahead.count());
    }
    assert_eq!(index.by_id.len(), pool.conversations.len());
    assert_eq!(index.reservations, rebuilt.reservations);
    for queue in ["support", "sales"] {
        assert_eq!(index.ready(queue), rebuilt.ready(queue));
        assert_eq!(
            (index.waiting(queue), index.oldest(queue)),
            (rebuilt.waiting(queue), rebuilt.oldest(queue))
        );
    }
}
