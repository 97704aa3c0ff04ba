//! What a channel policy must satisfy. Its conditions are checked where they are compiled.

mod consent;
mod fallback;
mod regions;
mod rules;

use std::collections::BTreeSet;

use super::Check;
use crate::{
    region::{Expression, Unions},
    resources::{ChannelPolicySpec, Scope},
};

/// The region of everybody else.
const DEFAULT: &str = "default";

/// What the parts of a policy name in common.
struct Names<'a> {
    unions: Unions,
    /// Its regions, without the default.
    regions: BTreeSet<&'a str>,
}

impl Check<'_> {
    pub(super) fn policy(&mut self, spec: &ChannelPolicySpec) {
        let names = Names {
            unions: self.unions(spec),
            regions: spec.regions.iter().map(|region| region.name.as_str()).collect(),
        };
        self.policy_regions(spec, &names);
        self.rules(spec, &names);
        self.fallbacks(spec, &names);
        self.templates(spec, &names);
        self.consent(&spec.consent);
        self.identity(&spec.identity);
    }

    /// Which messages a rule or fallback is about.
    fn scope(&mut self, path: &str, scope: &Scope, names: &Names<'_>) {
        self.own_regions(&format!("{path}.regions"), &scope.regions, names);
        let countries = format!("{path}.countries");
        if let Some(expression) = self.countries(&countries, &scope.countries, names)
            && !scope.countries.is_empty()
            && expression.is_empty()
        {
            self.fail(&countries, "names no country");
        }
        self.channels(&format!("{path}.channels"), &scope.channels);
    }

    /// Regions of this very policy.
    fn own_regions(&mut self, path: &str, regions: &[String], names: &Names<'_>) {
        for (index, region) in regions.iter().enumerate() {
            if region != DEFAULT && !names.regions.contains(region.as_str()) {
                let meant = self.meant(region, names.regions.iter().copied().chain([DEFAULT]));
                self.fail_meaning(
                    &format!("{path}[{index}]"),
                    format!("the policy has no region {region:?}"),
                    meant,
                );
            }
        }
    }

    fn countries(&mut self, path: &str, terms: &[String], names: &Names<'_>) -> Option<Expression> {
        match Expression::parse_with(terms, &names.unions) {
            Ok(expression) => Some(expression),
            Err(errors) => {
                for (index, error) in errors {
                    let meant = error.meant().map(|meant| like(&terms[index], meant));
                    self.fail_meaning(&format!("{path}[{index}]"), error.to_string(), meant);
                }
                None
            }
        }
    }

    /// Names that are given once each; `what` is what they name.
    fn unique<'s>(&mut self, seen: &mut BTreeSet<&'s str>, path: &str, what: &str, name: &'s str) {
        if !seen.insert(name) {
            self.fail(path, format!("{what} {name:?} is declared twice"));
        }
    }
}

/// A term in place of the one that was written: an exception stays one.
fn like(written: &str, meant: &str) -> String {
    let except = if written.starts_with('!') { "!" } else { "" };
    format!("{except}{meant}")
}
