//! Asking policy the way the router and egress do.

use std::{collections::BTreeMap, sync::Arc};

use heliograph_domain::{
    phone,
    region::Country,
    resources::{ChannelAccountSpec, MessageClass, SenderIdentity, Spec, Stored},
};
use heliograph_policy::{
    CompiledPolicy, Consent, ContactFacts, Direction, Facts, Hints, OutOfScope, Sent, Shelf, Verdict, Window,
    decide, find_region, out_of_scope,
};
use heliograph_store::contacts::Contact;
use jiff::Timestamp;

use super::AdminError;
use crate::accounts;

/// Attribute of a contact that holds their number in E.164, where somebody said it.
const PHONE: &str = "phone";
/// Attribute of a contact that holds their IANA time zone, where somebody said it.
const TIME_ZONE: &str = "time_zone";

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whose policy.
    pub tenant: String,
    /// Which way the message goes.
    pub direction: Direction,
    /// The customer: a number or what else the channel calls them; empty where a contact is named.
    pub user_id: String,
    /// The customer's contact, `con_…`.
    pub contact: Option<String>,
    /// The channel; none asks for the best there is.
    pub channel: Option<String>,
    /// The channel account.
    pub account: Option<String>,
    /// What kind of sender it writes as; none takes what its resource says.
    pub sender: Option<SenderIdentity>,
    /// What the message is for.
    pub class: MessageClass,
    /// What is said: a kind of content; empty when that is left open.
    pub kind: String,
    /// The customer's locale.
    pub locale: Option<String>,
    /// The customer's country, known for certain.
    pub country: Option<String>,
    /// What the customer said about being written to; none takes what is stored.
    pub consent: Option<Consent>,
    /// The channel's messaging window; none takes what is stored.
    pub window: Option<Window>,
    /// The moment; none is now.
    pub at: Option<Timestamp>,
}

impl Question {
    /// A service message of somebody to a tenant.
    pub fn about(tenant: &str, user_id: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            direction: Direction::Inbound,
            user_id: user_id.to_owned(),
            contact: None,
            channel: None,
            account: None,
            sender: None,
            class: MessageClass::Service,
            kind: String::new(),
            locale: None,
            country: None,
            consent: None,
            window: None,
            at: None,
        }
    }
}

/// What is stored of the customer.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The contact.
    pub contact: Option<Arc<Contact>>,
    /// What counts of what they said about being written to on the channel, for the purpose.
    pub consent: Option<Consent>,
    /// The channel's messaging window towards them.
    pub window: Option<Window>,
    /// What was sent to them lately, the newest first.
    pub sent: Vec<(Timestamp, String, MessageClass)>,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What policy says.
    pub verdict: Verdict,
    /// Rules that are not about the message, and why.
    pub out_of_scope: Vec<(Arc<str>, OutOfScope)>,
    /// The account that was taken because it is the tenant's only one on the channel, where none was named.
    pub assumed_account: Option<String>,
    /// The contact that was found, with what is stored of them.
    pub known: Known,
}

/// Judges a message by one tenant's resources and what is known of the customer.
pub fn explain(
    resources: &[Stored],
    question: &Question,
    known: Known,
    now: Timestamp,
) -> Result<Explained, AdminError> {
    let own = own(resources, &question.tenant)?;
    let policy = in_force(own.iter().copied(), &question.tenant)?;
    let accounts = in_use(&own);
    let (account, assumed) = account(&accounts, question)?;
    let country = question.country.as_deref().map(|code| {
        code.to_ascii_uppercase()
            .parse::<Country>()
            .map_err(|error| bad("country", format!("{error}; it is an ISO 3166-1 code of two letters")))
    });
    let contact = known.contact.as_deref();
    let said = |name: &str| contact?.attributes.get(name).map(|attribute| attribute.value.as_str());
    let stored = contact.and_then(|contact| contact.country.as_deref());
    let stored = stored.and_then(|code| code.to_ascii_uppercase().parse().ok());
    let number = phone::normalize(&question.user_id).or_else(|| phone::normalize(said(PHONE)?));
    let locale = question.locale.as_deref().or_else(|| contact?.locale.as_deref());
    let hints = Hints {
        explicit: country.transpose()?.or(stored),
        number: number.as_deref(),
        declared: None,
        account: account.and_then(|(_, spec)| spec.region.as_deref()),
        locale,
    };
    let region = find_region(&policy, &hints);
    let available: Vec<&str> = accounts.iter().map(|(_, spec)| spec.channel.as_str()).collect();
    let attributes: BTreeMap<String, String> = contact.map_or_else(BTreeMap::new, |contact| {
        contact.attributes.iter().map(|(name, known)| (name.clone(), known.value.clone())).collect()
    });
    let mut channels: Vec<&str> = question.channel.as_deref().into_iter().collect();
    for address in contact.map_or(&[][..], |contact| &contact.addresses) {
        if !channels.contains(&address.channel.as_str()) {
            channels.push(&address.channel);
        }
    }
    let sent: Vec<Sent<'_>> =
        known.sent.iter().map(|(at, channel, class)| Sent { at: *at, channel, class: *class }).collect();
    let day = |millis: i64| Timestamp::from_millisecond(millis).ok();
    let facts = Facts {
        direction: question.direction,
        channel: question.channel.as_deref(),
        account: account.map(|(name, _)| name),
        sender: question.sender.or_else(|| accounts::sender(account?.1)),
        class: question.class,
        kind: &question.kind,
        contact: ContactFacts {
            number: number.as_deref(),
            time_zone: contact.and_then(|contact| contact.time_zone.as_deref()).or_else(|| said(TIME_ZONE)),
            locale,
            channels: &channels,
            attributes: (!attributes.is_empty()).then_some(&attributes),
            first_seen: contact.and_then(|contact| day(contact.first_seen_ms)),
            last_inbound: contact.and_then(|contact| day(contact.last_seen_ms)),
            sent: &sent,
        },
        consent: question.consent.or(known.consent).unwrap_or_default(),
        window: question.window.or(known.window).unwrap_or_default(),
        available: Some(&available),
        ..Facts::about(&region)
    };
    let verdict = decide(&policy, &facts, question.at.unwrap_or(now));
    let out_of_scope = out_of_scope(&policy, &facts);
    let assumed_account = account.filter(|_| assumed).map(|(name, _)| name.to_owned());
    Ok(Explained { verdict, out_of_scope, assumed_account, known })
}

/// The resources of a tenant.
fn own<'a>(resources: &'a [Stored], tenant: &str) -> Result<Vec<&'a Stored>, AdminError> {
    let own: Vec<&Stored> =
        resources.iter().filter(|stored| stored.resource.metadata.tenant == tenant).collect();
    if own.is_empty() {
        return Err(bad("tenant", format!("{tenant:?} has no resources here")));
    }
    Ok(own)
}

/// The policy that counts for a tenant, by the same way services get it.
pub(super) fn in_force<'a>(
    resources: impl IntoIterator<Item = &'a Stored>,
    tenant: &str,
) -> Result<Arc<CompiledPolicy>, AdminError> {
    let (shelf, unusable) = Shelf::build(resources, &Shelf::default());
    match unusable.into_iter().find(|policy| policy.tenant == tenant) {
        Some(policy) => Err(policy.error.into()),
        None => Ok(shelf.of(tenant)),
    }
}

/// A channel account by its name.
type Named<'a> = (&'a str, &'a ChannelAccountSpec);

/// Accounts in use.
fn in_use<'a>(own: &[&'a Stored]) -> Vec<Named<'a>> {
    own.iter()
        .filter_map(|stored| match &stored.resource.spec {
            Spec::ChannelAccount(spec) if spec.enabled => {
                Some((stored.resource.metadata.name.as_str(), spec))
            }
            _ => None,
        })
        .collect()
}

/// The name of the account the question is about, as far as that is known.
pub(super) fn account_of(resources: &[Stored], question: &Question) -> Result<Option<String>, AdminError> {
    let own = own(resources, &question.tenant)?;
    let accounts = in_use(&own);
    Ok(account(&accounts, question)?.0.map(|(name, _)| name.to_owned()))
}

/// The account that was named, or the only one there is on the channel, and whether it was assumed.
fn account<'a>(
    accounts: &'a [Named<'a>],
    question: &Question,
) -> Result<(Option<Named<'a>>, bool), AdminError> {
    if let Some(name) = &question.account {
        let found = accounts.iter().find(|(own, _)| own == name);
        let Some(found) = found else {
            let names: Vec<&str> = accounts.iter().map(|(name, _)| *name).collect();
            return Err(bad(
                "account",
                format!("there is no account {name:?} in use; there are {}", names.join(", ")),
            ));
        };
        if let Some(channel) = &question.channel
            && found.1.channel != *channel
        {
            return Err(bad("account", format!("{name} is on {}, not on {channel}", found.1.channel)));
        }
        return Ok((Some(*found), false));
    }
    let mut on_channel =
        accounts.iter().filter(|(_, spec)| question.channel.as_deref() == Some(spec.channel.as_str()));
    match (on_channel.next(), on_channel.next()) {
        (Some(only), None) => Ok((Some(*only), true)),
        _ => Ok((None, false)),
    }
}

fn bad(field: &'static str, problem: String) -> AdminError {
    AdminError::Question { field, problem }
}
