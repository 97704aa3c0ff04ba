//! The accept loop and the connections under both servers, HTTP and gRPC.
//!
//! Written on hyper rather than on `axum::serve` or tonic's server, because those leave open what a stranger can hold
//! open: sockets that never send a byte, heads that come a byte at a time, HTTP/2 connections that rest for ever. And
//! because connections that must end (age, shutdown) are to end with notice first.

mod activity;
mod connection;

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::Shutdown;
use activity::Activity;

/// What bounds a connection.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// From accepting the socket to the head of its first request.
    pub(crate) first_request: Duration,
    /// From the first byte of a later request's head to its last (HTTP/1).
    pub(crate) header_read: Duration,
    /// Between requests. `None`: any time.
    pub(crate) idle: Option<Duration>,
    /// Age at which a connection is told to go, and how long calls on it may still run.
    pub(crate) age: Option<(Duration, Duration)>,
    /// Largest request head.
    pub(crate) max_header_bytes: usize,
    /// HTTP/2 ping interval and how long the answer may take.
    pub(crate) keepalive: (Duration, Duration),
    /// HTTP/2 streams in flight on one connection.
    pub(crate) max_concurrent_streams: u32,
    /// Whether HTTP/1 is refused.
    pub(crate) http2_only: bool,
}

/// Serves `router` until `shutdown` drains; then lets requests and upgraded connections (WebSockets) finish until it
/// cancels.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    limits: Limits,
    shutdown: Shutdown,
) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.draining() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                accept(stream, peer, tls.clone(), &router, &limits, &shutdown, &connections);
            }
            Err(error) => {
                // A client that is gone again costs nothing; out of descriptors must not become a busy loop.
                tracing::debug!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    tokio::select! {
        () = connections.wait() => {}
        () = shutdown.cancelled() => {}
    }
}

fn accept(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: &Router,
    limits: &Limits,
    shutdown: &Shutdown,
    connections: &TaskTracker,
) {
    // Small answers should not wait for more to come; where the option is refused they merely may.
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().ok();
    // Held by the stream itself, so that an upgraded connection counts for as long as its handler keeps it.
    let activity = Activity::new(connections.token());
    let (router, limits, shutdown) = (router.clone(), limits.clone(), shutdown.clone());
    tokio::spawn(async move {
        let service = connection::Requests::new(router, peer, local, &activity);
        match tls {
            None => connection::run(activity.watch(stream), service, &activity, &limits, &shutdown).await,
            Some(acceptor) => {
                let handshake = timeout(limits.first_request, acceptor.accept(stream));
                let accepted = tokio::select! {
                    accepted = handshake => accepted,
                    () = shutdown.draining() => return,
                };
                match accepted {
                    Ok(Ok(stream)) => {
                        connection::run(activity.watch(stream), service, &activity, &limits, &shutdown).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                    Err(_) => tracing::debug!("TLS handshake took too long"),
                }
            }
        }
    });
}
