//! Rules, ready to be asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use heliograph_domain::{
    nearest::nearest,
    resources::{AtMost, ChannelPolicySpec, Effect, PolicyRule, SenderIdentity},
};

use crate::{
    Calendars, Direction,
    condition::PolicyCondition,
    fault::Faults,
    names::Names,
    schedule::{Quiet, Schedule},
    scope::Range,
};

/// Most messages a frequency cap may count: as many as are remembered.
const MOST_MESSAGES: u32 = 50;
/// Longest time a frequency cap may look back: as long as is remembered.
const LONGEST: Duration = Duration::from_hours(31 * 24);

/// A rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: Arc<str>,
    pub(crate) why: Option<Arc<str>>,
    pub(crate) range: Range,
    pub(crate) when: Option<When>,
    pub(crate) asks: Asks,
}

/// A rule's condition.
#[derive(Debug, Clone)]
pub(crate) struct When {
    pub(crate) condition: Arc<PolicyCondition>,
    /// Whether it may ask for the customer's clock, which is found out for those that do only.
    pub(crate) local: bool,
}

/// What a rule asks for.
#[derive(Debug, Clone)]
pub(crate) enum Asks {
    Deny,
    NeedsConsent,
    NeedsTemplate,
    UseChannel(Arc<[Arc<str>]>),
    Hours(Arc<Schedule>),
    QuietHours(Arc<Quiet>),
    AtMost(AtMost),
    Sender(Vec<SenderIdentity>),
}

impl Rule {
    /// Whether it can take a channel away from those that a customer may be written to on.
    pub(crate) fn narrows(&self) -> bool {
        matches!(self.asks, Asks::Deny | Asks::UseChannel(_))
    }
}

/// Compiles the rules of a policy. They come sorted by name, so that their order in the policy means nothing at all.
pub(crate) fn compile(
    spec: &ChannelPolicySpec,
    calendars: &Calendars,
    names: &mut Names<'_>,
    faults: &mut Faults,
) -> Vec<Rule> {
    let mut parts = Parts { calendars, conditions: BTreeMap::new(), schedules: BTreeMap::new() };
    let mut seen = BTreeSet::new();
    let mut rules = Vec::with_capacity(spec.rules.len());
    for (index, rule) in spec.rules.iter().enumerate() {
        let path = format!("spec.rules[{index}]");
        if !seen.insert(rule.name.as_str()) {
            faults.add(format!("{path}.name"), format!("rule {:?} is declared twice", rule.name));
        }
        let mut range = Range::compile(&rule.scope, &format!("{path}.match"), names, faults);
        if rule.then != Effect::Deny {
            if range.direction == Some(Direction::Inbound) {
                faults.add(
                    format!("{path}.match.direction"),
                    "only `deny` looks at what the customer sends: this rule would never hold",
                );
            }
            range.direction = Some(Direction::Outbound);
        }
        let when = rule.when.as_deref().and_then(|text| parts.condition(text, &path, faults));
        if let Some(asks) = parts.asks(rule, &path, names, faults) {
            let (name, why) = (rule.name.as_str().into(), rule.reason.as_deref().map(Arc::from));
            rules.push(Rule { name, why, range, when, asks });
        }
    }
    rules.sort_by(|one: &Rule, other| one.name.cmp(&other.name));
    rules
}

/// What several rules may share.
struct Parts<'a> {
    calendars: &'a Calendars,
    conditions: BTreeMap<&'a str, When>,
    schedules: BTreeMap<&'a str, Arc<Schedule>>,
}

impl<'a> Parts<'a> {
    fn condition(&mut self, text: &'a str, path: &str, faults: &mut Faults) -> Option<When> {
        if let Some(known) = self.conditions.get(text) {
            return Some(known.clone());
        }
        match PolicyCondition::parse(text) {
            Ok(condition) => {
                let local = condition.reads("local");
                let when = When { condition: Arc::new(condition), local };
                self.conditions.insert(text, when.clone());
                Some(when)
            }
            Err(error) => {
                faults.add_meaning(format!("{path}.when"), error.message, error.suggestion);
                None
            }
        }
    }

    fn asks(
        &mut self,
        rule: &'a PolicyRule,
        path: &str,
        names: &mut Names<'_>,
        faults: &mut Faults,
    ) -> Option<Asks> {
        Some(match &rule.then {
            Effect::Deny => Asks::Deny,
            Effect::NeedsConsent => Asks::NeedsConsent,
            Effect::NeedsTemplate => Asks::NeedsTemplate,
            Effect::UseChannel(channels) => {
                if channels.is_empty() {
                    faults.add(
                        format!("{path}.then.use_channel"),
                        "names no channel; `deny` forbids all of them",
                    );
                }
                Asks::UseChannel(names.channels(channels).into())
            }
            Effect::Hours(calendar) => Asks::Hours(self.schedule(calendar, path, faults)?),
            Effect::QuietHours(hours) => {
                if hours.from == hours.to {
                    faults.add(format!("{path}.then.quiet_hours"), "begin when they end");
                }
                Asks::QuietHours(Arc::new(Quiet::new(*hours)))
            }
            Effect::AtMost(cap) => {
                let path = format!("{path}.then.at_most");
                if !(1..=MOST_MESSAGES).contains(&cap.messages) {
                    faults.add(format!("{path}.messages"), format!("must be 1 to {MOST_MESSAGES}"));
                }
                if cap.per.duration().is_zero() || cap.per.duration() > LONGEST {
                    faults.add(format!("{path}.per"), "must be longer than nothing and at most 31 days");
                }
                Asks::AtMost(*cap)
            }
            Effect::Sender(kinds) => {
                if kinds.is_empty() {
                    faults.add(
                        format!("{path}.then.sender"),
                        "names no kind of sender; `deny` forbids all of them",
                    );
                }
                Asks::Sender(kinds.clone())
            }
        })
    }

    fn schedule(&mut self, name: &'a str, path: &str, faults: &mut Faults) -> Option<Arc<Schedule>> {
        if let Some(known) = self.schedules.get(name) {
            return Some(Arc::clone(known));
        }
        let Some(calendar) = self.calendars.get(name) else {
            let meant = nearest(name, self.calendars.keys().map(String::as_str));
            let message = format!("there is no Calendar {name:?}");
            faults.add_meaning(format!("{path}.then.hours"), message, meant.map(str::to_owned));
            return None;
        };
        match Schedule::compile(calendar) {
            Ok(schedule) => {
                let schedule = Arc::new(schedule);
                self.schedules.insert(name, Arc::clone(&schedule));
                Some(schedule)
            }
            Err(error) => {
                faults
                    .add(format!("{path}.then.hours"), format!("Calendar {name:?} cannot be used: {error}"));
                None
            }
        }
    }
}
