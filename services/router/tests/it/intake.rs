//! From what ingress publishes to proposals and events.

use std::time::Duration;

use heliograph_fabric::{Envelope, Stream, subjects};
use heliograph_proto::{
    Message as _,
    v1::{
        ConsentSignal, ConversationStart, InboundEvent, Raw, Receipt, ReceiptState, RoutingEntry, Typing,
        UnknownEvent, content, event::Payload, inbound_event::Kind, routing_entry,
    },
};
use heliograph_router::{IntakeConfig, RouterConfig};
use heliograph_store::{
    Redis, RedisOptions,
    consent::{Choice, ConsentStore},
    deliveries::{DeliveryStore, Reference},
    now_ms,
    questions::{Asked, Questions},
};

use crate::fleet::{Fleet, LAYOUT, TENANT, assert_unique, eventually, inbound, message, said};

fn receipt(state: ReceiptState) -> Receipt {
    Receipt { state: state.into(), ..Receipt::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_find_their_message() {
    let fleet = Fleet::start().await;
    let intake = IntakeConfig { receipt_patience: Duration::from_secs(30), ..IntakeConfig::default() };
    let _router = fleet.router_with("one", RouterConfig { intake, ..RouterConfig::default() }).await;

    let correlation = "msg_1.cnv_1.greater-china".to_owned();
    let by_correlation = Receipt { correlation, ..receipt(ReceiptState::Delivered) };
    fleet.receive(inbound(TENANT, "mia", "r1", Kind::Receipt(by_correlation))).await;
    let early = Receipt { provider_message_id: "SM1".to_owned(), ..receipt(ReceiptState::Read) };
    fleet.receive(inbound(TENANT, "mia", "r2", Kind::Receipt(early))).await;
    let dull = Receipt { provider_message_id: "SM1".to_owned(), ..receipt(ReceiptState::Sent) };
    fleet.receive(inbound(TENANT, "mia", "r3", Kind::Receipt(dull))).await;
    // The receipt that waits holds nobody up, not even who it is about.
    fleet.write(TENANT, "mia", "hello").await;
    fleet.count("message.received", 1).await;

    let delivered = fleet.count("message.delivered", 1).await;
    assert_eq!(
        (delivered[0].conversation.as_str(), delivered[0].region.as_str()),
        ("cnv_1", "greater-china")
    );
    let deliveries = DeliveryStore::open(fleet.fabric.jetstream()).await.unwrap();
    let reference = Reference {
        message_id: "msg_2".to_owned(),
        conversation_id: "cnv_2".to_owned(),
        region: "islands".to_owned(),
        contact: "con_2".to_owned(),
    };
    deliveries.put_reference(TENANT, "webchat", "site", "SM1", &reference).await.unwrap();
    let read = fleet.count("message.read", 1).await;
    assert_eq!((read[0].conversation.as_str(), read[0].region.as_str()), ("cnv_2", "islands"));
    let Some(Payload::MessageRead(it)) = &read[0].payload else { panic!("not read") };
    assert_eq!(it.message_id, "msg_2");
    assert!(!fleet.events().await.iter().any(|event| event.r#type == "unknown.received"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_of_nothing_known_is_kept() {
    let fleet = Fleet::start().await;
    let intake = IntakeConfig { receipt_patience: Duration::from_millis(1), ..IntakeConfig::default() };
    let _router = fleet.router_with("one", RouterConfig { intake, ..RouterConfig::default() }).await;
    let foreign = Receipt { provider_message_id: "SM9".to_owned(), ..receipt(ReceiptState::Failed) };
    fleet.receive(inbound(TENANT, "mia", "r1", Kind::Receipt(foreign))).await;
    let unknown = fleet.count("unknown.received", 1).await;
    let Some(Payload::UnknownReceived(it)) = &unknown[0].payload else { panic!("not unknown") };
    assert_eq!(it.receipt.as_ref().unwrap().provider_message_id, "SM9");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_become_facts_and_events() {
    let fleet = Fleet::start().await;
    let _router = fleet.router("one").await;
    fleet.receive(inbound(TENANT, "mia", "s1", Kind::ConversationStart(ConversationStart::default()))).await;
    let updated = fleet.count("contact.updated", 1).await;
    let contact = updated[0].contact.clone();

    let stop =
        ConsentSignal { granted: false, source: "keyword STOP".to_owned(), ..ConsentSignal::default() };
    fleet.receive(inbound(TENANT, "mia", "s2", Kind::Consent(stop))).await;
    let changed = fleet.count("consent.changed", 1).await;
    assert_eq!(changed[0].contact, contact);
    let consent = ConsentStore::open(fleet.fabric.jetstream()).await.unwrap();
    let stated = consent.effective(TENANT, &contact, "webchat", "marketing").await.unwrap().unwrap();
    assert_eq!((stated.choice, stated.source.as_str()), (Choice::OptedOut, "keyword STOP"));

    let raw = Some(Raw { content_type: "application/json".to_owned(), body: "{}".into() });
    let unknown = Kind::Unknown(UnknownEvent { kind: "poll_vote".to_owned() });
    fleet.receive(InboundEvent { raw, ..inbound(TENANT, "mia", "s3", unknown) }).await;
    let kept = fleet.count("unknown.received", 1).await;
    let Some(Payload::UnknownReceived(it)) = &kept[0].payload else { panic!("not unknown") };
    assert_eq!((it.kind.as_str(), &*it.raw.as_ref().unwrap().body), ("poll_vote", &b"{}"[..]));

    fleet.write(TENANT, "mia", "hello").await;
    let opened = fleet.count("conversation.opened", 1).await;
    let mut n = 0;
    // Typing counts only once the conversation is known to Redis.
    eventually("typing is passed on", || {
        n += 1;
        let (fleet, typing) =
            (&fleet, inbound(TENANT, "mia", &format!("t{n}"), Kind::Typing(Typing { on: true })));
        async move {
            fleet.receive(typing).await;
            fleet.events().await.into_iter().find(|event| event.r#type == "customer.typing")
        }
    })
    .await;
    let typing = fleet.count("customer.typing", 1).await;
    assert_eq!(typing[0].conversation, opened[0].conversation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_number_is_the_option_it_means() {
    let fleet = Fleet::start().await;
    let _router = fleet.router("one").await;
    let redis = Redis::connect(&RedisOptions::new(fleet.redis.url())).await.unwrap();
    let option =
        |id: &str| Asked { id: id.to_owned(), title: format!("Title {id}"), payload: "p".to_owned() };
    let options = [option("a"), option("b")];
    let questions = Questions::new(redis);
    questions.remember(TENANT, "webchat", "site", "mia", "msg_q", &options).await.unwrap();
    fleet.write(TENANT, "mia", "2").await;
    fleet.write(TENANT, "mia", "neither").await;
    let received = fleet.count("message.received", 2).await;
    let Some(Payload::MessageReceived(it)) = &received[0].payload else { panic!("not received") };
    let message = it.message.as_ref().unwrap();
    let Some(content::Kind::Selection(selected)) = &message.content.as_ref().unwrap().kind else {
        panic!("not a selection: {message:?}")
    };
    assert_eq!(
        (selected.option_id.as_str(), selected.title.as_str(), selected.typed),
        ("b", "Title b", true)
    );
    assert_eq!(selected.question.as_ref().unwrap().message_id, "msg_q");
    assert_eq!(message.metadata["typed"], "2");
    assert_eq!(said(&received[1]), "neither");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_is_buried_and_the_rest_goes_on() {
    let fleet = Fleet::start().await;
    let _router = fleet.router("one").await;
    let user = "mia";
    let at = subjects::partition_of_address(TENANT, "webchat", "site", user, LAYOUT.inbound);
    let subject = subjects::inbound(at, TENANT, "webchat").unwrap();
    let garbage = Envelope::new("bad-1", "inbound.event", "test", now_ms(), vec![0xff; 9]);
    fleet.fabric.publish(&subject, &garbage, None).await.unwrap();
    let forged = Envelope::of("bad-2", "inbound.event", "test", now_ms(), &message("other", user, "mine?"));
    fleet.fabric.publish(&subject, &forged, None).await.unwrap();

    let routing = subjects::partition_of_pool(TENANT, "default", LAYOUT.routing);
    let subject = subjects::routing(routing, TENANT).unwrap();
    let garbage = Envelope::new("bad-3", "routing.command", "test", now_ms(), vec![0xff; 9]);
    fleet.fabric.publish(&subject, &garbage, None).await.unwrap();
    let empty = RoutingEntry { id: "bad-4".to_owned(), tenant: TENANT.to_owned(), kind: None };
    let empty = Envelope::of("bad-4", "routing.command", "test", now_ms(), &empty);
    fleet.fabric.publish(&subject, &empty, None).await.unwrap();

    fleet.write(TENANT, user, "hello").await;
    fleet.count("message.received", 1).await;
    let dead = eventually("four dead letters", || async {
        let dead = fleet.dead().await;
        (dead.len() == 4).then_some(dead)
    })
    .await;
    let mut why: Vec<_> = dead.iter().map(|letter| (letter.stage.as_str(), letter.reason.as_str())).collect();
    why.sort_unstable();
    assert_eq!(
        why,
        [
            ("intake", "malformed"),
            ("intake", "tenant_mismatch"),
            ("machine", "malformed"),
            ("machine", "unfit")
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_comes_again_is_the_same_message_and_redis_may_be_gone() {
    let mut fleet = Fleet::start().await;
    let _router = fleet.router("one").await;
    fleet.redis.kill9();
    fleet.write(TENANT, "mia", "one").await;
    fleet.count("message.received", 1).await;
    // The same event under another id of the broker's: as after its window.
    let again = message(TENANT, "mia", "one");
    let at = subjects::partition_of_address(TENANT, "webchat", "site", "mia", LAYOUT.inbound);
    let subject = subjects::inbound(at, TENANT, "webchat").unwrap();
    let mut envelope = Envelope::of(again.id.clone(), "inbound.event", "test", now_ms(), &again);
    envelope.msg_id = Some("another".to_owned());
    fleet.fabric.publish(&subject, &envelope, None).await.unwrap();
    fleet.write(TENANT, "mia", "two").await;
    fleet.count("message.received", 2).await;
    let events = fleet.events().await;
    assert_unique(&events);
    assert_eq!(events.iter().filter(|event| event.r#type == "message.received").count(), 2);
    let proposals = fleet.records(Stream::Routing).await.into_iter().filter(|record| {
        let entry = RoutingEntry::decode(record.payload.clone()).unwrap();
        matches!(entry.kind, Some(routing_entry::Kind::Proposal(_)))
    });
    assert_eq!(proposals.count(), 2);
}
