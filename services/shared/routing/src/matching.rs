//! Whether a rule is about a message.

use heliograph_domain::resources::{RoutingMatch, RoutingRuleSpec};
use heliograph_policy::condition::{Condition, ConditionError};

use crate::{RoutingFacts, facts::Case, language::in_range};

/// First of the scripts that write without spaces, by code point.
const UNSPACED: u32 = 0x2E80;

/// What a rule asks of a message, ready to be looked at.
#[derive(Debug, Clone)]
pub(crate) struct Matching {
    fields: RoutingMatch,
    /// The keywords in lower case.
    keywords: Vec<String>,
    when: Option<Condition<RoutingFacts>>,
}

/// What a message does not have that a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet {
    /// It came by another channel.
    Channel,
    /// The customer is in another region.
    Region,
    /// It came by another account.
    Account,
    /// It is in another language.
    Language,
    /// It has none of the keywords.
    Keywords,
    /// The condition does not hold.
    When,
    /// The condition hangs on something that is not known.
    WhenUnknown,
}

impl Unmet {
    /// The word for it, in explanations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Region => "region",
            Self::Account => "account",
            Self::Language => "language",
            Self::Keywords => "keywords",
            Self::When => "when",
            Self::WhenUnknown => "when_unknown",
        }
    }
}

impl Matching {
    pub(crate) fn compile(spec: &RoutingRuleSpec) -> Result<Self, ConditionError> {
        Ok(Self {
            fields: spec.matches.clone(),
            keywords: spec.matches.keywords.iter().map(|word| word.to_lowercase()).collect(),
            when: spec.when.as_deref().map(Condition::parse).transpose()?,
        })
    }

    /// The first thing that the message does not have; none if the rule is about it.
    pub(crate) fn unmet(&self, case: &Case<'_>) -> Option<Unmet> {
        let about = case.facts.about;
        let elsewhere =
            |names: &[String], name: &str| !names.is_empty() && !names.iter().any(|known| known == name);
        if elsewhere(&self.fields.channels, about.channel.unwrap_or_default()) {
            return Some(Unmet::Channel);
        }
        if elsewhere(&self.fields.regions, &about.region.region) {
            return Some(Unmet::Region);
        }
        if elsewhere(&self.fields.accounts, about.account.unwrap_or_default()) {
            return Some(Unmet::Account);
        }
        let tag = &case.facts.language.tag;
        let languages = &self.fields.languages;
        if !languages.is_empty() && !languages.iter().any(|range| in_range(tag, range)) {
            return Some(Unmet::Language);
        }
        if !self.keywords.is_empty() && !self.keywords.iter().any(|word| has_word(&case.text, word)) {
            return Some(Unmet::Keywords);
        }
        match case.test(self.when.as_ref()?) {
            Some(true) => None,
            Some(false) => Some(Unmet::When),
            None => Some(Unmet::WhenUnknown),
        }
    }
}

/// Whether `word` stands in `text` by itself. Scripts that write without spaces have no word ends to look for.
fn has_word(text: &str, word: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    let spaced = |character: Option<char>| {
        character.is_some_and(|it| it.is_alphanumeric() && u32::from(it) < UNSPACED)
    };
    let (first, last) = (spaced(word.chars().next()), spaced(word.chars().next_back()));
    text.match_indices(word).any(|(at, _)| {
        let before = spaced(text[..at].chars().next_back());
        let after = spaced(text[at + word.len()..].chars().next());
        !(first && before || last && after)
    })
}
