//! A customer, as policy is asked about them: the one place that says which of what is known counts for what.

use std::collections::BTreeMap;

use heliograph_domain::{contact::Contact, phone, region::Country};
use heliograph_proto::v1;
use jiff::Timestamp;

use crate::{Account, ContactFacts, Facts, Hints, RegionFinding, TenantPolicy, find_region};

/// Attribute of a contact that holds their number, where somebody said it.
const PHONE: &str = "phone";
/// Attribute of a contact that holds their IANA time zone, where somebody said it.
const TIME_ZONE: &str = "time_zone";

/// A customer of a tenant, seen through one of their addresses.
#[derive(Debug)]
pub struct Customer<'a> {
    tenant: &'a TenantPolicy,
    contact: Option<&'a Contact>,
    address: Option<&'a v1::Address>,
    /// Which of the tenant's accounts the address is known to.
    account: Option<&'a Account>,
    /// The number that the customer is known by, in E.164.
    number: Option<String>,
    /// The number that somebody said is theirs, in E.164. It tells the time, and does not place them.
    said: Option<String>,
    channels: Vec<&'a str>,
    attributes: BTreeMap<String, String>,
    available: Vec<&'a str>,
}

impl<'a> Customer<'a> {
    /// A customer, as far as they are known. `address` is the one that a message comes from or is to go to; without it,
    /// the question is where they can be written to. The address of a message to come may lack its channel and account.
    pub fn new(
        tenant: &'a TenantPolicy,
        contact: Option<&'a Contact>,
        address: Option<&'a v1::Address>,
    ) -> Self {
        let account = address.and_then(|address| match filled(&address.channel) {
            Some(channel) => tenant.account_on(channel, &address.account),
            None => tenant.account(&address.account),
        });
        let mut channels: Vec<&str> =
            address.and_then(|address| filled(&address.channel)).into_iter().collect();
        for known in contact.map_or(&[][..], |contact| &contact.addresses) {
            if !channels.contains(&known.channel.as_str()) {
                channels.push(&known.channel);
            }
        }
        let attributes = contact.map(|contact| {
            contact.attributes.iter().map(|(name, known)| (name.clone(), known.value.clone())).collect()
        });
        let said = contact.and_then(|contact| phone::normalize(&contact.attributes.get(PHONE)?.value));
        Self {
            tenant,
            contact,
            address,
            account,
            number: number(contact, address),
            said,
            channels,
            attributes: attributes.unwrap_or_default(),
            available: tenant.channels().iter().map(String::as_str).collect(),
        }
    }

    /// Where they are, found anew from what is known of them. The best source decides: what an agent or integrator declared
    /// of the contact, the number, the country the provider declares, the account, the locale.
    pub fn place(&self) -> RegionFinding {
        let country = |code: &str| code.to_ascii_uppercase().parse::<Country>().ok();
        let hints = Hints {
            explicit: self.contact.and_then(|contact| country(contact.country.as_deref()?)),
            number: self.number.as_deref(),
            declared: self.address.and_then(|address| country(&address.country)),
            account: self.account.and_then(|account| account.region.as_deref()),
            locale: self.locale(),
        };
        find_region(&self.tenant.policy, &hints)
    }

    /// What is known of a message to or from them before anything is known of the message: a service message of theirs.
    pub fn facts<'b>(&'b self, region: &'b RegionFinding) -> Facts<'b> {
        let own_zone = self.contact.and_then(|contact| contact.time_zone.as_deref());
        Facts {
            channel: self.address.and_then(|address| filled(&address.channel)),
            account: self.address.and_then(|address| filled(&address.account)),
            sender: self.account.and_then(|account| account.sender),
            contact: ContactFacts {
                number: self.number.as_deref().or(self.said.as_deref()),
                time_zone: own_zone.or_else(|| self.attributes.get(TIME_ZONE).map(String::as_str)),
                locale: self.locale(),
                channels: &self.channels,
                attributes: Some(&self.attributes).filter(|known| !known.is_empty()),
                first_seen: self
                    .contact
                    .and_then(|contact| Timestamp::from_millisecond(contact.first_seen_ms).ok()),
                ..ContactFacts::default()
            },
            available: Some(&self.available),
            ..Facts::about(region)
        }
    }

    /// What they speak where they write from counts before what is known of them in general.
    fn locale(&self) -> Option<&str> {
        let here = self.address.and_then(|address| filled(&address.locale));
        here.or_else(|| self.contact?.locale.as_deref())
    }
}

/// The number that the customer is known by: the address's own; without an address, that of the address which became known
/// last of those that have one.
fn number(contact: Option<&Contact>, address: Option<&v1::Address>) -> Option<String> {
    let Some(address) = address else {
        let known = contact?.addresses.iter().rev();
        return known.map(|address| address.user_id.as_str()).find_map(e164);
    };
    phone::normalize(&address.phone).or_else(|| e164(&address.user_id))
}

/// The number that an id is, where it is one in full: digits without a `+` may be anything.
fn e164(user_id: &str) -> Option<String> {
    user_id.starts_with('+').then(|| phone::normalize(user_id))?
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
