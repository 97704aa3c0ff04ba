//! Whether a channel shows content as it is, and what it shows in its place.

use heliograph_domain::limits;
use heliograph_proto::v1::{
    Capabilities, Carousel, Choice, ListMenu, ListSection, Media, Reason, Text, TextFormat, content::Kind,
};

use super::{reason, split};

/// What a menu's button says when the menu stands in for a question that had none.
const MENU: &str = "☰";

/// Whether the channel shows this very content, limits included.
pub(super) fn fits(kind: &Kind, capabilities: &Capabilities) -> bool {
    limits::check(kind, capabilities).is_ok()
}

/// Other kinds that together say the same and are closer to it than text; with the reason.
pub(super) fn instead(kind: &Kind, capabilities: &Capabilities) -> Option<(Vec<Kind>, Reason)> {
    match kind {
        Kind::Media(media) => caption_after(media, capabilities),
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

/// The same file without its caption, which follows as text.
fn caption_after(media: &Media, capabilities: &Capabilities) -> Option<(Vec<Kind>, Reason)> {
    let bare = Kind::Media(Media { caption: String::new(), ..media.clone() });
    let why = if capabilities.bare_media.contains(&media.kind) {
        "this file goes without words: the caption follows as text"
    } else {
        "the caption is too long: the caption follows as text"
    };
    let after = !media.caption.is_empty() && fits(&bare, capabilities);
    after.then(|| (vec![bare, plain(media.caption.clone())], reason("transcode.caption_split", why)))
}

/// The same question below the first part of its long body.
fn shorter(kind: &Kind, capabilities: &Capabilities) -> Option<(Vec<Kind>, Reason)> {
    let body = match kind {
        Kind::Choice(choice) => &choice.body,
        Kind::List(list) => &list.body,
        _ => return None,
    };
    let limit = limits::room_for_body(kind, capabilities)?;
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

/// The list with as much of its button's words as have room; none when all have.
pub(super) fn with_short_button(list: &ListMenu, capabilities: &Capabilities) -> Option<ListMenu> {
    let limit = usize::try_from(capabilities.list_button_limit).ok().filter(|limit| *limit > 0)?;
    let button = limits::cut(&list.button, limit, limits::label_unit(capabilities));
    (button != list.button).then(|| ListMenu { button, ..list.clone() })
}
