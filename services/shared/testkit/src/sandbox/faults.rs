//! What goes wrong with providers, on demand.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use futures::TryStreamExt as _;
use http::{HeaderValue, StatusCode, header};

/// One request's misfortune.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answered with this status, nothing done; `Retry-After` in seconds when given.
    Status(u16, Option<u32>),
    /// Nothing done and nothing answered for so long.
    Hang(Duration),
    /// Done, but the answer breaks off on its way: the caller cannot know.
    LoseResponse,
    /// Done, but answered only after so long.
    Slow(Duration),
}

/// The faults waiting, by provider.
#[derive(Default)]
pub(super) struct Faults(Mutex<HashMap<String, VecDeque<Fault>>>);

impl Faults {
    pub(super) fn push(&self, provider: &str, faults: impl IntoIterator<Item = Fault>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.entry(provider.to_owned()).or_default().extend(faults);
    }

    pub(super) fn left(&self, provider: &str) -> usize {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(provider).map_or(0, VecDeque::len)
    }

    fn next(&self, provider: &str) -> Option<Fault> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get_mut(provider)?.pop_front()
    }

    /// Serves one request under the next fault, if there is one.
    pub(super) async fn meet(&self, provider: &str, serve: impl FnOnce() -> Response) -> Response {
        match self.next(provider) {
            None => serve(),
            Some(Fault::Status(status, retry_after)) => refused(status, retry_after),
            Some(Fault::Hang(wait)) => {
                tokio::time::sleep(wait).await;
                StatusCode::GATEWAY_TIMEOUT.into_response()
            }
            Some(Fault::Slow(wait)) => {
                let response = serve();
                tokio::time::sleep(wait).await;
                response
            }
            Some(Fault::LoseResponse) => {
                serve();
                broken_off()
            }
        }
    }
}

fn refused(status: u16, retry_after: Option<u32>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = status.into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An answer that promises more than it holds: the connection breaks while it is read.
fn broken_off() -> Response {
    let broken = futures::stream::once(async { Err::<bytes::Bytes, _>(std::io::ErrorKind::ConnectionReset) })
        .map_err(std::io::Error::from);
    let mut response = Body::from_stream(broken).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("1000"));
    response
}
