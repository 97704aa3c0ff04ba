//! `heliograph policy explain`.

use clap::{Args, ValueEnum};
use heliograph_domain::resources::{SenderIdentity, Stored};
use heliograph_policy::{Consent, Direction, Window};
use heliograph_runtime::Settings;
use jiff::Timestamp;

use super::{Class, Said};
use crate::{
    admin::{Explained, Known, Question, Rules, explain, read_manifests},
    commands::resources,
    connect, output,
};

/// Flags of `policy explain`.
#[derive(Debug, Args)]
#[command(after_help = "--from asks about a message of the customer, --to about one to the customer, which \
consent may forbid too. The policy in force is asked, with what is stored of the customer, or with -f that of a \
file, without a broker.

Examples:
  heliograph policy explain --tenant acme --from +5511987654321 --channel sms
  heliograph policy explain --tenant acme --to +12125550100 --class marketing
  heliograph policy explain --tenant acme --to +12125550100 --channel sms --at 2026-03-08T03:30:00-05:00 --all
  heliograph policy explain --tenant acme --contact con_1 --channel wechat --window closed
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
        required_unless_present_any = ["to", "contact"],
        conflicts_with_all = ["to", "contact"]
    )]
    pub from: Option<String>,
    /// The customer who is written to
    #[arg(long, value_name = "WHO", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// The customer who is written to, by the contact's id
    #[arg(long, value_name = "ID", conflicts_with = "to")]
    pub contact: Option<String>,
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
    /// What the customer said about being written to; what is stored when not given
    #[arg(long, value_enum)]
    pub consent: Option<Said>,
    /// The channel's messaging window; as it is stored when not given
    #[arg(long, value_enum)]
    pub window: Option<WindowSaid>,
    /// What kind of sender the account writes as; what its resource says when not given
    #[arg(long, value_enum)]
    pub sender: Option<Sender>,
    /// What is said: a kind of content, such as text or template
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// When, such as 2026-03-08T03:30:00-05:00; now when not given
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// List rules that are about other messages too, and why
    #[arg(long)]
    pub all: bool,
    /// Ask the policy of these files
    #[arg(short, long = "file", value_name = "FILE")]
    pub files: Vec<String>,
    /// Print the verdict as JSON
    #[arg(long)]
    pub json: bool,
}

/// [`SenderIdentity`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Sender {
    /// A name such as ACME
    Alphanumeric,
    /// A code of a few digits
    ShortCode,
    /// A number with a toll-free prefix
    TollFree,
    /// A North American number registered for application-to-person traffic
    #[value(name = "10dlc")]
    TenDlc,
    /// An ordinary number
    LongCode,
}

impl From<Sender> for SenderIdentity {
    fn from(sender: Sender) -> Self {
        match sender {
            Sender::Alphanumeric => Self::Alphanumeric,
            Sender::ShortCode => Self::ShortCode,
            Sender::TollFree => Self::TollFree,
            Sender::TenDlc => Self::TenDlc,
            Sender::LongCode => Self::LongCode,
        }
    }
}

/// A messaging window on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum WindowSaid {
    /// The channel has none
    None,
    /// It is open
    Open,
    /// It is closed, and a template may be sent
    Closed,
    /// It is closed, and nothing may be sent
    Shut,
}

impl From<WindowSaid> for Window {
    fn from(said: WindowSaid) -> Self {
        match said {
            WindowSaid::None => Self::Unlimited,
            WindowSaid::Open => Self::Open { until: None, templates: true },
            WindowSaid::Closed => Self::Closed { templates: true },
            WindowSaid::Shut => Self::Closed { templates: false },
        }
    }
}

/// Prints the verdict and how it came about.
pub(super) async fn run(args: &ExplainArgs, settings: &Settings) -> anyhow::Result<()> {
    let question = Question {
        direction: if args.from.is_some() { Direction::Inbound } else { Direction::Outbound },
        contact: args.contact.clone(),
        channel: args.channel.clone(),
        account: args.account.clone(),
        sender: args.sender.map(SenderIdentity::from),
        class: args.class.into(),
        kind: args.kind.clone().unwrap_or_default(),
        locale: args.locale.clone(),
        country: args.country.clone(),
        consent: args.consent.map(Consent::from),
        window: args.window.map(Window::from),
        at: args.at,
        ..Question::about(&args.tenant, args.from.as_ref().or(args.to.as_ref()).map_or("", String::as_str))
    };
    let explained = if args.files.is_empty() {
        let redis = connect::redis(settings).await.ok();
        connect::admin(settings).await?.explain(&question, redis.as_ref()).await?
    } else {
        offline(args, &question, settings)?
    };
    if let Some(account) = &explained.assumed_account {
        output::note(&format!(
            "account {account} is taken, the only one on the channel; --account says another"
        ));
    }
    if args.json {
        let mut json = serde_json::to_value(heliograph_policy::wire::verdict(&explained.verdict))?;
        if args.all
            && let Some(object) = json.as_object_mut()
        {
            let out = explained.out_of_scope.iter();
            let out =
                out.map(|(rule, why)| serde_json::json!({ "rule": &**rule, "narrowedBy": why.as_str() }));
            object.insert("outOfScope".to_owned(), out.collect());
        }
        return output::line(&json.to_string());
    }
    output::line(&explained.verdict.to_string())?;
    stored(&explained)?;
    if args.all {
        for (rule, why) in &explained.out_of_scope {
            output::line(&format!("  out     rule {rule}: {why}"))?;
        }
    } else if !explained.out_of_scope.is_empty() {
        let count = explained.out_of_scope.len();
        output::line(&format!("  out     {count} rules are about other messages; --all lists them"))?;
    }
    Ok(())
}

/// What is stored of the customer, where somebody is known.
fn stored(explained: &Explained) -> anyhow::Result<()> {
    let known = &explained.known;
    let Some(contact) = &known.contact else { return Ok(()) };
    let consent = match known.consent {
        Some(Consent::OptedIn) => "opted in",
        Some(Consent::OptedOut) => "opted out",
        Some(Consent::Unknown) | None => "said nothing about being written to",
    };
    let window = match known.window {
        None | Some(Window::Unlimited) => String::new(),
        Some(Window::Open { until: Some(until), .. }) => format!(", window open until {until:.0}"),
        Some(Window::Open { until: None, .. }) => ", window open".to_owned(),
        Some(Window::Closed { .. }) => ", window closed".to_owned(),
    };
    let sent = match known.sent.len() {
        0 => String::new(),
        count => format!(", {count} messages sent lately"),
    };
    output::line(&format!("  contact {}: {consent}{window}{sent}", contact.id))
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
    Ok(explain(&stored, question, Known::default(), Timestamp::now())?)
}
