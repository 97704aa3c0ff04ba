//! `provision`, `doctor`.

use serde_json::Value;

use crate::support::Bench;

#[tokio::test]
async fn provisioning_twice_changes_nothing_and_shrinking_is_refused() {
    let bench = Bench::bare().await;
    let tried = bench.run(&["provision", "--dry-run"]).await.ok();
    assert!(tried.out.contains("HG_EVENTS: create"), "{}", tried.out);
    let first = bench.run(&["provision", "--partitions", "8"]).await.ok();
    assert_eq!(first.out, tried.out);
    let second = bench.run(&["provision"]).await.ok();
    assert_eq!(second.out.trim(), "as planned already, nothing changed");

    let fewer = bench.run(&["provision", "--partitions", "4", "--json"]).await;
    assert_eq!(fewer.code, 1);
    assert!(fewer.err.contains("--force"), "{}", fewer.err);
    let report: Value = serde_json::from_str(&fewer.out).unwrap();
    assert_eq!(report["changes"][0]["verdict"], "refused");
    bench.run(&["provision", "--partitions", "4", "--force"]).await.ok();
}

#[tokio::test]
async fn the_doctor_finds_what_is_missing() {
    let bench = Bench::bare().await;
    let ill = bench.run(&["doctor"]).await;
    assert_eq!(ill.code, 1);
    assert!(ill.out.contains("fail  streams") && ill.out.contains("heliograph provision"), "{}", ill.out);
    bench.run(&["provision"]).await.ok();
    let well = bench.run(&["doctor", "--json"]).await.ok();
    let findings: Vec<Value> = serde_json::from_str(&well.out).unwrap();
    for what in ["nats", "jetstream", "clock", "streams", "partitions", "dead letters"] {
        let found = findings.iter().find(|finding| finding["what"] == what);
        assert_eq!(found.unwrap()["state"], "ok", "{what}: {}", well.out);
    }
}
