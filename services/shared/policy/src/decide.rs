//! Judging a message.
//!
//! Everything that has a say either fires, with what it asks for, or is noted as tried. The least permissive outcome that
//! any of them asks for is the verdict, so a rule that is added can only forbid more, and the order of rules cannot matter.

use std::sync::Arc;

use heliograph_domain::resources::MessageClass;
use jiff::Timestamp;

use crate::{
    CompiledPolicy, Consent, Direction, Facts, OutOfScope, Outcome, Reason, Verdict, Window, case::Case,
    judge::Judge,
};

/// The kind of content that a closed window lets through.
pub(crate) const TEMPLATE: &str = "template";

/// Judges one message at a moment.
pub fn decide(policy: &CompiledPolicy, facts: &Facts<'_>, now: Timestamp) -> Verdict {
    let case = Case::new(policy, facts, now);
    let open = case.open_channels();
    let mut judge = Judge::new();
    match facts.channel {
        Some(channel) => by_region(&mut judge, &case, channel),
        None => by_offer(&mut judge, &case, &open),
    }
    by_residency(&mut judge, &case);
    case.rules(&mut judge, &open);
    if let Some(channel) = facts.channel {
        by_accounts(&mut judge, &case, channel);
    }
    match facts.direction {
        Direction::Inbound => judge.pass(Reason::InboundOnly),
        Direction::Outbound => {
            by_consent(&mut judge, facts);
            by_window(&mut judge, facts, &open, now);
        }
    }
    let (outcome, rules_fired, rules_tried) = judge.verdict(&open);
    Verdict {
        outcome,
        rules_fired,
        rules_tried,
        alternatives: open,
        policy: policy.name(),
        policy_version: policy.version(),
        region: facts.region.clone(),
    }
}

/// The rules that are not about a message, sorted by name, and why they are not.
pub fn out_of_scope(policy: &CompiledPolicy, facts: &Facts<'_>) -> Vec<(Arc<str>, OutOfScope)> {
    let case = Case::new(policy, facts, Timestamp::UNIX_EPOCH);
    let missing =
        |rule: &crate::rule::Rule| rule.range.misses(&case.spot).map(|why| (Arc::clone(&rule.name), why));
    policy.rules.iter().filter_map(missing).collect()
}

fn by_region(judge: &mut Judge, case: &Case<'_>, channel: &str) {
    let region = Arc::clone(&case.region.name);
    let channels = case.region.channels(case.facts.class);
    match channels.iter().position(|allowed| **allowed == *channel) {
        Some(place) => judge.fire(
            Outcome::Allow,
            Reason::RegionAllows { region, channel: Arc::clone(&channels[place]), preference: place + 1 },
        ),
        None => judge.fire(
            Outcome::Deny,
            Reason::RegionForbids {
                region,
                channel: case.policy.channel_name(channel),
                is_default: case.region.is_default,
            },
        ),
    }
}

fn by_offer(judge: &mut Judge, case: &Case<'_>, open: &[Arc<str>]) {
    let outcome = if open.is_empty() { Outcome::Deny } else { Outcome::UseChannel(open.to_vec()) };
    let region = Arc::clone(&case.region.name);
    judge.fire(outcome, Reason::RegionOffers { region, channels: open.to_vec() });
}

fn by_residency(judge: &mut Judge, case: &Case<'_>) {
    let Some(site) = case.facts.site.filter(|_| !case.region.residency.is_empty()) else { return };
    if case.region.may_live_at(site) {
        judge.pass(Reason::ResidencyHere);
    } else {
        let region = Arc::clone(&case.region.name);
        let sites = case.region.residency.clone();
        judge.fire(Outcome::Deny, Reason::ResidencyElsewhere { region, site: site.into(), sites });
    }
}

fn by_accounts(judge: &mut Judge, case: &Case<'_>, channel: &str) {
    if case.facts.available.is_none() {
        return;
    }
    if case.is_available(channel) {
        judge.pass(Reason::ChannelAvailable);
    } else {
        let channel = case.policy.channel_name(channel);
        judge.fire(Outcome::Deny, Reason::ChannelUnavailable { channel });
    }
}

/// An opt-out holds for every class but emergencies; marketing needs an opt-in.
fn by_consent(judge: &mut Judge, facts: &Facts<'_>) {
    match (facts.consent, facts.class) {
        (Consent::OptedOut, MessageClass::Emergency) => judge.pass(Reason::OptOutOverridden),
        (Consent::OptedOut, _) => judge.fire(Outcome::Deny, Reason::OptedOut),
        (Consent::Unknown, MessageClass::Marketing) => {
            judge.fire(Outcome::NeedsConsent, Reason::ConsentMissing);
        }
        _ => judge.pass(Reason::ConsentSuffices),
    }
}

/// A closed window leaves templates, else another channel, else nothing.
fn by_window(judge: &mut Judge, facts: &Facts<'_>, open: &[Arc<str>], now: Timestamp) {
    let (reason, templates) = match facts.window {
        Window::Closed { templates } => (Reason::WindowClosed { templates }, templates),
        Window::Open { until: Some(at), templates } if at <= now => {
            (Reason::WindowElapsed { at, templates }, templates)
        }
        Window::Open { .. } | Window::Unlimited => return judge.pass(Reason::WindowOpen),
    };
    if templates && facts.kind == TEMPLATE {
        return judge.pass(Reason::WindowTemplate);
    }
    let outcome = if templates {
        Outcome::NeedsTemplate
    } else if open.is_empty() {
        Outcome::Deny
    } else {
        Outcome::UseChannel(open.to_vec())
    };
    judge.fire(outcome, reason);
}
