//! How the tests went.

use std::fmt;

use serde::Serialize;

use super::{Expect, Given};
use crate::Verdict;

/// How the tests went.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How many cases were asked.
    pub cases: usize,
    /// Those that are not as expected.
    pub failures: Vec<Failure>,
    /// What no case touched.
    pub coverage: Coverage,
}

/// A case that is not as expected.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// The file.
    pub file: String,
    /// Line of the test.
    pub line: u64,
    /// Name of the test.
    pub name: String,
    /// What was asked.
    pub given: Given,
    /// What was to be answered.
    pub expect: Expect,
    /// What is not so.
    pub faults: Vec<String>,
    /// What was answered.
    pub verdict: Verdict,
}

/// What no case touched.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Coverage {
    /// How many rules there are.
    pub rules: usize,
    /// Rules that never had a say.
    pub idle_rules: Vec<String>,
    /// How many regions there are.
    pub regions: usize,
    /// Regions that nobody was in.
    pub idle_regions: Vec<String>,
}

impl Report {
    /// Whether everything is as expected.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// The case as it stands, what is wrong, and how policy came to its answer.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
        writeln!(f, "{}:{}: {}", self.file, self.line, self.name)?;
        writeln!(f, "  given   {}", json(serde_json::to_string(&self.given)))?;
        writeln!(f, "  expect  {}", json(serde_json::to_string(&self.expect)))?;
        for fault in &self.faults {
            writeln!(f, "  but     {fault}")?;
        }
        write!(f, "  verdict {}", self.verdict)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |f: &mut fmt::Formatter<'_>, what: &str, all: usize, idle: &[String]| {
            write!(f, "{} of {all} {what}", all - idle.len())?;
            if idle.is_empty() { Ok(()) } else { write!(f, " (never: {})", idle.join(", ")) }
        };
        one(f, "rules", self.rules, &self.idle_rules)?;
        f.write_str(" and ")?;
        one(f, "regions", self.regions, &self.idle_regions)?;
        f.write_str(" decided a test")
    }
}
