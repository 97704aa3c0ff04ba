//! When customers come.

use heliograph_domain::resources::Period;
use serde::Deserialize;

use crate::{
    distribution::millis,
    random::Random,
    week::{self, Stretch, WEEK},
};

/// When customers of one kind come.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// One by one and independent of each other, so many an hour.
    Poisson(Rate),
    /// At equal distances.
    Every(Period),
    /// At these times after the start.
    At(Vec<Period>),
}

/// How many come an hour: one number, or a profile of the day.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// So many an hour, day and night.
    #[serde(default)]
    pub per_hour: Option<f64>,
    /// So many an hour in each stretch of the day, none outside. Where stretches overlap, they add up.
    #[serde(default)]
    pub profile: Vec<Busy>,
}

/// A stretch of the day and how many come.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Busy {
    /// Days of the week; every day unless given.
    #[serde(default = "week::every_day")]
    pub days: Vec<heliograph_domain::resources::Day>,
    /// First minute.
    pub from: heliograph_domain::resources::ClockTime,
    /// First minute after.
    pub to: heliograph_domain::resources::ClockTime,
    /// So many an hour.
    pub per_hour: f64,
}

impl Busy {
    fn stretch(&self) -> Stretch {
        Stretch { days: self.days.clone(), from: self.from, to: self.to }
    }
}

impl Arrivals {
    /// What makes no sense: the field within, and why.
    pub(crate) fn problem(&self) -> Option<(String, &'static str)> {
        let good = |rate: f64| rate >= 0.0 && rate.is_finite();
        match self {
            Self::Poisson(Rate { per_hour: Some(_), profile }) if !profile.is_empty() => {
                Some(("poisson".to_owned(), "per_hour or a profile, not both"))
            }
            Self::Poisson(Rate { per_hour: None, profile }) if profile.is_empty() => {
                Some(("poisson".to_owned(), "say per_hour, or a profile of the day"))
            }
            Self::Poisson(Rate { per_hour: Some(rate), .. }) if !good(*rate) => {
                Some(("poisson.per_hour".to_owned(), "a rate is 0 or more"))
            }
            Self::Poisson(Rate { profile, .. }) => profile.iter().enumerate().find_map(|(at, busy)| {
                let wrong =
                    if good(busy.per_hour) { busy.stretch().problem() } else { Some("a rate is 0 or more") };
                wrong.map(|wrong| (format!("poisson.profile[{at}]"), wrong))
            }),
            Self::Every(gap) if gap.as_millis() == 0 => {
                Some(("every".to_owned(), "the distance must be longer than 0s"))
            }
            Self::Every(_) | Self::At(_) => None,
        }
    }

    /// Whether it depends on the time of the day.
    pub(crate) fn is_daily(&self) -> bool {
        matches!(self, Self::Poisson(Rate { profile, .. }) if !profile.is_empty())
    }

    /// So many an hour where that never changes and they come independently.
    pub(crate) fn constant_per_hour(&self) -> Option<f64> {
        match self {
            Self::Poisson(Rate { per_hour, .. }) => *per_hour,
            Self::Every(_) | Self::At(_) => None,
        }
    }

    /// The arrivals from `start` on.
    pub(crate) fn from(&self, start: i64) -> Stream {
        Stream { pattern: self.pattern(start), start, next: 0, at: as_number(start) }
    }

    fn pattern(&self, start: i64) -> Pattern {
        match self {
            Self::Poisson(Rate { per_hour, profile }) if profile.is_empty() => {
                Pattern::Constant(per_hour.unwrap_or(0.0) / 3_600_000.0)
            }
            Self::Poisson(Rate { profile, .. }) => Pattern::Weekly(weekly(profile)),
            Self::Every(gap) => Pattern::Every(millis(*gap)),
            Self::At(times) => {
                let mut times: Vec<i64> = times.iter().map(|time| start + whole(millis(*time))).collect();
                times.sort_unstable();
                Pattern::At(times)
            }
        }
    }
}

/// The week as stretches of one rate each, in arrivals a millisecond. They begin at the week's start and leave no gap.
fn weekly(profile: &[Busy]) -> Vec<(i64, f64)> {
    let stretches: Vec<(i64, i64, f64)> = profile
        .iter()
        .flat_map(|busy| {
            let rate = busy.per_hour / 3_600_000.0;
            busy.stretch().within_week().map(|(from, to)| (from, to, rate)).collect::<Vec<_>>()
        })
        .collect();
    let mut edges: Vec<i64> = stretches.iter().flat_map(|(from, to, _)| [*from, *to]).chain([0]).collect();
    edges.retain(|edge| *edge < WEEK);
    edges.sort_unstable();
    edges.dedup();
    let rate = |at: i64| {
        let on = stretches.iter().filter(|(from, to, _)| *from <= at && at < *to);
        on.map(|(_, _, rate)| rate).sum()
    };
    edges.into_iter().map(|edge| (edge, rate(edge))).collect()
}

#[derive(Clone, Debug)]
enum Pattern {
    /// Arrivals a millisecond.
    Constant(f64),
    Weekly(Vec<(i64, f64)>),
    Every(f64),
    At(Vec<i64>),
}

/// Arrivals one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pattern: Pattern,
    start: i64,
    next: usize,
    /// The last arrival, unrounded, so that rounding does not add up.
    at: f64,
}

impl Stream {
    /// The next arrival; none when no more come.
    pub(crate) fn next(&mut self, random: &mut Random) -> Option<i64> {
        self.next += 1;
        self.at = match &self.pattern {
            Pattern::Constant(rate) => (*rate > 0.0).then(|| self.at + random.exponential() / rate)?,
            Pattern::Weekly(rates) => through(rates, self.at, random.exponential())?,
            #[allow(clippy::cast_precision_loss, reason = "counts of arrivals are far below 2^53")]
            Pattern::Every(gap) => as_number(self.start) + gap * self.next as f64,
            Pattern::At(times) => as_number(*times.get(self.next - 1)?),
        };
        Some(whole(self.at))
    }
}

/// When so many arrivals are to be expected after `at` as `need` says: from one stretch of one rate to the next.
fn through(rates: &[(i64, f64)], at: f64, mut need: f64) -> Option<f64> {
    if rates.iter().all(|(_, rate)| *rate <= 0.0) {
        return None;
    }
    let week = as_number(WEEK);
    let mut base = (at / week).floor() * week;
    let mut now = at;
    loop {
        for (index, (from, rate)) in rates.iter().enumerate() {
            let end = base + rates.get(index + 1).map_or(week, |(next, _)| as_number(*next));
            now = now.max(base + as_number(*from));
            if now >= end {
                continue;
            }
            let offered = (end - now) * rate;
            if offered >= need {
                return Some(now + need / rate);
            }
            need -= offered;
            now = end;
        }
        base += week;
    }
}

#[allow(clippy::cast_precision_loss, reason = "times are far below 2^53 milliseconds")]
pub(crate) fn as_number(millis: i64) -> f64 {
    millis as f64
}

/// Whole milliseconds, to the nearest.
pub(crate) fn whole(millis: f64) -> i64 {
    millis.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    const HOUR: i64 = 3_600_000;

    fn until(arrivals: &Arrivals, start: i64, end: i64) -> Vec<i64> {
        let mut random = Random::stream(3, 0, Purpose::Arrivals, 0);
        let mut stream = arrivals.from(start);
        std::iter::from_fn(|| stream.next(&mut random)).take_while(|at| *at < end).collect()
    }

    fn busy(from: &str, to: &str, per_hour: f64) -> Busy {
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        Busy { days: week::every_day(), from, to, per_hour }
    }

    #[test]
    fn a_constant_rate_gives_as_many_as_it_says_and_spreads_them_as_it_should() {
        let arrivals = Arrivals::Poisson(Rate { per_hour: Some(3_600.0), profile: Vec::new() });
        let times = until(&arrivals, 5, 5 + 100 * HOUR);
        let count = times.len() as f64;
        assert!((count - 360_000.0).abs() < 4.0 * 600.0, "{count}");
        let gaps: Vec<f64> = times.windows(2).map(|pair| as_number(pair[1] - pair[0])).collect();
        let mean = gaps.iter().sum::<f64>() / (count - 1.0);
        let square = gaps.iter().map(|gap| gap * gap).sum::<f64>() / (count - 1.0);
        // The second moment of an exponential is twice the square of its mean.
        assert!((square / (2.0 * mean * mean) - 1.0).abs() < 0.02, "{square} {mean}");
    }

    #[test]
    fn a_profile_gives_as_many_in_each_stretch_as_it_says() {
        let profile = vec![busy("08:00", "12:00", 1_000.0), busy("10:00", "18:00", 500.0)];
        let arrivals = Arrivals::Poisson(Rate { per_hour: None, profile });
        let times = until(&arrivals, 9 * HOUR, 9 * HOUR + 20 * 24 * HOUR);
        let of_day = |from: i64, to: i64| {
            times.iter().filter(|at| (from * HOUR..to * HOUR).contains(&(**at % (24 * HOUR)))).count() as f64
        };
        assert_eq!(of_day(0, 8) + of_day(18, 24), 0.0);
        for (from, to, expected) in [(8, 10, 40_000.0), (10, 12, 60_000.0), (12, 18, 60_000.0_f64)] {
            assert!((of_day(from, to) - expected).abs() < 4.0 * expected.sqrt(), "{from} to {to}");
        }
    }

    #[test]
    fn lists_and_equal_distances_are_taken_as_they_are() {
        let seconds = Period::seconds;
        let list = Arrivals::At(vec![seconds(20), seconds(5)]);
        assert_eq!(until(&list, 1_000, HOUR), [6_000, 21_000]);
        assert_eq!(until(&Arrivals::Every(seconds(10)), 0, 35_000), [10_000, 20_000, 30_000]);
        let nobody = Arrivals::Poisson(Rate { per_hour: Some(0.0), profile: Vec::new() });
        assert_eq!(until(&nobody, 0, HOUR), Vec::<i64>::new());
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let rate = |per_hour, profile| Arrivals::Poisson(Rate { per_hour, profile });
        let field = |arrivals: Arrivals| arrivals.problem().map(|(field, _)| field);
        assert_eq!(field(rate(None, Vec::new())).as_deref(), Some("poisson"));
        assert_eq!(field(rate(Some(-1.0), Vec::new())).as_deref(), Some("poisson.per_hour"));
        let late = vec![busy("08:00", "12:00", 5.0), busy("12:00", "12:00", 5.0)];
        assert_eq!(field(rate(None, late)).as_deref(), Some("poisson.profile[1]"));
        assert_eq!(field(Arrivals::Every(Period::seconds(0))).as_deref(), Some("every"));
        assert_eq!(field(rate(Some(4.0), Vec::new())), None);
    }
}
