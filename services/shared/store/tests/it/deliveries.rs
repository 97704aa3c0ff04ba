use heliograph_store::contacts::Address;
use heliograph_store::deliveries::unread::{KEPT, Unread};
use heliograph_store::deliveries::{AttemptState, DeliveryError, DeliveryStore, Outcome, Reference, Verdict};

use crate::support::{connect, nats};

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_fresh_then_in_doubt_then_done() {
    let nats = nats().await;
    let store = DeliveryStore::open(&nats.context).await.unwrap();
    let AttemptState::Fresh(first) = store.begin("acme", "dlv_1", true, 1).await.unwrap() else { panic!() };
    assert_eq!(first.record.attempt, 1);

    // The process dies here; another one gets the item, whether or not it is told that it is a redelivery.
    let other = DeliveryStore::open(&connect(&nats.server).await).await.unwrap();
    for first_time in [true, false] {
        let state = other.begin("acme", "dlv_1", first_time, 2).await.unwrap();
        let AttemptState::InDoubt(found) = state else { panic!("{state:?}") };
        assert_eq!(found.record, first.record);
    }
    // The same delivery id of another tenant is another delivery.
    assert!(matches!(other.begin("acme2", "dlv_1", false, 2).await.unwrap(), AttemptState::Fresh(_)));

    let AttemptState::InDoubt(doubtful) = other.begin("acme", "dlv_1", false, 2).await.unwrap() else {
        panic!()
    };
    let again = other.resume(&doubtful, 3).await.unwrap();
    assert_eq!(again.record.attempt, 2);
    // The first process wakes up: it has nothing to say any more.
    let late = store.finish(&first, Outcome::sent(vec!["p-1".to_owned()], 4)).await;
    assert!(matches!(late, Err(DeliveryError::Superseded)), "{late:?}");

    let outcome = Outcome::sent(vec!["p-2".to_owned()], 5);
    other.finish(&again, outcome.clone()).await.unwrap();
    let AttemptState::Done(done) = store.begin("acme", "dlv_1", false, 6).await.unwrap() else { panic!() };
    assert_eq!((done.attempt, done.outcome), (2, Some(outcome)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_a_fresh_attempt_and_a_settled_doubt_is_done() {
    let nats = nats().await;
    let store = DeliveryStore::open(&nats.context).await.unwrap();
    let AttemptState::Fresh(first) = store.begin("acme", "dlv_1", true, 1).await.unwrap() else { panic!() };
    store.finish(&first, Outcome::not_sent(Verdict::Retry, "http_503", "", 2)).await.unwrap();
    let AttemptState::Fresh(second) = store.begin("acme", "dlv_1", false, 3).await.unwrap() else { panic!() };
    assert_eq!(second.record.attempt, 2);

    let AttemptState::InDoubt(doubtful) = store.begin("acme", "dlv_1", false, 4).await.unwrap() else {
        panic!()
    };
    store.settle(&doubtful, "process_died", 5).await.unwrap();
    let AttemptState::Done(done) = store.begin("acme", "dlv_1", false, 6).await.unwrap() else { panic!() };
    assert_eq!(done.outcome.unwrap().verdict, Verdict::InDoubt);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_racers_may_call_the_provider() {
    let nats = nats().await;
    let store = DeliveryStore::open(&nats.context).await.unwrap();
    let begin = |first: bool| {
        let store = store.clone();
        async move { store.begin("acme", "dlv_1", first, 1).await.unwrap() }
    };
    for round in 1..4 {
        let states = futures::future::join_all((0..20).map(|n| begin(n % 2 == 0))).await;
        let mut fresh = states.into_iter().filter_map(|state| match state {
            AttemptState::Fresh(attempt) => Some(attempt),
            _ => None,
        });
        let attempt = fresh.next().expect("one may");
        assert!(fresh.next().is_none(), "and only one");
        assert_eq!(attempt.record.attempt, round);
        store.finish(&attempt, Outcome::not_sent(Verdict::Retry, "later", "", 2)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_find_their_message_by_any_of_its_parts() {
    let nats = nats().await;
    let store = DeliveryStore::open(&nats.context).await.unwrap();
    let reference = Reference {
        message_id: "msg_1".to_owned(),
        conversation_id: "cnv_1".to_owned(),
        region: "islands".to_owned(),
        contact: "con_1".to_owned(),
    };
    let AttemptState::Fresh(attempt) = store.begin("acme", "dlv_1", true, 1).await.unwrap() else { panic!() };
    let parts = vec!["SM/1.*".to_owned(), "SM 2 >".to_owned()];
    let outcome = Outcome::sent(parts.clone(), 2);
    store.finish_with_references("acme", "sms", "main", &attempt, outcome, &reference).await.unwrap();
    for part in &parts {
        assert_eq!(store.reference("acme", "sms", "main", part).await.unwrap().as_ref(), Some(&reference));
        assert_eq!(store.reference("acme2", "sms", "main", part).await.unwrap(), None);
        assert_eq!(store.reference("acme", "sms", "other", part).await.unwrap(), None);
    }
    assert!(matches!(store.begin("acme", "dlv_1", false, 3).await.unwrap(), AttemptState::Done(_)));
}

fn sent(number: i64) -> Unread {
    let reference = Reference {
        message_id: format!("msg_{number}"),
        conversation_id: "cnv_1".to_owned(),
        region: "islands".to_owned(),
        contact: "con_1".to_owned(),
    };
    Unread { reference, sent_at_ms: number }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_unread_until_a_mark_passes_it() {
    let nats = nats().await;
    let store = DeliveryStore::open(&nats.context).await.unwrap();
    let (ann, bob) = (Address::new("messenger", "page", "ann"), Address::new("messenger", "page", "bob"));
    // Nothing was sent, and yet it is known how far she has read.
    assert!(store.put_read("acme", &ann, 5, &[]).await.unwrap());
    assert!(store.put_unread("acme", &ann, &sent(5)).await.unwrap(), "it is read already");
    for number in [8, 7, 7] {
        assert!(!store.put_unread("acme", &ann, &sent(number)).await.unwrap());
    }
    assert_eq!(store.unread("acme", &ann).await.unwrap(), [sent(7), sent(8)]);
    assert_eq!(store.unread("acme", &bob).await.unwrap(), []);
    assert_eq!(store.unread("other", &ann).await.unwrap(), []);

    // One was written down after it was looked.
    assert!(!store.put_read("acme", &ann, 8, &["msg_7".to_owned()]).await.unwrap());
    assert_eq!(store.unread("acme", &ann).await.unwrap(), [sent(8)]);
    assert!(store.put_read("acme", &ann, 8, &["msg_8".to_owned()]).await.unwrap());
    // An older mark changes nothing.
    assert!(store.put_read("acme", &ann, 6, &[]).await.unwrap());
    assert!(store.put_unread("acme", &ann, &sent(7)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_of_too_many_are_forgotten() {
    let nats = nats().await;
    let store = DeliveryStore::open(&nats.context).await.unwrap();
    let ann = Address::new("messenger", "page", "ann");
    let most = i64::try_from(KEPT).unwrap();
    for number in 1..=most + 2 {
        store.put_unread("acme", &ann, &sent(number)).await.unwrap();
    }
    let unread = store.unread("acme", &ann).await.unwrap();
    assert_eq!((unread.len(), unread.first(), unread.last()), (KEPT, Some(&sent(3)), Some(&sent(most + 2))));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_message_and_a_mark_at_once_one_finds_the_other() {
    let nats = nats().await;
    let store = DeliveryStore::open(&nats.context).await.unwrap();
    for round in 0..20 {
        let ann = Address::new("messenger", "page", format!("ann-{round}"));
        let message = sent(1);
        let (put, found) = tokio::join!(store.put_unread("acme", &ann, &message), async {
            let mut found = 0;
            let mut told = Vec::new();
            loop {
                for unread in store.unread("acme", &ann).await.unwrap() {
                    if !told.contains(&unread.reference.message_id) {
                        told.push(unread.reference.message_id);
                        found += 1;
                    }
                }
                if store.put_read("acme", &ann, 1, &told).await.unwrap() {
                    return found;
                }
            }
        });
        let read_at_once = usize::from(put.unwrap());
        assert_eq!(read_at_once + found, 1, "round {round}");
        assert_eq!(store.unread("acme", &ann).await.unwrap(), []);
    }
}
