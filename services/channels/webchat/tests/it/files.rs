//! Files: taken by their bytes, given out by links that expire, used by their visitor alone.

use heliograph_channel_webchat::Options;
use heliograph_proto::v1::{MediaKind, content::Kind as ContentKind, inbound_event::Kind};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::fleet::{Fleet, SHOP};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

async fn upload(fleet: &Fleet, token: &Value, name: &str, content: &[u8]) -> Response {
    let mut url = url::Url::parse(&fleet.url("uploads")).unwrap();
    url.query_pairs_mut().append_pair("name", name);
    let request = fleet.http.post(url).header("origin", SHOP).header("content-type", "image/svg+xml");
    request.bearer_auth(token.as_str().unwrap()).body(content.to_vec()).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_to_the_agent_and_back() {
    let fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    let answer = upload(&fleet, &welcome["resume"], "../a b.png", PNG).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()["access-control-allow-origin"], SHOP);
    let file: Value = answer.json().await.unwrap();
    assert_eq!(
        (&file["name"], &file["type"], &file["size"]),
        (&json!("a b.png"), &json!("image/png"), &json!(17))
    );

    client
        .send(&json!({ "t": "msg", "cid": "c1", "text": "Look", "attachments": [file["id"], file["id"]] }))
        .await;
    let frames = [client.next().await.unwrap(), client.next().await.unwrap()];
    let echo = frames.iter().find(|frame| frame["t"] == "msg").unwrap();
    let shown = &echo["attachments"][0];
    let picture = fleet.http.get(fleet.url(shown["url"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.headers()["x-content-type-options"], "nosniff");
    assert!(picture.headers()["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert_eq!(picture.headers()["content-disposition"], "inline; filename*=UTF-8''a%20b.png");
    assert_eq!(picture.bytes().await.unwrap(), PNG);

    let events = fleet.inbound().await;
    let media: Vec<_> = events
        .iter()
        .map(|event| match &event.kind {
            Some(Kind::Message(message)) => match &message.content.as_ref().unwrap().kind {
                Some(ContentKind::Media(media)) => media.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(media.len(), 2, "a message for each file");
    assert_eq!((media[0].caption.as_str(), media[1].caption.as_str()), ("Look", ""));
    assert_eq!((media[0].kind(), media[0].content_type.as_str()), (MediaKind::Image, "image/png"));
    assert!(media[0].object_id.starts_with("med_"));
    assert_ne!(events[0].id, events[1].id);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_uploads_are_not_transferable() {
    let fleet = Fleet::start().await;
    let (_, owner) = fleet.visitor().await;
    let file: Value = upload(&fleet, &owner["resume"], "t.csv", b"a,b\n").await.json().await.unwrap();
    assert_eq!(file["type"], "text/csv");
    let url = fleet.url(file["url"].as_str().unwrap());
    let good = fleet.http.get(&url).send().await.unwrap();
    assert_eq!(good.headers()["content-type"], "application/octet-stream");
    assert!(good.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    for bad in [
        url.replace("sig=", "sig=00"),
        url.split('?').next().unwrap().to_owned(),
        url.replace("exp=", "exp=9"),
    ] {
        assert_eq!(fleet.http.get(&bad).send().await.unwrap().status(), 403, "{bad}");
    }
    let (mut other, _) = fleet.visitor().await;
    other.send(&json!({ "t": "msg", "cid": "c1", "attachments": [file["id"]] })).await;
    assert_eq!(other.expect("error").await["code"], "bad_frame");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_sent_is_refused() {
    let fleet = Fleet::start_with(json!({ "upload_bytes": 64 }), Options::default()).await;
    let (_, welcome) = fleet.visitor().await;
    let token = &welcome["resume"];
    for (name, content) in [("a.svg", &b"<svg/>"[..]), ("a.html", b"<p>"), ("a.exe", b"MZ"), ("a.png", b"MZ")]
    {
        assert_eq!(upload(&fleet, token, name, content).await.status(), 415, "{name}");
    }
    assert_eq!(upload(&fleet, token, "a.txt", &[b'x'; 65]).await.status(), 413);
    assert_eq!(upload(&fleet, token, "a.txt", &[b'x'; 64]).await.status(), 201);
    assert_eq!(upload(&fleet, &json!("rt_x"), "a.txt", b"x").await.status(), 401);
    let foreign = fleet.http.post(fleet.url("uploads")).header("origin", "https://evil.test");
    let foreign = foreign.bearer_auth(token.as_str().unwrap()).body("x").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    assert!(!foreign.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_bytes_a_minute() {
    let fleet = Fleet::start_with(json!({ "upload_bytes_per_minute": 100 }), Options::default()).await;
    let (_, welcome) = fleet.visitor().await;
    assert_eq!(upload(&fleet, &welcome["resume"], "a.txt", &[b'x'; 90]).await.status(), 201);
    assert_eq!(upload(&fleet, &welcome["resume"], "a.txt", &[b'x'; 90]).await.status(), 429);
}
