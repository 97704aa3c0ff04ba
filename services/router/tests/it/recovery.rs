//! A router dies with much in its memory: what it knew comes back from a snapshot and the tail of the log.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use heliograph_fabric::{Cursor, subjects};
use heliograph_proto::v1::{
    CloseConversation, Command, Event, FinishWrapUp, Presence, Proposal, QueuesQuery, SetPresence, Verdict,
    Wanted, command::Action, event::Payload, routing_answer::Answer, routing_entry::Kind,
    routing_query::Query, verdict::Outcome,
};
use heliograph_router::{AssignmentConfig, RouterConfig, replay};
use serde_json::json;

use crate::fleet::{Fleet, LAYOUT, TENANT, assert_unique, eventually, message, said};

const AGENTS: usize = 200;
const WAITING: usize = 2_000;
/// Messages behind the last snapshot.
const TAIL: usize = 300;

fn config(assignment: AssignmentConfig) -> RouterConfig {
    RouterConfig { assignment, ..RouterConfig::default() }
}

/// What intake proposes of a customer's message.
async fn write(fleet: &Fleet, customer: usize, text: &str) -> u64 {
    let user = format!("user-{customer}");
    let event = message(TENANT, &user, text);
    let proposal = Proposal {
        event: Some(event),
        contact: format!("con_{customer}"),
        scope: "default".to_owned(),
        verdict: Some(Verdict { outcome: Outcome::Allow.into(), ..Verdict::default() }),
        wanted: Some(Wanted { queue: "support".to_owned(), ..Wanted::default() }),
        ..Proposal::default()
    };
    fleet.append(TENANT, &format!("{user}/{text}"), Kind::Proposal(proposal)).await
}

async fn command(fleet: &Fleet, agent: &str, id: &str, action: Action) -> u64 {
    let command = Command { command_id: id.to_owned(), agent: agent.to_owned(), action: Some(action) };
    fleet.append(TENANT, &format!("{agent}/{id}"), Kind::Command(command)).await
}

/// Waits until what follows from everything up to this entry is stored.
async fn worked_off(fleet: &Fleet, partition: u16, sequence: u64) {
    eventually("the entries are worked off", || async {
        let through = Cursor::peek(&fleet.fabric, "router.routing", partition).await.ok()?;
        (through >= sequence).then_some(())
    })
    .await;
}

/// Conversations of the events that are wanted, in the order of the log.
fn conversations_of(events: &[Event], wanted: impl Fn(&Payload) -> bool) -> Vec<String> {
    let chosen = events.iter().filter(|event| event.payload.as_ref().is_some_and(&wanted));
    let mut chosen: Vec<&Event> = chosen.collect();
    chosen.sort_by_key(|event| event.position.map(|place| (place.sequence, place.index)));
    chosen.into_iter().map(|event| event.conversation.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_centre_is_back_after_a_kill_with_everybody_in_their_place() {
    let fleet = Fleet::start().await;
    // However long this takes, nobody is taken for gone.
    let spec = json!({ "display_name": "Acme", "work": { "liveness": "24h" } });
    fleet.apply(TENANT, "Tenant", TENANT, spec).await;
    let partition = subjects::partition_of_pool(TENANT, "default", LAYOUT.routing);
    join_all((0..AGENTS).map(|agent| {
        let spec = json!({
            "display_name": "Agent", "queues": ["support"], "capacity": { "chat": 1 }, "auto_accept": true,
            "skills": { format!("skill-{}", agent % 40): 1 + agent % 10 },
        });
        let fleet = &fleet;
        async move { fleet.apply(TENANT, "Agent", &format!("agent-{agent}"), spec).await }
    }))
    .await;
    // Stopped in order, the first leaves a snapshot of all that is there by then; the second takes none.
    let first = fleet.router_with("first", config(AssignmentConfig::default())).await;
    worked_off(&fleet, partition, 1).await;
    let online = SetPresence { presence: Presence::Online.into(), ..SetPresence::default() };
    join_all((0..AGENTS).map(|agent| {
        let (name, online) = (format!("agent-{agent}"), online);
        let fleet = &fleet;
        async move { command(fleet, &name, "online", Action::SetPresence(online)).await }
    }))
    .await;
    // One after another: whoever wrote first is served first.
    let mut last = 0;
    for customer in 0..AGENTS + WAITING {
        last = write(&fleet, customer, "0").await;
    }
    worked_off(&fleet, partition, last).await;
    first.stop().await;
    let never = AssignmentConfig {
        snapshot_entries: u64::MAX,
        snapshot_every: Duration::from_hours(24),
        ..AssignmentConfig::default()
    };
    let second = fleet.router_with("second", config(never.clone())).await;
    for customer in 0..TAIL {
        last = write(&fleet, customer * 7, "1").await;
    }
    worked_off(&fleet, partition, last).await;
    second.kill();
    // What comes while nobody is there is decided by whoever comes.
    for customer in 0..TAIL {
        last = write(&fleet, customer * 7, "2").await;
    }
    let _third = fleet.router_with("third", config(never)).await;
    worked_off(&fleet, partition, last).await;

    let events = fleet.events().await;
    assert_unique(&events);
    let mut heard: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.r#type == "message.received") {
        heard.entry(&event.contact).or_default().push(said(event));
    }
    assert_eq!(heard.len(), AGENTS + WAITING);
    for customer in 0..AGENTS + WAITING {
        let often = customer % 7 == 0 && customer / 7 < TAIL;
        let expected: &[&str] = if often { &["0", "1", "2"] } else { &["0"] };
        assert_eq!(heard[&*format!("con_{customer}")], expected, "customer {customer}");
    }
    let assigned = conversations_of(&events, |it| matches!(it, Payload::ConversationAssigned(_)));
    assert_eq!(assigned.len(), AGENTS, "nobody was given anything by the recovery");
    let opened = conversations_of(&events, |it| matches!(it, Payload::ConversationOpened(_)));
    assert_eq!(assigned, opened[..AGENTS]);

    let snapshots = fleet.snapshot_store().await;
    let from_snapshot = replay(&fleet.fabric, Some(&snapshots), partition).await.unwrap();
    let from_log = replay(&fleet.fabric, None, partition).await.unwrap();
    assert!(0 < from_snapshot.from && from_snapshot.from + 2 * TAIL as u64 <= from_snapshot.applied);
    assert_eq!(from_snapshot.digest, from_log.digest);

    // The queue goes on where it was: whoever waits longest is next.
    let Some(Answer::Queues(queues)) = fleet.ask(TENANT, Query::Queues(QueuesQuery {})).await.unwrap().answer
    else {
        panic!("no queues")
    };
    assert_eq!(queues.queues.iter().map(|queue| queue.waiting).sum::<i32>(), i32::try_from(WAITING).unwrap());
    let (done, next) = (assigned[0].clone(), opened[AGENTS].clone());
    let agent = events.iter().find_map(|event| match &event.payload {
        Some(Payload::ConversationAssigned(it)) if event.conversation == done => Some(it.agent.clone()),
        _ => None,
    });
    let agent = agent.unwrap();
    let close = CloseConversation { conversation: done.clone(), ..CloseConversation::default() };
    command(&fleet, &agent, "close", Action::Close(close)).await;
    command(&fleet, &agent, "finish", Action::FinishWrapUp(FinishWrapUp { conversation: done })).await;
    let events = fleet.count("conversation.assigned", AGENTS + 1).await;
    let Some(Payload::ConversationAssigned(it)) = &events[AGENTS].payload else { panic!("not assigned") };
    assert_eq!((&events[AGENTS].conversation, &it.agent), (&next, &agent));
}
