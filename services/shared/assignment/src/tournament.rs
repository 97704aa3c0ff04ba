//! Who is first of a fixed group whose members come and go, and change their places: a tree of winners.
//!
//! A change costs one comparison for each doubling of the group, in memory that lies together.

/// Nobody.
const NONE: u32 = u32::MAX;

/// A group of seats, each empty or with a key; the least key wins. Keys differ from one another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tournament<K> {
    keys: Vec<Option<K>>,
    /// The winner of each pair, then of each pair of pairs: node `n` over nodes `2n` and `2n + 1`, the seats last.
    winners: Vec<u32>,
    taken: u32,
}

impl<K: Copy + Ord> Tournament<K> {
    /// So many empty seats.
    pub(crate) fn new(seats: usize) -> Self {
        Self { keys: vec![None; seats], winners: vec![NONE; seats.next_power_of_two().max(1)], taken: 0 }
    }

    /// How many seats are taken.
    pub(crate) fn taken(&self) -> u32 {
        self.taken
    }

    /// Gives a seat a key, or empties it.
    pub(crate) fn set(&mut self, seat: u32, key: Option<K>) {
        let old = std::mem::replace(&mut self.keys[seat as usize], key);
        self.taken += u32::from(key.is_some());
        self.taken -= u32::from(old.is_some());
        // A tree over one seat has its winner at the root, and so has every other.
        let mut node = self.winners.len() + seat as usize;
        while node > 1 {
            node /= 2;
            let winner = self.better(self.winner(2 * node), self.winner(2 * node + 1));
            self.winners[node] = winner;
        }
        if self.winners.len() == 1 {
            self.winners[0] = if self.keys[0].is_some() { 0 } else { NONE };
        }
    }

    /// The first seat, if one is taken.
    pub(crate) fn first(&self) -> Option<u32> {
        let root = if self.winners.len() == 1 { self.winners[0] } else { self.winners[1] };
        (root != NONE).then_some(root)
    }

    /// The first seat for which `fits` holds. Looks at all of them where the very first does not fit.
    pub(crate) fn first_that(&self, fits: impl Fn(u32) -> bool) -> Option<u32> {
        let first = self.first()?;
        if fits(first) {
            return Some(first);
        }
        let taken = self.keys.iter().enumerate().filter_map(|(seat, key)| Some(((*key)?, seat as u32)));
        taken.filter(|(_, seat)| fits(*seat)).min_by_key(|(key, _)| *key).map(|(_, seat)| seat)
    }

    fn winner(&self, node: usize) -> u32 {
        match node.checked_sub(self.winners.len()) {
            None => self.winners[node],
            Some(seat) if self.keys.get(seat).is_some_and(Option::is_some) => seat as u32,
            Some(_) => NONE,
        }
    }

    fn better(&self, one: u32, other: u32) -> u32 {
        match (one, other) {
            (NONE, seat) | (seat, NONE) => seat,
            (one, other) if self.keys[one as usize] <= self.keys[other as usize] => one,
            (_, other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Tournament;

    proptest! {
        #[test]
        fn the_least_key_wins(
            seats in 1..40_usize,
            steps in prop::collection::vec((0..40_usize, prop::option::of(0..50_u32)), 0..200),
        ) {
            let (mut tournament, mut keys) = (Tournament::new(seats), vec![None; seats]);
            for (seat, key) in steps {
                let seat = seat % seats;
                let key = key.map(|key| (key, seat));
                tournament.set(seat as u32, key);
                keys[seat] = key;
                let taken = || keys.iter().flatten();
                prop_assert_eq!(tournament.first(), taken().min().map(|(_, seat)| *seat as u32));
                let odd = tournament.first_that(|seat| seat % 2 == 1);
                prop_assert_eq!(odd, taken().filter(|(_, seat)| seat % 2 == 1).min().map(|(_, seat)| *seat as u32));
                prop_assert_eq!(tournament.taken() as usize, taken().count());
            }
        }
    }
}
