//! The HTTP server of a service.

mod observe;

use std::{net::SocketAddr, time::Duration};

use axum::{Router, extract::DefaultBodyLimit};
use tokio::net::TcpListener;

use crate::{
    Shutdown,
    config::HttpSettings,
    serve::{self, Limits},
    tls::{self, TlsError},
};
use observe::ObserveLayer;

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, not ours, or needs rights we do not have.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Its certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The descriptors given for reflection are not a file descriptor set.
    #[error("cannot serve reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// An HTTP server that listens but does not serve yet: connections wait until [`serve`](Self::serve).
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    settings: HttpSettings,
}

impl HttpServer {
    /// Listens on `settings.addr`.
    pub async fn bind(settings: &HttpSettings) -> Result<Self, ServerError> {
        let (listener, local_addr) = bind(settings.addr).await?;
        Ok(Self { listener, local_addr, settings: settings.clone() })
    }

    /// The address in force, with the port that was found when 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves `router` until `shutdown` drains, then lets what is in flight finish until it cancels.
    ///
    /// Around the router: the peer as [`ConnectInfo<SocketAddr>`](axum::extract::ConnectInfo), the body limit (a route
    /// may set its own [`DefaultBodyLimit`]), the request timeout (503), a span that continues the caller's trace, and
    /// `http.server.request.duration`. A handler that upgrades to a WebSocket watches `shutdown.draining()` itself and
    /// closes; the server waits for it.
    pub async fn serve(self, router: Router, shutdown: Shutdown) -> Result<(), ServerError> {
        let Self { listener, settings, .. } = self;
        let tls = settings.tls.as_ref().map(|tls| tls::acceptor(tls, &[b"h2", b"http/1.1"])).transpose()?;
        let router = router
            .layer(DefaultBodyLimit::max(settings.body_limit))
            .layer(ObserveLayer::new(settings.request_timeout))
            .with_state(());
        serve::serve(listener, tls, router, limits(&settings), shutdown).await;
        Ok(())
    }
}

fn limits(settings: &HttpSettings) -> Limits {
    Limits {
        first_request: settings.header_read_timeout,
        header_read: settings.header_read_timeout,
        idle: Some(settings.idle_timeout),
        age: None,
        max_header_bytes: settings.max_header_bytes,
        keepalive: (Duration::from_secs(30), Duration::from_secs(10)),
        max_concurrent_streams: 256,
        http2_only: false,
    }
}

/// Listens on `addr` and says where that turned out to be.
pub(crate) async fn bind(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let failed = |source| ServerError::Bind { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok((listener, local))
}
