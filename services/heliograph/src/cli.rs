//! What can be typed. Each command's flags stand with the command.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::commands::{
    channels, config, contact, dead, dev, doctor, policy, provision, resources, route, run, send, simulate,
    tail, tenant,
};

const EXAMPLES: &str = "\
Examples:
  heliograph dev                                    everything on this machine, with a sample tenant
  heliograph run sms --http 0.0.0.0:8080            one service of a fleet
  heliograph apply -f acme.yaml --dry-run           what a file would change
  heliograph policy explain --tenant acme --from +5511987654321 --channel sms
  heliograph policy test -f policy.yaml             what its tests say
  heliograph route explain --tenant acme --channel sms --from +5511987654321 --text oi
  heliograph simulate -f scenario.yaml              how long customers would wait
  heliograph tail --from now                        what happens, as it happens

Configuration: defaults < files (--config) < environment (HELIOGRAPH__SECTION__KEY) < flags. `heliograph \
config` prints what is in force. While `heliograph dev` runs, commands given from the folder it was \
started in find it by themselves (data/dev.yaml).

Exit codes: 0 done, 1 failed, 2 wrong command line, 65 wrong input, 69 broker or service away, 78 wrong \
configuration.";

/// Carries a company's conversations with its customers over every channel they already use.
#[derive(Debug, Parser)]
#[command(name = "heliograph", version, after_help = EXAMPLES, max_term_width = 120, disable_help_subcommand = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Configuration file (YAML or TOML); may be given several times, later files win
    #[arg(long, global = true, value_name = "FILE", env = "HELIOGRAPH_CONFIG", value_delimiter = ',')]
    pub config: Vec<PathBuf>,
    /// Where NATS is; sets nats.url
    #[arg(long, global = true, value_name = "URL")]
    pub nats_url: Option<String>,
    /// Where Redis is; sets redis.url
    #[arg(long, global = true, value_name = "URL")]
    pub redis_url: Option<String>,
    /// Log more to standard error; twice for still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run services of a fleet in this process
    Run(run::RunArgs),
    /// Run everything on this machine: brokers, services, a sample tenant, playing customers
    Dev(dev::DevArgs),
    /// Put resources in force
    Apply(resources::ApplyArgs),
    /// Show resources
    Get(resources::GetArgs),
    /// Show what applying files would change
    Diff(resources::DiffArgs),
    /// Delete a resource
    Delete(resources::DeleteArgs),
    /// Ask, test and compare the regional channel policy
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Ask who answers
    #[command(subcommand)]
    Route(route::RouteCommand),
    /// Say what each channel can receive and send, and what becomes of the rest
    Channels(channels::ChannelsArgs),
    /// See where tenants are, and move them
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Look at customers, join and split them
    #[command(subcommand)]
    Contact(contact::ContactCommand),
    /// Simulate a contact centre: customers, agents, and the assignment engine that brings them together
    Simulate(simulate::SimulateArgs),
    /// Send a message to a customer
    Send(send::SendArgs),
    /// Follow the public event stream
    Tail(tail::TailArgs),
    /// Look after what could not be processed
    #[command(subcommand)]
    Dead(dead::DeadCommand),
    /// Lay out streams and buckets on the broker
    Provision(provision::ProvisionArgs),
    /// Find out what is wrong with an installation
    Doctor(doctor::DoctorArgs),
    /// Print the configuration in force, secrets masked, each key with its source
    Config(config::ConfigArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
