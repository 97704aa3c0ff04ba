//! Axes: from values to places, and which values are written.

/// How the values of an axis are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A plain number.
    Number,
    /// A share, as a percentage.
    Share,
    /// Seconds, as a length of time.
    Length,
    /// Seconds after midnight, as a time of the day.
    Clock,
}

/// An axis from 0, or from where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) kind: Kind,
    from: f64,
    to: f64,
    /// Where its ends are drawn.
    places: (f64, f64),
}

impl Scale {
    pub(super) fn new(kind: Kind, (from, to): (f64, f64), places: (f64, f64)) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self { kind, from, to, places }
    }

    /// An axis from 0 that ends at a round value above `most`.
    pub(super) fn above(kind: Kind, most: f64, places: (f64, f64)) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        let step = step(kind, most / 4.0);
        let to = (most / step).ceil() * step;
        let to = if kind == Kind::Share { to.min(1.0) } else { to };
        Self::new(kind, (0.0, to), places)
    }

    /// Where a value is drawn.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = (value - self.from) / (self.to - self.from);
        self.places.0 + share * (self.places.1 - self.places.0)
    }

    /// The values that are written, about `count` of them.
    pub(super) fn ticks(&self, count: f64) -> Vec<f64> {
        let step = step(self.kind, (self.to - self.from) / count);
        let first = (self.from / step).ceil();
        (0..100)
            .map(|at| (first + f64::from(at)) * step)
            .take_while(|tick| *tick <= self.to + step * 1e-6)
            .collect()
    }

    /// A value as it is written.
    pub(super) fn write(&self, value: f64) -> String {
        match self.kind {
            Kind::Number if value.abs() >= 10_000.0 => format!("{:.0}k", value / 1_000.0),
            Kind::Number => trimmed(value, 2),
            Kind::Share => format!("{} %", trimmed(value * 100.0, 1)),
            Kind::Length => length(value),
            Kind::Clock => {
                let minutes = (value / 60.0).round() as i64;
                // The end of the day is not the beginning of the next.
                let hour = if minutes == 1_440 { 24 } else { minutes.rem_euclid(1_440) / 60 };
                format!("{hour:02}:{:02}", minutes.rem_euclid(60))
            }
        }
    }
}

/// A round step of about this size.
fn step(kind: Kind, rough: f64) -> f64 {
    const LENGTHS: [f64; 20] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0,
        10_800.0, 14_400.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0,
    ];
    if matches!(kind, Kind::Length | Kind::Clock)
        && rough > 0.5
        && let Some(step) = LENGTHS.into_iter().find(|step| *step >= rough)
    {
        return step;
    }
    let power = 10_f64.powf(rough.max(1e-9).log10().floor());
    let digit = rough / power;
    power
        * if digit <= 1.0 {
            1.0
        } else if digit <= 2.0 {
            2.0
        } else if digit <= 5.0 {
            5.0
        } else {
            10.0
        }
}

fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn length(seconds: f64) -> String {
    match seconds {
        0.0 => "0".to_owned(),
        seconds if seconds < 60.0 => format!("{} s", trimmed(seconds, 1)),
        seconds if seconds < 3_600.0 => {
            let (minutes, rest) = ((seconds / 60.0).floor(), seconds % 60.0);
            if rest < 0.5 { format!("{minutes:.0} m") } else { format!("{minutes:.0} m {rest:.0} s") }
        }
        seconds if seconds < 172_800.0 => format!("{} h", trimmed(seconds / 3_600.0, 1)),
        seconds => format!("{} d", trimmed(seconds / 86_400.0, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_values() {
        let shares = Scale::above(Kind::Share, 0.83, (200.0, 0.0));
        assert_eq!(shares.place(0.0), 200.0);
        assert_eq!(shares.place(1.0), 0.0);
        assert_eq!(
            shares.ticks(4.0).iter().map(|tick| shares.write(*tick)).collect::<Vec<_>>(),
            ["0 %", "50 %", "100 %"]
        );
        let day = Scale::new(Kind::Clock, (0.0, 86_400.0), (0.0, 600.0));
        let ticks: Vec<String> = day.ticks(6.0).iter().map(|tick| day.write(*tick)).collect();
        assert_eq!(ticks, ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00", "24:00"]);
        let waits = Scale::above(Kind::Length, 95.0, (0.0, 600.0));
        assert_eq!(
            waits.ticks(4.0).iter().map(|tick| waits.write(*tick)).collect::<Vec<_>>(),
            ["0", "30 s", "1 m", "1 m 30 s", "2 m"]
        );
    }

    #[test]
    fn nothing_at_all_has_an_axis_too() {
        let empty = Scale::above(Kind::Number, 0.0, (100.0, 0.0));
        assert!(empty.place(0.0).is_finite() && !empty.ticks(4.0).is_empty());
    }
}
