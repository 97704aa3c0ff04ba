//! The language a customer writes in.

mod detect;

use heliograph_domain::resources::language_skill;

use detect::{Found, detect};

/// Longest tag that becomes a skill, in bytes: what BCP 47 asks software to have room for.
const LONGEST: usize = 35;

/// What there is to tell the language by, the best first. Tags are BCP 47; empty where nothing is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard<'a> {
    /// What the channel says of the message.
    pub said: &'a str,
    /// What the channel says of the address.
    pub address: &'a str,
    /// What is known of the contact.
    pub contact: &'a str,
    /// What the customer wrote.
    pub text: &'a str,
}

/// The language a customer writes in, and how it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Language {
    /// BCP 47 tag; empty when it is not known.
    pub tag: String,
    /// How it is known.
    pub source: LanguageSource,
}

/// How a language is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LanguageSource {
    /// It is not.
    #[default]
    Nothing,
    /// The channel said it of the message.
    Message,
    /// The channel said it of the address.
    Address,
    /// It was known of the contact.
    Contact,
    /// It was detected in the text.
    Detected {
        /// How far that is to be trusted, in percent.
        percent: u8,
        /// What was known of the customer, and does not count for this text; empty if nothing was.
        instead_of: String,
    },
}

impl LanguageSource {
    /// The word for it, in explanations.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Message => "message",
            Self::Address => "address",
            Self::Contact => "contact",
            Self::Detected { .. } => "detected",
        }
    }
}

impl Language {
    /// The language that counts. What the channel says of the message is believed; what is known of the customer is, unless
    /// the text is clearly in another language; where nothing is known, the text tells if it can.
    pub fn of(heard: &Heard<'_>) -> Self {
        let tag = |text: &str| text.trim().replace('_', "-");
        let said = tag(heard.said);
        if !said.is_empty() {
            return Self { tag: said, source: LanguageSource::Message };
        }
        let known = [(heard.address, LanguageSource::Address), (heard.contact, LanguageSource::Contact)]
            .map(|(text, source)| Self { tag: tag(text), source })
            .into_iter()
            .find(|known| !known.tag.is_empty());
        let Some(found) = detect(heard.text) else { return known.unwrap_or_default() };
        match known {
            Some(known) if !found.overrides(known.primary()) => known,
            known => Self::detected(&found, known.map_or_else(String::new, |known| known.tag)),
        }
    }

    fn detected(found: &Found, instead_of: String) -> Self {
        let percent = found.percent();
        Self { tag: found.tag.to_owned(), source: LanguageSource::Detected { percent, instead_of } }
    }

    /// The language without its region: `pt` of `pt-BR`. It may be in any case.
    pub fn primary(&self) -> &str {
        self.tag.split('-').next().unwrap_or_default()
    }

    /// The skills that speak it, the most specific first: `lang-pt-br`, `lang-pt`. None where it is not known.
    pub fn skills(&self) -> Vec<String> {
        let shaped = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if self.tag.is_empty() || self.tag.len() > LONGEST || !self.tag.bytes().all(shaped) {
            return Vec::new();
        }
        let mut skills = vec![language_skill(&self.tag)];
        if self.primary() != self.tag {
            skills.push(language_skill(self.primary()));
        }
        skills
    }
}

/// Whether a tag is in a range, by the basic filtering of RFC 4647: `pt` holds `pt` and `pt-BR`.
pub(crate) fn in_range(tag: &str, range: &str) -> bool {
    let head = tag.get(..range.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(range))
        && tag.as_bytes().get(range.len()).is_none_or(|next| *next == b'-')
}

#[cfg(test)]
mod tests;
