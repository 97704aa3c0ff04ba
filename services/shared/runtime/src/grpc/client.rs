//! Channels to other services.

use std::{error::Error as _, path::PathBuf, time::Duration};

use tonic::{
    Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{telemetry::inject_metadata, tls};

/// A channel that connects when first used, reconnects by itself, and carries trace context and deadline with each
/// call. Cheap to clone.
pub type GrpcChannel = InterceptedService<Channel, CallContext>;

/// Why a channel cannot be made. Whether the other side answers shows only when it is called.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// Not `http://host:port` or `https://host:port`.
    #[error("`{endpoint}` is not a gRPC endpoint: expected http://host:port or https://host:port")]
    Endpoint {
        /// What was given.
        endpoint: String,
    },
    /// Its authority cannot be read or used.
    #[error("cannot use the authority for {endpoint}: {reason}")]
    Authority {
        /// The endpoint.
        endpoint: String,
        /// Why.
        reason: String,
    },
}

/// How a channel behaves.
#[derive(Clone, Debug)]
pub struct ChannelOptions {
    /// How long connecting may take: addresses of pods that are gone swallow packets silently.
    pub connect_timeout: Duration,
    /// How often the connection is pinged, idle or not.
    pub keepalive_interval: Duration,
    /// How long the answer to a ping may take.
    pub keepalive_timeout: Duration,
    /// The deadline of every call that sets none. `None` for channels that carry endless streams.
    pub deadline: Option<Duration>,
    /// PEM file with the authority of an `https` endpoint, where it is not a public one.
    pub ca_file: Option<PathBuf>,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            deadline: Some(Duration::from_secs(30)),
            ca_file: None,
        }
    }
}

/// A channel to `endpoint` with the usual options. Call it inside the runtime.
pub fn channel(endpoint: &str) -> Result<GrpcChannel, ChannelError> {
    channel_with(endpoint, &ChannelOptions::default())
}

/// A channel to `endpoint`. Call it inside the runtime.
pub fn channel_with(endpoint: &str, options: &ChannelOptions) -> Result<GrpcChannel, ChannelError> {
    let invalid = || ChannelError::Endpoint { endpoint: endpoint.to_owned() };
    let mut target = Endpoint::from_shared(endpoint.to_owned()).map_err(|_| invalid())?;
    if target.uri().host().is_none() || !matches!(target.uri().scheme_str(), Some("http" | "https")) {
        return Err(invalid());
    }
    if target.uri().scheme_str() == Some("https") {
        tls::install_provider();
        let authority = |reason: String| ChannelError::Authority { endpoint: endpoint.to_owned(), reason };
        let mut config = ClientTlsConfig::new();
        config = match &options.ca_file {
            Some(path) => {
                let pem =
                    std::fs::read(path).map_err(|error| authority(format!("{}: {error}", path.display())))?;
                config.ca_certificate(Certificate::from_pem(pem))
            }
            None => config.with_enabled_roots(),
        };
        target = target.tls_config(config).map_err(|error| authority(error.to_string()))?;
    }
    let target = target
        .connect_timeout(options.connect_timeout)
        .http2_keep_alive_interval(options.keepalive_interval)
        .keep_alive_timeout(options.keepalive_timeout)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true);
    Ok(InterceptedService::new(target.connect_lazy(), CallContext { deadline: options.deadline }))
}

/// Puts trace context and deadline on a call.
#[derive(Clone, Debug)]
pub struct CallContext {
    deadline: Option<Duration>,
}

impl Interceptor for CallContext {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(deadline) = self.deadline
            && !request.metadata().contains_key("grpc-timeout")
        {
            request.set_timeout(deadline);
        }
        let span = tracing::Span::current();
        if !span.is_disabled() {
            inject_metadata(&span.context(), request.metadata_mut());
        }
        Ok(request)
    }
}

/// Whether a failed call certainly never reached the other side: nobody was reached, or the connection ended before the
/// call was written to it (as happens when a call meets the end of a connection's age). Safe to make again, whatever
/// the call does.
pub fn never_sent(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        let unsent = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled);
        if unsent || error.is::<tonic::ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
