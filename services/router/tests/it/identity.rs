//! One customer on several channels: joined by what is verified, by a code they send, and split again.

use std::time::Duration;

use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, AddressChange, ContactJoined, Event, SenderKind, event::Payload, inbound_event,
};
use heliograph_store::{
    Redis, RedisOptions,
    codes::Codes,
    contacts::{self, ContactOptions, ContactStore},
    now_ms,
    trail::Trail,
};
use serde_json::json;

use crate::fleet::{Fleet, LAYOUT, TENANT, address, assert_unique, event, eventually, from, number, said};

const PHONE: &str = "+12125550101";

/// A visitor of the site who has signed in, with this number.
fn signed_in(user: &str) -> Address {
    Address { phone: PHONE.to_owned(), verified: true, ..address(user) }
}

async fn fleet(join: serde_json::Value) -> Fleet {
    let fleet = Fleet::start().await;
    let policy = json!({ "default": { "channels": ["sms", "webchat"] }, "identity": { "join": join } });
    fleet.with_sms(policy).await;
    fleet
}

async fn contacts(fleet: &Fleet) -> ContactStore {
    ContactStore::open(fleet.fabric.jetstream(), ContactOptions::default()).await.unwrap()
}

fn stored(address: &Address) -> contacts::Address {
    contacts::Address::new(&address.channel, &address.account, &address.user_id)
}

/// Waits for the `message.received` that says this.
async fn heard(fleet: &Fleet, text: &str) -> Event {
    fleet
        .until(text, |events| {
            events.iter().find(|event| event.r#type == "message.received" && said(event) == text).cloned()
        })
        .await
}

fn joined(event: &Event) -> &ContactJoined {
    match &event.payload {
        Some(Payload::ContactJoined(it)) => it,
        other => panic!("not joined: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_continues_the_conversation_on_another_channel() {
    let fleet = fleet(json!([])).await;
    let router = fleet.router("one").await;
    fleet.online(TENANT, "ann").await;
    fleet.write(TENANT, "mia", "hello").await;
    let conversation = fleet.accept(TENANT, "ann").await;
    let contact = heard(&fleet, "hello").await.contact;
    let redis = Redis::connect(&RedisOptions::new(fleet.redis.url())).await.unwrap();
    let codes = Codes::open(fleet.fabric.jetstream(), redis).await.unwrap();
    let code = codes.create(TENANT, &contact, Duration::from_mins(15)).await.unwrap().text;

    let phone = Address { locale: "pt-BR".to_owned(), ..number(PHONE) };
    let sent = from(&phone, "code", &format!("hg {}", &code[3..]).to_lowercase());
    for n in 0..2 {
        fleet.receive_as(sent.clone(), &format!("code-{n}")).await;
    }
    fleet.receive(from(&phone, "next", "I am here")).await;
    let here = heard(&fleet, "I am here").await;
    assert_eq!((&here.conversation, &here.contact, here.channel.as_str()), (&conversation, &contact, "sms"));
    let told = fleet.count("contact.joined", 1).await;
    assert_eq!((told[0].contact.as_str(), joined(&told[0]).by.as_str()), (&*contact, "link_code"));
    assert_eq!(joined(&told[0]).address.as_ref().unwrap().user_id, PHONE);

    // The answer goes where the customer is now.
    fleet.reply(TENANT, "ann", "c1", &conversation, "welcome").await;
    fleet.count("message.accepted", 2).await;
    let work = eventually("the answers", || async {
        let work = fleet.outbound().await;
        (work.len() == 2).then_some(work)
    })
    .await;
    for work in &work {
        assert_eq!(work.conversation, conversation);
        assert_eq!(work.message.as_ref().unwrap().address.as_ref().unwrap().user_id, PHONE);
    }
    let confirmed = work[0].message.as_ref().unwrap();
    assert_eq!(confirmed.sender.as_ref().unwrap().kind(), SenderKind::System);
    assert_eq!(content::preview(confirmed.content.as_ref().unwrap()), "Agora a conversa continua por aqui.");

    // One conversation, found by both addresses; and all of it once, though all of it is read again after a crash.
    router.kill();
    fleet.rewind("router.inbound", 0..LAYOUT.inbound).await;
    let _router = fleet.router("two").await;
    fleet.receive(from(&phone, "last", "still here")).await;
    assert_eq!(heard(&fleet, "still here").await.conversation, conversation);
    let events = fleet.events().await;
    assert_unique(&events);
    let count = |kind: &str| events.iter().filter(|event| event.r#type == kind).count();
    assert_eq!((count("conversation.opened"), count("contact.joined"), count("message.received")), (1, 1, 4));
    assert_eq!(fleet.outbound().await.len(), 2);
    let trail = Trail::open(fleet.fabric.jetstream()).await.unwrap();
    for held in [address("mia"), phone] {
        let found = trail.of_addresses(TENANT, &[stored(&held)]).await.unwrap();
        let ids: Vec<&str> = found.iter().map(|entry| entry.conversation.as_str()).collect();
        assert_eq!(ids, [conversation.as_str()], "{held:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_of_no_use_is_a_message() {
    let fleet = fleet(json!([])).await;
    let _router = fleet.router("one").await;
    fleet.receive(from(&number(PHONE), "code", "HG-23456789".get(..9).unwrap())).await;
    let queued = fleet.count("conversation.queued", 1).await;
    assert_eq!(queued[0].channel, "sms");
    assert!(fleet.outbound().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verified_number_joins_and_a_split_stands() {
    let fleet = fleet(json!(["verified_phone"])).await;
    let _router = fleet.router("one").await;
    fleet.receive(from(&signed_in("mia"), "1", "from the site")).await;
    let first = heard(&fleet, "from the site").await;
    fleet.receive(from(&number(PHONE), "1", "by text")).await;
    let second = heard(&fleet, "by text").await;
    assert_eq!((&second.contact, &second.conversation), (&first.contact, &first.conversation));
    let told = fleet.count("contact.joined", 1).await;
    assert_eq!((&told[0].contact, joined(&told[0]).by.as_str()), (&first.contact, "verified_phone"));
    assert!(!joined(&told[0]).previous_contact.is_empty());
    // What a page says of a visitor proves nothing.
    let claimed = Address { verified: false, ..signed_in("eve") };
    fleet.receive(from(&claimed, "1", "me too")).await;
    assert_ne!(heard(&fleet, "me too").await.contact, first.contact);

    let store = contacts(&fleet).await;
    store.split(TENANT, &first.contact, &stored(&number(PHONE)), now_ms()).await.unwrap();
    let mut n = 0;
    eventually("the split is seen", || {
        n += 1;
        let (fleet, text, first) = (&fleet, format!("again {n}"), &first.contact);
        async move {
            fleet.receive(from(&number(PHONE), &text, &text)).await;
            let event = heard(fleet, &text).await;
            (event.contact != *first).then_some(())
        }
    })
    .await;
    fleet.receive(from(&number(PHONE), "z", "and stays so")).await;
    assert_ne!(heard(&fleet, "and stays so").await.contact, first.contact);
    assert_eq!(fleet.count("contact.joined", 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_joined_that_policy_does_not_join() {
    let fleet = fleet(json!(["verified_email"])).await;
    let _router = fleet.router("one").await;
    fleet.receive(from(&signed_in("mia"), "1", "from the site")).await;
    let first = heard(&fleet, "from the site").await;
    fleet.receive(from(&number(PHONE), "1", "by text")).await;
    assert_ne!(heard(&fleet, "by text").await.contact, first.contact);
    let mail = |user: &str| Address { email: "Mia@Example.org".to_owned(), ..signed_in(user) };
    fleet.receive(from(&mail("home"), "1", "at home")).await;
    let home = heard(&fleet, "at home").await;
    let lower = Address { email: "mia@example.org".to_owned(), ..mail("work") };
    fleet.receive(from(&lower, "1", "at work")).await;
    assert_eq!(heard(&fleet, "at work").await.contact, home.contact);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_conversation_that_was_left_runs_on_and_nothing_new_comes_to_it() {
    let fleet = fleet(json!([])).await;
    let _router = fleet.router("one").await;
    fleet.online(TENANT, "ann").await;
    fleet.write(TENANT, "mia", "on the site").await;
    let kept = heard(&fleet, "on the site").await;
    fleet.receive(from(&number(PHONE), "1", "by text")).await;
    let left = heard(&fleet, "by text").await;
    assert_ne!(left.conversation, kept.conversation);
    let redis = Redis::connect(&RedisOptions::new(fleet.redis.url())).await.unwrap();
    let codes = Codes::open(fleet.fabric.jetstream(), redis).await.unwrap();
    let code = codes.create(TENANT, &kept.contact, Duration::from_mins(15)).await.unwrap().text;
    fleet.receive(from(&number(PHONE), "2", &code)).await;
    assert_eq!(heard(&fleet, &code).await.conversation, kept.conversation);
    let told = fleet.count("contact.joined", 1).await;
    assert_eq!(joined(&told[0]).previous_contact, left.contact);
    fleet.receive(from(&number(PHONE), "3", "now here")).await;
    assert_eq!(heard(&fleet, "now here").await.conversation, kept.conversation);
    assert!(!fleet.events().await.iter().any(|event| event.r#type == "conversation.closed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_number_of_the_same_customer_is_placed_anew() {
    let fleet = Fleet::start().await;
    fleet
        .with_sms(json!({
            "regions": [{ "name": "brazil", "countries": ["BR"], "channels": ["sms"] }],
            "default": { "channels": ["sms"] },
        }))
        .await;
    let _router = fleet.router("one").await;
    fleet.receive(from(&number(PHONE), "1", "hello")).await;
    let before = heard(&fleet, "hello").await;
    let new = number("+5511987654321");
    let change = AddressChange { previous: Some(number(PHONE)) };
    fleet.receive(event(&new, "change", inbound_event::Kind::AddressChange(change))).await;
    let told = fleet.count("contact.joined", 1).await;
    assert_eq!((told[0].region.as_str(), joined(&told[0]).by.as_str()), ("brazil", "address_change"));
    fleet.receive(from(&new, "1", "oi")).await;
    let after = heard(&fleet, "oi").await;
    assert_eq!((&after.contact, &after.conversation), (&before.contact, &before.conversation));
    assert_eq!((before.region.as_str(), after.region.as_str()), ("default", "brazil"));
}
