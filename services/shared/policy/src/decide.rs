//! The rules.
//!
//! Each rule either fires, with what it asks for, or is noted as tried. The least permissive outcome that any of them asks
//! for is the verdict, so a rule that is added can only forbid more, and the order of rules cannot matter. A new rule is a
//! new step in [`decide`].

use std::sync::Arc;

use heliograph_domain::resources::MessageClass;
use jiff::Timestamp;

use crate::{CompiledPolicy, Consent, Direction, Facts, Outcome, Reason, Verdict, Window, compile::Region};

/// Judges one message at a moment.
pub fn decide(policy: &CompiledPolicy, facts: &Facts<'_>, now: Timestamp) -> Verdict {
    let region = policy.region(&facts.region.region);
    let mut open = usable(policy, region, facts);
    if let Some(channel) = facts.channel {
        open.retain(|other| **other != *channel);
    }
    let mut judge = Judge { fired: Vec::new(), tried: Vec::new() };
    match facts.channel {
        Some(channel) => {
            by_region(&mut judge, region, channel);
            by_deny_rules(&mut judge, policy, region, channel, facts);
            by_accounts(&mut judge, channel, facts);
        }
        None => by_offer(&mut judge, region, &open),
    }
    match facts.direction {
        Direction::Inbound => judge.tried.push(Reason::InboundOnly),
        Direction::Outbound => {
            by_consent(&mut judge, facts);
            by_window(&mut judge, facts, &open, now);
        }
    }
    let (outcome, rules_fired) = judge.verdict();
    Verdict {
        outcome,
        rules_fired,
        rules_tried: judge.tried,
        alternatives: open,
        policy: policy.name(),
        policy_version: policy.version(),
        region: facts.region.clone(),
    }
}

/// What the rules said so far.
struct Judge {
    fired: Vec<(Outcome, Reason)>,
    tried: Vec<Reason>,
}

impl Judge {
    fn fire(&mut self, outcome: Outcome, reason: Reason) {
        self.fired.push((outcome, reason));
    }

    /// The strictest outcome, and the reasons with those that asked for it first.
    fn verdict(&mut self) -> (Outcome, Vec<Reason>) {
        let mut fired = std::mem::take(&mut self.fired);
        fired.sort_by_key(|(outcome, _)| outcome.permissiveness());
        let outcome =
            fired.first().map(|(outcome, _)| outcome.clone()).expect("a rule on the region always fires");
        (outcome, fired.into_iter().map(|(_, reason)| reason).collect())
    }
}

/// Channels that the region, the deny rules and the tenant's accounts leave for a message of this class.
fn usable(policy: &CompiledPolicy, region: &Region, facts: &Facts<'_>) -> Vec<Arc<str>> {
    let denied = |channel: &str| {
        policy.deny.iter().any(|rule| rule.matches(channel, facts.class, region, facts.region.country))
    };
    let usable = |channel: &&Arc<str>| is_available(facts, channel) && !denied(channel);
    region.channels.iter().filter(usable).cloned().collect()
}

fn is_available(facts: &Facts<'_>, channel: &str) -> bool {
    facts.available.is_none_or(|available| available.contains(&channel))
}

fn by_region(judge: &mut Judge, region: &Region, channel: &str) {
    let name = Arc::clone(&region.name);
    match region.channels.iter().position(|allowed| **allowed == *channel) {
        Some(place) => judge.fire(
            Outcome::Allow,
            Reason::RegionAllows { region: name, channel: channel.into(), preference: place + 1 },
        ),
        None => judge.fire(
            Outcome::Deny,
            Reason::RegionForbids { region: name, channel: channel.into(), is_default: region.is_default },
        ),
    }
}

fn by_offer(judge: &mut Judge, region: &Region, open: &[Arc<str>]) {
    let outcome = if open.is_empty() { Outcome::Deny } else { Outcome::UseChannel(open.to_vec()) };
    judge.fire(outcome, Reason::RegionOffers { region: Arc::clone(&region.name), channels: open.to_vec() });
}

fn by_deny_rules(
    judge: &mut Judge,
    policy: &CompiledPolicy,
    region: &Region,
    channel: &str,
    facts: &Facts<'_>,
) {
    for rule in &policy.deny {
        let name = Arc::clone(&rule.name);
        if rule.matches(channel, facts.class, region, facts.region.country) {
            judge.fire(Outcome::Deny, Reason::RuleDenies { rule: name, why: rule.why.clone() });
        } else {
            judge.tried.push(Reason::RulePasses { rule: name });
        }
    }
}

fn by_accounts(judge: &mut Judge, channel: &str, facts: &Facts<'_>) {
    if facts.available.is_none() {
        return;
    }
    if is_available(facts, channel) {
        judge.tried.push(Reason::ChannelAvailable);
    } else {
        judge.fire(Outcome::Deny, Reason::ChannelUnavailable { channel: channel.into() });
    }
}

/// An opt-out holds for every class but emergencies; marketing needs an opt-in.
fn by_consent(judge: &mut Judge, facts: &Facts<'_>) {
    match (facts.consent, facts.class) {
        (Consent::OptedOut, MessageClass::Emergency) => judge.tried.push(Reason::OptOutOverridden),
        (Consent::OptedOut, _) => judge.fire(Outcome::Deny, Reason::OptedOut),
        (Consent::Unknown, MessageClass::Marketing) => {
            judge.fire(Outcome::NeedsConsent, Reason::ConsentMissing);
        }
        _ => judge.tried.push(Reason::ConsentSuffices),
    }
}

/// A closed window leaves templates, else another channel, else nothing.
fn by_window(judge: &mut Judge, facts: &Facts<'_>, open: &[Arc<str>], now: Timestamp) {
    let (reason, templates) = match facts.window {
        Window::Closed { templates } => (Reason::WindowClosed { templates }, templates),
        Window::Open { until: Some(at), templates } if at <= now => {
            (Reason::WindowElapsed { at, templates }, templates)
        }
        Window::Open { .. } | Window::Unlimited => {
            judge.tried.push(Reason::WindowOpen);
            return;
        }
    };
    let outcome = if templates {
        Outcome::NeedsTemplate
    } else if open.is_empty() {
        Outcome::Deny
    } else {
        Outcome::UseChannel(open.to_vec())
    };
    judge.fire(outcome, reason);
}
