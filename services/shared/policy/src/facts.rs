//! What a verdict is founded on.

use std::collections::BTreeMap;

use heliograph_domain::{
    contact::Choice,
    resources::{MessageClass, SenderIdentity},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::RegionFinding;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the customer.
    Inbound,
    /// To the customer.
    Outbound,
}

/// What the customer said about being written to on the channel, for the message's purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Nothing.
    #[default]
    Unknown,
    /// Yes.
    OptedIn,
    /// No.
    OptedOut,
}

/// What counts of what they said; none if they said nothing.
impl From<Option<Choice>> for Consent {
    fn from(choice: Option<Choice>) -> Self {
        match choice {
            None => Self::Unknown,
            Some(Choice::OptedIn) => Self::OptedIn,
            Some(Choice::OptedOut) => Self::OptedOut,
        }
    }
}

/// The channel's messaging window towards the customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Window {
    /// The channel has none.
    #[default]
    Unlimited,
    /// Free messages may be sent until then; none is a window that something other than time closes.
    Open {
        /// First moment at which it is closed.
        until: Option<Timestamp>,
        /// Whether the channel takes templates once it is closed.
        templates: bool,
    },
    /// Free messages may not be sent.
    Closed {
        /// Whether the channel takes templates instead.
        templates: bool,
    },
}

/// What is known of the customer.
#[derive(Debug, Clone, Copy, Default)]
pub struct ContactFacts<'a> {
    /// Their phone number, in E.164 with `+`, for their time zone.
    pub number: Option<&'a str>,
    /// Their own time zone, where somebody said it: an IANA name.
    pub time_zone: Option<&'a str>,
    /// Their locale, such as `pt-BR`.
    pub locale: Option<&'a str>,
    /// Channels on which they have an address.
    pub channels: &'a [&'a str],
    /// What else is known of them.
    pub attributes: Option<&'a BTreeMap<String, String>>,
    /// When they were first seen.
    pub first_seen: Option<Timestamp>,
    /// When they last wrote.
    pub last_inbound: Option<Timestamp>,
    /// What was sent to them lately, the newest first, as far back as frequency caps look.
    pub sent: &'a [Sent<'a>],
}

/// One message that was sent to the customer.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// When.
    pub at: Timestamp,
    /// The channel it left by.
    pub channel: &'a str,
    /// What it was for.
    pub class: MessageClass,
}

/// Everything that [`crate::decide`] looks at, beside the policy and the time.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Which way the message goes.
    pub direction: Direction,
    /// The channel it came by or is to take. None asks for the best channel there is.
    pub channel: Option<&'a str>,
    /// The channel account.
    pub account: Option<&'a str>,
    /// What kind of sender the account writes as.
    pub sender: Option<SenderIdentity>,
    /// What it is for.
    pub class: MessageClass,
    /// What is said: a kind of `Content`, such as `text` or `template`; empty when nothing is known of it.
    pub kind: &'a str,
    /// Where the customer is, from [`crate::find_region`].
    pub region: &'a RegionFinding,
    /// What is known of the customer.
    pub contact: ContactFacts<'a>,
    /// What the customer said about being written to.
    pub consent: Consent,
    /// The channel's window; [`Window::Unlimited`] when no channel is given.
    pub window: Window,
    /// Channels on which the tenant has an account in use. None means that this is not to be looked at.
    pub available: Option<&'a [&'a str]>,
    /// The site that decides. None means that residency is not to be looked at.
    pub site: Option<&'a str>,
}

impl<'a> Facts<'a> {
    /// A service message of a customer in this region, of whom nothing else is known.
    pub fn about(region: &'a RegionFinding) -> Self {
        Self {
            direction: Direction::Inbound,
            channel: None,
            account: None,
            sender: None,
            class: MessageClass::Service,
            kind: "",
            region,
            contact: ContactFacts::default(),
            consent: Consent::Unknown,
            window: Window::Unlimited,
            available: None,
            site: None,
        }
    }
}
