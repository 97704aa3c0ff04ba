//! Questions to whoever owns a partition, and their answers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use heliograph_fabric::{Bytes, async_nats::Message};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::ground::SimGround;
use super::node::Node;

/// Who listens under which subject, and who waits for an answer in which inbox.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    listeners: Vec<(String, Arc<Node>, mpsc::UnboundedSender<Message>)>,
    inboxes: Vec<(String, oneshot::Sender<Bytes>)>,
    asked: u64,
}

/// What one machine is asked under one subject.
#[derive(Debug)]
pub(super) struct Questions(mpsc::UnboundedReceiver<Message>);

impl Questions {
    #[expect(clippy::disallowed_methods, reason = "a world ends before its questions are many")]
    pub(super) fn at(ground: &SimGround, subject: String) -> Self {
        let (sender, questions) = mpsc::unbounded_channel();
        let listener = (subject, Arc::clone(&ground.node), sender);
        ground.world.inner().exchange.listeners.push(listener);
        Self(questions)
    }
}

impl Stream for Questions {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.0.poll_recv(cx)
    }
}

/// Asks whoever listens; the first answer, if there is one in time.
pub(super) async fn ask(ground: &SimGround, subject: &str, payload: Bytes) -> Option<Bytes> {
    let (tell, told) = oneshot::channel();
    {
        let mut inner = ground.world.inner();
        let exchange = &mut inner.exchange;
        exchange.listeners.retain(|(_, node, sender)| !sender.is_closed() && !node.is_dead());
        exchange.asked += 1;
        let inbox = format!("inbox.{}", exchange.asked);
        let listeners = exchange.listeners.clone();
        exchange.inboxes.push((inbox.clone(), tell));
        for (_, node, sender) in listeners.into_iter().filter(|(at, ..)| at == subject) {
            let takes = inner.network.millis(2, 20);
            let message = Message {
                subject: subject.into(),
                reply: Some(inbox.as_str().into()),
                payload: payload.clone(),
                headers: None,
                status: None,
                description: None,
                length: payload.len(),
            };
            tokio::spawn(async move {
                sleep(takes).await;
                if node.link.is_connected() {
                    let _ = sender.send(message);
                }
            });
        }
    }
    timeout(Duration::from_secs(2), told).await.ok()?.ok()
}

/// Sends an answer, which may be lost.
pub(super) fn answer(ground: &SimGround, to: &str, payload: Bytes) {
    if !ground.node.link.is_connected() {
        return;
    }
    let takes = ground.world.inner().network.millis(2, 20);
    let (world, to) = (Arc::clone(&ground.world), to.to_owned());
    tokio::spawn(async move {
        sleep(takes).await;
        let mut inner = world.inner();
        let inboxes = &mut inner.exchange.inboxes;
        if let Some(at) = inboxes.iter().position(|(inbox, _)| *inbox == to) {
            let _ = inboxes.swap_remove(at).1.send(payload);
        }
    });
}
