//! Questions with answers to tap: buttons, lists, links, cards.

use heliograph_channel::Outcome;
use heliograph_graph::messaging::carried;
use heliograph_proto::v1::{
    Answer, Card, Carousel, Choice, ListMenu, Media, Option as Offered, option::Action,
};
use serde_json::{Value, json};

use super::{check, media, of_type, written};
use crate::{
    capabilities::{
        BUTTON, BUTTONS, LABEL, OPTION_ID, QUESTION, ROW_DESCRIPTION, ROW_TITLE, ROWS, SLIDE, SLIDES,
    },
    settings::WhatsAppSpec,
};

/// What a menu's button says that says nothing.
const MENU: &str = "☰";

/// Options by what they do. One message has either answers, one link, or asks for the location.
#[derive(Default)]
struct Offers<'a> {
    answers: Vec<(&'a Offered, String)>,
    links: Vec<(&'a str, &'a str)>,
    asks_location: Option<&'a str>,
    /// What there is no button for.
    lines: Vec<String>,
}

impl<'a> Offers<'a> {
    fn of(options: impl IntoIterator<Item = &'a Offered>) -> Self {
        let mut offers = Self::default();
        for option in options {
            match &option.action {
                None => offers.answers.push((option, carried(&option.id, ""))),
                Some(Action::Answer(Answer { payload })) => {
                    offers.answers.push((option, carried(&option.id, payload)));
                }
                Some(Action::Url(url)) => offers.links.push((&option.title, url)),
                Some(Action::Phone(phone)) => offers.lines.push(format!("{}: {phone}", option.title)),
                Some(Action::AskLocation(_)) => offers.asks_location = Some(&option.title),
            }
        }
        offers
    }

    /// `body` with a line for every link but those of `shown` buttons.
    fn below(&self, body: &str, shown: usize) -> String {
        let links = self.links.iter().skip(shown).map(|(title, url)| match *title {
            "" => (*url).to_owned(),
            title => format!("{title}: {url}"),
        });
        let asked = self.asks_location.filter(|_| !self.only_asks_location()).map(str::to_owned);
        joined(
            [body.to_owned()].into_iter().chain(links).chain(self.lines.iter().cloned()).chain(asked),
            "\n",
        )
    }

    fn only_asks_location(&self) -> bool {
        self.answers.is_empty() && self.links.is_empty() && self.asks_location.is_some()
    }
}

fn joined(lines: impl IntoIterator<Item = String>, by: &str) -> String {
    lines.into_iter().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join(by)
}

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

fn ask(frame: &Frame<'_>, offers: &Offers<'_>) -> Result<Value, Outcome> {
    if offers.only_asks_location() {
        let body = joined([frame.title, &offers.below(frame.body, 0), frame.footer].map(str::to_owned), "\n");
        check("body", &body, 1..=QUESTION)?;
        let action = json!({ "name": "send_location" });
        let asked = json!({ "type": "location_request_message", "body": { "text": body }, "action": action });
        return Ok(of_type("interactive", asked));
    }
    let (kind, action, shown) = action(offers)?;
    framed(kind, frame, &offers.below(frame.body, shown), QUESTION, action)
}

/// The buttons, and how many links they show.
fn action(offers: &Offers<'_>) -> Result<(&'static str, Value, usize), Outcome> {
    if offers.answers.is_empty() {
        let (title, url) = offers.links.first().ok_or_else(no_options)?;
        check("option_title", title, 1..=BUTTON)?;
        let parameters = json!({ "display_text": title, "url": url });
        return Ok(("cta_url", json!({ "name": "cta_url", "parameters": parameters }), 1));
    }
    Ok(("button", json!({ "buttons": buttons(offers, "reply")? }), 0))
}

fn buttons(offers: &Offers<'_>, kind: &str) -> Result<Vec<Value>, Outcome> {
    check_options(offers, BUTTONS, BUTTON)?;
    let button = |(option, id): &(&Offered, String)| json!({ "type": kind, kind: { "id": id, "title": option.title } });
    Ok(offers.answers.iter().map(button).collect())
}

/// As many answers as may be, each with a title of its own.
fn check_options(offers: &Offers<'_>, most: usize, title: usize) -> Result<(), Outcome> {
    let count = offers.answers.len();
    if count > most {
        let text = format!("there are {count} answers; {most} are allowed");
        return Err(Outcome::permanent("too_many_options", text));
    }
    for (index, (option, id)) in offers.answers.iter().enumerate() {
        check("option_title", &option.title, 1..=title)?;
        check("option_id", id, 1..=OPTION_ID)?;
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
fn framed(
    kind: &str,
    frame: &Frame<'_>,
    body: &str,
    body_limit: usize,
    action: Value,
) -> Result<Value, Outcome> {
    let short = |text: &str| !text.is_empty() && text.chars().count() <= LABEL;
    let (has_media, is_title) = (frame.media.is_some(), short(frame.title) && !body.is_empty());
    let above = if has_media || !is_title { frame.title } else { "" };
    let below = if short(frame.footer) { "" } else { frame.footer };
    let above = if above.is_empty() || body.is_empty() { above.to_owned() } else { format!("*{above}*") };
    let body = joined([above, body.to_owned(), below.to_owned()], "\n");
    check("body", &body, 1..=body_limit)?;
    let mut interactive = json!({ "type": kind, "body": { "text": body }, "action": action });
    if let Some(media) = frame.media {
        interactive["header"] = media::header(media)?;
    } else if is_title {
        interactive["header"] = json!({ "type": "text", "text": frame.title });
    }
    if short(frame.footer) {
        interactive["footer"] = json!({ "text": frame.footer });
    }
    Ok(of_type("interactive", interactive))
}

pub(super) fn list(list: &ListMenu, body_limit: usize) -> Result<Value, Outcome> {
    let offers = Offers::of(list.sections.iter().flat_map(|section| &section.options));
    if offers.answers.is_empty() {
        return Err(no_options());
    }
    check_options(&offers, ROWS, ROW_TITLE)?;
    let many = list.sections.len() > 1;
    let mut sections = Vec::new();
    for (index, section) in list.sections.iter().enumerate() {
        let rows = Offers::of(&section.options).answers;
        let rows: Vec<Value> = rows.into_iter().map(|(option, id)| row(option, &id)).collect();
        let mut shown = json!({ "rows": rows });
        check("section_title", &section.title, 0..=ROW_TITLE)?;
        if !section.title.is_empty() {
            shown["title"] = section.title.as_str().into();
        } else if many {
            // One of several must be called something.
            shown["title"] = (index + 1).to_string().into();
        }
        if shown["rows"].as_array().is_some_and(|rows| !rows.is_empty()) {
            sections.push(shown);
        }
    }
    let button = if list.button.trim().is_empty() { MENU.to_owned() } else { cut(&list.button, BUTTON) };
    let action = json!({ "button": button, "sections": sections });
    let frame = Frame { title: &list.header, body: &list.body, footer: &list.footer, media: None };
    framed("list", &frame, &offers.below(&list.body, 0), body_limit, action)
}

fn row(option: &Offered, id: &str) -> Value {
    let mut row = json!({ "id": id, "title": option.title });
    if !option.description.is_empty() {
        row["description"] = cut(&option.description, ROW_DESCRIPTION).into();
    }
    row
}

/// What explains is shortened; what is said never is.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit - 1).collect();
    format!("{}…", kept.trim_end())
}

/// A card of its own: a question with a header, or without options a picture with a caption, or a text.
pub(super) fn card(card: &Card, spec: &WhatsAppSpec) -> Result<Value, Outcome> {
    let mut offers = Offers::of(&card.options);
    if !card.url.is_empty() && !offers.links.iter().any(|(_, url)| *url == card.url) {
        offers.links.push(("", &card.url));
    }
    let titled = offers.links.iter().any(|(title, _)| !title.is_empty());
    if !offers.answers.is_empty() || titled || offers.asks_location.is_some() {
        let frame =
            Frame { title: &card.title, body: &card.body, media: card.media.as_ref(), ..Frame::default() };
        return ask(&frame, &offers);
    }
    let text = joined([bold(&card.title), offers.below(&card.body, 0)], "\n");
    match &card.media {
        None => written(&text, spec.preview_url),
        Some(media) => {
            let media = Media { caption: text, ..media.clone() };
            media::message(&media, usize::try_from(spec.caption_limit).unwrap_or(0))
        }
    }
}

fn bold(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!("*{title}*") }
}

pub(super) fn carousel(carousel: &Carousel) -> Result<Value, Outcome> {
    let count = carousel.cards.len();
    if !SLIDES.contains(&count) {
        let text = format!("a carousel has {} to {} cards, not {count}", SLIDES.start(), SLIDES.end());
        return Err(Outcome::permanent("carousel_size", text));
    }
    let cards = carousel.cards.iter().enumerate().map(slide).collect::<Result<Vec<_>, _>>()?;
    // A carousel hangs below a text.
    let titles = || joined(carousel.cards.iter().map(|card| card.title.clone()), " · ");
    let body = if carousel.body.is_empty() { titles() } else { carousel.body.clone() };
    framed("carousel", &Frame::default(), &body, QUESTION, json!({ "cards": cards }))
}

fn slide((index, card): (usize, &Card)) -> Result<Value, Outcome> {
    let mut offers = Offers::of(&card.options);
    if !card.url.is_empty() {
        offers.links.push((&card.title, &card.url));
    }
    let (action, shown) = if offers.answers.is_empty() {
        let (title, url) = offers.links.first().ok_or_else(no_options)?;
        let parameters = json!({ "display_text": cut(title, BUTTON), "url": url });
        (json!({ "name": "cta_url", "parameters": parameters }), 1)
    } else {
        (json!({ "buttons": buttons(&offers, "quick_reply")? }), 0)
    };
    // A slide has few lines.
    let text = joined([bold(&card.title), offers.below(&card.body, shown).replace('\n', " ")], "\n");
    check("slide", &text, 0..=SLIDE)?;
    let mut slide = json!({ "card_index": index, "type": "cta_url", "action": action });
    if let Some(media) = &card.media {
        slide["header"] = media::header(media)?;
    }
    if !text.is_empty() {
        slide["body"] = json!({ "text": text });
    }
    Ok(slide)
}
