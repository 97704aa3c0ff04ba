//! Helpers over the content model.

use heliograph_proto::v1::{
    Card, Content, Media, MediaKind, Option as Answer, Template, Text, TextFormat, content::Kind,
    template_parameter::Value as ParameterValue,
};

/// Id of the option by which a customer asks to be called back instead of waiting. Its payload may be a time, RFC 3339: not
/// before then.
pub const CALL_BACK: &str = "hg.callback";

/// Id of the option by which a customer rather waits than is called back.
pub const WAIT: &str = "hg.wait";

/// Plain text as content.
pub fn text(body: impl Into<String>) -> Content {
    Content {
        kind: Some(Kind::Text(Text {
            body: body.into(),
            format: TextFormat::Plain.into(),
            ..Text::default()
        })),
    }
}

/// The name of a kind, as capabilities list it: `text`, `media`, `contact_card`.
pub fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) => "text",
        Kind::Media(_) => "media",
        Kind::Location(_) => "location",
        Kind::ContactCard(_) => "contact_card",
        Kind::Choice(_) => "choice",
        Kind::List(_) => "list",
        Kind::Card(_) => "card",
        Kind::Carousel(_) => "carousel",
        Kind::Template(_) => "template",
        Kind::Reaction(_) => "reaction",
        Kind::Edit(_) => "edit",
        Kind::Deletion(_) => "deletion",
        Kind::CallSignal(_) => "call_signal",
        Kind::Custom(_) => "custom",
        Kind::Selection(_) => "selection",
    }
}

/// Every option of a message that asks something, in the order it is shown.
pub fn options(kind: &Kind) -> Vec<&Answer> {
    match kind {
        Kind::Choice(choice) => choice.options.iter().collect(),
        Kind::List(list) => list.sections.iter().flat_map(|section| &section.options).collect(),
        Kind::Card(card) => card.options.iter().collect(),
        Kind::Carousel(carousel) => carousel.cards.iter().flat_map(|card| &card.options).collect(),
        _ => Vec::new(),
    }
}

/// Every medium that stands in a message, in the order it is shown.
pub fn media_mut(content: &mut Content) -> Vec<&mut Media> {
    match &mut content.kind {
        Some(Kind::Media(media)) => vec![media],
        Some(Kind::Choice(choice)) => {
            let icons = choice.options.iter_mut().filter_map(|option| option.icon.as_mut());
            choice.header.iter_mut().chain(icons).collect()
        }
        Some(Kind::List(list)) => {
            let options = list.sections.iter_mut().flat_map(|section| &mut section.options);
            options.filter_map(|option| option.icon.as_mut()).collect()
        }
        Some(Kind::Card(card)) => media_of_card(card).collect(),
        Some(Kind::Carousel(carousel)) => carousel.cards.iter_mut().flat_map(media_of_card).collect(),
        Some(Kind::Template(template)) => media_of_template(template).collect(),
        Some(Kind::Edit(edit)) => edit.content.as_deref_mut().map(media_mut).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn media_of_card(card: &mut Card) -> impl Iterator<Item = &mut Media> {
    let icons = card.options.iter_mut().filter_map(|option| option.icon.as_mut());
    card.media.iter_mut().chain(icons)
}

fn media_of_template(template: &mut Template) -> impl Iterator<Item = &mut Media> {
    let parameters = template.components.iter_mut().flat_map(|component| &mut component.parameters);
    parameters.filter_map(|parameter| match &mut parameter.value {
        Some(ParameterValue::Media(media)) => Some(media),
        _ => None,
    })
}

/// What a person reads in a place with room for text alone: lists, notifications, logs of a demonstration.
pub fn preview(content: &Content) -> String {
    let Some(kind) = &content.kind else { return String::new() };
    match kind {
        Kind::Text(text) => text.body.clone(),
        Kind::Media(media) => labelled(media_word(media), first(&[&media.caption, &media.file_name])),
        Kind::Location(place) => {
            let point = format!("{:.5}, {:.5}", place.latitude, place.longitude);
            labelled("location", first(&[&place.name, &place.address, &point]))
        }
        Kind::ContactCard(card) => labelled("contact", &card.formatted_name),
        Kind::Choice(choice) => choice.body.clone(),
        Kind::List(list) => list.body.clone(),
        Kind::Card(card) => first(&[&card.title, &card.body]).to_owned(),
        Kind::Carousel(carousel) => labelled("carousel", &carousel.body),
        Kind::Template(template) => first(&[&template.rendered, &template.name]).to_owned(),
        Kind::Reaction(reaction) => labelled("reaction", &reaction.emoji),
        Kind::Edit(edit) => {
            edit.content.as_ref().and_then(|content| content.kind.as_ref()).map_or_else(String::new, |kind| {
                match kind {
                    Kind::Text(text) => labelled("edited", &text.body),
                    other => labelled("edited", kind_name(other)),
                }
            })
        }
        Kind::Deletion(_) => "[deleted]".to_owned(),
        Kind::CallSignal(_) => "[call]".to_owned(),
        Kind::Custom(custom) => labelled(&custom.kind, &custom.fallback),
        Kind::Selection(selection) => first(&[&selection.title, &selection.option_id]).to_owned(),
    }
}

/// The word for a file of this kind.
pub fn media_word(media: &Media) -> &'static str {
    match media.kind() {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::Sticker => "sticker",
        MediaKind::File | MediaKind::Unspecified => "file",
    }
}

fn labelled(label: &str, text: &str) -> String {
    if text.is_empty() { format!("[{label}]") } else { format!("[{label}] {text}") }
}

fn first<'a>(texts: &[&'a String]) -> &'a str {
    texts.iter().find(|text| !text.is_empty()).map_or("", |text| text.as_str())
}
