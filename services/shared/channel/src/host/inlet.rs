//! The way in: events that a channel has read become durable, once, in order.

use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use heliograph_proto::v1::InboundEvent;
use tokio::time::Instant;

use super::{
    memory::Memory,
    metrics::Metrics,
    sink::{self, Sink, SinkError, Stored},
};
use crate::{Account, Handle, Reply};

/// Takes events in. Cheap to clone; a channel with routes of its own uses it as the host's ingress does.
#[derive(Clone)]
pub struct Inlet {
    sink: Arc<dyn Sink>,
    memory: Arc<dyn Memory>,
    metrics: Arc<Metrics>,
    deadline: Duration,
}

/// Why events are not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InletError {
    /// Not known to be durable.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// An id that came before with another body.
    #[error("this id was used before, with another body")]
    Conflict,
}

impl Inlet {
    pub(super) fn new(
        sink: Arc<dyn Sink>,
        memory: Arc<dyn Memory>,
        metrics: Arc<Metrics>,
        deadline: Duration,
    ) -> Self {
        Self { sink, memory, metrics, deadline }
    }

    /// Returns when all of `events` are durable: [`Stored::Before`] when every one of them had been before.
    ///
    /// Events of one address are stored one after the other; those of several addresses together.
    ///
    /// # Errors
    /// When one of them is not known to be durable; the others may be. Send all of them again.
    pub async fn accept(&self, tenant: &str, events: &[InboundEvent]) -> Result<Stored, InletError> {
        self.accept_from(tenant, events, None).await
    }

    /// The same for events read from `body`: an id that came before with another body is a conflict.
    ///
    /// # Errors
    /// As [`Inlet::accept`], or [`InletError::Conflict`].
    pub async fn accept_from(
        &self,
        tenant: &str,
        events: &[InboundEvent],
        body: Option<&[u8]>,
    ) -> Result<Stored, InletError> {
        let Some(first) = events.first() else { return Ok(Stored::New) };
        let body_id = body.map(|body| sink::body_id(&first.id, body));
        let ids: Vec<String> = events.iter().map(|event| event.id.clone()).chain(body_id).collect();
        let known = self.memory.recall(tenant, ids.clone()).await;
        let (known, body_known) = known.split_at(events.len().min(known.len()));
        if known.first() == Some(&true) && body_known.first() == Some(&false) {
            return Err(InletError::Conflict);
        }
        let fresh: Vec<&InboundEvent> = events
            .iter()
            .enumerate()
            .filter(|(at, _)| known.get(*at) != Some(&true))
            .map(|(_, event)| event)
            .collect();
        if fresh.is_empty() {
            return Ok(Stored::Before);
        }
        let deadline = Instant::now() + self.deadline;
        let stored = self.store(&fresh, deadline).await?;
        self.memory.remember(tenant, ids);
        Ok(if known.contains(&true) { Stored::New } else { stored })
    }

    /// Keeps the handles that came with events which are stored.
    pub(super) fn keep<S>(&self, account: &Account<S>, replies: Vec<Reply>) {
        if !replies.is_empty() {
            self.memory.keep(account.into(), replies);
        }
    }

    /// Keeps the handles of messages that are stored.
    pub(super) fn keep_handles<S>(&self, account: &Account<S>, handles: Vec<Handle>) {
        if !handles.is_empty() {
            self.memory.keep_handles(account.into(), handles);
        }
    }

    async fn store(&self, events: &[&InboundEvent], deadline: Instant) -> Result<Stored, SinkError> {
        if let [only] = events {
            return self.store_in_order(&[*only], deadline).await;
        }
        let mut lanes: Vec<(&str, Vec<&InboundEvent>)> = Vec::new();
        for event in events {
            let user = event.address.as_ref().map_or("", |address| address.user_id.as_str());
            match lanes.iter_mut().find(|(lane, _)| *lane == user) {
                Some((_, lane)) => lane.push(event),
                None => lanes.push((user, vec![event])),
            }
        }
        let stored = try_join_all(lanes.iter().map(|(_, lane)| self.store_in_order(lane, deadline))).await?;
        Ok(if stored.contains(&Stored::New) { Stored::New } else { Stored::Before })
    }

    async fn store_in_order(&self, lane: &[&InboundEvent], deadline: Instant) -> Result<Stored, SinkError> {
        let mut all = Stored::Before;
        for event in lane {
            if self.sink.store(event, deadline).await? == Stored::New {
                self.metrics.event(sink::kind(event));
                all = Stored::New;
            }
        }
        Ok(all)
    }
}
