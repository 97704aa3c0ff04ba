//! Small mistakes in a policy, made on purpose: a test that notices none of them proves nothing.

mod condition;

use heliograph_domain::resources::{
    AtMost, ChannelPolicySpec, ClockTime, Effect, Period, PolicyRule, QuietHours, Scope, Trigger,
};

use super::{TestFile, examine};
use crate::{CompiledPolicy, shelf::Calendars};

/// How far quiet hours are moved.
const SHIFT: i32 = 30;
const DAY: i32 = 24 * 60;

/// A policy with one mistake in it.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// The mistake, such as `rule us-quiet-hours: without its countries`.
    pub mistake: String,
    /// The policy.
    pub spec: ChannelPolicySpec,
}

/// Every mutant of a policy: each rule and region with each mistake of the kinds that are known.
///
/// Mistakes that change nothing are not made where that can be told: a direction on a rule whose effect looks one way
/// only, a list of one that is turned round.
pub fn mutants<'a>(
    spec: &'a ChannelPolicySpec,
    calendars: &'a Calendars,
) -> impl Iterator<Item = Mutant> + 'a {
    let rules = spec.rules.iter().enumerate().flat_map(move |(index, rule)| {
        let removed = Mistake { what: "removed".to_owned(), rule: None };
        std::iter::once(removed).chain(of_rule(rule, calendars)).map(move |mistake| {
            let mut spec = spec.clone();
            match mistake.rule {
                Some(rule) => spec.rules[index] = rule,
                None => drop(spec.rules.remove(index)),
            }
            Mutant { mistake: format!("rule {}: {}", rule.name, mistake.what), spec }
        })
    });
    rules.chain(of_regions(spec)).chain(of_unions(spec)).chain(of_fallbacks(spec))
}

/// The mistakes that no test notices. A mutant that cannot be compiled is noticed by `apply`.
pub fn survivors(
    name: &str,
    spec: &ChannelPolicySpec,
    calendars: &Calendars,
    files: &[TestFile],
) -> Vec<String> {
    mutants(spec, calendars)
        .filter(|mutant| {
            CompiledPolicy::compile(name, 0, &mutant.spec, calendars)
                .is_ok_and(|policy| examine::passes(&policy, files))
        })
        .map(|mutant| mutant.mistake)
        .collect()
}

/// A rule with a mistake; none at all when the rule is gone.
struct Mistake {
    what: String,
    rule: Option<PolicyRule>,
}

fn of_rule(rule: &PolicyRule, calendars: &Calendars) -> Vec<Mistake> {
    let mut made = Vec::new();
    let mut make = |what: String, change: &dyn Fn(&mut PolicyRule)| {
        let mut rule = rule.clone();
        change(&mut rule);
        made.push(Mistake { what, rule: Some(rule) });
    };
    let scope = &rule.scope;
    // All but `deny` look at messages to the customer only.
    if scope.direction.is_some() && rule.then == Effect::Deny {
        make("without its direction".to_owned(), &|rule| rule.scope.direction = None);
    }
    for (what, scope) in widened(scope) {
        make(what, &|rule| rule.scope = scope.clone());
    }
    for (index, term) in scope.countries.iter().enumerate().filter(|(_, term)| term.starts_with('!')) {
        make(format!("without its exception {term}"), &|rule| drop(rule.scope.countries.remove(index)));
    }
    if let Some(when) = &rule.when {
        make("without its condition".to_owned(), &|rule| rule.when = None);
        for (what, condition) in condition::mistaken(when) {
            make(what, &|rule| rule.when = Some(condition.clone()));
        }
    }
    for (what, effect) in of_effect(&rule.then, calendars) {
        make(what, &|rule| rule.then = effect.clone());
    }
    made
}

/// A scope without each of the lists that narrow it.
fn widened(scope: &Scope) -> Vec<(String, Scope)> {
    let mut made = Vec::new();
    let mut make = |what: &str, narrows: bool, change: fn(&mut Scope)| {
        if narrows {
            let mut scope = scope.clone();
            change(&mut scope);
            made.push((format!("without its {what}"), scope));
        }
    };
    make("regions", !scope.regions.is_empty(), |scope| scope.regions.clear());
    make("countries", !scope.countries.is_empty(), |scope| scope.countries.clear());
    make("channels", !scope.channels.is_empty(), |scope| scope.channels.clear());
    make("classes", !scope.classes.is_empty(), |scope| scope.classes.clear());
    made
}

fn of_effect(effect: &Effect, calendars: &Calendars) -> Vec<(String, Effect)> {
    match effect {
        Effect::Deny | Effect::NeedsConsent | Effect::NeedsTemplate => Vec::new(),
        Effect::UseChannel(channels) => {
            let mut made: Vec<(String, Effect)> = without_each(channels)
                .map(|(gone, rest)| (format!("use_channel without {gone}"), Effect::UseChannel(rest)))
                .collect();
            made.extend(turned(channels).map(|(what, rest)| (what, Effect::UseChannel(rest))));
            made
        }
        Effect::Hours(name) => calendars
            .keys()
            .filter(|other| *other != name)
            .map(|other| (format!("calendar {other} in place of {name}"), Effect::Hours(other.clone())))
            .collect(),
        Effect::QuietHours(QuietHours { from, to }) => [-SHIFT, SHIFT]
            .into_iter()
            .flat_map(|by| {
                let earlier = QuietHours { from: moved(*from, by), to: *to };
                let later = QuietHours { from: *from, to: moved(*to, by) };
                [
                    (format!("quiet from {}", earlier.from), Effect::QuietHours(earlier)),
                    (format!("quiet to {}", later.to), Effect::QuietHours(later)),
                ]
            })
            .collect(),
        Effect::AtMost(AtMost { messages, per }) => {
            let of = |messages, per| {
                (format!("at most {messages} per {per}"), Effect::AtMost(AtMost { messages, per }))
            };
            let mut made = vec![
                of(messages + 1, *per),
                of(*messages, scaled(*per, 1, 2)),
                of(*messages, scaled(*per, 2, 1)),
            ];
            if *messages > 1 {
                made.push(of(messages - 1, *per));
            }
            made
        }
        Effect::Sender(kinds) => (0..kinds.len())
            .map(|index| {
                let mut rest = kinds.clone();
                let gone = rest.remove(index);
                (format!("sender without {gone:?}"), Effect::Sender(rest))
            })
            .collect(),
    }
}

/// A time of day, moved by minutes over midnight.
fn moved(time: ClockTime, by: i32) -> ClockTime {
    let minutes = (i32::from(time.minutes()) + by).rem_euclid(DAY);
    format!("{:02}:{:02}", minutes / 60, minutes % 60).parse().expect("it is below 24 hours")
}

fn scaled(period: Period, times: u64, part: u64) -> Period {
    format!("{}ms", period.as_millis() * times / part).parse().expect("milliseconds are a length of time")
}

/// The list without one entry, for each of them.
fn without_each(list: &[String]) -> impl Iterator<Item = (&String, Vec<String>)> {
    list.iter().enumerate().map(|(index, gone)| {
        let mut rest = list.to_vec();
        rest.remove(index);
        (gone, rest)
    })
}

/// The list with two neighbours swapped, for each pair.
fn turned(list: &[String]) -> impl Iterator<Item = (String, Vec<String>)> {
    (1..list.len()).map(|index| {
        let mut turned = list.to_vec();
        turned.swap(index - 1, index);
        (format!("{} before {}", list[index], list[index - 1]), turned)
    })
}

fn of_regions(spec: &ChannelPolicySpec) -> impl Iterator<Item = Mutant> + '_ {
    let default = spec.regions.len();
    (0..=default).flat_map(move |index| {
        let (name, plan) = match spec.regions.get(index) {
            Some(region) => (region.name.as_str(), region.plan()),
            None => ("default", spec.default.clone()),
        };
        let mut made = Vec::new();
        let mut make = |what: String, change: &dyn Fn(&mut ChannelPolicySpec)| {
            let mut spec = spec.clone();
            change(&mut spec);
            made.push(Mutant { mistake: format!("region {name}: {what}"), spec });
        };
        for (what, channels) in mistaken_channels(&plan.channels) {
            make(what, &|spec| match spec.regions.get_mut(index) {
                Some(region) => region.channels.clone_from(&channels),
                None => spec.default.channels.clone_from(&channels),
            });
        }
        for (class, channels) in &plan.classes {
            let classes = |spec: &mut ChannelPolicySpec, changed: Option<&Vec<String>>| {
                let classes = match spec.regions.get_mut(index) {
                    Some(region) => &mut region.classes,
                    None => &mut spec.default.classes,
                };
                match changed {
                    Some(channels) => drop(classes.insert(*class, channels.clone())),
                    None => drop(classes.remove(class)),
                }
            };
            make(format!("without channels of its own for {}", class.as_str()), &|spec| classes(spec, None));
            for (what, channels) in mistaken_channels(channels) {
                make(format!("{}: {what}", class.as_str()), &|spec| classes(spec, Some(&channels)));
            }
        }
        if plan.time_zone.is_some() {
            make("without its time zone".to_owned(), &|spec| match spec.regions.get_mut(index) {
                Some(region) => region.time_zone = None,
                None => spec.default.time_zone = None,
            });
        }
        for (gone, terms) in
            spec.regions.get(index).into_iter().flat_map(|region| without_each(&region.countries))
        {
            make(format!("without {gone}"), &|spec| spec.regions[index].countries.clone_from(&terms));
        }
        made
    })
}

fn mistaken_channels(channels: &[String]) -> Vec<(String, Vec<String>)> {
    let dropped = without_each(channels).map(|(gone, rest)| (format!("without {gone}"), rest));
    dropped.chain(turned(channels)).collect()
}

fn of_unions(spec: &ChannelPolicySpec) -> impl Iterator<Item = Mutant> + '_ {
    spec.unions.iter().flat_map(move |(name, terms)| {
        without_each(terms).map(move |(gone, rest)| {
            let mut spec = spec.clone();
            spec.unions.insert(name.clone(), rest);
            Mutant { mistake: format!("union {name}: without {gone}"), spec }
        })
    })
}

fn of_fallbacks(spec: &ChannelPolicySpec) -> impl Iterator<Item = Mutant> + '_ {
    spec.fallback.iter().enumerate().flat_map(move |(index, rule)| {
        let mut made = Vec::new();
        let mut make = |what: String, change: &dyn Fn(&mut ChannelPolicySpec)| {
            let mut spec = spec.clone();
            change(&mut spec);
            made.push(Mutant { mistake: format!("fallback {}: {what}", rule.name), spec });
        };
        make("removed".to_owned(), &|spec| drop(spec.fallback.remove(index)));
        for (what, scope) in widened(&rule.scope) {
            make(what, &|spec| spec.fallback[index].scope = scope.clone());
        }
        for (place, trigger) in rule.on.iter().enumerate().filter(|_| rule.on.len() > 1) {
            make(format!("not on {}", trigger.as_str()), &|spec| {
                let rule = &mut spec.fallback[index];
                rule.on.remove(place);
                rule.after = rule.after.filter(|_| rule.on.contains(&Trigger::NoReceipt));
            });
        }
        for (what, channels) in mistaken_channels(&rule.to) {
            make(what, &|spec| spec.fallback[index].to.clone_from(&channels));
        }
        if let Some(after) = rule.after {
            make("after twice the time".to_owned(), &|spec| {
                spec.fallback[index].after = Some(scaled(after, 2, 1));
            });
        }
        made
    })
}
