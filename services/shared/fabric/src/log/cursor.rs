//! How far a partition has been read, kept so that a former owner cannot move it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use async_nats::HeaderMap;

use crate::backoff::Backoff;
use crate::fabric::{BrokerError, Fabric};
use crate::ground::{Broker, Ground};
use crate::kv::{self, CasError};
use crate::subjects::Bucket;

/// Why a cursor was not moved.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// A later owner has it.
    #[error("cursor {key} belongs to a later owner (epoch {theirs}, ours is {ours})")]
    Fenced {
        /// Key in HG_CURSORS.
        key: String,
        /// Our epoch.
        ours: u64,
        /// The later owner's epoch.
        theirs: u64,
    },
    /// The broker is away. Reading may go on; what is not stored is read again after a takeover.
    #[error("cursor {key} could not be written in time")]
    Away {
        /// Key in HG_CURSORS.
        key: String,
    },
    /// The broker could not be asked.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Stored {
    seq: u64,
    epoch: u64,
}

/// A cursor in HG_CURSORS that we hold.
#[derive(Debug)]
pub struct Cursor<G = Fabric> {
    ground: G,
    key: String,
    epoch: u64,
    seq: u64,
    revision: u64,
    first: bool,
}

impl<B: Broker> Cursor<B> {
    /// How far a group's partition has been processed, for whoever does not own it. 0 where nobody has said.
    pub async fn peek(broker: &B, group: &str, partition: u16) -> Result<u64, BrokerError> {
        let key = format!("{group}.{partition}");
        let found = broker.read_key(Bucket::Cursors, &key).await?;
        Ok(stored(&key, found.value.as_deref())?.map_or(0, |stored| stored.seq))
    }
}

impl<G: Ground> Cursor<G> {
    /// Takes over the cursor of a group's partition with our epoch, which fences everyone with an older one.
    pub async fn claim(ground: &G, group: &str, partition: u16, epoch: u64) -> Result<Self, CursorError> {
        let key = format!("{group}.{partition}");
        let mut cursor = Self { ground: ground.clone(), key, epoch, seq: 0, revision: 0, first: false };
        let deadline = Instant::now() + ground.request_timeout() * 2;
        let mut backoff = Backoff::default();
        loop {
            let at = cursor.refresh().await?;
            cursor.refuse_later(at)?;
            if at.is_some_and(|stored| stored.epoch == epoch) {
                return Ok(cursor);
            }
            let seq = at.map_or(0, |stored| stored.seq);
            cursor.first |= at.is_none();
            match cursor.write(seq, deadline).await {
                Ok(()) => return Ok(cursor),
                Err(CasError::Refused { key, source }) => {
                    return Err(BrokerError::new(format!("write cursor {key}"), source).into());
                }
                Err(_) if Instant::now() < deadline => {
                    tokio::time::sleep(backoff.next_wait_by(ground.draw())).await;
                }
                Err(_) => return Err(CursorError::Away { key: cursor.key }),
            }
        }
    }

    /// Whether nobody had claimed it before us.
    pub fn is_first(&self) -> bool {
        self.first
    }

    /// How far the partition has been processed.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Records that everything up to `seq` has been processed. Tries for `within`; never moves back.
    pub async fn store(&mut self, seq: u64, within: Duration) -> Result<(), CursorError> {
        if seq <= self.seq {
            return Ok(());
        }
        let deadline = Instant::now() + within;
        let mut backoff = Backoff::default();
        loop {
            match self.write(seq, deadline).await {
                Ok(()) => return Ok(()),
                Err(CasError::Refused { key, source }) => {
                    return Err(BrokerError::new(format!("write cursor {key}"), source).into());
                }
                Err(CasError::Conflict { .. } | CasError::Unknown { .. }) => {
                    // Somebody else wrote, or our own write arrived though we did not hear of it.
                    if let Ok(stored) = self.refresh().await {
                        self.refuse_later(stored)?;
                        if self.seq >= seq {
                            return Ok(());
                        }
                    }
                }
            }
            let wait = backoff.next_wait_by(self.ground.draw());
            if Instant::now() + wait >= deadline {
                return Err(CursorError::Away { key: self.key.clone() });
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn write(&mut self, seq: u64, deadline: Instant) -> Result<(), CasError> {
        let value = serde_json::to_vec(&Stored { seq, epoch: self.epoch }).expect("two numbers serialize");
        let (key, value, headers) = (&self.key, Some(value.into()), HeaderMap::new());
        let swapped = kv::swap(&self.ground, Bucket::Cursors, key, value, self.revision, headers, deadline);
        self.revision = swapped.await?;
        self.seq = seq;
        Ok(())
    }

    /// Reads what is stored, and remembers its revision; the place only when it is our own.
    async fn refresh(&mut self) -> Result<Option<Stored>, BrokerError> {
        let found = self.ground.read_key(Bucket::Cursors, &self.key).await?;
        self.revision = found.revision;
        let stored = stored(&self.key, found.value.as_deref())?;
        if let Some(Stored { seq, epoch }) = stored
            && epoch == self.epoch
        {
            self.seq = seq;
        }
        Ok(stored)
    }

    fn refuse_later(&self, stored: Option<Stored>) -> Result<(), CursorError> {
        match stored {
            Some(stored) if stored.epoch > self.epoch => {
                Err(CursorError::Fenced { key: self.key.clone(), ours: self.epoch, theirs: stored.epoch })
            }
            _ => Ok(()),
        }
    }
}

/// What a cursor's value says.
fn stored(key: &str, value: Option<&[u8]>) -> Result<Option<Stored>, BrokerError> {
    let Some(value) = value else { return Ok(None) };
    serde_json::from_slice(value)
        .map(Some)
        .map_err(|source| BrokerError::new(format!("give a readable cursor {key}"), source))
}
