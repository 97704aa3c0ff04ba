//! A member's sign of life.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use tokio::time::Instant;

use super::OwnershipOptions;
use super::fence::Validity;
use super::view::MemberValue;
use crate::ground::{Broker, Ground};
use crate::kv::{self, CasError};
use crate::subjects::Bucket;

/// How long the tombstone of a member that left is kept.
const TOMBSTONE: &str = "60s";

/// Keys of one group in HG_LEASES.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) group: String,
}

impl Keys {
    pub(super) fn member(&self, session: &str) -> String {
        format!("member.{}.{session}", self.group)
    }

    pub(super) fn lease(&self, partition: u16) -> String {
        format!("lease.{}.{partition}", self.group)
    }
}

/// A member key that we keep fresh. The session is over when it cannot be, and never comes back: a new one begins.
#[derive(Debug)]
pub(super) struct Session<G> {
    pub(super) id: String,
    pub(super) validity: Arc<Validity>,
    ground: G,
    key: String,
    options: OwnershipOptions,
    revision: u64,
}

impl<G: Ground> Session<G> {
    /// Writes a new member key. The name ends in a random part, so that two processes with one name cannot meet.
    pub(super) async fn begin(
        ground: &G,
        keys: &Keys,
        member: &str,
        options: OwnershipOptions,
    ) -> Result<Self, CasError> {
        let id = format!("{member}-{:08x}", ground.draw() >> 32);
        let key = keys.member(&id);
        let sent = Instant::now();
        let revision = swap(ground, &key, Some(value(false)), 0, sent + options.valid_for).await?;
        let validity = Arc::new(Validity::until(sent + options.valid_for));
        Ok(Self { id, validity, ground: ground.clone(), key, options, revision })
    }

    /// Keeps the key fresh until the session is over. `draining` is asked before every heartbeat.
    pub(super) async fn keep(mut self, draining: tokio::sync::watch::Receiver<bool>) -> Self {
        let mut draining = draining;
        let mut told = false;
        loop {
            let now = Instant::now();
            if !self.validity.holds() {
                break;
            }
            // A shutdown is told at once, so that others compute their shares without us.
            let next = now + self.options.heartbeat;
            let next = next.min(self.validity.ends());
            let over = self.validity.over.clone();
            tokio::select! {
                biased;
                () = over.cancelled() => break,
                changed = draining.changed(), if !told => told = changed.is_err() || *draining.borrow(),
                () = tokio::time::sleep_until(next) => {}
            }
            let leaving = *draining.borrow();
            if !self.beat(leaving).await {
                break;
            }
        }
        self.validity.over.cancel();
        self
    }

    /// One heartbeat, tried until the session ends. False when it is over.
    async fn beat(&mut self, draining: bool) -> bool {
        loop {
            let sent = Instant::now();
            let ends = self.validity.ends();
            if sent >= ends || self.validity.over.is_cancelled() {
                return false;
            }
            let write = swap(&self.ground, &self.key, Some(value(draining)), self.revision, ends);
            match write.await {
                Ok(revision) => {
                    self.revision = revision;
                    self.validity.extend(sent + self.options.valid_for);
                    return self.validity.holds();
                }
                Err(CasError::Refused { source, .. }) => {
                    tracing::warn!(key = self.key, error = %source, "heartbeat refused");
                }
                // Either an earlier try of ours was stored after all, or somebody took us for dead.
                Err(CasError::Conflict { .. } | CasError::Unknown { .. }) => {
                    let read = self.ground.read_key(Bucket::Leases, &self.key);
                    if let Ok(Ok(found)) = tokio::time::timeout_at(ends, read).await {
                        if found.value.is_none() {
                            tracing::warn!(key = self.key, "this member was taken for dead");
                            return false;
                        }
                        self.revision = found.revision;
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Deletes the key, so that nobody has to wait for its silence. Call when nothing of this session runs any more.
    pub(super) async fn end(mut self) {
        self.validity.over.cancel();
        for _ in 0..3 {
            let deadline = Instant::now() + Duration::from_secs(1);
            match evict(&self.ground, &self.key, self.revision, deadline).await {
                Ok(_) => return,
                Err(_) => match self.ground.read_key(Bucket::Leases, &self.key).await {
                    Ok(found) if found.value.is_some() => self.revision = found.revision,
                    _ => return,
                },
            }
        }
    }
}

/// Deletes a member's key, leaving a tombstone that goes by itself.
pub(super) async fn evict<B: Broker>(
    broker: &B,
    key: &str,
    revision: u64,
    deadline: Instant,
) -> Result<u64, CasError> {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-TTL", TOMBSTONE);
    kv::swap(broker, Bucket::Leases, key, None, revision, headers, deadline).await
}

async fn swap<B: Broker>(
    broker: &B,
    key: &str,
    value: Option<Bytes>,
    at: u64,
    deadline: Instant,
) -> Result<u64, CasError> {
    kv::swap(broker, Bucket::Leases, key, value, at, HeaderMap::new(), deadline).await
}

fn value(draining: bool) -> Bytes {
    serde_json::to_vec(&MemberValue { draining }).expect("a flag serializes").into()
}
