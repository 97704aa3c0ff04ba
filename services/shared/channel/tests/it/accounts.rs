//! Accounts follow their resources, each for itself.

use heliograph_proto::v1::DescribeRequest;
use serde_json::json;
use tonic::Code;

use crate::fleet::{Fleet, account, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn accounts_come_change_and_go_without_a_restart() {
    let fleet = Fleet::start().await;
    assert_eq!(fleet.post("main", "k", "[]").await.0, 404);
    fleet.with_account(json!({}), None).await;

    let mut changed = account(&json!({}));
    changed["secrets"]["key"] = json!([{ "value": "new" }, { "value": "k" }]);
    fleet.apply("acme", "main", &changed).await;
    eventually("the new key signs", async || fleet.post("main", "new", "[]").await.0 == 200).await;

    let mut disabled = account(&json!({}));
    disabled["enabled"] = json!(false);
    fleet.apply("acme", "main", &disabled).await;
    eventually("it is switched off", async || fleet.post("main", "k", "[]").await.0 == 503).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_account_is_named_and_does_not_take_others_down() {
    let fleet = Fleet::start().await;
    fleet.with_account(json!({}), None).await;
    let mut broken = account(&json!({ "path": "/send" }));
    broken["secrets"]["key"] = json!({ "env": "HELIOGRAPH_TEST_NO_SUCH_VARIABLE" });
    fleet.apply("acme", "second", &broken).await;
    fleet.apply("acme", "third", &account(&json!({ "pathe": "/send" }))).await;
    eventually("both are known", async || {
        fleet.post("second", "k", "[]").await.0 == 503 && fleet.post("third", "k", "[]").await.0 == 503
    })
    .await;
    assert_eq!(fleet.post("main", "k", "[]").await.0, 200);
    let report = fleet.health.report();
    assert!(report.ready);
    let note = report.checks["probe.accounts"].reason.clone().unwrap();
    assert!(note.contains("second, third"), "{note}");

    fleet.apply("acme", "second", &account(&json!({}))).await;
    eventually("it is put right", async || fleet.post("second", "k", "[]").await.0 == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_a_wall() {
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "idempotent": true }), None).await;
    let mut describe = async |tenant: &str, account: &str| {
        let request = DescribeRequest { tenant: tenant.to_owned(), account: account.to_owned() };
        fleet.client.describe(request).await.map(|answer| answer.into_inner().capabilities)
    };
    assert!(describe("acme", "main").await.unwrap().unwrap().idempotent_send);
    assert_eq!(describe("globex", "main").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(describe("acme", "none").await.unwrap_err().code(), Code::NotFound);
    // A second tenant cannot take a name that is in use.
    let mut taken = account(&json!({}));
    taken["secrets"]["key"] = json!({ "value": "theirs" });
    fleet.apply("globex", "main", &taken).await;
    fleet.apply("globex", "free", &account(&json!({}))).await;
    eventually("both are known", async || fleet.post("free", "k", "[]").await.0 == 200).await;
    assert_eq!(fleet.post("main", "k", "[]").await.0, 200);
    assert_eq!(fleet.post("main", "theirs", "[]").await.0, 401);
}
