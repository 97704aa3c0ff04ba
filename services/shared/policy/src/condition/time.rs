//! Points in time and lengths of time.

use jiff::{SignedDuration, Timestamp, Zoned, civil::DateTime, tz::TimeZone};

/// A point in time, and whose clock its hours and days are told by.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    pub(super) at: Timestamp,
    /// A moment in the zone whose clock counts; UTC if none.
    clock: Option<&'a Zoned>,
}

impl<'a> Moment<'a> {
    /// A moment whose clock is that of UTC.
    pub fn utc(at: Timestamp) -> Self {
        Self { at, clock: None }
    }

    /// A moment by a clock of its own.
    pub fn zoned(at: &'a Zoned) -> Self {
        Self { at: at.timestamp(), clock: Some(at) }
    }

    /// So much later, by the same clock. None when there is no such time.
    pub(super) fn plus(self, span: SignedDuration) -> Option<Self> {
        Some(Self { at: self.at.checked_add(span).ok()?, ..self })
    }

    fn shown(self) -> DateTime {
        match self.clock {
            None => TimeZone::UTC.to_datetime(self.at),
            Some(zoned) if zoned.timestamp() == self.at => zoned.datetime(),
            Some(zoned) => zoned.time_zone().to_datetime(self.at),
        }
    }
}

/// A part of what a clock and a calendar show, counted as CEL counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
}

impl Part {
    pub(super) const ALL: [(&'static str, Self); 9] = [
        ("getFullYear", Self::FullYear),
        ("getMonth", Self::Month),
        ("getDate", Self::Date),
        ("getDayOfMonth", Self::DayOfMonth),
        ("getDayOfWeek", Self::DayOfWeek),
        ("getDayOfYear", Self::DayOfYear),
        ("getHours", Self::Hours),
        ("getMinutes", Self::Minutes),
        ("getSeconds", Self::Seconds),
    ];

    /// The part that a function gives.
    pub(super) fn of(function: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == function).map(|(_, part)| *part)
    }

    /// The part of a moment.
    pub(super) fn of_moment(self, moment: Moment<'_>) -> i64 {
        let shown = moment.shown();
        match self {
            Self::FullYear => shown.year().into(),
            Self::Month => i64::from(shown.month()) - 1,
            Self::Date => shown.day().into(),
            Self::DayOfMonth => i64::from(shown.day()) - 1,
            Self::DayOfWeek => shown.weekday().to_sunday_zero_offset().into(),
            Self::DayOfYear => i64::from(shown.day_of_year()) - 1,
            Self::Hours => shown.hour().into(),
            Self::Minutes => shown.minute().into(),
            Self::Seconds => shown.second().into(),
        }
    }

    /// How many whole hours, minutes or seconds a length of time has; none of the other parts.
    pub(super) fn of_span(self, span: SignedDuration) -> Option<i64> {
        match self {
            Self::Hours => Some(span.as_hours()),
            Self::Minutes => Some(span.as_mins()),
            Self::Seconds => Some(span.as_secs()),
            _ => None,
        }
    }
}

/// Units of a length of time in nanoseconds, as CEL has them.
const UNITS: [(&str, i128); 7] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// Reads a length of time such as `36h`, `1h30m`, `1.5h` or `-10s`.
pub(super) fn span(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut nanos = 0_i128;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let after = &rest[number..];
        let letters = after
            .find(|character: char| character.is_ascii_digit() || character == '.')
            .unwrap_or(after.len());
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &after[..letters])?;
        nanos = nanos.checked_add(scaled(&rest[..number], *unit)?)?;
        rest = &after[letters..];
    }
    let nanos = if negative { -nanos } else { nanos };
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    let rest = i32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?;
    SignedDuration::from_secs(seconds).checked_add(SignedDuration::new(0, rest))
}

/// A decimal number of units. What is smaller than a nanosecond is cut off.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || whole.len() > 15 || fraction.len() > 18 {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<i128>().ok() };
    let parts = digits(fraction)?.checked_mul(unit)? / 10_i128.pow(fraction.len() as u32);
    digits(whole)?.checked_mul(unit)?.checked_add(parts)
}
