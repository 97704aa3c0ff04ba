//! Agents who answer at a steady pace on every channel, whatever happens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::task::JoinHandle;

use super::{cloud::Channel, ledger::Ledger};
use crate::agent::Agent;

/// The phase in which nobody writes any more.
const OVER: usize = usize::MAX;

/// Running traffic.
pub(super) struct Traffic {
    phase: Arc<AtomicUsize>,
    task: JoinHandle<anyhow::Result<()>>,
}

/// A channel's share.
struct Share {
    due: Instant,
    every: Duration,
    next: usize,
    /// Which agent has which conversation; they are answered in turn.
    conversations: Vec<(usize, String)>,
}

impl Traffic {
    pub(super) fn start(
        channels: &[&Channel],
        conversations: &[Vec<(usize, String)>],
        agents: Vec<Agent>,
        ledger: Ledger,
        phase: usize,
    ) -> Self {
        let begun = Instant::now();
        let shares = channels.iter().zip(conversations).map(|(channel, conversations)| Share {
            due: begun,
            every: Duration::from_secs(1) / channel.rate,
            next: 0,
            conversations: conversations.clone(),
        });
        let phase = Arc::new(AtomicUsize::new(phase));
        let task = tokio::spawn(write(shares.collect(), agents, ledger, Arc::clone(&phase)));
        Self { phase, task }
    }

    /// What is written from now on belongs to this phase. Fails when the traffic has ended by itself.
    pub(super) fn enter(&self, phase: usize) -> anyhow::Result<()> {
        anyhow::ensure!(!self.task.is_finished(), "an agent's session has ended");
        self.phase.store(phase, Ordering::Relaxed);
        Ok(())
    }

    /// Nobody writes any more; the agents, who are still online.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.phase.store(OVER, Ordering::Relaxed);
        self.task.await.context("the traffic's task panicked")?
    }
}

async fn write(
    mut shares: Vec<Share>,
    mut agents: Vec<Agent>,
    ledger: Ledger,
    phase: Arc<AtomicUsize>,
) -> anyhow::Result<()> {
    loop {
        let Some((channel, share)) = shares.iter_mut().enumerate().min_by_key(|(_, share)| share.due) else {
            return Ok(());
        };
        tokio::time::sleep_until(share.due.into()).await;
        let phase = phase.load(Ordering::Relaxed);
        if phase == OVER {
            return Ok(());
        }
        let (agent, conversation) = &share.conversations[share.next % share.conversations.len()];
        let n = ledger.give(channel, phase);
        agents[*agent].reply(conversation, n).await?;
        share.next += 1;
        share.due += share.every;
    }
}
