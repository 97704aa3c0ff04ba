//! Unions, regions, and what holds in them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, DEFAULT, Names, like};
use crate::{
    region::{Ambiguity, Expression, Resolution, UnionProblem, Unions},
    resources::{ChannelPolicySpec, RegionPlan},
    zone,
};

/// Names that stand for something else where regions are named.
const RESERVED: [&str; 2] = [DEFAULT, "none"];

impl Check<'_> {
    /// The tenant's own unions, as far as they are right.
    pub(super) fn unions(&mut self, spec: &ChannelPolicySpec) -> Unions {
        let (unions, errors) = Unions::read(&spec.unions);
        for error in errors {
            let union = format!("spec.unions.{}", error.name);
            let path = error.term.map_or_else(|| union.clone(), |term| format!("{union}[{term}]"));
            let meant = match (&error.problem, error.term) {
                (UnionProblem::Term(problem), Some(term)) => {
                    problem.meant().map(|meant| like(&spec.unions[&error.name][term], meant))
                }
                _ => None,
            };
            if error.problem == UnionProblem::Name {
                self.name(&union, &error.name);
            } else {
                self.fail_meaning(&path, error.problem.to_string(), meant);
            }
        }
        unions
    }

    pub(super) fn policy_regions(&mut self, spec: &ChannelPolicySpec, names: &Names<'_>) {
        let mut expressions = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, region) in spec.regions.iter().enumerate() {
            let path = format!("spec.regions[{index}]");
            let name = format!("{path}.name");
            self.name(&name, &region.name);
            if RESERVED.contains(&region.name.as_str()) {
                self.fail(&name, format!("{:?} is reserved", region.name));
            }
            self.unique(&mut seen, &name, "region", &region.name);
            self.plan(&path, &region.plan());
            let countries = format!("{path}.countries");
            if let Some(expression) = self.countries(&countries, &region.countries, names) {
                if expression.is_empty() {
                    self.fail(&countries, "names no country");
                }
                expressions.push(expression);
            }
        }
        self.plan("spec.default", &spec.default);
        // Where a term is not understood, what it is ambiguous with is not known either.
        if expressions.len() == spec.regions.len() {
            self.ambiguities(spec, &expressions);
        }
    }

    fn plan(&mut self, path: &str, plan: &RegionPlan) {
        self.channels(&format!("{path}.channels"), &plan.channels);
        for (class, channels) in &plan.classes {
            self.channels(&format!("{path}.classes.{}", class.as_str()), channels);
        }
        if let Some(name) = &plan.time_zone {
            self.time_zone(&format!("{path}.time_zone"), name);
        }
        let mut seen = BTreeSet::new();
        for (index, site) in plan.residency.iter().enumerate() {
            let path = format!("{path}.residency[{index}]");
            self.name(&path, site);
            if !seen.insert(site) {
                self.fail(&path, format!("site {site:?} is listed twice"));
            }
        }
    }

    /// The name of a time zone.
    pub(in super::super) fn time_zone(&mut self, path: &str, name: &str) {
        if zone::time_zone(name).is_none() {
            let message = format!("unknown time zone {name:?}; write it like America/Sao_Paulo");
            self.fail_meaning(path, message, zone::meant_by(name));
        }
    }

    fn ambiguities(&mut self, spec: &ChannelPolicySpec, expressions: &[Expression]) {
        let Err(ambiguities) = Resolution::of(expressions) else { return };
        // One problem for each pair of terms, however many countries they share.
        let mut pairs: BTreeMap<_, (&Ambiguity, Vec<String>)> = BTreeMap::new();
        for found in &ambiguities {
            let (first, second) = (&found.first, &found.second);
            let pair = (first.region, &first.text, second.region, &second.text);
            pairs.entry(pair).or_insert_with(|| (found, Vec::new())).1.push(found.to_string());
        }
        for (Ambiguity { first, second, .. }, shared) in pairs.into_values() {
            let written =
                spec.regions[second.region].countries.iter().position(|text| *text.trim() == *second.text);
            let path = match written {
                Some(index) => format!("spec.regions[{}].countries[{index}]", second.region),
                None => format!("spec.regions[{}].countries", second.region),
            };
            let other = &spec.regions[first.region].name;
            let message = format!(
                "ambiguous for {}: region {other:?} names them as specifically with {}; except them in one of the two",
                shared.join(", "),
                first.text
            );
            self.fail(&path, message);
        }
    }
}
