//! Open minutes of a week.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// Minutes of a day.
pub(super) const DAY: u16 = 24 * 60;
/// Days after which a civil search ends: those of the horizon and the one it ends in.
const DAYS: i32 = 401;

/// Open stretches of each day of the week, Monday first.
#[derive(Debug, Clone)]
pub(super) struct Week {
    days: [Vec<Stretch>; 7],
}

/// Minutes of a day, the last one excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stretch {
    from: u16,
    to: u16,
}

impl Week {
    /// A week that is never open.
    pub(super) fn closed() -> Self {
        Self { days: std::array::from_fn(|_| Vec::new()) }
    }

    /// Opens it on a day of the week. Stretches may overlap.
    pub(super) fn open(&mut self, day: usize, from: u16, to: u16) {
        if from < to {
            let stretches = &mut self.days[day];
            stretches.push(Stretch { from, to });
            stretches.sort_unstable();
        }
    }

    /// Whether it is open when clocks show this.
    pub(super) fn is_open(&self, shown: DateTime, holidays: &[Date]) -> bool {
        let minute = minute(shown);
        let stretches = self.of(shown.date());
        stretches.iter().any(|stretch| (stretch.from..stretch.to).contains(&minute))
            && holidays.binary_search(&shown.date()).is_err()
    }

    /// The first moment, from this one on, at which it is open in the zone; none up to the horizon.
    pub(super) fn next_open(
        &self,
        from: Timestamp,
        zone: &TimeZone,
        holidays: &[Date],
        horizon: Timestamp,
    ) -> Option<Timestamp> {
        let mut from = from;
        // Between two changes of the zone's offset, clocks and time run alike.
        while from <= horizon {
            let shown = zone.to_datetime(from);
            let change = next_change(zone, from);
            let opens = self
                .next_shown(shown, holidays)
                .and_then(|opens| from.checked_add(shown.duration_until(opens)).ok());
            match (opens, change) {
                (Some(opens), None) => return (opens <= horizon).then_some(opens),
                (Some(opens), Some(change)) if opens < change => return (opens <= horizon).then_some(opens),
                (_, Some(change)) => from = change,
                (None, None) => return None,
            }
        }
        None
    }

    /// When it is open in the zone from one moment up to another: in order, and none touching the next.
    pub(super) fn stretches(
        &self,
        (from, until): (Timestamp, Timestamp),
        zone: &TimeZone,
        holidays: &[Date],
    ) -> Vec<(Timestamp, Timestamp)> {
        let mut found: Vec<(Timestamp, Timestamp)> = Vec::new();
        let mut from = from;
        // Between two changes of the zone's offset, clocks and time run alike.
        while from < until {
            let change = next_change(zone, from).map_or(until, |change| change.min(until));
            let shown = zone.to_datetime(from);
            let at =
                |shows: DateTime| from.checked_add(shown.duration_until(shows)).unwrap_or(Timestamp::MAX);
            let mut date = shown.date();
            while at(date.to_datetime(jiff::civil::Time::midnight())) < change {
                let Ok(tomorrow) = date.tomorrow() else { break };
                let open = if holidays.binary_search(&date).is_ok() { &[] } else { self.of(date) };
                for stretch in open {
                    let opens = at(shown_at(date, tomorrow, stretch.from)).max(from);
                    let closes = at(shown_at(date, tomorrow, stretch.to)).min(change);
                    match found.last_mut() {
                        _ if opens >= closes => {}
                        Some(last) if opens <= last.1 => last.1 = last.1.max(closes),
                        _ => found.push((opens, closes)),
                    }
                }
                date = tomorrow;
            }
            from = change;
        }
        found
    }

    /// What clocks show when it is next open, if they are not moved before.
    fn next_shown(&self, shown: DateTime, holidays: &[Date]) -> Option<DateTime> {
        if self.is_open(shown, holidays) {
            return Some(shown);
        }
        if self.days.iter().all(Vec::is_empty) {
            return None;
        }
        let mut after = i32::from(minute(shown));
        let mut date = shown.date();
        for _ in 0..=DAYS {
            if holidays.binary_search(&date).is_err()
                && let Some(next) = self.of(date).iter().find(|next| i32::from(next.from) > after)
            {
                let time = jiff::civil::time((next.from / 60) as i8, (next.from % 60) as i8, 0, 0);
                return Some(date.to_datetime(time));
            }
            date = date.tomorrow().ok()?;
            after = -1;
        }
        None
    }

    fn of(&self, date: Date) -> &[Stretch] {
        &self.days[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())]
    }
}

/// A minute of a day as clocks show it; the last one is the first of the next day.
fn shown_at(date: Date, tomorrow: Date, minute: u16) -> DateTime {
    let (date, minute) = if minute < DAY { (date, minute) } else { (tomorrow, 0) };
    date.to_datetime(jiff::civil::time((minute / 60) as i8, (minute % 60) as i8, 0, 0))
}

fn minute(shown: DateTime) -> u16 {
    u16::from(shown.hour().unsigned_abs()) * 60 + u16::from(shown.minute().unsigned_abs())
}

/// When the zone's offset next changes after this moment, if it ever does.
fn next_change(zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    zone.following(after).map(|change| change.timestamp()).find(|change| *change > after)
}
