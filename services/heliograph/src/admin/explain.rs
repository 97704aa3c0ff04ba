//! Asking policy the way the router and egress do.

use std::sync::Arc;

use heliograph_domain::{
    phone,
    region::Country,
    resources::{MessageClass, SenderIdentity, Stored},
};
use heliograph_policy::{
    Consent, ContactFacts, Customer, Direction, Facts, OutOfScope, RegionSource, Sent, Shelf, TenantPolicy,
    Verdict, Window, decide, out_of_scope,
};
use heliograph_proto::v1::Address;
use heliograph_store::contacts::Contact;
use jiff::Timestamp;

use super::AdminError;

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
    judge(&*in_force(resources, &question.tenant)?, question, known, now)
}

/// Judges a message by what holds for the tenant and what is known of the customer.
pub(super) fn judge(
    in_force: &TenantPolicy,
    question: &Question,
    known: Known,
    now: Timestamp,
) -> Result<Explained, AdminError> {
    let policy = &in_force.policy;
    let (account, assumed) = account(in_force, question)?;
    let address = address(question, account);
    let customer = Customer::new(in_force, known.contact.as_deref(), Some(&address));
    let region = match &question.country {
        Some(code) => policy.place(country(code)?, RegionSource::Explicit),
        None => customer.place(),
    };
    let sent: Vec<Sent<'_>> =
        known.sent.iter().map(|(at, channel, class)| Sent { at: *at, channel, class: *class }).collect();
    let last_seen = known.contact.as_ref().map(|contact| contact.last_seen_ms);
    let about = customer.facts(&region);
    let facts = Facts {
        direction: question.direction,
        sender: question.sender.or(about.sender),
        class: question.class,
        kind: &question.kind,
        contact: ContactFacts {
            last_inbound: last_seen.and_then(|at| Timestamp::from_millisecond(at).ok()),
            sent: &sent,
            ..about.contact
        },
        consent: question.consent.or(known.consent).unwrap_or_default(),
        window: question.window.or(known.window).unwrap_or_default(),
        ..about
    };
    let verdict = decide(policy, &facts, question.at.unwrap_or(now));
    let out_of_scope = out_of_scope(policy, &facts);
    let assumed_account = account.filter(|_| assumed).map(str::to_owned);
    Ok(Explained { verdict, out_of_scope, assumed_account, known })
}

/// The address that the question is about.
pub(super) fn address(question: &Question, account: Option<&str>) -> Address {
    Address {
        channel: question.channel.clone().unwrap_or_default(),
        account: account.unwrap_or_default().to_owned(),
        user_id: question.user_id.clone(),
        // A person may write a number without its `+`.
        phone: phone::normalize(&question.user_id).unwrap_or_default(),
        locale: question.locale.clone().unwrap_or_default(),
        ..Address::default()
    }
}

fn country(code: &str) -> Result<Country, AdminError> {
    code.to_ascii_uppercase()
        .parse()
        .map_err(|error| bad("country", format!("{error}; it is an ISO 3166-1 code of two letters")))
}

/// What holds for a tenant, by the same way services get it.
pub(super) fn in_force(resources: &[Stored], tenant: &str) -> Result<Arc<TenantPolicy>, AdminError> {
    if !resources.iter().any(|stored| stored.resource.metadata.tenant == tenant) {
        return Err(bad("tenant", format!("{tenant:?} has no resources here")));
    }
    let (shelf, unusable) = Shelf::build(resources, &Shelf::default());
    match unusable.into_iter().find(|policy| policy.tenant == tenant) {
        Some(policy) => Err(policy.error.into()),
        None => Ok(shelf.tenant(tenant)),
    }
}

/// The name of the account that the question names, or of the only one there is on the channel; and whether it was
/// assumed.
pub(super) fn account<'a>(
    in_force: &'a TenantPolicy,
    question: &Question,
) -> Result<(Option<&'a str>, bool), AdminError> {
    let Some(name) = &question.account else {
        let mut on_channel =
            in_force.accounts().filter(|(_, account)| question.channel.as_ref() == Some(&account.channel));
        return Ok(match (on_channel.next(), on_channel.next()) {
            (Some((only, _)), None) => (Some(only), true),
            _ => (None, false),
        });
    };
    let Some((name, found)) = in_force.accounts().find(|(own, _)| own == name) else {
        let names: Vec<&str> = in_force.accounts().map(|(name, _)| name).collect();
        let problem = format!("there is no account {name:?} in use; there are {}", names.join(", "));
        return Err(bad("account", problem));
    };
    match &question.channel {
        Some(channel) if found.channel != *channel => {
            Err(bad("account", format!("{name} is on {}, not on {channel}", found.channel)))
        }
        _ => Ok((Some(name), false)),
    }
}

fn bad(field: &'static str, problem: String) -> AdminError {
    AdminError::Question { field, problem }
}
