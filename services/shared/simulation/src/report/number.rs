//! Numbers as people read them.

use crate::measure::Estimate;

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// So many.
    Count,
    /// A share, as a percentage.
    Share,
    /// Seconds, or anything else that is measured.
    Measure,
}

impl Unit {
    /// A number.
    pub(super) fn write(self, number: f64) -> String {
        match self {
            Self::Count if number.abs() >= 100.0 => grouped(&format!("{number:.0}")),
            Self::Count if number == number.round() => format!("{number:.0}"),
            Self::Count => format!("{number:.1}"),
            Self::Share => format!("{:.1} %", number * 100.0),
            Self::Measure if number == 0.0 => "0".to_owned(),
            Self::Measure => {
                let digits = if number.abs() >= 100.0 {
                    0
                } else if number.abs() >= 10.0 {
                    1
                } else {
                    2
                };
                grouped(&format!("{number:.digits$}"))
            }
        }
    }

    /// A number without the digits that say nothing.
    pub(super) fn plain(number: f64) -> String {
        let text = format!("{number:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// A mean and how far it can be trusted.
    pub(super) fn estimate(self, estimate: Estimate) -> String {
        let mean = self.write(estimate.mean);
        match estimate.half_width {
            Some(half) if half > 0.0 => {
                let half = match self {
                    Self::Share => format!("{:.1}", half * 100.0),
                    _ => self.write(half),
                };
                format!("{mean} ±{half}")
            }
            _ => mean,
        }
    }

    /// The same of something that may not have happened.
    pub(super) fn maybe(self, estimate: Option<Estimate>) -> String {
        estimate.map_or_else(|| "–".to_owned(), |estimate| self.estimate(estimate))
    }
}

/// Thousands set apart by commas.
fn grouped(number: &str) -> String {
    let (whole, rest) = number.find('.').map_or((number, ""), |point| number.split_at(point));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// A length of time in seconds, such as `2 h 30 m`.
pub(super) fn length(seconds: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "m"), (1.0, "s")];
    let mut rest = seconds.round();
    let mut parts = Vec::new();
    for (size, unit) in UNITS {
        let count = (rest / size).floor();
        if count > 0.0 {
            parts.push(format!("{count:.0} {unit}"));
            rest -= count * size;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_clear() {
        assert_eq!(Unit::Count.write(1_234_567.2), "1,234,567");
        assert_eq!(Unit::Count.write(12.0), "12");
        assert_eq!(Unit::Count.write(12.25), "12.2");
        assert_eq!(Unit::Share.write(0.7447), "74.5 %");
        assert_eq!(Unit::Measure.write(0.123), "0.12");
        assert_eq!(Unit::Measure.write(-1_234.5), "-1,234");
        let known = Estimate { mean: 0.5, half_width: Some(0.012) };
        assert_eq!(Unit::Share.estimate(known), "50.0 % ±1.2");
        assert_eq!(Unit::Measure.maybe(None), "–");
        assert_eq!(length(9_000.0), "2 h 30 m");
        assert_eq!(length(0.0), "0 s");
    }
}
