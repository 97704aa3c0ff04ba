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

/// What is wrong with each provider.
#[derive(Default)]
pub(super) struct Faults(Mutex<HashMap<String, Health>>);

#[derive(Default)]
struct Health {
    /// One each for the next requests.
    waiting: VecDeque<Fault>,
    /// For every request after those.
    standing: Option<Fault>,
    /// Requests that met a fault.
    met: usize,
}

impl Faults {
    fn of<T>(&self, provider: &str, what: impl FnOnce(&mut Health) -> T) -> T {
        let mut providers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        what(providers.entry(provider.to_owned()).or_default())
    }

    pub(super) fn push(&self, provider: &str, faults: impl IntoIterator<Item = Fault>) {
        self.of(provider, |health| health.waiting.extend(faults));
    }

    pub(super) fn stand(&self, provider: &str, fault: Option<Fault>) {
        self.of(provider, |health| health.standing = fault);
    }

    pub(super) fn left(&self, provider: &str) -> usize {
        self.of(provider, |health| health.waiting.len())
    }

    pub(super) fn met(&self, provider: &str) -> usize {
        self.of(provider, |health| health.met)
    }

    fn next(&self, provider: &str) -> Option<Fault> {
        self.of(provider, |health| {
            let fault = health.waiting.pop_front().or_else(|| health.standing.clone());
            health.met += usize::from(fault.is_some());
            fault
        })
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
