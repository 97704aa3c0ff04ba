//! `heliograph send`.

use clap::Args;
use heliograph_domain::{content, phone};
use heliograph_proto::v1::{
    Address, MessageClass, SendRequest, egress_service_client::EgressServiceClient, send_request::To, verdict,
};
use heliograph_runtime::Settings;

use super::{
    egress::{Egress, EgressArgs},
    policy::Class,
};
use crate::output;

/// Flags of `send`.
#[derive(Debug, Args)]
#[command(
    after_help = "The message takes the way of every other: conversation, policy, egress, channel. What \
becomes of it stands on the event stream: heliograph tail --tenant acme --conversation …

Examples:
  heliograph send --tenant acme --channel sms --account acme-us --to +12125550100 --text 'Your order is on its way'
  heliograph send --tenant acme --contact con_… --text hello --dry-run"
)]
pub struct SendArgs {
    /// Who writes
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: String,
    /// To whom: a phone number or what else the channel calls them
    #[arg(long, value_name = "WHO", allow_hyphen_values = true, requires_all = ["channel", "account"])]
    pub to: Option<String>,
    /// To whom: a contact
    #[arg(long, value_name = "ID", conflicts_with = "to", required_unless_present = "to")]
    pub contact: Option<String>,
    /// By which channel
    #[arg(short, long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// From which channel account
    #[arg(short, long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// What to say
    #[arg(long, value_name = "TEXT")]
    pub text: String,
    /// What the message is for
    #[arg(long, value_enum, default_value_t)]
    pub class: Class,
    /// The same key sends once, however often it is asked for; drawn when not given
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// How to reach egress
    #[command(flatten)]
    pub egress: EgressArgs,
    /// Ask policy, send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Sends a message.
pub async fn run(args: &SendArgs, settings: &Settings) -> anyhow::Result<()> {
    let egress = Egress::find(&args.egress, settings)?;
    let request = egress.request(request(args));
    let answer = match EgressServiceClient::new(egress.channel.clone()).send(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Err(egress.refused(&status)),
    };
    if args.json {
        output::line(&serde_json::to_string(&answer)?)?;
    } else if args.dry_run {
        output::line("nothing was sent (dry run)")?;
    } else {
        let again = if answer.duplicate { " (this key was sent before)" } else { "" };
        output::line(&format!("{}{again}", answer.message_id))?;
    }
    if let Some(verdict) = &answer.verdict {
        let outcome = verdict.outcome();
        if !args.json {
            for reason in &verdict.fired {
                output::note(&format!("{}: {}", reason.code, reason.text));
            }
        }
        if outcome != verdict::Outcome::Allow && outcome != verdict::Outcome::Unspecified {
            anyhow::bail!("policy answers {}", outcome.as_str_name());
        }
    }
    Ok(())
}

fn request(args: &SendArgs) -> SendRequest {
    let to = match (&args.to, &args.contact) {
        (Some(to), _) => Some(To::Address(Address {
            channel: args.channel.clone().unwrap_or_default(),
            account: args.account.clone().unwrap_or_default(),
            user_id: phone::normalize(to).unwrap_or_else(|| to.clone()),
            phone: phone::normalize(to).unwrap_or_default(),
            ..Address::default()
        })),
        (None, Some(contact)) => Some(To::Contact(contact.clone())),
        (None, None) => None,
    };
    let class = match args.class {
        Class::Service => MessageClass::Service,
        Class::Utility => MessageClass::Utility,
        Class::Marketing => MessageClass::Marketing,
        Class::Authentication => MessageClass::Authentication,
        Class::Emergency => MessageClass::Emergency,
    };
    SendRequest {
        tenant: args.tenant.clone(),
        idempotency_key: args
            .idempotency_key
            .clone()
            .unwrap_or_else(|| format!("cli-{:032x}", rand::random::<u128>())),
        to,
        content: Some(content::text(args.text.as_str())),
        message_class: class.into(),
        dry_run: args.dry_run,
        ..SendRequest::default()
    }
}
