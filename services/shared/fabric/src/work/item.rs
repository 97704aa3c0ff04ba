//! One piece of work in our hands.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Request;
use tokio::time::Instant;

use super::hands::{ACK, Hands, NAK, TERM};
use crate::backoff::Backoff;
use crate::metrics;
use crate::ownership::Lost;
use crate::record::Record;

/// How long an acknowledgement is tried. Longer than a broker's restart; the partition is lost before that anyway.
const TRY_FOR: Duration = Duration::from_secs(30);

/// Why an item is not settled. It will be delivered again, perhaps to another owner.
#[derive(Debug, thiserror::Error)]
pub enum AckError {
    /// The partition is somebody else's.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The broker did not confirm.
    #[error("the broker did not confirm the acknowledgement of item {seq}")]
    Away {
        /// The item's sequence in the stream.
        seq: u64,
    },
}

/// An item of work. Settle it by [`ack`](Self::ack), [`term`](Self::term) or [`nak`](Self::nak); dropped unsettled, it
/// is delivered again.
#[derive(Debug)]
pub struct WorkItem {
    record: Option<Record>,
    hands: Arc<Hands>,
}

impl WorkItem {
    pub(super) fn new(record: Record, hands: Arc<Hands>) -> Self {
        Self { record: Some(record), hands }
    }

    /// The message.
    ///
    /// # Panics
    /// Never: an item has its message until it is settled, which consumes it.
    pub fn record(&self) -> &Record {
        self.record.as_ref().expect("unsettled")
    }

    /// Its sequence in the stream.
    pub fn seq(&self) -> u64 {
        self.record().seq
    }

    /// How often it has been delivered, this time included.
    pub fn delivered(&self) -> u64 {
        self.record().delivered
    }

    /// It is done. Returns when the broker has confirmed; tries again while the partition is ours.
    pub async fn ack(mut self) -> Result<(), AckError> {
        self.settle(ACK.to_owned(), "ack").await
    }

    /// It is not to be delivered again: it has been buried, or is of no use. As [`ack`](Self::ack) otherwise.
    pub async fn term(mut self, reason: &str) -> Result<(), AckError> {
        let reason = crate::envelope::one_line(reason);
        self.settle(format!("{TERM} {reason}"), "term").await
    }

    /// Deliver it again after `delay`. Newer items overtake it, and a new owner waits for it up to its hold limit: where
    /// order matters, keep the item and try again instead.
    pub async fn nak(mut self, delay: Duration) {
        let Some(record) = self.record.take() else { return };
        self.hands.fabric.metrics().acks.add(1, &[metrics::outcome("nak")]);
        if let Some(reply) = self.hands.give_back(record.seq) {
            self.hands.say(reply, format!(r#"{NAK} {{"delay":{}}}"#, delay.as_nanos())).await;
        }
    }

    /// Leaves the item in our hands, for the reader to give back.
    pub(super) fn forget(mut self) {
        self.record = None;
    }

    async fn settle(&mut self, word: String, outcome: &'static str) -> Result<(), AckError> {
        let seq = self.record().seq;
        let hands = self.hands.clone();
        let deadline = Instant::now() + TRY_FOR;
        let mut backoff = Backoff::default();
        loop {
            hands.fence.check()?;
            // Redelivery may have changed where the answer goes.
            let Some(reply) = hands.answer(seq) else {
                self.record = None;
                return Err(AckError::Away { seq });
            };
            if confirm(&hands, reply, &word, deadline).await {
                hands.settle(seq);
                hands.fabric.metrics().acks.add(1, &[metrics::outcome(outcome)]);
                self.record = None;
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(AckError::Away { seq });
            }
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }
}

/// Says `word` and waits for the broker's confirmation.
async fn confirm(hands: &Hands, reply: String, word: &str, deadline: Instant) -> bool {
    if !hands.fabric.wait_connected(Some(deadline)).await {
        return false;
    }
    let mut link = hands.fabric.link();
    let losses = link.borrow().losses;
    let request = Request::new().payload(word.to_owned().into()).timeout(Some(Duration::from_secs(2)));
    tokio::select! {
        answer = hands.fabric.client().send_request(reply, request) => answer.is_ok(),
        _ = link.wait_for(|link| link.losses != losses) => false,
    }
}

impl Drop for WorkItem {
    fn drop(&mut self) {
        let Some(record) = self.record.take() else { return };
        // Left in our hands it would be kept alive for ever and never be worked on.
        if let Some(reply) = self.hands.give_back(record.seq)
            && self.hands.fence.check().is_ok()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let hands = self.hands.clone();
            runtime.spawn(async move { hands.say(reply, NAK).await });
        }
    }
}
