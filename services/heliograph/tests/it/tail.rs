//! `tail`.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::support::Bench;

#[tokio::test]
async fn it_ends_at_the_limit_the_end_or_never() {
    let bench = Bench::provisioned().await;
    let fabric = bench.fabric().await;
    for number in 1..=3 {
        bench.event(&fabric, number).await;
    }
    let two = bench.run(&["tail", "--json", "--from", "start", "--limit", "2"]).await.ok();
    let ids: Vec<Value> =
        two.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!(ids, ["evt_1", "evt_2"]);

    let third = bench.run(&["tail", "--json", "--from", "3", "--limit", "1"]).await.ok();
    let third: Value = serde_json::from_str(third.out.trim()).unwrap();
    assert_eq!(third["messageReceived"]["message"]["content"]["text"]["body"], "message 3");

    let read = bench.run(&["tail", "--from", "start", "--no-follow", "--tenant", "acme"]).await.ok();
    assert_eq!(read.out.lines().count(), 3);
    assert!(read.out.contains("+12125550100: \"message 1\""), "{}", read.out);
    let none =
        bench.run(&["tail", "--from", "start", "--no-follow", "--filter", "hg.event.other.>"]).await.ok();
    assert_eq!(none.out, "");
    assert_eq!(bench.run(&["tail", "--filter", "nonsense"]).await.code, 2);
}

#[tokio::test]
async fn it_waits_for_what_comes() {
    let bench = Bench::provisioned().await;
    let fabric = bench.fabric().await;
    bench.event(&fabric, 1).await;
    let mut command = bench.command(&["tail", "--json", "--from", "start"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for number in 1..=3 {
        if number > 1 {
            bench.event(&fabric, number).await;
        }
        let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(line["id"], format!("evt_{number}"));
    }
    child.kill().await.unwrap();
}
