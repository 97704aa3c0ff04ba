//! Asking policy.

use std::collections::BTreeMap;

use heliograph_domain::region::Country;
use heliograph_policy::{
    CompiledPolicy, ContactFacts, Facts, Hints, RegionFinding, decide, find_region, wire,
};
use heliograph_proto::v1::{self, Address};
use heliograph_store::contacts::Contact;

use super::Tenant;
use crate::time::moment;

/// Attribute of a contact that holds their number in E.164, where somebody said it.
const PHONE: &str = "phone";

/// A customer's event, as policy is asked about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) tenant: Option<&'a Tenant>,
    pub(crate) address: &'a Address,
    /// None before the contact is known.
    pub(crate) contact: Option<&'a Contact>,
    /// What was said, by its kind of content; empty when nothing was.
    pub(crate) kind: &'a str,
    /// Where this process runs; none where residency is not to be looked at.
    pub(crate) site: Option<&'a str>,
    /// Our clock.
    pub(crate) now_ms: i64,
}

/// What policy says of a customer's event: where they are, and whether their channel may be answered on.
///
/// Nothing of it is kept: a customer who writes with another number, or from another address, is placed anew with that
/// very event. The best source of the region decides: what an agent or integrator declared of the contact, the number,
/// the country the provider declares, the account that was written to, the locale.
pub(crate) fn judge(asked: &Asked<'_>) -> v1::Verdict {
    let Asked { tenant, address, contact, kind, site, now_ms } = *asked;
    let nothing;
    let policy = if let Some(tenant) = tenant {
        &*tenant.policy
    } else {
        nothing = CompiledPolicy::nothing();
        &nothing
    };
    let region = place(policy, asked);
    let available: Vec<&str> =
        tenant.map_or_else(Vec::new, |tenant| tenant.available.iter().map(String::as_str).collect());
    let now = moment(now_ms);
    let attributes: BTreeMap<String, String> = contact.map_or_else(BTreeMap::new, |contact| {
        contact.attributes.iter().map(|(name, known)| (name.clone(), known.value.clone())).collect()
    });
    let mut channels: Vec<&str> = vec![&address.channel];
    for known in contact.map_or(&[][..], |contact| &contact.addresses) {
        if !channels.contains(&known.channel.as_str()) {
            channels.push(&known.channel);
        }
    }
    let account = tenant.and_then(|tenant| tenant.account(&address.channel, &address.account));
    let facts = Facts {
        channel: Some(&address.channel),
        account: Some(address.account.as_str()).filter(|name| !name.is_empty()),
        sender: account.and_then(|account| account.sender),
        kind,
        contact: ContactFacts {
            number: filled(&address.phone).or_else(|| Some(contact?.attributes.get(PHONE)?.value.as_str())),
            time_zone: contact.and_then(|contact| contact.time_zone.as_deref()),
            locale: locale(asked),
            channels: &channels,
            attributes: (!attributes.is_empty()).then_some(&attributes),
            first_seen: contact.map(|contact| moment(contact.first_seen_ms)),
            last_inbound: Some(now),
            sent: &[],
        },
        available: Some(&available),
        site,
        ..Facts::about(&region)
    };
    wire::verdict(&decide(policy, &facts, now))
}

/// The name of the region that the customer is in.
pub(crate) fn region(asked: &Asked<'_>) -> String {
    match asked.tenant {
        Some(tenant) => place(&tenant.policy, asked),
        None => place(&CompiledPolicy::nothing(), asked),
    }
    .region
    .to_string()
}

fn place(policy: &CompiledPolicy, asked: &Asked<'_>) -> RegionFinding {
    let Asked { tenant, address, contact, .. } = *asked;
    let country = |code: &str| code.to_ascii_uppercase().parse::<Country>().ok();
    let account = tenant.and_then(|tenant| tenant.account(&address.channel, &address.account));
    let hints = Hints {
        explicit: contact.and_then(|contact| contact.country.as_deref()).and_then(country),
        number: filled(&address.phone),
        declared: country(&address.country),
        account: account.and_then(|account| account.region.as_deref()),
        locale: locale(asked),
    };
    find_region(policy, &hints)
}

fn locale<'a>(asked: &Asked<'a>) -> Option<&'a str> {
    filled(&asked.address.locale).or_else(|| asked.contact?.locale.as_deref())
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
