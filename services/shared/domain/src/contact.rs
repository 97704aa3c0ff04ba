//! What is known of a customer.

mod learn;

use std::collections::BTreeMap;

use heliograph_proto::v1;
use serde::{Deserialize, Serialize};

use crate::ids;

/// Milliseconds since 1970.
type Millis = i64;

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
}

impl From<&v1::Address> for Address {
    fn from(address: &v1::Address) -> Self {
        Self::new(&address.channel, &address.account, &address.user_id)
    }
}

impl From<&Address> for v1::Address {
    fn from(address: &Address) -> Self {
        Self {
            channel: address.channel.clone(),
            account: address.account.clone(),
            user_id: address.user_id.clone(),
            ..Self::default()
        }
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
    /// A contact that begins with this address, and with what its first message says.
    pub fn new(tenant: &str, address: &Address, hints: &Hints) -> Self {
        let mut contact = Self::bare(tenant, &address.own_contact(tenant), address, hints.seen_at_ms);
        contact.learn(hints);
        contact
    }

    /// A contact with this address, of whom nothing else is known.
    pub fn bare(tenant: &str, id: &str, address: &Address, at_ms: Millis) -> Self {
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
    pub fn partings<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Apart> {
        let here = self.apart.iter().filter(|apart| apart.contact == other.id);
        here.chain(other.apart.iter().filter(|apart| apart.contact == self.id))
    }
}

/// Whether a contact agreed to being written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// They did.
    OptedIn,
    /// They refused.
    OptedOut,
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
