//! Whom a message is for, and what policy says of it.

use std::sync::Arc;

use heliograph_domain::{phone, region::Country, resources::Kind};
use heliograph_policy::{
    CompiledPolicy, Consent, Direction, Facts, Hints, MessageClass, Outcome, RegionFinding, Verdict, Window,
    decide, find_region,
};
use heliograph_proto::v1::Address;
use heliograph_store::{
    contacts::{self, Contact},
    now_ms,
    windows::WindowKey,
};
use tonic::Status;

use super::{Api, status};
use crate::{error::consent_of, line::spec_of};

/// A tenant's account in use.
#[derive(Debug, Clone)]
pub(super) struct AccountInUse {
    pub(super) name: String,
    pub(super) channel: String,
    region: Option<String>,
}

/// A message as policy is asked about it.
pub(super) struct Asked<'a> {
    pub(super) tenant: &'a str,
    pub(super) class: MessageClass,
    pub(super) template: bool,
    pub(super) contact: Option<&'a Contact>,
    pub(super) accounts: &'a [AccountInUse],
    pub(super) policy: &'a CompiledPolicy,
}

impl Api {
    /// The accounts a tenant has in use.
    pub(super) fn accounts(&self, tenant: &str) -> Vec<AccountInUse> {
        let snapshot = self.shared.resources.snapshot();
        let accounts = snapshot.of_tenant(tenant, Some(Kind::ChannelAccount)).filter_map(|stored| {
            let spec = spec_of(stored).filter(|spec| spec.enabled)?;
            Some(AccountInUse {
                name: stored.resource.metadata.name.clone(),
                channel: spec.channel.clone(),
                region: spec.region.clone(),
            })
        });
        accounts.collect()
    }

    /// What policy says of writing to `address`.
    pub(super) async fn judge(&self, asked: &Asked<'_>, address: &Address) -> Result<Verdict, Status> {
        let region = region(asked, Some(address));
        let consent = match asked.contact {
            None => Consent::Unknown,
            Some(contact) => {
                let said = self
                    .shared
                    .consent
                    .effective(asked.tenant, &contact.id, &address.channel, asked.class.as_str())
                    .await
                    .map_err(status)?;
                consent_of(said.as_ref())
            }
        };
        let window = self.window(asked, address).await;
        Ok(ask(asked, Some(&address.channel), &region, consent, window))
    }

    /// The address to write to, and what policy says of it: that of the best channel the contact can be reached on.
    pub(super) async fn best(
        &self,
        asked: &Asked<'_>,
        contact: &Contact,
    ) -> Result<(Option<Address>, Verdict), Status> {
        let region = region(asked, None);
        let offer = ask(asked, None, &region, Consent::Unknown, Window::Unlimited);
        let Outcome::UseChannel(channels) = &offer.outcome else { return Ok((None, offer)) };
        let mut refused = None;
        for channel in channels {
            // The address that became known last is the one most likely in use.
            let known = contact.addresses.iter().rev().find(|known| {
                *known.channel == **channel
                    && asked.accounts.iter().any(|account| account.name == known.account)
            });
            let Some(address) = known.map(|known| address(known, contact)) else { continue };
            let verdict = self.judge(asked, &address).await?;
            if may_go(&verdict, asked.template) {
                return Ok((Some(address), verdict));
            }
            refused.get_or_insert((Some(address), verdict));
        }
        Ok(refused.unwrap_or((None, offer)))
    }

    /// The customer's window as Redis knows it. What it does not know is found out when the message leaves.
    async fn window(&self, asked: &Asked<'_>, address: &Address) -> Window {
        let key = WindowKey::new(asked.tenant, &address.channel, &address.account, &address.user_id);
        let Ok(Some(window)) = self.shared.windows.get(&key).await else { return Window::Unlimited };
        if window.allows(now_ms()) {
            let until = jiff::Timestamp::from_millisecond(window.expires_at_ms).ok();
            Window::Open { until, templates: true }
        } else {
            Window::Closed { templates: true }
        }
    }
}

/// Asks policy.
fn ask(
    asked: &Asked<'_>,
    channel: Option<&str>,
    region: &RegionFinding,
    consent: Consent,
    window: Window,
) -> Verdict {
    let available: Vec<&str> = asked.accounts.iter().map(|account| account.channel.as_str()).collect();
    let facts = Facts {
        direction: Direction::Outbound,
        channel,
        class: asked.class,
        consent,
        window,
        available: Some(&available),
        ..Facts::about(region)
    };
    decide(asked.policy, &facts, jiff::Timestamp::from_millisecond(now_ms()).unwrap_or_default())
}

/// Whether a verdict lets a message go: a template passes where a template is needed.
pub(super) fn may_go(verdict: &Verdict, template: bool) -> bool {
    verdict.is_allowed() || (template && verdict.outcome == Outcome::NeedsTemplate)
}

/// A contact's address as messages carry it.
fn address(known: &contacts::Address, contact: &Contact) -> Address {
    Address {
        channel: known.channel.clone(),
        account: known.account.clone(),
        user_id: known.user_id.clone(),
        display_name: contact.display_name.clone().unwrap_or_default(),
        locale: contact.locale.clone().unwrap_or_default(),
        ..Address::default()
    }
}

/// Where the customer is. A user id counts as a number where it is one in full.
fn region(asked: &Asked<'_>, address: Option<&Address>) -> RegionFinding {
    let country = |code: &str| code.to_ascii_uppercase().parse::<Country>().ok();
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let known: Vec<&str> = asked
        .contact
        .iter()
        .flat_map(|contact| contact.addresses.iter().map(|address| address.user_id.as_str()))
        .collect();
    let candidates = match address {
        Some(address) => vec![address.phone.as_str(), address.user_id.as_str()],
        None => known,
    };
    let number = candidates.into_iter().find(|text| text.starts_with('+') && phone::country(text).is_some());
    let account = address.and_then(|address| {
        let found = asked.accounts.iter().find(|account| account.name == address.account)?;
        found.region.as_deref()
    });
    let locale = address
        .and_then(|address| given(&address.locale))
        .or_else(|| asked.contact.and_then(|contact| contact.locale.clone()));
    let hints = Hints {
        explicit: asked.contact.and_then(|contact| contact.country.as_deref()).and_then(country),
        number,
        declared: address.and_then(|address| country(&address.country)),
        account,
        locale: locale.as_deref(),
    };
    find_region(asked.policy, &hints)
}

/// The contact behind an address, made if there is none and `make` says so.
pub(super) async fn contact_of(
    contacts: &contacts::ContactStore,
    tenant: &str,
    address: &Address,
    make: bool,
) -> Result<Option<Arc<Contact>>, Status> {
    let known = contacts::Address::new(&address.channel, &address.account, &address.user_id);
    if !make {
        return contacts.find(tenant, &known).await.map_err(status);
    }
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    let hints = contacts::Hints {
        display_name: given(&address.display_name),
        locale: given(&address.locale),
        seen_at_ms: now_ms(),
        ..contacts::Hints::default()
    };
    let resolved = contacts.resolve(tenant, &known, &hints).await.map_err(status)?;
    Ok(Some(resolved.contact))
}
