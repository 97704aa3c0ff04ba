//! The only room that knows NATS: streams, subjects, envelopes, partitions, dead letters.
//!
//! What it promises, and where:
//!
//! * [`Fabric::publish`] returns after the PubAck and retries with the same `Nats-Msg-Id`; a [`Sequencer`] keeps order per
//!   lane while many lanes are in flight.
//! * [`Ownership`] spreads partitions over live members; a [`Fence`] tells a holder whether it still owns one.
//! * [`LogReader`] reads a stream as a log, without gaps or repeats, over reconnects and broker restarts.
//! * [`Places`] knows which routing partition has a tenant, and a [`RoutingLog`] appends to it in order while it moves.
//! * [`WorkReader`] reads work that is acknowledged item by item, and keeps order when a partition changes hands.
//! * [`Crew`] shares out work that needs no order, to whoever is free.
//! * [`Fabric::publish_later`] has the broker itself put work for egress into its place when its time comes.
//! * [`provision`] lays the streams out, and never shrinks or deletes silently.
//! * [`DeadLetters`] keeps what could not be processed until someone replays or discards it.
//!
//! Nothing here looks into payloads.

pub mod backoff;
pub mod connection;
pub mod crew;
pub mod dead;
pub mod envelope;
mod fabric;
pub mod ground;
pub mod kv;
mod later;
pub mod log;
pub mod metrics;
mod options;
pub mod ownership;
pub mod places;
pub mod provision;
pub mod publish;
mod pull;
pub mod record;
pub mod sequencer;
pub mod subjects;
pub mod trace;
pub mod work;

pub use async_nats;
pub use bytes::Bytes;
pub use connection::{ConnectError, Link};
pub use crew::{Crew, CrewItem, CrewOptions};
pub use dead::{Burial, DeadError, DeadFilter, DeadLetter, DeadLetters};
pub use envelope::{Envelope, EnvelopeError};
pub use fabric::{BrokerError, Fabric};
pub use ground::{Broker, Ground, Tail};
pub use kv::{CasError, Versioned};
pub use later::{HASTENED, LATER};
pub use log::{Cursor, CursorError, LogError, LogReader, RangeReader, Start};
pub use options::{Credentials, Options};
pub use ownership::{Fence, Lost, Owned, Ownership, OwnershipHandle, OwnershipOptions};
pub use places::{Placement, Places, RoutingLog};
pub use provision::{Layout, Missing, Plan, ProvisionError, Report};
pub use publish::{PublishError, Published};
pub use record::Record;
pub use sequencer::{Sequencer, SequencerOptions, Ticket};
pub use subjects::Stream;
pub use tokio_util::sync::CancellationToken;
pub use work::{AckError, WorkError, WorkItem, WorkOptions, WorkReader};
