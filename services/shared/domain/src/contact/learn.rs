//! What contacts learn: from messages, and from one another.

use super::{Attribute, Contact, Hints, day};

/// What is known of a customer beside attributes.
const PLAIN: [&str; 4] = ["display_name", "locale", "country", "time_zone"];
/// Stands before the name of an attribute among the names of what is known.
const ATTRIBUTE: &str = "attributes.";

impl Contact {
    /// Names of what `other` knows and this contact does not, or only unverified.
    pub fn gaps(&self, other: &Self) -> Vec<String> {
        let mut gaps = Vec::new();
        for name in PLAIN {
            if self.plain(name).is_none() && other.plain(name).is_some() {
                gaps.push(name.to_owned());
            }
        }
        for (name, theirs) in &other.attributes {
            let wanted = self.attributes.get(name).is_none_or(|ours| theirs.verified && !ours.verified);
            if wanted {
                gaps.push(format!("{ATTRIBUTE}{name}"));
            }
        }
        gaps
    }

    /// Takes in what `other` knows and this contact does not.
    pub fn fill(&mut self, other: &Self) {
        for gap in self.gaps(other) {
            if let Some(name) = gap.strip_prefix(ATTRIBUTE) {
                if let Some(theirs) = other.attributes.get(name) {
                    self.attributes.insert(name.to_owned(), theirs.clone());
                }
            } else if let Some(ours) = self.plain_mut(&gap) {
                *ours = other.plain(&gap).cloned();
            }
        }
        self.first_seen_ms = self.first_seen_ms.min(other.first_seen_ms);
        self.last_seen_ms = self.last_seen_ms.max(other.last_seen_ms);
    }

    /// Forgets what it `gained`, unless it has changed since it was `lent`.
    pub fn unlearn(&mut self, gained: &[String], lent: &Self) {
        for gap in gained {
            if let Some(name) = gap.strip_prefix(ATTRIBUTE) {
                if self.attributes.get(name) == lent.attributes.get(name) {
                    self.attributes.remove(name);
                }
            } else if self.plain(gap) == lent.plain(gap)
                && let Some(ours) = self.plain_mut(gap)
            {
                *ours = None;
            }
        }
    }

    fn plain(&self, name: &str) -> Option<&String> {
        match name {
            "display_name" => self.display_name.as_ref(),
            "locale" => self.locale.as_ref(),
            "country" => self.country.as_ref(),
            "time_zone" => self.time_zone.as_ref(),
            _ => None,
        }
    }

    fn plain_mut(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "display_name" => Some(&mut self.display_name),
            "locale" => Some(&mut self.locale),
            "country" => Some(&mut self.country),
            "time_zone" => Some(&mut self.time_zone),
            _ => None,
        }
    }

    /// Takes in what an inbound message said about its sender; says whether anything changed.
    ///
    /// What is known already stays: a profile may fill a gap, never overwrite a declaration.
    pub fn learn(&mut self, hints: &Hints) -> bool {
        let before = self.clone();
        let fill = |known: &mut Option<String>, hint: &Option<String>| {
            if known.is_none() {
                known.clone_from(hint);
            }
        };
        fill(&mut self.display_name, &hints.display_name);
        fill(&mut self.locale, &hints.locale);
        fill(&mut self.country, &hints.country);
        for (name, value) in &hints.attributes {
            let known = self.attributes.get(name);
            if !known.is_some_and(|known| known.verified) {
                self.attributes.insert(name.clone(), Attribute { value: value.clone(), verified: false });
            }
        }
        self.last_seen_ms = self.last_seen_ms.max(day(hints.seen_at_ms));
        *self != before
    }
}
