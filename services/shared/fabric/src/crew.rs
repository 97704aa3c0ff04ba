//! Work that any member of a crew may take: one durable consumer, items acknowledged one by one, in no order.
//!
//! For what has to be done once for each message of a stream, soon and by whoever is free. Where order matters, see
//! [`crate::work`]. Nothing is lost: an item that nobody settled is delivered again, to whoever is there then.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::ConsumerErrorKind;
use opentelemetry::KeyValue;

use crate::backoff::Backoff;
use crate::connection::Link;
use crate::fabric::{BrokerError, Fabric};
use crate::metrics;
use crate::ownership::Fence;
use crate::pull::{Manner, Pull};
use crate::record::Record;
use crate::subjects::Stream;
use crate::work::{ACK, NAK, PROGRESS, TERM};

/// Options of a [`Crew`]. Those marked * are settings of the durable consumer, shared by all members.
#[derive(Debug, Clone, Copy)]
pub struct CrewOptions {
    /// How long the broker waits for a sign of life of an item before it delivers it again. * 30 s.
    pub ack_wait: Duration,
    /// How many items may be un-acknowledged, those that wait for another try included. * 10,000.
    pub max_ack_pending: i64,
    /// Items pulled ahead by one member: what waits here is not in another member's hands.
    pub ahead: usize,
}

impl Default for CrewOptions {
    fn default() -> Self {
        Self { ack_wait: Duration::from_secs(30), max_ack_pending: 10_000, ahead: 16 }
    }
}

/// One member's hand in the work of a crew.
#[derive(Debug)]
pub struct Crew {
    fabric: Fabric,
    stream: Stream,
    stream_name: Arc<str>,
    config: pull::Config,
    ahead: usize,
    pull: Option<Pull>,
    backoff: Backoff,
    labels: [KeyValue; 2],
}

impl Crew {
    /// Joins the crew `name`, which works on what `filter` says of `stream`, from the beginning of the stream. The broker
    /// is asked when the first item is.
    pub fn join(fabric: &Fabric, stream: Stream, name: &str, filter: &str, options: CrewOptions) -> Self {
        let config = pull::Config {
            durable_name: Some(name.to_owned()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: options.ack_wait,
            max_ack_pending: options.max_ack_pending,
            filter_subject: filter.to_owned(),
            ..pull::Config::default()
        };
        let labels = [metrics::stream(stream.name()), KeyValue::new("reader", "crew")];
        Self {
            fabric: fabric.clone(),
            stream,
            stream_name: stream.name().into(),
            config,
            ahead: options.ahead,
            pull: None,
            backoff: Backoff::default(),
            labels,
        }
    }

    /// The next item. Waits while the broker is away; may be dropped and called again.
    pub async fn next(&mut self) -> CrewItem {
        loop {
            if self.pull.is_none() {
                match self.open().await {
                    Ok(pull) => self.pull = Some(pull),
                    Err(error) => {
                        let wait = self.backoff.next_wait();
                        let consumer = self.config.durable_name.as_deref();
                        tracing::warn!(consumer, %error, "a crew's work cannot be read, trying again");
                        tokio::time::sleep(wait).await;
                        continue;
                    }
                }
            }
            let pull = self.pull.as_mut().expect("just opened");
            match pull.next().await {
                Ok(message) => {
                    self.backoff = Backoff::default();
                    let Some(reply) = message.reply.as_ref().map(ToString::to_string) else { continue };
                    let Some((record, _)) = Record::delivered(&self.stream_name, message) else { continue };
                    self.fabric.metrics().read.add(1, &self.labels);
                    return CrewItem { record, reply, fabric: self.fabric.clone() };
                }
                Err(stop) => {
                    self.pull = None;
                    let labels = [self.labels[0].clone(), KeyValue::new("reason", stop.label())];
                    self.fabric.metrics().recreated.add(1, &labels);
                    tokio::time::sleep(self.backoff.next_wait()).await;
                }
            }
        }
    }

    async fn open(&self) -> Result<Pull, BrokerError> {
        self.fabric.wait_connected(None).await;
        let link: Link = *self.fabric.link().borrow();
        let name = self.config.durable_name.clone().unwrap_or_default();
        let context = self.fabric.jetstream();
        if let Err(error) = context.create_consumer_on_stream(self.config.clone(), self.stream.name()).await {
            let missing = matches!(error.kind(), ConsumerErrorKind::JetStream(source)
                if source.error_code() == ErrorCode::STREAM_NOT_FOUND);
            let hint = if missing { "; run `heliograph provision`" } else { "" };
            return Err(BrokerError::new(format!("set up consumer {name}{hint}"), error));
        }
        let manner = Manner {
            batch: self.ahead.max(1),
            expires: Duration::from_secs(5),
            heartbeat: Duration::from_secs(1),
            alone: false,
            fence: Fence::open(),
        };
        Pull::open(&self.fabric, link, &self.stream_name, &name, manner).await
    }

    /// Leaves: what was pulled ahead goes back at once.
    pub async fn leave(mut self) {
        let Some(pull) = self.pull.take() else { return };
        for message in pull.close().await {
            if let Some(reply) = message.reply {
                // What is lost with the connection is delivered again.
                let _ = self.fabric.client().publish(reply, NAK.into()).await;
            }
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), self.fabric.client().flush()).await;
    }
}

/// An item of a crew's work. Settle it; one that is dropped is delivered again when the broker misses it.
#[derive(Debug)]
pub struct CrewItem {
    record: Record,
    reply: String,
    fabric: Fabric,
}

impl CrewItem {
    /// The message.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// It is done. An acknowledgement that is lost means that it comes once more.
    pub async fn ack(self) {
        self.say(ACK.to_owned(), Some("ack")).await;
    }

    /// It is not to be delivered again: it has been buried, or is of no use.
    pub async fn term(self, reason: &str) {
        let reason = crate::envelope::one_line(reason);
        self.say(format!("{TERM} {reason}"), Some("term")).await;
    }

    /// Deliver it again after `delay`.
    pub async fn nak(self, delay: Duration) {
        self.say(format!(r#"{NAK} {{"delay":{}}}"#, delay.as_nanos()), Some("nak")).await;
    }

    /// Does `work` while telling the broker that the item is in good hands.
    pub async fn keep_alive<T>(&self, ack_wait: Duration, work: impl Future<Output = T>) -> T {
        let mut signs = tokio::time::interval(ack_wait / 3);
        signs.reset();
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = signs.tick() => self.say(PROGRESS.to_owned(), None).await,
            }
        }
    }

    async fn say(&self, word: String, outcome: Option<&'static str>) {
        if let Some(outcome) = outcome {
            self.fabric.metrics().acks.add(1, &[metrics::outcome(outcome)]);
        }
        // What is lost with the connection is delivered again.
        let _ = self.fabric.client().publish(self.reply.clone(), word.into()).await;
    }
}
