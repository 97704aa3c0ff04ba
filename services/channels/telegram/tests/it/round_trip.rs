//! What is encoded and then read as Telegram's clients show it is what was said.

use heliograph_proto::v1::{
    Choice, Location, Media, MediaKind, Message, TextFormat, content::Kind, option::Action,
};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::{
    arbitrary::messages,
    support::{call, encode},
};

/// What a customer sees of a call, read from the API's documents alone.
#[derive(Debug, PartialEq)]
struct Seen {
    text: String,
    medium: Option<(String, String)>,
    /// Title and what a tap does.
    buttons: Vec<(String, String)>,
}

fn text(fields: &Map<String, Value>, name: &str) -> String {
    fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn see(fields: &Map<String, Value>) -> Seen {
    let media = ["photo", "animation", "video", "audio", "voice", "sticker", "document"];
    let medium = media.iter().find(|name| fields.contains_key(**name));
    let rows = fields.get("reply_markup").map(|markup| markup["inline_keyboard"].as_array().unwrap().clone());
    let buttons = rows.unwrap_or_default().into_iter().flat_map(|row| row.as_array().unwrap().clone());
    let button = |button: Value| {
        let does = button["callback_data"].as_str().or(button["url"].as_str()).unwrap().to_owned();
        (button["text"].as_str().unwrap().to_owned(), does)
    };
    Seen {
        text: if medium.is_some() { text(fields, "caption") } else { text(fields, "text") },
        medium: medium.map(|name| ((*name).to_owned(), text(fields, name))),
        buttons: buttons.map(button).collect(),
    }
}

/// What ought to be seen of a question.
fn buttons(choice: &Choice) -> Vec<(String, String)> {
    let does = |option: &heliograph_proto::v1::Option| match &option.action {
        Some(Action::Url(url)) => url.clone(),
        Some(Action::Answer(answer)) => format!("{}\u{1f}{}", option.id, answer.payload),
        _ => option.id.clone(),
    };
    choice.options.iter().map(|option| (option.title.clone(), does(option))).collect()
}

fn is_a_sticker(media: &Media) -> bool {
    media.kind() == MediaKind::Sticker
}

fn check(message: &Message) -> Result<(), TestCaseError> {
    let Some(kind) = message.content.as_ref().and_then(|content| content.kind.as_ref()) else {
        return Ok(());
    };
    let request = encode(message, None);
    let (_, fields) = call(&request.map_err(|outcome| TestCaseError::fail(format!("{outcome:?}")))?);
    match kind {
        Kind::Text(said) if said.format() == TextFormat::Plain => {
            prop_assert_eq!(text(&fields, "text"), said.body.clone());
            prop_assert!(!fields.contains_key("entities"));
        }
        Kind::Media(medium) => {
            let seen = see(&fields);
            prop_assert_eq!(seen.medium.unwrap().1, medium.provider_media_id.clone());
            prop_assert_eq!(
                seen.text,
                if is_a_sticker(medium) { String::new() } else { medium.caption.clone() }
            );
        }
        Kind::Location(place) => {
            prop_assert_eq!(located(&fields), (place.latitude, place.longitude, named(place)));
        }
        Kind::Choice(choice) => {
            let seen = see(&fields);
            if !choice.header.as_ref().is_some_and(is_a_sticker) {
                prop_assert_eq!(seen.text, format!("{}\n\n{}", choice.body, choice.footer));
            }
            prop_assert_eq!(seen.buttons, buttons(choice));
            prop_assert_eq!(seen.medium.is_some(), choice.header.is_some());
        }
        Kind::List(list) => {
            let options: Vec<_> = list.sections.iter().flat_map(|section| section.options.clone()).collect();
            let all = Choice { options, ..Choice::default() };
            let seen = see(&fields);
            prop_assert!(seen.text.contains(&list.body));
            prop_assert_eq!(seen.buttons, buttons(&all));
        }
        Kind::Reaction(reaction) => {
            let emoji = fields["reaction"][0]["emoji"].as_str().unwrap_or_default();
            prop_assert_eq!(emoji, &reaction.emoji);
        }
        _ => {}
    }
    Ok(())
}

fn located(fields: &Map<String, Value>) -> (f64, f64, bool) {
    let number = |name: &str| fields[name].as_f64().unwrap();
    (number("latitude"), number("longitude"), fields.contains_key("title"))
}

fn named(place: &Location) -> bool {
    !place.name.trim().is_empty() || !place.address.trim().is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_what_was_said(message in messages()) {
        check(&message)?;
    }
}
