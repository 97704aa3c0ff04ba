//! Vectors of other implementations (`pywa`, `fbmessenger`), and what is refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use heliograph_channel::{Body, Refusal, WebhookRequest};
use heliograph_graph::{GraphError, SIGNATURE, appsecret_proof, call, handshake, sign, verify};
use http::{HeaderMap, Method};
use secrecy::SecretString;

const SECRET: &str = "fake-meta-app-secret-0001";
const PAGE: &str = r#"{"object":"page","entry":[{"id":"682498302938465","time":1762800000123,"messaging":[{"sender":{"id":"1254477777772919"},"recipient":{"id":"682498302938465"},"timestamp":1762800000001,"message":{"mid":"m_fakeMid0001","text":"hello, world!"}}]}]}"#;
const PAGE_SIGNATURE: &str = "sha256=5c22be21dc9efc478be4213a1e127336efc6baca0d657429723e33cbfe2f4d8e";

fn secrets(values: &[&str]) -> Vec<SecretString> {
    values.iter().map(|value| (*value).into()).collect()
}

fn post(signature: Option<&str>, body: &'static str) -> WebhookRequest {
    let mut headers = HeaderMap::new();
    if let Some(signature) = signature {
        headers.insert(SIGNATURE, signature.parse().unwrap());
    }
    WebhookRequest {
        method: Method::POST,
        path: String::new(),
        query: String::new(),
        headers,
        body: Bytes::from_static(body.as_bytes()),
        now_ms: 1_762_800_001_000,
    }
}

fn get(query: &str) -> WebhookRequest {
    WebhookRequest { method: Method::GET, query: query.to_owned(), ..post(None, "") }
}

#[test]
fn a_signature_over_the_raw_body_proves_it() {
    assert_eq!(sign(&SECRET.into(), PAGE.as_bytes()), PAGE_SIGNATURE);
    verify(&post(Some(PAGE_SIGNATURE), PAGE), &secrets(&[SECRET])).unwrap();
    verify(&post(Some(PAGE_SIGNATURE), PAGE), &secrets(&["the next one", SECRET])).unwrap();
}

#[test]
fn what_is_not_signed_is_refused() {
    let known = secrets(&[SECRET]);
    let upper = PAGE_SIGNATURE.replace("5c22be", "5C22BE");
    let bare = PAGE_SIGNATURE.trim_start_matches("sha256=");
    for signature in [
        None,
        Some(""),
        Some("sha256="),
        Some("sha256=zz"),
        Some(bare),
        Some(&upper),
        Some(&PAGE_SIGNATURE[..60]),
        Some("sha1=e147663f349f20c50415c254fecb091ab8dbd889"),
    ] {
        let refused = verify(&post(signature, PAGE), &known).unwrap_err();
        assert!(matches!(refused, Refusal::Forged(_)), "{signature:?}: {refused}");
    }
    assert!(verify(&post(Some(PAGE_SIGNATURE), "{}"), &known).is_err());
    assert!(verify(&post(Some(PAGE_SIGNATURE), PAGE), &secrets(&["another"])).is_err());
    assert!(verify(&post(Some(PAGE_SIGNATURE), PAGE), &[]).is_err());
    let mut twice = post(Some(PAGE_SIGNATURE), PAGE);
    twice.headers.append(SIGNATURE, PAGE_SIGNATURE.parse().unwrap());
    assert!(verify(&twice, &known).is_err());
}

#[test]
fn the_handshake_is_answered_with_its_challenge() {
    let tokens = secrets(&["the next one", "fake-verify-token"]);
    let query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=fake-verify-token";
    let received = handshake(&get(query), &tokens).unwrap();
    assert_eq!(received.answer.body, "1158201444");
    assert!(received.events.is_empty());

    for forged in ["", "hub.mode=subscribe&hub.challenge=1", &query.replace("fake", "fade")] {
        assert!(matches!(handshake(&get(forged), &tokens), Err(Refusal::Forged(_))), "{forged}");
    }
    for odd in [&query.replace("subscribe", "unsubscribe"), &query.replace("hub.challenge", "challenge")] {
        assert!(matches!(handshake(&get(odd), &tokens), Err(Refusal::Malformed(_))), "{odd}");
    }
}

#[test]
fn a_call_carries_the_token_and_its_proof() {
    let token: SecretString = "EAAFakePageAccessToken0001".into();
    let proof = "473c89740fe342cffa249582f913dab16b2f21512636fe32b25083303c1b2602";
    assert_eq!(appsecret_proof(&SECRET.into(), &token), proof);

    let url = || "https://graph.facebook.com/v26.0/me/messages".to_owned();
    let plain = call(Method::POST, url(), &token, None, Body::Empty);
    assert_eq!((plain.url.as_str(), &plain.method), (url().as_str(), &Method::POST));
    assert_eq!(plain.headers["authorization"], "Bearer EAAFakePageAccessToken0001");
    assert!(plain.headers["authorization"].is_sensitive());
    let proven = call(Method::GET, url(), &token, Some(&SECRET.into()), Body::Empty);
    assert_eq!(proven.url, format!("{}?appsecret_proof={proof}", url()));
    let proven = call(Method::GET, format!("{}?a=b", url()), &token, Some(&SECRET.into()), Body::Empty);
    assert_eq!(proven.url, format!("{}?a=b&appsecret_proof={proof}", url()));
}

#[test]
fn an_error_says_code_subcode_and_words() {
    let body = br#"{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429,
        "error_data":{"messaging_product":"whatsapp","details":"Too many messages."},"error_subcode":2494055,
        "is_transient":true,"fbtrace_id":"Az8or2yhqkZfEZ-_4Qn_Bam"}}"#;
    let error = GraphError::read(body).unwrap();
    assert_eq!((error.code, error.subcode, error.transient), (130_429, 2_494_055, true));
    assert_eq!(error.message, "(#130429) Rate limit hit: Too many messages.");
    assert_eq!((error.kind.as_str(), error.trace.as_str()), ("OAuthException", "Az8or2yhqkZfEZ-_4Qn_Bam"));
    assert_eq!(error.name(), "130429/2494055");

    let error = GraphError::read(br#"{"error":{"title":"Gone","code":"190"}}"#).unwrap();
    assert_eq!((error.name().as_str(), error.message.as_str()), ("190", "Gone"));
}

#[test]
fn an_error_never_repeats_a_token() {
    let body =
        br#"{"error":{"message":"Malformed access token EAAFakePageAccessToken0001 here","code":190}}"#;
    assert_eq!(GraphError::read(body).unwrap().message, "Malformed access token … here");
    let long = "x".repeat(64);
    let body = format!(r#"{{"error":{{"message":"bad token {long}","code":190}}}}"#);
    assert_eq!(GraphError::read(body.as_bytes()).unwrap().message, "bad token …");
}

#[test]
fn what_is_no_error_is_none() {
    for body in ["", "{}", "[]", "null", r#"{"error":"x"}"#, r#"{"error":{"message":"no code"}}"#] {
        assert_eq!(GraphError::read(body.as_bytes()), None, "{body}");
    }
}
