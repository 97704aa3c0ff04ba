//! Whether a channel shows content as it is, and what it shows in its place.

use heliograph_domain::content::{kind_name, options};
use heliograph_proto::v1::{
    Answer, Capabilities, Card, Carousel, Choice, ListMenu, ListSection, Media, Option as Offered, Reason,
    Text, TextFormat, TextUnit, content::Kind, option::Action,
};

use super::{measure, reason, split};

/// What a menu's button says when the menu stands in for a question that had none.
const MENU: &str = "☰";

/// Line breaks and marks of emphasis around what stands in a body.
const MARKS: usize = 4;

/// Whether the channel shows this very content, limits included.
pub(super) fn fits(kind: &Kind, capabilities: &Capabilities) -> bool {
    if !capabilities.content.iter().any(|name| name == kind_name(kind)) {
        return false;
    }
    match kind {
        Kind::Choice(choice) => {
            within(capabilities.choice_limit, choice.options.len())
                && body_fits(kind, &choice.body, capabilities)
                && options_fit(kind, capabilities.option_title_limit, capabilities)
        }
        Kind::List(list) => {
            let titles = match capabilities.list_title_limit {
                0 => capabilities.option_title_limit,
                limit => limit,
            };
            within(capabilities.list_limit, options(kind).len())
                && body_fits(kind, &list.body, capabilities)
                && list.sections.iter().all(|section| {
                    is_short(&section.title, capabilities.list_section_limit, label_unit(capabilities))
                })
                && options_fit(kind, titles, capabilities)
        }
        Kind::Card(card) => card_fits(card, capabilities),
        Kind::Carousel(carousel) => {
            within(capabilities.card_limit, carousel.cards.len())
                && has_place(&carousel.body, capabilities)
                && carousel.cards.len() >= usize::try_from(capabilities.carousel_least).unwrap_or(0)
                && carousel.cards.iter().all(|card| card_fits(card, capabilities))
        }
        Kind::Media(media) => takes(media, capabilities),
        _ => true,
    }
}

/// Other kinds that together say the same and are closer to it than text; with the reason.
pub(super) fn instead(kind: &Kind, capabilities: &Capabilities) -> Option<(Vec<Kind>, Reason)> {
    match kind {
        Kind::Choice(choice) => {
            let list = as_menu(choice);
            let listed = shorter(kind, capabilities).or_else(|| as_list(&list, capabilities));
            listed.or_else(|| shorter(&list, capabilities))
        }
        Kind::List(list) => shorter(kind, capabilities).or_else(|| as_choice(list, capabilities)),
        Kind::Carousel(carousel) => {
            body_ahead(carousel, capabilities).or_else(|| as_cards(carousel, capabilities))
        }
        _ => None,
    }
}

/// The same question below the first part of its long body.
fn shorter(kind: &Kind, capabilities: &Capabilities) -> Option<(Vec<Kind>, Reason)> {
    let body = match kind {
        Kind::Choice(choice) => &choice.body,
        Kind::List(list) => &list.body,
        _ => return None,
    };
    let limit = usize::try_from(body_limit(kind, capabilities)).unwrap_or(0);
    let limit = limit.checked_sub(beside(kind, capabilities)).filter(|limit| *limit > 0)?;
    let mut pieces = split::split(body, limit, capabilities.text_unit());
    let last = pieces.pop().filter(|_| !pieces.is_empty())?;
    let question = match kind.clone() {
        Kind::Choice(choice) => Kind::Choice(Choice { body: last, ..choice }),
        Kind::List(list) => Kind::List(ListMenu { body: last, ..list }),
        _ => return None,
    };
    if !fits(&question, capabilities) {
        return None;
    }
    let why = format!("a question may be {limit} long here: the beginning goes ahead as text");
    let ahead = pieces.into_iter().map(plain);
    Some((ahead.chain([question]).collect(), reason("transcode.body_split", &why)))
}

fn as_list(list: &Kind, capabilities: &Capabilities) -> Option<(Vec<Kind>, Reason)> {
    let why = format!("{} shows these answers as a list", capabilities.channel);
    fits(list, capabilities).then(|| (vec![list.clone()], reason("transcode.choice_to_list", &why)))
}

fn as_menu(choice: &Choice) -> Kind {
    let section = ListSection { title: String::new(), options: choice.options.clone() };
    Kind::List(ListMenu {
        body: choice.body.clone(),
        button: MENU.to_owned(),
        sections: vec![section],
        header: String::new(),
        footer: choice.footer.clone(),
    })
}

fn as_choice(list: &ListMenu, capabilities: &Capabilities) -> Option<(Vec<Kind>, Reason)> {
    let body = [list.header.as_str(), &list.body].map(str::trim);
    let choice = Kind::Choice(Choice {
        body: body.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"),
        options: list.sections.iter().flat_map(|section| section.options.clone()).collect(),
        footer: list.footer.clone(),
        ..Choice::default()
    });
    let why = format!("{} shows this list as answers to tap", capabilities.channel);
    fits(&choice, capabilities).then(|| (vec![choice], reason("transcode.list_to_choice", &why)))
}

fn as_cards(carousel: &Carousel, capabilities: &Capabilities) -> Option<(Vec<Kind>, Reason)> {
    let cards = carousel.cards.iter().cloned().map(Kind::Card);
    let pieces: Vec<Kind> = Some(plain(carousel.body.clone()))
        .filter(|_| !carousel.body.is_empty())
        .into_iter()
        .chain(cards)
        .collect();
    let some = carousel.cards.iter().any(|card| fits(&Kind::Card(card.clone()), capabilities));
    let why = format!("{} shows these cards one by one", capabilities.channel);
    some.then(|| (pieces, reason("transcode.carousel_to_cards", &why)))
}

/// The same cards, below what is said of all of them.
fn body_ahead(carousel: &Carousel, capabilities: &Capabilities) -> Option<(Vec<Kind>, Reason)> {
    let bare = Kind::Carousel(Carousel { body: String::new(), ..carousel.clone() });
    let why = format!("{} has no place for the carousel's body: it goes ahead as text", capabilities.channel);
    let ahead = !carousel.body.is_empty() && fits(&bare, capabilities);
    ahead.then(|| (vec![plain(carousel.body.clone()), bare], reason("transcode.carousel_body_ahead", &why)))
}

fn plain(body: String) -> Kind {
    Kind::Text(Text { body, format: TextFormat::Plain.into(), ..Text::default() })
}

fn card_fits(card: &Card, capabilities: &Capabilities) -> bool {
    let unit = label_unit(capabilities);
    is_short(&card.title, capabilities.card_title_limit, unit)
        && is_short(&card.body, capabilities.card_body_limit, unit)
        && within(capabilities.card_option_limit, card.options.len())
        && card
            .options
            .iter()
            .all(|option| option_fits(option, capabilities.option_title_limit, capabilities))
        && card.media.as_ref().is_none_or(|media| takes(media, capabilities))
}

fn options_fit(kind: &Kind, title_limit: i32, capabilities: &Capabilities) -> bool {
    options(kind).into_iter().all(|option| option_fits(option, title_limit, capabilities))
}

fn option_fits(option: &Offered, title_limit: i32, capabilities: &Capabilities) -> bool {
    let does = match &option.action {
        None | Some(Action::Answer(_)) => "answer",
        Some(Action::Url(_)) => "url",
        Some(Action::Phone(_)) => "phone",
        Some(Action::AskLocation(_)) => "ask_location",
    };
    let able = &capabilities.option_actions;
    let payload = match &option.action {
        Some(Action::Answer(Answer { payload })) => payload.len(),
        _ => 0,
    };
    (able.is_empty() || able.iter().any(|able| able == does))
        && is_short(&option.title, title_limit, label_unit(capabilities))
        && within(capabilities.option_payload_limit, option.id.len() + payload)
}

fn takes(media: &Media, capabilities: &Capabilities) -> bool {
    capabilities.media.is_empty()
        || capabilities.media.iter().any(|able| {
            let small = able.max_bytes == 0 || media.size_bytes <= able.max_bytes;
            let known = able.content_types.is_empty() || able.content_types.contains(&media.content_type);
            able.kind() == media.kind() && small && known
        })
}

/// The longest body of a question: its own limit, else that of any text.
fn body_limit(kind: &Kind, capabilities: &Capabilities) -> i32 {
    let own = match kind {
        Kind::Choice(_) => capabilities.choice_body_limit,
        _ => capabilities.list_body_limit,
    };
    if own > 0 { own } else { capabilities.text_limit }
}

fn body_fits(kind: &Kind, body: &str, capabilities: &Capabilities) -> bool {
    let length = measure::length(body, capabilities.text_unit()) + beside(kind, capabilities);
    within(body_limit(kind, capabilities), length)
}

/// How much of a question's body is taken by its header and footer, where they have no places of their own.
fn beside(kind: &Kind, capabilities: &Capabilities) -> usize {
    let taken = |text: &str, place: i32| {
        let length = measure::length(text, capabilities.text_unit());
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

/// Whether a carousel shows what is said of all its cards.
fn has_place(body: &str, capabilities: &Capabilities) -> bool {
    let limit = match capabilities.carousel_body_limit {
        0 => capabilities.text_limit,
        limit => limit,
    };
    body.is_empty() || (!capabilities.carousel_bare && is_short(body, limit, capabilities.text_unit()))
}

/// The list with as much of its button's words as have room; none when all have.
pub(super) fn with_short_button(list: &ListMenu, capabilities: &Capabilities) -> Option<ListMenu> {
    let (limit, unit) = (capabilities.list_button_limit, label_unit(capabilities));
    let button = || measure::cut(&list.button, usize::try_from(limit).unwrap_or(0), unit);
    (!is_short(&list.button, limit, unit)).then(|| ListMenu { button: button(), ..list.clone() })
}

fn label_unit(capabilities: &Capabilities) -> TextUnit {
    match capabilities.option_unit() {
        TextUnit::Unspecified => capabilities.text_unit(),
        unit => unit,
    }
}

fn is_short(text: &str, limit: i32, unit: TextUnit) -> bool {
    limit <= 0 || within(limit, measure::length(text, unit))
}

fn within(limit: i32, count: usize) -> bool {
    limit <= 0 || count <= usize::try_from(limit).unwrap_or(0)
}
