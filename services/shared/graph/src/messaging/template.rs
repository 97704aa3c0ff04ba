//! What is shown with buttons: quick replies below a text, cards, and templates that were approved.

use heliograph_channel::Outcome;
use heliograph_proto::v1::{
    Card, Choice, Media, MediaKind, Option as Answer, Template, TemplateParameter, option::Action,
    template_parameter::Value as ParameterValue,
};
use serde_json::{Value, json};

use super::{
    Product,
    outbound::plain,
    payload::carried,
    product::{BUTTON_TEXT, BUTTONS, CARD_TEXT, CARDS, OPTION_TITLE, PAYLOAD, QUICK_REPLIES},
};
use crate::{Offers, check, filled, lines};

/// A question: answers to tap below its text. Links become buttons where there are few options, else lines of the text.
pub(super) fn choice(product: &Product, choice: &Choice) -> Result<Value, Outcome> {
    let few = choice.options.len() <= BUTTONS;
    let picture = choice.header.as_ref().filter(|media| media.kind() == MediaKind::Image);
    let picture = picture.map_or("", |media| media.url.as_str());
    if few && !picture.is_empty() && fits_card(&choice.body, &choice.footer) {
        let card = Card {
            title: choice.body.clone(),
            body: choice.footer.clone(),
            media: choice.header.clone(),
            options: choice.options.clone(),
            ..Card::default()
        };
        return cards(product, "", &[card]);
    }
    let header = choice.header.as_ref().map_or("", |media| media.url.as_str());
    let offers = Offers::of(&choice.options);
    let body = lines([header, &choice.body, &choice.footer]);
    if offers.answers.len() < choice.options.len() && few && body.chars().count() <= BUTTON_TEXT {
        let payload = json!({
            "template_type": "button", "text": body, "buttons": buttons(product, &choice.options)?,
        });
        return Ok(attached(&payload));
    }
    if let Some(asks) = offers.asks_location {
        return Err(no_action(asks));
    }
    let mut message = plain(product, &lines([header, &offers.below(&choice.body, 0), &choice.footer]))?;
    count("answer", offers.answers.len(), QUICK_REPLIES)?;
    let replies = offers.answers.iter().map(quick_reply).collect::<Result<Vec<_>, _>>()?;
    if !replies.is_empty() {
        message["quick_replies"] = replies.into();
    }
    Ok(message)
}

/// Cards side by side. What is said of all of them has a card of its own, ahead.
pub(super) fn cards(product: &Product, body: &str, cards: &[Card]) -> Result<Value, Outcome> {
    if cards.is_empty() {
        return Err(Outcome::permanent("no_cards", "a carousel needs a card"));
    }
    if let ([card], "") = (cards, body)
        && let Some(element) = wordless(product, card)?
    {
        return Ok(attached(&json!({ "template_type": "media", "elements": [element] })));
    }
    let mut elements = Vec::with_capacity(cards.len() + 1);
    if !body.is_empty() {
        let titles: Vec<&str> = cards.iter().map(|card| card.title.as_str()).collect();
        let titles: String = titles.join(", ").chars().take(CARD_TEXT).collect();
        check("carousel_body", body.chars().count(), 0..=CARD_TEXT)?;
        elements.push(json!({ "title": body, "subtitle": titles }));
    }
    for card in cards {
        elements.push(element(product, card)?);
    }
    count("card", elements.len(), CARDS)?;
    if let ([only], [card]) = (elements.as_slice(), cards)
        && only.as_object().is_some_and(|fields| fields.len() < 2)
    {
        // A title alone is no card to the provider.
        return plain(product, &card.title);
    }
    Ok(attached(&json!({ "template_type": "generic", "elements": elements })))
}

/// A picture with words below it. Other files have no place for words.
pub(super) fn captioned(product: &Product, media: &Media) -> Result<Value, Outcome> {
    if media.kind() != MediaKind::Image || media.url.is_empty() {
        let text = "the provider shows no words with a file; send them as a text of their own";
        return Err(Outcome::permanent("caption_not_supported", text));
    }
    check("caption", media.caption.chars().count(), 0..=CARD_TEXT)?;
    let card = Card { title: media.caption.clone(), media: Some(media.clone()), ..Card::default() };
    cards(product, "", &[card])
}

/// A picture or film with nothing but buttons, which Messenger takes by its id for the file.
fn wordless(product: &Product, card: &Card) -> Result<Option<Value>, Outcome> {
    let Some(media) = card.media.as_ref().filter(|_| card.title.is_empty() && card.body.is_empty()) else {
        return Ok(None);
    };
    let kind = match media.kind() {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        _ => return Ok(None),
    };
    if !product.is_messenger || media.provider_media_id.is_empty() {
        return Ok(None);
    }
    let mut element = json!({ "media_type": kind, "attachment_id": media.provider_media_id });
    if !card.options.is_empty() {
        element["buttons"] = buttons(product, &card.options)?;
    }
    Ok(Some(element))
}

fn element(product: &Product, card: &Card) -> Result<Value, Outcome> {
    let (title, body) =
        if card.title.is_empty() { (&card.body, &card.title) } else { (&card.title, &card.body) };
    if title.is_empty() {
        return Err(Outcome::permanent("card_without_words", "the provider shows no card without a title"));
    }
    check("card_title", title.chars().count(), 0..=CARD_TEXT)?;
    check("card_body", body.chars().count(), 0..=CARD_TEXT)?;
    let mut element = json!({ "title": title });
    let mut set = |name: &str, value: Value| element[name] = value;
    if !body.is_empty() {
        set("subtitle", body.as_str().into());
    }
    if let Some(media) = card.media.as_ref().filter(|media| !media.url.is_empty()) {
        set("image_url", media.url.as_str().into());
    }
    if !card.url.is_empty() {
        set("default_action", json!({ "type": "web_url", "url": card.url }));
    }
    if !card.options.is_empty() {
        set("buttons", buttons(product, &card.options)?);
    }
    Ok(element)
}

fn buttons(product: &Product, options: &[Answer]) -> Result<Value, Outcome> {
    count("button", options.len(), BUTTONS)?;
    let buttons = options.iter().map(|option| button(product, option)).collect::<Result<Vec<_>, _>>()?;
    Ok(buttons.into())
}

fn button(product: &Product, option: &Answer) -> Result<Value, Outcome> {
    let title = title(option)?;
    Ok(match &option.action {
        None | Some(Action::Answer(_)) => {
            json!({ "type": "postback", "title": title, "payload": payload(option)? })
        }
        Some(Action::Url(url)) => json!({ "type": "web_url", "title": title, "url": url }),
        Some(Action::Phone(phone)) if product.is_messenger => {
            json!({ "type": "phone_number", "title": title, "payload": phone })
        }
        Some(Action::Phone(_) | Action::AskLocation(_)) => return Err(no_action(&option.title)),
    })
}

fn quick_reply((option, payload): &(&Answer, String)) -> Result<Value, Outcome> {
    check("option_payload", payload.chars().count(), 0..=PAYLOAD)?;
    let mut reply = json!({ "content_type": "text", "title": title(option)?, "payload": payload });
    if let Some(icon) = option.icon.as_ref().filter(|icon| !icon.url.is_empty()) {
        reply["image_url"] = icon.url.as_str().into();
    }
    Ok(reply)
}

fn no_action(title: &str) -> Outcome {
    let text = format!("the provider has no button that does what `{title}` should");
    Outcome::permanent("action_not_supported", text)
}

fn title(option: &Answer) -> Result<&str, Outcome> {
    check("option_title", option.title.chars().count(), 0..=OPTION_TITLE)?;
    Ok(&option.title)
}

fn payload(option: &Answer) -> Result<String, Outcome> {
    let back = match &option.action {
        Some(Action::Answer(answer)) => answer.payload.as_str(),
        _ => "",
    };
    let carried = carried(&option.id, back);
    check("option_payload", carried.chars().count(), 0..=PAYLOAD)?;
    Ok(carried)
}

/// An approved template with its values.
pub(super) fn utility(template: &Template) -> Result<Value, Outcome> {
    Ok(json!({ "template": filled(template, parameter)? }))
}

fn parameter(parameter: &TemplateParameter) -> Result<Value, Outcome> {
    match &parameter.value {
        Some(ParameterValue::Text(text)) => Ok(json!({ "type": "text", "text": text })),
        Some(ParameterValue::Payload(payload)) => Ok(json!({ "type": "payload", "payload": payload })),
        Some(ParameterValue::Media(media)) if media.kind() == MediaKind::Image && !media.url.is_empty() => {
            Ok(json!({ "type": "image", "image": { "link": media.url } }))
        }
        _ => {
            let text = format!("the value of `{}` has no form in the provider's templates", parameter.name);
            Err(Outcome::permanent("template_parameter_not_supported", text))
        }
    }
}

fn attached(payload: &Value) -> Value {
    json!({ "attachment": { "type": "template", "payload": payload } })
}

fn fits_card(title: &str, body: &str) -> bool {
    !title.is_empty() && [title, body].iter().all(|text| text.chars().count() <= CARD_TEXT)
}

fn count(what: &str, count: usize, limit: usize) -> Result<(), Outcome> {
    if count <= limit {
        return Ok(());
    }
    let text = format!("there are {count} {what}s, and the provider takes {limit}");
    Err(Outcome::permanent(format!("too_many_{what}s"), text))
}
