//! Reading the parts of an event, and naming what is wrong with them by JSON pointer (RFC 6901).

use heliograph_channel::Refusal;
use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, Content, Media, MediaKind, MessageReference, content::Kind as ContentKind,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::payload;

/// What was said, as one content each.
pub(crate) fn contents(
    text: String,
    attachments: Vec<payload::Attachment>,
    content: Option<Content>,
) -> Result<Vec<Content>, Refusal> {
    if let Some(content) = content {
        return match &content.kind {
            Some(_) if text.is_empty() && attachments.is_empty() => Ok(vec![content]),
            Some(_) => Err(malformed("/data/content", "stands alone, without `text` and `attachments`")),
            None => Err(malformed("/data/content", "holds no kind of content that is known")),
        };
    }
    if attachments.is_empty() {
        if text.is_empty() {
            return Err(malformed(
                "/data/text",
                "one of `text`, `attachments` and `content` must say something",
            ));
        }
        return Ok(vec![content::text(text)]);
    }
    let mut caption = Some(text);
    attachments
        .into_iter()
        .enumerate()
        .map(|(index, attachment)| media(index, attachment, caption.take().unwrap_or_default()))
        .collect()
}

fn media(index: usize, attachment: payload::Attachment, caption: String) -> Result<Content, Refusal> {
    let web = url::Url::parse(&attachment.url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !web {
        return Err(malformed(&format!("/data/attachments/{index}/url"), "is not an http or https URL"));
    }
    let kind = match attachment.content_type.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::File,
    };
    Ok(Content {
        kind: Some(ContentKind::Media(Media {
            kind: kind.into(),
            url: attachment.url,
            content_type: attachment.content_type,
            file_name: attachment.name,
            size_bytes: attachment.size.max(0),
            caption,
            ..Media::default()
        })),
    })
}

pub(crate) fn address(pointer: &str, person: payload::Person, keep: &mut bool) -> Result<Address, Refusal> {
    *keep |= !person.unknown.is_empty();
    if person.id.is_empty() {
        return Err(malformed(&format!("{pointer}/id"), "is empty; answers are addressed to it"));
    }
    let digits = person.phone.strip_prefix('+').unwrap_or_default();
    let e164 = (7..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !person.phone.is_empty() && !e164 {
        return Err(malformed(&format!("{pointer}/phone"), "is not an E.164 number such as +6493070700"));
    }
    Ok(Address {
        user_id: person.id,
        display_name: person.name,
        phone: person.phone,
        email: person.email,
        locale: person.locale,
        country: person.country,
        ..Address::default()
    })
}

/// Our ids begin with `msg_`; every other id is theirs.
pub(crate) fn reference(id: String) -> Option<MessageReference> {
    match id.as_str() {
        "" => None,
        ours if ours.starts_with("msg_") => {
            Some(MessageReference { message_id: id, provider_message_id: String::new() })
        }
        _ => Some(MessageReference { message_id: String::new(), provider_message_id: id }),
    }
}

pub(crate) fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Reads `json`, which stands at `pointer` in the body.
pub(crate) fn read<T: DeserializeOwned>(pointer: &str, json: Value) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let mut pointer = pointer.to_owned();
        for segment in error.path() {
            pointer.push('/');
            pointer.push_str(
                &segment.to_string().trim_matches(['[', ']']).replace('~', "~0").replace('/', "~1"),
            );
        }
        malformed(&pointer, error.inner().to_string())
    })
}

pub(crate) fn malformed(pointer: &str, problem: impl std::fmt::Display) -> Refusal {
    let pointer = if pointer.is_empty() { "the body" } else { pointer };
    Refusal::Malformed(format!("{pointer}: {problem}"))
}
