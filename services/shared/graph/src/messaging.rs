//! The machine behind Messenger and Instagram messaging: the events in `messaging[]`, the Send API, its errors.
//!
//! The two products share all of it and differ in a few words and limits ([`Product`]). Their channels say who the
//! account is ([`Profile`]) and hand everything else to this module.
//!
//! Source: developers.facebook.com, "Messenger Platform" and "Instagram messaging" (webhooks, Send API, error codes).

mod attachment;
mod batch;
mod codes;
mod event;
mod media;
mod outbound;
mod payload;
mod product;
mod profile;
mod said;
mod template;

pub use batch::receive;
pub use codes::classify;
pub use media::{encode_upload, fetch, is_stale_upload, read_upload, upload};
pub use outbound::{encode, encode_as_agent, is_idempotent, signal};
pub use payload::{carried, chosen};
pub use product::{INSTAGRAM, MESSENGER, Product};
pub use profile::{Profile, Spec, WindowSpec};
