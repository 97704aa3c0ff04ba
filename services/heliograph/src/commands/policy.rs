//! `heliograph policy explain`.

use clap::{Args, Subcommand, ValueEnum};
use heliograph_domain::resources::{MessageClass, Stored};
use heliograph_policy::{Consent, Direction};
use heliograph_runtime::Settings;
use jiff::Timestamp;

use super::resources;
use crate::{
    admin::{Explained, Question, Rules, explain, read_manifests},
    connect, output,
};

/// What can be asked of policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Say what policy decides for a customer and channel, and every rule that led to it
    Explain(ExplainArgs),
}

/// Flags of `policy explain`.
#[derive(Debug, Args)]
#[command(after_help = "--from asks about a message of the customer, --to about one to the customer, which \
consent may forbid too. The policy in force is asked, or with -f that of a file, without a broker.

Examples:
  heliograph policy explain --tenant acme --from +5511987654321 --channel sms
  heliograph policy explain --tenant acme --to +12125550100 --class marketing
  heliograph policy explain --tenant acme --from oCustomer --channel wechat --account acme-cn --json
  heliograph policy explain --tenant acme --from +6497461234 --channel bottle -f acme.yaml")]
pub struct ExplainArgs {
    /// Whose policy
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: String,
    /// The customer who writes: a phone number or what else the channel calls them
    #[arg(
        long,
        value_name = "WHO",
        allow_hyphen_values = true,
        required_unless_present = "to",
        conflicts_with = "to"
    )]
    pub from: Option<String>,
    /// The customer who is written to
    #[arg(long, value_name = "WHO", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// The channel; without one, which channel is best is asked
    #[arg(short, long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// The channel account; taken by itself where the tenant has only one on the channel
    #[arg(short, long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// What the message is for
    #[arg(long, value_enum, default_value_t)]
    pub class: Class,
    /// The customer's locale, such as pt-BR
    #[arg(long, value_name = "TAG")]
    pub locale: Option<String>,
    /// The customer's country, known for certain: an ISO 3166-1 code of two letters
    #[arg(long, value_name = "CODE")]
    pub country: Option<String>,
    /// What the customer said about being written to
    #[arg(long, value_enum, default_value_t)]
    pub consent: Said,
    /// Ask the policy of these files
    #[arg(short, long = "file", value_name = "FILE")]
    pub files: Vec<String>,
    /// Print the verdict as JSON
    #[arg(long)]
    pub json: bool,
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

/// Prints the verdict and how it came about.
pub async fn run(command: &PolicyCommand, settings: &Settings) -> anyhow::Result<()> {
    let PolicyCommand::Explain(args) = command;
    let question = Question {
        tenant: args.tenant.clone(),
        direction: if args.to.is_some() { Direction::Outbound } else { Direction::Inbound },
        user_id: args.from.clone().or_else(|| args.to.clone()).unwrap_or_default(),
        channel: args.channel.clone(),
        account: args.account.clone(),
        class: args.class.into(),
        locale: args.locale.clone(),
        country: args.country.clone(),
        consent: args.consent.into(),
    };
    let explained = if args.files.is_empty() {
        connect::admin(settings).await?.explain(&question).await?
    } else {
        offline(args, &question, settings)?
    };
    if let Some(account) = &explained.assumed_account {
        output::note(&format!(
            "account {account} is taken, the only one on the channel; --account says another"
        ));
    }
    if args.json {
        return output::line(&serde_json::to_string(&heliograph_policy::wire::verdict(&explained.verdict))?);
    }
    output::line(&explained.verdict.to_string())
}

/// Asks the policy of files. Only their form is checked: neighbours and secrets are not needed for an answer.
fn offline(args: &ExplainArgs, question: &Question, settings: &Settings) -> anyhow::Result<Explained> {
    let manifests = resources::read(&args.files)?;
    let rules = Rules { inline_secrets: true, ..connect::rules(settings)? };
    let stored: Vec<Stored> = read_manifests(&manifests, &rules)?
        .into_iter()
        .map(|document| Stored {
            resource: document.resource,
            version: 0,
            applied_by: "file".to_owned(),
            applied_at: Timestamp::UNIX_EPOCH,
        })
        .collect();
    Ok(explain(&stored, question, Timestamp::now())?)
}
