//! What a channel implements, and the host that runs it.
//!
//! A channel is data in, data out: it verifies and parses what a provider sends ([`Webhook`]), encodes what goes
//! to the provider and says what the answer means ([`Provider`]). Neither does I/O, reads a clock or knows the
//! server that hosts it. A channel without an HTTP provider behind it (web chat) implements [`Carrier`] itself.

pub mod able;
pub mod account;
pub mod caller;
pub mod carrier;
pub mod contact;
pub mod events;
pub mod handle;
#[cfg(feature = "host")]
pub mod host;
pub mod inbound;
pub mod json;
pub mod markdown;
pub mod multipart;
pub mod offers;
pub mod outbound;
pub mod postback;
pub mod standard_webhooks;
mod wire;

pub use account::{Account, AccountError, RawAccount, Secrets, Settings};
pub use caller::{AccountOf, Caller, Calls};
pub use carrier::{Carrier, CarrierError, MediaStream};
pub use handle::{Handle, Purpose};
pub use inbound::{Answer, Hold, Inbound, Received, Refusal, Reply, Webhook, WebhookRequest};
pub use outbound::{
    Body, Delivery, File, Outcome, Provider, ProviderRequest, ProviderResponse, ReplyHandle, TokenGrant,
    TokenSource, URL_SECRET, Upload, UploadGrant, provider_id,
};

use heliograph_proto::v1::Capabilities;

/// What every channel says about itself.
pub trait Channel: Send + Sync + 'static {
    /// The channel's own part of an account: typed settings and the secrets it needs, checked once when the account
    /// is loaded.
    type Settings: Settings;

    /// The channel's name, also its path on the ingress and its token in subjects: `sms`.
    fn name(&self) -> &'static str;

    /// What an account of this channel can receive and show.
    fn capabilities(&self, account: &Account<Self::Settings>) -> Capabilities;
}
