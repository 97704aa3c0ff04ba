//! By which of their addresses a customer can be answered at this moment, as egress would judge it.

use std::{sync::Arc, time::Duration};

use heliograph_domain::resources::{MessageClass, WindowTemplate};
use heliograph_policy::{
    CompiledPolicy, Consent, ContactFacts, Customer, Direction, Facts, RegionFinding, RegionSource, Sent,
    TenantPolicy, Window, decide, wire,
};
use heliograph_proto::{Timestamp, v1};
use heliograph_store::{
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
    files: Files,
    /// Channels that can be offered, those of the region first: there is an account, and the customer is not on them yet.
    offers: Vec<String>,
}

/// What the desk does with files.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Files {
    /// Bytes of the largest that is taken in.
    largest: u64,
    /// Whether a customer whose channel does not carry one gets a link to it.
    linked: bool,
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
    /// The files that go out as they are; others do not. None where the channel does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    carries: Option<Vec<v1::MediaCapability>>,
    /// Whether an answer can quote what it answers. None where the channel does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    replies: Option<bool>,
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
    let in_force = shared.policies.tenant(tenant);
    let policy = &in_force.policy;
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
        let consent = consent(shared, tenant, &view.contact, &address.channel).await?;
        let asked = Asked { in_force: &in_force, address, contact: contact.as_deref(), consent, sent: &sent };
        let (verdict, template) = judge(&asked, window.as_ref());
        let carried = shared.carriers.of(tenant, address).await;
        ways.push(Way {
            replies: carried.as_ref().map(|carried| carried.replies),
            carries: carried.map(|carried| carried.files),
            verdict,
            channel: address.channel.clone(),
            account: address.account.clone(),
            user_id: address.user_id.clone(),
            window,
            template: template.map(shown),
        });
    }
    let region = place(policy, view.region.as_ref());
    let on = |channel: &str| addresses.iter().any(|address| address.channel == channel);
    let mut offers: Vec<String> =
        policy.channels_of(&region.region).iter().map(ToString::to_string).collect();
    let available = in_force.channels();
    for channel in available {
        if !offers.contains(channel) && may_be_offered(policy, &region, channel) {
            offers.push(channel.clone());
        }
    }
    Ok(Reach {
        conversation: view.id,
        contact: view.contact,
        region: region.region.to_string(),
        country: region.country.map_or_else(String::new, |country| country.code().to_owned()),
        addresses: ways,
        files: Files { largest: shared.largest_file, linked: shared.links.lead_outside() },
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

/// The contact's addresses, that of the conversation first, with all that is known of it.
fn known(contact: Option<&Contact>, here: &v1::Address) -> Vec<v1::Address> {
    let own = Address::from(here);
    let others = contact.map_or(&[][..], |contact| &contact.addresses);
    let others = others.iter().filter(|address| **address != own).map(v1::Address::from);
    std::iter::once(here.clone()).filter(|here| !here.channel.is_empty()).chain(others).collect()
}

struct Asked<'a> {
    in_force: &'a TenantPolicy,
    address: &'a v1::Address,
    contact: Option<&'a Contact>,
    consent: Consent,
    sent: &'a [SentAt],
}

/// What policy says of an answer to the address, and the template that stands in once the window is closed.
fn judge<'a>(asked: &Asked<'a>, window: Option<&v1::Window>) -> (v1::Verdict, Option<&'a WindowTemplate>) {
    let Asked { in_force, address, contact, consent, sent } = *asked;
    let now = now_ms();
    let customer = Customer::new(in_force, contact, Some(address));
    let region = customer.place();
    let template = in_force.policy.template(&region.region, &address.channel);
    let sent: Vec<Sent<'_>> = sent
        .iter()
        .filter_map(|sent| {
            let at = jiff::Timestamp::from_millisecond(sent.at_ms).ok()?;
            Some(Sent { at, channel: &sent.channel, class: MessageClass::named(&sent.class)? })
        })
        .collect();
    let known = customer.facts(&region);
    let facts = Facts {
        direction: Direction::Outbound,
        kind: "text",
        contact: ContactFacts { sent: &sent, ..known.contact },
        consent,
        window: fact(window, template.is_some(), now),
        ..known
    };
    let now = jiff::Timestamp::from_millisecond(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    (wire::verdict(&decide(&in_force.policy, &facts, now)), template)
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

async fn window(shared: &Shared, tenant: &str, address: &v1::Address) -> Option<v1::Window> {
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
    Ok(said.map(|said| said.choice).into())
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

    use heliograph_policy::{Hints, find_region};

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
        let (own, other) = (Address::new("sms", "us", "+1"), Address::new("email", "help", "a@b"));
        let here = v1::Address { phone: "+1".to_owned(), ..v1::Address::from(&own) };
        let contact = serde_json::json!({
            "id": "con_1", "tenant": "acme", "addresses": [other, own], "first_seen_ms": 0, "last_seen_ms": 0,
        });
        let contact: Contact = serde_json::from_value(contact).unwrap();
        assert_eq!(known(Some(&contact), &here), [here.clone(), v1::Address::from(&other)]);
        assert_eq!(known(None, &here), std::slice::from_ref(&here));
        assert_eq!(known(None, &v1::Address::default()), []);
    }
}
