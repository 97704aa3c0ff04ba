//! A Google service account, and the assertion it is known by (RFC 7523).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde::Deserialize;
use serde_json::json;

const SCOPE: &str = "https://www.googleapis.com/auth/rcsbusinessmessaging";
/// The longest life Google gives an assertion.
const SECONDS: i64 = 3600;

/// A key file, as Google's console gives it out. Printing shows whose it is.
pub struct ServiceAccount {
    /// Who it is.
    pub client_email: String,
    /// Where tokens are asked for.
    pub token_uri: String,
    key_id: String,
    key: RsaKeyPair,
}

/// A key file that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceAccountError {
    /// Not a key file.
    #[error("is not a service account's key file; download one in the Google Cloud console, as JSON")]
    NotAKeyFile,
    /// The key in it is not one.
    #[error("holds a `private_key` that is not an RSA key in PKCS #8 and PEM")]
    NotAKey,
}

#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    #[serde(default = "google")]
    token_uri: String,
}

fn google() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

impl ServiceAccount {
    /// Reads a key file.
    ///
    /// # Errors
    /// When it is none; never with what it holds.
    pub fn read(text: &str) -> Result<Self, ServiceAccountError> {
        let file: KeyFile = serde_json::from_str(text).map_err(|_| ServiceAccountError::NotAKeyFile)?;
        let lines = file.private_key.lines().map(str::trim);
        let body: String = lines.filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(body).map_err(|_| ServiceAccountError::NotAKey)?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| ServiceAccountError::NotAKey)?;
        let KeyFile { client_email, token_uri, private_key_id: key_id, .. } = file;
        Ok(Self { client_email, token_uri, key_id, key })
    }

    /// The assertion that asks `audience` for a token at `now_ms`. The same every time: this kind of signature needs no
    /// randomness.
    pub fn assertion(&self, audience: &str, now_ms: i64) -> String {
        let seconds = now_ms / 1000;
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let claims = json!({
            "iss": self.client_email, "scope": SCOPE, "aud": audience,
            "iat": seconds, "exp": seconds + SECONDS,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("the buffer is as long as the key's modulus");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl std::fmt::Debug for ServiceAccount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServiceAccount")
            .field("client_email", &self.client_email)
            .finish_non_exhaustive()
    }
}
