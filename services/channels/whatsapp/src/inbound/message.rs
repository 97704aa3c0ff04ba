//! What a customer says.

use heliograph_channel::{
    events::named,
    inbound::album,
    json::{flag, has_beyond, owned, text},
};
use heliograph_proto::v1::{
    Address, Content, ConversationStart, Deletion, Edit, InboundEvent, Message, MessageReference, Referral,
    content::Kind as ContentKind, inbound_event::Kind,
};
use serde_json::Value;

use super::{content, events, item::Item, people};

/// Fields of every message that are read; the one called as its type is read as well.
const KNOWN: &str = "context errors from from_parent_user_id from_user_id group_id id timestamp type";

/// Reads one item of `messages` into one event, or several where it says several things.
pub(super) fn read(item: &Item<'_>) -> Vec<InboundEvent> {
    let (id, kind) = (item.text("id"), item.text("type"));
    let address = people::address(item);
    if id.is_empty() {
        return vec![item.unknown("message")];
    }
    if kind == "system" {
        return vec![events::system(item)];
    }
    let unknown = || vec![item.unknown(&format!("message.{kind}"))];
    if address.user_id.is_empty() {
        return unknown();
    }
    if kind == "request_welcome" {
        let start = Kind::ConversationStart(ConversationStart { referral: referral(item.source) });
        return vec![item.event(id, address, start)];
    }
    // Several cards in one message are as many messages that belong together.
    let said = match kind {
        "contacts" => content::cards(&item.source).into_iter().map(ContentKind::ContactCard).collect(),
        _ => Vec::from_iter(said(item)),
    };
    let said = said.into_iter().enumerate().map(|(index, kind)| message(item, address.clone(), kind, index));
    let mut events: Vec<_> = said.collect();
    album(&mut events, id);
    if events.is_empty() { unknown() } else { events }
}

/// What the item says; `None` for what nobody knows.
fn said(item: &Item<'_>) -> Option<ContentKind> {
    let kind = item.text("type");
    let original = text(&item.source[kind], "original_message_id");
    let target = Some(item.inbound.theirs(original));
    Some(match kind {
        "edit" | "revoke" if original.is_empty() => return None,
        "edit" => {
            let content = Content { kind: Some(content::read(&item.source["edit"]["message"])?) };
            ContentKind::Edit(Box::new(Edit { target, content: Some(Box::new(content)) }))
        }
        "revoke" => ContentKind::Deletion(Deletion { target }),
        _ => return content::read(item.source),
    })
}

fn message(item: &Item<'_>, address: Address, content: ContentKind, index: usize) -> InboundEvent {
    let id = item.text("id");
    let part = if index == 0 { id.to_owned() } else { format!("{id}#{index}") };
    let context = &item.source["context"];
    let mut message = Message {
        provider_message_id: id.to_owned(),
        reply_to: quoted(item, context),
        referral: referral(item.source),
        forwarded: flag(context, "forwarded") || flag(context, "frequently_forwarded"),
        ..item.inbound.message(&part, address.display_name.clone(), item.time(), content)
    };
    let product = &context["referred_product"];
    let (catalog, product) = (text(product, "catalog_id"), text(product, "product_retailer_id"));
    if !catalog.is_empty() && !product.is_empty() {
        message.metadata.insert("referred_product".to_owned(), format!("{catalog}/{product}"));
    }
    let event = item.event(&part, address, Kind::Message(message));
    // Kept where it holds what nobody knows, or a referral, of which more is said than is modelled.
    let known: Vec<&str> = KNOWN.split(' ').chain([item.text("type")]).collect();
    InboundEvent { raw: has_beyond(item.source, &known).then(|| item.raw()), ..event }
}

/// What the message answers. Answers to choices and reactions name it in their content as well.
fn quoted(item: &Item<'_>, context: &Value) -> Option<MessageReference> {
    let id = context["id"].as_str().filter(|id| !id.is_empty())?;
    let is = |mine: &str, theirs: &str| !item.text(mine).is_empty() && context[theirs] == item.text(mine);
    // Their own has the id it was given when it came in.
    Some(if is("from", "from") || is("from_user_id", "user_id") {
        item.inbound.theirs(id)
    } else {
        named(id)
    })
}

/// The advertisement or post that led here.
fn referral(source: &Value) -> Option<Referral> {
    let referral = &source["referral"];
    referral.is_object().then(|| Referral {
        source: owned(referral, "source_type"),
        id: owned(referral, "source_id"),
        url: owned(referral, "source_url"),
        headline: owned(referral, "headline"),
        payload: owned(referral, "ctwa_clid"),
    })
}
