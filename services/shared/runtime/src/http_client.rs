//! The one place where clients for outbound HTTP are made.
//!
//! They time out, follow no redirects, say who they are, read no more of an answer than they are told to, and keep URLs
//! (which hold tokens at some providers) out of errors. And they tell "never sent" from "sent, outcome unknown".

mod public;

pub use public::{NotPublic, is_public};

use std::{error::Error as _, path::PathBuf, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{IntoUrl, Method, RequestBuilder, Response, redirect::Policy};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{telemetry, tls};

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct HttpClientOptions {
    /// How long connecting may take, name resolution and TLS included.
    pub connect_timeout: Duration,
    /// From the start of a request to the end of its answer. A request may set its own.
    pub request_timeout: Duration,
    /// What the client says it is.
    pub user_agent: String,
    /// Whether requests carry our trace context. Third parties have no business with it.
    pub propagate_trace: bool,
    /// Connections kept open to one host while nothing is sent.
    pub pool_max_idle_per_host: usize,
    /// PEM file with an authority to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Reach public addresses alone: for URLs that tenants and third parties choose.
    pub public_only: bool,
}

impl Default for HttpClientOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(15),
            user_agent: concat!("heliograph/", env!("CARGO_PKG_VERSION")).to_owned(),
            propagate_trace: false,
            pool_max_idle_per_host: 32,
            ca_file: None,
            public_only: false,
        }
    }
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The authority's file cannot be read or used.
    #[error("cannot use the authority in {}: {reason}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The options or the system's certificates are refused.
    #[error("cannot make an HTTP client: {0}")]
    Refused(#[source] reqwest::Error),
}

/// What became of a request that has no answer. Messages never hold the URL.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It could not be put together: a bad URL, header or body. Trying again changes nothing.
    #[error("the request is not valid: {}", chain(.0))]
    Invalid(#[source] reqwest::Error),
    /// It never left: nobody was reached. Safe to send again.
    #[error("could not connect: {}", chain(.0))]
    NotSent(#[source] reqwest::Error),
    /// It left, wholly or in part, and no answer came. It may have taken effect.
    #[error("no answer: {}", chain(.0))]
    Unknown(#[source] reqwest::Error),
    /// The client may reach public addresses alone, and the host has none.
    #[error(transparent)]
    Refused(NotPublic),
}

impl SendError {
    /// Whether the request certainly had no effect.
    pub fn never_sent(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// Whether time ran out.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Invalid(error) | Self::NotSent(error) | Self::Unknown(error) => error.is_timeout(),
            Self::Refused(_) => false,
        }
    }

    fn classify(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(refused) = not_public(&error) {
            Self::Refused(refused)
        } else if error.is_builder() {
            Self::Invalid(error)
        } else if error.is_connect() {
            Self::NotSent(error)
        } else {
            Self::Unknown(error)
        }
    }
}

/// Our resolver's refusal, somewhere under what the client makes of it.
fn not_public(error: &reqwest::Error) -> Option<NotPublic> {
    let mut cause = error.source();
    while let Some(error) = cause {
        // An `io::Error` hands out its inner error's source and not the inner error itself.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(refused) = inner.and_then(|inner| inner.downcast_ref::<NotPublic>()) {
            return Some(*refused);
        }
        cause = error.source();
    }
    None
}

/// The innermost cause is what says something: "connection refused" under "error sending request".
fn chain(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = error.to_string();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}

/// Why the body of an answer cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than the caller wants to read.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The connection broke or time ran out.
    #[error("the answer broke off: {}", chain(.0))]
    Broken(#[source] reqwest::Error),
}

/// A client for outbound HTTP. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    propagate_trace: bool,
    public_only: bool,
}

impl HttpClient {
    /// Makes a client. Certificates are loaded here, so make few and clone them.
    pub fn new(options: &HttpClientOptions) -> Result<Self, ClientError> {
        tls::install_provider();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(options.connect_timeout)
            .timeout(options.request_timeout)
            .user_agent(&options.user_agent)
            .redirect(Policy::none())
            .referer(false)
            // The only resends are ours, decided where the outcome is known.
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(options.pool_max_idle_per_host)
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true);
        if options.public_only {
            // A proxy would resolve the name again, and connect to whatever it finds.
            builder = builder.dns_resolver(std::sync::Arc::new(public::PublicResolver)).no_proxy();
        }
        if let Some(path) = &options.ca_file {
            let failed = |reason: String| ClientError::Authority { path: path.clone(), reason };
            let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
            let authorities =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
            builder = builder.tls_certs_merge(authorities);
        }
        let client = builder.build().map_err(ClientError::Refused)?;
        Ok(Self { client, propagate_trace: options.propagate_trace, public_only: options.public_only })
    }

    /// Starts a request; finish it with [`send`](Self::send).
    pub fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Starts a GET.
    pub fn get(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// Starts a POST.
    pub fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Sends a request once and waits for the head of its answer, whatever its status.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, SendError> {
        let mut request = request.build().map_err(SendError::classify)?;
        if self.public_only {
            public::check_literal(request.url()).map_err(SendError::Refused)?;
        }
        if self.propagate_trace {
            telemetry::inject(&tracing::Span::current().context(), request.headers_mut());
        }
        self.client.execute(request).await.map_err(SendError::classify)
    }
}

/// Reads the body of an answer, up to `limit` bytes.
pub async fn read_body(mut response: Response, limit: usize) -> Result<Bytes, BodyError> {
    let too_large = || BodyError::TooLarge { limit };
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| BodyError::Broken(error.without_url()))? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
