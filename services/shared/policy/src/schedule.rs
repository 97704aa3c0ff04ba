//! When it is open: calendars, quiet hours, and the next moment at which a message may go.
//!
//! Hours are those of a clock on a wall. Where clocks are put forward, hours that the gap swallows do not come; where they
//! are put back, they come twice. Both are exact here: a moment is open if the clock in the zone shows an open minute then.

mod week;

use heliograph_domain::resources::{CalendarSpec, QuietHours};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use week::{DAY, Week};

/// How far ahead an opening is looked for: longer than a year, so that a yearly pattern of holidays cannot hide it.
const HORIZON: SignedDuration = SignedDuration::from_hours(400 * 24);
/// Within which time everybody's quiet hours end at least once: a day, and what clocks are moved by.
const ROUND: SignedDuration = SignedDuration::from_hours(50);

/// A calendar, ready to be asked.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The calendar's own zone, which counts in place of the customer's.
    zone: Option<TimeZone>,
    week: Week,
    /// Days on which it is closed, in order.
    holidays: Vec<Date>,
}

/// Why a calendar cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The time zone database does not have it.
    #[error("there is no time zone {0:?}")]
    NoZone(String),
    /// Hours that end before they begin, by their place in the list.
    #[error("hours[{0}] end before they begin; a night shift is two entries")]
    Backwards(usize),
}

impl Schedule {
    /// Compiles a calendar. Without any hours it is never open.
    pub fn compile(spec: &CalendarSpec) -> Result<Self, ScheduleError> {
        let zone = match &spec.time_zone {
            Some(name) => Some(TimeZone::get(name).map_err(|_| ScheduleError::NoZone(name.clone()))?),
            None => None,
        };
        let mut week = Week::closed();
        for (index, hours) in spec.hours.iter().enumerate() {
            if hours.from >= hours.to {
                return Err(ScheduleError::Backwards(index));
            }
            for day in &hours.days {
                week.open(*day as usize, hours.from.minutes(), hours.to.minutes());
            }
        }
        let mut holidays: Vec<Date> = spec.holidays.iter().map(|holiday| holiday.date).collect();
        holidays.sort_unstable();
        holidays.dedup();
        Ok(Self { zone, week, holidays })
    }

    /// Whether it is open, for a customer in this zone.
    pub fn is_open(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.is_open_in(now, self.zone.as_ref().unwrap_or(zone))
    }

    /// The first moment, from now on, at which it is open in all these zones: now itself if it is. None if there is none in
    /// the next 400 days. A calendar with its own zone does not look at these, and one without, given none, takes UTC.
    pub fn next_open(&self, now: Timestamp, zones: &[TimeZone]) -> Option<Timestamp> {
        match &self.zone {
            Some(zone) => self.next_open_in_all(now, std::slice::from_ref(zone)),
            None if zones.is_empty() => self.next_open_in_all(now, &[TimeZone::UTC]),
            None => self.next_open_in_all(now, zones),
        }
    }

    /// When it is open from one moment up to another, by its own zone: in order, the end of each not included, and none
    /// touching the next. None if it has no zone of its own.
    pub fn stretches(&self, from: Timestamp, until: Timestamp) -> Option<Vec<(Timestamp, Timestamp)>> {
        let zone = self.zone.as_ref()?;
        Some(self.week.stretches((from, until), zone, &self.holidays))
    }

    fn is_open_in(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.week.is_open(zone.to_datetime(now), &self.holidays)
    }

    fn next_open_in_all(&self, now: Timestamp, zones: &[TimeZone]) -> Option<Timestamp> {
        if zones.iter().all(|zone| self.is_open_in(now, zone)) {
            return Some(now);
        }
        let horizon = now.saturating_add(HORIZON).unwrap_or(Timestamp::MAX);
        let mut candidate = now;
        // No zone is open between the candidate and the moment it is moved to, so that nothing is passed over.
        loop {
            let mut moved = false;
            for zone in zones {
                let opens = self.week.next_open(candidate, zone, &self.holidays, horizon)?;
                moved |= opens != candidate;
                candidate = opens;
            }
            if !moved {
                return Some(candidate);
            }
        }
    }
}

/// Hours of every day in which customers are left alone.
#[derive(Debug, Clone)]
pub struct Quiet {
    /// Open while it is not quiet.
    loud: Schedule,
}

impl Quiet {
    /// Reads quiet hours. Hours that end when they begin silence nothing.
    pub fn new(hours: QuietHours) -> Self {
        let (from, to) = (hours.from.minutes() % DAY, hours.to.minutes() % DAY);
        let mut week = Week::closed();
        for day in 0..7 {
            if to < from {
                week.open(day, to, from);
            } else {
                week.open(day, 0, from);
                week.open(day, if to == from { 0 } else { to }, DAY);
            }
        }
        Self { loud: Schedule { zone: None, week, holidays: Vec::new() } }
    }

    /// The first moment, from now on, at which it is quiet in none of these zones: now itself if it is.
    ///
    /// Zones that lie so far apart that it is always quiet in one of them get the first moment, within a day or so, at which
    /// it is quiet in the fewest: a message is put off, never for good.
    pub fn next_open(&self, now: Timestamp, zones: &[TimeZone]) -> Timestamp {
        if zones.iter().all(|zone| self.loud.is_open_in(now, zone)) {
            return now;
        }
        let horizon = now.saturating_add(ROUND).unwrap_or(Timestamp::MAX);
        let together = self.loud.next_open(now, zones).filter(|found| *found <= horizon);
        together.unwrap_or_else(|| self.least_quiet(now, zones, horizon))
    }

    fn least_quiet(&self, now: Timestamp, zones: &[TimeZone], horizon: Timestamp) -> Timestamp {
        let loud = |at: Timestamp| zones.iter().filter(|zone| self.loud.is_open_in(at, zone)).count();
        let openings = zones.iter().filter_map(|zone| self.loud.week.next_open(now, zone, &[], horizon));
        // The earliest of those with the most zones. It only ever gets louder where quiet hours end.
        openings.min_by_key(|at| (std::cmp::Reverse(loud(*at)), *at)).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests;
