//! The desk's own configuration section, `desk`.

use std::time::Duration;

use heliograph_runtime::config::{duration, mask_option};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::error::DeskError;

/// Bytes a session secret has at least: as many as the signature it keys (RFC 7518, 3.2).
const SECRET_BYTES: usize = 32;

/// Settings of the desk.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskConfig {
    /// Signs session tokens, at least 32 bytes. The same on every replica. Unset: drawn at start, so that a restart
    /// ends every session and replicas do not know each other's.
    #[serde(serialize_with = "mask_option")]
    pub session_secret: Option<SecretString>,
    /// How long a session token is good for.
    #[serde(with = "duration")]
    pub session_ttl: Duration,
    /// Let people sign in with the passwords of `Agent` resources. For development.
    pub dev_users: bool,
    /// Tries to sign in per minute, for one login from one address.
    pub sign_ins_per_minute: u32,
    /// Origins besides the desk's own whose pages may open a WebSocket, such as `https://desk.example.com`.
    pub allowed_origins: Vec<String>,
    /// How often a client is to ping. One that is silent for three times as long is given up.
    #[serde(with = "duration")]
    pub ping: Duration,
    /// How often the routing log hears that a working agent is still there.
    #[serde(with = "duration")]
    pub heartbeat: Duration,
    /// How long after an agent's last session ended it may come back before the routing log is told.
    #[serde(with = "duration")]
    pub disconnect_grace: Duration,
    /// Most events replayed to a client that resumes; one that missed more gets a fresh state.
    pub resume_events: usize,
    /// Events of a tenant kept in memory for its sessions; those further behind read the stream themselves.
    pub ring_events: usize,
    /// How often routing is asked for a tenant's queues, and for the whole board while a supervisor watches it.
    #[serde(with = "duration")]
    pub board_every: Duration,
    /// Frames waiting for one client.
    pub send_queue: usize,
    /// How long a client's queue may stay full before it is closed.
    #[serde(with = "duration")]
    pub slow_client: Duration,
    /// How long one try to append a command may take; while the broker is away it is tried again.
    #[serde(with = "duration")]
    pub publish_deadline: Duration,
}

impl Default for DeskConfig {
    fn default() -> Self {
        Self {
            session_secret: None,
            session_ttl: Duration::from_hours(12),
            dev_users: false,
            sign_ins_per_minute: 10,
            allowed_origins: Vec::new(),
            ping: Duration::from_secs(20),
            heartbeat: Duration::from_secs(20),
            disconnect_grace: Duration::from_secs(5),
            resume_events: 10_000,
            ring_events: 4_096,
            board_every: Duration::from_secs(2),
            send_queue: 256,
            slow_client: Duration::from_secs(15),
            publish_deadline: Duration::from_secs(5),
        }
    }
}

impl DeskConfig {
    /// Refuses what cannot work.
    pub(crate) fn check(&self) -> Result<(), DeskError> {
        if let Some(secret) = &self.session_secret
            && secret.expose_secret().len() < SECRET_BYTES
        {
            return Err(DeskError::Config("desk.session_secret: at least 32 bytes".to_owned()));
        }
        let spans = [("ping", self.ping), ("heartbeat", self.heartbeat), ("board_every", self.board_every)];
        for (key, span) in spans {
            if span.is_zero() {
                return Err(DeskError::Config(format!("desk.{key}: more than 0")));
            }
        }
        for (key, count) in [("ring_events", self.ring_events), ("send_queue", self.send_queue)] {
            if count == 0 {
                return Err(DeskError::Config(format!("desk.{key}: at least 1")));
            }
        }
        if self.sign_ins_per_minute == 0 {
            return Err(DeskError::Config("desk.sign_ins_per_minute: at least 1".to_owned()));
        }
        Ok(())
    }
}
