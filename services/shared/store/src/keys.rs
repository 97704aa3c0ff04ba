//! Keys that cannot collide, whatever strings providers and tenants come up with.
//!
//! A key is made of parts. Parts are escaped so that no part contains the separator, which makes the mapping from
//! parts to keys one to one: what belongs to one tenant can never be addressed as another one's.

use heliograph_domain::ids;

/// Parts longer than this are replaced by a hash: Redis keys and NATS subjects should stay short.
const LONGEST_PART: usize = 120;

/// `part` as one token of a Redis key: `%XX` for every byte outside `[A-Za-z0-9_.-]`, a hash when it is long.
fn escape(part: &str) -> String {
    if part.len() > LONGEST_PART {
        // `=` cannot come out of the escaping below, so a hash never equals an escaped part.
        return format!("={}", ids::derive("h", &[part]));
    }
    let mut escaped = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-') {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.push_str(&hex::encode_upper([byte]));
        }
    }
    escaped
}

/// A Redis key `hg:{tenant}:<kind>:<part>:…`.
///
/// The braces are a cluster hash tag: everything of one tenant shares a slot, so scripts may touch several keys.
pub fn redis(tenant: &str, kind: &str, parts: &[&str]) -> String {
    let mut key = format!("hg:{{{}}}:{}", escape(tenant), escape(kind));
    for part in parts {
        key.push(':');
        key.push_str(&escape(part));
    }
    key
}

/// Whether `token` may stand as one token of a key-value key (and so of a NATS subject) as it is.
pub fn is_token(token: &str) -> bool {
    !token.is_empty()
        && token.len() <= LONGEST_PART
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// `part` as one token of a key-value key: itself when it is one, else a hash of it.
///
/// The hash has a prefix that [`is_token`] refuses, so it cannot be forged by a part that looks like one.
pub fn token(part: &str) -> String {
    if is_token(part) { part.to_owned() } else { format!("={}", ids::derive("h", &[part])) }
}

/// A key-value key `<token>.<token>…`.
pub fn kv(parts: &[&str]) -> String {
    parts.iter().map(|part| token(part)).collect::<Vec<_>>().join(".")
}

/// The token of an address, a hash of (channel, account, user id): user ids are arbitrary strings.
pub fn address(channel: &str, account: &str, user_id: &str) -> String {
    ids::derive("adr", &[channel, account, user_id])
}

#[cfg(test)]
mod tests {
    use super::{kv, redis, token};

    #[test]
    fn redis_keys_of_different_parts_differ() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("acme", "seen", &["a", "b"]),
            ("acme", "seen", &["a:b"]),
            ("acme", "seen", &["a%3Ab"]),
            ("acme:seen", "a", &["b"]),
            ("acme}:seen:{x", "a", &["b"]),
            ("acme", "seen:a", &["b"]),
            ("Acme", "seen", &["a", "b"]),
            ("acme", "seen", &["a", "", "b"]),
        ];
        let keys: std::collections::BTreeSet<String> =
            cases.iter().map(|(tenant, kind, parts)| redis(tenant, kind, parts)).collect();
        assert_eq!(keys.len(), cases.len(), "{keys:?}");
        assert_eq!(redis("acme", "win", &["sms", "+4930"]), "hg:{acme}:win:sms:%2B4930");
    }

    #[test]
    fn kv_tokens_are_safe_and_hashes_cannot_be_forged() {
        assert_eq!(kv(&["acme", "Queue", "sales"]), "acme.Queue.sales");
        let hashed = token("o6_bmjrPTlm6.2sgVt7hMZOPfL2M@im");
        assert!(hashed.starts_with('='), "{hashed}");
        assert_ne!(token(&hashed), hashed);
        for hostile in ["", ">", "*", "a.b", "a b", "ä", "."] {
            let key = kv(&["acme", hostile]);
            assert_eq!(key.matches('.').count(), 1, "{key}");
            assert!(!key.contains(['>', '*', ' ']), "{key}");
        }
    }

    #[test]
    fn long_parts_are_hashed() {
        let (one, other) = ("x".repeat(500), "x".repeat(501));
        assert!(redis("acme", "seen", &[&one]).len() < 100);
        assert_ne!(redis("acme", "seen", &[&one]), redis("acme", "seen", &[&other]));
    }
}
