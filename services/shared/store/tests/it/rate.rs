use std::time::{Duration, Instant};

use heliograph_store::rate::{Permit, Rate, RateLimiter};

use crate::support::{redis, redis_server, within};

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_a_burst() {
    let server = redis_server().await;
    let rate = Rate::new(0.01, 10.0);
    let mut takes = Vec::new();
    for _ in 0..4 {
        let limiter = RateLimiter::new(redis(&server).await);
        for _ in 0..10 {
            let limiter = limiter.clone();
            takes.push(async move { limiter.take("acme", &["sms", "main"], rate, 1.0).await });
        }
    }
    let permits = futures::future::join_all(takes).await;
    assert_eq!(permits.iter().filter(|permit| **permit == Permit::Granted).count(), 10);

    let limiter = RateLimiter::new(redis(&server).await);
    assert_eq!(limiter.take("acme2", &["sms", "main"], rate, 1.0).await, Permit::Granted);
    assert_eq!(limiter.take("acme", &["sms", "other"], rate, 9.0).await, Permit::Granted);
    assert!(matches!(limiter.take("acme", &["sms", "other"], rate, 2.0).await, Permit::RetryAfter(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_gives_no_more_than_its_rate_and_what_it_promised() {
    let server = redis_server().await;
    let limiter = RateLimiter::new(redis(&server).await);
    let rate = Rate::new(50.0, 5.0);
    let begin = Instant::now();
    let granted = within("thirty permits", async {
        let mut granted = 0_u32;
        while granted < 30 {
            match limiter.take("acme", &["wechat"], rate, 1.0).await {
                Permit::Granted => granted += 1,
                Permit::RetryAfter(wait) => {
                    assert!(wait <= Duration::from_millis(21), "one token takes 20 ms, not {wait:?}");
                    tokio::time::sleep(wait).await;
                }
            }
        }
        granted
    })
    .await;
    // Whatever the machine's load, the bucket may not have been faster than this. (Its clock counts milliseconds.)
    let most = 5.0 + 50.0 * (begin.elapsed().as_secs_f64() + 0.002);
    assert!(f64::from(granted) <= most, "{granted} > {most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cost_above_the_burst_is_granted_by_a_full_bucket() {
    let server = redis_server().await;
    let limiter = RateLimiter::new(redis(&server).await);
    let rate = Rate::new(0.01, 2.0);
    assert_eq!(limiter.take("acme", &["sms"], rate, 100.0).await, Permit::Granted);
    assert!(matches!(limiter.take("acme", &["sms"], rate, 1.0).await, Permit::RetryAfter(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_wait_leaves_some_for_who_cannot() {
    let server = redis_server().await;
    let limiter = RateLimiter::new(redis(&server).await);
    let rate = Rate::new(0.01, 10.0);
    let mut bulk = 0;
    while limiter.take_leaving("acme", &["line", "main"], rate, 1.0, 3.0).await == Permit::Granted {
        bulk += 1;
    }
    let mut urgent = 0;
    while limiter.take("acme", &["line", "main"], rate, 1.0).await == Permit::Granted {
        urgent += 1;
    }
    assert_eq!((bulk, urgent), (7, 3));
    let narrow = Rate::new(0.01, 1.0);
    let alone = limiter.take_leaving("acme", &["line", "narrow"], narrow, 1.0, 3.0).await;
    assert_eq!(alone, Permit::Granted, "a bucket without room for a reserve has none");
}
