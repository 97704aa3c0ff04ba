use heliograph_store::contacts::Address;
use heliograph_store::trail::{self, Trail};

use crate::support::nats;

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_is_written_once_and_read_by_address() {
    let nats = nats().await;
    let trail = Trail::open(&nats.context).await.unwrap();
    let (phone, visitor) =
        (Address::new("sms", "main", "+49 30 1/*>"), Address::new("webchat", "site", "v-1"));
    for _ in 0..2 {
        trail.record("acme", &phone, "cnv_1", 10).await.unwrap();
        trail.record("acme", &phone, "cnv_2", 30).await.unwrap();
        trail.record("acme", &visitor, "cnv_1", 20).await.unwrap();
    }
    // Written a second time with another time: the first one counts.
    trail.record("acme", &phone, "cnv_2", 99).await.unwrap();
    // Others' are not concerned.
    trail.record("acme2", &phone, "cnv_3", 40).await.unwrap();
    trail.record("acme", &Address::new("sms", "main", "+49 30 1"), "cnv_4", 40).await.unwrap();
    let found = trail.of_addresses("acme", &[visitor.clone(), phone.clone()]).await.unwrap();
    let found: Vec<_> =
        found.iter().map(|entry| (entry.conversation.as_str(), &entry.address, entry.opened_at_ms)).collect();
    assert_eq!(found, [("cnv_2", &phone, 30), ("cnv_1", &phone, 10)]);
    assert_eq!(trail.of_addresses("acme", &[]).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_publishes_entries_in_order_writes_the_same() {
    let nats = nats().await;
    let trail = Trail::open(&nats.context).await.unwrap();
    let address = Address::new("sms", "main", "+49301");
    let subject = format!("$KV.{}.{}", trail::BUCKET, trail::key("acme", &address, "cnv_1"));
    let value = trail::value(&address, 10);
    nats.context.publish(subject, value.into()).await.unwrap().await.unwrap();
    trail.record("acme", &address, "cnv_1", 99).await.unwrap();
    let found = trail.of_addresses("acme", std::slice::from_ref(&address)).await.unwrap();
    assert_eq!((found.len(), found[0].conversation.as_str(), found[0].opened_at_ms), (1, "cnv_1", 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_are_answered_with() {
    let nats = nats().await;
    let trail = Trail::open(&nats.context).await.unwrap();
    let addresses: Vec<Address> = (0..3).map(|n| Address::new("sms", "main", n.to_string())).collect();
    for n in 0..250_i64 {
        let address = &addresses[usize::try_from(n % 3).unwrap()];
        trail.record("acme", address, &format!("cnv_{n}"), n).await.unwrap();
    }
    let found = trail.of_addresses("acme", &addresses).await.unwrap();
    let times: Vec<i64> = found.iter().map(|entry| entry.opened_at_ms).collect();
    assert_eq!(times, (50..250).rev().collect::<Vec<_>>());
}
