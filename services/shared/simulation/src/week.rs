//! Times of the week. A scenario's clock counts milliseconds from a Monday at midnight.

use heliograph_domain::resources::{ClockTime, Day};
use serde::Deserialize;

/// A day in milliseconds.
pub(crate) const DAY: i64 = 86_400_000;
/// A week in milliseconds.
pub(crate) const WEEK: i64 = 7 * DAY;

/// A stretch of the day on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// Days of the week; every day unless given.
    #[serde(default = "every_day")]
    pub days: Vec<Day>,
    /// First minute.
    pub from: ClockTime,
    /// First minute after; `24:00` is the end of the day.
    pub to: ClockTime,
}

/// Every day of the week.
pub(crate) fn every_day() -> Vec<Day> {
    vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun]
}

/// Milliseconds from Monday's midnight to a minute of a day.
pub(crate) fn moment(day: Day, time: ClockTime) -> i64 {
    day as i64 * DAY + i64::from(time.minutes()) * 60_000
}

impl Stretch {
    /// What is wrong with it.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.from >= self.to {
            return Some("a stretch ends after it begins; one over midnight is two stretches");
        }
        self.days.is_empty().then_some("a stretch is on one day at least")
    }

    /// Its stretches within the week, as milliseconds from Monday's midnight.
    pub(crate) fn within_week(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.days.iter().map(|day| (moment(*day, self.from), moment(*day, self.to)))
    }
}

/// When something is on, week after week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timetable {
    /// In order, apart from each other. Empty: never.
    stretches: Vec<(i64, i64)>,
}

impl Timetable {
    /// On in any of the stretches.
    pub(crate) fn new(stretches: &[Stretch]) -> Self {
        let mut all: Vec<(i64, i64)> = stretches.iter().flat_map(Stretch::within_week).collect();
        all.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (from, to) in all {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Self { stretches: merged }
    }

    /// Whether it is on at `now`.
    pub(crate) fn is_on(&self, now: i64) -> bool {
        let at = now.rem_euclid(WEEK);
        self.stretches.iter().any(|(from, to)| *from <= at && at < *to)
    }

    /// When it goes on or off next after `now`; never where it always is.
    pub(crate) fn changes_after(&self, now: i64) -> Option<i64> {
        let (at, on) = (now.rem_euclid(WEEK), self.is_on(now));
        // Where one stretch ends at the week's end and another begins with it, nothing changes there.
        let edges = self.stretches.iter().flat_map(|(from, to)| [*from, *to]);
        let next = [0, WEEK]
            .into_iter()
            .flat_map(|week| edges.clone().map(move |edge| edge + week))
            .filter(|edge| *edge > at && self.is_on(*edge) != on)
            .min()?;
        Some(now - at + next)
    }

    /// The stretches between two moments.
    pub(crate) fn between(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        let mut found = Vec::new();
        let mut start = self.is_on(from).then_some(from);
        let mut now = from;
        while let Some(next) = self.changes_after(now).filter(|next| *next < to) {
            match start.take() {
                Some(start) => found.push((start, next)),
                None => start = Some(next),
            }
            now = next;
        }
        found.extend(start.map(|start| (start, to)));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn stretch(days: &[Day], from: &str, to: &str) -> Stretch {
        Stretch { days: days.to_vec(), from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[test]
    fn office_hours_open_and_close() {
        let office = Timetable::new(&[
            stretch(&[Day::Mon, Day::Tue], "09:00", "12:00"),
            stretch(&[Day::Mon], "11:00", "17:00"),
        ]);
        assert!(!office.is_on(9 * HOUR - 1));
        assert!(office.is_on(9 * HOUR));
        assert_eq!(office.changes_after(0), Some(9 * HOUR));
        assert_eq!(office.changes_after(9 * HOUR), Some(17 * HOUR));
        assert_eq!(office.changes_after(17 * HOUR), Some(33 * HOUR));
        assert_eq!(office.changes_after(40 * HOUR), Some(WEEK + 9 * HOUR));
        assert_eq!(
            office.between(10 * HOUR, WEEK + 10 * HOUR),
            [(10 * HOUR, 17 * HOUR), (33 * HOUR, 36 * HOUR), (WEEK + 9 * HOUR, WEEK + 10 * HOUR)]
        );
    }

    #[test]
    fn what_is_always_on_never_changes() {
        let always = Timetable::new(&[stretch(&every_day(), "00:00", "24:00")]);
        assert!(always.is_on(5 * DAY));
        assert_eq!(always.changes_after(3 * HOUR), None);
        assert_eq!(always.between(0, 30 * DAY), [(0, 30 * DAY)]);
        let night =
            Timetable::new(&[stretch(&[Day::Sun], "20:00", "24:00"), stretch(&[Day::Mon], "00:00", "06:00")]);
        assert_eq!(night.changes_after(6 * DAY + 21 * HOUR), Some(WEEK + 6 * HOUR));
    }

    #[test]
    fn stretches_over_midnight_are_refused() {
        assert!(stretch(&[Day::Mon], "22:00", "06:00").problem().is_some());
        assert!(stretch(&[], "08:00", "16:00").problem().is_some());
        assert_eq!(stretch(&[Day::Mon], "08:00", "16:00").problem(), None);
    }
}
