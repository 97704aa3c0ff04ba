//! Media: taken in with a look at their bytes, kept in the object store, given out by links that expire.
//!
//! [`Intake`] is the one way in, for what customers send on any channel, what visitors upload and what agents attach: a
//! size limit, a deadline, a type by the bytes ([`sniff`]), a virus scan where one is configured ([`Scanner`]). [`Face`]
//! is the one way out: to whoever has a good link ([`Links`]). [`Shelf`] is both for a channel that sends a medium on.
//!
//! Nothing is stored before it is scanned, so what is stored may be given out.

mod face;
mod intake;
mod links;
mod metrics;
mod name;
mod scan;
mod settings;
mod shelf;
pub mod sniff;

pub use face::{Face, Refused};
pub use heliograph_store::media::{Medium, Refusal};
pub use intake::{Arrived, Intake, IntakeError, Origin};
pub use links::{Links, Query};
pub use name::clean as file_name;
pub use scan::{ClamdConfig, IcapConfig, ScanConfig, ScanError, Scanner, Verdict};
pub use settings::MediaSettings;
pub use shelf::{Shelf, ShelfError};

/// The name of the configuration section [`MediaSettings`] is read from.
pub const SECTION: &str = "media";

/// The code of a medium that nobody can call clean now. The one refusal that is not for good: it is fetched again.
pub const SCANNER_AWAY: &str = "scanner_away";
