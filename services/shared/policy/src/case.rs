//! One message before the rules.

use std::{cell::OnceCell, sync::Arc};

use heliograph_domain::{region::Prefix, resources::AtMost};
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::{
    CompiledPolicy, Consent, Demand, Facts, Outcome, Reason, Window,
    decide::TEMPLATE,
    index::Which,
    judge::Judge,
    plan::Region,
    rule::{Asks, Rule},
    scope::Spot,
    zones::{self, Zones},
};

/// A message, with what is found out about it once.
pub(crate) struct Case<'a> {
    pub(crate) policy: &'a CompiledPolicy,
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) now: Timestamp,
    pub(crate) region: &'a Region,
    pub(crate) spot: Spot<'a>,
    /// The customer's time zones, once they are asked for.
    zones: OnceCell<Zones<'a>>,
    /// The customer's clock, once it is asked for.
    local: OnceCell<Option<Zoned>>,
}

/// What came of a rule.
enum Said {
    /// It has no say: what it asks for is fulfilled.
    Passes,
    /// It asks for this.
    Asks(Outcome, Demand),
}

impl<'a> Case<'a> {
    pub(crate) fn new(policy: &'a CompiledPolicy, facts: &'a Facts<'a>, now: Timestamp) -> Self {
        let number = facts.contact.number.filter(|_| policy.index.asks_for_numbers());
        let number = number.and_then(Prefix::of_number);
        let spot = policy.spot(facts.region, number, facts.direction, facts.channel, facts.class);
        let region = policy.region_at(spot.region);
        Self { policy, facts, now, region, spot, zones: OnceCell::new(), local: OnceCell::new() }
    }

    /// Whether the tenant has an account in use on a channel, as far as that is to be looked at.
    pub(crate) fn is_available(&self, channel: &str) -> bool {
        self.facts.available.is_none_or(|available| available.contains(&channel))
    }

    /// Channels beside the message's own that the region, its rules and the tenant's accounts leave.
    pub(crate) fn open_channels(&self) -> Vec<Arc<str>> {
        if self.facts.site.is_some_and(|site| !self.region.may_live_at(site)) {
            return Vec::new();
        }
        let channels = self.region.channels(self.facts.class);
        let mut open = Vec::with_capacity(channels.len());
        let narrowed = self.policy.index.any(Which::Narrowing, &self.spot);
        for channel in channels {
            if self.facts.channel != Some(&**channel)
                && self.is_available(channel)
                && !(narrowed && self.takes_away(channel))
            {
                open.push(Arc::clone(channel));
            }
        }
        open
    }

    /// Whether a rule would not let the message go by another channel.
    fn takes_away(&self, channel: &Arc<str>) -> bool {
        let spot = Spot { channel: Some(channel), ..self.spot };
        // What is known of the message's own channel is not known of this one.
        let window = Window::Unlimited;
        let facts = Facts { channel: Some(channel), account: None, sender: None, window, ..*self.facts };
        let mut taken = false;
        self.policy.index.each(Which::Narrowing, &spot, self.policy.channel_place(channel), |place| {
            let rule = &self.policy.rules[place];
            let narrows = match &rule.asks {
                Asks::Deny => true,
                Asks::UseChannel(channels) => !channels.contains(channel),
                _ => false,
            };
            taken = taken || (narrows && self.holds(rule, &facts));
        });
        taken
    }

    /// Asks every rule that is about the message.
    pub(crate) fn rules(&self, judge: &mut Judge, open: &[Arc<str>]) {
        let channel = self.facts.channel.and_then(|channel| self.policy.channel_place(channel));
        self.policy.index.each(Which::All, &self.spot, channel, |place| {
            let rule = &self.policy.rules[place];
            let name = Arc::clone(&rule.name);
            if !self.holds(rule, self.facts) {
                return judge.pass(Reason::RuleUnmet { rule: name });
            }
            match self.ask(rule, open) {
                Said::Passes => judge.pass(Reason::RulePasses { rule: name }),
                Said::Asks(outcome, asks) => {
                    judge.fire(outcome, Reason::RuleHolds { rule: name, asks, why: rule.why.clone() });
                }
            }
        });
    }

    fn holds(&self, rule: &Rule, facts: &Facts<'_>) -> bool {
        rule.when.as_ref().is_none_or(|when| {
            let local = if when.local { self.local() } else { None };
            when.condition.holds(facts, self.now, local)
        })
    }

    fn ask(&self, rule: &Rule, open: &[Arc<str>]) -> Said {
        let facts = self.facts;
        match &rule.asks {
            Asks::Deny => Said::Asks(Outcome::Deny, Demand::Deny),
            Asks::NeedsConsent if facts.consent != Consent::OptedIn => {
                Said::Asks(Outcome::NeedsConsent, Demand::NeedsConsent)
            }
            Asks::NeedsTemplate if facts.kind != TEMPLATE => {
                Said::Asks(Outcome::NeedsTemplate, Demand::NeedsTemplate)
            }
            Asks::UseChannel(channels)
                if facts.channel.is_none_or(|channel| !channels.iter().any(|known| **known == *channel)) =>
            {
                let left: Vec<Arc<str>> =
                    channels.iter().filter(|channel| open.contains(channel)).cloned().collect();
                let outcome = if left.is_empty() { Outcome::Deny } else { Outcome::UseChannel(left) };
                Said::Asks(outcome, Demand::UseChannel(Arc::clone(channels)))
            }
            Asks::Hours(schedule) => match schedule.next_open(self.now, self.zones()) {
                Some(open) if open <= self.now => Said::Passes,
                Some(open) => Said::Asks(Outcome::Defer(open), Demand::Hours(Some(open))),
                None => Said::Asks(Outcome::Deny, Demand::Hours(None)),
            },
            Asks::QuietHours(quiet) => match quiet.next_open(self.now, self.zones()) {
                over if over <= self.now => Said::Passes,
                over => Said::Asks(Outcome::Defer(over), Demand::QuietHours(over)),
            },
            Asks::AtMost(cap) => match self.full_until(rule, cap) {
                Some(until) => {
                    let AtMost { messages, per } = *cap;
                    Said::Asks(Outcome::Defer(until), Demand::AtMost { messages, per, until })
                }
                None => Said::Passes,
            },
            Asks::Sender(kinds) => match facts.sender {
                Some(kind) if !kinds.contains(&kind) => Said::Asks(Outcome::Deny, Demand::Sender(kind)),
                _ => Said::Passes,
            },
            Asks::NeedsConsent | Asks::NeedsTemplate | Asks::UseChannel(_) => Said::Passes,
        }
    }

    /// When one more message may be sent, if as many as may be were sent: the moment at which the last of so many, counted
    /// from the newest, is old enough.
    fn full_until(&self, rule: &Rule, cap: &AtMost) -> Option<Timestamp> {
        let per = SignedDuration::try_from(cap.per.duration()).unwrap_or(SignedDuration::MAX);
        let frees = |at: Timestamp| at.saturating_add(per).unwrap_or(Timestamp::MAX);
        let counted = self.facts.contact.sent.iter().filter(|sent| {
            let channels = rule.range.channels.as_ref();
            let classes = rule.range.classes.as_ref();
            channels.is_none_or(|channels| channels.iter().any(|known| **known == *sent.channel))
                && classes.is_none_or(|classes| classes.contains(&sent.class))
        });
        counted
            .map(|sent| frees(sent.at))
            .filter(|free| *free > self.now)
            .nth(cap.messages.saturating_sub(1) as usize)
    }

    fn zones(&self) -> &[jiff::tz::TimeZone] {
        self.zones.get_or_init(|| zones::of(self.region, self.facts))
    }

    /// The customer's clock, where their zone is known.
    fn local(&self) -> Option<&Zoned> {
        self.local.get_or_init(|| zones::clock(self.zones(), self.now)).as_ref()
    }
}
