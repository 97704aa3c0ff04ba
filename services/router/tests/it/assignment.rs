//! From proposals and commands to events and outbound work.

use std::time::Duration;

use heliograph_domain::content;
use heliograph_fabric::{Envelope, Stream, subjects};
use heliograph_proto::v1::{
    AgentStateQuery, CloseConversation, ConversationQuery, FinishWrapUp, OpenConversationQuery,
    command::Action, event::Payload, routing_answer::Answer, routing_query::Query, verdict::Outcome,
};
use heliograph_router::{RouterConfig, replay, reply_message_id};
use heliograph_store::{
    Redis, RedisOptions, now_ms,
    windows::{WindowKey, Windows},
};
use serde_json::json;

use crate::fleet::{Fleet, LAYOUT, TENANT, assert_unique, eventually, message};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_first_messages_at_once_open_one_conversation() {
    let fleet = Fleet::start().await;
    let _router = fleet.router("one").await;
    futures::future::join_all((0..100).map(|n| {
        let event = message(TENANT, "mia", &format!("hello {n}"));
        fleet.receive(event)
    }))
    .await;
    let received = fleet.count("message.received", 100).await;
    assert_eq!(received.len(), 100);
    assert!(received.iter().all(|event| event.conversation == received[0].conversation));
    let events = fleet.events().await;
    assert_unique(&events);
    let count = |kind: &str| events.iter().filter(|event| event.r#type == kind).count();
    assert_eq!((count("conversation.opened"), count("contact.updated")), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_from_the_first_message_to_the_wrap_up() {
    let fleet = Fleet::start().await;
    let _router = fleet.router("one").await;
    fleet.online(TENANT, "ann").await;
    fleet.write(TENANT, "mia", "where is my parcel?").await;
    let conversation = fleet.accept(TENANT, "ann").await;
    fleet.reply(TENANT, "ann", "c1", &conversation, "on its way").await;
    fleet.count("message.accepted", 1).await;

    let state =
        fleet.ask(TENANT, Query::AgentState(AgentStateQuery { agent: "ann".to_owned() })).await.unwrap();
    let position = state.position.unwrap();
    let Some(Answer::AgentState(desk)) = state.answer else { panic!("no state") };
    assert_eq!(desk.conversations.len(), 1);
    let seen = &desk.conversations[0];
    assert_eq!(
        (seen.id.as_str(), seen.state.as_str(), seen.agent.as_str()),
        (&*conversation, "assigned", "ann")
    );
    assert_eq!(seen.address.as_ref().unwrap().user_id, "mia");
    assert_eq!(seen.verdict.as_ref().unwrap().outcome(), Outcome::Allow);
    assert_eq!(desk.queues[0].name, "support");
    let window = seen.window.as_ref().unwrap();
    assert_eq!((window.kind.as_str(), window.remaining), ("message", 7));
    let redis = Redis::connect(&RedisOptions::new(fleet.redis.url())).await.unwrap();
    let key = WindowKey::new(TENANT, "webchat", "site", "mia");
    let kept = Windows::new(redis).get(&key).await.unwrap();
    let kept: Vec<_> = kept.iter().collect();
    assert_eq!((kept.len(), kept[0].kind.as_str(), kept[0].limit), (1, "message", Some(7)));
    let kept = kept[0];
    assert_eq!(kept.expires_at_ms / 1_000, window.expires_at.as_ref().unwrap().seconds);

    let heard = fleet.count("message.received", 1).await;
    let Some(Payload::MessageReceived(heard)) = &heard[0].payload else { panic!("{heard:?}") };
    assert_eq!(heard.windows, std::slice::from_ref(window), "the transcript tells it when Redis does not");

    let close = CloseConversation {
        conversation: conversation.clone(),
        wrap_up_code: "solved".to_owned(),
        note: "kind".to_owned(),
    };
    fleet.command(TENANT, "ann", "c2", Action::Close(close)).await;
    fleet.count("conversation.wrap_up", 1).await;
    let finish = FinishWrapUp { conversation: conversation.clone() };
    fleet.command(TENANT, "ann", "c3", Action::FinishWrapUp(finish)).await;
    fleet.count("conversation.closed", 1).await;

    let events = fleet.events().await;
    assert_unique(&events);
    let mine: Vec<_> = events.iter().filter(|event| event.conversation == conversation).collect();
    let types: Vec<&str> = mine.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(
        types,
        [
            "conversation.opened",
            "message.received",
            "conversation.queued",
            "reservation.created",
            "reservation.accepted",
            "conversation.assigned",
            "message.accepted",
            "conversation.wrap_up",
            "conversation.closed",
        ]
    );
    let places: Vec<_> = mine.iter().map(|event| event.position.unwrap()).collect();
    assert!(
        places.windows(2).all(|pair| (pair[0].sequence, pair[0].index) < (pair[1].sequence, pair[1].index))
    );
    for event in &mine {
        assert_eq!(
            (event.region.as_str(), event.channel.as_str()),
            ("default", "webchat"),
            "{}",
            event.r#type
        );
    }
    assert!(mine[2].reasons.iter().any(|reason| reason.code == "routing.no_rule"), "{:?}", mine[2].reasons);
    assert!(mine[3].reasons.iter().any(|reason| reason.code == "assignment.chosen"), "{:?}", mine[3].reasons);
    let Some(Payload::ConversationClosed(closed)) = &mine[8].payload else { panic!("not closed") };
    assert_eq!((closed.note.as_str(), closed.wrap_up_code.as_str()), ("kind", "solved"));
    let Some(Payload::MessageAccepted(accepted)) = &mine[6].payload else { panic!("not accepted") };
    assert_eq!(mine[6].cause, "c1");

    let work = fleet.outbound().await;
    assert_eq!(work.len(), 1);
    assert_eq!((&work[0].delivery_id, &work[0].conversation), (&accepted.delivery_id, &conversation));
    assert!(work[0].last_inbound_at.is_some());
    let sent = work[0].message.as_ref().unwrap();
    assert_eq!(sent.id, reply_message_id(TENANT, "ann", "c1"));
    assert_eq!(content::preview(sent.content.as_ref().unwrap()), "on its way");
    assert_eq!(sent.address.as_ref().unwrap().user_id, "mia");

    // What the state already holds is told apart by position; what comes later stands behind its sequence.
    for (event, record) in events.iter().zip(fleet.records(Stream::Events).await) {
        let Some(place) = &event.position else { continue };
        assert!(place.sequence <= position.sequence || record.seq > state.sequence, "{}", event.r#type);
    }
    let gone = Query::Conversation(ConversationQuery { conversation });
    assert!(matches!(fleet.ask(TENANT, gone).await.unwrap().answer, Some(Answer::NotKnown(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_leads_to_the_same_state_and_says_nothing_twice() {
    let mut fleet = Fleet::start().await;
    let router = fleet.router("one").await;
    fleet.online(TENANT, "ann").await;
    for n in 0..20 {
        fleet.write(TENANT, &format!("user-{n}"), "hello").await;
    }
    fleet.count("reservation.created", 20).await;
    fleet.send(TENANT, "user-0", "an offer").await;
    fleet.count("message.accepted", 1).await;
    router.stop().await;
    let said = fleet.events().await;

    let partition = subjects::partition_of_pool(TENANT, "default", LAYOUT.routing);
    let router = fleet.router("two").await;
    let contact = said.iter().find(|event| event.r#type == "message.received").unwrap().contact.clone();
    let open = Query::OpenConversation(OpenConversationQuery { contact, scope: String::new() });
    eventually("the new owner answers", || async { fleet.ask(TENANT, open.clone()).await }).await;
    fleet.write(TENANT, "user-0", "again").await;
    fleet.count("message.received", 21).await;
    router.stop().await;
    let events = fleet.events().await;
    assert_unique(&events);
    assert_eq!(events.iter().filter(|event| event.r#type == "conversation.opened").count(), 20);

    let snapshots = fleet.snapshot_store().await;
    let from_snapshot = replay(&fleet.fabric, Some(&snapshots), partition).await.unwrap();
    let from_log = replay(&fleet.fabric, None, partition).await.unwrap();
    assert!(from_snapshot.from > 0 && from_log.from == 0);
    assert_eq!((&from_snapshot.digest, from_snapshot.applied), (&from_log.digest, from_log.applied));

    // Snapshots and cursors are gone, and the broker has forgotten which ids it knows: the log alone says the same again,
    // and what is on the stream already is left alone.
    fleet.snapshots = tempfile::tempdir().unwrap();
    forget(&fleet, partition).await;
    let router = fleet.router("three").await;
    fleet.write(TENANT, "user-1", "still here?").await;
    fleet.count("message.received", 22).await;
    router.stop().await;
    let events = fleet.events().await;
    assert_unique(&events);
    assert_eq!(events.iter().filter(|event| event.r#type == "conversation.opened").count(), 20);
    assert_eq!(fleet.outbound().await.len(), 1, "work is not done twice either");
}

/// Takes the partition's cursors back to the start, and the broker's memory of ids away.
async fn forget(fleet: &Fleet, partition: u16) {
    for group in ["router.routing", "router.routing.events", "router.routing.outbound"] {
        fleet.rewind(group, [partition]).await;
    }
    let context = fleet.fabric.jetstream();
    let event = subjects::event("probe", "", "", "", "unknown.received").unwrap();
    let work = subjects::outbound("probe", 0, "probe").unwrap();
    for (name, subject) in [("HG_EVENTS", event), ("HG_OUTBOUND", work)] {
        let mut config = context.get_stream(name).await.unwrap().cached_info().config.clone();
        config.duplicate_window = Duration::from_millis(100);
        context.update_stream(config).await.unwrap();
        eventually("the broker forgets", || async {
            let envelope = Envelope::new("probe", "unknown.received", "test", now_ms(), Vec::new());
            // A window slides with every repeat, so each probe waits it out first.
            tokio::time::sleep(Duration::from_millis(200)).await;
            let stored = fleet.fabric.publish(&subject, &envelope, None).await.unwrap();
            (!stored.duplicate && stored.seq > 0).then_some(())
        })
        .await;
        let stream = context.get_stream(name).await.unwrap();
        stream.purge().filter(subject).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_configuration_reaches_the_machine() {
    let fleet = Fleet::start().await;
    let _router = fleet.router("one").await;
    fleet.write(TENANT, "mia", "hello").await;
    fleet.count("conversation.queued", 1).await;
    fleet.agent(TENANT, "bob", 1).await;
    fleet.online(TENANT, "bob").await;
    let conversation = fleet.accept(TENANT, "bob").await;
    assert!(!conversation.is_empty());
    fleet.count("conversation.assigned", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reservations_ring_out_by_the_timer_in_the_log() {
    let fleet = Fleet::start().await;
    fleet.apply(TENANT, "Queue", "support", json!({ "display_name": "Support", "ring_timeout": "1s" })).await;
    let _router = fleet.router_with("one", RouterConfig::default()).await;
    fleet.online(TENANT, "ann").await;
    fleet.write(TENANT, "mia", "hello").await;
    fleet.count("reservation.timed_out", 1).await;
    let requeued = fleet.count("conversation.requeued", 1).await;
    assert_eq!(requeued.len(), 1);
    let away = fleet.count("agent.presence_changed", 2).await;
    assert_eq!(away.len(), 2);
}
