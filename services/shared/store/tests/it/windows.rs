use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use heliograph_store::now_ms;
use heliograph_store::windows::{Window, WindowKey, WindowSet, WindowVerdict, Windows};

use crate::support::{flush, redis, redis_server};

fn key(tenant: &str, user: &str) -> WindowKey {
    WindowKey::new(tenant, "wechat", "main", user)
}

/// The one window there is.
fn only(windows: &WindowSet) -> Window {
    let all: Vec<Window> = windows.iter().cloned().collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_counts_down_once_for_each_delivery() {
    let server = redis_server().await;
    let windows = Windows::new(redis(&server).await);
    let (now, key) = (now_ms(), key("acme", "u"));
    assert_eq!(windows.consume(&key, "dlv_1", now).await.unwrap(), None);
    let window = Window::opened("customer_service", now, Duration::from_mins(1), Some(3));
    windows.open(&key, &window).await.unwrap();
    assert_eq!(only(&windows.get(&key).await.unwrap()), window);

    let left = |remaining| Some(WindowVerdict::Granted { remaining: Some(remaining) });
    assert_eq!(windows.consume(&key, "dlv_1", now).await.unwrap(), left(2));
    assert_eq!(windows.consume(&key, "dlv_1", now).await.unwrap(), left(2), "tried again");
    assert_eq!(windows.consume(&key, "dlv_2", now).await.unwrap(), left(1));
    windows.release(&key, "dlv_2").await.unwrap();
    // The inbound message that opened it is delivered again: nothing is given back.
    windows.open(&key, &window).await.unwrap();
    assert_eq!(only(&windows.get(&key).await.unwrap()).used, 1);

    let takers = (0..20).map(|n| {
        let (windows, key) = (windows.clone(), key.clone());
        async move { windows.consume(&key, &format!("race_{n}"), now).await.unwrap().unwrap() }
    });
    let verdicts = futures::future::join_all(takers).await;
    let granted = verdicts.iter().filter(|verdict| matches!(verdict, WindowVerdict::Granted { .. })).count();
    assert_eq!(granted, 2);
    let exhausted = Some(WindowVerdict::Exhausted { expires_at_ms: window.expires_at_ms });
    assert_eq!(windows.consume(&key, "dlv_9", now).await.unwrap(), exhausted);
    assert!(!windows.get(&key).await.unwrap().allows(now));

    // The customer writes again.
    let next = Window::opened("customer_service", now + 10, Duration::from_mins(1), Some(3));
    windows.open(&key, &next).await.unwrap();
    windows.open(&key, &window).await.unwrap();
    assert_eq!(only(&windows.get(&key).await.unwrap()), next, "an older message comes late");
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
    assert!(windows.get(&key("acme2", "u")).await.unwrap().is_empty());
    assert!(windows.get(&key("acme", "u:")).await.unwrap().is_empty());
    windows.forget(&key("acme", "u")).await.unwrap();
    assert!(windows.get(&key("acme", "u")).await.unwrap().is_empty());
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
    assert_eq!(only(&windows.get_or_rebuild(&key, rebuild).await.unwrap()).used, 4);
    assert_eq!(asked.load(Ordering::Relaxed), 1);

    let stranger = WindowKey::new("acme", "wechat", "main", "stranger");
    let nothing = || async {
        asked.fetch_add(1, Ordering::Relaxed);
        Ok::<Option<Window>, Infallible>(None)
    };
    for n in 0..3 {
        let verdict = windows.consume_or_rebuild(&stranger, &n.to_string(), now, nothing).await.unwrap();
        assert_eq!(verdict, WindowVerdict::Never);
        assert!(windows.get_or_rebuild(&stranger, nothing).await.unwrap().is_empty());
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2, "asked once");
    // They write: the absence is over at once.
    windows.open(&stranger, &Window::opened("s", now, Duration::from_mins(1), None)).await.unwrap();
    let verdict = windows.consume(&stranger, "d", now).await.unwrap();
    assert_eq!(verdict, Some(WindowVerdict::Granted { remaining: None }));
}

fn kinds(windows: &WindowSet) -> Vec<&str> {
    windows.iter().map(|window| window.kind.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_of_several_kinds_are_open_at_once() {
    const HOUR: i64 = 3_600_000;
    let server = redis_server().await;
    let windows = Windows::new(redis(&server).await);
    let (now, key) = (now_ms(), key("acme", "u"));
    let take = |cause: &'static str, at: i64| {
        let (windows, key) = (windows.clone(), key.clone());
        async move { windows.consume(&key, cause, at).await.unwrap().unwrap() }
    };
    let granted = |remaining| WindowVerdict::Granted { remaining };
    windows.open(&key, &Window::opened("ad", now, Duration::from_hours(168), Some(3))).await.unwrap();
    windows.open(&key, &Window::opened("menu", now, Duration::from_mins(1), Some(2))).await.unwrap();
    assert_eq!(kinds(&windows.get(&key).await.unwrap()), ["ad", "menu"]);
    // The one that closes first is used first.
    assert_eq!(take("a", now).await, granted(Some(4)));
    let set = windows.get(&key).await.unwrap();
    assert_eq!(set.iter().map(|window| window.used).collect::<Vec<_>>(), [0, 1]);
    // While one without a count is open nothing is taken from the others.
    windows.open(&key, &Window::opened("message", now, Duration::from_hours(24), None)).await.unwrap();
    for cause in ["b", "c", "a"] {
        assert_eq!(take(cause, now).await, granted(None));
    }
    let set = windows.get(&key).await.unwrap();
    assert_eq!(set.iter().filter_map(Window::remaining).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(set.best(now).unwrap().kind, "message");
    // The short ones are over: the ad's is left, and what was closed is dropped.
    assert_eq!(take("d", now + 30 * HOUR).await, granted(Some(2)));
    assert_eq!(take("d", now + 30 * HOUR).await, granted(Some(2)), "tried again");
    assert_eq!(kinds(&windows.get(&key).await.unwrap()), ["ad"]);
    windows.release(&key, "d").await.unwrap();
    for (cause, left) in [("e", 2), ("f", 1), ("g", 0)] {
        assert_eq!(take(cause, now + 30 * HOUR).await, granted(Some(left)));
    }
    let expires_at_ms = now + 168 * HOUR;
    assert_eq!(take("h", now + 30 * HOUR).await, WindowVerdict::Exhausted { expires_at_ms });
    // The customer writes: the ad's window stays as it is.
    windows
        .open(&key, &Window::opened("message", now + 31 * HOUR, Duration::from_hours(24), None))
        .await
        .unwrap();
    assert_eq!(kinds(&windows.get(&key).await.unwrap()), ["ad", "message"]);
    assert_eq!(take("i", now + 31 * HOUR).await, granted(None));
    let closed = WindowVerdict::Closed { expired_at_ms: expires_at_ms };
    assert_eq!(take("j", now + 200 * HOUR).await, closed);
    assert_eq!(take("j", now + 200 * HOUR).await, closed, "still known to be closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_limited_windows_are_never_overdrawn_by_racers() {
    let server = redis_server().await;
    let windows = Windows::new(redis(&server).await);
    let (now, key) = (now_ms(), key("acme", "u"));
    windows.open(&key, &Window::opened("ad", now, Duration::from_hours(1), Some(3))).await.unwrap();
    windows.open(&key, &Window::opened("menu", now, Duration::from_mins(1), Some(2))).await.unwrap();
    // Each cause asks twice.
    let takers = (0..40).map(|n| {
        let (windows, key) = (windows.clone(), key.clone());
        async move { (n / 2, windows.consume(&key, &format!("race_{}", n / 2), now).await.unwrap().unwrap()) }
    });
    let verdicts = futures::future::join_all(takers).await;
    let granted = |(_, verdict): &&(i32, WindowVerdict)| matches!(verdict, WindowVerdict::Granted { .. });
    let causes: std::collections::BTreeSet<i32> =
        verdicts.iter().filter(granted).map(|(cause, _)| *cause).collect();
    assert_eq!((causes.len(), verdicts.iter().filter(granted).count()), (5, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_windows_are_rebuilt_together() {
    let server = redis_server().await;
    let windows = Windows::new(redis(&server).await);
    let (now, key) = (now_ms(), key("acme", "u"));
    let lost = [
        Window { used: 2, ..Window::opened("ad", now, Duration::from_hours(168), Some(3)) },
        Window::opened("message", now - 100_000, Duration::from_secs(1), None),
    ];
    let rebuild = || async { Ok::<_, Infallible>(lost.clone()) };
    let verdict = windows.consume_or_rebuild(&key, "dlv_1", now, rebuild).await.unwrap();
    assert_eq!(verdict, WindowVerdict::Granted { remaining: Some(0) });
    assert_eq!(windows.get(&key).await.unwrap().iter().map(|window| window.used).max(), Some(3));
    // The same while Redis is away.
    drop(server);
    let away = windows.consume_or_rebuild(&key, "dlv_2", now, rebuild).await.unwrap();
    assert_eq!(away, WindowVerdict::Granted { remaining: Some(0) });
}
