//! The providers' APIs.

mod bottle;
mod sinch;
mod twilio;
mod wechat;

use std::sync::Arc;

use axum::Router;

use super::state::State;

pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .merge(bottle::router())
        .merge(sinch::router())
        .merge(twilio::router())
        .merge(wechat::router())
        .with_state(state)
}
