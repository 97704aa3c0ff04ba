use heliograph_store::consent::{Choice, ConsentStore, Statement, Subject};

use crate::support::nats;

fn said(choice: Choice, cause: &str, at_ms: i64) -> Statement {
    Statement { choice, source: "keyword".to_owned(), cause: cause.to_owned(), at_ms }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_statement_counts_and_all_are_kept_once() {
    let nats = nats().await;
    let store = ConsentStore::open(&nats.context).await.unwrap();
    let subject = Subject::new("acme", "con_1", Some("sms"), "marketing");
    let (yes, no) = (said(Choice::OptedIn, "evt_1", 10), said(Choice::OptedOut, "evt_2", 20));
    assert_eq!(store.record(&subject, &no).await.unwrap(), no);
    // An older statement that comes late is kept, and does not count.
    assert_eq!(store.record(&subject, &yes).await.unwrap(), no);
    // Redelivered.
    assert_eq!(store.record(&subject, &no).await.unwrap(), no);
    assert_eq!(store.record(&subject, &yes).await.unwrap(), no);
    assert_eq!(store.get(&subject).await.unwrap(), Some(no.clone()));
    assert_eq!(store.history(&subject).await.unwrap(), [yes, no]);
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_for_every_channel_and_for_one_meet_by_time() {
    let nats = nats().await;
    let store = ConsentStore::open(&nats.context).await.unwrap();
    let here = Subject::new("acme", "con_1", Some("sms"), "marketing");
    let everywhere = Subject::new("acme", "con_1", None, "marketing");
    let effective = |channel: &'static str| {
        let store = store.clone();
        async move { store.effective("acme", "con_1", channel, "marketing").await.unwrap().map(|s| s.choice) }
    };
    assert_eq!(effective("sms").await, None);
    store.record(&here, &said(Choice::OptedIn, "a", 10)).await.unwrap();
    assert_eq!((effective("sms").await, effective("email").await), (Some(Choice::OptedIn), None));
    store.record(&everywhere, &said(Choice::OptedOut, "b", 20)).await.unwrap();
    assert_eq!(
        (effective("sms").await, effective("email").await),
        (Some(Choice::OptedOut), Some(Choice::OptedOut))
    );
    store.record(&here, &said(Choice::OptedIn, "c", 30)).await.unwrap();
    assert_eq!(
        (effective("sms").await, effective("email").await),
        (Some(Choice::OptedIn), Some(Choice::OptedOut))
    );
    // Other tenants, contacts and purposes are not concerned.
    assert_eq!(store.effective("acme2", "con_1", "sms", "marketing").await.unwrap(), None);
    assert_eq!(store.effective("acme", "con_2", "sms", "marketing").await.unwrap(), None);
    assert_eq!(store.effective("acme", "con_1", "sms", "service").await.unwrap(), None);
}
