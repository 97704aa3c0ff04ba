//! Keyboards, and cards, which are made of buttons too.

use heliograph_channel::Outcome;
use heliograph_proto::v1::{Card, Option as Offered, option::Action};
use serde_json::{Value, json};

use crate::{ViberSettings, tracking::tap};

/// A keyboard's and a card's width.
const COLUMNS: usize = 6;
/// A card's most rows.
const ROWS: usize = 7;
/// Rows of a card's picture.
const PICTURE: usize = 3;
/// Rows of its words, at least.
const WORDS: usize = 2;

/// What a button does, and what it sends.
fn does(option: &Offered) -> Result<(&'static str, String), Outcome> {
    match &option.action {
        Some(Action::Url(url)) => Ok(("open-url", url.clone())),
        _ => tap(option).map(|sent| ("reply", sent)).ok_or_else(|| {
            let text = "a button can answer or open a URL, and neither call nor ask for a location";
            Outcome::permanent("option_not_supported", text)
        }),
    }
}

/// Viber reads tags in a button's text.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn button(option: &Offered, columns: usize) -> Result<Value, Outcome> {
    let (action, sent) = does(option)?;
    let title = if option.title.trim().is_empty() { &option.id } else { &option.title };
    // What a tap sends is for us to read: the chat does not show it.
    Ok(json!({
        "Columns": columns,
        "Rows": 1,
        "ActionType": action,
        "ActionBody": sent,
        "Text": escape(title),
        "Silent": true,
    }))
}

/// An answer a row; two where there are too many for that.
pub(super) fn keyboard(settings: &ViberSettings, options: &[&Offered]) -> Result<Value, Outcome> {
    let rows = usize::from(settings.limits.keyboard_rows);
    let columns = if options.len() > rows { COLUMNS / 2 } else { COLUMNS };
    let buttons: Result<Vec<Value>, Outcome> = options.iter().map(|option| button(option, columns)).collect();
    Ok(json!({ "Type": "keyboard", "DefaultHeight": false, "Buttons": buttons? }))
}

/// Cards of one height: a picture where any has one, words, and what can be tapped.
pub(super) fn cards(settings: &ViberSettings, cards: &[Card]) -> Result<Value, Outcome> {
    let pictured = cards.iter().any(|card| picture(card).is_some());
    let options = cards.iter().map(|card| card.options.len()).max().unwrap_or(0);
    let rows = if pictured { PICTURE } else { 0 } + WORDS + options;
    let mut buttons = Vec::new();
    for card in cards {
        let link = match card.url.as_str() {
            "" => json!({ "ActionType": "none", "ActionBody": "" }),
            url => json!({ "ActionType": "open-url", "ActionBody": url }),
        };
        let mut add = |rows: usize, name: &str, value: String| {
            let mut button = link.clone();
            button["Columns"] = COLUMNS.into();
            button["Rows"] = rows.into();
            button[name] = value.into();
            buttons.push(button);
        };
        let image = picture(card);
        if let Some(image) = image {
            add(PICTURE, "Image", image.to_owned());
        }
        let left = rows - card.options.len() - if image.is_some() { PICTURE } else { 0 };
        add(left, "Text", words(settings, card)?);
        for option in &card.options {
            buttons.push(button(option, COLUMNS)?);
        }
    }
    let read: Vec<&str> =
        cards.iter().map(|card| card.title.as_str()).filter(|title| !title.is_empty()).collect();
    Ok(json!({
        "type": "rich_media",
        "min_api_version": settings.limits.rich_media_version,
        "alt_text": read.join(", "),
        "rich_media": {
            "Type": "rich_media",
            "ButtonsGroupColumns": COLUMNS,
            "ButtonsGroupRows": rows.min(ROWS),
            "BgColor": "#FFFFFF",
            "Buttons": buttons,
        },
    }))
}

fn picture(card: &Card) -> Option<&str> {
    card.media.as_ref().map(|media| media.url.as_str()).filter(|url| !url.is_empty())
}

fn words(settings: &ViberSettings, card: &Card) -> Result<String, Outcome> {
    let title = format!("<b>{}</b>", escape(&card.title));
    let lines = [(!card.title.is_empty(), title), (!card.body.is_empty(), escape(&card.body))];
    let lines: Vec<String> = lines.into_iter().filter_map(|(there, line)| there.then_some(line)).collect();
    let words = lines.join("<br>");
    let most = usize::from(settings.limits.button_text);
    if words.chars().count() > most {
        let text = format!("a card's title and body have {most} characters together at most, tags included");
        return Err(Outcome::permanent("card_too_long", text));
    }
    Ok(words)
}
