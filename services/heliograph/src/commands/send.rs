//! `heliograph send`.

use clap::Args;
use heliograph_domain::{content, phone};
use heliograph_proto::v1::{
    Address, MessageClass, SendRequest, egress_service_client::EgressServiceClient, send_request::To, verdict,
};
use heliograph_runtime::{Settings, grpc};
use secrecy::{ExposeSecret as _, SecretString};
use tonic::{Code, Request, metadata::MetadataValue};

use super::policy::Class;
use crate::{
    failure::{Away, Unconfigured, Usage},
    output,
    settings::ClientSettings,
};

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
    /// Where egress answers; sets client.egress
    #[arg(long, value_name = "URL")]
    pub egress: Option<String>,
    /// What to show egress; client.token when not given
    #[arg(long, value_name = "TOKEN", env = "HELIOGRAPH_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Ask policy, send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Sends a message.
pub async fn run(args: &SendArgs, settings: &Settings) -> anyhow::Result<()> {
    let client: ClientSettings = settings.section("client")?;
    let endpoint =
        args.egress.clone().or(client.egress).unwrap_or_else(|| format!("http://{}", settings.grpc.addr));
    let token = args.token.clone().map(SecretString::from).or(client.token).ok_or_else(|| {
        Unconfigured("egress wants a token: give --token, HELIOGRAPH_TOKEN or client.token".to_owned())
    })?;
    let channel = grpc::channel(&endpoint).map_err(|error| Usage(error.to_string()))?;
    let mut request = Request::new(request(args));
    let bearer: MetadataValue<_> = format!("Bearer {}", token.expose_secret())
        .parse()
        .map_err(|_| Usage("the token holds characters that cannot be sent".to_owned()))?;
    request.metadata_mut().insert("authorization", bearer);
    let answer = match EgressServiceClient::new(channel).send(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Err(refused(&endpoint, &status)),
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

fn refused(endpoint: &str, status: &tonic::Status) -> anyhow::Error {
    let text = status.message();
    match status.code() {
        Code::Unavailable => {
            Away(format!("egress at {endpoint} does not answer ({text}); --egress says where it is")).into()
        }
        Code::Unauthenticated | Code::PermissionDenied => {
            Unconfigured(format!("egress at {endpoint} refuses the token: {text}")).into()
        }
        Code::InvalidArgument => Usage(text.to_owned()).into(),
        code => anyhow::anyhow!("egress answers {code:?}: {text}"),
    }
}
