//! By which of their addresses a customer can be answered at this moment, as egress would judge it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use heliograph_domain::{
    region::Country,
    resources::{MessageClass, SenderIdentity, WindowTemplate},
};
use heliograph_policy::{
    CompiledPolicy, Consent, ContactFacts, Direction, Facts, Hints, RegionFinding, RegionSource, Sent,
    Window, decide, find_region, wire,
};
use heliograph_proto::{Timestamp, v1};
use heliograph_store::{
    consent::Choice,
    contacts::{Address, Contact},
    now_ms,
    sent::SentAt,
    windows::{WindowKey, WindowSet},
};
use serde::Serialize;

use crate::{auth::Identity, explain::place, people::AskError, session::Shared};

/// How long Redis may take: a countdown is not worth waiting for.
const REDIS_PATIENCE: Duration = Duration::from_millis(300);

/// How a customer can be answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reach {
    conversation: String,
    contact: String,
    region: String,
    country: String,
    addresses: Vec<Way>,
    /// Channels that can be offered, those of the region first: there is an account, and the customer is not on them yet.
    offers: Vec<String>,
}

/// One address.
#[derive(Debug, Serialize)]
struct Way {
    channel: String,
    account: String,
    #[serde(rename = "userId")]
    user_id: String,
    /// None where the channel has no messaging windows, or nothing is known of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<v1::Window>,
    verdict: v1::Verdict,
    /// What becomes of an answer once the window is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<Template>,
}

/// A template that stands in for an answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    language: String,
    /// Whether it carries what the agent writes.
    takes_text: bool,
}

/// Asks the router, the contacts, the windows and the policy. For who has the conversation, and supervisors.
pub(crate) async fn reach(
    shared: &Arc<Shared>,
    identity: &Identity,
    conversation: &str,
) -> Result<Reach, AskError> {
    let tenant = identity.tenant.as_str();
    let view = shared.routing.conversation(tenant, conversation).await?.ok_or(AskError::NotKnown)?;
    if view.agent != identity.agent && !identity.supervisor {
        return Err(AskError::Forbidden);
    }
    let contact = shared.people.contact(tenant, &view.contact).await?;
    let policy = shared.policies.of(tenant);
    let region = place(&policy, view.region.as_ref());
    let accounts = shared.policies.accounts(tenant);
    let available = shared.policies.available(tenant);
    let here = view.address.clone().unwrap_or_default();
    let addresses = known(contact.as_deref(), &here);
    let caps = policy.caps_reach();
    let sent = if caps.is_zero() {
        Vec::new()
    } else {
        let since = now_ms().saturating_sub(i64::try_from(caps.as_millis()).unwrap_or(i64::MAX));
        shared.people.sent_since(tenant, &view.contact, since).await
    };
    let mut ways = Vec::with_capacity(addresses.len());
    for address in &addresses {
        let own = here.channel == address.channel && here.user_id == address.user_id;
        let window = match window(shared, tenant, address).await {
            Some(window) => Some(window),
            None => view.window.clone().filter(|_| own),
        };
        let account = accounts.iter().find(|(name, _)| *name == address.account).map(|(_, account)| account);
        // Another number may be another country's.
        let placed = match (own, contact.as_deref()) {
            (false, Some(contact)) => {
                elsewhere(&policy, contact, address, account.and_then(|account| account.region.as_deref()))
            }
            _ => region.clone(),
        };
        let template = policy.template(&placed.region, &address.channel);
        let consent = consent(shared, tenant, &view.contact, &address.channel).await?;
        let asked = Asked {
            policy: &policy,
            region: &placed,
            address,
            contact: contact.as_deref(),
            available: &available,
            consent,
            sender: account.and_then(|account| account.sender_identity),
            sent: &sent,
        };
        ways.push(Way {
            verdict: judge(&asked, window.as_ref(), template.is_some()),
            channel: address.channel.clone(),
            account: address.account.clone(),
            user_id: address.user_id.clone(),
            window,
            template: template.map(shown),
        });
    }
    let on = |channel: &str| addresses.iter().any(|address| address.channel == channel);
    let mut offers: Vec<String> =
        policy.channels_of(&region.region).iter().map(ToString::to_string).collect();
    for channel in &available {
        if !offers.contains(channel) && may_be_offered(&policy, &region, channel) {
            offers.push(channel.clone());
        }
    }
    Ok(Reach {
        conversation: view.id,
        contact: view.contact,
        region: region.region.to_string(),
        country: region.country.map_or_else(String::new, |country| country.code().to_owned()),
        addresses: ways,
        offers: offers.into_iter().filter(|channel| available.contains(channel) && !on(channel)).collect(),
    })
}

/// Whether a customer may be asked to go on by a channel: one that their region has; any where it is but a guess where they
/// are, because the address they come by will tell.
pub(crate) fn may_be_offered(policy: &CompiledPolicy, region: &RegionFinding, channel: &str) -> bool {
    let guessed =
        matches!(region.source, RegionSource::Account | RegionSource::Locale | RegionSource::Nothing);
    guessed || policy.channels_of(&region.region).iter().any(|allowed| **allowed == *channel)
}

/// The contact's addresses, that of the conversation first.
fn known(contact: Option<&Contact>, here: &v1::Address) -> Vec<Address> {
    let here = Address::new(&here.channel, &here.account, &here.user_id);
    let others = contact.map(|contact| contact.addresses.clone()).unwrap_or_default();
    let others = others.into_iter().filter(|address| *address != here);
    std::iter::once(here.clone()).filter(|here| !here.channel.is_empty()).chain(others).collect()
}

struct Asked<'a> {
    policy: &'a CompiledPolicy,
    region: &'a RegionFinding,
    address: &'a Address,
    contact: Option<&'a Contact>,
    available: &'a [String],
    consent: Consent,
    sender: Option<SenderIdentity>,
    sent: &'a [SentAt],
}

/// Where the customer is, as an address tells that the conversation is not held with.
fn elsewhere(
    policy: &CompiledPolicy,
    contact: &Contact,
    address: &Address,
    account: Option<&str>,
) -> RegionFinding {
    let country = |code: &str| code.to_ascii_uppercase().parse::<Country>().ok();
    let hints = Hints {
        explicit: contact.country.as_deref().and_then(country),
        number: Some(address.user_id.as_str()).filter(|id| id.starts_with('+')),
        declared: None,
        account,
        locale: contact.locale.as_deref(),
    };
    find_region(policy, &hints)
}

fn judge(asked: &Asked<'_>, window: Option<&v1::Window>, templates: bool) -> v1::Verdict {
    let now = now_ms();
    let available: Vec<&str> = asked.available.iter().map(String::as_str).collect();
    let channels: Vec<&str> = asked
        .contact
        .map(|contact| contact.addresses.iter().map(|address| address.channel.as_str()).collect())
        .unwrap_or_default();
    let known = asked.contact;
    let attributes: Option<BTreeMap<String, String>> = known.map(|contact| {
        let attributes = contact.attributes.iter();
        attributes.map(|(name, attribute)| (name.clone(), attribute.value.clone())).collect()
    });
    let class = |name: &str| MessageClass::ALL.into_iter().find(|class| class.as_str() == name);
    let sent: Vec<Sent<'_>> = asked
        .sent
        .iter()
        .filter_map(|sent| {
            let at = jiff::Timestamp::from_millisecond(sent.at_ms).ok()?;
            Some(Sent { at, channel: &sent.channel, class: class(&sent.class)? })
        })
        .collect();
    let contact = ContactFacts {
        sent: &sent,
        number: Some(asked.address.user_id.as_str()).filter(|id| id.starts_with('+')),
        time_zone: known.and_then(|contact| contact.time_zone.as_deref()),
        locale: known.and_then(|contact| contact.locale.as_deref()),
        channels: &channels,
        attributes: attributes.as_ref(),
        first_seen: known.and_then(|contact| jiff::Timestamp::from_millisecond(contact.first_seen_ms).ok()),
        ..ContactFacts::default()
    };
    let facts = Facts {
        direction: Direction::Outbound,
        channel: Some(&asked.address.channel),
        account: Some(&asked.address.account),
        sender: asked.sender,
        class: MessageClass::Service,
        kind: "text",
        contact,
        consent: asked.consent,
        window: fact(window, templates, now),
        available: Some(&available),
        ..Facts::about(asked.region)
    };
    let now = jiff::Timestamp::from_millisecond(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    wire::verdict(&decide(asked.policy, &facts, now))
}

/// A window as policy sees it.
fn fact(window: Option<&v1::Window>, templates: bool, now_ms: i64) -> Window {
    let Some(window) = window else { return Window::Unlimited };
    let until = window.expires_at.as_ref().map(Timestamp::millis);
    if window.remaining == 0 || until.is_some_and(|until| until <= now_ms) {
        return Window::Closed { templates };
    }
    Window::Open { until: until.and_then(|until| jiff::Timestamp::from_millisecond(until).ok()), templates }
}

async fn window(shared: &Shared, tenant: &str, address: &Address) -> Option<v1::Window> {
    let key = WindowKey::new(tenant, &address.channel, &address.account, &address.user_id);
    let asked = tokio::time::timeout(REDIS_PATIENCE, shared.windows.get(&key)).await;
    let known: WindowSet = asked.ok()?.ok()?;
    let last = || known.iter().max_by_key(|window| window.expires_at_ms);
    let window = known.best(now_ms()).or_else(last)?.clone();
    Some(v1::Window {
        remaining: window.remaining().map_or(-1, |left| i32::try_from(left).unwrap_or(i32::MAX)),
        kind: window.kind,
        opened_at: Some(Timestamp::from_millis(window.opened_at_ms)),
        expires_at: Some(Timestamp::from_millis(window.expires_at_ms)),
    })
}

async fn consent(shared: &Shared, tenant: &str, contact: &str, channel: &str) -> Result<Consent, AskError> {
    let purpose = MessageClass::Service.as_str();
    let said = shared.people.consent.effective(tenant, contact, channel, purpose).await?;
    Ok(match said.map(|said| said.choice) {
        Some(Choice::OptedIn) => Consent::OptedIn,
        Some(Choice::OptedOut) => Consent::OptedOut,
        None => Consent::Unknown,
    })
}

fn shown(template: &WindowTemplate) -> Template {
    Template {
        name: template.name.clone(),
        language: template.language.clone(),
        takes_text: template.text_parameter.is_some(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_window_is_closed_by_time_and_by_its_count() {
        let window = |expires: i64, remaining: i32| v1::Window {
            expires_at: Some(Timestamp::from_millis(expires)),
            remaining,
            ..v1::Window::default()
        };
        let open =
            |templates| Window::Open { until: jiff::Timestamp::from_millisecond(1_000).ok(), templates };
        assert_eq!(fact(None, true, 5), Window::Unlimited);
        assert_eq!(fact(Some(&window(1_000, -1)), true, 999), open(true));
        assert_eq!(fact(Some(&window(1_000, 1)), false, 999), open(false));
        assert_eq!(fact(Some(&window(1_000, -1)), true, 1_000), Window::Closed { templates: true });
        assert_eq!(fact(Some(&window(1_000, 0)), false, 1), Window::Closed { templates: false });
    }

    #[test]
    fn a_guess_of_the_region_is_no_reason_to_keep_a_channel_back() {
        let policy = CompiledPolicy::nothing();
        let found =
            |number: Option<&'static str>| find_region(&policy, &Hints { number, ..Hints::default() });
        assert!(!may_be_offered(&policy, &found(Some("+12125550100")), "sms"));
        assert!(may_be_offered(&policy, &found(None), "sms"));
    }

    #[test]
    fn the_conversations_own_address_comes_first_and_once() {
        let here = v1::Address {
            channel: "sms".to_owned(),
            account: "us".to_owned(),
            user_id: "+1".to_owned(),
            ..v1::Address::default()
        };
        let (own, other) = (Address::new("sms", "us", "+1"), Address::new("email", "help", "a@b"));
        let contact = serde_json::json!({
            "id": "con_1", "tenant": "acme", "addresses": [other, own], "first_seen_ms": 0, "last_seen_ms": 0,
        });
        let contact: Contact = serde_json::from_value(contact).unwrap();
        assert_eq!(known(Some(&contact), &here), [own.clone(), other]);
        assert_eq!(known(None, &here), [own]);
        assert_eq!(known(None, &v1::Address::default()), []);
    }
}
