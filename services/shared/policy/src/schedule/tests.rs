#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod properties;

use heliograph_domain::resources::{CalendarSpec, Day, Holiday, Hours, QuietHours};
use jiff::{Timestamp, tz::TimeZone};

use super::{Quiet, Schedule, ScheduleError};

const WEEK: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn hours(days: &[Day], from: &str, to: &str) -> Hours {
    Hours { days: days.to_vec(), from: from.parse().unwrap(), to: to.parse().unwrap() }
}

fn calendar(hours: Vec<Hours>) -> CalendarSpec {
    CalendarSpec { time_zone: None, hours, holidays: Vec::new() }
}

fn daily(from: &str, to: &str) -> Schedule {
    Schedule::compile(&calendar(vec![hours(&WEEK, from, to)])).unwrap()
}

fn quiet(from: &str, to: &str) -> Quiet {
    Quiet::new(QuietHours { from: from.parse().unwrap(), to: to.parse().unwrap() })
}

#[test]
fn opens_when_the_clock_on_the_wall_says_so() {
    // Zone, hours, now, next opening.
    let table = [
        // An ordinary day.
        ("America/New_York", "09:00", "17:00", "2026-11-23T13:59:59Z", "2026-11-23T14:00:00Z"),
        ("America/New_York", "09:00", "17:00", "2026-11-23T14:00:00Z", "2026-11-23T14:00:00Z"),
        ("America/New_York", "09:00", "17:00", "2026-11-23T21:59:59.999Z", "2026-11-23T21:59:59.999Z"),
        ("America/New_York", "09:00", "17:00", "2026-11-23T22:00:00Z", "2026-11-24T14:00:00Z"),
        // The night clocks go forward: the day begins an hour earlier.
        ("America/New_York", "09:00", "17:00", "2026-03-07T23:00:00Z", "2026-03-08T13:00:00Z"),
        // 02:00 to 03:00 does not come; what begins within it begins where clocks stand after the gap.
        ("America/New_York", "02:30", "04:00", "2026-03-08T06:59:00Z", "2026-03-08T07:00:00Z"),
        // What lies within the gap is left out that day.
        ("America/New_York", "02:10", "02:50", "2026-03-08T06:00:00Z", "2026-03-09T06:10:00Z"),
        // The night clocks go back: 01:30 comes twice, and in between it is closed again.
        ("America/New_York", "01:30", "01:45", "2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z"),
        ("America/New_York", "01:30", "01:45", "2026-11-01T05:45:00Z", "2026-11-01T06:30:00Z"),
        ("America/New_York", "01:30", "01:45", "2026-11-01T06:45:00Z", "2026-11-02T06:30:00Z"),
        // No summer time any more, though February and November once had it.
        ("America/Sao_Paulo", "08:00", "20:00", "2026-02-14T23:30:00Z", "2026-02-15T11:00:00Z"),
        ("America/Sao_Paulo", "08:00", "20:00", "2018-11-03T23:30:00Z", "2018-11-04T10:00:00Z"),
        // Half an hour of summer time.
        ("Australia/Lord_Howe", "09:00", "17:00", "2026-10-03T12:00:00Z", "2026-10-03T22:00:00Z"),
        ("Australia/Lord_Howe", "02:00", "02:30", "2026-10-03T14:00:00Z", "2026-10-04T15:00:00Z"),
        ("Australia/Lord_Howe", "01:30", "02:00", "2026-04-04T14:30:00Z", "2026-04-04T14:30:00Z"),
        ("Australia/Lord_Howe", "01:30", "01:45", "2026-04-04T14:45:00Z", "2026-04-04T15:00:00Z"),
        // 30 December 2011 was left out in Samoa.
        ("Pacific/Apia", "09:00", "17:00", "2011-12-30T03:00:00Z", "2011-12-30T19:00:00Z"),
        ("Pacific/Apia", "09:00", "17:00", "2026-06-01T04:00:00Z", "2026-06-01T20:00:00Z"),
        // Iran gave summer time up in 2022.
        ("Asia/Tehran", "08:00", "20:00", "2026-07-01T17:00:00Z", "2026-07-02T04:30:00Z"),
        ("Asia/Tehran", "08:00", "20:00", "2021-07-01T17:00:00Z", "2021-07-02T03:30:00Z"),
        ("Asia/Kathmandu", "10:00", "17:00", "2026-07-01T04:14:59Z", "2026-07-01T04:15:00Z"),
        // The end of the day is not open; the whole day is.
        ("Etc/UTC", "08:00", "24:00", "2026-07-01T23:59:59Z", "2026-07-01T23:59:59Z"),
        ("Etc/UTC", "08:00", "24:00", "2026-07-02T00:00:00Z", "2026-07-02T08:00:00Z"),
        ("Etc/UTC", "00:00", "24:00", "2026-07-02T00:00:00Z", "2026-07-02T00:00:00Z"),
    ];
    for (name, from, to, now, opens) in table {
        let schedule = daily(from, to);
        let (now, opens) = (at(now), at(opens));
        let found = schedule.next_open(now, &[zone(name)]);
        assert_eq!(found, Some(opens), "{name} {from}–{to} at {now}");
        assert_eq!(schedule.is_open(now, &zone(name)), now == opens, "{name} {from}–{to} at {now}");
    }
}

#[test]
fn days_shifts_and_holidays_count() {
    let spec = CalendarSpec {
        time_zone: Some("Europe/Madrid".to_owned()),
        hours: vec![
            hours(&WEEK[..5], "16:00", "19:00"),
            hours(&WEEK[..5], "09:00", "13:00"),
            hours(&[Day::Sat], "10:00", "14:00"),
        ],
        holidays: vec![
            Holiday { date: "2026-12-08".parse().unwrap(), name: None },
            Holiday { date: "2026-12-07".parse().unwrap(), name: Some("Puente".to_owned()) },
        ],
    };
    let schedule = Schedule::compile(&spec).unwrap();
    // Its own zone counts, whatever the customer's is.
    let tokyo = [zone("Asia/Tokyo")];
    let next = |now: &str| schedule.next_open(at(now), &tokyo).unwrap().to_string();
    assert_eq!(next("2026-11-23T11:59:00Z"), "2026-11-23T11:59:00Z");
    assert_eq!(next("2026-11-23T12:00:00Z"), "2026-11-23T15:00:00Z");
    assert_eq!(next("2026-11-23T18:00:00Z"), "2026-11-24T08:00:00Z");
    assert_eq!(next("2026-11-27T18:00:00Z"), "2026-11-28T09:00:00Z");
    assert_eq!(next("2026-11-28T13:00:00Z"), "2026-11-30T08:00:00Z");
    assert_eq!(next("2026-12-05T13:00:00Z"), "2026-12-09T08:00:00Z");
    assert!(!schedule.is_open(at("2026-12-07T09:00:00Z"), &tokyo[0]));
}

#[test]
fn a_message_waits_until_it_is_open_in_every_zone() {
    let schedule = daily("09:00", "17:00");
    let zones = ["America/New_York", "America/Chicago", "America/Los_Angeles", "Pacific/Honolulu"].map(zone);
    let found = schedule.next_open(at("2026-11-23T14:30:00Z"), &zones);
    assert_eq!(found, Some(at("2026-11-23T19:00:00Z")));
    // After that New York has closed: the next day.
    let found = schedule.next_open(at("2026-11-23T22:00:00Z"), &zones);
    assert_eq!(found, Some(at("2026-11-24T19:00:00Z")));
    // Nobody is ever awake at both ends of the world.
    let ends = ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Atlantic/Azores"].map(zone);
    assert_eq!(daily("09:00", "12:00").next_open(at("2026-11-23T14:30:00Z"), &ends), None);
    // Nobody's zone is known at all.
    assert_eq!(schedule.next_open(at("2026-11-23T18:30:00Z"), &[]), Some(at("2026-11-24T09:00:00Z")));
}

#[test]
fn what_never_opens_says_so() {
    let never = Schedule::compile(&calendar(Vec::new())).unwrap();
    assert_eq!(never.next_open(at("2026-11-23T14:30:00Z"), &[zone("America/New_York")]), None);
    assert_eq!(never.next_open(Timestamp::MAX, &[TimeZone::UTC]), None);
    assert_eq!(daily("09:00", "09:01").next_open(Timestamp::MAX, &[TimeZone::UTC]), None);
    // Every Monday of more than a year is a holiday.
    let mut spec = calendar(vec![hours(&[Day::Mon], "09:00", "17:00")]);
    let monday: jiff::civil::Date = "2026-11-23".parse().unwrap();
    for week in 0..60 {
        let date = monday.checked_add(jiff::Span::new().weeks(week)).unwrap();
        spec.holidays.push(Holiday { date, name: None });
    }
    let closed = Schedule::compile(&spec).unwrap();
    assert_eq!(closed.next_open(at("2026-11-23T14:30:00Z"), &[TimeZone::UTC]), None);
    assert_eq!(
        closed.next_open(at("2026-12-23T14:30:00Z"), &[TimeZone::UTC]),
        Some(at("2028-01-17T09:00:00Z"))
    );
}

#[test]
fn a_calendar_that_cannot_be_used_says_why() {
    let mut spec = calendar(vec![hours(&WEEK, "09:00", "17:00"), hours(&WEEK, "22:00", "06:00")]);
    assert_eq!(Schedule::compile(&spec).unwrap_err(), ScheduleError::Backwards(1));
    spec.time_zone = Some("America/Sao_Paolo".to_owned());
    let error = Schedule::compile(&spec).unwrap_err();
    assert_eq!(error.to_string(), "there is no time zone \"America/Sao_Paolo\"");
}

#[test]
fn quiet_hours_end() {
    // Zones, hours, now, when it may go.
    let table: [(&[&str], &str, &str, &str, &str); 11] = [
        (&["America/New_York"], "21:00", "08:00", "2026-11-23T01:59:59Z", "2026-11-23T01:59:59Z"),
        (&["America/New_York"], "21:00", "08:00", "2026-11-23T02:00:00Z", "2026-11-23T13:00:00Z"),
        (&["America/New_York"], "21:00", "08:00", "2026-11-23T12:59:00Z", "2026-11-23T13:00:00Z"),
        // Over the change of clocks.
        (&["America/New_York"], "21:00", "08:00", "2026-11-01T03:00:00Z", "2026-11-01T13:00:00Z"),
        (&["America/New_York"], "21:00", "08:00", "2026-03-08T03:00:00Z", "2026-03-08T12:00:00Z"),
        // Within a day.
        (&["Europe/Madrid"], "14:00", "16:00", "2026-11-23T13:30:00Z", "2026-11-23T15:00:00Z"),
        // Up to midnight, and from midnight on.
        (&["Etc/UTC"], "20:00", "24:00", "2026-11-23T20:00:00Z", "2026-11-24T00:00:00Z"),
        (&["Etc/UTC"], "00:00", "08:00", "2026-11-23T23:59:00Z", "2026-11-23T23:59:00Z"),
        (&["Etc/UTC"], "24:00", "08:00", "2026-11-23T00:00:00Z", "2026-11-23T08:00:00Z"),
        // Every zone of the country.
        (
            &["America/New_York", "America/Los_Angeles"],
            "21:00",
            "08:00",
            "2026-11-23T13:30:00Z",
            "2026-11-23T16:00:00Z",
        ),
        (
            &["America/New_York", "America/Los_Angeles"],
            "21:00",
            "08:00",
            "2026-11-24T03:00:00Z",
            "2026-11-24T16:00:00Z",
        ),
    ];
    for (names, from, to, now, free) in table {
        let zones: Vec<TimeZone> = names.iter().map(|name| zone(name)).collect();
        assert_eq!(quiet(from, to).next_open(at(now), &zones), at(free), "{names:?} {from}–{to} at {now}");
    }
}

#[test]
fn quiet_hours_never_last_for_good() {
    // Fourteen quiet hours, and zones eleven hours apart: it is always quiet in one of them.
    let zones = ["Europe/Kaliningrad", "Asia/Kamchatka"].map(zone);
    let next = |zones: &[TimeZone]| quiet("18:00", "08:00").next_open(at("2026-11-23T02:00:00Z"), zones);
    assert_eq!(next(&zones), at("2026-11-23T02:00:00Z"));
    // It waits for the moment at which most may be written to.
    let more = ["Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka"].map(zone);
    assert_eq!(next(&more), at("2026-11-23T05:00:00Z"));
    // Hours that are no hours silence nothing; nor does a whole day.
    for (from, to) in [("09:00", "09:00"), ("00:00", "24:00"), ("24:00", "00:00")] {
        let now = at("2026-11-23T09:00:00Z");
        assert_eq!(quiet(from, to).next_open(now, &zones), now);
    }
    assert_eq!(quiet("21:00", "08:00").next_open(Timestamp::MAX, &zones), Timestamp::MAX);
}
