//! When queues are open, as far ahead as the machine is told.

use std::time::Duration;

use heliograph_assignment::Timestamp as Moment;
use heliograph_domain::resources::CalendarSpec;
use heliograph_policy::schedule::Schedule;
use jiff::Timestamp;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// How many days ahead the machine is told. It is told anew every day.
const AHEAD: i64 = 35;

/// A day of UTC, so that what holds for one day is the same on every replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i64);

impl Day {
    /// The day of a moment.
    pub(crate) fn of(now_ms: i64) -> Self {
        Self(now_ms.div_euclid(DAY_MS))
    }

    /// How much of it is left.
    pub(crate) fn left(self, now_ms: i64) -> Duration {
        let ends = self.0.saturating_add(1).saturating_mul(DAY_MS);
        Duration::from_millis(u64::try_from(ends.saturating_sub(now_ms)).unwrap_or(0))
    }
}

/// When a calendar is open in the days from this one on: in order, the end of each stretch not included. None for one
/// without a time zone, or that cannot be used.
pub(super) fn stretches(calendar: &CalendarSpec, day: Day) -> Option<Vec<(Moment, Moment)>> {
    let from = Timestamp::from_millisecond(day.0.checked_mul(DAY_MS)?).ok()?;
    let until = Timestamp::from_millisecond(day.0.checked_add(AHEAD)?.checked_mul(DAY_MS)?).ok()?;
    let found = Schedule::compile(calendar).ok()?.stretches(from, until)?;
    let moment = |at: Timestamp| Moment(at.as_millisecond());
    Some(found.into_iter().map(|(from, to)| (moment(from), moment(to))).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Duration;

    use heliograph_domain::resources::CalendarSpec;
    use serde_json::{Value, json};

    use super::{AHEAD, DAY_MS, Day, stretches};

    fn calendar(value: Value) -> CalendarSpec {
        serde_json::from_value(value).unwrap()
    }

    fn ms(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn the_days_ahead_are_told_and_clocks_that_are_moved_are_followed() {
        let office = json!({
            "time_zone": "America/New_York",
            "hours": [{ "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00" }],
            "holidays": [{ "date": "2026-11-26" }],
        });
        let now = ms("2026-10-28T15:30:00Z");
        let found = stretches(&calendar(office.clone()), Day::of(now)).unwrap();
        let times: Vec<(i64, i64)> = found.iter().map(|(from, to)| (from.0, to.0)).collect();
        assert_eq!(times[0], (ms("2026-10-28T13:00:00Z"), ms("2026-10-28T21:00:00Z")));
        // Clocks go back on the first of November.
        assert_eq!(times[3], (ms("2026-11-02T14:00:00Z"), ms("2026-11-02T22:00:00Z")));
        assert!(times.iter().all(|(from, _)| *from != ms("2026-11-26T14:00:00Z")), "a holiday");
        // Five weeks, less Thanksgiving: the first day begins, and the last ends, at midnight in London.
        assert_eq!(times.len(), 24);
        assert!(times.last().unwrap().1 <= Day::of(now).0 * DAY_MS + AHEAD * DAY_MS);
        // The same at any time of that day.
        for other in ["2026-10-28T00:00:00Z", "2026-10-28T23:59:59.999Z"] {
            assert_eq!(stretches(&calendar(office.clone()), Day::of(ms(other))).unwrap(), found);
        }
        assert_ne!(stretches(&calendar(office), Day::of(ms("2026-10-29T00:00:00Z"))).unwrap(), found);
    }

    #[test]
    fn a_calendar_without_a_clock_of_its_own_tells_nothing() {
        let hours = json!([{ "days": ["mon"], "from": "09:00", "to": "17:00" }]);
        assert_eq!(stretches(&calendar(json!({ "hours": hours })), Day::of(0)), None);
        let nowhere = calendar(json!({ "hours": hours, "time_zone": "Europe/Nowhere" }));
        assert_eq!(stretches(&nowhere, Day::of(0)), None);
    }

    #[test]
    fn a_day_ends_at_midnight_of_utc() {
        let day = Day::of(ms("2026-10-28T15:30:00Z"));
        assert_eq!(day.left(ms("2026-10-28T15:30:00Z")), Duration::from_mins(8 * 60 + 30));
        assert_eq!(day.left(ms("2026-10-28T23:59:59.999Z")), Duration::from_millis(1));
        assert_eq!(day.left(ms("2026-10-29T00:00:00Z")), Duration::ZERO);
        assert_eq!(Day::of(ms("2026-10-29T00:00:00Z")), Day(day.0 + 1));
        assert_eq!(Day::of(-1), Day(-1));
    }
}
