//! Kinds of value that settings share: spans of time, secrets, URLs with a password inside.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

/// What is printed in place of a secret.
pub(super) const MASK: &str = "********";

/// For `#[serde(serialize_with = "mask")]` on a [`SecretString`].
pub fn mask<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    let text = if secret.expose_secret().is_empty() { "" } else { MASK };
    serializer.serialize_str(text)
}

/// For `#[serde(serialize_with = "mask_option")]` on an `Option<SecretString>`.
pub fn mask_option<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => mask(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// A URL that may carry a password. Printing, debugging or serializing it masks the password.
#[derive(Clone)]
pub struct SecretUrl(SecretString);

impl SecretUrl {
    /// The whole URL, password included: for the client that connects, and for nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&str> for SecretUrl {
    fn from(url: &str) -> Self {
        Self(SecretString::from(url))
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked_urls(self.expose()))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        for url in text.split(',') {
            // The parser's message never repeats the URL.
            Url::parse(url.trim())
                .map_err(|error| serde::de::Error::custom(format!("not a URL: {error}")))?;
        }
        Ok(Self(SecretString::from(text)))
    }
}

/// Masks the user information of one URL, or of several separated by commas (as NATS takes them). A lone user name is
/// masked too, for NATS puts tokens there. Text that is no URL comes back as it is.
pub(super) fn masked_urls(text: &str) -> String {
    if !text.contains('@') {
        return text.to_owned();
    }
    text.split(',').map(masked_url).collect::<Vec<_>>().join(",")
}

fn masked_url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text.trim()) else { return text.to_owned() };
    if !url.has_host() {
        return text.to_owned();
    }
    if url.password().is_some() {
        // Fails only for URLs without a host.
        let _ = url.set_password(Some(MASK));
    } else if !url.username().is_empty() {
        let _ = url.set_username(MASK);
    }
    url.to_string()
}

/// Spans of time in configuration: `"500ms"`, `"10s"`, `"5m"`, `"2h"`, or a bare number of seconds.
/// For `#[serde(with = "duration")]`.
pub mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    /// Reads a span of time.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| D::Error::custom("expected a span of time such as 500ms, 10s, 5m or 2h"))
    }

    /// Writes it in the largest unit that leaves no remainder.
    pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        let (seconds, millis) = (span.as_secs(), span.subsec_millis());
        let text = match (seconds, millis) {
            (_, 1..) => format!("{}ms", span.as_millis()),
            (1.., 0) if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
            (1.., 0) if seconds % 60 == 0 => format!("{}m", seconds / 60),
            _ => format!("{seconds}s"),
        };
        serializer.serialize_str(&text)
    }

    fn parse(text: &str) -> Option<Duration> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let seconds_per_unit = match unit.trim() {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds_per_unit).ok()
    }
}
