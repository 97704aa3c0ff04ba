//! The content of a message, by its type.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use heliograph_domain::content;
use heliograph_graph::messaging::answered;
use heliograph_proto::v1::{
    ContactCard, ContactPoint, Content, Custom, Location, Media, MediaKind, MessageReference, Reaction,
    Selection, content::Kind,
};
use serde_json::{Value, json};

/// What a message says; `None` for a type nobody knows, or one that lacks what it must have.
pub(super) fn read(message: &Value) -> Option<Content> {
    let kind = message["type"].as_str()?;
    let said = &message[kind];
    let kind = match kind {
        "text" => return said["body"].as_str().filter(|body| !body.is_empty()).map(content::text),
        "image" => media(MediaKind::Image, said)?,
        "audio" => media(MediaKind::Audio, said)?,
        "video" => media(MediaKind::Video, said)?,
        "document" => media(MediaKind::File, said)?,
        "sticker" => media(MediaKind::Sticker, said)?,
        "location" => Kind::Location(Location {
            latitude: degrees(&said["latitude"])?,
            longitude: degrees(&said["longitude"])?,
            name: text(said, "name"),
            address: text(said, "address"),
            url: text(said, "url"),
            ..Location::default()
        }),
        "contacts" => Kind::ContactCard(cards(said).into_iter().next()?),
        "reaction" => Kind::Reaction(Reaction {
            target: Some(reference(said["message_id"].as_str()?)),
            // A reaction that is taken back has no emoji.
            emoji: text(said, "emoji"),
        }),
        "button" => Kind::Selection(selection(message, &text(said, "payload"), text(said, "text"))),
        "interactive" => interactive(message, said)?,
        "order" => Kind::Custom(order(said)),
        // The customer wrote something that this API does not show.
        "unsupported" | "unknown" => Kind::Custom(unsupported(message)),
        _ => return None,
    };
    Some(Content { kind: Some(kind) })
}

fn text(source: &Value, name: &str) -> String {
    source[name].as_str().unwrap_or_default().to_owned()
}

/// A number, though some write it as text.
fn degrees(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

fn reference(provider_message_id: &str) -> MessageReference {
    MessageReference { provider_message_id: provider_message_id.to_owned(), ..MessageReference::default() }
}

fn media(kind: MediaKind, said: &Value) -> Option<Kind> {
    let flag = |name: &str| said[name].as_bool().unwrap_or(false);
    let media = Media {
        kind: kind.into(),
        provider_media_id: text(said, "id"),
        // Valid for some minutes, and only with our token; the id is good for a week.
        url: if said["id"].is_string() { String::new() } else { text(said, "url") },
        content_type: text(said, "mime_type"),
        file_name: text(said, "filename"),
        sha256: STANDARD.decode(text(said, "sha256")).map(hex::encode).unwrap_or_default(),
        caption: text(said, "caption"),
        voice_note: flag("voice"),
        animated: flag("animated"),
        ..Media::default()
    };
    (!media.provider_media_id.is_empty() || !media.url.is_empty()).then_some(Kind::Media(media))
}

/// The cards of a message, each a person or a company.
pub(super) fn cards(contacts: &Value) -> Vec<ContactCard> {
    contacts.as_array().into_iter().flatten().filter(|contact| contact.is_object()).map(card).collect()
}

fn card(contact: &Value) -> ContactCard {
    let points = |list: &str, value: &str| {
        let all = contact[list].as_array().into_iter().flatten();
        let point = |point: &Value| ContactPoint {
            value: text(point, value),
            label: text(point, "type").to_ascii_lowercase(),
        };
        all.map(point).filter(|point| !point.value.is_empty()).collect::<Vec<_>>()
    };
    let address = |address: &Value| {
        let lines = ["street", "zip", "city", "state", "country"].map(|name| text(address, name));
        lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let (name, company) = (&contact["name"], &contact["org"]);
    let phones = points("phones", "phone");
    let mut card = ContactCard {
        formatted_name: text(name, "formatted_name"),
        given_name: text(name, "first_name"),
        family_name: text(name, "last_name"),
        organization: text(company, "company"),
        title: text(company, "title"),
        emails: points("emails", "email"),
        urls: points("urls", "url"),
        postal_addresses: contact["addresses"].as_array().into_iter().flatten().map(address).collect(),
        vcard: text(contact, "vcard"),
        birthday: text(contact, "birthday"),
        phones,
    };
    if card.formatted_name.is_empty() {
        card.formatted_name = card.phones.first().map(|phone| phone.value.clone()).unwrap_or_default();
    }
    card
}

fn selection(message: &Value, id: &str, title: String) -> Selection {
    let (option_id, payload) = answered(id);
    Selection {
        option_id: option_id.to_owned(),
        title,
        payload: payload.to_owned(),
        question: message["context"]["id"].as_str().map(reference),
        ..Selection::default()
    }
}

/// The answer to buttons, a list or a flow; others are kept by their name.
fn interactive(message: &Value, said: &Value) -> Option<Kind> {
    let kind = said["type"].as_str()?;
    let reply = &said[kind];
    Some(match kind {
        "button_reply" | "list_reply" => {
            Kind::Selection(selection(message, reply["id"].as_str()?, text(reply, "title")))
        }
        "nfm_reply" => {
            let answers = reply["response_json"].as_str().unwrap_or_default();
            let answers = serde_json::from_str(answers).unwrap_or_else(|_| Value::from(answers));
            let data = json!({ "name": reply["name"], "body": reply["body"], "response": answers });
            Kind::Custom(custom(kind, data, text(reply, "body")))
        }
        _ => Kind::Custom(custom(kind, reply.clone(), String::new())),
    })
}

fn order(said: &Value) -> Custom {
    let line = |item: &Value| {
        let quantity = item["quantity"].as_f64().unwrap_or(1.0);
        let price = item["item_price"].as_f64().unwrap_or(0.0);
        format!("{quantity} × {} ({price} {})", text(item, "product_retailer_id"), text(item, "currency"))
    };
    let items = said["product_items"].as_array().into_iter().flatten().map(line);
    let lines = [text(said, "text")].into_iter().filter(|text| !text.is_empty()).chain(items);
    let fallback = lines.collect::<Vec<_>>().join("\n");
    custom("order", said.clone(), fallback)
}

fn unsupported(message: &Value) -> Custom {
    let data = json!({ "type": message["unsupported"]["type"], "errors": message["errors"] });
    let error = &message["errors"][0];
    let details = [&error["error_data"]["details"], &error["title"]].into_iter().find_map(Value::as_str);
    custom("unsupported", data, details.unwrap_or_default().to_owned())
}

fn custom(kind: &str, data: Value, fallback: String) -> Custom {
    // A struct holds no null at its top; what is not an object has none.
    Custom { kind: kind.to_owned(), data: serde_json::from_value(data).ok(), fallback }
}
