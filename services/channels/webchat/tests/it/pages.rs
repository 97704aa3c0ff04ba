//! The widget's files, the demo page and the history.

use serde_json::{Value, json};

use crate::fleet::{Fleet, SHOP};

#[tokio::test(flavor = "multi_thread")]
async fn modules_are_for_every_page_and_the_demo_is_strict() {
    let fleet = Fleet::start().await;
    let widget = fleet.http.get(fleet.url("widget.js")).send().await.unwrap();
    assert_eq!(widget.status(), 200);
    assert_eq!(widget.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(widget.headers()["access-control-allow-origin"], "*");
    let etag = widget.headers()["etag"].clone();
    let again = fleet.http.get(fleet.url("widget.js")).header("if-none-match", etag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.bytes().await.unwrap().len()), (304, 0));

    let demo = fleet.http.get(fleet.url("demo.html")).send().await.unwrap();
    let policy = demo.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"));
    let home = fleet.http.get(fleet.url("")).send().await.unwrap();
    assert_eq!(home.headers()["location"], "/webchat/shop/demo.html");
    assert_eq!(fleet.http.get(fleet.url("none.js")).send().await.unwrap().status(), 404);
    let stranger = fleet.url("widget.js").replace("/shop/", "/none/");
    assert_eq!(fleet.http.get(stranger).send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_loaded_page_by_page_by_its_visitor() {
    let fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    for index in 1..=7 {
        client.say(&format!("c{index}"), &index.to_string()).await;
    }
    let page = async |before: u64, token: &str| {
        let url = format!("{}?before={before}&limit=3", fleet.url("history"));
        let answer = fleet.http.get(url).header("origin", SHOP).bearer_auth(token).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let token = welcome["resume"].as_str().unwrap();
    for (before, expected, more) in [(8, vec![5, 6, 7], true), (5, vec![2, 3, 4], true), (2, vec![1], false)]
    {
        let (status, page) = page(before, token).await;
        assert_eq!(status, 200);
        let numbers: Vec<i64> =
            page["messages"].as_array().unwrap().iter().map(|frame| frame["seq"].as_i64().unwrap()).collect();
        assert_eq!((numbers, &page["more"]), (expected, &json!(more)));
    }
    let (_, other) = fleet.visitor().await;
    assert_eq!(page(8, other["resume"].as_str().unwrap()).await.1, json!({ "messages": [], "more": false }));
    assert_eq!(page(8, "rt_x").await.0, 401);

    let preflight = fleet.http.request(reqwest::Method::OPTIONS, fleet.url("history")).header("origin", SHOP);
    let preflight = preflight.send().await.unwrap();
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-allow-headers"], "authorization, content-type");
    assert_eq!(preflight.headers()["access-control-allow-origin"], SHOP);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_too_far_behind_starts_anew_from_the_history() {
    let fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    for index in 1..=510 {
        fleet.deliver(&welcome["visitor"], &format!("d{index}"), "x").await;
    }
    client.messages(1, 510).await;
    drop(client);
    let (mut behind, again) = fleet.resume(&welcome["resume"], 3).await;
    assert_eq!(again["seq"], 510);
    assert_eq!(behind.expect("reset").await["seq"], 510);
    behind.is_quiet().await;
    // One who asks again for what is at hand gets it.
    behind.send(&json!({ "t": "sync", "after": 500 })).await;
    behind.messages(501, 510).await;
}
