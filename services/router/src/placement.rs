//! Moving tenants between routing partitions, for operators.

use std::time::Duration;

use heliograph_domain::ids;
use heliograph_fabric::{
    BrokerError, CasError, Cursor, Envelope, Ground, Placement, PublishError, Sequencer, SequencerOptions,
    Stream,
    places::{self, GENERATION, Moving, PlaceError, ROUTING_GROUP},
    subjects::{self, SubjectError},
};
use heliograph_proto::v1::{MoveTenant, RoutingEntry, routing_entry::Kind};
use tokio::time::Instant;

use crate::naming::SOURCE;

/// How long one write may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a place that somebody else writes at the same time is looked at again.
const TRIES: u32 = 8;

/// Why a tenant is not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// There are fewer partitions.
    #[error("there is no routing partition {to}; there are {partitions}, from 0 to {}", partitions - 1)]
    NoSuchPartition {
        /// The one asked for.
        to: u16,
        /// How many there are.
        partitions: u16,
    },
    /// Nothing is to be done.
    #[error("{tenant} is in routing partition {partition} already")]
    AlreadyThere {
        /// The tenant.
        tenant: String,
        /// Where it is.
        partition: u16,
    },
    /// One move at a time.
    #[error(
        "{tenant} is on its way to routing partition {to}; wait until it is there, or ask for that move again to see how far it is"
    )]
    UnderWay {
        /// The tenant.
        tenant: String,
        /// Where it goes.
        to: u16,
    },
    /// The name cannot be a tenant's.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// The broker could not be asked.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The tenant's place could not be written.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The move could not be appended.
    #[error("the move is not known to be in the log; ask for it again")]
    Publish(#[from] PublishError),
}

/// A move that stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The tenant.
    pub tenant: String,
    /// The partition it leaves.
    pub from: u16,
    /// The partition it goes to.
    pub to: u16,
    /// How often it will have moved.
    pub generation: u32,
    /// Where the move stands in HG_ROUTING.
    pub sequence: u64,
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The owner of the old partition has not come to it.
    Asked,
    /// All that belongs to the tenant stands in the new partition's log, whose owner has not come to it.
    Left,
    /// The tenant is served from its new place.
    Arrived,
    /// And all that was written at its old place has been passed on.
    PassedOn,
}

/// Where a tenant is: the partition that a hash of its name says, unless it moved.
pub async fn place<G: Ground>(ground: &G, partitions: u16, tenant: &str) -> Result<Placement, BrokerError> {
    Ok(places::read(ground, tenant, partitions).await?.0)
}

/// Asks for a tenant to go to another partition. Asked again, it is the same move.
///
/// # Errors
/// Where there is nothing to be moved, or not to there, nothing was asked for.
pub async fn ask<G: Ground>(ground: &G, partitions: u16, tenant: &str, to: u16) -> Result<Move, MoveError> {
    subjects::routing(0, tenant)?;
    if to >= partitions {
        return Err(MoveError::NoSuchPartition { to, partitions });
    }
    let placement = claim(ground, partitions, tenant, to).await?;
    let Placement { partition: from, generation, .. } = placement;
    let parts = ["move", tenant, &generation.to_string(), &to.to_string()];
    let entry = RoutingEntry {
        id: ids::derive("ent", &parts),
        tenant: tenant.to_owned(),
        kind: Some(Kind::Move(MoveTenant { to: to.into(), generation })),
    };
    let mut envelope = Envelope::of(entry.id.clone(), "routing.move", SOURCE, ground.now_ms(), &entry);
    envelope.extensions.insert(GENERATION.to_owned(), generation.to_string());
    let subject = subjects::routing(from, tenant)?;
    let sequencer = Sequencer::new(ground, SequencerOptions::default());
    let stored = sequencer.publish(tenant, subject, envelope, Some(Instant::now() + PATIENCE)).await?;
    Ok(Move { tenant: tenant.to_owned(), from, to, generation: generation + 1, sequence: stored.seq })
}

/// Notes that the tenant is to go there, so that nobody else sends it elsewhere.
async fn claim<G: Ground>(
    ground: &G,
    partitions: u16,
    tenant: &str,
    to: u16,
) -> Result<Placement, MoveError> {
    let mut tries = 0;
    loop {
        let (known, revision) = places::read(ground, tenant, partitions).await?;
        match &known.moving {
            Some(moving) if moving.to == to => return Ok(known),
            Some(moving) => return Err(MoveError::UnderWay { tenant: tenant.to_owned(), to: moving.to }),
            None if known.partition == to => {
                return Err(MoveError::AlreadyThere { tenant: tenant.to_owned(), partition: to });
            }
            None => {}
        }
        let moving = Some(Moving { to, asked_ms: ground.now_ms() });
        let claimed = Placement { moving, ..known };
        match places::write(ground, tenant, &claimed, revision, Instant::now() + PATIENCE).await {
            Ok(()) => return Ok(claimed),
            Err(PlaceError::Write(CasError::Conflict { .. } | CasError::Unknown { .. })) if tries < TRIES => {
                tries += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

impl Move {
    /// How far it is.
    pub async fn progress<G: Ground>(&self, ground: &G, partitions: u16) -> Result<Progress, BrokerError> {
        let (placement, _) = places::read(ground, &self.tenant, partitions).await?;
        let worked_off = Cursor::peek(ground, ROUTING_GROUP, self.from).await?;
        if placement.generation < self.generation {
            return Ok(if worked_off < self.sequence { Progress::Asked } else { Progress::Left });
        }
        let subject = subjects::routing(self.from, &self.tenant)
            .map_err(|error| BrokerError::new("tell what was written", error))?;
        let written = ground.last_of(Stream::Routing, &subject).await?;
        Ok(if worked_off < written { Progress::Arrived } else { Progress::PassedOn })
    }
}
