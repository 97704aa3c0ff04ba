//! Which of the events read are done, when they end out of order.

use std::collections::VecDeque;

/// How far a partition has been processed without a gap.
#[derive(Debug)]
pub(crate) struct Progress {
    done_through: u64,
    /// Sequences read after that, in order, and whether each is done.
    open: VecDeque<(u64, bool)>,
}

impl Progress {
    /// Everything up to `done_through` is done.
    pub(crate) fn new(done_through: u64) -> Self {
        Self { done_through, open: VecDeque::new() }
    }

    /// An event was read. Sequences rise.
    pub(crate) fn begin(&mut self, seq: u64) {
        self.open.push_back((seq, false));
    }

    /// An event is done.
    pub(crate) fn end(&mut self, seq: u64) {
        if let Ok(at) = self.open.binary_search_by_key(&seq, |(seq, _)| *seq) {
            self.open[at].1 = true;
        }
        while let Some((seq, true)) = self.open.front() {
            self.done_through = *seq;
            self.open.pop_front();
        }
    }

    /// Everything up to here is done.
    pub(crate) fn done_through(&self) -> u64 {
        self.done_through
    }

    /// How many events are kept in mind: those in hand, and done ones behind them.
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn the_place_moves_behind_finished_work_only() {
        let mut progress = Progress::new(3);
        for seq in [5, 6, 9] {
            progress.begin(seq);
        }
        progress.end(6);
        assert_eq!((progress.done_through(), progress.open()), (3, 3));
        progress.end(5);
        assert_eq!((progress.done_through(), progress.open()), (6, 1));
        progress.end(9);
        progress.end(9);
        assert_eq!((progress.done_through(), progress.open()), (9, 0));
    }
}
