//! From a tenant's resources to rules ready to be asked.

use std::{collections::BTreeMap, sync::Arc};

use heliograph_domain::resources::{QueueSpec, RoutingRuleSpec, Spec, Stored};
use heliograph_policy::{Calendars, Fault, condition::ConditionError};

use crate::matching::Matching;

/// The queue that work goes to when no rule matches, if there is one of this name.
const FALLBACK: &str = "default";

/// A tenant's routing rules and queues.
#[derive(Debug, Clone, Default)]
pub struct Routing {
    /// In the order in which they are asked.
    pub(crate) rules: Vec<Rule>,
    pub(crate) queues: BTreeMap<String, QueueSpec>,
    pub(crate) calendars: Calendars,
}

/// A rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: Arc<str>,
    pub(crate) spec: RoutingRuleSpec,
    pub(crate) matching: Matching,
}

/// A rule that cannot be used: it matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version {version} of routing rule {rule} cannot be used; nothing goes by it: {fault}")]
pub struct Unusable {
    /// The rule's name.
    pub rule: String,
    /// Its version.
    pub version: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a rule beyond its form; nothing if it can be used.
pub fn check(spec: &RoutingRuleSpec) -> Vec<Fault> {
    Matching::compile(spec).err().map(fault).into_iter().collect()
}

fn fault(error: ConditionError) -> Fault {
    Fault { path: "spec.when".to_owned(), message: error.message, suggestion: error.suggestion }
}

impl Routing {
    /// Compiles the rules among a tenant's resources. One that cannot be used is left out, and said.
    pub fn build<'a>(resources: impl IntoIterator<Item = &'a Stored>) -> (Self, Vec<Unusable>) {
        let mut routing = Self::default();
        let mut unusable = Vec::new();
        for stored in resources {
            let name = &stored.resource.metadata.name;
            match &stored.resource.spec {
                Spec::RoutingRule(spec) => match Matching::compile(spec) {
                    Ok(matching) => {
                        let name = name.as_str().into();
                        routing.rules.push(Rule { name, spec: spec.clone(), matching });
                    }
                    Err(error) => unusable.push(Unusable {
                        rule: name.clone(),
                        version: stored.version,
                        fault: fault(error),
                    }),
                },
                Spec::Queue(spec) => {
                    routing.queues.insert(name.clone(), spec.clone());
                }
                Spec::Calendar(spec) => {
                    routing.calendars.insert(name.clone(), spec.clone());
                }
                _ => {}
            }
        }
        routing.rules.sort_by(|one, other| (one.spec.order, &one.name).cmp(&(other.spec.order, &other.name)));
        (routing, unusable)
    }

    /// The queue of what no rule is about: `default`, or where there is none of that name, the first by name.
    pub(crate) fn fallback(&self) -> &str {
        if self.queues.contains_key(FALLBACK) {
            return FALLBACK;
        }
        self.queues.keys().next().map_or(FALLBACK, String::as_str)
    }
}
