//! What a rule that holds asks for.

use std::{fmt, sync::Arc};

use heliograph_domain::resources::{Period, SenderIdentity};
use jiff::Timestamp;

/// What a rule that holds asks for, with what was found of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Demand {
    /// That it does not go.
    Deny,
    /// That the customer opts in.
    NeedsConsent,
    /// That it is a template.
    NeedsTemplate,
    /// That it goes by one of these channels.
    UseChannel(Arc<[Arc<str>]>),
    /// That it waits until the calendar opens; none is a calendar that never opens again.
    Hours(Option<Timestamp>),
    /// That it waits until the quiet hours are over.
    QuietHours(Timestamp),
    /// That it waits until fewer were sent.
    AtMost {
        /// How many may be sent.
        messages: u32,
        /// In how long a time.
        per: Period,
        /// When one more may be.
        until: Timestamp,
    },
    /// That it leaves from a sender of another kind than this.
    Sender(SenderIdentity),
}

impl Demand {
    /// The code of its reason: `rule.` and the effect as it is written in resources.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Deny => "rule.deny",
            Self::NeedsConsent => "rule.needs_consent",
            Self::NeedsTemplate => "rule.needs_template",
            Self::UseChannel(_) => "rule.use_channel",
            Self::Hours(_) => "rule.hours",
            Self::QuietHours(_) => "rule.quiet_hours",
            Self::AtMost { .. } => "rule.at_most",
            Self::Sender(_) => "rule.sender",
        }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deny => f.write_str("forbids it"),
            Self::NeedsConsent => f.write_str("asks for the customer's consent"),
            Self::NeedsTemplate => f.write_str("lets templates go only"),
            Self::UseChannel(channels) => write!(f, "lets it go by {} only", channels.join(", ")),
            Self::Hours(Some(until)) => write!(f, "lets it go in opening hours only, which begin at {until}"),
            Self::Hours(None) => f.write_str("lets it go in opening hours only, and there are none any more"),
            Self::QuietHours(until) => write!(f, "has quiet hours, which end at {until}"),
            Self::AtMost { messages, per, until } => {
                write!(f, "lets {messages} in {per} go, which were sent; the next may go at {until}")
            }
            Self::Sender(kind) => write!(f, "does not let it leave from {}", sender(*kind)),
        }
    }
}

fn sender(kind: SenderIdentity) -> &'static str {
    match kind {
        SenderIdentity::Alphanumeric => "an alphanumeric sender",
        SenderIdentity::ShortCode => "a short code",
        SenderIdentity::TollFree => "a toll-free number",
        SenderIdentity::TenDlc => "a 10DLC number",
        SenderIdentity::LongCode => "an ordinary number",
    }
}
