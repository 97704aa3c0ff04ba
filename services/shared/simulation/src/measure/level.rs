//! What lasts: how many wait, how many are busy, over time.

use crate::arrivals::as_number;

/// The time that counts, cut into equal parts for plots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// From when on something counts.
    pub(crate) from: i64,
    /// Until when.
    pub(crate) to: i64,
    /// Length of a part.
    pub(crate) width: i64,
    /// Length of what is laid over itself: a day, or all of it.
    pub(crate) period: i64,
    /// Where the first part begins within the period.
    pub(crate) origin: i64,
}

impl Grid {
    /// How many parts there are.
    pub(crate) fn parts(&self) -> usize {
        ((self.period + self.width - 1) / self.width) as usize
    }

    /// Whether `now` counts.
    pub(crate) fn counts(&self, now: i64) -> bool {
        (self.from..self.to).contains(&now)
    }

    /// The part that `now` lies in.
    pub(crate) fn part(&self, now: i64) -> usize {
        ((now - self.origin).rem_euclid(self.period) / self.width) as usize
    }

    /// How much time of all lies in each part, in milliseconds.
    pub(crate) fn exposure(&self) -> Vec<f64> {
        let mut whole = Level::new(self);
        whole.set(self, self.from, 1.0);
        whole.finish(self);
        whole.parts
    }
}

/// Something that has a value at every moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Level {
    value: f64,
    since: i64,
    /// Integral over all that counts, in milliseconds.
    pub(crate) total: f64,
    /// The same for each part of the grid.
    pub(crate) parts: Vec<f64>,
}

impl Level {
    /// Nothing, from the beginning.
    pub(crate) fn new(grid: &Grid) -> Self {
        Self { value: 0.0, since: grid.from, total: 0.0, parts: vec![0.0; grid.parts()] }
    }

    /// It has another value from `now` on.
    pub(crate) fn set(&mut self, grid: &Grid, now: i64, value: f64) {
        let now = now.clamp(grid.from, grid.to);
        if now > self.since {
            if self.value != 0.0 {
                self.total += self.value * as_number(now - self.since);
                self.spread(grid, now);
            }
            self.since = now;
        }
        self.value = value;
    }

    /// It changes by `by`.
    pub(crate) fn add(&mut self, grid: &Grid, now: i64, by: f64) {
        self.set(grid, now, self.value + by);
    }

    /// Nothing counts any more.
    pub(crate) fn finish(&mut self, grid: &Grid) {
        self.set(grid, grid.to, self.value);
    }

    fn spread(&mut self, grid: &Grid, now: i64) {
        let mut at = self.since;
        while at < now {
            let within = (at - grid.origin).rem_euclid(grid.period);
            let part = within / grid.width;
            let end = at + ((part + 1) * grid.width).min(grid.period) - within;
            self.parts[part as usize] += self.value * as_number(end.min(now) - at);
            at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_laid_over_the_day() {
        let day = Grid { from: 10, to: 230, width: 30, period: 100, origin: 0 };
        assert_eq!(day.parts(), 4);
        assert_eq!(day.exposure(), [20.0 + 30.0 + 30.0, 60.0, 60.0, 20.0]);
        let mut level = Level::new(&day);
        level.set(&day, 0, 2.0);
        level.add(&day, 20, 1.0);
        level.set(&day, 95, 0.0);
        level.set(&day, 220, 1.0);
        level.set(&day, 300, 7.0);
        level.finish(&day);
        assert_eq!(level.total, 2.0 * 10.0 + 3.0 * 75.0 + 10.0);
        assert_eq!(level.parts, [2.0 * 10.0 + 3.0 * 10.0 + 10.0, 90.0, 90.0, 15.0]);
        assert!(day.counts(10) && !day.counts(9) && !day.counts(230));
        assert_eq!(day.part(195), 3);
    }
}
