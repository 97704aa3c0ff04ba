//! The content of a message, by its type.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use heliograph_channel::{
    events::named,
    json::{flag, list, number, owned, text},
};
use heliograph_domain::content;
use heliograph_graph::{lines, messaging::chosen};
use heliograph_proto::v1::{
    ContactCard, ContactPoint, Custom, Location, Media, MediaKind, Reaction, Selection, content::Kind,
};
use serde_json::{Value, json};

/// What a message says; `None` for a type nobody knows, or one that lacks what it must have.
pub(super) fn read(message: &Value) -> Option<Kind> {
    let kind = message["type"].as_str()?;
    let said = &message[kind];
    Some(match kind {
        "text" => return content::text(said["body"].as_str().filter(|body| !body.is_empty())?).kind,
        "image" => media(MediaKind::Image, said)?,
        "audio" => media(MediaKind::Audio, said)?,
        "video" => media(MediaKind::Video, said)?,
        "document" => media(MediaKind::File, said)?,
        "sticker" => media(MediaKind::Sticker, said)?,
        "location" => Kind::Location(Location {
            latitude: number(&said["latitude"])?,
            longitude: number(&said["longitude"])?,
            name: owned(said, "name"),
            address: owned(said, "address"),
            url: owned(said, "url"),
            ..Location::default()
        }),
        "contacts" => Kind::ContactCard(cards(message).into_iter().next()?),
        "reaction" => Kind::Reaction(Reaction {
            target: Some(named(said["message_id"].as_str()?)),
            // A reaction that is taken back has no emoji.
            emoji: owned(said, "emoji"),
        }),
        "button" => selection(message, text(said, "payload"), owned(said, "text")),
        "interactive" => interactive(message, said)?,
        "order" => order(said),
        // The customer wrote something that this API does not show.
        "unsupported" | "unknown" => unsupported(message),
        _ => return None,
    })
}

fn media(kind: MediaKind, said: &Value) -> Option<Kind> {
    let media = Media {
        kind: kind.into(),
        provider_media_id: owned(said, "id"),
        // Valid for some minutes, and only with our token; the id is good for a week.
        url: if said["id"].is_string() { String::new() } else { owned(said, "url") },
        content_type: owned(said, "mime_type"),
        file_name: owned(said, "filename"),
        sha256: STANDARD.decode(text(said, "sha256")).map(hex::encode).unwrap_or_default(),
        caption: owned(said, "caption"),
        voice_note: flag(said, "voice"),
        animated: flag(said, "animated"),
        ..Media::default()
    };
    (!media.provider_media_id.is_empty() || !media.url.is_empty()).then_some(Kind::Media(media))
}

/// The cards of a message, each a person or a company.
pub(super) fn cards(message: &Value) -> Vec<ContactCard> {
    list(message, "contacts").filter(|contact| contact.is_object()).map(card).collect()
}

fn card(contact: &Value) -> ContactCard {
    let points = |name: &str, value: &str| {
        let point = |point: &Value| ContactPoint {
            value: owned(point, value),
            label: text(point, "type").to_ascii_lowercase(),
        };
        list(contact, name).map(point).filter(|point| !point.value.is_empty()).collect::<Vec<_>>()
    };
    let address = |address: &Value| {
        let lines = ["street", "zip", "city", "state", "country"].map(|name| text(address, name));
        lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let (name, company) = (&contact["name"], &contact["org"]);
    let mut card = ContactCard {
        formatted_name: owned(name, "formatted_name"),
        given_name: owned(name, "first_name"),
        family_name: owned(name, "last_name"),
        organization: owned(company, "company"),
        title: owned(company, "title"),
        phones: points("phones", "phone"),
        emails: points("emails", "email"),
        urls: points("urls", "url"),
        postal_addresses: list(contact, "addresses").map(address).collect(),
        vcard: owned(contact, "vcard"),
        birthday: owned(contact, "birthday"),
    };
    if card.formatted_name.is_empty() {
        card.formatted_name = card.phones.first().map(|phone| phone.value.clone()).unwrap_or_default();
    }
    card
}

fn selection(message: &Value, id: &str, title: String) -> Kind {
    let question = message["context"]["id"].as_str().map(named);
    Kind::Selection(Selection { question, title, ..chosen(id) })
}

/// The answer to buttons, a list or a flow; others are kept by their name.
fn interactive(message: &Value, said: &Value) -> Option<Kind> {
    let kind = said["type"].as_str()?;
    let reply = &said[kind];
    Some(match kind {
        "button_reply" | "list_reply" => selection(message, reply["id"].as_str()?, owned(reply, "title")),
        "nfm_reply" => {
            let answers = text(reply, "response_json");
            let answers = serde_json::from_str(answers).unwrap_or_else(|_| Value::from(answers));
            let data = json!({ "name": reply["name"], "body": reply["body"], "response": answers });
            custom(kind, data, owned(reply, "body"))
        }
        _ => custom(kind, reply.clone(), String::new()),
    })
}

fn order(said: &Value) -> Kind {
    let line = |item: &Value| {
        let quantity = item["quantity"].as_f64().unwrap_or(1.0);
        let price = item["item_price"].as_f64().unwrap_or(0.0);
        format!("{quantity} × {} ({price} {})", text(item, "product_retailer_id"), text(item, "currency"))
    };
    let fallback = lines([owned(said, "text")].into_iter().chain(list(said, "product_items").map(line)));
    custom("order", said.clone(), fallback)
}

fn unsupported(message: &Value) -> Kind {
    let data = json!({ "type": message["unsupported"]["type"], "errors": message["errors"] });
    let error = &message["errors"][0];
    let details = [&error["error_data"]["details"], &error["title"]].into_iter().find_map(Value::as_str);
    custom("unsupported", data, details.unwrap_or_default().to_owned())
}

fn custom(kind: &str, data: Value, fallback: String) -> Kind {
    // A struct holds no null at its top; what is not an object has none.
    Kind::Custom(Custom { kind: kind.to_owned(), data: serde_json::from_value(data).ok(), fallback })
}
