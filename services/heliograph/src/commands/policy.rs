//! `heliograph policy`: ask it, test it, compare its versions, bring one back.

mod diff;
mod explain;
mod regions;
mod test;
mod versions;

use clap::{Subcommand, ValueEnum};
use heliograph_domain::resources::MessageClass;
use heliograph_policy::Consent;
use heliograph_runtime::{Settings, exit};

/// What can be asked of policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Say what policy decides for a customer and channel, and every rule that led to it
    Explain(explain::ExplainArgs),
    /// Run the tests of a policy
    Test(test::TestArgs),
    /// Show what differs between two policies, and whose messages are decided differently
    Diff(diff::DiffArgs),
    /// List the versions of a policy
    History(versions::HistoryArgs),
    /// Bring an old version of a policy back
    Rollback(versions::RollbackArgs),
    /// List the regions of a policy, or say where a country falls
    Regions(regions::RegionsArgs),
    /// List the subjects whose events a site may hold
    Residency(regions::ResidencyArgs),
}

/// [`MessageClass`] on the command line.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Class {
    /// An answer, or what a conversation needs
    #[default]
    Service,
    /// A notice the customer expects
    Utility,
    /// Advertising
    Marketing,
    /// A one-time code
    Authentication,
    /// Danger to life or property
    Emergency,
}

impl From<Class> for MessageClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Service => Self::Service,
            Class::Utility => Self::Utility,
            Class::Marketing => Self::Marketing,
            Class::Authentication => Self::Authentication,
            Class::Emergency => Self::Emergency,
        }
    }
}

/// [`Consent`] on the command line.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Said {
    /// Nothing
    #[default]
    Unknown,
    /// Yes
    OptedIn,
    /// No
    OptedOut,
}

impl From<Said> for Consent {
    fn from(said: Said) -> Self {
        match said {
            Said::Unknown => Self::Unknown,
            Said::OptedIn => Self::OptedIn,
            Said::OptedOut => Self::OptedOut,
        }
    }
}

/// Does what was asked; the exit code.
pub async fn run(command: &PolicyCommand, settings: &Settings) -> anyhow::Result<u8> {
    match command {
        PolicyCommand::Explain(args) => explain::run(args, settings).await?,
        PolicyCommand::Test(args) => return test::run(args),
        PolicyCommand::Diff(args) => return diff::run(args, settings).await,
        PolicyCommand::History(args) => versions::history(args, settings).await?,
        PolicyCommand::Rollback(args) => versions::rollback(args, settings).await?,
        PolicyCommand::Regions(args) => regions::regions(args, settings).await?,
        PolicyCommand::Residency(args) => regions::residency(args, settings).await?,
    }
    Ok(exit::OK)
}
