//! Frames of web chat's widget, and the identities in them. The channel brings its host along, which is much to build, and
//! these two files need none of it.
#![no_main]

#[path = "../../../services/channels/webchat/src/frame.rs"]
#[allow(dead_code, reason = "the socket uses the rest")]
mod frame;
#[path = "../../../services/channels/webchat/src/identity.rs"]
#[rustfmt::skip]
mod identity;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use frame::{Frame, Hello, Msg};
use hmac::{Hmac, KeyInit as _, Mac as _};
use identity::{Claim, User, verify};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// 2026-01-01T00:00:00Z.
const NOW_MS: i64 = 1_767_225_600_000;
/// Of a message, in characters.
const TEXT: usize = 1000;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match serde_json::from_str(text) {
        Ok(Frame::Hello(hello)) => look_at_hello(&hello),
        Ok(Frame::Msg(msg)) => look_at_message(&msg),
        _ => {}
    }
    // The same as the claims of a token that the page's server signs.
    if let Ok(user) = prove(&Claim { jwt: Some(token(data)), ..Claim::default() }) {
        assert!(!user.id.is_empty(), "proven to be nobody");
    }
});

fn look_at_hello(hello: &Hello) {
    let url = hello.page.bare_url();
    assert!(url.is_empty() || url.starts_with("http"), "the page {url:?}");
    assert!(!url.contains(['?', '#']), "the page {url:?}");
    assert!(hello.page.sound_locale().is_ascii());
    if let Some(claim) = &hello.identity {
        // A hash may be guessed by an input that was kept, a token may not.
        assert!(claim.jwt.is_none() || prove(claim).is_err(), "forged");
    }
}

fn look_at_message(msg: &Msg) {
    if msg.has_sound_cid() && msg.problem(TEXT).is_none() {
        assert!(msg.text.chars().count() <= TEXT && msg.cid.len() <= 128);
    }
}

fn secret() -> SecretString {
    "made-up-identity-secret-0001".into()
}

fn prove(claim: &Claim) -> Result<User, identity::Refused> {
    verify(claim, &[secret()], Some("acme"), NOW_MS)
}

fn token(claims: &[u8]) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret().expose_secret().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
