//! Whether content is within what a channel declares of itself. Egress asks it before it transcodes, and the channel's
//! host before it encodes, so that the two never disagree.

mod measure;

use heliograph_proto::v1::{
    Answer, Capabilities, Card, Carousel, Choice, ListMenu, Media, Option as Offered, TextUnit,
    content::Kind, option::Action,
};

pub use measure::{cut, measure};

use crate::content::{kind_name, media_word, options};

/// Line breaks and marks of emphasis around what stands in a body.
const MARKS: usize = 4;

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Excess {
    /// Stable, e.g. `text_too_long`.
    pub code: &'static str,
    /// For people.
    pub text: String,
}

/// Whether a channel shows this very content. What it cuts by itself (a list's button, descriptions) always fits, and what
/// a template is made of is its provider's to judge. An edit is judged like what it carries.
///
/// # Errors
/// The first thing that does not fit.
pub fn check(kind: &Kind, capabilities: &Capabilities) -> Result<(), Excess> {
    let name = kind_name(kind);
    if !capabilities.content.iter().any(|able| able == name) {
        let text = format!("{} does not show content of the kind `{name}`", capabilities.channel);
        return Err(excess("content_not_supported", text));
    }
    match kind {
        Kind::Text(text) => {
            let Capabilities { text_limit, .. } = *capabilities;
            short("text_too_long", "a text", &text.body, text_limit, capabilities.text_unit())
        }
        Kind::Media(media) => {
            takes(media, capabilities)?;
            caption(media, capabilities)
        }
        Kind::Choice(choice) => choice_fits(kind, choice, capabilities),
        Kind::List(list) => list_fits(kind, list, capabilities),
        Kind::Card(card) => card_fits(card, capabilities),
        Kind::Carousel(carousel) => carousel_fits(carousel, capabilities),
        Kind::Edit(edit) => {
            let inner = edit.content.as_ref().and_then(|content| content.kind.as_ref());
            inner.map_or(Ok(()), |inner| check(inner, capabilities))
        }
        _ => Ok(()),
    }
}

/// How long a question's body may be beside what stands with it; none where there is no limit, or no room.
pub fn room_for_body(kind: &Kind, capabilities: &Capabilities) -> Option<usize> {
    let limit = usize::try_from(body_limit(kind, capabilities)).ok()?;
    limit.checked_sub(beside(kind, capabilities)).filter(|room| *room > 0)
}

/// The unit of what stands on options.
pub fn label_unit(capabilities: &Capabilities) -> TextUnit {
    match capabilities.option_unit() {
        TextUnit::Unspecified => capabilities.text_unit(),
        unit => unit,
    }
}

fn choice_fits(kind: &Kind, choice: &Choice, capabilities: &Capabilities) -> Result<(), Excess> {
    count_of_options(choice.options.len(), capabilities.choice_limit)?;
    body_fits(kind, &choice.body, capabilities)?;
    choice.options.iter().try_for_each(|it| option_fits(it, capabilities.option_title_limit, capabilities))
}

fn list_fits(kind: &Kind, list: &ListMenu, capabilities: &Capabilities) -> Result<(), Excess> {
    let titles = match capabilities.list_title_limit {
        0 => capabilities.option_title_limit,
        limit => limit,
    };
    let (most, unit) = (capabilities.list_section_limit, label_unit(capabilities));
    count_of_options(options(kind).len(), capabilities.list_limit)?;
    body_fits(kind, &list.body, capabilities)?;
    for section in &list.sections {
        short("section_title_too_long", "a section's title", &section.title, most, unit)?;
    }
    options(kind).into_iter().try_for_each(|option| option_fits(option, titles, capabilities))
}

fn card_fits(card: &Card, capabilities: &Capabilities) -> Result<(), Excess> {
    let unit = label_unit(capabilities);
    short("title_too_long", "a card's title", &card.title, capabilities.card_title_limit, unit)?;
    short("body_too_long", "a card's body", &card.body, capabilities.card_body_limit, unit)?;
    few_options(card.options.len(), capabilities.card_option_limit)?;
    for option in &card.options {
        option_fits(option, capabilities.option_title_limit, capabilities)?;
    }
    card.media.as_ref().map_or(Ok(()), |media| takes(media, capabilities))
}

fn carousel_fits(carousel: &Carousel, capabilities: &Capabilities) -> Result<(), Excess> {
    let count = carousel.cards.len();
    let least = usize::try_from(capabilities.carousel_least).unwrap_or(0).max(1);
    if count < least || !within(capabilities.card_limit, count) {
        let most = match capabilities.card_limit {
            0 => "more".to_owned(),
            limit => limit.to_string(),
        };
        return Err(excess("carousel_size", format!("a carousel has {least} to {most} cards, not {count}")));
    }
    if capabilities.carousel_bare && !carousel.body.is_empty() {
        return Err(excess("body_not_supported", "a carousel has no body of its own here"));
    }
    let limit = match capabilities.carousel_body_limit {
        0 => capabilities.text_limit,
        limit => limit,
    };
    short("body_too_long", "a carousel's body", &carousel.body, limit, capabilities.text_unit())?;
    carousel.cards.iter().try_for_each(|card| card_fits(card, capabilities))
}

fn count_of_options(count: usize, limit: i32) -> Result<(), Excess> {
    if count == 0 {
        return Err(excess("no_options", "there is nothing to tap"));
    }
    few_options(count, limit)
}

fn few_options(count: usize, limit: i32) -> Result<(), Excess> {
    if within(limit, count) {
        return Ok(());
    }
    Err(excess("too_many_options", format!("there may be {limit} options, not {count}")))
}

fn option_fits(option: &Offered, title_limit: i32, capabilities: &Capabilities) -> Result<(), Excess> {
    let does = match &option.action {
        None | Some(Action::Answer(_)) => "answer",
        Some(Action::Url(_)) => "url",
        Some(Action::Phone(_)) => "phone",
        Some(Action::AskLocation(_)) => "ask_location",
    };
    let able = &capabilities.option_actions;
    if !able.is_empty() && !able.iter().any(|able| able == does) {
        let text = format!("an option does `{does}`, which {} has no option for", capabilities.channel);
        return Err(excess("option_not_supported", text));
    }
    // What has no title is called by its id.
    let title = if option.title.is_empty() { &option.id } else { &option.title };
    let what = format!("the option `{title}`");
    short("option_title_too_long", &what, title, title_limit, label_unit(capabilities))?;
    let payload = match &option.action {
        Some(Action::Answer(Answer { payload })) => payload.len(),
        _ => 0,
    };
    let (limit, carries) = (capabilities.option_payload_limit, option.id.len() + payload);
    if within(limit, carries) {
        return Ok(());
    }
    let text = format!("{what} may carry {limit} bytes with its id, not {carries}");
    Err(excess("option_payload_too_long", text))
}

/// Whether one of the kinds of media that the channel takes is this one.
fn takes(media: &Media, capabilities: &Capabilities) -> Result<(), Excess> {
    if capabilities.media.is_empty() {
        return Ok(());
    }
    let mut able: Vec<_> = capabilities.media.iter().filter(|able| able.kind() == media.kind()).collect();
    if able.is_empty() {
        let text = format!("{} takes no {}", capabilities.channel, media_word(media));
        return Err(excess("media_kind_not_supported", text));
    }
    able.retain(|able| able.content_types.is_empty() || able.content_types.contains(&media.content_type));
    if able.is_empty() {
        let text = format!(
            "{} shows no {} of the type `{}`",
            capabilities.channel,
            media_word(media),
            media.content_type
        );
        return Err(excess("media_type_not_supported", text));
    }
    if able.iter().any(|able| able.max_bytes == 0 || media.size_bytes <= able.max_bytes) {
        return Ok(());
    }
    let most = able.iter().map(|able| able.max_bytes).max().unwrap_or(0);
    let text = format!("this file may have {most} bytes, not {}", media.size_bytes);
    Err(excess("media_too_large", text))
}

fn caption(media: &Media, capabilities: &Capabilities) -> Result<(), Excess> {
    if media.caption.is_empty() {
        return Ok(());
    }
    if capabilities.bare_media.contains(&media.kind) {
        return Err(excess("caption_not_supported", "this file goes without words"));
    }
    let limit = capabilities.caption_limit;
    short("caption_too_long", "a caption", &media.caption, limit, capabilities.text_unit())
}

/// The longest body of a question: its own limit, else that of any text.
fn body_limit(kind: &Kind, capabilities: &Capabilities) -> i32 {
    let own = match kind {
        Kind::Choice(_) => capabilities.choice_body_limit,
        _ => capabilities.list_body_limit,
    };
    if own > 0 { own } else { capabilities.text_limit }
}

fn body_fits(kind: &Kind, body: &str, capabilities: &Capabilities) -> Result<(), Excess> {
    let unit = capabilities.text_unit();
    let (limit, length) = (body_limit(kind, capabilities), measure(body, unit) + beside(kind, capabilities));
    if within(limit, length) {
        return Ok(());
    }
    Err(excess("body_too_long", too_long("a question's body with what stands in it", limit, length, unit)))
}

/// How much of a question's body is taken by its header and footer, where they have no places of their own.
fn beside(kind: &Kind, capabilities: &Capabilities) -> usize {
    let taken = |text: &str, place: i32| {
        let length = measure(text, capabilities.text_unit());
        if length == 0 || (place > 0 && within(place, length)) { 0 } else { length + MARKS }
    };
    match kind {
        Kind::Choice(choice) => taken(&choice.footer, capabilities.footer_limit),
        Kind::List(list) => {
            taken(&list.header, capabilities.list_header_limit)
                + taken(&list.footer, capabilities.footer_limit)
        }
        _ => 0,
    }
}

fn short(code: &'static str, what: &str, text: &str, limit: i32, unit: TextUnit) -> Result<(), Excess> {
    // Most texts are shorter than their limit in any unit.
    if limit <= 0 || within(limit, text.len()) {
        return Ok(());
    }
    let length = measure(text, unit);
    if within(limit, length) { Ok(()) } else { Err(excess(code, too_long(what, limit, length, unit))) }
}

fn too_long(what: &str, limit: i32, length: usize, unit: TextUnit) -> String {
    let unit = match unit {
        TextUnit::Bytes => "bytes",
        TextUnit::Utf16 => "UTF-16 units",
        TextUnit::Graphemes | TextUnit::CodePoints | TextUnit::Unspecified => "characters",
    };
    format!("{what} may have {limit} {unit}, not {length}")
}

fn within(limit: i32, count: usize) -> bool {
    limit <= 0 || count <= usize::try_from(limit).unwrap_or(0)
}

fn excess(code: &'static str, text: impl Into<String>) -> Excess {
    Excess { code, text: text.into() }
}

#[cfg(test)]
mod tests;
