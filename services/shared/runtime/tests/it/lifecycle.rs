//! The order in which a process stops.

use std::{
    convert::Infallible,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use futures::stream;
use heliograph_runtime::{Health, Lifecycle, Shutdown, config::ShutdownSettings, exit, lifecycle::Outcome};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    sync::{Notify, mpsc},
};
use tokio_stream::wrappers::ReceiverStream;

use crate::support::within;

fn lifecycle(drain_seconds: u64, grace_seconds: u64) -> (Lifecycle, Health) {
    let health = Health::new();
    (Lifecycle::new(ShutdownSettings { drain_seconds, grace_seconds }, health.clone()), health)
}

/// A part that ends when it is told to take no more work.
async fn obedient(shutdown: Shutdown) -> Result<(), Infallible> {
    shutdown.draining().await;
    Ok(())
}

#[tokio::test]
async fn stops_in_order() {
    let (mut lifecycle, health) = lifecycle(0, 30);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let finished_in_hand = Arc::new(Notify::new());
    lifecycle.spawn("worker", {
        let (shutdown, health, seen) = (lifecycle.shutdown(), health.clone(), Arc::clone(&seen));
        let in_hand = Arc::clone(&finished_in_hand);
        async move {
            shutdown.requested().await;
            seen.lock().unwrap().push(("requested, ready", health.is_ready()));
            shutdown.draining().await;
            seen.lock().unwrap().push(("draining, cancelled", shutdown.is_cancelled()));
            in_hand.notified().await;
            Ok::<_, Infallible>(())
        }
    });
    let shutdown = lifecycle.shutdown();
    let running = tokio::spawn(lifecycle.run(stream::iter(["SIGTERM"])));
    within(shutdown.draining()).await;
    assert!(!running.is_finished());
    finished_in_hand.notify_one();
    assert_eq!(within(running).await.unwrap(), Outcome::Finished);
    assert_eq!(*seen.lock().unwrap(), [("requested, ready", false), ("draining, cancelled", false)]);
    assert!(shutdown.is_cancelled());
}

#[tokio::test]
async fn what_is_not_finished_in_time_is_cancelled() {
    let (mut lifecycle, _) = lifecycle(0, 0);
    let (shutdown, noticed) = (lifecycle.shutdown(), Arc::new(Notify::new()));
    lifecycle.spawn("stubborn", {
        let noticed = Arc::clone(&noticed);
        async move {
            shutdown.cancelled().await;
            noticed.notify_one();
            Ok::<_, Infallible>(())
        }
    });
    let outcome = within(lifecycle.run(stream::iter(["SIGTERM"]))).await;
    assert_eq!(outcome, Outcome::CutShort);
    assert_eq!(outcome.exit_code(), exit::FAILURE);
    within(noticed.notified()).await;
}

#[tokio::test]
async fn a_part_that_fails_takes_the_process_down_in_order() {
    for panics in [false, true] {
        // An hour of draining: only a failed part may skip it.
        let (mut lifecycle, health) = lifecycle(3600, 30);
        let sibling = Arc::new(Notify::new());
        lifecycle.spawn("sibling", {
            let (shutdown, sibling) = (lifecycle.shutdown(), Arc::clone(&sibling));
            async move {
                let result = obedient(shutdown).await;
                sibling.notify_one();
                result
            }
        });
        lifecycle.spawn("failing", async move {
            assert!(!panics, "as the test wants it");
            Err("the broker refused us")
        });
        assert_eq!(within(lifecycle.run(stream::pending())).await, Outcome::Failed);
        within(sibling.notified()).await;
        assert!(!health.is_ready());
    }
}

#[tokio::test]
async fn a_part_that_ends_by_itself_is_a_failure() {
    let (mut lifecycle, _) = lifecycle(0, 30);
    lifecycle.spawn("short", async { Ok::<_, Infallible>(()) });
    assert_eq!(within(lifecycle.run(stream::pending())).await, Outcome::Failed);
}

#[tokio::test]
async fn a_part_that_fails_while_stopping_shows_in_the_outcome() {
    let (mut lifecycle, _) = lifecycle(0, 30);
    let shutdown = lifecycle.shutdown();
    lifecycle.spawn("flushing", async move {
        shutdown.draining().await;
        Err("could not flush")
    });
    assert_eq!(within(lifecycle.run(stream::iter(["SIGTERM"]))).await, Outcome::Failed);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (mut lifecycle, _) = lifecycle(3600, 3600);
    lifecycle.spawn("busy", std::future::pending::<Result<(), Infallible>>());
    let shutdown = lifecycle.shutdown();
    let (signals, received) = mpsc::channel(2);
    let running = tokio::spawn(lifecycle.run(ReceiverStream::new(received)));
    signals.send("SIGINT").await.unwrap();
    within(shutdown.requested()).await;
    signals.send("SIGINT").await.unwrap();
    assert_eq!(within(running).await.unwrap(), Outcome::Interrupted);
}

#[tokio::test]
async fn can_be_asked_from_inside() {
    let (mut lifecycle, _) = lifecycle(0, 30);
    lifecycle.spawn("part", obedient(lifecycle.shutdown()));
    lifecycle.shutdown().request();
    assert_eq!(within(lifecycle.run(stream::pending())).await, Outcome::Finished);
}

/// The process that the test below signals.
#[tokio::test]
#[ignore = "a child process of `real_signals_stop_a_real_process`"]
async fn child() {
    let (mut lifecycle, _) = lifecycle(0, 30);
    lifecycle.spawn("part", {
        let shutdown = lifecycle.shutdown();
        async move {
            println!("\nstarted");
            obedient(shutdown).await
        }
    });
    println!("\ncode {}", lifecycle.run_to_exit(None).await);
}

#[tokio::test]
async fn real_signals_stop_a_real_process() {
    for signal in ["TERM", "INT"] {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["lifecycle::child", "--exact", "--ignored", "--nocapture"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut until = async |wanted: &str| {
            while within(lines.next_line()).await.unwrap().expect("the child says it") != wanted {}
        };
        until("started").await;
        let pid = child.id().unwrap().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
        until("code 0").await;
        within(child.wait()).await.unwrap();
    }
}
