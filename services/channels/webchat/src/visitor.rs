//! Ids of visitors.

/// Whether an address is a visitor's: it stands in subjects.
pub(crate) fn is_one(user_id: &str) -> bool {
    (user_id.starts_with("v_") || user_id.starts_with("u_"))
        && user_id.len() <= 64
        && user_id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
