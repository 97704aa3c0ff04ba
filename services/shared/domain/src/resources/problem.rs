//! What is wrong with a resource file, and where.

use std::fmt;

use serde::Serialize;

use super::Place;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, as it was named by the caller.
    pub file: String,
    /// Line, from 1; 0 when it is not known.
    pub line: u64,
    /// Column, from 1; 0 when it is not known.
    pub column: u64,
    /// The resource as `Kind/name`, as far as it is known.
    pub resource: String,
    /// The field, such as `spec.regions[2].countries[0]`; empty for the document as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl Problem {
    pub(super) fn new(
        file: &str,
        place: Place,
        resource: &str,
        path: &str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            line: place.line,
            column: place.column,
            resource: resource.to_owned(),
            path: path.to_owned(),
            message: message.into(),
            suggestion: None,
        }
    }
}

/// `acme.yaml:14:7: ChannelPolicy/default: spec.regions[2].countries[0]: unknown country "UK"; did you mean "GB"?`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        for part in [&self.resource, &self.path] {
            if !part.is_empty() {
                write!(f, ": {part}")?;
            }
        }
        write!(f, ": {}", self.message)?;
        if let Some(meant) = &self.suggestion {
            write!(f, "; did you mean {meant:?}?")?;
        }
        Ok(())
    }
}

/// Everything that is wrong, in the order of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}
