//! What we send is what `wechatpy` sends for the same message. It stands in `.tools/peers`, or not.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use heliograph_channel::{Body, Caller, Delivery, Provider as _};
use heliograph_channel_wechat::Wechat;
use heliograph_proto::v1::{Address, Content, Message};
use serde_json::{Value, json};

use crate::media::account;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");

/// The bodies that the peer sends.
fn by_wechatpy(calls: &[Value]) -> Vec<Value> {
    let request = json!({ "peer": "wechat_sends", "calls": calls });
    let mut script = Command::new(Path::new(ROOT).join(".tools/peers/bin/python"))
        .arg(Path::new(ROOT).join("tests/peers/sign.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    script.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    assert!(output.status.success(), "the peer failed");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_str(printed["body"].as_str().unwrap()).unwrap()
}

/// Our messages, and what to ask of the peer for the same.
fn cases() -> Vec<(Value, &'static str, Value)> {
    let link = "https://example.com/lamp";
    let picture = "https://media.example.com/lamp.png";
    let page = json!({ "title": "Shop", "appid": "wx1", "pagepath": "index", "thumb_media_id": "t" });
    vec![
        (json!({ "text": { "body": "你好 👋 \"x\"" } }), "send_text", json!({ "content": "你好 👋 \"x\"" })),
        (
            json!({ "media": { "kind": "MEDIA_KIND_IMAGE", "providerMediaId": "m1" } }),
            "send_image",
            json!({ "media_id": "m1" }),
        ),
        (
            json!({ "media": { "kind": "MEDIA_KIND_AUDIO", "providerMediaId": "m2" } }),
            "send_voice",
            json!({ "media_id": "m2" }),
        ),
        (
            json!({ "card": {
                "title": "Lamp", "body": "Bright", "url": link,
                "media": { "kind": "MEDIA_KIND_IMAGE", "url": picture },
            } }),
            "send_articles",
            json!({ "articles": [{ "title": "Lamp", "description": "Bright", "url": link, "image": picture }] }),
        ),
        (
            json!({ "custom": { "kind": "miniprogrampage", "data": page } }),
            "send_mini_program_page",
            json!({ "miniprogrampage": page }),
        ),
        (
            json!({ "custom": { "kind": "wxcard", "data": { "card_id": "c1" } } }),
            "send_card",
            json!({ "card_id": "c1" }),
        ),
        (
            json!({ "custom": { "kind": "music", "data": {
                "title": "Song", "description": "ours", "musicurl": "u", "hqmusicurl": "h", "thumb_media_id": "t",
            } } }),
            "send_music",
            json!({
                "title": "Song", "description": "ours", "url": "u", "hq_url": "h", "thumb_media_id": "t",
            }),
        ),
    ]
}

#[test]
fn we_send_what_wechatpy_sends() {
    if !Path::new(ROOT).join(".tools/peers/bin/python").exists() {
        eprintln!("skipped: `make tools-peers` fetches the providers' SDKs");
        return;
    }
    let (account, token) = (account(), "token".into());
    let (mut ours, mut calls) = (Vec::new(), Vec::new());
    for (content, send, mut arguments) in cases() {
        let content: Content = serde_json::from_value(content).unwrap();
        let address = Address { user_id: "oOpenId".to_owned(), ..Address::default() };
        let message = Message { content: Some(content), address: Some(address), ..Message::default() };
        let delivery = Delivery::new(&message, "dlv_1", "c", 0);
        let request = Wechat.encode(&Caller::new(&account, 0).with_token(Some(&token)), &delivery).unwrap();
        let Body::Json(body) = request.body else { panic!("not JSON") };
        ours.push(serde_json::from_slice::<Value>(&body).unwrap());
        arguments["user_id"] = "oOpenId".into();
        calls.push(json!({ "send": send, "arguments": arguments }));
    }
    let theirs = by_wechatpy(&calls);
    assert_eq!(ours.len(), theirs.len());
    for ((ours, theirs), call) in ours.into_iter().zip(theirs).zip(calls) {
        assert_eq!(ours, theirs, "{}", call["send"]);
    }
}
