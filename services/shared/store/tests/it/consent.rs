use heliograph_store::consent::{Choice, ConsentStore, Recorded, Statement, Subject};

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
    let counts = |changed| Recorded { newest: no.clone(), changed };
    assert_eq!(store.record(&subject, &no).await.unwrap(), counts(true));
    // An older statement that comes late is kept, and does not count.
    assert_eq!(store.record(&subject, &yes).await.unwrap(), counts(false));
    // Redelivered.
    assert_eq!(store.record(&subject, &no).await.unwrap(), counts(true));
    assert_eq!(store.record(&subject, &yes).await.unwrap(), counts(false));
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

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_again_to_the_same_cause_and_to_no_other() {
    let nats = nats().await;
    let store = ConsentStore::open(&nats.context).await.unwrap();
    let subject = Subject::new("acme", "con_1", Some("sms"), "marketing");
    let steps = [
        (said(Choice::OptedOut, "stop", 10), true),
        (said(Choice::OptedOut, "stop again", 20), false),
        (said(Choice::OptedIn, "start", 30), true),
        (said(Choice::OptedOut, "stop anew", 40), true),
    ];
    for (statement, changed) in &steps {
        assert_eq!(store.record(&subject, statement).await.unwrap().changed, *changed, "{statement:?}");
    }
    // Whoever crashed asks again, also when the customer has said more since.
    for (statement, changed) in &steps {
        let again = store.record(&subject, statement).await.unwrap();
        assert_eq!(again, Recorded { newest: steps[3].0.clone(), changed: *changed }, "{statement:?}");
    }
    // At the same moment the refusal counts, in whichever order they come.
    let tie = store.record(&subject, &said(Choice::OptedIn, "both", 40)).await.unwrap();
    assert_eq!((tie.newest.choice, tie.changed), (Choice::OptedOut, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_a_contact_said_is_listed_newest_first() {
    let nats = nats().await;
    let store = ConsentStore::open(&nats.context).await.unwrap();
    let about = |channel: Option<&str>, purpose: &str| Subject::new("acme", "con_1", channel, purpose);
    let said = [
        (about(None, "marketing"), said(Choice::OptedOut, "c", 30)),
        (about(Some("sms"), "Purpose: any words?"), said(Choice::OptedIn, "b", 20)),
        (about(Some("sms"), "marketing"), said(Choice::OptedIn, "a", 10)),
    ];
    for (subject, statement) in &said {
        store.record(subject, statement).await.unwrap();
    }
    for (tenant, contact) in [("acme", "con_10"), ("acme2", "con_1")] {
        let other = Subject::new(tenant, contact, Some("sms"), "marketing");
        store.record(&other, &said[0].1).await.unwrap();
    }
    assert_eq!(store.list("acme", "con_1").await.unwrap(), said);
    assert_eq!(store.list("acme", "con_nobody").await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_older_releases_wrote_is_listed_by_its_key() {
    let nats = nats().await;
    let store = ConsentStore::open(&nats.context).await.unwrap();
    let old = said(Choice::OptedIn, "a", 10);
    let bucket = heliograph_store::KvBucket::open(&nats.context, "HG_CONSENT").await.unwrap();
    for key in ["acme.con_1._every.marketing", "acme.con_1._every.marketing.cst_1"] {
        bucket.put(key, &old).await.unwrap();
    }
    let subject = Subject::new("acme", "con_1", None, "marketing");
    assert_eq!(store.get(&subject).await.unwrap(), Some(old.clone()));
    assert_eq!(store.list("acme", "con_1").await.unwrap(), [(subject, old)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_contacts_that_are_one_the_refusal_holds_until_a_new_agreement() {
    let nats = nats().await;
    let store = ConsentStore::open(&nats.context).await.unwrap();
    let say = |contact: &'static str, channel: Option<&'static str>, statement: Statement| {
        let store = store.clone();
        async move {
            let subject = Subject::new("acme", contact, channel, "marketing");
            store.record(&subject, &statement).await.unwrap();
        }
    };
    let counts = |channel: &'static str| {
        let store = store.clone();
        async move {
            store.effective("acme", "con_keep", channel, "marketing").await.unwrap().map(|said| said.choice)
        }
    };
    // Refused here by one, agreed to later by the other, both ways round; and agreed to everywhere.
    say("con_keep", Some("sms"), said(Choice::OptedIn, "k1", 20)).await;
    say("con_other", Some("sms"), said(Choice::OptedOut, "o1", 10)).await;
    say("con_keep", Some("email"), said(Choice::OptedOut, "k2", 10)).await;
    say("con_other", Some("email"), said(Choice::OptedIn, "o2", 20)).await;
    say("con_other", Some("wechat"), said(Choice::OptedOut, "o3", 10)).await;
    say("con_keep", None, said(Choice::OptedIn, "k4", 5)).await;
    say("con_other", Some("webchat"), said(Choice::OptedIn, "o4", 40)).await;
    for _ in 0..2 {
        store.join("acme", "con_keep", "con_other", "evt_join", 100).await.unwrap();
        for refused in ["sms", "email", "wechat"] {
            assert_eq!(counts(refused).await, Some(Choice::OptedOut), "{refused}");
        }
        for agreed in ["webchat", "bottle"] {
            assert_eq!(counts(agreed).await, Some(Choice::OptedIn), "{agreed}");
        }
    }
    let history = store.history(&Subject::new("acme", "con_keep", Some("sms"), "marketing")).await.unwrap();
    let causes: Vec<&str> = history.iter().map(|said| said.cause.as_str()).collect();
    assert_eq!(causes, ["o1", "k1", "evt_join"], "times and sources are kept");
    // They agree anew, and the join that is repeated does not take that back.
    say("con_keep", Some("sms"), said(Choice::OptedIn, "k5", 110)).await;
    store.join("acme", "con_keep", "con_other", "evt_join", 100).await.unwrap();
    assert_eq!(counts("sms").await, Some(Choice::OptedIn));
}
