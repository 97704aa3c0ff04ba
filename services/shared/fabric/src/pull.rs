//! Pulling from a consumer, with every way it can fall silent made visible.
//!
//! The client library's own streams hide reconnects and cannot be drained, and both readers need to know about the first
//! and do the second: a message that is lost on its way, or left in a buffer, comes back late and out of order.

use std::time::Duration;

use async_nats::{Client, Message, StatusCode, Subscriber};
use futures::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::connection::Link;
use crate::fabric::{BrokerError, Fabric};
use crate::ownership::Fence;

/// Silence after which a pull is taken for dead: at least three heartbeats missed.
const SILENCE: Duration = Duration::from_millis(3200);

/// How to pull.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// Messages pulled ahead.
    pub(crate) batch: usize,
    /// How long one pull request waits at the broker.
    pub(crate) expires: Duration,
    /// How often the broker says that a waiting pull is alive.
    pub(crate) heartbeat: Duration,
    /// Never two requests at once, for a consumer that allows one (`max_waiting` 1).
    pub(crate) alone: bool,
    /// Ask for nothing once this has fallen.
    pub(crate) fence: Fence,
}

/// Why pulling stopped. All of them are answered by setting the consumer up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The connection was lost, and what was under way on it.
    Disconnected,
    /// Nothing was heard, not even heartbeats.
    Silent,
    /// Somebody else's pull is waiting where only one may.
    Busy,
    /// The partition is not ours any more.
    Fenced,
    /// The broker ended it: the consumer is gone or its leader moves.
    Ended(String),
}

impl Stop {
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Silent => "silent",
            Self::Busy => "busy",
            Self::Fenced => "fenced",
            Self::Ended(_) => "ended",
        }
    }
}

/// A standing pull on one consumer.
#[derive(Debug)]
pub(crate) struct Pull {
    client: Client,
    subject: String,
    inbox: String,
    subscriber: Subscriber,
    link: watch::Receiver<Link>,
    losses: u64,
    manner: Manner,
    /// Messages the broker may still send for the pulls that wait.
    outstanding: usize,
    /// Since when nothing at all was heard.
    silent_since: Option<Instant>,
}

impl Pull {
    /// Starts pulling from `consumer` of `stream`.
    ///
    /// `link` is the link's state from before the consumer was looked at, so that a loss in between is not missed.
    pub(crate) async fn open(
        fabric: &Fabric,
        link: Link,
        stream: &str,
        consumer: &str,
        manner: Manner,
    ) -> Result<Self, BrokerError> {
        let client = fabric.client().clone();
        let inbox = client.new_inbox();
        let subscriber = client
            .subscribe(inbox.clone())
            .await
            .map_err(|source| BrokerError::new(format!("subscribe for consumer {consumer}"), source))?;
        Ok(Self {
            client,
            subject: format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            inbox,
            subscriber,
            link: fabric.link(),
            losses: link.losses,
            manner,
            outstanding: 0,
            silent_since: None,
        })
    }

    /// The next message. May be dropped and called again at any await.
    pub(crate) async fn next(&mut self) -> Result<Message, Stop> {
        loop {
            if self.link.borrow().losses != self.losses {
                return Err(Stop::Disconnected);
            }
            let low = if self.manner.alone { 0 } else { self.manner.batch / 2 };
            if self.outstanding <= low {
                self.request().await?;
            }
            let ready = self.subscriber.next().now_or_never();
            let message = if let Some(message) = ready {
                message
            } else {
                let since = *self.silent_since.get_or_insert_with(Instant::now);
                let losses = self.losses;
                tokio::select! {
                    biased;
                    message = self.subscriber.next() => message,
                    _ = self.link.wait_for(|link| link.losses != losses) => return Err(Stop::Disconnected),
                    () = tokio::time::sleep_until(since + SILENCE) => return Err(Stop::Silent),
                }
            };
            self.silent_since = None;
            let message = message.ok_or(Stop::Disconnected)?;
            if let Some(message) = self.sort(message)? {
                return Ok(message);
            }
        }
    }

    /// Stops pulling and returns what had arrived or was on its way. Nothing is delivered to us afterwards.
    pub(crate) async fn close(mut self) -> Vec<Message> {
        // Unsubscribing is confirmed by a flush, so the stream ends after the last message the broker sent.
        if self.link.borrow().losses != self.losses || self.subscriber.drain().await.is_err() {
            return Vec::new();
        }
        let mut rest = Vec::new();
        let drained = async {
            while let Some(message) = self.subscriber.next().await {
                if message.status.is_none() {
                    rest.push(message);
                }
            }
        };
        // A broker that went away in between does not end the stream.
        let _ = tokio::time::timeout(Duration::from_millis(500), drained).await;
        rest
    }

    /// What had arrived before pulling stopped.
    pub(crate) fn arrived(&mut self) -> Vec<Message> {
        let ready = std::iter::from_fn(|| self.subscriber.next().now_or_never().flatten());
        ready.filter(|message| message.status.is_none()).collect()
    }

    async fn request(&mut self) -> Result<(), Stop> {
        if self.manner.fence.check().is_err() {
            return Err(Stop::Fenced);
        }
        let Manner { batch, expires, heartbeat, .. } = self.manner;
        let batch = batch - self.outstanding;
        let request = format!(
            r#"{{"batch":{batch},"expires":{},"idle_heartbeat":{}}}"#,
            expires.as_nanos(),
            heartbeat.as_nanos()
        );
        let sent =
            self.client.publish_with_reply(self.subject.clone(), self.inbox.clone(), request.into()).await;
        sent.map_err(|error| Stop::Ended(error.to_string()))?;
        self.outstanding += batch;
        Ok(())
    }

    /// Tells messages from the broker's statuses.
    fn sort(&mut self, message: Message) -> Result<Option<Message>, Stop> {
        let description = || message.description.clone().unwrap_or_default();
        match message.status {
            None | Some(StatusCode::OK) => {
                self.outstanding = self.outstanding.saturating_sub(1);
                Ok(Some(message))
            }
            Some(StatusCode::IDLE_HEARTBEAT) => Ok(None),
            // A pull that expired, or was cut short, says how many messages it still had to come.
            Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => {
                self.settle(&message);
                Ok(None)
            }
            Some(StatusCode::REQUEST_TERMINATED) if description().starts_with("Batch Completed") => {
                self.settle(&message);
                Ok(None)
            }
            Some(StatusCode::REQUEST_TERMINATED) if description() == "Exceeded MaxWaiting" => Err(Stop::Busy),
            Some(status) => Err(Stop::Ended(format!("{status} {}", description()))),
        }
    }

    fn settle(&mut self, status: &Message) {
        let left = status.headers.as_ref().and_then(|headers| headers.get("Nats-Pending-Messages"));
        let left = left.and_then(|left| left.as_str().parse().ok()).unwrap_or(self.outstanding);
        // Of requests that never overlap, nothing is outstanding when one has ended.
        let left = if self.manner.alone { self.outstanding } else { left };
        self.outstanding = self.outstanding.saturating_sub(left);
    }
}
