#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;

use super::*;

const NOW_MS: i64 = 1_718_461_430_000;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../fixtures/identity.json")).unwrap()
}

fn secrets(all: &[&str]) -> Vec<SecretString> {
    all.iter().map(|&secret| secret.to_owned().into()).collect()
}

fn token(header: &Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn check(token: String, audience: Option<&str>) -> Result<User, Refused> {
    let claim = Claim { jwt: Some(token), ..Claim::default() };
    verify(&claim, &secrets(&["key"]), audience, NOW_MS)
}

fn claims(extra: &Value) -> Value {
    let mut claims = json!({ "user_id": "user-42", "exp": NOW_MS / 1000 + 3600 });
    for (name, value) in extra.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn hs256(extra: &Value) -> String {
    token(&json!({ "alg": "HS256", "typ": "JWT" }), &claims(extra), "key")
}

#[test]
fn tokens_and_hashes_made_elsewhere_are_understood() {
    let vectors = vectors();
    let jwt = &vectors["jwt"];
    let claim = Claim { jwt: jwt["token"].as_str().map(str::to_owned), ..Claim::default() };
    let keys = secrets(&["another-one", jwt["secret"].as_str().unwrap()]);
    let user = verify(&claim, &keys, None, NOW_MS).unwrap();
    assert_eq!((user.id.as_str(), user.email.as_str()), ("user-42", "a@example.test"));
    let late = (jwt["expires_unix"].as_i64().unwrap() + 61) * 1000;
    assert_eq!(verify(&claim, &keys, None, late), Err(Refused::Time));
    assert_eq!(verify(&claim, &secrets(&["another-one"]), None, NOW_MS), Err(Refused::Forged));

    let hash = &vectors["hash"];
    let mut claim = Claim {
        user_id: hash["user_id"].as_str().map(str::to_owned),
        user_hash: hash["user_hash"].as_str().map(str::to_owned),
        ..Claim::default()
    };
    let keys = secrets(&[hash["secret"].as_str().unwrap()]);
    assert_eq!(verify(&claim, &keys, None, 0).unwrap().id, "user-42");
    claim.user_id = Some("user-43".to_owned());
    assert_eq!(verify(&claim, &keys, None, 0), Err(Refused::Forged));
    claim.user_hash = Some("zz".to_owned());
    assert_eq!(verify(&claim, &keys, None, 0), Err(Refused::Forged));
}

#[test]
fn a_number_is_taken_over_unless_the_token_itself_doubts_it() {
    let user = |extra: Value| check(hs256(&extra), None).unwrap();
    assert_eq!(user(json!({ "phone_number": "+55 11 98765-4321" })).phone, "+5511987654321");
    assert_eq!(user(json!({ "phone_number": "+5511987654321", "phone_number_verified": false })).phone, "");
    assert_eq!(user(json!({ "phone_number": "call me" })).phone, "");
    let doubted = user(json!({ "email": "a@example.test", "email_verified": false }));
    assert_eq!((doubted.email.as_str(), doubted.id.as_str()), ("", "user-42"));
}

#[test]
fn no_other_algorithm_is_taken() {
    for alg in ["none", "None", "HS512", "RS256", "hs256", ""] {
        let forged = token(&json!({ "alg": alg }), &claims(&json!({})), "key");
        assert_eq!(check(forged, None), Err(Refused::Malformed), "{alg}");
    }
    let unsigned = format!("{}.", hs256(&json!({})).rsplit_once('.').unwrap().0);
    assert_eq!(check(unsigned, None), Err(Refused::Forged));
    for text in ["", ".", "..", "a.b.c", "no dots"] {
        assert_eq!(check(text.to_owned(), None), Err(Refused::Malformed), "{text}");
    }
}

#[test]
fn a_token_expires_and_lives_a_day_at_most() {
    let now = NOW_MS / 1000;
    assert!(check(hs256(&json!({})), None).is_ok());
    for bad in [
        json!({ "exp": now - 61 }),
        json!({ "exp": now + 24 * 3600 + 61 }),
        json!({ "exp": null }),
        json!({ "exp": "soon" }),
        json!({ "nbf": now + 61 }),
        json!({ "iat": now + 61 }),
        json!({ "exp": 1e300 }),
    ] {
        assert_eq!(check(hs256(&bad), None), Err(Refused::Time), "{bad}");
    }
}

#[test]
fn audience_and_subject() {
    assert_eq!(check(hs256(&json!({ "aud": "shop" })), Some("chat")), Err(Refused::Audience));
    assert!(check(hs256(&json!({ "aud": ["shop", "chat"] })), Some("chat")).is_ok());
    assert!(check(hs256(&json!({})), Some("chat")).is_ok(), "an audience is optional");
    assert_eq!(check(hs256(&json!({ "user_id": null, "sub": "u7" })), None).unwrap().id, "u7");
    assert_eq!(check(hs256(&json!({ "user_id": 7 })), None).unwrap().id, "7");
    assert_eq!(check(hs256(&json!({ "user_id": "" })), None), Err(Refused::Incomplete));
}

#[test]
fn without_a_secret_nobody_is_verified() {
    assert_eq!(verify(&Claim::default(), &[], None, 0), Err(Refused::NotConfigured));
    assert_eq!(verify(&Claim::default(), &secrets(&["key"]), None, 0), Err(Refused::Incomplete));
}
