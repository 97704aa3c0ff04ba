//! From a declared policy to tables.

use std::{collections::BTreeMap, sync::Arc};

use heliograph_domain::{
    region::{Country, CountrySet, Expression, ExpressionError, Resolution},
    resources::{ChannelPolicySpec, MessageClass},
};

use crate::{Calendars, RegionFinding, RegionSource};

/// Name of the region of everybody else.
const DEFAULT: &str = "default";

/// A policy ready to decide by.
#[derive(Debug, Clone)]
pub struct CompiledPolicy {
    name: Arc<str>,
    version: u64,
    /// The declared regions in their order, then the default region.
    regions: Vec<Region>,
    by_name: BTreeMap<Arc<str>, usize>,
    /// For each country its region and the term that named it.
    by_country: Vec<(usize, Option<Arc<str>>)>,
    pub(crate) deny: Vec<Deny>,
    calendars: Calendars,
}

/// A region of the policy.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    pub(crate) name: Arc<str>,
    pub(crate) is_default: bool,
    /// Channels in order of preference.
    pub(crate) channels: Vec<Arc<str>>,
    /// Countries that fall into it.
    countries: CountrySet,
}

/// A rule that forbids. What is none does not narrow it.
#[derive(Debug, Clone)]
pub(crate) struct Deny {
    pub(crate) name: Arc<str>,
    pub(crate) why: Option<Arc<str>>,
    channels: Option<Vec<Arc<str>>>,
    countries: Option<CountrySet>,
    classes: Option<Vec<MessageClass>>,
}

impl Deny {
    /// Whether it holds. A customer whose country is unknown is meant when every country of the region is.
    pub(crate) fn matches(
        &self,
        channel: &str,
        class: MessageClass,
        region: &Region,
        country: Option<Country>,
    ) -> bool {
        let here = |countries: &CountrySet| match country {
            Some(country) => countries.contains(country),
            None => !region.countries.is_empty() && region.countries.without(countries).is_empty(),
        };
        self.channels.as_ref().is_none_or(|channels| channels.iter().any(|denied| **denied == *channel))
            && self.classes.as_ref().is_none_or(|classes| classes.contains(&class))
            && self.countries.as_ref().is_none_or(here)
    }
}

/// Why a policy cannot be compiled. `validate` finds the same before a policy is applied, with the place in its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// A term of a region or deny rule is not understood.
    #[error("{owner}: {error}")]
    Term {
        /// Name of the region or rule.
        owner: String,
        /// What is wrong with the term.
        #[source]
        error: ExpressionError,
    },
    /// Two regions name a country equally specifically.
    #[error("{country} is named as specifically by region {first:?} as by region {second:?}")]
    Ambiguous {
        /// The country.
        country: Country,
        /// One region.
        first: String,
        /// The other.
        second: String,
    },
}

impl CompiledPolicy {
    /// Compiles a policy. `version` is the version of the resource, and is on every verdict.
    pub fn compile(
        name: &str,
        version: u64,
        spec: &ChannelPolicySpec,
        calendars: &Calendars,
    ) -> Result<Self, CompileError> {
        let expressions = spec
            .regions
            .iter()
            .map(|region| expression(&region.name, &region.countries))
            .collect::<Result<Vec<_>, _>>()?;
        let resolution = Resolution::of(&expressions).map_err(|ambiguities| {
            let found = ambiguities.first().expect("an error names at least one country");
            CompileError::Ambiguous {
                country: found.country,
                first: spec.regions[found.first.region].name.clone(),
                second: spec.regions[found.second.region].name.clone(),
            }
        })?;
        let deny = spec
            .rules
            .iter()
            .map(|rule| {
                let scope = &rule.scope;
                let countries = expression(&rule.name, &scope.countries)?.countries();
                Ok(Deny {
                    name: rule.name.as_str().into(),
                    why: rule.reason.as_deref().map(Arc::from),
                    channels: (!scope.channels.is_empty()).then(|| shared(&scope.channels)),
                    countries: (!scope.countries.is_empty()).then_some(countries),
                    classes: (!scope.classes.is_empty()).then(|| scope.classes.clone()),
                })
            })
            .collect::<Result<Vec<_>, CompileError>>()?;

        let declared = spec.regions.iter().map(|region| (region.name.as_str(), &region.channels, false));
        let mut regions: Vec<Region> = declared
            .chain([(DEFAULT, &spec.default.channels, true)])
            .map(|(name, channels, is_default)| Region {
                name: name.into(),
                is_default,
                channels: shared(channels),
                countries: CountrySet::EMPTY,
            })
            .collect();
        let mut by_country = Vec::with_capacity(Country::COUNT);
        for country in Country::all() {
            let (region, term) = match resolution.of_country(country) {
                Some(found) => (found.region, Some(found.term.to_string().into())),
                None => (regions.len() - 1, None),
            };
            regions[region].countries.insert(country);
            by_country.push((region, term));
        }
        let by_name =
            regions.iter().enumerate().map(|(index, region)| (Arc::clone(&region.name), index)).collect();
        Ok(Self {
            name: name.into(),
            version,
            regions,
            by_name,
            by_country,
            deny,
            calendars: calendars.clone(),
        })
    }

    /// The policy of a tenant that has none: nothing is allowed anywhere, and the verdict says so.
    pub fn nothing() -> Self {
        Self::compile("none", 0, &ChannelPolicySpec::default(), &Calendars::new())
            .expect("an empty policy has nothing to be wrong")
    }

    /// Whether it was compiled from this.
    pub(crate) fn is(&self, name: &str, version: u64, calendars: &Calendars) -> bool {
        *self.name == *name && self.version == version && self.calendars == *calendars
    }

    /// Its name.
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// The version of the resource it was compiled from.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Names of its regions, the default last.
    pub fn region_names(&self) -> impl Iterator<Item = Arc<str>> + '_ {
        self.regions.iter().map(|region| Arc::clone(&region.name))
    }

    /// Channels of a region in order of preference; those of the default region if there is no such region.
    pub fn channels_of(&self, region: &str) -> &[Arc<str>] {
        &self.region(region).channels
    }

    /// Where a country falls, given how it was found.
    pub fn place(&self, country: Country, source: RegionSource) -> RegionFinding {
        let (region, term) = &self.by_country[country.index()];
        RegionFinding {
            region: Arc::clone(&self.regions[*region].name),
            country: Some(country),
            source,
            confidence: source.confidence(),
            term: term.clone(),
        }
    }

    /// The name of the region, if there is one of the name.
    pub(crate) fn region_named(&self, name: &str) -> Option<Arc<str>> {
        self.by_name.get_key_value(name).map(|(name, _)| Arc::clone(name))
    }

    pub(crate) fn default_name(&self) -> Arc<str> {
        Arc::clone(&self.default_region().name)
    }

    /// The region of the name. A finding made by another version may name one that is gone: that is the default then.
    pub(crate) fn region(&self, name: &str) -> &Region {
        self.by_name.get(name).map_or_else(|| self.default_region(), |index| &self.regions[*index])
    }

    fn default_region(&self) -> &Region {
        self.regions.last().expect("a policy has a default region")
    }
}

fn expression(owner: &str, terms: &[String]) -> Result<Expression, CompileError> {
    Expression::parse(terms).map_err(|errors| {
        let (_, error) = errors.into_iter().next().expect("an error names at least one term");
        CompileError::Term { owner: owner.to_owned(), error }
    })
}

fn shared(names: &[String]) -> Vec<Arc<str>> {
    names.iter().map(|name| Arc::from(name.as_str())).collect()
}
