//! One connection, from its first byte to its end.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::{Pin, pin},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulConnection},
};
use rand::RngExt as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep_until},
};
use tonic::transport::server::TcpConnectInfo;
use tower::ServiceExt as _;

use super::{
    Limits,
    activity::{Activity, Sending, Watched},
};
use crate::Shutdown;

/// Hands requests to the router, with the peer's address, and keeps count.
#[derive(Clone)]
pub(super) struct Requests {
    router: Router,
    peer: SocketAddr,
    local: Option<SocketAddr>,
    activity: Activity,
}

impl Requests {
    pub(super) fn new(
        router: Router,
        peer: SocketAddr,
        local: Option<SocketAddr>,
        activity: &Activity,
    ) -> Self {
        Self { router, peer, local, activity: activity.clone() }
    }
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Sending>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let in_flight = self.activity.request(request.version() == Version::HTTP_2);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        request
            .extensions_mut()
            .insert(TcpConnectInfo { local_addr: self.local, remote_addr: Some(self.peer) });
        let answer = self.router.clone().oneshot(request.map(Body::new));
        Box::pin(async move { Ok(answer.await?.map(|body| Sending::new(body, in_flight))) })
    }
}

/// How often a connection is looked at; what bounds it is kept to within this.
fn tick(limits: &Limits) -> Duration {
    (limits.header_read.min(limits.first_request) / 4)
        .clamp(Duration::from_millis(20), Duration::from_secs(5))
}

/// The age at which this connection goes: a tenth more or less than asked for, so that those that came together do not
/// leave together.
fn jittered(age: Duration) -> Duration {
    age.mul_f64(rand::rng().random_range(0.9..1.1))
}

/// Serves one connection to its end.
pub(super) async fn run<T>(
    stream: Watched<T>,
    service: Requests,
    activity: &Activity,
    limits: &Limits,
    shutdown: &Shutdown,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(stream);
    if limits.http2_only {
        // With upgrades, the builder would let HTTP/1 in.
        let builder = builder(limits).http2_only();
        drive(pin!(builder.serve_connection(stream, service)), activity, limits, shutdown).await;
    } else {
        let builder = builder(limits);
        let connection = builder.serve_connection_with_upgrades(stream, service);
        drive(pin!(connection), activity, limits, shutdown).await;
    }
}

/// Runs the connection, and sees to it that it keeps to its limits and leaves when it must.
async fn drive<C>(mut connection: Pin<&mut C>, activity: &Activity, limits: &Limits, shutdown: &Shutdown)
where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    let accepted = Instant::now();
    let tick = tick(limits);
    let mut next_look = pin!(sleep_until(accepted + tick));
    let expiry = limits.age.map(|(age, grace)| (accepted + jittered(age), grace));
    // Once it was told to go: when it is cut off.
    let mut going: Option<Option<Instant>> = None;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(%error, "connection ended");
                }
                return;
            }
            () = shutdown.cancelled() => return,
            () = shutdown.draining(), if going.is_none() => {
                going = Some(None);
                connection.as_mut().graceful_shutdown();
            }
            () = next_look.as_mut() => {
                let now = Instant::now();
                if overdue(activity, limits, now - accepted) || matches!(going, Some(Some(end)) if now >= end) {
                    return;
                }
                let leave_by = match expiry {
                    Some((end, grace)) if now >= end => Some(now + grace),
                    _ if rested(activity, limits) => Some(now + limits.header_read),
                    _ => None,
                };
                if going.is_none() && leave_by.is_some() {
                    going = Some(leave_by);
                    connection.as_mut().graceful_shutdown();
                }
                next_look.as_mut().reset(now + tick);
            }
        }
    }
}

/// Whether the peer takes too long to say what it wants.
fn overdue(activity: &Activity, limits: &Limits, age: Duration) -> bool {
    let silent = !activity.served_any() && age >= limits.first_request;
    silent || activity.reading_head().is_some_and(|reading| reading >= limits.header_read)
}

fn rested(activity: &Activity, limits: &Limits) -> bool {
    limits.idle.is_some_and(|idle| {
        activity.served_any() && activity.resting().is_some_and(|resting| resting >= idle)
    })
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // hyper's own limit counts the rest between requests as part of the head; it is the outermost bound here, and the
    // watchdog in `run` keeps the narrower ones.
    let outermost = limits.idle.unwrap_or(limits.header_read) + limits.header_read;
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(outermost)
        // hyper's smallest buffer is 8 KiB.
        .max_buf_size(limits.max_header_bytes.max(8 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.keepalive.0)
        .keep_alive_timeout(limits.keepalive.1)
        .max_concurrent_streams(limits.max_concurrent_streams)
        .max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX));
    builder
}
