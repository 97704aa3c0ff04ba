//! A person's or company's card.

use heliograph_channel::json::without_empty;
use heliograph_proto::v1::{ContactCard, ContactPoint};
use serde_json::{Value, json};

pub(super) fn card(card: &ContactCard) -> Value {
    let points = |points: &[ContactPoint], name: &str| {
        let point = |point: &ContactPoint| {
            without_empty(json!({ name: point.value, "type": point.label.to_uppercase() }))
        };
        points.iter().map(point).collect::<Value>()
    };
    // A name in one piece is not enough for the provider.
    let given = if card.given_name.is_empty() { &card.formatted_name } else { &card.given_name };
    let name = json!({
        "formatted_name": card.formatted_name, "first_name": given, "last_name": card.family_name,
    });
    let addresses: Value = card.postal_addresses.iter().map(|line| json!({ "street": line })).collect();
    without_empty(json!({
        "name": name,
        "org": { "company": card.organization, "title": card.title },
        "phones": points(&card.phones, "phone"),
        "emails": points(&card.emails, "email"),
        "urls": points(&card.urls, "url"),
        "addresses": addresses,
        "birthday": card.birthday,
    }))
}
