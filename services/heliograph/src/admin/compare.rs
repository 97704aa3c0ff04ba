//! Two versions of a policy, compared by what they say and by what they decide.

use std::collections::{BTreeMap, BTreeSet};

use heliograph_domain::{
    region::Country,
    resources::{Change, ChannelPolicySpec, MessageClass},
};
use heliograph_policy::{CompiledPolicy, Consent, Direction, Facts, RegionSource, Verdict, decide};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// What differs between two policies as they are written. Regions and rules are told by their names: their order means
/// nothing.
pub fn fields(old: &ChannelPolicySpec, new: &ChannelPolicySpec) -> Vec<Change> {
    let json = |spec: &ChannelPolicySpec| serde_json::to_value(spec).map(by_name).unwrap_or_default();
    let mut changes = Vec::new();
    compare("", Some(&json(old)), Some(&json(new)), &mut changes);
    let order = |spec: &ChannelPolicySpec| -> Vec<String> {
        spec.fallback.iter().map(|rule| rule.name.clone()).collect()
    };
    let (was, is) = (order(old), order(new));
    // The first fallback that holds is taken: their order means something.
    if was != is && was.iter().collect::<BTreeSet<_>>() == is.iter().collect() {
        changes.push(Change {
            path: "fallback (order)".to_owned(),
            old: Some(was.into()),
            new: Some(is.into()),
        });
    }
    changes
}

/// What changed, in a line: `+ rule a, b; ~ region c; - fallback d`.
pub fn summary(old: &ChannelPolicySpec, new: &ChannelPolicySpec) -> String {
    let mut parts: BTreeMap<(u8, &'static str, String), BTreeSet<String>> = BTreeMap::new();
    for change in fields(old, new) {
        let (section, rest) = change.path.split_once('.').unwrap_or((&change.path, ""));
        let name = rest.split('.').next().unwrap_or_default();
        let whole = !rest.is_empty() && !rest.contains('.');
        let sign = match (&change.old, &change.new) {
            (None, Some(_)) if whole => (0, "+"),
            (Some(_), None) if whole => (2, "-"),
            _ => (1, "~"),
        };
        let section = match section {
            "rules" => "rule",
            "regions" => "region",
            "unions" => "union",
            other => other,
        };
        let named = matches!(section, "rule" | "region" | "union" | "fallback");
        let names = parts.entry((sign.0, sign.1, section.to_owned())).or_default();
        if named && !name.is_empty() {
            names.insert(name.to_owned());
        }
    }
    let part = |((_, sign, section), names): ((u8, &str, String), BTreeSet<String>)| {
        let names: Vec<String> = names.into_iter().collect();
        format!("{sign} {section} {}", names.join(", ")).trim_end().to_owned()
    };
    let parts: Vec<String> = parts.into_iter().map(part).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

/// Lists of things with names of their own become maps by name.
fn by_name(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, by_name(value))).collect(),
        Value::Array(items) => {
            let names: BTreeSet<&str> = items.iter().filter_map(|item| item.get("name")?.as_str()).collect();
            if items.is_empty() || names.len() < items.len() {
                return Value::Array(items);
            }
            let named = |mut item: Value| {
                let name = item.as_object_mut()?.remove("name")?;
                Some((name.as_str()?.to_owned(), item))
            };
            Value::Object(items.into_iter().filter_map(named).collect::<Map<_, _>>())
        }
        plain => plain,
    }
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&inner, old.get(key), new.get(key), changes);
            }
        }
        (old, new) if old == new => {}
        // A section that is new or gone is told name by name.
        (None, Some(Value::Object(new))) if is_section(path) => {
            compare(path, Some(&Value::Object(Map::new())), Some(&Value::Object(new.clone())), changes);
        }
        (Some(Value::Object(old)), None) if is_section(path) => {
            compare(path, Some(&Value::Object(old.clone())), Some(&Value::Object(Map::new())), changes);
        }
        (old, new) => {
            changes.push(Change { path: path.to_owned(), old: old.cloned(), new: new.cloned() });
        }
    }
}

fn is_section(path: &str) -> bool {
    matches!(path, "rules" | "regions" | "unions" | "fallback")
}

/// Messages that two policies decide differently, as far as countries, channels, classes and directions tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// The channel.
    pub channel: String,
    /// Which ways.
    pub directions: Vec<Direction>,
    /// What for.
    pub classes: Vec<MessageClass>,
    /// To or from customers in these countries.
    pub countries: Vec<Country>,
    /// What was decided.
    pub old: Decided,
    /// What is decided.
    pub new: Decided,
}

/// What was decided, and by what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Decided {
    /// The outcome, such as `deny`.
    pub outcome: &'static str,
    /// The rule that decided, or the code of the reason.
    pub by: String,
}

impl Decided {
    /// The outcome of a verdict and what decided.
    pub fn of(verdict: &Verdict) -> Self {
        let reason = verdict.reason();
        let by = reason.rule().map_or_else(|| reason.code().to_owned(), |rule| format!("rule {rule}"));
        Self { outcome: verdict.outcome.as_str(), by }
    }
}

/// Asks both policies about every country, channel, class and direction, at one moment, for customers that agreed to be
/// written to and of whom nothing else is known.
pub fn shifts(old: &CompiledPolicy, new: &CompiledPolicy, now: Timestamp) -> Vec<Shift> {
    let channels: BTreeSet<String> = [old, new]
        .into_iter()
        .flat_map(|policy| {
            policy.regions().flat_map(|region| {
                let own = region.classes.values().flat_map(|channels| channels.iter());
                region.channels.iter().chain(own).map(ToString::to_string).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut found: BTreeMap<Turn, Vec<Country>> = BTreeMap::new();
    for country in Country::all().filter(|country| country.is_assigned()) {
        let (was, is) =
            (old.place(country, RegionSource::Explicit), new.place(country, RegionSource::Explicit));
        for channel in &channels {
            for (way, direction) in [Direction::Outbound, Direction::Inbound].into_iter().enumerate() {
                for class in MessageClass::ALL {
                    let ask = |policy, region| {
                        let facts = Facts {
                            direction,
                            channel: Some(channel),
                            class,
                            consent: Consent::OptedIn,
                            ..Facts::about(region)
                        };
                        decide(policy, &facts, now)
                    };
                    let (before, after) = (ask(old, &was), ask(new, &is));
                    let same = before.outcome == after.outcome;
                    if !same {
                        let turn = (channel.clone(), Decided::of(&before), Decided::of(&after), way, class);
                        found.entry(turn).or_default().push(country);
                    }
                }
            }
        }
    }
    gathered(found)
}

/// Channel, before, after, which way (to the customer first), class.
type Turn = (String, Decided, Decided, usize, MessageClass);

/// What is the same for several classes and directions is said once.
fn gathered(found: BTreeMap<Turn, Vec<Country>>) -> Vec<Shift> {
    type Key = (String, Decided, Decided, Vec<Country>);
    let mut ways: BTreeMap<Key, BTreeMap<usize, Vec<MessageClass>>> = BTreeMap::new();
    for ((channel, old, new, way, class), countries) in found {
        ways.entry((channel, old, new, countries)).or_default().entry(way).or_default().push(class);
    }
    let mut shifts = Vec::new();
    for ((channel, old, new, countries), ways) in ways {
        let mut by_classes: BTreeMap<Vec<MessageClass>, Vec<Direction>> = BTreeMap::new();
        for (way, classes) in ways {
            let direction = if way == 0 { Direction::Outbound } else { Direction::Inbound };
            by_classes.entry(classes).or_default().push(direction);
        }
        shifts.extend(by_classes.into_iter().map(|(classes, directions)| Shift {
            channel: channel.clone(),
            directions,
            classes,
            countries: countries.clone(),
            old: old.clone(),
            new: new.clone(),
        }));
    }
    shifts.sort_by_key(|shift| std::cmp::Reverse(shift.countries.len()));
    shifts
}

/// `sms marketing to DE, FR and 25 others: allow → deny, rule x`.
impl std::fmt::Display for Shift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 3;
        write!(f, "{}", self.channel)?;
        if self.classes.len() < MessageClass::ALL.len() {
            let classes: Vec<&str> = self.classes.iter().map(|class| class.as_str()).collect();
            write!(f, " {}", classes.join(", "))?;
        }
        f.write_str(match self.directions.as_slice() {
            [Direction::Outbound] => " to ",
            [Direction::Inbound] => " from ",
            _ => " to and from ",
        })?;
        let codes: Vec<&str> = self.countries.iter().map(|country| country.code()).collect();
        match codes.len() {
            count if count == Country::all().filter(|country| country.is_assigned()).count() => {
                f.write_str("every country")?;
            }
            count if count > SHOWN + 1 => {
                write!(f, "{} and {} others", codes[..SHOWN].join(", "), count - SHOWN)?;
            }
            _ => f.write_str(&codes.join(", "))?,
        }
        write!(f, ": {} → {}, {}", self.old.outcome, self.new.outcome, self.new.by)
    }
}

#[cfg(test)]
mod tests;
