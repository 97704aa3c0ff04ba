//! Fallbacks, and the templates that stand in when a window is closed.

use std::collections::BTreeSet;

use super::{Check, DEFAULT, Names};
use crate::resources::{ChannelPolicySpec, Fallback, Period, Trigger, Way};

/// How long a receipt may be waited for.
const PATIENCE: std::ops::RangeInclusive<Period> = Period::seconds(10)..=Period::seconds(24 * 60 * 60);

impl Check<'_> {
    pub(super) fn fallbacks(&mut self, spec: &ChannelPolicySpec, names: &Names<'_>) {
        let mut seen = BTreeSet::new();
        for (index, fallback) in spec.fallback.iter().enumerate() {
            let path = format!("spec.fallback[{index}]");
            let name = format!("{path}.name");
            self.name(&name, &fallback.name);
            self.unique(&mut seen, &name, "fallback", &fallback.name);
            self.scope(&format!("{path}.match"), &fallback.scope, names);
            if fallback.scope.direction == Some(Way::Inbound) {
                let message = "fallbacks are about messages to the customer; leave direction out";
                self.fail(&format!("{path}.match.direction"), message);
            }
            self.triggers(&path, fallback);
            let to = format!("{path}.to");
            self.channels(&to, &fallback.to);
            if fallback.to.len() == 1 && fallback.to == fallback.scope.channels {
                self.fail(
                    &to,
                    format!("{:?} is the channel that did not reach the customer", fallback.to[0]),
                );
            }
        }
    }

    fn triggers(&mut self, path: &str, fallback: &Fallback) {
        let on = format!("{path}.on");
        if fallback.on.is_empty() {
            self.fail(&on, "name at least one of denied, failed, window_closed, no_receipt, in_doubt");
        }
        let mut seen = BTreeSet::new();
        for (index, trigger) in fallback.on.iter().enumerate() {
            if !seen.insert(trigger) {
                self.fail(&format!("{on}[{index}]"), format!("{} is listed twice", trigger.as_str()));
            }
        }
        let after = format!("{path}.after");
        match (fallback.after, seen.contains(&Trigger::NoReceipt)) {
            (Some(after_period), true) if !PATIENCE.contains(&after_period) => {
                let message = format!(
                    "{after_period} is out of range; a receipt is waited for {} to {}",
                    PATIENCE.start(),
                    PATIENCE.end()
                );
                self.fail(&after, message);
            }
            (None, true) => {
                self.fail(&on, "no_receipt needs after: how long a receipt is waited for, like 10m");
            }
            (Some(_), false) => {
                self.fail(
                    &after,
                    "waits for a receipt, and no_receipt is not in on; add it there or leave this out",
                );
            }
            _ => {}
        }
    }

    pub(super) fn templates(&mut self, spec: &ChannelPolicySpec, names: &Names<'_>) {
        /// Stands for every region; no region has this name.
        const ALL: &str = "*";
        let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (index, template) in spec.templates.iter().enumerate() {
            let path = format!("spec.templates[{index}]");
            self.channel(&format!("{path}.channel"), &template.channel);
            let regions = format!("{path}.regions");
            self.own_regions(&regions, &template.regions, names);
            if template.name.trim().is_empty() {
                self.fail(
                    &format!("{path}.name"),
                    "the name is empty: write the template's name or id with the provider",
                );
            }
            if template.text_parameter.as_ref().is_some_and(|parameter| parameter.trim().is_empty()) {
                self.fail(
                    &format!("{path}.text_parameter"),
                    "the name is empty; leave it out if the template takes no text",
                );
            }
            if template.regions.is_empty() && !seen.insert((&template.channel, ALL)) {
                let message =
                    format!("there is a template for all regions on {:?} already", template.channel);
                self.fail(&path, message);
            }
            for (place, region) in template.regions.iter().enumerate() {
                if !seen.insert((&template.channel, region)) {
                    let what = if region == DEFAULT { "the default region" } else { region };
                    let message = format!("there is a template for {what} on {:?} already", template.channel);
                    self.fail(&format!("{regions}[{place}]"), message);
                }
            }
        }
    }
}
