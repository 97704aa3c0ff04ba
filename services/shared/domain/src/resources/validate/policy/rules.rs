//! Rules: which messages, and what is asked for.

use std::collections::BTreeSet;

use super::{Check, Names};
use crate::resources::{AtMost, ChannelPolicySpec, Effect, PolicyRule, QuietHours, Scope, Way};

/// Most messages a cap may count: what is remembered of each contact.
const MOST_COUNTED: u32 = 50;
/// Longest time a cap may look back, in days.
const LONGEST_CAP: u64 = 31;
/// Milliseconds of a day.
const DAY: u64 = 86_400_000;
/// Minutes of a day.
const DAY_MINUTES: u16 = 1_440;

impl Check<'_> {
    pub(super) fn rules(&mut self, spec: &ChannelPolicySpec, names: &Names<'_>) {
        let mut seen = BTreeSet::new();
        for (index, rule) in spec.rules.iter().enumerate() {
            let path = format!("spec.rules[{index}]");
            let name = format!("{path}.name");
            self.name(&name, &rule.name);
            self.unique(&mut seen, &name, "rule", &rule.name);
            self.scope(&format!("{path}.match"), &rule.scope, names);
            self.meaning(&path, rule);
            self.effect(&format!("{path}.then"), &rule.then);
        }
    }

    /// What a rule says as a whole.
    fn meaning(&mut self, path: &str, rule: &PolicyRule) {
        if rule.when.as_ref().is_some_and(|when| when.trim().is_empty()) {
            self.fail(&format!("{path}.when"), "the condition is empty; leave it out to mean always");
        }
        if rule.then == Effect::Deny {
            if rule.scope == Scope::default() && rule.when.is_none() {
                self.fail(path, "forbids everything: say in match or when which messages");
            }
        } else if rule.scope.direction == Some(Way::Inbound) {
            let message = "only deny looks at what comes in; leave direction out, or write outbound";
            self.fail(&format!("{path}.match.direction"), message);
        }
    }

    /// What a rule asks for. Whether its calendar exists is asked with all other references.
    fn effect(&mut self, path: &str, effect: &Effect) {
        match effect {
            Effect::Deny | Effect::NeedsConsent | Effect::NeedsTemplate | Effect::Hours(_) => {}
            Effect::UseChannel(channels) => {
                let path = format!("{path}.use_channel");
                if channels.is_empty() {
                    self.fail(&path, "name at least one channel; to use none is deny");
                }
                self.channels(&path, channels);
            }
            Effect::QuietHours(QuietHours { from, to }) => {
                if from.minutes() % DAY_MINUTES == to.minutes() % DAY_MINUTES {
                    let message = format!("{to} is when it begins, so the quiet would never end");
                    self.fail(&format!("{path}.quiet_hours.to"), message);
                }
            }
            Effect::AtMost(AtMost { messages, per }) => {
                let path = format!("{path}.at_most");
                if !(1..=MOST_COUNTED).contains(messages) {
                    let message =
                        format!("{messages} is out of range; caps count 1 to {MOST_COUNTED} messages");
                    self.fail(&format!("{path}.messages"), message);
                }
                if per.as_millis() == 0 || per.as_millis() > LONGEST_CAP * DAY {
                    let message = format!(
                        "{per} is out of range; caps look back more than 0s and at most {LONGEST_CAP}d"
                    );
                    self.fail(&format!("{path}.per"), message);
                }
            }
            Effect::Sender(kinds) => {
                let path = format!("{path}.sender");
                if kinds.is_empty() {
                    self.fail(&path, "name at least one kind of sender; to allow none is deny");
                }
                let mut seen = BTreeSet::new();
                for (index, kind) in kinds.iter().enumerate() {
                    if !seen.insert(kind) {
                        self.fail(&format!("{path}[{index}]"), format!("{} is listed twice", kind.as_str()));
                    }
                }
            }
        }
    }
}
