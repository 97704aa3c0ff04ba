//! A tenant goes to another routing partition, and comes back.

use std::collections::BTreeMap;

use heliograph_domain::content;
use heliograph_fabric::{Stream, places::GENERATION, subjects};
use heliograph_proto::v1::{AgentStateQuery, Event, routing_answer::Answer, routing_query::Query};
use heliograph_router::{
    placement::{self, Move, MoveError, Progress},
    replay,
};

use crate::fleet::{Fleet, LAYOUT, TENANT, assert_unique, eventually, message, said};

const CUSTOMERS: usize = 20;
const MESSAGES: usize = 40;

impl Fleet {
    /// Moves the tenant, and waits until nothing of the move is left to be done.
    async fn move_to(&self, to: u16) -> Move {
        let asked = placement::ask(&self.fabric, LAYOUT.routing, TENANT, to).await.unwrap();
        eventually("the tenant is there", || async {
            let progress = asked.progress(&self.fabric, LAYOUT.routing).await.unwrap();
            (progress == Progress::PassedOn).then_some(())
        })
        .await;
        asked
    }
}

fn home() -> u16 {
    subjects::partition_of_pool(TENANT, "default", LAYOUT.routing)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_under_traffic_moves_and_comes_back_and_nothing_is_lost_doubled_or_reordered() {
    let fleet = Fleet::start().await;
    let first = fleet.router("first").await;
    let second = fleet.router("second").await;
    fleet.online(TENANT, "ann").await;
    fleet.write(TENANT, "held", "hello").await;
    let held = fleet.accept(TENANT, "ann").await;
    fleet.count("conversation.assigned", 1).await;
    let there = (home() + 1) % LAYOUT.routing;

    let writing = async {
        for n in 0..MESSAGES {
            let text = n.to_string();
            let users = (0..CUSTOMERS).map(|user| format!("user-{user}"));
            let written = users.clone().map(|user| {
                let (fleet, text) = (&fleet, &text);
                async move { fleet.receive(message(TENANT, &user, text)).await }
            });
            // This writer never hears of a move: what it writes is passed on for ever.
            let offered = users.map(|user| {
                let (fleet, text) = (&fleet, format!("offer {n}"));
                async move { fleet.send(TENANT, &user, &text).await }
            });
            tokio::join!(futures::future::join_all(written), futures::future::join_all(offered));
        }
    };
    let moving = async {
        let gone = fleet.move_to(there).await;
        assert_eq!((gone.from, gone.to, gone.generation), (home(), there, 1));
        fleet.reply(TENANT, "ann", "c-there", &held, "said there").await;
        let back = fleet.move_to(home()).await;
        assert_eq!((back.from, back.generation), (there, 2));
        fleet.move_to(there).await
    };
    let ((), last) = tokio::join!(writing, moving);
    fleet.reply(TENANT, "ann", "c-last", &held, "said at last").await;

    // One by which the agent was taken up, and what customers wrote.
    let received = fleet.count("message.received", CUSTOMERS * MESSAGES + 1).await;
    assert_eq!(received.len(), CUSTOMERS * MESSAGES + 1);
    fleet.count("message.accepted", CUSTOMERS * MESSAGES + 2).await;
    let events = fleet.events().await;
    assert_unique(&events);
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for event in &received {
        texts.entry(&event.contact).or_default().push(said(event));
    }
    let expected: Vec<String> = (0..MESSAGES).map(|n| n.to_string()).collect();
    assert_eq!(texts.values().filter(|texts| **texts == expected).count(), CUSTOMERS);
    let mut offers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for work in fleet.outbound().await {
        let text = content::preview(&work.message.unwrap().content.unwrap());
        offers.entry(work.conversation).or_default().push(text);
    }
    let expected: Vec<String> = (0..MESSAGES).map(|n| format!("offer {n}")).collect();
    assert_eq!(offers.values().filter(|texts| **texts == expected).count(), CUSTOMERS);
    assert_eq!(offers[&held], ["said there", "said at last"]);

    // What was decided at the end was decided there, and what intake writes goes there by itself.
    let place = |event: &Event| event.position.map(|place| place.partition);
    let accepted = events.iter().rfind(|event| event.r#type == "message.accepted").unwrap();
    assert_eq!(place(accepted), Some(there.into()));
    fleet.write(TENANT, "late", "hello").await;
    fleet.count("message.received", CUSTOMERS * MESSAGES + 2).await;
    let records = fleet.records(Stream::Routing).await;
    let direct =
        records.iter().rfind(|record| record.headers.get("ce-type").unwrap().as_str() == "routing.proposal");
    let direct = direct.unwrap();
    assert_eq!(direct.subject, subjects::routing(there, TENANT).unwrap());
    assert_eq!(direct.headers.get(GENERATION).unwrap().as_str(), "3");
    assert!(direct.headers.get("Heliograph-Position").is_none(), "it was not passed on");

    // The agent has kept the conversation, and whoever asks at the old place is told where to ask.
    let ask = || Query::AgentState(AgentStateQuery { agent: "ann".to_owned() });
    let old = fleet.ask_at(home(), TENANT, ask()).await.unwrap();
    assert!(matches!(old.answer, Some(Answer::Elsewhere(it)) if it.partition == u32::from(there)));
    let Some(Answer::AgentState(desk)) = fleet.ask(TENANT, ask()).await.unwrap().answer else { panic!() };
    assert!(desk.conversations.iter().any(|seen| seen.id == held && seen.state == "assigned"));

    first.stop().await;
    second.stop().await;
    assert!(fleet.dead().await.is_empty());
    assert_eq!(last.generation, 3);
    let snapshots = fleet.snapshot_store().await;
    for partition in 0..LAYOUT.routing {
        let from_snapshot = replay(&fleet.fabric, Some(&snapshots), partition).await.unwrap();
        let from_log = replay(&fleet.fabric, None, partition).await.unwrap();
        assert_eq!(
            from_snapshot.digest, from_log.digest,
            "partition {partition} from {}",
            from_snapshot.from
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_makes_no_sense_is_refused_and_one_that_is_under_way_is_gone_on_with() {
    let fleet = Fleet::start().await;
    let ask = |to| placement::ask(&fleet.fabric, LAYOUT.routing, TENANT, to);
    let (here, there, other) = (home(), (home() + 1) % LAYOUT.routing, (home() + 2) % LAYOUT.routing);
    assert!(matches!(ask(LAYOUT.routing).await, Err(MoveError::NoSuchPartition { to: 4, partitions: 4 })));
    assert!(matches!(ask(here).await, Err(MoveError::AlreadyThere { .. })));
    // Nobody owns the partition: it stays asked for.
    let asked = ask(there).await.unwrap();
    assert_eq!(asked.progress(&fleet.fabric, LAYOUT.routing).await.unwrap(), Progress::Asked);
    assert!(matches!(ask(other).await, Err(MoveError::UnderWay { to, .. }) if to == there));
    assert_eq!(ask(there).await.unwrap(), asked, "the same move again");
    let _router = fleet.router("one").await;
    fleet.move_to(there).await;
    assert!(matches!(ask(there).await, Err(MoveError::AlreadyThere { .. })));
    assert_eq!(placement::place(&fleet.fabric, LAYOUT.routing, TENANT).await.unwrap().past, [here]);
    fleet.move_to(other).await;
    assert_eq!(placement::place(&fleet.fabric, LAYOUT.routing, TENANT).await.unwrap().past, [here, there]);
}
