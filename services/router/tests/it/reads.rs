//! How far a customer has read, by a time or by a message.

use std::time::Duration;

use heliograph_proto::{
    Timestamp,
    v1::{Event, MessageReference, ReadMark, event::Payload, inbound_event::Kind},
};
use heliograph_router::{IntakeConfig, RouterConfig};
use heliograph_store::{
    contacts,
    deliveries::{DeliveryStore, Reference, unread::Unread},
    now_ms,
};

use crate::fleet::{Fleet, TENANT, assert_unique, inbound};

const MINUTE: i64 = 60_000;

fn until(ms: i64) -> Kind {
    Kind::ReadMark(ReadMark { until: Some(Timestamp::from_millis(ms)), ..ReadMark::default() })
}

fn up_to(provider_message_id: &str) -> Kind {
    let up_to =
        MessageReference { provider_message_id: provider_message_id.to_owned(), ..Default::default() };
    Kind::ReadMark(ReadMark { up_to: Some(up_to), ..ReadMark::default() })
}

fn mia() -> contacts::Address {
    contacts::Address::new("webchat", "site", "mia")
}

fn sent(number: u32, sent_at_ms: i64) -> Unread {
    let reference = Reference {
        message_id: format!("msg_{number}"),
        // She was answered in two conversations.
        conversation_id: format!("cnv_{}", number.div_ceil(2)),
        region: "islands".to_owned(),
        contact: "con_1".to_owned(),
    };
    Unread { reference, sent_at_ms }
}

/// The messages that are read, in the order in which that was said.
fn read(events: &[Event]) -> Vec<String> {
    let of = |event: &Event| match &event.payload {
        Some(Payload::MessageRead(it)) => Some(it.message_id.clone()),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// Everything received before is handled: she writes, and what she writes is.
async fn handled(fleet: &Fleet, written: usize) {
    fleet.write(TENANT, "mia", &format!("hello {written}")).await;
    fleet.count("message.received", written).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_marks_all_that_was_sent_until_then_and_never_goes_back() {
    let fleet = Fleet::start().await;
    let _router = fleet.router("one").await;
    let deliveries = DeliveryStore::open(fleet.fabric.jetstream()).await.unwrap();
    let now = now_ms();
    let at = |minutes: i64| now - minutes * MINUTE;
    for (number, minutes) in [(1, 50), (2, 40), (3, 30), (4, 20), (5, 10)] {
        assert!(!deliveries.put_unread(TENANT, &mia(), &sent(number, at(minutes))).await.unwrap());
    }
    // What a colleague of hers was sent is theirs to read.
    let bob = contacts::Address::new("webchat", "site", "bob");
    deliveries.put_unread(TENANT, &bob, &sent(9, at(45))).await.unwrap();

    fleet.receive(inbound(TENANT, "mia", "w1", until(at(35)))).await;
    let events = fleet.count("message.read", 2).await;
    assert_eq!(read(&events), ["msg_1", "msg_2"]);
    let first = &events[0];
    assert_eq!((first.conversation.as_str(), first.contact.as_str()), ("cnv_1", "con_1"));
    assert_eq!((first.region.as_str(), first.channel.as_str()), ("islands", "webchat"));

    // A later one, an older one that comes late, and the same one again under another id and after the broker forgot it.
    fleet.receive(inbound(TENANT, "mia", "w2", until(at(20)))).await;
    fleet.receive(inbound(TENANT, "mia", "w3", until(at(45)))).await;
    fleet.receive(inbound(TENANT, "mia", "w4", until(at(20)))).await;
    fleet.receive_as(inbound(TENANT, "mia", "w2", until(at(20))), "w2 again").await;
    handled(&fleet, 1).await;
    let events = fleet.events().await;
    assert_eq!(read(&events), ["msg_1", "msg_2", "msg_3", "msg_4"]);
    assert_unique(&events);

    // A message that is written down after the mark that means it is read at once.
    assert!(deliveries.put_unread(TENANT, &mia(), &sent(6, at(21))).await.unwrap());
    let left: Vec<Unread> = deliveries.unread(TENANT, &mia()).await.unwrap();
    assert_eq!(left, [sent(5, at(10))]);
    assert!(!events.iter().any(|event| event.r#type == "unknown.received"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_to_come_marks_nothing_that_is_yet_to_be_sent() {
    let fleet = Fleet::start().await;
    let _router = fleet.router("one").await;
    let deliveries = DeliveryStore::open(fleet.fabric.jetstream()).await.unwrap();
    deliveries.put_unread(TENANT, &mia(), &sent(1, now_ms())).await.unwrap();
    fleet.receive(inbound(TENANT, "mia", "w1", until(now_ms() + 60 * MINUTE))).await;
    assert_eq!(read(&fleet.count("message.read", 1).await), ["msg_1"]);
    handled(&fleet, 1).await;
    assert!(!deliveries.put_unread(TENANT, &mia(), &sent(2, now_ms() + MINUTE)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_marks_itself_and_all_before_it() {
    let fleet = Fleet::start().await;
    let intake = IntakeConfig { receipt_patience: Duration::from_secs(30), ..IntakeConfig::default() };
    let _router = fleet.router_with("one", RouterConfig { intake, ..RouterConfig::default() }).await;
    let deliveries = DeliveryStore::open(fleet.fabric.jetstream()).await.unwrap();
    let now = now_ms();
    for number in 1..=3 {
        let sent = sent(number, now + i64::from(number));
        deliveries.put_unread(TENANT, &mia(), &sent).await.unwrap();
        let provider_id = format!("m_{number}");
        deliveries.put_reference(TENANT, "webchat", "site", &provider_id, &sent.reference).await.unwrap();
    }
    fleet.receive(inbound(TENANT, "mia", "r1", up_to("m_2"))).await;
    assert_eq!(read(&fleet.count("message.read", 2).await), ["msg_1", "msg_2"]);
    // One before it, which is read already, and one that was never written down.
    fleet.receive(inbound(TENANT, "mia", "r2", up_to("m_1"))).await;
    let other = sent(8, 0).reference;
    deliveries.put_reference(TENANT, "webchat", "site", "m_8", &other).await.unwrap();
    fleet.receive(inbound(TENANT, "mia", "r3", up_to("m_8"))).await;
    handled(&fleet, 1).await;
    let events = fleet.events().await;
    assert_eq!(read(&events), ["msg_1", "msg_2", "msg_8"]);
    assert_unique(&events);
}
