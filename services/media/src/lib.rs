//! Media that customers send: fetched as soon as their message is there, stored, given out by links.
//!
//! ```text
//! HG_EVENTS message.received ─► crew of a channel ─► ChannelService/FetchMedia ─► look, scan ─► object store ─► ack
//! GET /media/<tenant>/<object id>?exp=…&sig=… ─► object store
//! ```
//!
//! Providers keep media for days, some for an hour, so nothing waits until somebody asks. A medium's id is known from the
//! start (the channel's host derives it), so no event changes when the medium is there, and a link can be made at once.
//!
//! Invariants:
//! * an event is acknowledged after each medium of it is stored, or written down as refused with its reason;
//! * what a provider no longer has, and what is harmful, is not asked for again; everything else is, with growing waits,
//!   until `media.give_up_after`;
//! * each channel has its own crew: one whose provider is away delays its own media only;
//! * nothing is given out that a configured virus scanner has not called clean.

mod error;
mod fetch;
mod line;
mod metrics;
mod service;

pub use error::MediaError;
pub use heliograph_media::{MediaSettings, SECTION};
pub use service::{Media, MediaDeps};

/// The stage of this service's dead letters.
pub const STAGE: &str = "media";

/// The durable consumer of a channel's received messages.
pub fn crew(channel: &str) -> String {
    format!("media-{channel}")
}
