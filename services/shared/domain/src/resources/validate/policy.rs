//! What a channel policy must satisfy.

use std::collections::BTreeMap;

use super::Check;
use crate::{
    region::{Ambiguity, Expression, Resolution},
    resources::{ChannelPolicySpec, Effect, Scope},
};

/// Names that stand for something else where regions are named.
const RESERVED: [&str; 2] = ["default", "none"];

impl Check<'_> {
    pub(super) fn policy(&mut self, spec: &ChannelPolicySpec) {
        let mut expressions = Vec::new();
        for (index, region) in spec.regions.iter().enumerate() {
            let path = format!("spec.regions[{index}]");
            let name = format!("{path}.name");
            self.name(&name, &region.name);
            if RESERVED.contains(&region.name.as_str()) {
                self.fail(&name, format!("{:?} is reserved", region.name));
            }
            if spec.regions[..index].iter().any(|other| other.name == region.name) {
                self.fail(&name, format!("region {:?} is declared twice", region.name));
            }
            self.channels(&format!("{path}.channels"), &region.channels);
            let countries = format!("{path}.countries");
            if let Some(expression) = self.countries(&countries, &region.countries) {
                if expression.countries().is_empty() {
                    self.fail(&countries, "names no country");
                }
                expressions.push(expression);
            }
        }
        self.channels("spec.default.channels", &spec.default.channels);
        // Where a term is not understood, what it is ambiguous with is not known either.
        if expressions.len() == spec.regions.len() {
            self.ambiguities(spec, &expressions);
        }
        for (index, rule) in spec.rules.iter().enumerate() {
            let path = format!("spec.rules[{index}]");
            self.name(&format!("{path}.name"), &rule.name);
            if spec.rules[..index].iter().any(|other| other.name == rule.name) {
                self.fail(&format!("{path}.name"), format!("rule {:?} is declared twice", rule.name));
            }
            let everything = rule.scope == Scope::default() && rule.when.is_none();
            if rule.then == Effect::Deny && everything {
                self.fail(&path, "forbids everything: say in match or when which messages");
            }
            self.channels(&format!("{path}.match.channels"), &rule.scope.channels);
            self.countries(&format!("{path}.match.countries"), &rule.scope.countries);
        }
    }

    fn countries(&mut self, path: &str, terms: &[String]) -> Option<Expression> {
        match Expression::parse(terms) {
            Ok(expression) => Some(expression),
            Err(errors) => {
                for (index, error) in errors {
                    let meant = error.meant().map(|meant| {
                        let except = if terms[index].starts_with('!') { "!" } else { "" };
                        format!("{except}{meant}")
                    });
                    self.fail_meaning(&format!("{path}[{index}]"), error.to_string(), meant);
                }
                None
            }
        }
    }

    fn ambiguities(&mut self, spec: &ChannelPolicySpec, expressions: &[Expression]) {
        let Err(ambiguities) = Resolution::of(expressions) else { return };
        // One problem for each pair of terms, however many countries they share.
        let mut pairs: BTreeMap<_, (&Ambiguity, Vec<String>)> = BTreeMap::new();
        for found in &ambiguities {
            let (first, second) = (&found.first, &found.second);
            pairs
                .entry((first.region, &first.text, second.region, &second.text))
                .or_insert_with(|| (found, Vec::new()))
                .1
                .push(found.to_string());
        }
        for (Ambiguity { first, second, .. }, countries) in pairs.into_values() {
            let written =
                spec.regions[second.region].countries.iter().position(|text| **text == *second.text);
            let path = match written {
                Some(index) => format!("spec.regions[{}].countries[{index}]", second.region),
                None => format!("spec.regions[{}].countries", second.region),
            };
            let other = &spec.regions[first.region].name;
            let message = format!(
                "ambiguous for {}: region {other:?} names them as specifically with {}; except them in one of the two",
                countries.join(", "),
                first.text
            );
            self.fail(&path, message);
        }
    }
}
