//! Questions: a text or a picture with buttons under it.

use heliograph_channel::{
    File, Outcome,
    markdown::Mark,
    offers::{label, payload},
};
use heliograph_proto::v1::{Card, Choice, ListMenu, Media, Option as Answer, option::Action};
use serde_json::{Value, json};

use super::{Call, media, written};
use crate::{
    markup::{Marked, units},
    peer::callback,
    settings::TEXT,
};

pub(super) fn choice<'a>(choice: &'a Choice, file: Option<&'a File>) -> Result<Call<'a>, Outcome> {
    let mut marked = Marked::plain(&choice.body);
    footer(&mut marked, &choice.footer);
    shown(marked, choice.header.as_ref(), file, &choice.options)
}

/// Every section with its title and what is said of its options, where there is room; the buttons below.
pub(super) fn list<'a>(list: &'a ListMenu) -> Result<Call<'a>, Outcome> {
    let told = described(list, true);
    let told = if units(&told.text) <= TEXT { told } else { described(list, false) };
    shown(told, None, None, list.sections.iter().flat_map(|section| &section.options))
}

fn described(list: &ListMenu, sections: bool) -> Marked {
    let mut marked = Marked::default();
    if !list.header.is_empty() {
        marked.add(&list.header, Some(Mark::Bold));
        marked.add("\n\n", None);
    }
    marked.add(&list.body, None);
    for section in list.sections.iter().filter(|_| sections) {
        let mut told = section.options.iter().filter(|option| !option.description.is_empty()).peekable();
        if !section.title.is_empty() {
            marked.add("\n\n", None);
            marked.add(&section.title, Some(Mark::Bold));
        } else if told.peek().is_some() {
            marked.add("\n", None);
        }
        for option in told {
            marked.add(&format!("\n• {}: {}", option.title, option.description), None);
        }
    }
    footer(&mut marked, &list.footer);
    marked
}

pub(super) fn card<'a>(card: &'a Card, file: Option<&'a File>) -> Result<Call<'a>, Outcome> {
    let mut marked = Marked::default();
    let title = if card.url.is_empty() { Mark::Bold } else { Mark::Link(card.url.clone()) };
    let head = if card.title.is_empty() { &card.url } else { &card.title };
    marked.add(head, Some(title));
    if !head.is_empty() && !card.body.is_empty() {
        marked.add("\n", None);
    }
    marked.add(&card.body, None);
    shown(marked, card.media.as_ref(), file, &card.options)
}

fn footer(marked: &mut Marked, footer: &str) {
    if !footer.is_empty() {
        marked.add("\n\n", None);
        marked.add(footer, Some(Mark::Italic));
    }
}

/// A text with buttons, one a row, or a medium with the text as its caption.
fn shown<'a>(
    marked: Marked,
    medium: Option<&'a Media>,
    file: Option<&'a File>,
    options: impl IntoIterator<Item = &'a Answer>,
) -> Result<Call<'a>, Outcome> {
    let call = match medium {
        Some(medium) => media::call(medium, file, &marked)?,
        None => written("sendMessage", marked)?,
    };
    let rows: Vec<[Value; 1]> = options.into_iter().map(|option| [button(option)]).collect();
    Ok(call.maybe("reply_markup", (!rows.is_empty()).then(|| json!({ "inline_keyboard": rows }))))
}

fn button(option: &Answer) -> Value {
    match &option.action {
        Some(Action::Url(url)) => json!({ "text": label(option), "url": url }),
        _ => {
            let data = callback::encode(&option.id, payload(option));
            json!({ "text": label(option), "callback_data": data })
        }
    }
}
