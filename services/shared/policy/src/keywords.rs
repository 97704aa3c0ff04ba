//! Consent by words: what customers send alone to get no more messages, to get them again, or to ask for help.
//!
//! A word counts when it is the whole message: case, widths, diacritics, spaces, quotes and punctuation around it make no
//! difference, and anything more does. "STOP sending me the other ones" is for an agent to read.
//!
//! The English words are those that carriers in the United States ask for: the CTIA's Messaging Principles, and 47 CFR
//! 64.1200(a)(10) on revoking consent. Words of other languages are those that carriers and regulators there have made
//! usual. Where a word that means "stop" is also an ordinary answer, it is left out; the tables say which and why.
//! A tenant may add words of its own; what takes consent away always holds.

mod check;
mod fold;
mod languages;

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use heliograph_domain::resources::ConsentSettings;

use crate::{CompiledPolicy, fault::Faults};
use fold::{fold, without_diacritics};
use languages::{LANGUAGES, Language};

/// Channels on which words are looked for unless a tenant says otherwise.
const CHANNELS: [&str; 1] = ["sms"];
/// Longest message in bytes that can be a word.
const LONGEST: usize = 256;

/// What a word asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeywordKind {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// To be told who writes.
    Help,
}

impl KeywordKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Stop, Self::Start, Self::Help];

    /// The kind as it is written in resources.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Help => "help",
        }
    }
}

/// A word that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyword {
    /// What it asks for.
    pub kind: KeywordKind,
    /// The word as it is listed.
    pub word: String,
    /// The language to answer in, as a BCP 47 tag: that of the customer if the word is used in it, as `STOP` is
    /// everywhere; otherwise that of the word.
    pub language: &'static str,
}

/// What a tenant says about words, ready to be asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    channels: Option<Vec<String>>,
    /// The tenant's own words as they are folded and as they are listed.
    own: HashMap<String, (KeywordKind, String)>,
    replies: [BTreeMap<String, String>; 3],
}

impl Words {
    /// Reads what a tenant says, and finds what is wrong with it.
    pub(crate) fn compile(settings: &ConsentSettings, faults: &mut Faults) -> Self {
        check::check(settings, faults);
        let keywords = &settings.keywords;
        let mut own = HashMap::new();
        // Where one word is listed twice, what asks for less counts.
        for (kind, words) in [
            (KeywordKind::Help, &keywords.help),
            (KeywordKind::Start, &keywords.start),
            (KeywordKind::Stop, &keywords.stop),
        ] {
            for word in words {
                let folded = fold(word);
                if !folded.is_empty() {
                    own.insert(folded, (kind, word.clone()));
                }
            }
        }
        let replies = &settings.replies;
        Self {
            channels: settings.channels.clone(),
            own,
            replies: [replies.stop.clone(), replies.start.clone(), replies.help.clone()],
        }
    }

    /// The word that a message is, if it is one.
    pub(crate) fn keyword(&self, channel: &str, text: &str, locale: &str) -> Option<Keyword> {
        let listened = match &self.channels {
            Some(channels) => channels.iter().any(|known| known == channel),
            None => CHANNELS.contains(&channel),
        };
        if !listened || text.len() > LONGEST {
            return None;
        }
        let folded = fold(text);
        let spoken = Language::of(locale);
        let known = known(&folded, spoken);
        if let Some(stop) = known.as_ref().filter(|known| known.kind == KeywordKind::Stop) {
            return Some(stop.clone());
        }
        let own = self.own.get(&folded).map(|(kind, word)| Keyword {
            kind: *kind,
            word: word.clone(),
            language: spoken.map_or("en", |spoken| spoken.tag),
        });
        own.or(known)
    }

    /// What is answered to a word. `name` is what the tenant calls itself.
    pub(crate) fn reply(&self, kind: KeywordKind, locale: &str, name: &str) -> String {
        let own = &self.replies[kind as usize];
        let spoken = Language::of(locale);
        let same =
            |tag: &str| spoken.is_some_and(|spoken| Language::of(tag).is_some_and(|of| of.tag == spoken.tag));
        let exact = own.iter().find(|(tag, _)| alike(tag, locale));
        let found = exact.or_else(|| own.iter().find(|(tag, _)| same(tag)));
        let text = match (found, spoken) {
            (Some((_, text)), _) => text.as_str(),
            (None, Some(spoken)) => spoken.reply(kind),
            // Nobody knows the customer's language: in English, and rather in the tenant's than in ours.
            (None, None) => own.get("en").map_or_else(|| LANGUAGES[0].reply(kind), String::as_str),
        };
        text.replace("{name}", name)
    }
}

impl CompiledPolicy {
    /// The word that a customer's message is, if it is one and words are looked for on the channel. `locale` is the
    /// customer's, or empty.
    pub fn keyword(&self, channel: &str, text: &str, locale: &str) -> Option<Keyword> {
        self.words.keyword(channel, text, locale)
    }

    /// What is answered to a word, in the language of the locale: in the tenant's words, or in ours. `display_name` is
    /// what the tenant calls itself.
    pub fn reply(&self, kind: KeywordKind, locale: &str, display_name: &str) -> String {
        self.words.reply(kind, locale, display_name)
    }
}

/// A word of a language, folded, that is always known.
struct Known {
    kind: KeywordKind,
    word: &'static str,
    language: &'static Language,
    /// Whether it counts only for customers whose language it is.
    only_here: bool,
}

/// All words, by how they are folded.
static KNOWN: LazyLock<HashMap<String, Vec<Known>>> = LazyLock::new(|| {
    let mut all: HashMap<String, Vec<Known>> = HashMap::new();
    for language in LANGUAGES {
        let everywhere = language.words().map(|(kind, word)| (kind, word, false));
        let here = language.here.iter().map(|(kind, word)| (*kind, *word, true));
        for (kind, word, only_here) in everywhere.chain(here) {
            let folded = fold(word);
            let plain = language.plain.then(|| without_diacritics(&folded)).filter(|plain| *plain != folded);
            for spelling in plain.into_iter().chain([folded]) {
                all.entry(spelling).or_default().push(Known { kind, word, language, only_here });
            }
        }
    }
    all
});

/// The word that a folded message is; with the customer's language, or without.
fn known(folded: &str, spoken: Option<&'static Language>) -> Option<Keyword> {
    let meanings = KNOWN.get(folded)?;
    let is_spoken = |known: &&Known| spoken.is_some_and(|spoken| spoken.tag == known.language.tag);
    let found = meanings.iter().find(is_spoken).or_else(|| meanings.iter().find(|known| !known.only_here))?;
    // English words are used everywhere: carriers print them.
    let borrowed = found.language.tag == "en";
    let language = if borrowed { spoken.unwrap_or(found.language) } else { found.language };
    Some(Keyword { kind: found.kind, word: found.word.to_owned(), language: language.tag })
}

/// Whether two language tags are the same, however they are written.
fn alike(one: &str, other: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    one.len() == other.len() && one.bytes().map(plain).eq(other.bytes().map(plain))
}

#[cfg(test)]
mod tests;
