//! Who it is from: a business-scoped user id, a phone number, or both.

use heliograph_proto::v1::Address;
use serde_json::Value;

use super::item::Item;

/// The profile that belongs to the item. A batch has one for each customer, in no order that is written down.
pub(super) fn contact<'a>(item: &'a Item<'_>) -> Option<&'a Value> {
    let contacts = item.value["contacts"].as_array()?;
    let (user_id, phone) = (user_id(item), phone(item));
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
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let or = |first: &str, second: String| if first.is_empty() { second } else { first.to_owned() };
    let user_id = or(user_id(item), text(&contact["user_id"]));
    let phone = or(phone(item), text(&contact["wa_id"]));
    let name = or(&text(&contact["profile"]["name"]), text(&contact["profile"]["username"]));
    let thread = text(&item.source["group_id"]);
    Address { display_name: name, thread, ..named(&user_id, &phone) }
}

/// An address by what is known of it.
pub(super) fn named(user_id: &str, phone: &str) -> Address {
    let digits = phone.trim_start_matches('+');
    let is_phone = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Address {
        user_id: if user_id.is_empty() { digits } else { user_id }.to_owned(),
        phone: if is_phone { format!("+{digits}") } else { String::new() },
        country: country(user_id),
        ..Address::default()
    }
}

/// A user id begins with the country of the customer's number.
fn country(user_id: &str) -> String {
    match user_id.split_once('.') {
        Some((country, _)) if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            country.to_owned()
        }
        _ => String::new(),
    }
}

/// Their business-scoped user id, as the lists call it.
fn user_id<'a>(item: &'a Item<'_>) -> &'a str {
    match item.list {
        "statuses" if item.text("recipient_type") == "group" => item.text("recipient_participant_user_id"),
        "statuses" => item.text("recipient_user_id"),
        "message_echoes" => item.text("to_user_id"),
        "user_preferences" => item.text("user_id"),
        _ => item.text("from_user_id"),
    }
}

/// Their number, without the plus.
fn phone<'a>(item: &'a Item<'_>) -> &'a str {
    match item.list {
        "statuses" if item.text("recipient_type") == "group" => item.text("recipient_participant_id"),
        "statuses" => item.text("recipient_id"),
        "message_echoes" => item.text("to"),
        "user_preferences" => item.text("wa_id"),
        "calls" if item.text("direction") == "BUSINESS_INITIATED" => item.text("to"),
        _ => item.text("from"),
    }
}
