//! Which events a subscriber wants. Pure.
//!
//! What can be said in NATS subjects is filtered by the broker; where that would take too many subjects, the broker
//! filters by what it can and the rest is filtered here. Both say the same.

use heliograph_fabric::subjects::{EventFilter, SubjectError};
use heliograph_proto::v1::Event;

use crate::error::Refusal;

/// Most subjects one consumer is given.
const SUBJECTS: usize = 32;
/// Most values of one field.
const VALUES: usize = 256;

/// What matches. An empty field matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) regions: Vec<String>,
    pub(crate) channels: Vec<String>,
    pub(crate) conversations: Vec<String>,
    /// A type, as `message.received`, or its noun alone.
    pub(crate) types: Vec<String>,
}

impl Wanted {
    /// Without repetitions, and without types that another one covers: subjects of a consumer must not overlap.
    pub(crate) fn tidy(mut self) -> Result<Self, Refusal> {
        for (name, values) in [
            ("regions", &mut self.regions),
            ("channels", &mut self.channels),
            ("conversations", &mut self.conversations),
            ("types", &mut self.types),
        ] {
            if values.len() > VALUES {
                return Err(Refusal::BadFilter(format!("{name}: at most {VALUES}")));
            }
            values.sort_unstable();
            values.dedup();
        }
        let nouns: Vec<String> = self.types.iter().filter(|kind| !kind.contains('.')).cloned().collect();
        self.types.retain(|kind| match kind.split_once('.') {
            Some((noun, _)) => !nouns.iter().any(|covering| covering == noun),
            None => true,
        });
        Ok(self)
    }

    /// The subjects the broker filters by. They cover everything wanted, and more when there would be too many.
    pub(crate) fn subjects(&self, tenant: &str) -> Result<Vec<String>, Refusal> {
        // Every value is checked, also where the broker is not told it.
        for (part, values) in [("region", &self.regions), ("channel", &self.channels)] {
            for value in values {
                let (region, channel) = if part == "region" {
                    (Some(value.as_str()), None)
                } else {
                    (None, Some(value.as_str()))
                };
                subject(EventFilter { tenant, region, channel, ..EventFilter::default() })?;
            }
        }
        for conversation in &self.conversations {
            subject(EventFilter { tenant, conversation: Some(conversation), ..EventFilter::default() })?;
        }
        for kind in &self.types {
            subject(EventFilter { tenant, kind: Some(kind), ..EventFilter::default() })?;
        }
        // Fields are given up from the one that says least, until the rest is few enough.
        let fields = [&self.conversations, &self.types, &self.channels, &self.regions];
        let mut used = 0;
        let mut product = 1_usize;
        for values in fields {
            product = product.saturating_mul(values.len().max(1));
            if product > SUBJECTS {
                break;
            }
            used += 1;
        }
        let told = |at: usize| -> Vec<Option<&str>> {
            let values = fields[at];
            if at >= used || values.is_empty() {
                vec![None]
            } else {
                values.iter().map(|value| Some(value.as_str())).collect()
            }
        };
        let mut subjects = Vec::new();
        for conversation in told(0) {
            for kind in told(1) {
                for channel in told(2) {
                    for region in told(3) {
                        subjects.push(subject(EventFilter { tenant, region, channel, conversation, kind })?);
                    }
                }
            }
        }
        Ok(subjects)
    }

    /// Whether an event matches.
    pub(crate) fn matches(&self, event: &Event) -> bool {
        let any =
            |values: &[String], value: &str| values.is_empty() || values.iter().any(|wanted| wanted == value);
        any(&self.regions, or_none(&event.region))
            && any(&self.channels, or_none(&event.channel))
            && any(&self.conversations, or_none(&event.conversation))
            && self.matches_type(&event.r#type)
    }

    fn matches_type(&self, kind: &str) -> bool {
        let noun = kind.split_once('.').map_or(kind, |(noun, _)| noun);
        self.types.is_empty() || self.types.iter().any(|wanted| wanted == kind || wanted == noun)
    }
}

fn or_none(value: &str) -> &str {
    if value.is_empty() { heliograph_fabric::subjects::NONE } else { value }
}

fn subject(filter: EventFilter<'_>) -> Result<String, Refusal> {
    filter.subject().map_err(|error: SubjectError| Refusal::BadFilter(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn event(region: &str, channel: &str, kind: &str) -> Event {
        Event {
            region: region.to_owned(),
            channel: channel.to_owned(),
            r#type: kind.to_owned(),
            ..Event::default()
        }
    }

    #[test]
    fn nothing_asked_for_is_everything_of_the_tenant() {
        let all = Wanted::default().tidy().unwrap();
        assert_eq!(all.subjects("acme").unwrap(), ["hg.event.acme.*.*.*.*.*"]);
        assert!(all.matches(&event("", "", "agent.presence_changed")));
    }

    #[test]
    fn covered_types_are_left_out_because_subjects_must_not_overlap() {
        let types = names(&["message.received", "message", "message", "conversation.closed"]);
        let wanted = Wanted { types, channels: names(&["sms"]), ..Wanted::default() }.tidy().unwrap();
        assert_eq!(
            wanted.subjects("acme").unwrap(),
            ["hg.event.acme.*.sms.*.conversation.closed", "hg.event.acme.*.sms.*.message.*"]
        );
        assert!(wanted.matches(&event("x", "sms", "message.read")));
        assert!(!wanted.matches(&event("x", "wechat", "message.read")));
        assert!(!wanted.matches(&event("x", "sms", "conversation.opened")));
    }

    #[test]
    fn too_many_subjects_are_filtered_here_instead() {
        let many: Vec<String> = (0..20).map(|n| format!("cnv_{n}")).collect();
        let wanted = Wanted { conversations: many, types: names(&["a.b", "c.d"]), ..Wanted::default() };
        let subjects = wanted.tidy().unwrap().subjects("acme").unwrap();
        assert_eq!(subjects.len(), 20, "conversations alone are told to the broker");
        assert!(subjects.iter().all(|subject| subject.ends_with(".*.*")));
    }

    #[test]
    fn no_value_widens_a_filter() {
        for bad in ["*", ">", "a.>", "", "a b"] {
            for wanted in [
                Wanted { regions: names(&[bad]), ..Wanted::default() },
                Wanted { conversations: names(&[bad]), ..Wanted::default() },
                Wanted { types: names(&[bad]), ..Wanted::default() },
            ] {
                assert!(wanted.subjects("acme").is_err(), "{wanted:?}");
            }
        }
    }
}
