//! A mean over replications, and how far it can be trusted.

use serde::Serialize;

/// A mean with its 95 % confidence interval over replications, which are independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Mean.
    pub mean: f64,
    /// Half the width of the interval, by Student's t; none where there is but one replication.
    pub half_width: Option<f64>,
}

impl Estimate {
    /// Over what the replications found; none where none of them found anything.
    #[allow(clippy::cast_precision_loss, reason = "there are few replications")]
    pub fn over(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let half_width = (values.len() > 1).then(|| {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            let freedom = values.len() - 1;
            student(freedom) * (squares / freedom as f64 / count).sqrt()
        });
        Some(Self { mean, half_width })
    }

    /// Half the interval's width as a share of `of`.
    pub fn precision(&self, of: f64) -> Option<f64> {
        self.half_width.map(|half| (half / of).abs())
    }

    /// The same in another unit.
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        Self { mean: self.mean * by, half_width: self.half_width.map(|half| half * by.abs()) }
    }
}

/// The 97.5 % quantile of Student's t with so many degrees of freedom: exact for one and two, and by Hill's expansion
/// (Algorithm 396, Communications of the ACM 13, 1970) beyond, which is good to five digits.
#[allow(clippy::cast_precision_loss, reason = "degrees of freedom are few")]
pub(super) fn student(freedom: usize) -> f64 {
    use std::f64::consts::PI;
    /// Both tails together.
    const TAILS: f64 = 0.05;
    /// The 97.5 % quantile of the normal distribution.
    const NORMAL: f64 = 1.959_963_984_540_054;
    match freedom {
        0 => f64::INFINITY,
        1 => 1.0 / (TAILS * PI / 2.0).tan(),
        2 => (2.0 / (TAILS * (2.0 - TAILS)) - 2.0).sqrt(),
        _ => {
            let n = freedom as f64;
            let a = 1.0 / (n - 0.5);
            let b = 48.0 / (a * a);
            let mut c = ((20_700.0 * a / b - 98.0) * a - 16.0) * a + 96.36;
            let d = ((94.5 / (b + c) - 3.0) / b + 1.0) * (a * PI / 2.0).sqrt() * n;
            let mut y = (d * TAILS).powf(2.0 / n);
            if y > 0.05 + a {
                let x = -NORMAL;
                y = x * x;
                if freedom < 5 {
                    c += 0.3 * (n - 4.5) * (x + 0.6);
                }
                c += (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b;
                y = (((((0.4 * y + 6.3) * y + 36.0) * y + 94.5) / c - y - 3.0) / b + 1.0) * x;
                y = (a * y * y).exp_m1();
            } else {
                let e = ((n + 6.0) / (n * y) - 0.089 * d - 0.822) * (n + 2.0) * 3.0;
                y = ((1.0 / e + 0.5 / (n + 4.0)) * y - 1.0) * (n + 1.0) / (n + 2.0) + 1.0 / y;
            }
            (n * y).sqrt()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_t_is_that_of_the_tables() {
        for (freedom, table) in [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (5, 2.571),
            (9, 2.262),
            (19, 2.093),
            (29, 2.045),
            (60, 2.000),
            (120, 1.980),
            (1_000, 1.962),
        ] {
            assert!((student(freedom) - table).abs() < 0.001, "{freedom}: {}", student(freedom));
        }
    }

    #[test]
    fn an_interval_narrows_with_what_is_known() {
        assert_eq!(Estimate::over(&[]), None);
        assert_eq!(Estimate::over(&[4.0]), Some(Estimate { mean: 4.0, half_width: None }));
        let three = Estimate::over(&[1.0, 2.0, 3.0]).unwrap();
        assert!((three.mean - 2.0).abs() < 1e-12);
        assert!((three.half_width.unwrap() - 4.302_65 / 3_f64.sqrt()).abs() < 1e-3);
        assert!((three.precision(4.0).unwrap() - three.half_width.unwrap() / 4.0).abs() < 1e-12);
        assert!((three.scaled(-2.0).mean + 4.0).abs() < 1e-12);
    }
}
