//! A person's or company's card.

use heliograph_proto::v1::{ContactCard, ContactPoint};
use serde_json::{Value, json};

pub(super) fn card(card: &ContactCard) -> Value {
    let points = |points: &[ContactPoint], name: &str| {
        let point = |point: &ContactPoint| {
            let mut labelled = json!({ name: point.value });
            if !point.label.is_empty() {
                labelled["type"] = point.label.to_uppercase().into();
            }
            labelled
        };
        points.iter().map(point).collect::<Value>()
    };
    // A name in one piece is not enough for the provider.
    let given = if card.given_name.is_empty() { &card.formatted_name } else { &card.given_name };
    let name = json!({
        "formatted_name": card.formatted_name, "first_name": given, "last_name": card.family_name,
    });
    let addresses: Value = card.postal_addresses.iter().map(|line| json!({ "street": line })).collect();
    let mut contact = json!({
        "name": name,
        "org": { "company": card.organization, "title": card.title },
        "phones": points(&card.phones, "phone"),
        "emails": points(&card.emails, "email"),
        "urls": points(&card.urls, "url"),
        "addresses": addresses,
        "birthday": card.birthday,
    });
    prune(&mut contact);
    contact
}

/// Takes out what says nothing.
fn prune(value: &mut Value) {
    let Value::Object(fields) = value else { return };
    fields.values_mut().for_each(prune);
    fields.retain(|_, value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    });
}
