//! What is known of a customer.

use std::collections::BTreeMap;

use heliograph_domain::ids;
use serde::{Deserialize, Serialize};

use crate::{Millis, keys};

/// First and last seen are kept to the day: enough for people, and no write for every message.
const DAY_MS: Millis = 24 * 60 * 60 * 1000;
/// What is known of a customer beside attributes.
const PLAIN: [&str; 4] = ["display_name", "locale", "country", "time_zone"];
/// Stands before the name of an attribute among the names of what is known.
const ATTRIBUTE: &str = "attributes.";

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

/// Why an address is believed to be a contact's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkedBy {
    /// Both have the same phone number, and a channel vouches for it.
    VerifiedPhone,
    /// Both have the same e-mail address, and a channel vouches for it.
    VerifiedEmail,
    /// The customer sent a code that was shown on the other address.
    LinkCode,
    /// An integrator or an agent says so.
    Asserted,
    /// The provider gave the customer another id.
    AddressChange,
}

impl LinkedBy {
    /// As it is written in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifiedPhone => "verified_phone",
            Self::VerifiedEmail => "verified_email",
            Self::LinkCode => "link_code",
            Self::Asserted => "asserted",
            Self::AddressChange => "address_change",
        }
    }

    /// Whether nobody asked for it: what somebody split stays split.
    pub fn is_automatic(self) -> bool {
        matches!(self, Self::VerifiedPhone | Self::VerifiedEmail)
    }
}

/// How an address came to a contact that it did not begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The address.
    pub address: Address,
    /// Why.
    pub by: LinkedBy,
    /// Who said so, where somebody did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub actor: String,
    /// The event or request that brought it about.
    pub cause: String,
    /// When.
    pub at_ms: Millis,
    /// The contact whose address it was; none if it was nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// What the contact learnt from that one: `display_name`, `locale`, `country`, `time_zone`, `attributes.<name>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gained: Vec<String>,
}

/// Somebody said that another contact is somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// The other contact.
    pub contact: String,
    /// The cause of the link that was undone; empty if there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub undone: String,
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
    /// IANA time zone, where somebody said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What else is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
    /// The day of the first message, as its first millisecond.
    pub first_seen_ms: Millis,
    /// The day of the last message known, as its first millisecond.
    pub last_seen_ms: Millis,
    /// How addresses came to it that it did not begin with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Contacts that were split from it, or that it was split from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<Apart>,
    /// The contact that has all its addresses now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_into: Option<String>,
    /// Tokens of the verified identities it was the first to have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// Number of the latest join or split that was applied to it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub step: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(step: &u64) -> bool {
    *step == 0
}

impl Contact {
    pub(super) fn new(tenant: &str, address: &Address, hints: &Hints) -> Self {
        let mut contact = Self::bare(tenant, &address.own_contact(tenant), address, hints.seen_at_ms);
        contact.learn(hints);
        contact
    }

    /// A contact with this address, of whom nothing else is known.
    pub(super) fn bare(tenant: &str, id: &str, address: &Address, at_ms: Millis) -> Self {
        let day = day(at_ms);
        Self {
            id: id.to_owned(),
            tenant: tenant.to_owned(),
            addresses: vec![address.clone()],
            display_name: None,
            locale: None,
            country: None,
            time_zone: None,
            attributes: BTreeMap::new(),
            first_seen_ms: day,
            last_seen_ms: day,
            links: Vec::new(),
            apart: Vec::new(),
            joined_into: None,
            claims: Vec::new(),
            step: 0,
        }
    }

    /// Whether somebody said that `other` is somebody else.
    pub fn is_apart_from(&self, other: &Self) -> bool {
        self.partings(other).next().is_some()
    }

    /// What was said about these two being different, on either of them.
    pub(super) fn partings<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Apart> {
        let here = self.apart.iter().filter(|apart| apart.contact == other.id);
        here.chain(other.apart.iter().filter(|apart| apart.contact == self.id))
    }

    /// Names of what `other` knows and this contact does not, or only unverified.
    pub(super) fn gaps(&self, other: &Self) -> Vec<String> {
        let mut gaps = Vec::new();
        for name in PLAIN {
            if self.plain(name).is_none() && other.plain(name).is_some() {
                gaps.push(name.to_owned());
            }
        }
        for (name, theirs) in &other.attributes {
            let wanted = self.attributes.get(name).is_none_or(|ours| theirs.verified && !ours.verified);
            if wanted {
                gaps.push(format!("{ATTRIBUTE}{name}"));
            }
        }
        gaps
    }

    /// Takes in what `other` knows and this contact does not.
    pub(super) fn fill(&mut self, other: &Self) {
        for gap in self.gaps(other) {
            if let Some(name) = gap.strip_prefix(ATTRIBUTE) {
                if let Some(theirs) = other.attributes.get(name) {
                    self.attributes.insert(name.to_owned(), theirs.clone());
                }
            } else if let Some(ours) = self.plain_mut(&gap) {
                *ours = other.plain(&gap).cloned();
            }
        }
        self.first_seen_ms = self.first_seen_ms.min(other.first_seen_ms);
        self.last_seen_ms = self.last_seen_ms.max(other.last_seen_ms);
    }

    /// Forgets what it `gained`, unless it has changed since it was `lent`.
    pub(super) fn unlearn(&mut self, gained: &[String], lent: &Self) {
        for gap in gained {
            if let Some(name) = gap.strip_prefix(ATTRIBUTE) {
                if self.attributes.get(name) == lent.attributes.get(name) {
                    self.attributes.remove(name);
                }
            } else if self.plain(gap) == lent.plain(gap)
                && let Some(ours) = self.plain_mut(gap)
            {
                *ours = None;
            }
        }
    }

    fn plain(&self, name: &str) -> Option<&String> {
        match name {
            "display_name" => self.display_name.as_ref(),
            "locale" => self.locale.as_ref(),
            "country" => self.country.as_ref(),
            "time_zone" => self.time_zone.as_ref(),
            _ => None,
        }
    }

    fn plain_mut(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "display_name" => Some(&mut self.display_name),
            "locale" => Some(&mut self.locale),
            "country" => Some(&mut self.country),
            "time_zone" => Some(&mut self.time_zone),
            _ => None,
        }
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
