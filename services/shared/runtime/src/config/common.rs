//! The sections every target shares.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::values::{SecretUrl, duration, mask_option};

/// How to reach NATS.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct NatsSettings {
    /// One URL, or several of one cluster separated by commas.
    pub url: SecretUrl,
    /// The name the server shows for our connections.
    pub name: String,
    /// A `.creds` file with a user JWT and its NKey seed.
    pub credentials_file: Option<PathBuf>,
    /// User name, where the server wants one.
    pub user: Option<String>,
    /// Its password.
    #[serde(serialize_with = "mask_option")]
    pub password: Option<SecretString>,
}

impl Default for NatsSettings {
    fn default() -> Self {
        Self {
            url: SecretUrl::from("nats://127.0.0.1:4222"),
            name: "heliograph".to_owned(),
            credentials_file: None,
            user: None,
            password: None,
        }
    }
}

/// How to reach Redis.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisSettings {
    /// `redis://[user[:password]@]host[:port][/db]`
    pub url: SecretUrl,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self { url: SecretUrl::from("redis://127.0.0.1:6379") }
    }
}

/// Certificate and key of a server, and who may call it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// PEM file with the server's certificate chain, leaf first.
    pub cert_file: PathBuf,
    /// PEM file with its private key.
    pub key_file: PathBuf,
    /// PEM file with the authorities whose client certificates are accepted. When set, a client must show one.
    pub client_ca_file: Option<PathBuf>,
}

/// The HTTP server of a service.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// Where to listen. Port 0 takes a free one.
    pub addr: SocketAddr,
    /// Largest request body a handler reads, in bytes. Routes that take files raise it for themselves.
    pub body_limit: usize,
    /// Largest request head, in bytes.
    pub max_header_bytes: usize,
    /// From opening a connection, or from the first byte of a request, to its complete head.
    #[serde(with = "duration")]
    pub header_read_timeout: Duration,
    /// From the head of a request to the head of its response.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// How long a connection may rest between requests. Keep it above that of the load balancer in front, or the
    /// balancer will now and then send a request into a closing connection.
    #[serde(with = "duration")]
    pub idle_timeout: Duration,
    /// The base under which the world reaches this server: callbacks and links are made from it.
    pub public_base_url: Option<String>,
    /// TLS, where no proxy in front ends it.
    pub tls: Option<TlsSettings>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 8080)),
            body_limit: 1024 * 1024,
            max_header_bytes: 32 * 1024,
            header_read_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            public_base_url: None,
            tls: None,
        }
    }
}

/// The gRPC server of a service.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrpcSettings {
    /// Where to listen. Port 0 takes a free one.
    pub addr: SocketAddr,
    /// After this long (give or take a tenth) a connection is told to go away, so that load spreads to new replicas.
    #[serde(with = "duration")]
    pub max_connection_age: Duration,
    /// How long calls on such a connection may still run.
    #[serde(with = "duration")]
    pub max_connection_age_grace: Duration,
    /// How often the server pings a connection.
    #[serde(with = "duration")]
    pub keepalive_interval: Duration,
    /// How long it waits for the answer before it gives the connection up.
    #[serde(with = "duration")]
    pub keepalive_timeout: Duration,
    /// Calls in flight on one connection.
    pub max_concurrent_streams: u32,
    /// TLS; a client authority makes it mutual.
    pub tls: Option<TlsSettings>,
}

impl Default for GrpcSettings {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 9090)),
            max_connection_age: Duration::from_mins(30),
            max_connection_age_grace: Duration::from_mins(5),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            max_concurrent_streams: 1024,
            tls: None,
        }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line, for collectors.
    Json,
    /// For people.
    Text,
}

/// Logs, traces and metrics.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// gRPC endpoint of an OpenTelemetry collector, such as `http://otel-collector:4317`. Unset: no traces are made.
    pub otlp_endpoint: Option<String>,
    /// `service.name` of everything this process reports.
    pub service_name: String,
    /// Form of the log on standard error.
    pub log_format: LogFormat,
    /// Which log lines are written, in the syntax of `tracing`'s `EnvFilter`.
    pub log_filter: String,
    /// Whether to count anything: serves `/metrics`, and sends the same over OTLP where there is an endpoint.
    pub metrics: bool,
    /// Part of the traces started here that is kept, 0 to 1. A caller's decision is followed.
    #[serde(deserialize_with = "ratio")]
    pub sample_ratio: f64,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            service_name: "heliograph".to_owned(),
            log_format: LogFormat::Json,
            log_filter: "info,opentelemetry=warn".to_owned(),
            metrics: true,
            sample_ratio: 1.0,
        }
    }
}

fn ratio<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let ratio = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&ratio) {
        Ok(ratio)
    } else {
        Err(D::Error::custom("expected a number from 0 to 1"))
    }
}

/// How a process stops.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShutdownSettings {
    /// Seconds to keep serving after readiness has failed: endpoint removal races the signal in Kubernetes.
    pub drain_seconds: u64,
    /// Seconds for what is in hand, after no new work is taken, before it is cancelled.
    pub grace_seconds: u64,
}

impl Default for ShutdownSettings {
    fn default() -> Self {
        Self { drain_seconds: 5, grace_seconds: 20 }
    }
}

/// Where a channel's `ChannelService` answers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelEndpoint {
    /// gRPC URL, such as `http://sms:9090`.
    pub endpoint: String,
}
