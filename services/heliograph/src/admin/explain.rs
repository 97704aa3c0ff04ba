//! Asking policy the way the router does.

use heliograph_domain::{
    phone,
    region::Country,
    resources::{ChannelAccountSpec, ChannelPolicySpec, MessageClass, Spec, Stored},
};
use heliograph_policy::{CompiledPolicy, Consent, Direction, Facts, Hints, Verdict, decide, find_region};
use jiff::Timestamp;

use super::AdminError;

/// The policy that is asked when a tenant has several.
const DEFAULT_POLICY: &str = "default";

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whose policy.
    pub tenant: String,
    /// Which way the message goes.
    pub direction: Direction,
    /// The customer: a number or what else the channel calls them.
    pub user_id: String,
    /// The channel; none asks for the best there is.
    pub channel: Option<String>,
    /// The channel account.
    pub account: Option<String>,
    /// What the message is for.
    pub class: MessageClass,
    /// The customer's locale.
    pub locale: Option<String>,
    /// The customer's country, known for certain.
    pub country: Option<String>,
    /// What the customer said about being written to.
    pub consent: Consent,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What policy says.
    pub verdict: Verdict,
    /// The account that was taken because it is the tenant's only one on the channel, where none was named.
    pub assumed_account: Option<String>,
}

/// Judges a message by one tenant's resources.
pub fn explain(resources: &[Stored], question: &Question, now: Timestamp) -> Result<Explained, AdminError> {
    let own: Vec<&Stored> =
        resources.iter().filter(|stored| stored.resource.metadata.tenant == question.tenant).collect();
    if own.is_empty() {
        return Err(bad("tenant", format!("{:?} has no resources here", question.tenant)));
    }
    let policy = policy(&own)?;
    let accounts: Vec<Named<'_>> = own
        .iter()
        .filter_map(|stored| match &stored.resource.spec {
            Spec::ChannelAccount(spec) if spec.enabled => {
                Some((stored.resource.metadata.name.as_str(), spec))
            }
            _ => None,
        })
        .collect();
    let (account, assumed) = account(&accounts, question)?;
    let country = question.country.as_deref().map(|code| {
        code.to_ascii_uppercase()
            .parse::<Country>()
            .map_err(|error| bad("country", format!("{error}; it is an ISO 3166-1 code of two letters")))
    });
    let number = phone::normalize(&question.user_id);
    let hints = Hints {
        explicit: country.transpose()?,
        number: number.as_deref(),
        declared: None,
        account: account.and_then(|(_, spec)| spec.region.as_deref()),
        locale: question.locale.as_deref(),
    };
    let region = find_region(&policy, &hints);
    let available: Vec<&str> = accounts.iter().map(|(_, spec)| spec.channel.as_str()).collect();
    let facts = Facts {
        direction: question.direction,
        channel: question.channel.as_deref(),
        class: question.class,
        consent: question.consent,
        available: Some(&available),
        ..Facts::about(&region)
    };
    let verdict = decide(&policy, &facts, now);
    let assumed_account = account.filter(|_| assumed).map(|(name, _)| name.to_owned());
    Ok(Explained { verdict, assumed_account })
}

fn policy(resources: &[&Stored]) -> Result<CompiledPolicy, AdminError> {
    let policies: Vec<(&Stored, &ChannelPolicySpec)> = resources
        .iter()
        .filter_map(|stored| match &stored.resource.spec {
            Spec::ChannelPolicy(spec) => Some((*stored, spec)),
            _ => None,
        })
        .collect();
    let named = policies.iter().find(|(stored, _)| stored.resource.metadata.name == DEFAULT_POLICY);
    let Some((stored, spec)) = named.or(policies.first()) else { return Ok(CompiledPolicy::nothing()) };
    Ok(CompiledPolicy::compile(
        &stored.resource.metadata.name,
        stored.version,
        spec,
        &heliograph_policy::Calendars::new(),
    )?)
}

/// A channel account by its name.
type Named<'a> = (&'a str, &'a ChannelAccountSpec);

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
