//! Questions: a text or a picture with buttons under it.

use heliograph_channel::{
    File,
    markdown::Mark,
    offers::{label, payload},
};
use heliograph_proto::v1::{Card, Choice, ListMenu, Media, Option as Answer, option::Action};
use serde_json::{Value, json};

use super::{Made, media, written};
use crate::{
    markup::{Marked, units},
    peer::callback,
    settings::TEXT,
};

pub(super) fn choice<'a>(choice: &'a Choice, file: Option<&'a File>) -> Made<'a> {
    let mut marked = Marked::plain(&choice.body);
    marked.add("\n\n", &choice.footer, Some(Mark::Italic));
    shown(marked, choice.header.as_ref(), file, &choice.options)
}

/// Every section with its title and what is said of its options, where there is room; the buttons below.
pub(super) fn list(list: &ListMenu) -> Made<'_> {
    let told = described(list, true);
    let told = if units(&told.text) <= TEXT { told } else { described(list, false) };
    shown(told, None, None, list.sections.iter().flat_map(|section| &section.options))
}

fn described(list: &ListMenu, sections: bool) -> Marked {
    let mut marked = Marked::default();
    marked.add("", &list.header, Some(Mark::Bold));
    marked.text.push_str(if list.header.is_empty() { "" } else { "\n\n" });
    marked.add("", &list.body, None);
    for section in list.sections.iter().filter(|_| sections) {
        let mut told = section.options.iter().filter(|option| !option.description.is_empty()).peekable();
        if section.title.is_empty() && told.peek().is_some() {
            marked.text.push('\n');
        }
        marked.add("\n\n", &section.title, Some(Mark::Bold));
        for option in told {
            marked.add("\n", &format!("• {}: {}", option.title, option.description), None);
        }
    }
    marked.add("\n\n", &list.footer, Some(Mark::Italic));
    marked
}

pub(super) fn card<'a>(card: &'a Card, file: Option<&'a File>) -> Made<'a> {
    let mut marked = Marked::default();
    let title = if card.url.is_empty() { Mark::Bold } else { Mark::Link(card.url.clone()) };
    let head = if card.title.is_empty() { &card.url } else { &card.title };
    marked.add("", head, Some(title));
    marked.add(if head.is_empty() { "" } else { "\n" }, &card.body, None);
    shown(marked, card.media.as_ref(), file, &card.options)
}

/// A text with buttons, one a row, or a medium with the text as its caption.
fn shown<'a>(
    marked: Marked,
    medium: Option<&'a Media>,
    file: Option<&'a File>,
    options: impl IntoIterator<Item = &'a Answer>,
) -> Made<'a> {
    let call = match medium {
        Some(medium) => media::call(medium, file, &marked)?,
        None => written("sendMessage", marked)?,
    };
    let rows: Vec<[Value; 1]> = options.into_iter().map(|option| [button(option)]).collect();
    Ok(call.maybe("reply_markup", (!rows.is_empty()).then(|| json!({ "inline_keyboard": rows }))))
}

fn button(option: &Answer) -> Value {
    if let Some(Action::Url(url)) = &option.action {
        return json!({ "text": label(option), "url": url });
    }
    json!({ "text": label(option), "callback_data": callback::encode(&option.id, payload(option)) })
}
