//! Who answers: the replayable state machine that owns the conversations and assignments of one partition.
//!
//! [`Machine::apply`] takes one log [`Entry`], the time the log gave it and its [`Position`], and returns the
//! [`Decision`]s that follow. It is a pure function of those and of what it applied before: no clock, no
//! randomness, no I/O. The same log gives the same decisions on any replica, and a snapshot (the machine is
//! `Serialize` and `Deserialize`) plus the tail of the log gives the same machine as the whole log.
//!
//! Entries and decisions carry ids, never content; the shell attaches content when it publishes events.
//! One partition holds the pools of many tenants; nothing in here crosses from one to another.
//!
//! ```
//! use heliograph_assignment::{Entry, Machine, Position, TimerDue, Timestamp};
//!
//! let mut machine = Machine::new();
//! let entry = Entry::TimerDue(TimerDue { due: Timestamp(1_000) });
//! let decisions = machine.apply(&entry, Timestamp(1_000), Position { partition: 3, sequence: 1 });
//! assert!(decisions.is_empty());
//! assert_eq!(machine.applied(), 1);
//! ```

mod ask;
mod command;
mod config;
mod configure;
mod consult;
mod customer;
mod decision;
pub mod declared;
mod entry;
mod inbound;
mod index;
mod machine;
mod matching;
mod moving;
mod need;
mod place;
mod presence;
mod ranked;
mod recent;
mod state;
mod step;
mod supervise;
mod table;
mod text;
mod timer;
mod tournament;
mod transfer;
mod view;
mod waiting;

#[cfg(test)]
mod tests;

pub use config::{
    AgentChoice, AgentSpec, Closed, MaxWait, Overflow, OverflowWhen, PoolConfig, QueueSpec, RINGS, Relax,
    Sticky, WaitEnd,
};
pub use decision::{
    Choice, ConversationRef, Decision, Direction, Kind, Place, Purpose, Reason, Refusal, Sender,
};
pub use entry::{
    Abandon, Action, Address, Arrive, Callback, Command, Configure, Entry, Inbound, Move, Presence,
    SendMessage, Target, TimerDue,
};
pub use machine::{Machine, SNAPSHOT_VERSION};
pub use need::{Need, Skill};
pub use text::{Position, Text, Timestamp};
pub use view::{AgentView, ConsultView, ConversationView, PhaseView, QueueSummary, ReservationView};
