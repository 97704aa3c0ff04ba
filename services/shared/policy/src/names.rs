//! Names that a policy uses: its regions and channels.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use heliograph_domain::{
    nearest::nearest,
    region::{UnionProblem, Unions},
    resources::ChannelPolicySpec,
};

use crate::fault::Faults;

/// Name of the region of everybody else.
pub(crate) const DEFAULT: &str = "default";

/// Names met while a policy is compiled. A channel has one string, whoever names it.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    regions: BTreeMap<&'a str, usize>,
    channels: BTreeSet<Arc<str>>,
    /// The tenant's own sets of countries.
    pub(crate) unions: Unions,
}

impl<'a> Names<'a> {
    /// The regions and unions of a policy; the default region is the last.
    pub(crate) fn of(spec: &'a ChannelPolicySpec, faults: &mut Faults) -> Self {
        let unions = Unions::compile(&spec.unions).unwrap_or_else(|errors| {
            for error in errors {
                let term = error.term.map_or_else(String::new, |term| format!("[{term}]"));
                let meant = match &error.problem {
                    UnionProblem::Term(error) => error.meant().map(str::to_owned),
                    _ => None,
                };
                let path = format!("spec.unions.{}{term}", error.name);
                faults.add_meaning(path, error.problem.to_string(), meant);
            }
            Unions::default()
        });
        let declared = spec.regions.iter().map(|region| region.name.as_str());
        let regions = declared.chain([DEFAULT]).enumerate().map(|(index, name)| (name, index)).collect();
        Self { regions, channels: BTreeSet::new(), unions }
    }

    /// Place of the region of the name.
    pub(crate) fn region(&self, name: &str) -> Option<usize> {
        self.regions.get(name).copied()
    }

    /// The region that was probably meant.
    pub(crate) fn meant(&self, name: &str) -> Option<String> {
        nearest(name, self.regions.keys().copied()).map(str::to_owned)
    }

    /// Channels by name, in the order given.
    pub(crate) fn channels(&mut self, names: &[String]) -> Vec<Arc<str>> {
        names.iter().map(|name| self.channel(name)).collect()
    }

    /// A channel by name.
    pub(crate) fn channel(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.channels.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        self.channels.insert(Arc::clone(&new));
        new
    }

    /// Every channel that was named, sorted.
    pub(crate) fn into_channels(self) -> Vec<Arc<str>> {
        self.channels.into_iter().collect()
    }
}
