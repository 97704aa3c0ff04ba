//! A sorted set that knows the place of each of its items: who is third in the queue, and how many are before me.

/// Items in one run before it is split. Runs are moved in one piece, so they stay within a few cache lines' reach.
const RUN: usize = 256;

/// Sorted runs of items, each item once.
#[derive(Clone, Debug)]
pub(crate) struct Ranked<K> {
    runs: Vec<Vec<K>>,
    /// The first item of each run.
    firsts: Vec<K>,
    /// The length of each run.
    lengths: Vec<u32>,
    len: usize,
}

impl<K> Default for Ranked<K> {
    fn default() -> Self {
        Self { runs: Vec::new(), firsts: Vec::new(), lengths: Vec::new(), len: 0 }
    }
}

impl<K: Copy + Ord> Ranked<K> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &K> {
        self.runs.iter().flatten()
    }

    pub(crate) fn insert(&mut self, item: K) {
        if self.runs.is_empty() {
            self.runs.push(vec![item]);
            self.firsts.push(item);
            self.lengths.push(1);
            self.len = 1;
            return;
        }
        let run = self.run_of(&item);
        let items = &mut self.runs[run];
        let Err(at) = items.binary_search(&item) else { return };
        items.insert(at, item);
        self.len += 1;
        if items.len() > RUN {
            let tail = items.split_off(RUN / 2);
            self.firsts.insert(run + 1, tail[0]);
            self.lengths.insert(run + 1, tail.len() as u32);
            self.runs.insert(run + 1, tail);
        }
        self.note(run);
    }

    pub(crate) fn remove(&mut self, item: &K) {
        if self.runs.is_empty() {
            return;
        }
        let run = self.run_of(item);
        let Ok(at) = self.runs[run].binary_search(item) else { return };
        self.runs[run].remove(at);
        self.len -= 1;
        if self.runs[run].is_empty() {
            self.runs.remove(run);
            self.firsts.remove(run);
            self.lengths.remove(run);
        } else {
            self.note(run);
        }
    }

    /// How many items are before `item`.
    pub(crate) fn rank(&self, item: &K) -> usize {
        if self.runs.is_empty() {
            return 0;
        }
        let run = self.run_of(item);
        let before: u32 = self.lengths[..run].iter().sum();
        let within = self.runs[run].binary_search(item).unwrap_or_else(|at| at);
        before as usize + within
    }

    /// The run that `item` is in, or belongs in.
    fn run_of(&self, item: &K) -> usize {
        self.firsts.partition_point(|first| first <= item).saturating_sub(1)
    }

    fn note(&mut self, run: usize) {
        self.firsts[run] = self.runs[run][0];
        self.lengths[run] = self.runs[run].len() as u32;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Ranked;

    proptest! {
        #[test]
        fn places_are_those_in_a_sorted_set(steps in prop::collection::vec((0..600_u32, any::<bool>()), 0..3_000)) {
            let (mut ranked, mut set) = (Ranked::default(), BTreeSet::new());
            for (item, add) in steps {
                if add {
                    ranked.insert(item);
                    set.insert(item);
                } else {
                    ranked.remove(&item);
                    set.remove(&item);
                }
                prop_assert_eq!(ranked.rank(&item), set.range(..item).count());
            }
            prop_assert_eq!(ranked.len(), set.len());
            prop_assert!(ranked.iter().eq(set.iter()));
        }
    }
}
