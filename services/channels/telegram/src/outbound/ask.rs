//! Questions: a text or a picture with buttons under it.

use heliograph_channel::{Account, File, Outcome, markdown::Mark};
use heliograph_proto::v1::{Card, Choice, ListMenu, Media, Option as Answer, option::Action};
use serde_json::{Value, json};

use super::{Call, media, written};
use crate::{
    TelegramSettings,
    markup::{Marked, units},
    peer::callback,
    settings::{CALLBACK, TEXT},
};

type Rows = Vec<Vec<Value>>;

pub(super) fn choice<'a>(
    account: &Account<TelegramSettings>,
    choice: &'a Choice,
    file: Option<&'a File>,
) -> Result<Call<'a>, Outcome> {
    let mut marked = Marked::plain(&choice.body);
    footer(&mut marked, &choice.footer);
    shown(&marked, choice.header.as_ref(), file, &rows(account, &choice.options)?)
}

/// Every section with its title and what is said of its options; the buttons below.
pub(super) fn list<'a>(account: &Account<TelegramSettings>, list: &ListMenu) -> Result<Call<'a>, Outcome> {
    let options: Vec<&Answer> = list.sections.iter().flat_map(|section| &section.options).collect();
    let rows = rows(account, options.iter().copied())?;
    let told = described(list, true);
    let told = if units(&told.text) <= TEXT { told } else { described(list, false) };
    shown(&told, None, None, &rows)
}

fn described(list: &ListMenu, sections: bool) -> Marked {
    let mut marked = Marked::default();
    if !list.header.is_empty() {
        marked.add(&list.header, Some(Mark::Bold));
        marked.add("\n\n", None);
    }
    marked.add(&list.body, None);
    for section in list.sections.iter().filter(|_| sections) {
        let told: Vec<&Answer> =
            section.options.iter().filter(|option| !option.description.is_empty()).collect();
        if section.title.is_empty() && told.is_empty() {
            continue;
        }
        marked.add("\n", None);
        if !section.title.is_empty() {
            marked.add("\n", None);
            marked.add(&section.title, Some(Mark::Bold));
        }
        for option in told {
            marked.add(&format!("\n• {}: {}", option.title, option.description), None);
        }
    }
    footer(&mut marked, &list.footer);
    marked
}

pub(super) fn card<'a>(
    account: &Account<TelegramSettings>,
    card: &'a Card,
    file: Option<&'a File>,
) -> Result<Call<'a>, Outcome> {
    let mut marked = Marked::default();
    let title = if card.url.is_empty() { Mark::Bold } else { Mark::Link(card.url.clone()) };
    let head = if card.title.is_empty() { &card.url } else { &card.title };
    marked.add(head, Some(title));
    if !head.is_empty() && !card.body.is_empty() {
        marked.add("\n", None);
    }
    marked.add(&card.body, None);
    shown(&marked, card.media.as_ref(), file, &rows(account, &card.options)?)
}

fn footer(marked: &mut Marked, footer: &str) {
    if !footer.is_empty() {
        marked.add("\n\n", None);
        marked.add(footer, Some(Mark::Italic));
    }
}

/// A text with buttons, or a medium with the text as its caption.
fn shown<'a>(
    marked: &Marked,
    medium: Option<&'a Media>,
    file: Option<&'a File>,
    rows: &[Vec<Value>],
) -> Result<Call<'a>, Outcome> {
    let call = match medium {
        Some(medium) => media::call(medium, file, &marked.text, &marked.entities)?,
        None => written("sendMessage", marked)?,
    };
    Ok(if rows.is_empty() { call } else { call.with("reply_markup", json!({ "inline_keyboard": rows })) })
}

/// A button a row.
fn rows<'a>(
    account: &Account<TelegramSettings>,
    options: impl IntoIterator<Item = &'a Answer>,
) -> Result<Rows, Outcome> {
    let rows: Rows =
        options.into_iter().map(|option| Ok(vec![button(option)?])).collect::<Result<_, Outcome>>()?;
    let most = usize::from(account.settings.limits.buttons);
    if rows.len() > most {
        let text = format!("a message has at most {most} buttons");
        return Err(Outcome::permanent("too_many_options", text));
    }
    Ok(rows)
}

fn button(option: &Answer) -> Result<Value, Outcome> {
    let title = if option.title.trim().is_empty() { &option.id } else { &option.title };
    let payload = match &option.action {
        Some(Action::Url(url)) => return Ok(json!({ "text": title, "url": url })),
        Some(Action::Answer(answer)) => answer.payload.as_str(),
        None => "",
        Some(Action::Phone(_) | Action::AskLocation(_)) => {
            let text = "a button can answer or open a URL, and neither call nor ask for a location";
            return Err(Outcome::permanent("option_not_supported", text));
        }
    };
    let data = callback::encode(&option.id, payload);
    if data.is_empty() || data.len() > CALLBACK {
        let text = format!("an option's id and payload have 1 to {} bytes together", CALLBACK - 1);
        return Err(Outcome::permanent("option_payload_too_long", text));
    }
    Ok(json!({ "text": title, "callback_data": data }))
}
