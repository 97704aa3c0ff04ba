//! Identifiers: derived, never drawn.
//!
//! Everything may arrive twice and nothing may happen twice, so an identifier is a function of what it names:
//! the same provider message, received by any replica at any time, has the same event id.

use sha2::{Digest, Sha256};

/// Event on the public stream.
pub const EVENT: &str = "evt";
/// Message, in either direction.
pub const MESSAGE: &str = "msg";
/// Conversation.
pub const CONVERSATION: &str = "cnv";
/// Contact.
pub const CONTACT: &str = "con";
/// Reservation of an agent.
pub const RESERVATION: &str = "rsv";
/// Delivery of one message to one provider.
pub const DELIVERY: &str = "dlv";
/// Command of an agent, bot or API client.
pub const COMMAND: &str = "cmd";
/// Dead letter.
pub const DEAD: &str = "ded";
/// Uploaded or fetched media object.
pub const MEDIA: &str = "med";

/// Crockford's alphabet in lower case: no `i`, `l`, `o`, `u`, and safe as a NATS subject token.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Derives the identifier `<prefix>_<26 characters>` from `parts`.
///
/// 128 bits of SHA-256 over the length-prefixed parts, so `["ab", "c"]` and `["a", "bc"]` differ.
pub fn derive(prefix: &str, parts: &[&str]) -> String {
    let hash = digest(parts);
    let mut bits = u128::from_be_bytes(hash[..16].try_into().expect("SHA-256 is 32 bytes long"));
    let mut encoded = [0_u8; 26];
    for slot in encoded.iter_mut().rev() {
        *slot = ALPHABET[(bits & 31) as usize];
        bits >>= 5;
    }
    let mut id = String::with_capacity(prefix.len() + 27);
    id.push_str(prefix);
    id.push('_');
    id.extend(encoded.iter().map(|byte| char::from(*byte)));
    id
}

/// A UUID (RFC 9562, version 8) derived from `parts`, for providers that want one as idempotency key.
pub fn uuid(parts: &[&str]) -> String {
    let mut bytes: [u8; 16] = digest(parts)[..16].try_into().expect("SHA-256 is 32 bytes long");
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The partition, below `count`, that owns what `parts` name. Stable over releases: streams are laid out by it.
///
/// # Panics
/// When `count` is 0.
pub fn partition(parts: &[&str], count: u16) -> u16 {
    assert!(count > 0, "a stream has at least one partition");
    let hash = digest(parts);
    let head = u64::from_be_bytes(hash[..8].try_into().expect("SHA-256 is 32 bytes long"));
    (head % u64::from(count)) as u16
}

/// Whether `name` may name a tenant, channel, account, region, queue or skill.
///
/// Lower-case letters, digits and inner hyphens, at most 63 characters: a DNS label, and one NATS subject token.
pub fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => {
            bytes.len() <= 63
                && plain(first)
                && plain(last)
                && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
        }
        _ => false,
    }
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{derive, is_name, partition, uuid};

    #[test]
    fn derived_ids_are_stable_and_keep_parts_apart() {
        let id = derive("evt", &["acme", "sms", "main", "SM1"]);
        assert_eq!(id, derive("evt", &["acme", "sms", "main", "SM1"]));
        assert_ne!(id, derive("evt", &["acme", "sms", "mainS", "M1"]));
        assert_eq!(id.len(), 30);
        assert!(id.starts_with("evt_"));
    }

    #[test]
    fn derived_uuids_are_stable_and_well_formed() {
        let id = uuid(&["acme", "dlv_1"]);
        assert_eq!(id, uuid(&["acme", "dlv_1"]));
        assert_ne!(id, uuid(&["acme", "dlv_2"]));
        let groups: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert!(id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()));
        assert_eq!(id.as_bytes()[14], b'8');
        assert!(b"89ab".contains(&id.as_bytes()[19]));
    }

    #[test]
    fn partitions_are_below_their_count_and_do_not_move() {
        assert_eq!(partition(&["acme", "default"], 1), 0);
        let spread: std::collections::BTreeSet<u16> =
            (0..200).map(|n| partition(&["acme", &n.to_string()], 16)).collect();
        assert_eq!(spread.len(), 16);
        // Streams already on disk are laid out by this value.
        assert_eq!(partition(&["acme", "default"], 16), partition(&["acme", "default"], 16));
    }

    #[test]
    fn names_are_dns_labels() {
        for good in ["acme", "a", "north-america", "7eleven"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", "Acme", "a.b", "a*", "a b", &"a".repeat(64)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
