//! Consent by words, and what joins addresses.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use crate::resources::{ConsentSettings, IdentitySettings};

/// What replies may have in braces.
const PLACEHOLDER: &str = "name";

impl Check<'_> {
    pub(super) fn consent(&mut self, consent: &ConsentSettings) {
        if let Some(channels) = &consent.channels {
            self.channels("spec.consent.channels", channels);
        }
        let keywords = &consent.keywords;
        let lists = [("stop", &keywords.stop), ("start", &keywords.start), ("help", &keywords.help)];
        // A customer's case and outer blanks do not matter, so words that differ by them alone are one.
        let mut words: BTreeMap<String, &str> = BTreeMap::new();
        for (list, keywords) in lists {
            for (index, keyword) in keywords.iter().enumerate() {
                let path = format!("spec.consent.keywords.{list}[{index}]");
                let word = keyword.trim().to_lowercase();
                if word.is_empty() {
                    self.fail(&path, "the keyword is empty");
                    continue;
                }
                if let Some(other) = words.insert(word, list) {
                    let message = if other == list {
                        format!("keyword {keyword:?} is listed twice")
                    } else {
                        format!("keyword {keyword:?} is among {other} already; a word means one thing")
                    };
                    self.fail(&path, message);
                }
            }
        }
        let replies = &consent.replies;
        for (list, replies) in [("stop", &replies.stop), ("start", &replies.start), ("help", &replies.help)] {
            for (language, text) in replies {
                let path = format!("spec.consent.replies.{list}.{language}");
                self.language(&path, language);
                self.reply(&path, text);
            }
        }
    }

    fn reply(&mut self, path: &str, text: &str) {
        if text.trim().is_empty() {
            self.fail(path, "the reply is empty; leave it out to use ours");
        }
        for (_, rest) in text.match_indices('{').map(|(at, _)| text.split_at(at + 1)) {
            if let Some((name, _)) = rest.split_once('}')
                && name != PLACEHOLDER
            {
                let message = format!(
                    "{{{name}}} is not known; {{{PLACEHOLDER}}} stands for the tenant's display name"
                );
                self.fail(path, message);
            }
        }
    }

    pub(super) fn identity(&mut self, identity: &IdentitySettings) {
        let mut seen = BTreeSet::new();
        for (index, by) in identity.join.iter().enumerate() {
            if !seen.insert(by) {
                self.fail(&format!("spec.identity.join[{index}]"), "is listed twice");
            }
        }
    }
}
