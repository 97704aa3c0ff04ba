//! The link to the broker: connecting, and knowing whether it is up.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event};
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::metrics::Metrics;
use crate::options::{Credentials, Options};

/// How often the link is compared with the client's own view, because events may be dropped when many arrive at once.
const RECONCILE_EVERY: Duration = Duration::from_millis(250);

/// Whether the broker can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// True while connected.
    pub connected: bool,
    /// Counts losses of the connection. What was in flight under an older generation may be lost.
    pub losses: u64,
}

/// Why no connection could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The broker did not answer in time.
    #[error(
        "cannot reach NATS at {urls} within {within:?}; is nats-server running there, and may this host connect?"
    )]
    Unreachable {
        /// Where it was looked for, without credentials.
        urls: String,
        /// How long it was tried.
        within: Duration,
        /// What the last try met.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The broker answered and refused our credentials.
    #[error("NATS at {urls} refused the credentials of client {name:?}")]
    Refused {
        /// Where.
        urls: String,
        /// The client's name.
        name: String,
        /// What the broker said.
        #[source]
        source: async_nats::ConnectError,
    },
    /// A credentials file or text that cannot be used.
    #[error("NATS credentials cannot be used")]
    Credentials(#[source] std::io::Error),
}

/// Connects, trying again until the deadline of the options, and keeps the link's state up to date from then on.
pub(crate) async fn connect(
    options: &Options,
    metrics: &Arc<Metrics>,
) -> Result<(Client, watch::Receiver<Link>), ConnectError> {
    let deadline = Instant::now() + options.connect_within;
    let (sender, link) = watch::channel(Link { connected: false, losses: 0 });
    let sender = Arc::new(sender);
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
    let client = loop {
        let attempt = connect_options(options, metrics, &sender).await?;
        match attempt.connect(options.urls.clone()).await {
            Ok(client) => break client,
            Err(source) => {
                let refused = matches!(
                    source.kind(),
                    async_nats::ConnectErrorKind::Authentication
                        | async_nats::ConnectErrorKind::AuthorizationViolation
                );
                let urls = without_credentials(&options.urls);
                if refused {
                    return Err(ConnectError::Refused { urls, name: options.name.clone(), source });
                }
                let wait = backoff.next_wait();
                if Instant::now() + wait >= deadline {
                    let within = options.connect_within;
                    return Err(ConnectError::Unreachable { urls, within, source });
                }
                tracing::info!(%urls, error = %source, "NATS is not there yet, trying again");
                tokio::time::sleep(wait).await;
            }
        }
    };
    set(&sender, true);
    tokio::spawn(reconcile(client.clone(), Arc::downgrade(&sender)));
    Ok((client, link))
}

async fn connect_options(
    options: &Options,
    metrics: &Arc<Metrics>,
    sender: &Arc<watch::Sender<Link>>,
) -> Result<ConnectOptions, ConnectError> {
    let (metrics, sender, name) = (metrics.clone(), sender.clone(), options.name.clone());
    let connect = ConnectOptions::new()
        .name(&options.name)
        .request_timeout(Some(options.request_timeout))
        .ping_interval(options.ping_interval)
        .connection_timeout(options.request_timeout)
        .reconnect_delay_callback(reconnect_delay)
        .event_callback(move |event| {
            observe(&event, &metrics, &sender, &name);
            std::future::ready(())
        });
    let connect = match &options.ca_file {
        Some(path) => connect.add_root_certificates(path.clone()),
        None => connect,
    };
    match &options.credentials {
        Credentials::None => Ok(connect),
        Credentials::UserPassword { user, password } => {
            Ok(connect.user_and_password(user.clone(), password.expose_secret().to_owned()))
        }
        Credentials::NKey(seed) => Ok(connect.nkey(seed.expose_secret().to_owned())),
        Credentials::Token(token) => Ok(connect.token(token.expose_secret().to_owned())),
        Credentials::File(path) => connect.credentials_file(path).await.map_err(ConnectError::Credentials),
        Credentials::Inline(text) => {
            connect.credentials(text.expose_secret()).map_err(ConnectError::Credentials)
        }
    }
}

/// Fast at first, because a broker that restarts is back within a second and every partition waits for it.
fn reconnect_delay(attempts: usize) -> Duration {
    let step = Duration::from_millis(20).saturating_mul(1 << attempts.min(6));
    step.min(Duration::from_secs(1)).mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

fn observe(event: &Event, metrics: &Metrics, sender: &watch::Sender<Link>, name: &str) {
    match event {
        Event::Connected => {
            tracing::info!(client = name, "connected to NATS");
            set(sender, true);
        }
        Event::Disconnected => {
            tracing::warn!(client = name, "NATS connection lost, reconnecting");
            set(sender, false);
        }
        Event::SlowConsumer(subscription) => {
            metrics.slow_consumers.add(1, &[]);
            tracing::error!(
                client = name,
                subscription,
                "slow consumer: the client dropped messages, readers will re-read them"
            );
        }
        Event::LameDuckMode => tracing::warn!(client = name, "NATS server is about to shut down"),
        Event::ServerError(error) => tracing::warn!(client = name, %error, "NATS server error"),
        Event::ClientError(error) => tracing::warn!(client = name, %error, "NATS client error"),
        Event::Draining | Event::Closed => set(sender, false),
    }
}

fn set(sender: &watch::Sender<Link>, connected: bool) {
    sender.send_if_modified(|link| {
        let changed = link.connected != connected;
        if changed && !connected {
            link.losses += 1;
        }
        link.connected = connected;
        changed
    });
}

async fn reconcile(client: Client, sender: std::sync::Weak<watch::Sender<Link>>) {
    let mut ticks = tokio::time::interval(RECONCILE_EVERY);
    let mut since: Option<bool> = None;
    loop {
        ticks.tick().await;
        let Some(sender) = sender.upgrade() else { return };
        if sender.is_closed() {
            return;
        }
        let connected = client.connection_state() == async_nats::connection::State::Connected;
        // Only a view that held for a whole tick overrules the events, which may still be on their way.
        if since == Some(connected) {
            set(&sender, connected);
        }
        since = Some(connected);
    }
}

/// The URLs without user and password, for errors and logs.
fn without_credentials(urls: &[String]) -> String {
    let bare = urls.iter().map(|url| match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://{}", &url[..scheme], &url[at + 1..]),
        (None, Some(at)) => url[at + 1..].to_owned(),
        _ => url.clone(),
    });
    bare.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn errors_name_the_broker_without_its_password() {
        let urls = ["nats://user:p@ss@one:4222".to_owned(), "me:secret@two".to_owned(), "three:1".to_owned()];
        assert_eq!(without_credentials(&urls), "nats://one:4222, two, three:1");
    }
}
