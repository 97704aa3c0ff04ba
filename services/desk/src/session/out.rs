//! The bounded queue towards the client.

use std::time::Duration;

use heliograph_proto::v1::{SessionResponse, session_response::Frame};
use tokio::sync::mpsc;

use super::End;

/// Sends frames; a client that leaves its queue full for too long is given up. The queue ends with the session's own.
#[derive(Debug, Clone)]
pub(super) struct Out {
    queue: mpsc::Sender<SessionResponse>,
    patience: Duration,
}

impl Out {
    pub(super) fn new(queue: mpsc::Sender<SessionResponse>, patience: Duration) -> Self {
        Self { queue, patience }
    }

    /// Queues a frame; waits for room.
    pub(super) async fn send(&self, frame: Frame) -> Result<(), End> {
        let response = SessionResponse { frame: Some(frame) };
        match self.queue.send_timeout(response, self.patience).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(End::Left),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(End::Slow),
        }
    }

    /// The same client, for work that does not keep the session open.
    pub(super) fn aside(&self) -> Aside {
        Aside { queue: self.queue.downgrade(), patience: self.patience }
    }

    /// Queues the last frame if there is room.
    pub(super) fn last(&self, response: SessionResponse) {
        // Without room, or without a client, the close code says the same.
        let _ = self.queue.try_send(response);
    }

    /// Completes when the client's side of the queue is gone.
    pub(super) async fn closed(&self) {
        self.queue.closed().await;
    }
}

/// A way to the client for what may outlive the session: it does not keep the queue open.
#[derive(Debug, Clone)]
pub(super) struct Aside {
    queue: mpsc::WeakSender<SessionResponse>,
    patience: Duration,
}

impl Aside {
    /// Queues a frame if the session is still there; waits for room.
    pub(super) async fn send(&self, frame: Frame) -> Result<(), End> {
        let queue = self.queue.upgrade().ok_or(End::Left)?;
        Out::new(queue, self.patience).send(frame).await
    }
}
