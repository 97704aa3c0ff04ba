//! Cards and menus as flex messages: pictures, texts and buttons in boxes.

use heliograph_channel::Outcome;
use heliograph_proto::v1::{Card, ListMenu, MediaKind, Option as Answer};
use serde_json::{Value, json};

use super::{
    action::{self, Place},
    messages::https,
};

/// A card as a bubble: picture, title and text, buttons.
pub(super) fn card(message_id: &str, card: &Card) -> Result<Value, Outcome> {
    let mut bubble = json!({ "type": "bubble" });
    let mut texts = Vec::new();
    if let Some(media) = card.media.as_ref().filter(|media| !media.url.is_empty()) {
        let url = https(&media.url)?;
        if media.kind() == MediaKind::Image {
            bubble["hero"] = json!({
                "type": "image", "url": url, "size": "full", "aspectRatio": "20:13", "aspectMode": "cover",
            });
        } else {
            texts.push(json!({
                "type": "text", "text": url, "wrap": true, "action": action::open(url)?,
            }));
        }
    }
    if !card.body.is_empty() {
        texts.insert(0, text(&card.body, "md", "regular"));
    }
    if !card.title.is_empty() {
        texts.insert(0, text(&card.title, "xl", "bold"));
    }
    if !texts.is_empty() {
        bubble["body"] = column(texts);
    }
    if !card.options.is_empty() {
        bubble["footer"] = column(buttons(message_id, &card.options)?);
    }
    if !card.url.is_empty() {
        bubble["action"] = action::open(&card.url)?;
    }
    if bubble.as_object().is_some_and(|fields| fields.len() == 1) {
        return Err(Outcome::permanent("empty_card", "a card needs a picture, a text or a button"));
    }
    Ok(bubble)
}

/// Cards side by side.
pub(super) fn carousel(message_id: &str, cards: &[Card]) -> Result<Value, Outcome> {
    let cards: Vec<Value> = cards.iter().map(|it| card(message_id, it)).collect::<Result<_, _>>()?;
    Ok(json!({ "type": "carousel", "contents": cards }))
}

/// A menu as one bubble: each section's title over its buttons, a button's description above it.
pub(super) fn list(message_id: &str, list: &ListMenu) -> Result<Value, Outcome> {
    let mut rows = Vec::new();
    for section in &list.sections {
        if !section.title.is_empty() {
            rows.push(text(&section.title, "sm", "bold"));
        }
        for option in &section.options {
            if !option.description.is_empty() {
                rows.push(text(&option.description, "sm", "regular"));
            }
            rows.extend(buttons(message_id, std::slice::from_ref(option))?);
        }
    }
    if rows.is_empty() {
        return Err(Outcome::permanent("empty_list", "a menu needs an option"));
    }
    if !list.body.is_empty() {
        rows.insert(0, text(&list.body, "md", "regular"));
    }
    if !list.header.is_empty() {
        rows.insert(0, text(&list.header, "xl", "bold"));
    }
    let mut bubble = json!({ "type": "bubble", "body": column(rows) });
    if !list.footer.is_empty() {
        bubble["footer"] = column(vec![text(&list.footer, "xs", "regular")]);
    }
    Ok(bubble)
}

#[expect(clippy::needless_pass_by_value, reason = "it becomes a part of what is made")]
fn column(contents: Vec<Value>) -> Value {
    json!({ "type": "box", "layout": "vertical", "spacing": "sm", "contents": contents })
}

fn text(text: &str, size: &str, weight: &str) -> Value {
    json!({ "type": "text", "text": text, "size": size, "weight": weight, "wrap": true })
}

fn buttons(message_id: &str, options: &[Answer]) -> Result<Vec<Value>, Outcome> {
    let button = |option| {
        let action = action::action(message_id, option, Place::Button)?;
        Ok(json!({ "type": "button", "style": "link", "height": "sm", "action": action }))
    };
    options.iter().map(button).collect()
}
