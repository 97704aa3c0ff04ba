use std::convert::Infallible;
use std::time::Duration;

use heliograph_store::models::ReadModel;
use heliograph_store::rate::{Permit, Rate, RateLimiter};
use heliograph_store::seen::{DEFAULT_TTL, Seen};
use heliograph_store::windows::{Window, WindowKey, WindowVerdict, Windows};
use heliograph_store::{Redis, RedisError, RedisOptions, now_ms};

use crate::support::{eventually, redis, redis_server, within};

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_on_without_redis_and_works_again_when_it_is_back() {
    let mut server = redis_server().await;
    let redis = redis(&server).await;
    let seen = Seen::new(redis.clone(), "inbound", DEFAULT_TTL);
    let windows = Windows::new(redis.clone());
    let rates = RateLimiter::new(redis.clone());
    let models = ReadModel::new(redis.clone(), "open", Duration::from_mins(1));
    seen.mark("acme", "evt_1").await.unwrap();

    server.kill9();
    let gone = seen.check("acme", "evt_1").await;
    assert!(matches!(gone, Err(RedisError::Unavailable(_))), "{gone:?}");
    assert!(!redis.is_up());
    let (now, key) = (now_ms(), WindowKey::new("acme", "wechat", "main", "u"));
    let window = Window::opened("service", now, Duration::from_secs(10), Some(2));
    let rebuild = || async { Ok::<_, Infallible>(Some(window.clone())) };
    let verdict =
        within("no waiting", windows.consume_or_rebuild(&key, "dlv_1", now, rebuild)).await.unwrap();
    assert_eq!(verdict, WindowVerdict::Granted { remaining: Some(1) });
    let rate = Rate::new(0.001, 2.0);
    let mut permits = Vec::new();
    for _ in 0..3 {
        permits.push(rates.take("acme", &["sms"], rate, 1.0).await);
    }
    assert_eq!(permits[..2], [Permit::Granted, Permit::Granted]);
    assert!(matches!(permits[2], Permit::RetryAfter(_)), "{permits:?}");
    let fields = [("id".to_owned(), "cnv_1".to_owned())].into();
    let rebuilt =
        models.get_or_rebuild("acme", "con_1", || async { Ok::<_, Infallible>(Some(fields)) }).await;
    assert_eq!(rebuilt.unwrap().unwrap()["id"], "cnv_1");

    server.restart().await.unwrap();
    eventually("Redis is noticed", || async { redis.is_up() }).await;
    seen.mark("acme", "evt_2").await.unwrap();
    assert!(seen.check("acme", "evt_2").await.unwrap());
    let verdict = windows.consume_or_rebuild(&key, "dlv_1", now, rebuild).await.unwrap();
    assert_eq!(verdict, WindowVerdict::Granted { remaining: Some(1) });
    assert_eq!(windows.get(&key).await.unwrap().iter().map(|window| window.used).max(), Some(1));
    // The shared bucket is full, whatever the local one was.
    assert_eq!(rates.take("acme", &["sms"], rate, 1.0).await, Permit::Granted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_given_up_and_found_again() {
    let server = redis_server().await;
    let mut options = RedisOptions::new(server.url());
    options.connect_timeout = Duration::from_millis(300);
    options.response_timeout = Duration::from_millis(300);
    let redis = Redis::connect(&options).await.unwrap();
    let seen = Seen::new(redis.clone(), "inbound", DEFAULT_TTL);
    seen.mark("acme", "evt_1").await.unwrap();
    server.pause().unwrap();
    let hung = within("an answer although the server hangs", seen.check("acme", "evt_1")).await;
    assert!(matches!(hung, Err(RedisError::Unavailable(_))), "{hung:?}");
    server.resume().unwrap();
    eventually("Redis is noticed", || async { seen.check("acme", "evt_1").await.unwrap_or(false) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_starts_without_redis() {
    let mut server = redis_server().await;
    let url = server.url();
    server.kill9();
    let redis = Redis::connect(&RedisOptions::new(url)).await.unwrap();
    assert!(!redis.is_up());
    assert!(Seen::new(redis.clone(), "inbound", DEFAULT_TTL).check("acme", "x").await.is_err());
    server.restart().await.unwrap();
    eventually("Redis is noticed", || async { redis.is_up() }).await;
    // And an outage that nobody runs into is noticed as well.
    server.kill9();
    eventually("the outage is noticed", || async { !redis.is_up() }).await;
}

#[tokio::test]
async fn an_address_that_is_none_is_an_error_without_the_password() {
    let error = Redis::connect(&RedisOptions::new("redis//:hunter2@nowhere")).await.unwrap_err();
    assert!(matches!(error, RedisError::Address));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert!(!format!("{:?}", RedisOptions::new("redis://:hunter2@nowhere")).contains("hunter2"));
}
