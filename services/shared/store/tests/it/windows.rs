use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use heliograph_store::now_ms;
use heliograph_store::windows::{Window, WindowKey, WindowVerdict, Windows};

use crate::support::{flush, redis, redis_server};

fn key(tenant: &str, user: &str) -> WindowKey {
    WindowKey::new(tenant, "wechat", "main", user)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_counts_down_once_for_each_delivery() {
    let server = redis_server().await;
    let windows = Windows::new(redis(&server).await);
    let (now, key) = (now_ms(), key("acme", "u"));
    assert_eq!(windows.consume(&key, "dlv_1", now).await.unwrap(), None);
    let window = Window::opened("customer_service", now, Duration::from_mins(1), Some(3));
    windows.open(&key, &window).await.unwrap();
    assert_eq!(windows.get(&key).await.unwrap().as_ref(), Some(&window));

    let left = |remaining| Some(WindowVerdict::Granted { remaining: Some(remaining) });
    assert_eq!(windows.consume(&key, "dlv_1", now).await.unwrap(), left(2));
    assert_eq!(windows.consume(&key, "dlv_1", now).await.unwrap(), left(2), "tried again");
    assert_eq!(windows.consume(&key, "dlv_2", now).await.unwrap(), left(1));
    windows.release(&key, "dlv_2").await.unwrap();
    // The inbound message that opened it is delivered again: nothing is given back.
    windows.open(&key, &window).await.unwrap();
    assert_eq!(windows.get(&key).await.unwrap().unwrap().used, 1);

    let takers = (0..20).map(|n| {
        let (windows, key) = (windows.clone(), key.clone());
        async move { windows.consume(&key, &format!("race_{n}"), now).await.unwrap().unwrap() }
    });
    let verdicts = futures::future::join_all(takers).await;
    let granted = verdicts.iter().filter(|verdict| matches!(verdict, WindowVerdict::Granted { .. })).count();
    assert_eq!(granted, 2);
    let exhausted = Some(WindowVerdict::Exhausted { expires_at_ms: window.expires_at_ms });
    assert_eq!(windows.consume(&key, "dlv_9", now).await.unwrap(), exhausted);
    assert!(!windows.get(&key).await.unwrap().unwrap().allows(now));

    // The customer writes again.
    let next = Window::opened("customer_service", now + 10, Duration::from_mins(1), Some(3));
    windows.open(&key, &next).await.unwrap();
    windows.open(&key, &window).await.unwrap();
    assert_eq!(windows.get(&key).await.unwrap(), Some(next.clone()), "an older message comes late");
    let closed = Some(WindowVerdict::Closed { expired_at_ms: next.expires_at_ms });
    assert_eq!(windows.consume(&key, "dlv_10", next.expires_at_ms).await.unwrap(), closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_without_count_and_of_others_are_apart() {
    let server = redis_server().await;
    let windows = Windows::new(redis(&server).await);
    let now = now_ms();
    windows
        .open(&key("acme", "u"), &Window::opened("session", now, Duration::from_mins(1), None))
        .await
        .unwrap();
    for n in 0..5 {
        let verdict = windows.consume(&key("acme", "u"), &n.to_string(), now).await.unwrap();
        assert_eq!(verdict, Some(WindowVerdict::Granted { remaining: None }));
    }
    assert_eq!(windows.get(&key("acme2", "u")).await.unwrap(), None);
    assert_eq!(windows.get(&key("acme", "u:")).await.unwrap(), None);
    windows.forget(&key("acme", "u")).await.unwrap();
    assert_eq!(windows.get(&key("acme", "u")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flushed_window_is_rebuilt_and_its_absence_remembered() {
    let server = redis_server().await;
    let windows = Windows::new(redis(&server).await);
    let (now, key) = (now_ms(), key("acme", "u"));
    let mut window = Window::opened("customer_service", now, Duration::from_mins(1), Some(5));
    windows.open(&key, &window).await.unwrap();
    flush(&server).await;
    window.used = 3;
    let asked = AtomicU32::new(0);
    let rebuild = || async {
        asked.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(Some(window.clone()))
    };
    let verdict = windows.consume_or_rebuild(&key, "dlv_1", now, rebuild).await.unwrap();
    assert_eq!(verdict, WindowVerdict::Granted { remaining: Some(1) });
    assert_eq!(windows.get_or_rebuild(&key, now, rebuild).await.unwrap().unwrap().used, 4);
    assert_eq!(asked.load(Ordering::Relaxed), 1);

    let stranger = WindowKey::new("acme", "wechat", "main", "stranger");
    let nothing = || async {
        asked.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(None)
    };
    for n in 0..3 {
        let verdict = windows.consume_or_rebuild(&stranger, &n.to_string(), now, nothing).await.unwrap();
        assert_eq!(verdict, WindowVerdict::Never);
        assert_eq!(windows.get_or_rebuild(&stranger, now, nothing).await.unwrap(), None);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2, "asked once");
    // They write: the absence is over at once.
    windows.open(&stranger, &Window::opened("s", now, Duration::from_mins(1), None)).await.unwrap();
    let verdict = windows.consume(&stranger, "d", now).await.unwrap();
    assert_eq!(verdict, Some(WindowVerdict::Granted { remaining: None }));
}
