//! Forms, signatures and encryption as the providers make them, written from their documents a second time.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::{Digest as _, Sha1};
use sha2::{Sha256, Sha512};

/// The fields of a form.
pub(super) fn form(body: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

/// Base64 of HMAC-SHA256.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// `X-Hub-Signature-256` of a body.
pub(super) fn meta(app_secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Base64 of HMAC-SHA512.
pub(super) fn hmac_sha512(key: &[u8], data: &[u8]) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// `X-Twilio-Signature` of a form.
pub(super) fn twilio(auth_token: &str, url: &str, form: &[(String, String)]) -> String {
    let sorted: BTreeMap<&String, &String> = form.iter().map(|(name, value)| (name, value)).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The key of a Standard Webhooks secret.
pub(super) fn webhook_key(secret: &str) -> Vec<u8> {
    STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap_or_default()
}

/// WeChat's signature: hex SHA-1 of the sorted strings.
pub(super) fn wechat(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}

/// WeChat's encryption of one message.
pub(super) fn wechat_encrypt(encoding_aes_key: &str, app_id: &str, message: &str) -> String {
    use aes::Aes256;
    use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _, block_padding::NoPadding};

    let lenient = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
    );
    let key: [u8; 32] =
        lenient.decode(encoding_aes_key).ok().and_then(|key| key.try_into().ok()).unwrap_or_default();
    let iv: [u8; 16] = key[..16].try_into().expect("half of the key is 16 bytes");
    let mut plain: Vec<u8> = rand::random::<[u8; 16]>().to_vec();
    plain.extend((message.len() as u32).to_be_bytes());
    plain.extend(message.as_bytes());
    plain.extend(app_id.as_bytes());
    let pad = 32 - plain.len() % 32;
    plain.extend(std::iter::repeat_n(pad as u8, pad));
    let encryptor = cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into());
    STANDARD.encode(encryptor.encrypt_padded_vec::<NoPadding>(&plain))
}
