//! What is tried when a message could not reach the customer, and which template stands in when a window is closed.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use heliograph_domain::resources::{ChannelPolicySpec, MessageClass, Period, Trigger, WindowTemplate};

use crate::{
    CompiledPolicy, Direction, RegionFinding,
    fault::Faults,
    names::Names,
    scope::{Places, Range},
};

/// A fallback rule.
#[derive(Debug, Clone)]
pub(crate) struct Fallback {
    name: Arc<str>,
    range: Range,
    on: Vec<Trigger>,
    after: Option<Duration>,
    to: Vec<Arc<str>>,
}

/// A message that could not reach the customer.
#[derive(Debug, Clone, Copy)]
pub struct FallbackAsk<'a> {
    /// What happened to it.
    pub trigger: Trigger,
    /// Where the customer is.
    pub region: &'a RegionFinding,
    /// The channel it was to leave by.
    pub channel: &'a str,
    /// What it is for.
    pub class: MessageClass,
    /// Channels that it was tried on before.
    pub tried: &'a [&'a str],
}

/// What is to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallbackPlan {
    /// The fallback rule.
    pub rule: Arc<str>,
    /// How long a receipt is waited for.
    pub after: Option<Duration>,
    /// Channels that were not tried yet, the best first. Empty when the chain is at its end.
    pub to: Vec<Arc<str>>,
}

impl CompiledPolicy {
    /// What is to be tried in place of a message's channel: the first fallback rule that is about it decides.
    pub fn fallback(&self, ask: &FallbackAsk<'_>) -> Option<FallbackPlan> {
        let rule = self.fallback_rule(ask.trigger, ask.region, ask.channel, ask.class)?;
        let region = self.region(&ask.region.region);
        let to = if rule.to.is_empty() { region.channels(ask.class) } else { &rule.to };
        let fresh = |channel: &&Arc<str>| ***channel != *ask.channel && !ask.tried.contains(&&***channel);
        Some(FallbackPlan {
            rule: Arc::clone(&rule.name),
            after: rule.after,
            to: to.iter().filter(fresh).cloned().collect(),
        })
    }

    /// How long a receipt is waited for before another channel is tried; none where nothing is tried.
    pub fn receipt_patience(
        &self,
        region: &RegionFinding,
        channel: &str,
        class: MessageClass,
    ) -> Option<Duration> {
        self.fallback_rule(Trigger::NoReceipt, region, channel, class)?.after
    }

    /// The template that stands in on a channel when the messaging window is closed. One that names the region is preferred
    /// to one for all.
    pub fn template(&self, region: &str, channel: &str) -> Option<&WindowTemplate> {
        let here = |template: &&WindowTemplate| template.channel == channel;
        let named = self
            .templates
            .iter()
            .filter(here)
            .find(|template| template.regions.iter().any(|known| known == region));
        named.or_else(|| self.templates.iter().filter(here).find(|template| template.regions.is_empty()))
    }

    fn fallback_rule(
        &self,
        trigger: Trigger,
        region: &RegionFinding,
        channel: &str,
        class: MessageClass,
    ) -> Option<&Fallback> {
        let spot = self.spot(region, None, Direction::Outbound, Some(channel), class);
        self.fallbacks.iter().find(|rule| rule.on.contains(&trigger) && rule.range.misses(&spot).is_none())
    }
}

/// Compiles fallback rules. Their order counts.
pub(crate) fn compile(spec: &ChannelPolicySpec, names: &mut Names<'_>, faults: &mut Faults) -> Vec<Fallback> {
    let mut seen = BTreeSet::new();
    let mut rules = Vec::with_capacity(spec.fallback.len());
    for (index, rule) in spec.fallback.iter().enumerate() {
        let path = format!("spec.fallback[{index}]");
        if !seen.insert(rule.name.as_str()) {
            faults.add(format!("{path}.name"), format!("fallback {:?} is declared twice", rule.name));
        }
        if rule.on.is_empty() {
            faults.add(format!("{path}.on"), "names nothing that could happen");
        }
        let waits = rule.on.contains(&Trigger::NoReceipt);
        match rule.after {
            None if waits => {
                faults.add(format!("{path}.after"), "is needed for no_receipt: how long one is waited for");
            }
            Some(_) if !waits => faults.add(format!("{path}.after"), "counts for no_receipt only"),
            Some(after) if after.duration().is_zero() => {
                faults.add(format!("{path}.after"), "must be longer than nothing");
            }
            _ => {}
        }
        let range = Range::compile(&rule.scope, &format!("{path}.match"), names, faults);
        if range.direction == Some(Direction::Inbound) {
            faults.add(format!("{path}.match.direction"), "only what goes to the customer can fall back");
        }
        if range.places.as_ref().is_some_and(Places::name_numbers) {
            faults.add(
                format!("{path}.match.countries"),
                "a fallback is about countries: numbers are not looked at",
            );
        }
        rules.push(Fallback {
            name: rule.name.as_str().into(),
            range,
            on: rule.on.clone(),
            after: rule.after.map(Period::duration),
            to: names.channels(&rule.to),
        });
    }
    rules
}

/// Checks templates: for a channel and a region there is one at most.
pub(crate) fn templates(
    spec: &ChannelPolicySpec,
    names: &Names<'_>,
    faults: &mut Faults,
) -> Vec<WindowTemplate> {
    let mut seen = BTreeSet::new();
    for (index, template) in spec.templates.iter().enumerate() {
        let path = format!("spec.templates[{index}]");
        if template.regions.is_empty() && !seen.insert((template.channel.as_str(), None)) {
            faults.add(&path, format!("a second template on {} for all regions", template.channel));
        }
        for (place, region) in template.regions.iter().enumerate() {
            let path = format!("{path}.regions[{place}]");
            if names.region(region).is_none() {
                let message = format!("the policy has no region {region:?}");
                faults.add_meaning(path, message, names.meant(region));
            } else if !seen.insert((template.channel.as_str(), Some(region.as_str()))) {
                faults.add(path, format!("a second template on {} for this region", template.channel));
            }
        }
    }
    spec.templates.clone()
}
