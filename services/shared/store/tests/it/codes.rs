use std::collections::BTreeSet;
use std::time::Duration;

use heliograph_store::codes::{Codes, GUESSES, Redeemed};
use heliograph_store::contacts::Address;
use heliograph_store::now_ms;

use crate::support::{connect, nats, redis, redis_server};

const TTL: Duration = Duration::from_mins(15);

fn from(user: &str) -> Address {
    Address::new("sms", "main", user)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_used_once_by_one_cause_within_its_time_and_tenant() {
    let (nats, server) = (nats().await, redis_server().await);
    let codes = Codes::open(&nats.context, redis(&server).await).await.unwrap();
    let code = codes.create("acme", "con_1", TTL).await.unwrap();
    assert_eq!(Codes::parse(&code.text.to_lowercase()).as_ref(), Some(&code.text));
    let now = now_ms();
    let redeem = |tenant: &'static str, cause: &'static str, at: i64| {
        let (codes, text) = (codes.clone(), code.text.clone());
        async move { codes.redeem(tenant, &from(cause), &text, cause, at).await.unwrap() }
    };
    assert_eq!(redeem("acme2", "evt_0", now).await, Redeemed::Unknown, "another tenant's");
    assert_eq!(redeem("acme", "evt_0", code.expires_at_ms).await, Redeemed::Unknown, "too late");
    assert_eq!(redeem("acme", "evt_1", now).await, Redeemed::Contact("con_1".to_owned()));
    // The event is handled again after a crash, however late.
    assert_eq!(redeem("acme", "evt_1", code.expires_at_ms + 1).await, Redeemed::Contact("con_1".to_owned()));
    assert_eq!(redeem("acme", "evt_2", now).await, Redeemed::Used);
    let other = codes.create("acme", "con_1", TTL).await.unwrap();
    assert_ne!(other.text, code.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_send_a_code_at_once_one_gets_it() {
    let (nats, server) = (nats().await, redis_server().await);
    let codes = Codes::open(&nats.context, redis(&server).await).await.unwrap();
    let code = codes.create("acme", "con_1", TTL).await.unwrap();
    let now = now_ms();
    let racers = (0..20_usize).map(|n| {
        let (server, text, limits) = (&nats.server, code.text.clone(), redis(&server));
        async move {
            let codes = Codes::open(&connect(server).await, limits.await).await.unwrap();
            let cause = format!("evt_{}", n % 10);
            (cause.clone(), codes.redeem("acme", &from(&cause), &text, &cause, now).await.unwrap())
        }
    });
    let answers = futures::future::join_all(racers).await;
    let winners: BTreeSet<&str> = answers
        .iter()
        .filter(|(_, answer)| *answer == Redeemed::Contact("con_1".to_owned()))
        .map(|(cause, _)| cause.as_str())
        .collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    // Whoever asked twice with that cause got it twice.
    for (cause, answer) in &answers {
        assert_eq!(*answer == Redeemed::Used, !winners.contains(cause.as_str()), "{answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_ends_for_the_address_and_for_nobody_else() {
    let (nats, server) = (nats().await, redis_server().await);
    let codes = Codes::open(&nats.context, redis(&server).await).await.unwrap();
    let code = codes.create("acme", "con_1", TTL).await.unwrap();
    let now = now_ms();
    for n in 0..GUESSES {
        let guess = codes.redeem("acme", &from("thief"), "HG-222222", &n.to_string(), now).await.unwrap();
        assert_eq!(guess, Redeemed::Unknown);
    }
    let late = codes.redeem("acme", &from("thief"), &code.text, "evt_1", now).await.unwrap();
    assert_eq!(late, Redeemed::Unknown, "right, after too many wrong ones");
    let mine = codes.redeem("acme", &from("me"), &code.text, "evt_2", now).await.unwrap();
    assert_eq!(mine, Redeemed::Contact("con_1".to_owned()));
    // Without Redis every process counts for itself, and codes work.
    drop(server);
    let other = codes.create("acme", "con_2", TTL).await.unwrap();
    let found = codes.redeem("acme", &from("me"), &other.text, "evt_3", now).await.unwrap();
    assert_eq!(found, Redeemed::Contact("con_2".to_owned()));
}
