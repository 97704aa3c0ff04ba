//! A tenant's pool goes to another partition, and comes from one: a tenant too hot for its neighbours.
//!
//! The old partition's log has one place at which the pool leaves. What stands before it was applied here; what
//! comes behind it is passed on, in order, to the partition that has the pool now.

use std::sync::Arc;

use crate::{
    decision::{Decision, Kind},
    entry::{Arrive, Move},
    index::Index,
    machine::Machine,
    state::Pool,
    text::{Position, Text},
    timer,
};

impl Machine {
    /// The pool leaves, if it is here.
    pub(crate) fn depart(&mut self, asked: &Move, position: Position) -> Vec<Decision> {
        let Move { tenant, to } = asked;
        if *to == position.partition {
            return Vec::new();
        }
        let pool = self.facts.pools.remove(tenant).unwrap_or_default();
        self.indexes.remove(tenant);
        self.timers.retain(|(_, whose, _)| whose != tenant);
        self.facts.moved.insert(tenant.clone(), *to);
        let state = serde_json::to_vec(&pool).expect("facts are maps with plain keys");
        vec![decision(tenant, Kind::PoolMoved { to: *to, state: state.into() })]
    }

    /// The pool is at home here from now on. One that is here already stays: an arrival comes once, however often it is
    /// repeated.
    pub(crate) fn arrive(&mut self, arrival: &Arrive) -> Vec<Decision> {
        let Arrive { tenant, state, .. } = arrival;
        let left = arrival.position;
        let known = self.facts.arrived.get(tenant);
        let repeated =
            known.is_some_and(|known| known.partition == left.partition && known.sequence >= left.sequence);
        if repeated || self.facts.pools.get(tenant).is_some_and(|pool| !pool.is_blank()) {
            return vec![decision(tenant, Kind::Duplicate { message_id: None, command_id: None })];
        }
        let Ok(pool) = serde_json::from_slice::<Pool>(state) else { return Vec::new() };
        self.facts.moved.remove(tenant);
        self.facts.arrived.insert(tenant.clone(), left);
        self.indexes.insert(tenant.clone(), Index::build(&pool));
        self.facts.pools.insert(tenant.clone(), pool);
        self.timers.extend(timer::derive([(tenant, &self.facts.pools[tenant])]));
        vec![decision(tenant, Kind::PoolArrived { from: left.partition })]
    }

    /// Where the pool of `tenant` went, if it left.
    pub fn moved(&self, tenant: &str) -> Option<u16> {
        self.facts.moved.get(tenant).copied()
    }
}

impl Arrive {
    /// Whether the pool can be read. One that cannot is not to be appended, nor applied: it would be as if it were not
    /// there.
    pub fn check(&self) -> Result<(), serde_json::Error> {
        serde_json::from_slice::<Pool>(&self.state).map(drop)
    }
}

/// A decision about a tenant's pool.
pub(crate) fn decision(tenant: &Text, kind: Kind) -> Decision {
    Decision { index: 0, tenant: Arc::clone(tenant), conversation: None, kind, reasons: Vec::new() }
}
