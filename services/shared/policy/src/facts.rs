//! What a verdict is founded on.

use heliograph_domain::resources::MessageClass;
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

/// Everything that [`crate::decide`] looks at, beside the policy and the time.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Which way the message goes.
    pub direction: Direction,
    /// The channel it came by or is to take. None asks for the best channel there is.
    pub channel: Option<&'a str>,
    /// What it is for.
    pub class: MessageClass,
    /// Where the customer is, from [`crate::find_region`].
    pub region: &'a RegionFinding,
    /// What the customer said about being written to.
    pub consent: Consent,
    /// The channel's window; [`Window::Unlimited`] when no channel is given.
    pub window: Window,
    /// Channels on which the tenant has an account in use. None means that this is not to be looked at.
    pub available: Option<&'a [&'a str]>,
}
