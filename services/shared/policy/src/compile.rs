//! From a declared policy to tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use heliograph_domain::{
    phone,
    region::{Country, CountrySet, Expression, Prefix, Resolution},
    resources::{ChannelPolicySpec, JoinBy, MessageClass, WindowTemplate},
};

use crate::{
    Calendars, CompileError, Direction, Fault, RegionFinding, RegionSource,
    fallback::{self, Fallback},
    fault::Faults,
    index::Index,
    keywords::Words,
    names::{DEFAULT, Names},
    plan::{Region, RegionView},
    rule::{self, Asks, Rule},
    scope::{Spot, expression},
};

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
    resolution: Resolution,
    /// Every channel it names, sorted.
    channels: Vec<Arc<str>>,
    /// Sorted by name.
    pub(crate) rules: Vec<Rule>,
    pub(crate) index: Index,
    pub(crate) fallbacks: Vec<Fallback>,
    pub(crate) templates: Vec<WindowTemplate>,
    /// Words that give and take consent.
    pub(crate) words: Words,
    join: Vec<JoinBy>,
    calendars: Calendars,
}

/// What is wrong with a policy, in the order of its fields; nothing if it can be compiled.
pub fn check(spec: &ChannelPolicySpec, calendars: &Calendars) -> Vec<Fault> {
    CompiledPolicy::compile("", 0, spec, calendars).err().map_or_else(Vec::new, |error| error.0)
}

impl CompiledPolicy {
    /// Compiles a policy. `version` is the version of the resource, and is on every verdict.
    ///
    /// # Errors
    /// Everything that is wrong with the policy.
    pub fn compile(
        name: &str,
        version: u64,
        spec: &ChannelPolicySpec,
        calendars: &Calendars,
    ) -> Result<Self, CompileError> {
        let mut faults = Faults::default();
        let mut names = Names::of(spec, &mut faults);
        let resolution = resolve(spec, &names, &mut faults);
        let mut regions = compile_regions(spec, &mut names, &mut faults);
        let mut by_country = Vec::with_capacity(Country::COUNT);
        for country in Country::all() {
            let (region, term) = match resolution.of_country(country) {
                Some(found) => (found.region, Some(Arc::clone(&found.text))),
                None => (regions.len() - 1, None),
            };
            regions[region].countries.insert(country);
            by_country.push((region, term));
        }
        let rules = rule::compile(spec, calendars, &mut names, &mut faults);
        let fallbacks = fallback::compile(spec, &mut names, &mut faults);
        let templates = fallback::templates(spec, &names, &mut faults);
        let words = Words::compile(&spec.consent, &mut faults);
        let channels = names.into_channels();
        let around: Vec<CountrySet> = regions.iter().map(|region| region.countries).collect();
        let index = Index::build(
            rules.iter().map(|rule| (&rule.range, rule.narrows())),
            &around,
            channels.len(),
            |name| place_of(&channels, name),
        );
        let by_name =
            regions.iter().enumerate().map(|(index, region)| (Arc::clone(&region.name), index)).collect();
        faults.or(Self {
            name: name.into(),
            version,
            regions,
            by_name,
            by_country,
            resolution,
            channels,
            rules,
            index,
            fallbacks,
            templates,
            words,
            join: spec.identity.join.clone(),
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

    /// Its regions, the default last.
    pub fn regions(&self) -> impl Iterator<Item = RegionView<'_>> {
        self.regions.iter().map(Region::view)
    }

    /// Names of its rules, sorted.
    pub fn rule_names(&self) -> impl Iterator<Item = Arc<str>> + '_ {
        self.rules.iter().map(|rule| Arc::clone(&rule.name))
    }

    /// Channels of a region in order of preference; those of the default region if there is no such region.
    pub fn channels_of(&self, region: &str) -> &[Arc<str>] {
        self.region(region).usual_channels()
    }

    /// Sites that may hold a region's events; none at all means every site.
    pub fn residency(&self, region: &str) -> &[Arc<str>] {
        &self.region(region).residency
    }

    /// Whether addresses that have this in common are one contact.
    pub fn joins(&self, by: JoinBy) -> bool {
        self.join.contains(&by)
    }

    /// How far back frequency caps look, and [`crate::ContactFacts::sent`] has to go; zero when there are none.
    pub fn caps_reach(&self) -> Duration {
        let reach = |rule: &Rule| match rule.asks {
            Asks::AtMost(cap) => Some(cap.per.duration()),
            _ => None,
        };
        self.rules.iter().filter_map(reach).max().unwrap_or_default()
    }

    /// Whether a rule reads the channel's window, so that it has to be known before the rules are asked.
    pub fn reads_window(&self) -> bool {
        let conditions = self.rules.iter().filter_map(|rule| rule.when.as_ref());
        conditions.into_iter().any(|when| when.condition.reads("window.open"))
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

    /// Where a number falls: by its first digits, where a region names or excepts those, else by its country. None where
    /// nothing is known of it.
    pub(crate) fn place_number(&self, number: &str) -> Option<RegionFinding> {
        let country = phone::country(number);
        if !self.resolution.has_numbers() {
            return Some(self.place(country?, RegionSource::Number));
        }
        let found = self.resolution.of_number_in(number, country);
        if found.is_none() && country.is_none() {
            return None;
        }
        let region = found.map_or(self.regions.len() - 1, |found| found.region);
        Some(RegionFinding {
            region: Arc::clone(&self.regions[region].name),
            country,
            source: RegionSource::Number,
            confidence: RegionSource::Number.confidence(),
            term: found.map(|found| Arc::clone(&found.text)),
        })
    }

    /// The name of the region, if there is one of the name.
    pub(crate) fn region_named(&self, name: &str) -> Option<Arc<str>> {
        self.by_name.get_key_value(name).map(|(name, _)| Arc::clone(name))
    }

    pub(crate) fn default_name(&self) -> Arc<str> {
        Arc::clone(&self.regions[self.regions.len() - 1].name)
    }

    /// The region of the name. A finding made by another version may name one that is gone: that is the default then.
    pub(crate) fn region(&self, name: &str) -> &Region {
        &self.regions[self.by_name.get(name).copied().unwrap_or(self.regions.len() - 1)]
    }

    /// The region of the place.
    pub(crate) fn region_at(&self, place: usize) -> &Region {
        &self.regions[place]
    }

    /// A message, as scopes look at it.
    pub(crate) fn spot<'a>(
        &'a self,
        finding: &'a RegionFinding,
        number: Option<Prefix>,
        direction: Direction,
        channel: Option<&'a str>,
        class: MessageClass,
    ) -> Spot<'a> {
        // Most findings are of a country, whose region is known without looking for its name.
        let by_country = finding.country.map(|country| self.by_country[country.index()].0);
        let region = by_country
            .filter(|region| self.regions[*region].name == finding.region)
            .or_else(|| self.by_name.get(&finding.region).copied())
            .unwrap_or(self.regions.len() - 1);
        let around = &self.regions[region].countries;
        Spot { direction, region, around, country: finding.country, number, channel, class }
    }

    /// Place of a channel among those the policy names.
    pub(crate) fn channel_place(&self, name: &str) -> Option<usize> {
        place_of(&self.channels, name)
    }

    /// The name of a channel. One that the policy names is not copied.
    pub(crate) fn channel_name(&self, name: &str) -> Arc<str> {
        self.channel_place(name).map_or_else(|| name.into(), |place| Arc::clone(&self.channels[place]))
    }
}

fn place_of(channels: &[Arc<str>], name: &str) -> Option<usize> {
    channels.binary_search_by(|known| (**known).cmp(name)).ok()
}

fn compile_regions(spec: &ChannelPolicySpec, names: &mut Names<'_>, faults: &mut Faults) -> Vec<Region> {
    let mut seen = BTreeSet::from([DEFAULT]);
    let mut regions = Vec::with_capacity(spec.regions.len() + 1);
    for (index, region) in spec.regions.iter().enumerate() {
        let path = format!("spec.regions[{index}]");
        if region.name == DEFAULT {
            faults.add(format!("{path}.name"), format!("{DEFAULT:?} is reserved"));
        } else if !seen.insert(region.name.as_str()) {
            faults.add(format!("{path}.name"), format!("region {:?} is declared twice", region.name));
        }
        regions.push(Region::compile(&region.name, false, &region.plan(), &path, names, faults));
    }
    regions.push(Region::compile(DEFAULT, true, &spec.default, "spec.default", names, faults));
    regions
}

/// Which region each country falls into. Where a term is not understood, what it is ambiguous with is not known either.
fn resolve(spec: &ChannelPolicySpec, names: &Names<'_>, faults: &mut Faults) -> Resolution {
    let mut found = Faults::default();
    let expressions: Vec<Expression> = spec
        .regions
        .iter()
        .enumerate()
        .map(|(index, region)| {
            let path = format!("spec.regions[{index}].countries");
            expression(&region.countries, &path, &names.unions, &mut found)
        })
        .collect();
    let nothing = || Resolution::of(&[]).expect("no region is not ambiguous");
    if found.count() > 0 {
        faults.append(found);
        return nothing();
    }
    Resolution::of(&expressions).unwrap_or_else(|ambiguities| {
        // One fault for each pair of terms, however many countries they share.
        let mut pairs: BTreeMap<(usize, String, usize, String), Vec<String>> = BTreeMap::new();
        for tie in ambiguities {
            let (first, second) = (&tie.first, &tie.second);
            let key = (second.region, second.text.to_string(), first.region, first.text.to_string());
            pairs.entry(key).or_default().push(tie.to_string());
        }
        for ((region, term, other, same), places) in pairs {
            let written = spec.regions[region].countries.iter().position(|text| text.trim() == term);
            let place = written.map_or_else(String::new, |index| format!("[{index}]"));
            faults.add(
                format!("spec.regions[{region}].countries{place}"),
                format!(
                    "ambiguous for {}: region {:?} names them as specifically with {same}; except them in one of the two",
                    places.join(", "),
                    spec.regions[other].name
                ),
            );
        }
        nothing()
    })
}
