//! `fixtures/vectors.json`: plain, encrypted and compatible mode, keys of both kinds, padding, and a forgery.

use heliograph_channel::{Account, Refusal, Webhook, WebhookRequest, account::RawAccount};
use heliograph_channel_wechat::{Cipher, Wechat, WechatSettings, sign};
use heliograph_proto::v1::inbound_event::Kind;
use serde_json::{Value, json};

fn vector(part: &str) -> Value {
    let all: Vec<Value> = serde_json::from_str(include_str!("../../fixtures/vectors.json")).unwrap();
    all.into_iter()
        .find(|vector| vector["name"].as_str().unwrap().contains(part))
        .unwrap_or_else(|| panic!("no vector named {part}"))
}

fn account(vector: &Value, mode: &str) -> Account<WechatSettings> {
    let app_id = vector["secrets"]["appid"].as_str().unwrap_or("wxfake1234567890ab");
    let mut raw = RawAccount {
        tenant: "acme".to_owned(),
        name: "wechat".to_owned(),
        channel: "wechat".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings: json!({ "app_id": app_id, "mode": mode }),
        secrets: heliograph_channel::account::Secrets::default(),
    };
    for name in ["token", "encoding_aes_key"] {
        if let Some(value) = vector["secrets"][name].as_str() {
            raw.secrets.add(name, value.into());
        }
    }
    raw.secrets.add("app_secret", "fake-app-secret".into());
    raw.load().unwrap()
}

fn request(vector: &Value, method: http::Method) -> WebhookRequest {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in vector["query"].as_object().unwrap() {
        query.append_pair(name, value.as_str().unwrap());
    }
    WebhookRequest {
        method,
        path: String::new(),
        query: query.finish(),
        headers: http::HeaderMap::new(),
        body: vector["body"].as_str().unwrap().to_owned().into(),
        now_ms: 1_762_800_001_000,
    }
}

fn text_of(vector: &Value, mode: &str) -> (String, String) {
    let received = Wechat.receive(&account(vector, mode), &request(vector, http::Method::POST)).unwrap();
    let Some(Kind::Message(message)) = &received.events[0].kind else { panic!("not a message") };
    (
        heliograph_domain::content::preview(message.content.as_ref().unwrap()),
        message.provider_message_id.clone(),
    )
}

#[test]
fn the_handshake_is_answered_with_its_echo() {
    let vector = vector("plain mode: GET handshake");
    let received = Wechat.receive(&account(&vector, "plain"), &request(&vector, http::Method::GET)).unwrap();
    assert_eq!(received.answer.body, vector["expected"]["body"].as_str().unwrap());
    let mut forged = request(&vector, http::Method::GET);
    forged.query = forged.query.replace("nonce=1", "nonce=2");
    assert!(matches!(Wechat.receive(&account(&vector, "plain"), &forged), Err(Refusal::Forged(_))));
}

#[test]
fn encrypted_messages_are_read_with_either_kind_of_key() {
    for name in ["key with non-zero trailing base64 bits", "key with canonical base64"] {
        let (text, id) = text_of(&vector(name), "encrypted");
        assert_eq!((text.as_str(), id.as_str()), ("你好 👍", "22876340532172986"), "{name}");
    }
}

#[test]
fn the_encrypted_copy_counts_in_compatible_mode() {
    let mut vector = vector("compat mode");
    let body = vector["body"].as_str().unwrap().replacen("你好 👍", "tampered", 1);
    vector["body"] = body.into();
    assert_eq!(text_of(&vector, "compatible").0, "你好 👍");
}

#[test]
fn the_cipher_agrees_with_its_peers_both_ways() {
    for name in ["key with non-zero trailing", "key with canonical", "multiple of 32"] {
        let vector = vector(name);
        let secrets = &vector["secrets"];
        let text = |name: &str| secrets[name].as_str().unwrap();
        let cipher = Cipher::new(text("encoding_aes_key"), text("appid")).unwrap();
        let plain = vector["expected"]["plaintext"].as_str().unwrap();
        let encrypted = vector["expected"]["encrypt"].as_str().unwrap();
        assert_eq!(cipher.decrypt(encrypted).unwrap(), plain, "{name}");
        let random: [u8; 16] = text("random16").as_bytes().try_into().unwrap();
        assert_eq!(cipher.encrypt(plain, random), encrypted, "{name}");
        let query = |name: &str| vector["query"][name].as_str().unwrap();
        let signature = sign(text("token"), &[query("timestamp"), query("nonce"), encrypted]);
        assert_eq!(signature, query("msg_signature"), "{name}");
    }
}

#[test]
fn a_message_for_another_app_is_refused() {
    let vector = vector("NEGATIVE");
    let refused =
        Wechat.receive(&account(&vector, "encrypted"), &request(&vector, http::Method::POST)).unwrap_err();
    assert!(matches!(refused, Refusal::Forged(_)), "{refused}");
}

#[test]
fn entities_and_document_types_are_refused() {
    let mut vector = vector("plain mode: GET handshake");
    for body in [
        "<!DOCTYPE xml [<!ENTITY a \"aaaa\">]><xml><FromUserName>&a;</FromUserName></xml>",
        "<xml><FromUserName>&a;</FromUserName><MsgType>text</MsgType></xml>",
    ] {
        vector["body"] = body.into();
        let refused =
            Wechat.receive(&account(&vector, "plain"), &request(&vector, http::Method::POST)).unwrap_err();
        assert!(matches!(refused, Refusal::Malformed(_)), "{refused}");
    }
}

/// What an account answers a held request with.
fn passive(vector: &Value, mode: &str, content: heliograph_proto::v1::Content) -> Option<String> {
    let message = heliograph_proto::v1::Message {
        id: "msg_1".to_owned(),
        content: Some(content),
        ..heliograph_proto::v1::Message::default()
    };
    let answer = Wechat.answer(&account(vector, mode), &request(vector, http::Method::POST), &message)?;
    Some(String::from_utf8(answer.body.to_vec()).unwrap())
}

/// What stands between an element's tags, without CDATA.
fn element(xml: &str, name: &str) -> String {
    let inner = xml.split(&format!("<{name}>")).nth(1).unwrap().split(&format!("</{name}>")).next().unwrap();
    inner.trim_start_matches("<![CDATA[").trim_end_matches("]]>").to_owned()
}

#[test]
fn a_reply_in_the_answer_is_sealed_and_signed_as_the_provider_reads_it() {
    let vector = vector("key with canonical base64");
    let sealed = passive(&vector, "encrypted", heliograph_domain::content::text("a ]]> b 你好")).unwrap();
    let secrets = &vector["secrets"];
    let text = |name: &str| secrets[name].as_str().unwrap();
    let (encrypted, timestamp, nonce) =
        (element(&sealed, "Encrypt"), element(&sealed, "TimeStamp"), element(&sealed, "Nonce"));
    assert_eq!(sign(text("token"), &[&timestamp, &nonce, &encrypted]), element(&sealed, "MsgSignature"));
    let cipher = Cipher::new(text("encoding_aes_key"), text("appid")).unwrap();
    let reply = cipher.decrypt(&encrypted).unwrap();
    let asked = vector["expected"]["plaintext"].as_str().unwrap();
    assert_eq!(element(&reply, "ToUserName"), element(asked, "FromUserName"));
    assert_eq!(element(&reply, "FromUserName"), element(asked, "ToUserName"));
    assert!(reply.contains("<![CDATA[a ]]]]><![CDATA[> b 你好]]>"), "{reply}");
    assert!(passive(&vector, "encrypted", heliograph_domain::content::text("x".repeat(2049))).is_none());
}
