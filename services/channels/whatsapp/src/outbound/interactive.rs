//! Questions with answers to tap: buttons, lists, links, cards.

use heliograph_channel::{
    Outcome,
    json::{or, without_empty},
};
use heliograph_domain::limits::cut;
use heliograph_graph::{Offers, check, lines};
use heliograph_proto::v1::{
    Card, Carousel, Choice, ListMenu, ListSection, Media, Option as Offered, TextUnit::CodePoints,
};
use serde_json::{Value, json};

use super::{media, of_type, written};
use crate::{
    capabilities::{BUTTON, LABEL, QUESTION, ROW_DESCRIPTION, SLIDE},
    settings::WhatsAppSpec,
};

/// What a menu's button says that says nothing.
const MENU: &str = "☰";

/// What stands around the answers.
#[derive(Default)]
struct Frame<'a> {
    title: &'a str,
    media: Option<&'a Media>,
    body: &'a str,
    footer: &'a str,
}

pub(super) fn choice(choice: &Choice) -> Result<Value, Outcome> {
    let Choice { body, footer, header, .. } = choice;
    ask(&Frame { body, footer, media: header.as_ref(), ..Frame::default() }, &Offers::of(&choice.options))
}

/// A question has either answers, one link, or asks for the location.
fn ask(frame: &Frame<'_>, offers: &Offers<'_>) -> Result<Value, Outcome> {
    if offers.only_asks_location() {
        let body = lines([frame.title, &offers.below(frame.body, 0), frame.footer]);
        let action = json!({ "name": "send_location" });
        return framed("location_request_message", &Frame::default(), &body, QUESTION, action);
    }
    let (kind, action, shown) = action(offers, "reply")?;
    framed(kind, frame, &offers.below(frame.body, shown), QUESTION, action)
}

/// The buttons, or one that opens a link, and how many links they show.
fn action(offers: &Offers<'_>, kind: &str) -> Result<(&'static str, Value, usize), Outcome> {
    if offers.answers.is_empty() {
        let (title, url) = offers.links.first().ok_or_else(no_options)?;
        check("option_title", title.len(), 1..=usize::MAX)?;
        let parameters = json!({ "display_text": cut(title, BUTTON, CodePoints), "url": url });
        return Ok(("cta_url", json!({ "name": "cta_url", "parameters": parameters }), 1));
    }
    tell_apart(offers)?;
    let button =
        |(option, id): &(&Offered, String)| of_type(kind, json!({ "id": id, "title": option.title }));
    let buttons: Value = offers.answers.iter().map(button).collect();
    Ok(("button", json!({ "buttons": buttons }), 0))
}

/// Answers have titles and ids of their own.
fn tell_apart(offers: &Offers<'_>) -> Result<(), Outcome> {
    for (index, (option, id)) in offers.answers.iter().enumerate() {
        check("option_title", option.title.len(), 1..=usize::MAX)?;
        check("option_id", id.len(), 1..=usize::MAX)?;
        if offers.answers[..index].iter().any(|(other, known)| other.title == option.title || known == id) {
            let text = format!("two answers are called {:?} or have one id", option.title);
            return Err(Outcome::permanent("same_options", text));
        }
    }
    Ok(())
}

fn no_options() -> Outcome {
    Outcome::permanent("no_options", "the message offers nothing to tap")
}

/// An interactive message: header, body, footer and what to tap. A title or footer too long for its place stands in the
/// body.
#[expect(clippy::needless_pass_by_value, reason = "it becomes a part of what is made")]
fn framed(kind: &str, frame: &Frame<'_>, body: &str, most: usize, action: Value) -> Result<Value, Outcome> {
    let short = |text: &str| !text.is_empty() && text.chars().count() <= LABEL;
    let is_title = frame.media.is_none() && short(frame.title) && !body.is_empty();
    let above = match frame.title {
        _ if is_title => String::new(),
        title if body.is_empty() => title.to_owned(),
        title => bold(title),
    };
    let below = if short(frame.footer) { "" } else { frame.footer };
    let body = lines([&above, body, below]);
    check("body", body.chars().count(), 1..=most)?;
    let header = match frame.media {
        Some(media) => media::header(media)?,
        None if is_title => of_type("text", frame.title.into()),
        None => Value::Null,
    };
    let footer = if short(frame.footer) { frame.footer } else { "" };
    let interactive = json!({
        "type": kind, "header": header, "body": { "text": body }, "footer": { "text": footer }, "action": action,
    });
    Ok(of_type("interactive", without_empty(interactive)))
}

pub(super) fn list(list: &ListMenu, spec: &WhatsAppSpec) -> Result<Value, Outcome> {
    let offers = Offers::of(list.sections.iter().flat_map(|section| &section.options));
    if offers.answers.is_empty() {
        return Err(no_options());
    }
    tell_apart(&offers)?;
    let section = |(index, section): (usize, &ListSection)| {
        let rows: Vec<Value> = Offers::of(&section.options).answers.iter().map(row).collect();
        // One of several must be called something.
        let is_nameless = section.title.is_empty() && list.sections.len() > 1;
        let title = if is_nameless { (index + 1).to_string() } else { section.title.clone() };
        (!rows.is_empty()).then(|| without_empty(json!({ "title": title, "rows": rows })))
    };
    let sections: Vec<Value> = list.sections.iter().enumerate().filter_map(section).collect();
    let button = if list.button.trim().is_empty() { MENU } else { &list.button };
    let action = json!({ "button": cut(button, BUTTON, CodePoints), "sections": sections });
    let frame = Frame { title: &list.header, body: &list.body, footer: &list.footer, media: None };
    framed("list", &frame, &offers.below(&list.body, 0), spec.list_body_limit.into(), action)
}

fn row((option, id): &(&Offered, String)) -> Value {
    // What explains is shortened; what is said never is.
    let description = cut(&option.description, ROW_DESCRIPTION, CodePoints);
    without_empty(json!({ "id": id, "title": option.title, "description": description }))
}

/// A card of its own: a question with a header, or without options a picture with a caption, or a text.
pub(super) fn card(card: &Card, spec: &WhatsAppSpec) -> Result<Value, Outcome> {
    let mut offers = Offers::of(&card.options);
    if !card.url.is_empty() && !offers.links.iter().any(|(_, url)| *url == card.url) {
        offers.links.push(("", &card.url));
    }
    let titled = offers.links.iter().any(|(title, _)| !title.is_empty());
    if !offers.answers.is_empty() || titled || offers.asks_location.is_some() {
        let (title, body, media) = (&card.title, &card.body, card.media.as_ref());
        return ask(&Frame { title, body, media, footer: "" }, &offers);
    }
    let text = lines([bold(&card.title), offers.below(&card.body, 0)]);
    match &card.media {
        None => written(&text, spec.preview_url),
        Some(media) => media::message(&Media { caption: text, ..media.clone() }),
    }
}

fn bold(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!("*{title}*") }
}

pub(super) fn carousel(carousel: &Carousel) -> Result<Value, Outcome> {
    let cards = carousel.cards.iter().enumerate().map(slide).collect::<Result<Vec<_>, _>>()?;
    // A carousel hangs below a text.
    let titles = lines(carousel.cards.iter().map(|card| &card.title)).replace('\n', " · ");
    let body = or(&carousel.body, &titles);
    framed("carousel", &Frame::default(), body, QUESTION, json!({ "cards": cards }))
}

fn slide((index, card): (usize, &Card)) -> Result<Value, Outcome> {
    let mut offers = Offers::of(&card.options);
    if !card.url.is_empty() {
        offers.links.push((&card.title, &card.url));
    }
    let (_, action, shown) = action(&offers, "quick_reply")?;
    // A slide has few lines.
    let text = lines([bold(&card.title), offers.below(&card.body, shown).replace('\n', " ")]);
    check("slide", text.chars().count(), 0..=SLIDE)?;
    let header = card.media.as_ref().map(media::header).transpose()?;
    Ok(without_empty(json!({
        "card_index": index, "type": "cta_url", "header": header, "body": { "text": text }, "action": action,
    })))
}
