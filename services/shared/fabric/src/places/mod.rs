//! Which routing partition has a tenant.
//!
//! A tenant's home is a hash of its name until an operator moves it to another partition. What moved stands in HG_PLACES,
//! written by the owner of the partition that has the tenant now, once it has it. Everybody who appends to HG_ROUTING
//! follows that bucket, and may be late: what is written under an earlier place is passed on by the owner there.
//!
//! A tenant's stays are numbered by its *generation*: how often it has moved. Each entry says under which one it was
//! written ([`GENERATION`]), so that it goes the tenant's whole way even where the tenant has come back meanwhile.

mod follow;
mod log;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use async_nats::HeaderMap;

use crate::fabric::{BrokerError, Fabric};
use crate::ground::{Broker, Ground};
use crate::kv::{self, CasError};
use crate::record::Record;
use crate::subjects::{Bucket, partition_of_pool};

pub use log::RoutingLog;

/// The ownership group of routing partitions, and the cursor that says how far one is worked off: everything that its
/// entries up to there led to is stored.
pub const ROUTING_GROUP: &str = "router.routing";

/// Header that says how often the tenant had moved, as far as the writer of a routing entry knew. Absent: never.
pub const GENERATION: &str = "Heliograph-Generation";

/// The pool every tenant has.
const POOL: &str = "default";

/// Where a tenant is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The routing partition that has it.
    pub partition: u16,
    /// How often it has moved.
    pub generation: u32,
    /// The partitions it left, in order; the last ones where there are many.
    #[serde(default)]
    pub past: Vec<u16>,
    /// A move that was asked for and is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<Moving>,
}

/// A move that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moving {
    /// The routing partition it goes to.
    pub to: u16,
    /// When it was asked for, milliseconds since 1970.
    pub asked_ms: i64,
}

impl Placement {
    /// Where a tenant is that never moved.
    pub fn home(tenant: &str, partitions: u16) -> Self {
        let partition = partition_of_pool(tenant, POOL, partitions);
        Self { partition, generation: 0, past: Vec::new(), moving: None }
    }
}

/// The generation that a routing entry was written under.
pub fn generation_of(record: &Record) -> u32 {
    let header = record.headers.get(GENERATION);
    header.and_then(|value| value.as_str().parse().ok()).unwrap_or_default()
}

/// Tenants that moved, by name.
type Moved = Arc<BTreeMap<String, Arc<Placement>>>;

/// Where tenants are, as far as this process has heard. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Places<G = Fabric> {
    ground: G,
    partitions: u16,
    moved: watch::Receiver<Moved>,
}

impl<G: Ground> Places<G> {
    /// Follows HG_PLACES from now on, as long as a clone is there. `partitions` is how many HG_ROUTING has.
    ///
    /// Nobody has to wait until it is read: before that, tenants are where they were at first, and what is written there
    /// is passed on.
    pub fn follow(ground: &G, partitions: u16) -> Self {
        let (sender, moved) = watch::channel(Moved::default());
        tokio::spawn(ground.task(follow::follow(ground.clone(), sender)));
        Self { ground: ground.clone(), partitions, moved }
    }

    /// The partition that has the tenant.
    pub fn partition(&self, tenant: &str) -> u16 {
        match self.moved.borrow().get(tenant) {
            Some(placement) => placement.partition,
            None => partition_of_pool(tenant, POOL, self.partitions),
        }
    }

    /// How many partitions there are.
    pub fn partitions(&self) -> u16 {
        self.partitions
    }

    /// Where the tenant went, if it ever moved.
    fn moved(&self, tenant: &str) -> Option<Arc<Placement>> {
        self.moved.borrow().get(tenant).cloned()
    }
}

/// Why a placement was not written.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The broker could not be asked, or says something unreadable.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Somebody else wrote first, or it is not known who did: look again.
    #[error("the tenant's place was not written")]
    Write(#[from] CasError),
}

/// Where the tenant is, as the bucket's leader says; and the revision for [`write()`].
pub async fn read<B: Broker>(
    broker: &B,
    tenant: &str,
    partitions: u16,
) -> Result<(Placement, u64), BrokerError> {
    let found = broker.read_key(Bucket::Places, tenant).await?;
    let placement = match &found.value {
        None => Placement::home(tenant, partitions),
        Some(value) => serde_json::from_slice(value)
            .map_err(|source| BrokerError::new(format!("give a readable place of {tenant}"), source))?,
    };
    Ok((placement, found.revision))
}

/// Writes where the tenant is, unless somebody wrote since `revision`.
pub async fn write<B: Broker>(
    broker: &B,
    tenant: &str,
    placement: &Placement,
    revision: u64,
    deadline: Instant,
) -> Result<(), PlaceError> {
    let value: Bytes = serde_json::to_vec(placement).expect("a place is numbers").into();
    kv::swap(broker, Bucket::Places, tenant, Some(value), revision, HeaderMap::new(), deadline).await?;
    Ok(())
}

/// Says that the tenant is at `placement` from now on, unless it is known to have moved since. One try.
pub async fn announce<B: Broker>(
    broker: &B,
    tenant: &str,
    placement: &Placement,
    partitions: u16,
    deadline: Instant,
) -> Result<(), PlaceError> {
    let (known, revision) = read(broker, tenant, partitions).await?;
    if known.generation >= placement.generation {
        return Ok(());
    }
    write(broker, tenant, placement, revision, deadline).await
}
