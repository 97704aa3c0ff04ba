//! Every kind of content as text.

use heliograph_domain::content;
use heliograph_proto::v1::{
    Card, ContactCard, Location, Media, Option as Answer, content::Kind, option::Action,
};

use super::{Link, Transcoded, Untranslatable, reason, untranslatable};

/// An option that was given a number: what a reply with it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// `Option.id`.
    pub id: String,
    /// `Option.title`.
    pub title: String,
    /// `Answer.payload`.
    pub payload: String,
}

/// `kind` as text; options that can be answered get numbers, noted in `out`.
pub(super) fn to_text(kind: &Kind, link: &Link<'_>, out: &mut Transcoded) -> Result<String, Untranslatable> {
    let text = match kind {
        Kind::Text(text) => text.body.clone(),
        Kind::Media(it) => media(it, link, out),
        Kind::Location(it) => location(it),
        Kind::ContactCard(it) => contact(it),
        Kind::Choice(choice) => {
            let options: Vec<&Answer> = choice.options.iter().collect();
            lines(&[&choice.body, &numbered(&options, out), &choice.footer])
        }
        Kind::List(list) => {
            let mut text = lines(&[&list.header, &list.body]);
            for section in &list.sections {
                let options: Vec<&Answer> = section.options.iter().collect();
                text = lines(&[&text, &section.title, &numbered(&options, out)]);
            }
            lines(&[&text, &list.footer])
        }
        Kind::Card(it) => card(it, link, out),
        Kind::Carousel(carousel) => {
            let cards: Vec<String> = carousel.cards.iter().map(|it| card(it, link, out)).collect();
            lines(&[&carousel.body, &cards.join("\n\n")])
        }
        Kind::Template(template) if template.rendered.is_empty() => {
            let text = format!(
                "the channel has no templates, and `{}` comes without the text it stands for (`rendered`)",
                template.name
            );
            return Err(untranslatable("transcode.template_not_rendered", &text));
        }
        Kind::Template(template) => template.rendered.clone(),
        Kind::Reaction(reaction) if reaction.emoji.is_empty() => {
            let text = "taking a reaction back has no form on this channel";
            return Err(untranslatable("transcode.reaction_not_supported", text));
        }
        Kind::Reaction(reaction) => reaction.emoji.clone(),
        Kind::Edit(edit) => {
            let inner = edit.content.as_ref().and_then(|content| content.kind.as_ref());
            match inner {
                Some(inner) => format!("Correction: {}", to_text(inner, link, out)?),
                None => return Err(untranslatable("transcode.empty", "the edit holds nothing")),
            }
        }
        Kind::Deletion(_) => {
            let text = "a message that was sent cannot be taken back on this channel";
            return Err(untranslatable("transcode.deletion_not_supported", text));
        }
        Kind::CallSignal(_) => {
            return Err(untranslatable("transcode.call_not_supported", "the channel has no calls"));
        }
        Kind::Custom(custom) if custom.fallback.is_empty() => {
            let text = format!("`{}` has no form on this channel and no fallback text", custom.kind);
            return Err(untranslatable("transcode.custom_not_supported", &text));
        }
        Kind::Custom(custom) => custom.fallback.clone(),
        Kind::Selection(selection) => selection.title.clone(),
    };
    Ok(text)
}

fn media(media: &Media, link: &Link<'_>, out: &mut Transcoded) -> String {
    let name = if media.file_name.is_empty() { content::media_word(media) } else { &media.file_name };
    let url = url(media, link, out);
    let file = if url.is_empty() { format!("[{name}]") } else { format!("{name}: {url}") };
    lines(&[&media.caption, &file])
}

/// Where the customer can have the file: where we keep it, or else where its sender said it is. That of a file that came
/// through a provider leads nowhere without credentials, so ours comes first.
fn url(media: &Media, link: &Link<'_>, out: &mut Transcoded) -> String {
    let ours = Some(media.object_id.as_str()).filter(|id| !id.is_empty()).and_then(link);
    let theirs = || Some(media.url.clone()).filter(|url| url.starts_with("http"));
    ours.or_else(theirs).unwrap_or_else(|| {
        let hint = if media.object_id.is_empty() { "" } else { "; set `media.public_url`" };
        let why = format!("the file stays behind: there is no link to it{hint}");
        out.reasons.push(reason("transcode.no_link", &why));
        String::new()
    })
}

fn location(place: &Location) -> String {
    let link = if place.url.is_empty() {
        format!(
            "https://www.openstreetmap.org/?mlat={0}&mlon={1}#map=17/{0}/{1}",
            place.latitude, place.longitude
        )
    } else {
        place.url.clone()
    };
    lines(&[&place.name, &place.address, &link])
}

fn contact(card: &ContactCard) -> String {
    let points = card.phones.iter().chain(&card.emails).chain(&card.urls);
    let points: Vec<&str> = points.map(|point| point.value.as_str()).collect();
    let organization = lines(&[&card.title, &card.organization]).replace('\n', ", ");
    lines(&[&card.formatted_name, &organization, &points.join("\n")])
}

fn card(card: &Card, link: &Link<'_>, out: &mut Transcoded) -> String {
    let picture = card.media.as_ref().map_or_else(String::new, |media| url(media, link, out));
    let options: Vec<&Answer> = card.options.iter().collect();
    lines(&[&card.title, &card.body, &picture, &card.url, &numbered(&options, out)])
}

/// Options as lines. Numbers run through the whole message; links and calls need none.
fn numbered(options: &[&Answer], out: &mut Transcoded) -> String {
    let mut shown = Vec::with_capacity(options.len());
    for option in options {
        shown.push(match &option.action {
            Some(Action::Url(url)) => format!("{}: {url}", option.title),
            Some(Action::Phone(phone)) => format!("{}: {phone}", option.title),
            action => {
                let payload = match action {
                    Some(Action::Answer(answer)) => answer.payload.clone(),
                    _ => String::new(),
                };
                let (id, title) = (option.id.clone(), option.title.clone());
                out.numbered.push(Numbered { id, title, payload });
                let line = format!("{}. {}", out.numbered.len(), option.title);
                if option.description.is_empty() {
                    line
                } else {
                    format!("{line} – {}", option.description)
                }
            }
        });
    }
    shown.join("\n")
}

/// The lines that are not empty.
fn lines(lines: &[&str]) -> String {
    let kept: Vec<&str> = lines.iter().copied().filter(|line| !line.is_empty()).collect();
    kept.join("\n")
}
