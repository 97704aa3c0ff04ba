//! Which messages a rule is about.

use std::{fmt, sync::Arc};

use heliograph_domain::{
    region::{Country, CountrySet, Expression, Prefix, Unions},
    resources::{MessageClass, Scope, Way},
};

use crate::{Direction, fault::Faults, names::Names};

/// A scope ready to be asked. What is none does not narrow it.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    pub(crate) direction: Option<Direction>,
    /// Places of regions in the policy.
    pub(crate) regions: Option<Vec<usize>>,
    pub(crate) places: Option<Places>,
    pub(crate) channels: Option<Vec<Arc<str>>>,
    pub(crate) classes: Option<Vec<MessageClass>>,
}

/// Countries and numbers that a scope names.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) countries: CountrySet,
    expression: Expression,
}

/// A message, as scopes look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) direction: Direction,
    /// Place of the region in the policy.
    pub(crate) region: usize,
    /// Countries of the region.
    pub(crate) around: &'a CountrySet,
    pub(crate) country: Option<Country>,
    /// The customer's number.
    pub(crate) number: Option<Prefix>,
    pub(crate) channel: Option<&'a str>,
    pub(crate) class: MessageClass,
}

/// Why a rule is not about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutOfScope {
    /// It is about messages that go the other way.
    Direction,
    /// It is about other regions.
    Region,
    /// It is about other countries.
    Country,
    /// It is about other channels.
    Channel,
    /// It is about other classes of messages.
    Class,
}

impl OutOfScope {
    /// What it is narrowed by, as it is written in resources.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direction => "direction",
            Self::Region => "regions",
            Self::Country => "countries",
            Self::Channel => "channels",
            Self::Class => "classes",
        }
    }
}

impl fmt::Display for OutOfScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direction => "it is about messages that go the other way",
            Self::Region => "it is about other regions",
            Self::Country => "it is about other countries",
            Self::Channel => "it is about other channels",
            Self::Class => "it is about other classes of messages",
        })
    }
}

impl Range {
    /// Reads a scope. `path` is where it stands.
    pub(crate) fn compile(scope: &Scope, path: &str, names: &mut Names<'_>, faults: &mut Faults) -> Self {
        let mut regions = Vec::new();
        for (index, name) in scope.regions.iter().enumerate() {
            match names.region(name) {
                Some(region) => regions.push(region),
                None => faults.add_meaning(
                    format!("{path}.regions[{index}]"),
                    format!("the policy has no region {name:?}"),
                    names.meant(name),
                ),
            }
        }
        let path = format!("{path}.countries");
        let before = faults.count();
        let expression = expression(&scope.countries, &path, &names.unions, faults);
        if !scope.countries.is_empty() && expression.is_empty() && faults.count() == before {
            faults.add(path, "names no country");
        }
        Self {
            direction: scope.direction.map(direction),
            regions: (!scope.regions.is_empty()).then_some(regions),
            places: (!scope.countries.is_empty())
                .then(|| Places { countries: expression.countries(), expression }),
            channels: (!scope.channels.is_empty()).then(|| names.channels(&scope.channels)),
            classes: (!scope.classes.is_empty()).then(|| scope.classes.clone()),
        }
    }

    /// Why it is not about the message; none if it is.
    pub(crate) fn misses(&self, spot: &Spot<'_>) -> Option<OutOfScope> {
        let narrows = |miss, within: bool| (!within).then_some(miss);
        narrows(OutOfScope::Direction, self.direction.is_none_or(|way| way == spot.direction))
            .or_else(|| {
                let within = self.regions.as_ref().is_none_or(|regions| regions.contains(&spot.region));
                narrows(OutOfScope::Region, within)
            })
            .or_else(|| {
                let within = self.places.as_ref().is_none_or(|places| places.contain(spot));
                narrows(OutOfScope::Country, within)
            })
            .or_else(|| {
                let within = self.channels.as_ref().is_none_or(|channels| {
                    spot.channel.is_some_and(|channel| channels.iter().any(|known| **known == *channel))
                });
                narrows(OutOfScope::Channel, within)
            })
            .or_else(|| {
                let within = self.classes.as_ref().is_none_or(|classes| classes.contains(&spot.class));
                narrows(OutOfScope::Class, within)
            })
    }
}

impl Places {
    /// A customer whose country is unknown is meant when every country of their region is.
    pub(crate) fn contain(&self, spot: &Spot<'_>) -> bool {
        self.expression.names(spot.number, spot.country)
            || (spot.country.is_none() && self.contain_all(spot.around))
    }

    /// Whether numbers are named or excepted, so that a country alone does not tell whether somebody is meant.
    pub(crate) fn name_numbers(&self) -> bool {
        self.expression.has_numbers()
    }

    /// Whether every country of a region is meant.
    pub(crate) fn contain_all(&self, around: &CountrySet) -> bool {
        !around.is_empty() && around.without(&self.countries).is_empty()
    }
}

/// Reads terms; those that are not understood are left out and noted.
pub(crate) fn expression(terms: &[String], path: &str, unions: &Unions, faults: &mut Faults) -> Expression {
    Expression::parse_with(terms, unions).unwrap_or_else(|errors| {
        for (index, error) in errors {
            let except = if terms[index].starts_with('!') { "!" } else { "" };
            let meant = error.meant().map(|meant| format!("{except}{meant}"));
            faults.add_meaning(format!("{path}[{index}]"), error.to_string(), meant);
        }
        Expression::default()
    })
}

fn direction(way: Way) -> Direction {
    match way {
        Way::Inbound => Direction::Inbound,
        Way::Outbound => Direction::Outbound,
    }
}
