//! What is known of a customer.

use std::collections::BTreeMap;

use heliograph_domain::ids;
use serde::{Deserialize, Serialize};

use crate::{Millis, keys};

/// First and last seen are kept to the day: enough for people, and no write for every message.
const DAY_MS: Millis = 24 * 60 * 60 * 1000;

/// One customer as one channel account sees them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The channel, such as `sms`.
    pub channel: String,
    /// The channel account's name.
    pub account: String,
    /// The provider's id of the customer: any string.
    pub user_id: String,
}

impl Address {
    /// An address of these parts.
    pub fn new(channel: impl Into<String>, account: impl Into<String>, user_id: impl Into<String>) -> Self {
        Self { channel: channel.into(), account: account.into(), user_id: user_id.into() }
    }

    /// The contact this address belongs to until it is linked to another one.
    pub fn own_contact(&self, tenant: &str) -> String {
        ids::derive(ids::CONTACT, &[tenant, &self.channel, &self.account, &self.user_id])
    }

    pub(super) fn key(&self, tenant: &str) -> String {
        keys::kv(&[tenant, "a", &keys::address(&self.channel, &self.account, &self.user_id)])
    }
}

/// Something known about a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The value.
    pub value: String,
    /// Whether somebody vouched for it (a signed identity, an agent), rather than the customer or a provider's profile.
    #[serde(default)]
    pub verified: bool,
}

/// One customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The id, `con_…`.
    pub id: String,
    /// The tenant.
    pub tenant: String,
    /// Where the contact can be reached, in the order in which they became known.
    pub addresses: Vec<Address>,
    /// What to call them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Declared country, ISO 3166-1 alpha-2; overrides what numbers and accounts suggest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// What else is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
    /// The day of the first message, as its first millisecond.
    pub first_seen_ms: Millis,
    /// The day of the last message known, as its first millisecond.
    pub last_seen_ms: Millis,
}

impl Contact {
    pub(super) fn new(tenant: &str, address: &Address, hints: &Hints) -> Self {
        let day = day(hints.seen_at_ms);
        let mut contact = Self {
            id: address.own_contact(tenant),
            tenant: tenant.to_owned(),
            addresses: vec![address.clone()],
            display_name: None,
            locale: None,
            country: None,
            attributes: BTreeMap::new(),
            first_seen_ms: day,
            last_seen_ms: day,
        };
        contact.learn(hints);
        contact
    }

    /// Takes in what an inbound message said about its sender; says whether anything changed.
    ///
    /// What is known already stays: a profile may fill a gap, never overwrite a declaration.
    pub(super) fn learn(&mut self, hints: &Hints) -> bool {
        let before = self.clone();
        let fill = |known: &mut Option<String>, hint: &Option<String>| {
            if known.is_none() {
                known.clone_from(hint);
            }
        };
        fill(&mut self.display_name, &hints.display_name);
        fill(&mut self.locale, &hints.locale);
        fill(&mut self.country, &hints.country);
        for (name, value) in &hints.attributes {
            let known = self.attributes.get(name);
            if !known.is_some_and(|known| known.verified) {
                self.attributes.insert(name.clone(), Attribute { value: value.clone(), verified: false });
            }
        }
        self.last_seen_ms = self.last_seen_ms.max(day(hints.seen_at_ms));
        *self != before
    }
}

/// What an inbound message says about its sender, unverified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// The name in the provider's profile.
    pub display_name: Option<String>,
    /// BCP 47 language tag.
    pub locale: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Anything else.
    pub attributes: BTreeMap<String, String>,
    /// When the message came in.
    pub seen_at_ms: Millis,
    /// The event that brought it; empty when nothing will ask again with the same.
    pub cause: String,
}

fn day(at: Millis) -> Millis {
    at - at.rem_euclid(DAY_MS)
}
