//! `heliograph route`: ask who answers.

use clap::{Args, Subcommand};
use heliograph_domain::resources::Stored;
use heliograph_runtime::Settings;
use jiff::Timestamp;

use crate::{
    admin::{Question, RouteQuestion, Routed, Rules, check_routing, explain_route, read_manifests},
    commands::resources,
    connect, output,
};

/// What can be asked of routing.
#[derive(Debug, Subcommand)]
pub enum RouteCommand {
    /// Say which queue a message goes to, what it asks of agents, and what every rule says of it
    Explain(ExplainArgs),
}

/// Flags of `route explain`.
#[derive(Debug, Args)]
#[command(
    after_help = "The rules in force are asked, with what is stored of the customer, or with -f those of a file, \
without a broker.

Examples:
  heliograph route explain --tenant acme --channel sms --from +5511987654321 --text \"Quero comprar\"
  heliograph route explain --tenant acme --channel sms --from +5511987654321 --text oi --at 2026-11-22T03:00:00-03:00
  heliograph route explain --tenant acme --channel wechat --contact con_1 --text \"这个价格是多少\" --json
  heliograph route explain --tenant acme --channel webchat --from visitor --text hello --language de -f acme.yaml"
)]
pub struct ExplainArgs {
    /// Whose rules
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: String,
    /// The customer who writes: a phone number or what else the channel calls them
    #[arg(
        long,
        value_name = "WHO",
        allow_hyphen_values = true,
        required_unless_present = "contact",
        conflicts_with = "contact"
    )]
    pub from: Option<String>,
    /// The customer who writes, by the contact's id
    #[arg(long, value_name = "ID", conflicts_with = "files")]
    pub contact: Option<String>,
    /// The channel they write by
    #[arg(short, long, value_name = "CHANNEL")]
    pub channel: String,
    /// The channel account; taken by itself where the tenant has only one on the channel
    #[arg(short, long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// What they write
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, default_value = "")]
    pub text: String,
    /// The language of the message as the channel says it, such as pt-BR; found out when not given
    #[arg(long, value_name = "TAG")]
    pub language: Option<String>,
    /// When, such as 2026-03-08T03:30:00-05:00; now when not given
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// Ask the rules of these files
    #[arg(short, long = "file", value_name = "FILE")]
    pub files: Vec<String>,
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// Does what was asked.
pub async fn run(command: &RouteCommand, settings: &Settings) -> anyhow::Result<()> {
    let RouteCommand::Explain(args) = command;
    let who = Question {
        contact: args.contact.clone(),
        channel: Some(args.channel.clone()),
        account: args.account.clone(),
        at: args.at,
        ..Question::about(&args.tenant, args.from.as_deref().unwrap_or_default())
    };
    let question = RouteQuestion { who, text: args.text.clone(), language: args.language.clone() };
    let routed = if args.files.is_empty() {
        connect::admin(settings).await?.explain_route(&question).await?
    } else {
        offline(&args.files, &question, settings)?
    };
    if let Some(account) = &routed.assumed_account {
        output::note(&format!(
            "account {account} is taken, the only one on the channel; --account says another"
        ));
    }
    if args.json {
        return output::line(&serde_json::to_string(&routed.on_wire())?);
    }
    tell(&routed)
}

fn tell(routed: &Routed) -> anyhow::Result<()> {
    output::line(&routed.explanation.to_string())?;
    let region = &routed.region;
    let place = region.country.map_or_else(String::new, |country| format!(", {}", country.code()));
    output::line(&format!("  region    {}{place}, by {}", region.region, region.source.as_str()))?;
    if let Some(contact) = &routed.contact {
        output::line(&format!("  contact   {}", contact.id))?;
    }
    if let Some(word) = &routed.word {
        let text = format!("{} is a word for the system: it is recorded, and no agent is asked", word.word);
        output::line(&format!("  word      {text}"))?;
    }
    Ok(())
}

/// Asks the rules of files. Only their form and conditions are checked: neighbours and secrets are not needed for an
/// answer.
fn offline(files: &[String], question: &RouteQuestion, settings: &Settings) -> anyhow::Result<Routed> {
    let manifests = resources::read(files)?;
    let rules = Rules { inline_secrets: true, ..connect::rules(settings)? };
    let documents = read_manifests(&manifests, &rules)?;
    check_routing(&documents)?;
    let stored: Vec<Stored> = documents
        .into_iter()
        .map(|document| Stored {
            resource: document.resource,
            version: 0,
            applied_by: "file".to_owned(),
            applied_at: Timestamp::UNIX_EPOCH,
        })
        .collect();
    Ok(explain_route(&stored, question, Timestamp::now())?)
}
