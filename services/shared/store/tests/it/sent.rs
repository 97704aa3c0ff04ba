use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use heliograph_store::sent::{Asking, Delivered, KEPT, SentAt, SentLog};

use crate::support::{flush, redis, redis_server};

const KEEP: Duration = Duration::from_hours(24);
const HOUR: i64 = 3_600_000;
/// A time that all others are counted from.
const NOON: i64 = 1_780_000_000_000;

fn sent(id: &str, at_ms: i64) -> Delivered {
    let (channel, class) = ("sms".to_owned(), "marketing".to_owned());
    Delivered { delivery_id: id.to_owned(), sent: SentAt { at_ms, channel, class } }
}

/// What was sent to a contact since then.
fn of(contact: &str, since_ms: i64) -> Asking<'_> {
    Asking { tenant: "acme", contact, step: 0, since_ms, limit: 64, keep: KEEP }
}

fn times(sent: &[SentAt]) -> Vec<i64> {
    sent.iter().map(|sent| (sent.at_ms - NOON) / HOUR).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_counts_once_and_the_old_is_forgotten() {
    let server = redis_server().await;
    let log = SentLog::new(redis(&server).await);
    for _ in 0..2 {
        for (id, hour) in [("dlv_1", 0), ("dlv_2", 5), ("dlv_3", 3)] {
            log.record("acme", "con_1", &sent(id, NOON + hour * HOUR), KEEP).await.unwrap();
        }
    }
    let recent = |since: i64, limit| {
        let log = log.clone();
        async move { times(&log.recent("acme", "con_1", NOON + since * HOUR, limit).await.unwrap()) }
    };
    assert_eq!(
        (recent(0, 64).await, recent(1, 64).await, recent(0, 1).await),
        (vec![5, 3, 0], vec![5, 3], vec![5])
    );
    log.record("acme", "con_1", &sent("dlv_4", NOON + 27 * HOUR), KEEP).await.unwrap();
    assert_eq!(recent(-100, 64).await, [27, 5, 3]);
    assert!(log.recent("acme", "con_2", 0, 64).await.unwrap().is_empty());
    assert!(log.recent("acme2", "con_1", 0, 64).await.unwrap().is_empty());
    for n in 0..300 {
        log.record("acme", "con_3", &sent(&format!("dlv_{n}"), NOON + n), KEEP).await.unwrap();
    }
    assert_eq!(log.recent("acme", "con_3", 0, 1_000).await.unwrap().len(), KEPT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_is_not_whole_is_rebuilt_once() {
    let server = redis_server().await;
    let log = SentLog::new(redis(&server).await);
    let asked = AtomicU32::new(0);
    let transcript = [sent("dlv_1", NOON), sent("dlv_2", NOON + HOUR)];
    let ask = |since: i64| {
        let rebuild = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(transcript.to_vec())
        };
        let log = &log;
        async move { times(&log.recent_or_rebuild(of("con_1", since), rebuild).await.unwrap()) }
    };
    // One that Redis knows of, and that the transcript does not show yet.
    log.record("acme", "con_1", &sent("dlv_3", NOON + 2 * HOUR), KEEP).await.unwrap();
    for _ in 0..2 {
        assert_eq!(ask(NOON - HOUR).await, [2, 1, 0]);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // Further back than it is known to be whole.
    assert_eq!(ask(NOON - 2 * HOUR).await, [2, 1, 0]);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!(ask(NOON - 2 * HOUR).await, [2, 1, 0]);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    // Redis lost everything, and something is recorded before somebody asks.
    flush(&server).await;
    log.record("acme", "con_1", &sent("dlv_4", NOON + 3 * HOUR), KEEP).await.unwrap();
    assert_eq!(ask(NOON).await, [3, 1, 0]);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    // What falls out shortens what is known to be whole.
    log.record("acme", "con_1", &sent("dlv_5", NOON + 24 * HOUR + 1), KEEP).await.unwrap();
    assert_eq!(ask(NOON + HOUR).await, [24, 3, 1]);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    ask(NOON).await;
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    // Without Redis every question is answered by the transcript.
    drop(server);
    assert_eq!(ask(NOON).await, [1, 0]);
    assert_eq!(asked.load(Ordering::Relaxed), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_to_whom_nothing_was_sent_is_known_to_be_so() {
    let server = redis_server().await;
    let log = SentLog::new(redis(&server).await);
    let asked = AtomicU32::new(0);
    for _ in 0..3 {
        let rebuild = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Vec::new())
        };
        let found = log.recent_or_rebuild(of("con_1", NOON), rebuild).await.unwrap();
        assert!(found.is_empty());
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn joined_contacts_share_their_caps() {
    let server = redis_server().await;
    let log = SentLog::new(redis(&server).await);
    let asked = AtomicU32::new(0);
    // What the transcripts tell when they are asked.
    let ask = |contact: &'static str, step, told: Vec<Delivered>| {
        let rebuild = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(told)
        };
        let asking = Asking { step, ..of(contact, NOON) };
        let log = &log;
        async move { times(&log.recent_or_rebuild(asking, rebuild).await.unwrap()) }
    };
    for (contact, id, hour) in [("con_1", "dlv_1", 1), ("con_2", "dlv_2", 2)] {
        ask(contact, 0, Vec::new()).await;
        log.record("acme", contact, &sent(id, NOON + hour * HOUR), KEEP).await.unwrap();
    }
    for _ in 0..2 {
        log.join("acme", "con_1", "con_2").await.unwrap();
    }
    assert_eq!(ask("con_1", 0, Vec::new()).await, [2, 1]);
    // What is joined counts at once, and after the step the transcripts are asked, once.
    for _ in 0..2 {
        assert_eq!(ask("con_1", 1, Vec::new()).await, [2, 1]);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    // Redis was away at the next join: only the step tells.
    log.record("acme", "con_3", &sent("dlv_3", NOON + 3 * HOUR), KEEP).await.unwrap();
    for _ in 0..2 {
        assert_eq!(ask("con_1", 7, vec![sent("dlv_3", NOON + 3 * HOUR)]).await, [3, 2, 1]);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    // Who has not heard of the step yet does not ask, and does not take the mark back.
    assert_eq!(ask("con_1", 1, Vec::new()).await, [3, 2, 1]);
    let behind = Asking { step: 1, since_ms: NOON - HOUR, ..of("con_1", 0) };
    log.recent_or_rebuild(behind, || async { Ok::<_, Infallible>(Vec::new()) }).await.unwrap();
    assert_eq!(ask("con_1", 7, Vec::new()).await, [3, 2, 1]);
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}
