//! How to reach the broker.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// What the broker is told about who we are. The tenant wall inside the broker is made of these.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// No credentials: development, or a broker that authenticates by TLS alone.
    #[default]
    None,
    /// User name and password.
    UserPassword {
        /// User name.
        user: String,
        /// Password.
        password: SecretString,
    },
    /// Seed of an NKey (`SU…`).
    NKey(SecretString),
    /// Bearer token.
    Token(SecretString),
    /// Path of a `.creds` file (JWT and seed).
    File(PathBuf),
    /// The text of a `.creds` file.
    Inline(SecretString),
}

/// Options of a [`Fabric`](crate::Fabric).
#[derive(Debug, Clone)]
pub struct Options {
    /// Broker URLs, `nats://host:port` or `tls://host:port`. Any of them may answer.
    pub urls: Vec<String>,
    /// Name of this client, as `nats server report connections` shows it.
    pub name: String,
    /// Who we are.
    pub credentials: Credentials,
    /// Extra certificate authority (PEM).
    pub ca_file: Option<PathBuf>,
    /// How long one request to the broker may take. 5 s.
    pub request_timeout: Duration,
    /// How often the broker is pinged, so that a dead one is noticed. 10 s.
    pub ping_interval: Duration,
    /// How long `connect` keeps trying before it gives up. 10 s.
    pub connect_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            urls: vec!["nats://127.0.0.1:4222".to_owned()],
            name: "heliograph".to_owned(),
            credentials: Credentials::None,
            ca_file: None,
            request_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(10),
            connect_within: Duration::from_secs(10),
        }
    }
}

impl Options {
    /// Options for one URL and a client name, everything else as by default.
    pub fn new(url: impl Into<String>, name: impl Into<String>) -> Self {
        Self { urls: vec![url.into()], name: name.into(), ..Self::default() }
    }
}
