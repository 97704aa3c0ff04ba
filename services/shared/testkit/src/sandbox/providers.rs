//! The providers' APIs. Each is a file of its own with everything about it, and a row here.

mod bottle;
mod line;
mod messaging;
mod rcs;
mod sinch;
mod telegram;
mod twilio;
mod viber;
mod wechat;
mod whatsapp;

use std::sync::Arc;

use axum::Router;

use super::{
    customer::{Call, Customer},
    state::State,
};

/// One provider as the sandbox plays it.
pub(super) struct Cloud {
    /// Its name, and the path its API is below.
    pub(super) name: &'static str,
    /// The channel whose accounts it has.
    pub(super) channel: &'static str,
    /// What those accounts name as their provider, on channels that have several.
    pub(super) provider: Option<&'static str>,
    /// Its API: checks what it is sent as strictly as the provider does.
    pub(super) routes: fn() -> Router<Arc<State>>,
    /// The request that tells us of a customer's text, signed as the provider signs.
    pub(super) compose: fn(&Customer, &str) -> Call,
}

/// Every provider.
pub(super) const CLOUDS: &[Cloud] = &[
    bottle::CLOUD,
    line::CLOUD,
    messaging::INSTAGRAM,
    messaging::MESSENGER,
    rcs::CLOUD,
    sinch::CLOUD,
    telegram::CLOUD,
    twilio::CLOUD,
    viber::CLOUD,
    wechat::CLOUD,
    whatsapp::CLOUD,
];

pub(super) fn router(state: Arc<State>) -> Router {
    let all = CLOUDS.iter().fold(Router::new(), |router, cloud| router.merge((cloud.routes)()));
    all.with_state(state)
}
