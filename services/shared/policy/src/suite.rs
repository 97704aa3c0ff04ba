//! Policy tests: what a policy is to decide, written beside it, and what those tests are worth.
//!
//! A file of tests holds cases ([`parse`]); [`run`] asks a policy each of them and says what is not as expected;
//! [`mutants`] makes the small mistakes somebody could make in a policy, and [`survivors`] are those that no test
//! notices.

mod case;
mod examine;
mod expect;
mod facts;
mod mutate;
mod report;

use std::sync::Arc;

use heliograph_domain::resources::ChannelPolicySpec;

pub use case::{Case, Given, SuiteError, TestFile, parse};
pub use examine::run;
pub use expect::{Expect, Names};
pub use mutate::{Mutant, mutants, survivors};
pub use report::{Coverage, Failure, Report};

use crate::{CompileError, CompiledPolicy, shelf::Calendars};

/// A policy under test: what is declared, and what was compiled from it.
#[derive(Debug, Clone)]
pub struct Subject {
    spec: ChannelPolicySpec,
    policy: Arc<CompiledPolicy>,
}

impl Subject {
    /// Compiles a policy for its tests.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub fn new(
        name: &str,
        version: u64,
        spec: ChannelPolicySpec,
        calendars: &Calendars,
    ) -> Result<Self, CompileError> {
        let policy = Arc::new(CompiledPolicy::compile(name, version, &spec, calendars)?);
        Ok(Self { spec, policy })
    }

    /// What is declared.
    pub fn spec(&self) -> &ChannelPolicySpec {
        &self.spec
    }

    /// What decides.
    pub fn policy(&self) -> &CompiledPolicy {
        &self.policy
    }
}

#[cfg(test)]
mod tests;
