//! Which tenants are at home in a partition, which were, and where they went. It follows from the log, and is in the
//! snapshot.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::blob::Blob;

/// How many of its moves a tenant is followed back. Nothing that was written before them is on its way any more.
const REMEMBERED: usize = 32;

/// Tenants that ever came to this partition or left it. Every other one never moved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Residence {
    stays: BTreeMap<String, Stays>,
    /// Tenants on their way to here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) coming: BTreeMap<String, Coming>,
}

/// What is known of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stays {
    /// How often it had moved when it came, where it is here.
    here: Option<u32>,
    /// Its stays here that ended: how often it had moved by then, and where it went.
    ended: BTreeMap<u32, u16>,
    /// The partitions it left before it came here, in order.
    past: Vec<u16>,
}

/// A tenant of which some parts are here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Coming {
    pub(super) generation: u32,
    pub(super) parts: Vec<Blob>,
}

/// What is to become of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It is applied.
    Here,
    /// It is passed on: the tenant went there, as its stay of this generation.
    Onward { to: u16, generation: u32 },
    /// The tenant was never here.
    Stranger,
}

impl Residence {
    /// How often the tenant has moved, if it is here; `home` says whether it is where it never moved.
    pub(crate) fn here(&self, tenant: &str, home: bool) -> Option<u32> {
        match self.stays.get(tenant) {
            Some(stays) => stays.here,
            None => home.then_some(0),
        }
    }

    /// What is to become of an entry that was written when the tenant had moved so often.
    ///
    /// One that was meant for a stay that has ended goes the way the tenant went from there, even when the tenant is back:
    /// what was written before it goes that way too, and it must not overtake that.
    pub(super) fn way(&self, tenant: &str, generation: u32, home: bool) -> Way {
        let ended = self.stays.get(tenant).and_then(|stays| stays.ended.range(generation..).next());
        match ended {
            Some((stay, to)) => Way::Onward { to: *to, generation: stay + 1 },
            None if self.here(tenant, home).is_some() => Way::Here,
            None => Way::Stranger,
        }
    }

    /// Where the tenant went, if it was here and left.
    pub(crate) fn went(&self, tenant: &str) -> Option<u16> {
        let stays = self.stays.get(tenant)?;
        stays.here.is_none().then(|| stays.ended.last_key_value().map(|(_, to)| *to))?
    }

    /// Whether it came with this generation or a later one.
    pub(super) fn had(&self, tenant: &str, generation: u32) -> bool {
        let stays = self.stays.get(tenant);
        let latest =
            stays.and_then(|stays| stays.here.or(stays.ended.last_key_value().map(|(stay, _)| *stay)));
        latest.is_some_and(|latest| latest >= generation)
    }

    /// The tenant, whose stay here is of this generation, leaves `partition` for another one. The partitions that it has
    /// left by now.
    pub(super) fn leave(&mut self, tenant: &str, generation: u32, partition: u16, to: u16) -> Vec<u16> {
        let stays = self.stays.entry(tenant.to_owned()).or_default();
        stays.here = None;
        stays.ended.insert(generation, to);
        if stays.ended.len() > REMEMBERED {
            stays.ended.pop_first();
        }
        let mut past = std::mem::take(&mut stays.past);
        past.push(partition);
        past.drain(..past.len().saturating_sub(REMEMBERED));
        past
    }

    /// The tenant is here from now on.
    pub(super) fn settle(&mut self, tenant: &str, generation: u32, past: Vec<u16>) {
        let stays = self.stays.entry(tenant.to_owned()).or_default();
        (stays.here, stays.past) = (Some(generation), past);
    }

    /// Tenants that came here and stay, how often they had moved by then, and the partitions they left.
    pub(super) fn came(&self) -> impl Iterator<Item = (&str, u32, &[u16])> {
        self.stays.iter().filter_map(|(tenant, stays)| Some((&**tenant, stays.here?, &*stays.past)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_goes_the_whole_way_of_the_tenant_it_was_written_for() {
        let mut old = Residence::default();
        assert_eq!(old.way("acme", 0, true), Way::Here);
        assert_eq!(old.way("acme", 0, false), Way::Stranger);
        assert_eq!(old.leave("acme", 0, 3, 7), [3]);
        assert_eq!((old.here("acme", true), old.went("acme")), (None, Some(7)));
        assert_eq!(old.way("acme", 0, true), Way::Onward { to: 7, generation: 1 });
        // It comes back from where it went.
        old.settle("acme", 2, vec![3, 7]);
        assert_eq!((old.here("acme", true), old.went("acme")), (Some(2), None));
        assert_eq!(old.way("acme", 0, true), Way::Onward { to: 7, generation: 1 });
        assert_eq!(old.way("acme", 2, true), Way::Here);
        assert_eq!(old.leave("acme", 2, 3, 5), [3, 7, 3]);
        assert_eq!(old.way("acme", 0, true), Way::Onward { to: 7, generation: 1 });
        assert_eq!(old.way("acme", 2, true), Way::Onward { to: 5, generation: 3 });
    }

    #[test]
    fn only_the_last_moves_are_remembered() {
        let mut here = Residence::default();
        for stay in 0..100 {
            here.settle("acme", 2 * stay, vec![1; stay as usize]);
            assert!(here.leave("acme", 2 * stay, 0, 1).len() <= REMEMBERED);
        }
        assert_eq!(here.stays["acme"].ended.len(), REMEMBERED);
        // Whoever knows nothing of all these moves is led along the oldest that is known.
        assert_eq!(here.way("acme", 0, false), Way::Onward { to: 1, generation: 137 });
        assert!(here.had("acme", 198) && !here.had("acme", 199));
    }
}
