//! The next opening, against looking at every minute.

use heliograph_domain::resources::{CalendarSpec, ClockTime, Holiday, Hours, QuietHours};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::{Quiet, Schedule, WEEK, at, zone};

const ZONES: [&str; 10] = [
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Europe/London",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Etc/UTC",
];

/// Moments shortly before clocks were, or will be, moved somewhere.
const NEAR: [&str; 8] = [
    "2026-03-07T12:00:00Z",
    "2026-10-31T12:00:00Z",
    "2026-04-04T00:00:00Z",
    "2026-10-03T00:00:00Z",
    "2011-12-29T12:00:00Z",
    "2026-03-28T12:00:00Z",
    "2026-10-24T12:00:00Z",
    "2026-02-14T12:00:00Z",
];

fn clock(minute: u16) -> ClockTime {
    format!("{:02}:{:02}", minute / 60, minute % 60).parse().unwrap()
}

prop_compose! {
    fn any_hours()(days in prop::sample::subsequence(WEEK.to_vec(), 1..=7), from in 0_u16..1440, length in 1_u16..900) -> Hours {
        Hours { days, from: clock(from), to: clock((from + length).min(1440)) }
    }
}

prop_compose! {
    fn any_now()(near in prop::sample::select(&NEAR[..]), seconds in 0_i64..4 * 86_400) -> Timestamp {
        at(near).checked_add(SignedDuration::from_secs(seconds)).unwrap()
    }
}

fn any_zones() -> impl Strategy<Value = Vec<TimeZone>> {
    prop::sample::subsequence(ZONES.to_vec(), 1..=3).prop_map(|names| names.into_iter().map(zone).collect())
}

/// This moment, then every full minute of four days. Clocks only ever change between open and closed on a full minute.
fn minutes(now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let next = now.as_second() - now.as_second().rem_euclid(60) + 60;
    std::iter::once(now).chain((0..4 * 1440).map(move |n| Timestamp::from_second(next + n * 60).unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_next_opening_is_the_first(
        hours in prop::collection::vec(any_hours(), 0..4),
        holidays in prop::collection::vec((2_i8..4, 1_i8..29), 0..3),
        now in any_now(),
        zones in any_zones(),
    ) {
        let holidays = holidays
            .into_iter()
            .map(|(month, day)| Holiday { date: jiff::civil::date(2026, month, day), name: None })
            .collect();
        let schedule = Schedule::compile(&CalendarSpec { time_zone: None, hours, holidays }).unwrap();
        let open = |at: Timestamp| zones.iter().all(|zone| schedule.is_open(at, zone));
        let found = schedule.next_open(now, &zones);
        if let Some(first) = minutes(now).find(|at| open(*at)) {
            prop_assert_eq!(found, Some(first));
        } else {
            let last = minutes(now).last().unwrap();
            prop_assert!(found.is_none_or(|found| found > last && open(found)));
        }
    }

    #[test]
    fn stretches_are_the_open_minutes(
        hours in prop::collection::vec(any_hours(), 0..4),
        holidays in prop::collection::vec((2_i8..4, 1_i8..29), 0..3),
        now in any_now(),
        name in prop::sample::select(&ZONES[..]),
    ) {
        let holidays = holidays
            .into_iter()
            .map(|(month, day)| Holiday { date: jiff::civil::date(2026, month, day), name: None })
            .collect();
        let calendar = CalendarSpec { time_zone: Some(name.to_owned()), hours, holidays };
        let schedule = Schedule::compile(&calendar).unwrap();
        let until = minutes(now).last().unwrap();
        let stretches = schedule.stretches(now, until).unwrap();
        for at in minutes(now).filter(|at| *at < until) {
            let within = stretches.iter().any(|(from, to)| *from <= at && at < *to);
            prop_assert_eq!(within, schedule.is_open(at, &zone(name)), "{}", at);
        }
        prop_assert!(stretches.iter().all(|(from, to)| from < to && *from >= now && *to <= until));
        prop_assert!(stretches.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", stretches);
    }

    #[test]
    fn quiet_hours_end_at_the_first_moment_that_is_not_quiet(
        from in 0_u16..1440,
        length in 1_u16..720,
        now in any_now(),
        zones in any_zones(),
    ) {
        let to = (from + length) % 1440;
        let quiet_at = |at: Timestamp, zone: &TimeZone| {
            let shown = zone.to_datetime(at);
            let minute = u16::try_from(shown.hour()).unwrap() * 60 + u16::try_from(shown.minute()).unwrap();
            (minute + 1440 - from) % 1440 < length
        };
        let found = Quiet::new(QuietHours { from: clock(from), to: clock(to) }).next_open(now, &zones);
        prop_assert!(found >= now);
        let first = minutes(now).find(|at| zones.iter().all(|zone| !quiet_at(*at, zone)));
        if let Some(first) = first {
            prop_assert_eq!(found, first);
        } else {
            // It is always quiet in one of them; then it is not quiet in another.
            prop_assert!(zones.iter().any(|zone| !quiet_at(found, zone)));
        }
    }
}
