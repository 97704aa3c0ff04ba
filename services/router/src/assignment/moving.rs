//! A tenant leaves for another partition, comes from one, and what is written for it at a former place is passed on.
//!
//! All that a tenant takes along is put into the new partition's log, so that the log alone leads to what its owner knows,
//! on any replica. It goes there as everything else leaves that an entry led to: with ids of its place in the log, in
//! order, once.

use std::sync::Arc;

use heliograph_assignment::{Arrive, Entry, Kind as Decided, Move, Position, Text, Timestamp};
use heliograph_proto::v1::{LogPosition, MoveTenant, RoutingEntry, TenantArriving, routing_entry::Kind};

use super::{
    blob::Blob,
    convert::{self, Unfit},
    emit::{Emission, Item, Onward},
    luggage::{self, PART},
    residence::{Coming, Way},
    shell::Logged,
    state::{Effects, State},
};

impl State {
    /// Applies what stands at `sequence` and was stored at `at_ms`, or passes it on.
    ///
    /// # Errors
    /// An entry that is unfit changes nothing.
    pub(crate) fn take(&mut self, logged: &Logged, sequence: u64, at_ms: i64) -> Result<Effects, Unfit> {
        let Logged { entry, generation, home } = logged;
        if sequence <= self.machine.applied() {
            // It was read before, and its tenant may have left since.
            return Ok(Effects::default());
        }
        let position = convert::position(self.partition, sequence);
        let effects = match &entry.kind {
            Some(Kind::Timer(_)) => return self.apply(entry, sequence, at_ms),
            Some(Kind::Move(asked)) => Ok(self.depart(entry, *asked, *home, sequence, at_ms)),
            Some(Kind::Arriving(part)) => self.arrive(entry, part, sequence, at_ms),
            _ => match self.residence.way(&entry.tenant, *generation, *home) {
                Way::Here => return self.apply(entry, sequence, at_ms),
                Way::Onward { to, generation } => {
                    let emissions = vec![onward(&entry.tenant, to, generation, position, None)];
                    Ok(Effects { emissions, ..Effects::default() })
                }
                Way::Stranger => Err(Unfit::Stranger),
            },
        };
        // What was not for the machine is behind it all the same: a snapshot stands where the machine does.
        self.machine.skip(Timestamp(at_ms), position);
        effects
    }

    /// The tenant leaves, if it is here and has moved as often as whoever asked for it knew.
    fn depart(
        &mut self,
        entry: &RoutingEntry,
        asked: MoveTenant,
        home: bool,
        sequence: u64,
        at_ms: i64,
    ) -> Effects {
        let tenant = &entry.tenant;
        let Ok(to) = u16::try_from(asked.to) else { return Effects::default() };
        if self.residence.here(tenant, home) != Some(asked.generation) || to == self.partition {
            return Effects::default();
        }
        let position = convert::position(self.partition, sequence);
        let conversations = self.machine.conversations(tenant);
        let leaving = Entry::Move(Move { tenant: tenant.as_str().into(), to });
        let left = self.machine.apply(&leaving, Timestamp(at_ms), position);
        let pool = left.iter().find_map(|decision| match &decision.kind {
            Decided::PoolMoved { state, .. } => Some(state),
            _ => None,
        });
        // Only where the entry was applied before.
        let Some(pool) = pool else { return Effects::default() };
        let annex = self.annex.take(tenant, &conversations);
        let past = self.residence.leave(tenant, asked.generation, self.partition, to);
        let packed = luggage::pack(pool, &annex, &past);
        let (sha256, parts) = (luggage::digest(&packed), packed.len().div_ceil(PART) as u32);
        let generation = asked.generation + 1;
        let part = |(part, content): (usize, &[u8])| {
            let arriving = TenantArriving {
                left: Some(LogPosition { partition: self.partition.into(), sequence, index: 0 }),
                generation,
                part: part as u32,
                parts,
                content: content.to_vec().into(),
                sha256: sha256.to_vec().into(),
            };
            onward(tenant, to, generation, position, Some(arriving))
        };
        let emissions = packed.chunks(PART).enumerate().map(part).collect();
        Effects { emissions, behind_all: true, ..Effects::default() }
    }

    /// A part of a tenant that comes; with the last one it is here. A part that comes again changes nothing.
    fn arrive(
        &mut self,
        entry: &RoutingEntry,
        part: &TenantArriving,
        sequence: u64,
        at_ms: i64,
    ) -> Result<Effects, Unfit> {
        let tenant = &entry.tenant;
        let left = part.left.as_ref().ok_or(Unfit::Lacks("where it left"))?;
        let partition = u16::try_from(left.partition).map_err(|_| Unfit::Lacks("where it left"))?;
        if self.residence.had(tenant, part.generation) {
            return Ok(Effects::default());
        }
        let coming = self.residence.coming.entry(tenant.clone()).or_default();
        if coming.generation < part.generation {
            *coming = Coming { generation: part.generation, parts: Vec::new() };
        }
        if coming.generation > part.generation || (part.part as usize) < coming.parts.len() {
            return Ok(Effects::default());
        }
        if part.part as usize > coming.parts.len() {
            return Err(Unfit::Lacks("the parts before it"));
        }
        coming.parts.push(Blob(part.content.clone()));
        if coming.parts.len() < part.parts as usize {
            return Ok(Effects::default());
        }
        let packed: Vec<u8> = coming.parts.iter().flat_map(|part| part.0.iter().copied()).collect();
        self.residence.coming.remove(tenant);
        let unusable = |error: &dyn std::error::Error| Unfit::Luggage(crate::error::chain(error));
        let luggage = luggage::unpack(&packed, &part.sha256).map_err(|error| unusable(&error))?;
        let arrival = Arrive {
            tenant: Text::from(tenant.as_str()),
            position: Position { partition, sequence: left.sequence },
            state: Arc::from(&luggage.pool.0[..]),
        };
        arrival.check().map_err(|error| unusable(&error))?;
        let position = convert::position(self.partition, sequence);
        self.machine.apply(&Entry::Arrive(arrival), Timestamp(at_ms), position);
        self.annex.join(luggage.annex);
        self.residence.settle(tenant, part.generation, luggage.past);
        Ok(Effects { arrived: true, ..Effects::default() })
    }
}

/// What goes to the log of the partition that has the tenant: a part of it, or else the entry at `position` as it is.
fn onward(
    tenant: &str,
    to: u16,
    generation: u32,
    position: Position,
    arriving: Option<TenantArriving>,
) -> Emission {
    let part = arriving.as_ref().map_or(0, |arriving| arriving.part);
    let onward = Onward {
        to,
        tenant: tenant.to_owned(),
        generation,
        place: LogPosition { partition: position.partition.into(), sequence: position.sequence, index: part },
        arriving,
    };
    Emission { lane: format!("{tenant}//onward"), item: Item::Onward(Box::new(onward)) }
}
