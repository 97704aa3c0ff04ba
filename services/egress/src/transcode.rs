//! What a channel cannot show becomes what it can, and says so. Pure.
//!
//! Nothing is dropped silently: every change is a [`Reason`], and content that has no form on a channel at all is an
//! error with its reason.

mod fit;
mod flatten;
mod markup;
mod split;

use heliograph_domain::{
    content::{self, kind_name},
    resources::WindowTemplate,
};
use heliograph_proto::v1::{
    Capabilities, Content, Reason, Template, TemplateComponent, TemplateParameter, Text, TextFormat,
    content::Kind, template_parameter,
};

pub use flatten::Numbered;

/// How a file that we keep can be linked to: from its id (`med_…`) to a URL that customers can open, if there is one.
pub type Link<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Content ready for a channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcoded {
    /// What to send, in order; never empty.
    pub parts: Vec<Content>,
    /// Every change, machine-readable; empty when the content goes out as it is.
    pub reasons: Vec<Reason>,
    /// Options that were numbered, in order: a reply "2" means the second.
    pub numbered: Vec<Numbered>,
}

/// Content that has no form on the channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Untranslatable {
    /// Stable, e.g. `transcode.deletion_not_supported`.
    pub code: String,
    /// For people.
    pub text: String,
}

/// Fits `content` to what `capabilities` can show; a file that it cannot becomes a `link`.
///
/// # Errors
/// When it has no form there: a deletion on a channel without deletions, or nothing at all.
pub fn transcode(
    content: &Content,
    capabilities: &Capabilities,
    link: &Link<'_>,
) -> Result<Transcoded, Untranslatable> {
    let Some(kind) = &content.kind else {
        return Err(untranslatable("transcode.empty", "the message has no content"));
    };
    let mut out = Transcoded::default();
    add(kind, capabilities, link, &mut out)?;
    if out.parts.is_empty() {
        return Err(untranslatable("transcode.empty", "there is nothing left to show"));
    }
    Ok(out)
}

/// Adds `kind` to what goes out: as it is, as other kinds that say the same, or as text.
fn add(
    kind: &Kind,
    capabilities: &Capabilities,
    link: &Link<'_>,
    out: &mut Transcoded,
) -> Result<(), Untranslatable> {
    let parts = if let Kind::Text(text) = kind {
        let body = readable(text, capabilities, &mut out.reasons);
        text_parts_as(text, &body, capabilities, &mut out.reasons)
    } else if fit::fits(kind, capabilities) {
        native(kind, capabilities, &mut out.reasons)
    } else if let Some((pieces, reason)) = fit::instead(kind, capabilities) {
        out.reasons.push(reason);
        return pieces.iter().try_for_each(|piece| add(piece, capabilities, link, out));
    } else {
        let code = format!("transcode.{}_to_text", kind_name(kind));
        let text = format!("{} cannot show {}: it goes out as text", capabilities.channel, words(kind));
        out.reasons.push(reason(&code, &text));
        let plain = flatten::to_text(kind, link, out)?;
        text_parts(&plain, capabilities, &mut out.reasons)
    };
    out.parts.extend(parts);
    Ok(())
}

/// What was to be said, as a template of the tenant's policy.
pub fn in_template(content: &Content, template: &WindowTemplate) -> Content {
    let said = content::preview(content);
    let parameter = template.text_parameter.as_ref().map(|name| TemplateParameter {
        name: name.clone(),
        value: Some(template_parameter::Value::Text(said.clone())),
    });
    let body = parameter.map(|parameter| TemplateComponent {
        part: "body".to_owned(),
        index: 0,
        parameters: vec![parameter],
    });
    // Without a parameter for it, the customer does not read what was written.
    let rendered = if body.is_some() { said } else { String::new() };
    let template = Template {
        name: template.name.clone(),
        language: template.language.clone(),
        components: body.into_iter().collect(),
        rendered,
        provider_template_id: String::new(),
    };
    Content { kind: Some(Kind::Template(template)) }
}

/// Content the channel shows itself; only the words on a list's button may be too long.
fn native(kind: &Kind, capabilities: &Capabilities, reasons: &mut Vec<Reason>) -> Vec<Content> {
    if let Kind::List(list) = kind
        && let Some(list) = fit::with_short_button(list, capabilities)
    {
        reasons.push(reason("transcode.button_cut", "the words on the list's button are too long"));
        return vec![Content { kind: Some(Kind::List(list)) }];
    }
    vec![Content { kind: Some(kind.clone()) }]
}

/// The body as the channel can show it: markup it does not know is taken off, a subject it has no line for goes first.
fn readable(text: &Text, capabilities: &Capabilities, reasons: &mut Vec<Reason>) -> String {
    let known = text.format() == TextFormat::Unspecified
        || text.format() == TextFormat::Plain
        || capabilities.formats.contains(&text.format);
    let mut body = if known {
        text.body.clone()
    } else {
        reasons.push(reason("transcode.markup_removed", "the channel shows plain text"));
        match text.format() {
            TextFormat::Html => markup::html_to_plain(&text.body),
            _ => markup::markdown_to_plain(&text.body),
        }
    };
    if !text.subject.is_empty() && capabilities.channel != "email" {
        body = format!("{}\n{body}", text.subject);
        reasons.push(reason("transcode.subject_inlined", "the channel has no subject line"));
    }
    body
}

fn text_parts(body: &str, capabilities: &Capabilities, reasons: &mut Vec<Reason>) -> Vec<Content> {
    let limit = usize::try_from(capabilities.text_limit).unwrap_or(0);
    let parts = split::split(body, limit, capabilities.text_unit());
    if parts.len() > 1 {
        let text = format!("the text is longer than {limit} and goes out in {} parts", parts.len());
        reasons.push(reason("transcode.text_split", &text));
    }
    parts.into_iter().map(content::text).collect()
}

/// Like [`text_parts`], keeping what the channel understands of the original.
fn text_parts_as(
    original: &Text,
    body: &str,
    capabilities: &Capabilities,
    reasons: &mut Vec<Reason>,
) -> Vec<Content> {
    let changed = body != original.body;
    let mut parts = text_parts(body, capabilities, reasons);
    if !changed && let [Content { kind: Some(Kind::Text(only)) }] = parts.as_mut_slice() {
        original.clone_into(only);
    }
    parts
}

fn words(kind: &Kind) -> String {
    match kind {
        Kind::Media(media) => format!("this {}", content::media_word(media)),
        other => format!("a {}", kind_name(other).replace('_', " ")),
    }
}

fn reason(code: &str, text: &str) -> Reason {
    Reason { code: code.to_owned(), text: text.to_owned(), detail: None }
}

fn untranslatable(code: &str, text: &str) -> Untranslatable {
    Untranslatable { code: code.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests;
