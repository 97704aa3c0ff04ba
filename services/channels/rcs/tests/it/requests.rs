//! Ids that tell a message that comes again, tokens, uploads, signals.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use heliograph_channel::{
    Body, Caller, Channel as _, Delivery, File, Outcome, Provider, ProviderResponse, Upload,
};
use heliograph_channel_rcs::{Rcs, RcsSettings};
use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, Media, Message, MessageReference, ReadMark, SignalRequest, Typing, signal_request::Signal,
};
use http::{HeaderMap, Method, StatusCode};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::support::{KEY_FILE, PHONE, TOKEN, account, body, raw_account};

fn message() -> Message {
    Message {
        content: Some(content::text("hello")),
        address: Some(Address { user_id: PHONE.to_owned(), ..Address::default() }),
        ..Message::default()
    }
}

fn answer(status: u16, body: &Value) -> ProviderResponse {
    ProviderResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_string().into(),
        now_ms: 0,
    }
}

#[test]
fn a_message_has_the_same_id_on_every_attempt_and_another_for_every_delivery() {
    let (account, message) = (account(json!({ "region": "europe" })), message());
    let url = |delivery_id: &str, now_ms| {
        Rcs.encode(&Caller::new(&account, 0), &Delivery::new(&message, delivery_id, "", now_ms)).unwrap().url
    };
    let first = url("dlv_1", 0);
    assert_eq!(first, url("dlv_1", 60_000));
    assert_ne!(first, url("dlv_2", 0));
    let start =
        "https://europe-rcsbusinessmessaging.googleapis.com/v1/phones/+12223334444/agentMessages?messageId=";
    assert!(first.starts_with(start), "{first}");
    assert!(first.ends_with("&agentId=acme%40rbm.goog"), "{first}");
    assert!(Rcs.capabilities(&account).idempotent_send);
}

#[test]
fn the_assertion_is_signed_by_the_accounts_key() {
    let account = account(json!({}));
    let source = Rcs.token(&Caller::new(&account, 1_762_800_001_000)).unwrap();
    assert_eq!(source.key, "rbm@made-up.iam.gserviceaccount.com");
    assert_eq!(source.request.url, "https://oauth2.googleapis.com/token");
    let Body::Form(fields) = source.request.body else { panic!("not a form") };
    let fields: BTreeMap<String, String> = fields.into_iter().collect();
    assert_eq!(fields["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");

    let (signed, signature) = fields["assertion"].rsplit_once('.').unwrap();
    let file: Value = serde_json::from_str(KEY_FILE).unwrap();
    let pem = file["private_key"].as_str().unwrap();
    let der: String = pem.lines().filter(|line| !line.contains("-----")).collect();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();

    let part = |at: usize| -> Value {
        let part = signed.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(part(0), json!({ "alg": "RS256", "typ": "JWT", "kid": "made-up-key-1" }));
    let claims = json!({
        "iss": "rbm@made-up.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/rcsbusinessmessaging",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": 1_762_800_001, "exp": 1_762_803_601,
    });
    assert_eq!(part(1), claims);
}

#[test]
fn tokens_are_read_and_refusals_are_told_from_outages() {
    let account = account(json!({}));
    let grant = Rcs.read_token(&account, &answer(200, &json!({ "access_token": "t", "expires_in": 3599 })));
    assert_eq!(grant.unwrap().expires_in.as_secs(), 3599);
    let refused = json!({ "error": "invalid_grant", "error_description": "Invalid JWT Signature." });
    let refused = Rcs.read_token(&account, &answer(400, &refused)).unwrap_err();
    assert!(matches!(refused, Outcome::Auth { token_expired: false, .. }), "{refused:?}");
    let down = Rcs.read_token(&account, &answer(503, &Value::Null)).unwrap_err();
    assert!(matches!(down, Outcome::Retry { .. }), "{down:?}");
}

#[test]
fn files_are_linked_fetched_before_or_uploaded() {
    let media = Media { url: "https://media.example.com/a.png".to_owned(), ..Media::default() };
    let how = |files: &str| account(json!({ "files": files }));
    assert_eq!(Rcs.upload(&how("link"), &media), Upload::Never);

    let account = how("prefetch");
    assert_eq!(Rcs.upload(&account, &media), Upload::BeforeByLink);
    let request = Rcs.encode_upload(&Caller::new(&account, 0), &media, None).unwrap();
    assert_eq!(request.url, "https://rcsbusinessmessaging.googleapis.com/v1/files");
    assert_eq!(body(&request), json!({ "fileUrl": media.url, "agentId": "acme@rbm.goog" }));

    let account = how("upload");
    assert_eq!(Rcs.upload(&account, &media), Upload::Before);
    let file = File { content_type: "image/png".to_owned(), name: "a.png".to_owned(), bytes: "png".into() };
    let request = Rcs.encode_upload(&Caller::new(&account, 0), &media, Some(&file)).unwrap();
    assert_eq!(request.headers["content-type"], "image/png");
    assert!(request.url.starts_with("https://rcsbusinessmessaging.googleapis.com/upload/v1/files?"));
    let grant = Rcs.read_upload(&account, &answer(200, &json!({ "name": "files/abc" }))).unwrap();
    assert_eq!((grant.provider_media_id.as_str(), grant.expires_in.as_secs()), ("files/abc", 60 * 86_400));
    let refused = Rcs.read_upload(&account, &answer(400, &json!({}))).unwrap_err();
    assert!(matches!(refused, Outcome::Permanent { .. }), "{refused:?}");
    let nameless = Rcs.read_upload(&account, &answer(200, &json!({}))).unwrap_err();
    assert!(matches!(nameless, Outcome::Retry { .. }), "{nameless:?}");
}

#[test]
fn typing_and_read_marks_have_ids_of_their_own() {
    let account = account(json!({}));
    let show = |signal: Signal, now_ms| {
        let signal = SignalRequest {
            address: Some(Address { user_id: PHONE.to_owned(), ..Address::default() }),
            signal: Some(signal),
            ..SignalRequest::default()
        };
        Rcs.encode_signal(&Caller::new(&account, now_ms), &signal)
    };
    let typing = || Signal::Typing(Typing { on: true });
    let first = show(typing(), 1).unwrap();
    assert_eq!(body(&first), json!({ "eventType": "IS_TYPING" }));
    assert!(first.url.contains("/v1/phones/+12223334444/agentEvents?eventId="), "{}", first.url);
    assert_ne!(first.url, show(typing(), 2).unwrap().url);
    assert!(show(Signal::Typing(Typing { on: false }), 1).is_none());

    let up_to = MessageReference { provider_message_id: "MxFAKE0001".to_owned(), ..Default::default() };
    let read = |now_ms| show(Signal::ReadMark(ReadMark { up_to: Some(up_to.clone()), until: None }), now_ms);
    let first = read(1).unwrap();
    assert_eq!(body(&first), json!({ "eventType": "READ", "messageId": "MxFAKE0001" }));
    assert_eq!(first.url, read(2).unwrap().url, "it is read once");
    assert!(show(Signal::ReadMark(ReadMark::default()), 1).is_none());
}

#[test]
fn a_deletion_takes_a_message_back_and_nothing_leaves_its_path() {
    let account = account(json!({}));
    let target = MessageReference { provider_message_id: "a/../b?c".to_owned(), ..Default::default() };
    let deletion = heliograph_proto::v1::Deletion { target: Some(target) };
    let kind = heliograph_proto::v1::content::Kind::Deletion(deletion);
    let content = Some(heliograph_proto::v1::Content { kind: Some(kind) });
    let message = Message { content, ..message() };
    let request = Rcs.encode(&Caller::new(&account, 0), &Delivery::new(&message, "dlv_1", "", 0)).unwrap();
    assert_eq!(request.method, Method::DELETE);
    let path = "/v1/phones/+12223334444/agentMessages/a%2F..%2Fb%3Fc?agentId=acme%40rbm.goog";
    assert!(request.url.ends_with(path), "{}", request.url);
}

#[test]
fn what_is_wrong_with_an_account_is_said() {
    let field = |settings: Value| raw_account(settings, TOKEN).load::<RcsSettings>().unwrap_err().field;
    assert_eq!(field(json!({})), "spec.settings");
    let with = |name: &str, value: Value| json!({ "agent_id": "a", name: value });
    assert_eq!(field(with("region", json!("mars"))), "spec.settings.region");
    assert_eq!(field(with("ttl_seconds", json!(9))), "spec.settings.ttl_seconds");
    assert_eq!(field(with("card_suggestions", json!(0))), "spec.settings.card_suggestions");
    assert_eq!(field(with("traffic_types", json!({ "news": "X" }))), "spec.settings.traffic_types.news");
    for file in ["{}", "not json", &KEY_FILE.replace("BEGIN", "BEGIN\\nAAAA")] {
        let mut raw = raw_account(json!({ "agent_id": "a" }), TOKEN);
        raw.secrets = heliograph_channel::Secrets::default();
        raw.secrets.add("client_token", TOKEN.into());
        raw.secrets.add("service_account", file.into());
        let error = raw.load::<RcsSettings>().unwrap_err();
        assert_eq!(error.field, "spec.secrets.service_account");
        assert!(!error.problem.contains("MII"), "{error}");
    }
}
