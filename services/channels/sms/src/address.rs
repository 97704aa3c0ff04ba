//! Numbers as providers write them.

use heliograph_proto::v1::Address;

/// A customer's address from a provider's number. A number is vouched for by the carrier that put it there; a short code
/// or a sender's name is nobody's identity.
///
/// Sinch writes international numbers with and without `+`; six digits or fewer are a short code; anything with a
/// letter is an alphanumeric sender.
pub(crate) fn address(number: &str) -> Address {
    let user_id = normalize(number);
    let phone = if user_id.starts_with('+') { user_id.clone() } else { String::new() };
    let verified = !phone.is_empty();
    Address { user_id, phone, verified, ..Address::default() }
}

/// E.164 with `+`, or the short code or sender as it stands.
pub(crate) fn normalize(number: &str) -> String {
    let trimmed = number.trim();
    let digits = trimmed.strip_prefix('+').unwrap_or(trimmed);
    let numeric = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if numeric && digits.len() > 6 { format!("+{digits}") } else { trimmed.to_owned() }
}

/// The number without `+`, as Sinch wants it.
pub(crate) fn without_plus(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}
