//! Who it is from: a business-scoped user id, a phone number, or both.

use heliograph_channel::json::{or, text};
use heliograph_proto::v1::Address;
use serde_json::Value;

use super::item::Item;

/// The profile that belongs to the item. A batch has one for each customer, in no order that is written down.
pub(super) fn contact<'a>(item: &Item<'a>) -> Option<&'a Value> {
    let contacts = item.value["contacts"].as_array()?;
    let (user_id, phone) = ids(item);
    let is_theirs = |contact: &&Value| {
        (!user_id.is_empty() && contact["user_id"] == user_id)
            || (!phone.is_empty() && contact["wa_id"] == phone)
    };
    contacts.iter().find(is_theirs).or_else(|| match contacts.as_slice() {
        // Known by the other id: it is theirs unless it says something else.
        [only] => {
            let differs = |mine: &str, theirs: &Value| !mine.is_empty() && theirs.is_string();
            (!differs(user_id, &only["user_id"]) && !differs(phone, &only["wa_id"])).then_some(only)
        }
        _ if user_id.is_empty() && phone.is_empty() => contacts.get(item.index),
        _ => None,
    })
}

/// The customer the item is about. Their user id is theirs whatever number they use; only who has none, as in events of
/// before it came, goes by the number.
pub(super) fn address(item: &Item<'_>) -> Address {
    let contact = contact(item).unwrap_or(&Value::Null);
    let (user_id, phone) = ids(item);
    let user_id = or(user_id, text(contact, "user_id"));
    let phone = or(phone, text(contact, "wa_id"));
    let profile = &contact["profile"];
    let name = or(text(profile, "name"), text(profile, "username"));
    let thread = item.text("group_id").to_owned();
    Address { display_name: name.to_owned(), thread, ..named(user_id, phone) }
}

/// An address by what is known of it.
pub(super) fn named(user_id: &str, phone: &str) -> Address {
    let digits = phone.trim_start_matches('+');
    let is_phone = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Address {
        user_id: or(user_id, digits).to_owned(),
        phone: if is_phone { format!("+{digits}") } else { String::new() },
        country: country(user_id).to_owned(),
        ..Address::default()
    }
}

/// A user id begins with the country of the customer's number.
fn country(user_id: &str) -> &str {
    let (country, _) = user_id.split_once('.').unwrap_or_default();
    let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_country { country } else { "" }
}

/// Their business-scoped user id, and their number without the plus, as the lists call them.
fn ids<'a>(item: &Item<'a>) -> (&'a str, &'a str) {
    let (user_id, phone) = match item.list {
        "statuses" if item.text("recipient_type") == "group" => {
            ("recipient_participant_user_id", "recipient_participant_id")
        }
        "statuses" => ("recipient_user_id", "recipient_id"),
        "message_echoes" => ("to_user_id", "to"),
        "user_preferences" => ("user_id", "wa_id"),
        "calls" if item.text("direction") == "BUSINESS_INITIATED" => ("from_user_id", "to"),
        _ => ("from_user_id", "from"),
    };
    (item.text(user_id), item.text(phone))
}
