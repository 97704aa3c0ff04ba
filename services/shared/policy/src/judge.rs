//! Weighing what the rules say.

use std::{cmp::Reverse, sync::Arc};

use crate::{Outcome, Reason};

/// What the rules said so far.
pub(crate) struct Judge {
    fired: Vec<(Outcome, Reason)>,
    tried: Vec<Reason>,
}

impl Judge {
    /// Nothing was said yet. There is room for what is usually said.
    pub(crate) fn new() -> Self {
        Self { fired: Vec::with_capacity(4), tried: Vec::with_capacity(8) }
    }

    /// Something has a say.
    pub(crate) fn fire(&mut self, outcome: Outcome, reason: Reason) {
        self.fired.push((outcome, reason));
    }

    /// Something was looked at, and has none.
    pub(crate) fn pass(&mut self, reason: Reason) {
        self.tried.push(reason);
    }

    /// The strictest outcome; the reasons that asked for something, with those that decided first; and those tried.
    /// `open` are the channels that are left, in the region's order.
    pub(crate) fn verdict(mut self, open: &[Arc<str>]) -> (Outcome, Vec<Reason>, Vec<Reason>) {
        if self.fired.len() > 1 {
            self.fired.sort_by_key(|(outcome, _)| {
                let until = match outcome {
                    Outcome::Defer(until) => Some(Reverse(*until)),
                    _ => None,
                };
                (outcome.rank(), until)
            });
        }
        let (strictest, _) = self.fired.first().expect("a rule on the region always fires");
        let outcome = match strictest {
            Outcome::UseChannel(_) => self.common(open),
            decided => decided.clone(),
        };
        (outcome, self.fired.into_iter().map(|(_, reason)| reason).collect(), self.tried)
    }

    /// The channels that everything which asks for another one leaves: in the order of the one that asks, or in the
    /// region's when there are several.
    fn common(&self, open: &[Arc<str>]) -> Outcome {
        let mut lists = self.fired.iter().filter_map(|(outcome, _)| match outcome {
            Outcome::UseChannel(channels) => Some(channels),
            _ => None,
        });
        let first = lists.next().expect("the strictest outcome is a list of channels");
        let others: Vec<&Vec<Arc<str>>> = lists.collect();
        if others.is_empty() {
            return Outcome::UseChannel(first.clone());
        }
        let in_all =
            |channel: &&Arc<str>| first.contains(channel) && others.iter().all(|list| list.contains(channel));
        let common: Vec<Arc<str>> = open.iter().filter(in_all).cloned().collect();
        if common.is_empty() { Outcome::Deny } else { Outcome::UseChannel(common) }
    }
}
