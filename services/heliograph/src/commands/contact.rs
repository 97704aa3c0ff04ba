//! `heliograph contact`: look at customers, join and split them, write down what they agreed to.

use clap::{Args, Subcommand, ValueEnum};
use heliograph_proto::v1::{
    self, CreateLinkCodeRequest, JoinContactsRequest, SetConsentRequest, SplitContactRequest,
    contact_service_client::ContactServiceClient, join_contacts_request::Other,
};
use heliograph_runtime::Settings;
use heliograph_store::{consent::Choice, contacts::Address};
use serde_json::{Value, json};

use super::{
    egress::{Egress, EgressArgs},
    policy::Class,
};
use crate::{
    admin::{Card, Who},
    connect,
    failure::Usage,
    output,
};

/// What can be done about customers.
#[derive(Debug, Subcommand)]
pub enum ContactCommand {
    /// Show a customer: addresses and how they came together, what they agreed to, conversations
    Show(ShowArgs),
    /// Make an address, or all of another contact's, this contact's
    Join(JoinArgs),
    /// Make an address a contact of its own again
    Split(SplitArgs),
    /// Make a code with which the customer joins another address by themselves
    LinkCode(LinkCodeArgs),
    /// Write down what a customer said about being written to
    Consent(ConsentArgs),
}

/// Flags of `contact show`.
#[derive(Debug, Args)]
#[command(after_help = "A customer is named by the contact's id, con_…, or by an address: \
<channel>:<account>:<user id>.

Examples:
  heliograph contact show --tenant acme con_1
  heliograph contact show --tenant acme sms:acme-us:+12125550100")]
pub struct ShowArgs {
    /// The customer
    #[arg(value_name = "WHO")]
    pub who: Who,
    /// Whose customer
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `contact join`.
#[derive(Debug, Args)]
#[command(after_help = "Whoever joins vouches that it is the same customer. The tenant is that of the token.

Examples:
  heliograph contact join con_1 con_2
  heliograph contact join con_1 webchat:acme-web:visitor-7")]
pub struct JoinArgs {
    /// The contact that stays
    #[arg(value_name = "CONTACT")]
    pub contact: String,
    /// The contact or address that becomes part of it
    #[arg(value_name = "WHO")]
    pub other: Who,
    /// How to reach egress
    #[command(flatten)]
    pub egress: EgressArgs,
}

/// Flags of `contact split`.
#[derive(Debug, Args)]
#[command(after_help = "Conversations that were held at the address go with it.

Examples:
  heliograph contact split con_1 webchat:acme-web:visitor-7")]
pub struct SplitArgs {
    /// The contact
    #[arg(value_name = "CONTACT")]
    pub contact: String,
    /// The address
    #[arg(value_name = "ADDRESS", help = "The address, as <channel>:<account>:<user id>")]
    pub address: Who,
    /// How to reach egress
    #[command(flatten)]
    pub egress: EgressArgs,
}

/// Flags of `contact link-code`.
#[derive(Debug, Args)]
#[command(after_help = "Whoever sends the code from another address is this contact. It is good once.

Examples:
  heliograph contact link-code con_1")]
pub struct LinkCodeArgs {
    /// The contact
    #[arg(value_name = "CONTACT")]
    pub contact: String,
    /// How to reach egress
    #[command(flatten)]
    pub egress: EgressArgs,
}

/// What a customer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Answer {
    /// Yes
    In,
    /// No
    Out,
}

/// Flags of `contact consent`.
#[derive(Debug, Args)]
#[command(after_help = "The source is what a regulator is shown: say where and when the customer said so.

Examples:
  heliograph contact consent con_1 in --class marketing --channel sms --source 'web form 2026-03-01'
  heliograph contact consent con_1 out --source 'called us on 2026-03-01'")]
pub struct ConsentArgs {
    /// The contact
    #[arg(value_name = "CONTACT")]
    pub contact: String,
    /// Whether they want to be written to
    #[arg(value_enum, value_name = "in|out")]
    pub answer: Answer,
    /// Only on this channel; on every channel when not given
    #[arg(short, long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// Only for messages of this class; for every class when not given
    #[arg(long, value_enum)]
    pub class: Option<Class>,
    /// Where and when they said so
    #[arg(long, value_name = "TEXT")]
    pub source: String,
    /// How to reach egress
    #[command(flatten)]
    pub egress: EgressArgs,
}

/// Does what was asked.
pub async fn run(command: &ContactCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        ContactCommand::Show(args) => show(args, settings).await,
        ContactCommand::Join(args) => join(args, settings).await,
        ContactCommand::Split(args) => split(args, settings).await,
        ContactCommand::LinkCode(args) => link_code(args, settings).await,
        ContactCommand::Consent(args) => consent(args, settings).await,
    }
}

async fn show(args: &ShowArgs, settings: &Settings) -> anyhow::Result<()> {
    let card = connect::admin(settings).await?.contact(&args.tenant, &args.who).await?;
    if args.json {
        return output::json(&as_json(&card));
    }
    let contact = &card.contact;
    output::line(&contact.id)?;
    let known = [
        ("name", &contact.display_name),
        ("locale", &contact.locale),
        ("country", &contact.country),
        ("zone", &contact.time_zone),
    ];
    for (what, value) in known {
        if let Some(value) = value {
            output::line(&format!("  {what:<12} {value}"))?;
        }
    }
    for (name, attribute) in &contact.attributes {
        let vouched = if attribute.verified { " (verified)" } else { "" };
        output::line(&format!("  {name:<12} {}{vouched}", attribute.value))?;
    }
    output::line("addresses")?;
    for address in &contact.addresses {
        let how = contact.links.iter().rev().find(|link| link.address == *address).map(|link| {
            let actor = if link.actor.is_empty() { String::new() } else { format!(" of {}", link.actor) };
            let from = link.previous.as_ref().map_or_else(String::new, |was| format!(", was {was}"));
            format!("  by {}{actor} at {}{from}", link.by.as_str(), output::time(link.at_ms))
        });
        output::line(&format!("  {}{}", named(address), how.unwrap_or_default()))?;
    }
    if !card.consent.is_empty() {
        output::line("consent, the newest first")?;
    }
    for (subject, statement) in &card.consent {
        let said = if statement.choice == Choice::OptedIn { "in " } else { "out" };
        let channel = subject.channel.as_deref().unwrap_or("every channel");
        output::line(&format!(
            "  {said} {channel} {}  {}  {}",
            subject.purpose,
            output::time(statement.at_ms),
            statement.source
        ))?;
    }
    if !card.conversations.is_empty() {
        output::line("conversations, the newest first")?;
    }
    for entry in &card.conversations {
        let (opened, address) = (output::time(entry.opened_at_ms), named(&entry.address));
        output::line(&format!("  {}  {opened}  {address}", entry.conversation))?;
    }
    Ok(())
}

fn as_json(card: &Card) -> Value {
    let consent = card.consent.iter().map(|(subject, statement)| {
        json!({
            "channel": subject.channel, "purpose": subject.purpose, "choice": statement.choice,
            "source": statement.source, "at_ms": statement.at_ms,
        })
    });
    let conversations = card.conversations.iter().map(|entry| {
        json!({ "id": entry.conversation, "address": entry.address, "opened_at_ms": entry.opened_at_ms })
    });
    json!({
        "contact": &*card.contact,
        "consent": consent.collect::<Value>(),
        "conversations": conversations.collect::<Value>(),
    })
}

fn named(address: &Address) -> String {
    format!("{}:{}:{}", address.channel, address.account, address.user_id)
}

async fn join(args: &JoinArgs, settings: &Settings) -> anyhow::Result<()> {
    let egress = Egress::find(&args.egress, settings)?;
    let other = match &args.other {
        Who::Contact(id) => Other::OtherContact(id.clone()),
        Who::Address(address) => Other::Address(address.into()),
    };
    let request = egress.request(JoinContactsRequest { contact: args.contact.clone(), other: Some(other) });
    let answer = ContactServiceClient::new(egress.channel.clone()).join_contacts(request).await;
    let answer = answer.map_err(|status| egress.refused(&status))?.into_inner();
    print(answer.contact.as_ref())
}

async fn split(args: &SplitArgs, settings: &Settings) -> anyhow::Result<()> {
    let Who::Address(address) = &args.address else {
        return Err(Usage("what is split off is an address: <channel>:<account>:<user id>".to_owned()).into());
    };
    let egress = Egress::find(&args.egress, settings)?;
    let request = SplitContactRequest { contact: args.contact.clone(), address: Some(address.into()) };
    let answer =
        ContactServiceClient::new(egress.channel.clone()).split_contact(egress.request(request)).await;
    let answer = answer.map_err(|status| egress.refused(&status))?.into_inner();
    print(answer.contact.as_ref())?;
    print(answer.split.as_ref())
}

fn print(contact: Option<&v1::Contact>) -> anyhow::Result<()> {
    let Some(contact) = contact else { return Ok(()) };
    output::line(&contact.id)?;
    contact.addresses.iter().try_for_each(|address| {
        output::line(&format!("  {}:{}:{}", address.channel, address.account, address.user_id))
    })
}

async fn link_code(args: &LinkCodeArgs, settings: &Settings) -> anyhow::Result<()> {
    let egress = Egress::find(&args.egress, settings)?;
    let request = egress.request(CreateLinkCodeRequest { contact: args.contact.clone() });
    let answer = ContactServiceClient::new(egress.channel.clone()).create_link_code(request).await;
    let answer = answer.map_err(|status| egress.refused(&status))?.into_inner();
    output::line(&answer.code)?;
    if let Some(at) = &answer.expires_at {
        output::note(&format!("until {}", output::time(at.millis())));
    }
    Ok(())
}

async fn consent(args: &ConsentArgs, settings: &Settings) -> anyhow::Result<()> {
    let egress = Egress::find(&args.egress, settings)?;
    let class = args.class.map(heliograph_domain::resources::MessageClass::from);
    let request = egress.request(SetConsentRequest {
        contact: args.contact.clone(),
        channel: args.channel.clone().unwrap_or_default(),
        purpose: class.map_or_else(String::new, |class| class.as_str().to_owned()),
        granted: args.answer == Answer::In,
        source: args.source.clone(),
    });
    let answer = ContactServiceClient::new(egress.channel.clone()).set_consent(request).await;
    answer.map_err(|status| egress.refused(&status))?;
    output::line(&format!("{} is {}", args.contact, if args.answer == Answer::In { "in" } else { "out" }))
}
