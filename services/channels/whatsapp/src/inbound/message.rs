//! What a customer says.

use heliograph_proto::v1::{
    Address, ContactCard, Content, ConversationStart, Deletion, Direction, Edit, InboundEvent, Message,
    MessageClass, MessageReference, Referral, Sender, SenderKind, content::Kind as ContentKind,
    inbound_event::Kind,
};
use serde_json::Value;

use super::{content, item::Item, people, system};

/// Fields of every message that are read; the one called as its type is read as well.
const KNOWN: [&str; 10] = [
    "context",
    "errors",
    "from",
    "from_parent_user_id",
    "from_user_id",
    "group_id",
    "id",
    "referral",
    "timestamp",
    "type",
];

/// Reads one item of `messages` into one event, or several where it says several things.
pub(super) fn read(item: &Item<'_>, events: &mut Vec<InboundEvent>) {
    let kind = item.text("type");
    let address = people::address(item);
    if item.text("id").is_empty() {
        return events.push(item.unknown("message"));
    }
    match kind {
        "system" => return events.push(system::read(item)),
        _ if address.user_id.is_empty() => return events.push(item.unknown(&format!("message.{kind}"))),
        "request_welcome" => {
            let start = Kind::ConversationStart(ConversationStart { referral: referral(item.source) });
            return events.push(item.event(item.text("id"), address, start));
        }
        "contacts" => {
            let cards = content::cards(&item.source["contacts"]);
            if !cards.is_empty() {
                return album(item, &address, cards, events);
            }
        }
        _ => {}
    }
    match said(item) {
        Some(content) => events.push(message(item, address, content, 0)),
        None => events.push(item.unknown(&format!("message.{kind}"))),
    }
}

/// What the item says; `None` for what nobody knows.
fn said(item: &Item<'_>) -> Option<Content> {
    let original = |kind: &str| {
        let id = item.source[kind]["original_message_id"].as_str().filter(|id| !id.is_empty())?;
        let message_id = item.inbound().message_id(id);
        Some(MessageReference { message_id, provider_message_id: id.to_owned() })
    };
    let kind = match item.text("type") {
        "edit" => {
            let target = Some(original("edit")?);
            let content = content::read(&item.source["edit"]["message"])?;
            ContentKind::Edit(Box::new(Edit { target, content: Some(Box::new(content)) }))
        }
        "revoke" => ContentKind::Deletion(Deletion { target: Some(original("revoke")?) }),
        _ => return content::read(item.source),
    };
    Some(Content { kind: Some(kind) })
}

/// Several cards in one message are as many messages that belong together.
fn album(item: &Item<'_>, address: &Address, cards: Vec<ContactCard>, events: &mut Vec<InboundEvent>) {
    let total = cards.len();
    for (index, card) in cards.into_iter().enumerate() {
        let content = Content { kind: Some(ContentKind::ContactCard(card)) };
        let mut event = message(item, address.clone(), content, index);
        if let Some(Kind::Message(message)) = event.kind.as_mut().filter(|_| total > 1) {
            let metadata = &mut message.metadata;
            metadata.insert("album".to_owned(), item.text("id").to_owned());
            metadata.insert("album_index".to_owned(), index.to_string());
            metadata.insert("album_total".to_owned(), total.to_string());
        }
        events.push(event);
    }
}

fn message(item: &Item<'_>, address: Address, content: Content, index: usize) -> InboundEvent {
    let id = item.text("id");
    let part = if index == 0 { id.to_owned() } else { format!("{id}#{index}") };
    let context = &item.source["context"];
    let flag = |name: &str| context[name].as_bool().unwrap_or(false);
    let mut message = Message {
        id: item.inbound().message_id(&part),
        direction: Direction::Inbound.into(),
        content: Some(content),
        reply_to: quoted(item, context),
        sender: Some(Sender {
            kind: SenderKind::Customer.into(),
            display_name: address.display_name.clone(),
            ..Sender::default()
        }),
        message_class: MessageClass::Service.into(),
        time: item.time(),
        provider_message_id: id.to_owned(),
        referral: referral(item.source),
        forwarded: flag("forwarded") || flag("frequently_forwarded"),
        ..Message::default()
    };
    let product = &context["referred_product"];
    if let (Some(catalog), Some(product)) =
        (product["catalog_id"].as_str(), product["product_retailer_id"].as_str())
    {
        message.metadata.insert("referred_product".to_owned(), format!("{catalog}/{product}"));
    }
    let mut event = item.event(&part, address, Kind::Message(message));
    if is_surprising(item) {
        event.raw = Some(item.raw());
    }
    event
}

/// What the message answers. Answers to choices and reactions name it in their content as well.
fn quoted(item: &Item<'_>, context: &Value) -> Option<MessageReference> {
    let id = context["id"].as_str().filter(|id| !id.is_empty())?;
    // A message of their own has the id it was given when it came in.
    let own = ["from", "from_user_id"].into_iter().any(|name| {
        !item.text(name).is_empty()
            && context[if name == "from" { "from" } else { "user_id" }] == item.text(name)
    });
    let message_id = if own { item.inbound().message_id(id) } else { String::new() };
    Some(MessageReference { message_id, provider_message_id: id.to_owned() })
}

/// The advertisement or post that led here.
fn referral(source: &Value) -> Option<Referral> {
    let referral = source["referral"].as_object()?;
    let text = |name: &str| referral.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Referral {
        source: text("source_type"),
        id: text("source_id"),
        url: text("source_url"),
        headline: text("headline"),
        payload: text("ctwa_clid"),
    })
}

/// Whether the item holds what nobody knows, or a referral, of which more is said than is modelled.
fn is_surprising(item: &Item<'_>) -> bool {
    let kind = item.text("type");
    item.source.as_object().is_some_and(|fields| {
        let surprising =
            |name: &String| name == "referral" || (name != kind && !KNOWN.contains(&name.as_str()));
        fields.keys().any(surprising)
    })
}
