//! From errors to exit codes. Codes are decided here, by what lies at the root of an error.

use heliograph_domain::resources::Problems;
use heliograph_fabric::ConnectError;
use heliograph_policy::suite::SuiteError;
use heliograph_runtime::{ConfigError, exit, telemetry::TelemetryError};

use crate::admin::AdminError;

/// The command line asked for something that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The configuration lacks something a command or service needs.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unconfigured(pub String);

/// Another service does not answer, or refused.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Away(pub String);

/// The reader of standard output is gone: `heliograph tail | head`. Not a failure.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output any more")]
pub struct NobodyReads;

/// The exit code that says what kind of failure it was.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of).unwrap_or(exit::FAILURE)
}

fn code_of(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if cause.is::<NobodyReads>() {
        return Some(exit::OK);
    }
    if cause.is::<Usage>() {
        return Some(exit::USAGE);
    }
    if cause.is::<Unconfigured>() || cause.is::<ConfigError>() || cause.is::<TelemetryError>() {
        return Some(exit::CONFIG);
    }
    if cause.is::<Problems>()
        || cause.is::<SuiteError>()
        || cause.downcast_ref::<AdminError>().is_some_and(AdminError::is_bad_input)
    {
        return Some(exit::DATA);
    }
    (cause.is::<ConnectError>() || cause.is::<Away>()).then_some(exit::UNAVAILABLE)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_cause_decides_the_code_however_deep_it_lies() {
        let deep = Err::<(), _>(Usage("no".to_owned())).context("one").context("two");
        assert_eq!(deep.map_err(|error| exit_code(&error)), Err(exit::USAGE));
        assert_eq!(exit_code(&anyhow::anyhow!("something")), exit::FAILURE);
        assert_eq!(exit_code(&AdminError::Empty.into()), exit::DATA);
    }
}
