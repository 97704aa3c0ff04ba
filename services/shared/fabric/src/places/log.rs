//! Appending to HG_ROUTING, where tenants may move.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::{GENERATION, Placement, Places, ROUTING_GROUP};
use crate::backoff::Backoff;
use crate::envelope::Envelope;
use crate::fabric::{BrokerError, Fabric};
use crate::ground::Ground;
use crate::log::Cursor;
use crate::ownership::Fence;
use crate::publish::{PublishError, Published, publish};
use crate::subjects::{self, Stream};

/// Appends to the log of whichever partition has a tenant, so that what is appended one after the other is applied in that
/// order though the tenant moves in between. Cheap to clone; clones are one writer.
///
/// What was written under an earlier place is passed on by the owner there, and takes its time. So a writer that hears
/// of a new place waits, once, until everything that stands under the earlier ones is passed on, and writes there only
/// then. It looks again where it cannot know what it wrote itself: when the place changed while it wrote, and when the
/// broker had the entry already, perhaps from somebody else under another place.
///
/// Who takes over from another writer starts with a [`RoutingLog::session`] of its own, or with [`RoutingLog::look_again`]:
/// the other one may have heard later.
#[derive(Debug, Clone)]
pub struct RoutingLog<G = Fabric> {
    places: Places<G>,
    fence: Option<Fence>,
    ways: Arc<Mutex<HashMap<String, Arc<Way>>>>,
}

/// What a writer knows of the way of a tenant that moved.
#[derive(Debug, Default)]
struct Way {
    /// Counts the reasons to look.
    wanted: AtomicU64,
    /// For which generation it was looked, and for how many of the reasons.
    seen: tokio::sync::Mutex<Option<(u32, u64)>>,
}

impl<G: Ground> RoutingLog<G> {
    /// A writer; one that owns something only writes while `fence` holds.
    pub fn new(places: &Places<G>, fence: Option<Fence>) -> Self {
        Self { places: places.clone(), fence, ways: Arc::default() }
    }

    /// Another writer, which may go on where somebody else stopped.
    #[must_use]
    pub fn session(&self) -> Self {
        Self::new(&self.places, self.fence.clone())
    }

    /// Has it look again before the tenant's next entry: somebody goes on here who wrote by another writer before.
    pub fn look_again(&self, tenant: &str) {
        if self.places.moved(tenant).is_some() {
            self.way(tenant).wanted.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Where tenants are.
    pub fn places(&self) -> &Places<G> {
        &self.places
    }

    /// Appends an entry of the tenant's, and returns when it is stored. Tries until `deadline`; without one, for as long
    /// as the future is polled.
    ///
    /// # Errors
    /// As of publishing; a tenant that cannot stand in a subject is refused.
    pub async fn append(
        &self,
        tenant: &str,
        mut envelope: Envelope,
        deadline: Option<Instant>,
    ) -> Result<Published, PublishError> {
        let mut moved = self.places.moved(tenant);
        while let Some(placement) = &moved {
            self.pass(tenant, placement, deadline).await?;
            let now = self.places.moved(tenant);
            if now.as_ref().is_some_and(|now| now.generation != placement.generation) {
                moved = now;
            } else {
                break;
            }
        }
        let generation = moved.as_ref().map_or(0, |placement| placement.generation);
        let partition = match &moved {
            Some(placement) => placement.partition,
            None => Placement::home(tenant, self.places.partitions).partition,
        };
        let subject = subject(partition, tenant)?;
        if generation > 0 {
            envelope.extensions.insert(GENERATION.to_owned(), generation.to_string());
        }
        let ground = &self.places.ground;
        let published = publish(ground, &subject, &envelope, deadline, self.fence.as_ref()).await?;
        let now = self.places.moved(tenant).map_or(0, |placement| placement.generation);
        if now != generation || published.duplicate {
            self.look_again(tenant);
        }
        Ok(published)
    }

    fn way(&self, tenant: &str) -> Arc<Way> {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(ways.entry(tenant.to_owned()).or_default())
    }

    /// Waits until everything that stands under the tenant's earlier places is passed on, unless it was seen to be.
    async fn pass(
        &self,
        tenant: &str,
        placement: &Placement,
        deadline: Option<Instant>,
    ) -> Result<(), PublishError> {
        let way = self.way(tenant);
        let passing = async {
            let mut seen = way.seen.lock().await;
            let wanted = way.wanted.load(Ordering::Acquire);
            let enough =
                seen.is_some_and(|(generation, upto)| generation == placement.generation && upto >= wanted);
            if !enough {
                for partition in &placement.past {
                    self.pass_on(tenant, *partition).await?;
                }
                *seen = Some((placement.generation, wanted));
            }
            Ok(())
        };
        let Some(deadline) = deadline else { return passing.await };
        tokio::time::timeout_at(deadline, passing).await.unwrap_or_else(|_| {
            let last =
                "the tenant moved, and what was written at its former place is not passed on yet".to_owned();
            Err(PublishError::Away { subject: subject(placement.partition, tenant)?, last })
        })
    }

    /// Waits until what stands in a partition's log now of the tenant is passed on.
    async fn pass_on(&self, tenant: &str, partition: u16) -> Result<(), PublishError> {
        let ground = &self.places.ground;
        let subject = subject(partition, tenant)?;
        let mut backoff = Backoff::default();
        let mut last = None;
        loop {
            if self.fence.as_ref().is_some_and(|fence| fence.check().is_err()) {
                return Err(PublishError::Fenced);
            }
            let looked = async {
                let upto = match last {
                    Some(upto) => upto,
                    None => *last.insert(ground.last_of(Stream::Routing, &subject).await?),
                };
                let passed = upto == 0 || Cursor::peek(ground, ROUTING_GROUP, partition).await? >= upto;
                Ok::<bool, BrokerError>(passed)
            };
            match looked.await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    tracing::debug!(tenant, partition, "waiting for what was written before a move");
                }
                Err(error) => {
                    tracing::debug!(tenant, partition, %error, "a former place cannot be looked at");
                }
            }
            tokio::time::sleep(backoff.next_wait_by(ground.draw())).await;
        }
    }
}

fn subject(partition: u16, tenant: &str) -> Result<String, PublishError> {
    subjects::routing(partition, tenant).map_err(|error| PublishError::Refused {
        subject: "hg.routing".to_owned(),
        code: 0,
        description: error.to_string(),
    })
}
