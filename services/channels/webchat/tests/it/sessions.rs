//! Who a visitor is, over reconnects, devices and lost answers.

use heliograph_channel_webchat::Options;
use heliograph_proto::v1::inbound_event::Kind;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::fleet::{Fleet, IDENTITY};

fn hash(user: &str, secret: &str) -> Value {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(user.as_bytes());
    json!({ "user_id": user, "user_hash": hex::encode(mac.finalize().into_bytes()) })
}

fn token(claims: &Value, secret: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(&json!({ "alg": "HS256" })), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(input.as_bytes());
    json!({ "jwt": format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_welcome_locks_nobody_out_and_old_tokens_end() {
    let fleet = Fleet::start().await;
    let (mut client, first) = fleet.visitor().await;
    client.say("c1", "hello").await;
    // Three hellos whose welcomes get lost, then one that arrives.
    for _ in 0..3 {
        let mut client = fleet.connect().await;
        client.say_hello(&json!({ "resume": first["resume"], "last_seq": 0 })).await;
    }
    let (_, second) = fleet.resume(&first["resume"], 0).await;
    assert_eq!((&second["visitor"], &second["session"]), (&first["visitor"], &first["session"]));
    assert_ne!(second["resume"], first["resume"]);
    let (_, third) = fleet.resume(&second["resume"], 0).await;
    assert_eq!(third["visitor"], first["visitor"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_its_account_and_not_made_up() {
    let fleet = Fleet::start().await;
    let (_, welcome) = fleet.visitor().await;
    let good = welcome["resume"].as_str().unwrap();
    let mut changed = good.to_owned();
    changed.replace_range(good.len() - 2.., if good.ends_with("AA") { "BB" } else { "AA" });
    for bad in [changed.as_str(), "rt_x", "", "rt_00000000000000000000000000_0"] {
        let mut client = fleet.connect().await;
        client.say_hello(&json!({ "resume": bad })).await;
        assert_eq!(client.closed().await, 4401, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proven_user_has_one_log_on_every_device() {
    let fleet = Fleet::start().await;
    let now = heliograph_store::now_ms() / 1000;
    let claims = json!({ "user_id": "user-42", "email": "a@example.test", "name": "Ada", "exp": now + 600 });
    let mut phone = fleet.connect().await;
    let welcome = phone.hello(&json!({ "last_seq": 0, "identity": token(&claims, IDENTITY) })).await;
    assert_eq!(welcome["verified"], true);
    assert!(welcome["visitor"].as_str().unwrap().starts_with("u_"));
    phone.say("c1", "from the phone").await;

    let mut laptop = fleet.connect().await;
    let other = laptop.hello(&json!({ "last_seq": 0, "identity": hash("user-42", IDENTITY) })).await;
    assert_eq!(other["visitor"], welcome["visitor"]);
    assert_ne!(other["session"], welcome["session"]);
    assert_eq!(laptop.messages(1, 1).await[0]["text"], "from the phone");

    let events = fleet.inbound().await;
    let address = events[0].address.as_ref().unwrap();
    assert!(address.verified);
    assert_eq!((address.email.as_str(), address.display_name.as_str()), ("a@example.test", "Ada"));
    assert!(matches!(events[0].kind, Some(Kind::Message(_))));

    // Another user of the same browser gets a log of their own, whatever token the browser shows.
    let mut shared = fleet.connect().await;
    let another = shared
        .hello(&json!({ "last_seq": 0, "resume": other["resume"], "identity": hash("user-43", IDENTITY) }))
        .await;
    assert_ne!(another["visitor"], welcome["visitor"]);
    shared.is_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_who_signs_in_keeps_the_thread_and_stays_proven() {
    let fleet = Fleet::start().await;
    let (mut guest, welcome) = fleet.visitor().await;
    guest.say("c1", "as a guest").await;
    drop(guest);
    let mut user = fleet.connect().await;
    let proven = user
        .hello(&json!({ "last_seq": 1, "resume": welcome["resume"], "identity": hash("user-7", IDENTITY) }))
        .await;
    assert_eq!((&proven["visitor"], &proven["verified"]), (&welcome["visitor"], &json!(true)));
    user.is_quiet().await;
    // Without the identity the session is still proven.
    let (mut later, again) = fleet.resume(&proven["resume"], 1).await;
    assert_eq!(again["verified"], true);
    later.say("c2", "as myself").await;
    // And the thread is there on another device.
    let mut device = fleet.connect().await;
    let elsewhere = device.hello(&json!({ "last_seq": 0, "identity": hash("user-7", IDENTITY) })).await;
    assert_eq!(elsewhere["visitor"], welcome["visitor"]);
    device.messages(1, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_without_a_thread_gets_the_one_they_have_elsewhere() {
    let fleet = Fleet::start().await;
    let mut phone = fleet.connect().await;
    let known = phone.hello(&json!({ "last_seq": 0, "identity": hash("user-9", IDENTITY) })).await;
    phone.say("c1", "from the phone").await;
    let (_, guest) = fleet.visitor().await;
    let mut laptop = fleet.connect().await;
    let proven = laptop
        .hello(&json!({ "last_seq": 0, "resume": guest["resume"], "identity": hash("user-9", IDENTITY) }))
        .await;
    assert_eq!(proven["visitor"], known["visitor"]);
    // What it counted before was another log: it starts from here and loads the history.
    assert_eq!(laptop.expect("reset").await["seq"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_identities_are_refused() {
    let fleet = Fleet::start().await;
    let now = heliograph_store::now_ms() / 1000;
    let good = json!({ "user_id": "user-42", "exp": now + 600 });
    let vectors: Value = serde_json::from_str(include_str!("../../fixtures/identity.json")).unwrap();
    let unsigned = {
        let jwt = token(&good, IDENTITY)["jwt"].as_str().unwrap().to_owned();
        json!({ "jwt": format!("eyJhbGciOiJub25lIn0.{}.", jwt.split('.').nth(1).unwrap()) })
    };
    for forged in [
        token(&good, "another secret, just as long as it"),
        token(&json!({ "user_id": "user-42" }), IDENTITY),
        token(&json!({ "user_id": "user-42", "exp": now - 600 }), IDENTITY),
        token(&json!({ "user_id": "user-42", "exp": now + 3 * 86_400 }), IDENTITY),
        unsigned,
        hash("user-42", "another secret, just as long as it"),
        // Rightly signed, with another account's secret.
        json!({ "user_id": vectors["hash"]["user_id"], "user_hash": vectors["hash"]["user_hash"] }),
        json!({ "jwt": vectors["jwt"]["token"] }),
        json!({ "user_id": "user-42" }),
        json!({}),
    ] {
        let mut client = fleet.connect().await;
        client.say_hello(&json!({ "identity": forged })).await;
        assert_eq!(client.closed().await, 4401, "{forged}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_may_want_everybody_proven() {
    let fleet = Fleet::start_with(json!({ "identity_required": true }), Options::default()).await;
    let mut guest = fleet.connect().await;
    guest.say_hello(&json!({})).await;
    assert_eq!(guest.closed().await, 4401);
    let mut user = fleet.connect().await;
    let welcome = user.hello(&json!({ "identity": hash("user-1", IDENTITY) })).await;
    let (_, again) = fleet.resume(&welcome["resume"], 0).await;
    assert_eq!(again["verified"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_sockets_the_oldest_gives_way() {
    let fleet = Fleet::start_with(json!({ "sockets_per_visitor": 2 }), Options::default()).await;
    let (mut first, welcome) = fleet.visitor().await;
    let (mut second, welcome) = fleet.resume(&welcome["resume"], 0).await;
    let (mut third, _) = fleet.resume(&welcome["resume"], 0).await;
    assert_eq!(first.closed().await, 4409);
    second.is_quiet().await;
    third.is_quiet().await;
}
