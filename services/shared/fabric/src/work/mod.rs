//! Reading work: each item is acknowledged by itself, and order survives a change of owner.
//!
//! One durable consumer per (channel, partition) of HG_OUTBOUND. Items in hand are kept alive by progress
//! acknowledgements from one ticker per partition, so `ack_wait` can be as short as a takeover.
//!
//! What was in flight when an owner died, or a connection was lost, comes back only after `ack_wait`, behind newer items.
//! So a reader that was (re)established holds everything back until the broker counts no un-acknowledged item that it
//! has not in its hands; then it gives them out in the order of the stream.

mod consumer;
mod hands;
mod item;
mod pump;

pub(crate) use hands::{ACK, NAK, PROGRESS, TERM};
pub use item::{AckError, WorkItem};

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::fabric::{BrokerError, Fabric};
use crate::ownership::Fence;
use crate::subjects::{self, SubjectError};
use hands::Hands;
use pump::Pump;

/// Options of a [`WorkReader`]. Those marked * are settings of the durable consumer, shared by all who open it.
#[derive(Debug, Clone)]
pub struct WorkOptions {
    /// How long the broker waits for a sign of life of an item before it delivers it again. * 2 s.
    pub ack_wait: Duration,
    /// How many items of the partition may be un-acknowledged. * 1,024.
    pub max_ack_pending: usize,
    /// How often the broker delivers an item before it gives up and raises an advisory. * 25.
    pub max_deliver: i64,
    /// How long redeliveries are waited for, at most, before newer items are given out. 10 s.
    pub hold_limit: Duration,
    /// Ends every effect of this reader when the partition is lost.
    pub fence: Fence,
}

impl Default for WorkOptions {
    fn default() -> Self {
        Self {
            ack_wait: Duration::from_secs(2),
            max_ack_pending: 1024,
            max_deliver: 25,
            hold_limit: Duration::from_secs(10),
            fence: Fence::open(),
        }
    }
}

/// Why work cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Not a channel's name.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// HG_OUTBOUND is missing.
    #[error("stream HG_OUTBOUND does not exist; run `heliograph provision`")]
    NotProvisioned,
    /// The broker refused to set the consumer up.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The reader was closed, or the partition lost.
    #[error("the work reader is closed")]
    Closed,
}

/// Reads one partition of a channel's outbound work. Open it only as the partition's owner.
#[derive(Debug)]
pub struct WorkReader {
    items: mpsc::Receiver<WorkItem>,
    hands: Arc<Hands>,
    pump: Option<JoinHandle<()>>,
    stop: CancellationToken,
    _guard: DropGuard,
}

impl WorkReader {
    /// Opens a partition, creating its durable consumer when there is none. Waits while the broker is away.
    pub async fn open(
        fabric: &Fabric,
        channel: &str,
        partition: u16,
        options: WorkOptions,
    ) -> Result<Self, WorkError> {
        let filter = subjects::outbound_partition(channel, partition)?;
        let name = consumer_name(channel, partition);
        consumer::ensure(fabric, &name, &filter, &options).await?;
        let hands = Arc::new(Hands::new(fabric.clone(), options.fence.clone()));
        let stop = CancellationToken::new();
        // One item ahead: what waits in the channel cannot be put back in order.
        let (sender, items) = mpsc::channel(1);
        let pump = Pump::new(fabric.clone(), name, filter, options, hands.clone(), sender, stop.clone());
        let pump = Some(tokio::spawn(pump.run()));
        Ok(Self { items, hands, pump, stop: stop.clone(), _guard: stop.drop_guard() })
    }

    /// The next item, in the order of the stream except for what was given back. May be dropped and called again.
    pub async fn next(&mut self) -> Result<WorkItem, WorkError> {
        self.items.recv().await.ok_or(WorkError::Closed)
    }

    /// How many items are un-acknowledged in our hands.
    pub fn in_hand(&self) -> usize {
        self.hands.len()
    }

    /// Stops reading and gives everything that is not acknowledged back, so that the next owner has it at once.
    ///
    /// Settle what is in hand first: an item settled later may have gone to the next owner already.
    pub async fn close(mut self) {
        self.stop.cancel();
        self.items.close();
        while self.items.try_recv().map(WorkItem::forget).is_ok() {}
        if let Some(pump) = self.pump.take()
            && let Err(error) = pump.await
        {
            tracing::error!(%error, "a work reader ended badly");
        }
    }
}

/// Name of the durable consumer of a partition.
pub fn consumer_name(channel: &str, partition: u16) -> String {
    format!("egress-{channel}-{partition}")
}
