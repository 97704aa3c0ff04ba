//! Control variates: what is known beforehand takes chance out of what is measured.
//!
//! A replication in which more came than should, or brought more work, saw longer queues than it should. How many come and
//! how much they bring on average is known exactly, so the part of a measure that goes with them can be subtracted
//! (Lavenberg and Welch, Management Science 27, 1981). In a busy queue this is half of the variance and more.

use super::{Estimate, interval::student};

/// What a replication drew, and what it should have been on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Control {
    /// Relative to what was to be expected, less one: arrivals, and work brought by each.
    pub(crate) excess: [f64; 2],
}

/// The mean of `values` with what goes with the controls taken out. The plain mean where there are too few replications
/// to tell, or where controls do not vary.
#[allow(clippy::cast_precision_loss, reason = "there are few replications")]
pub(crate) fn controlled(values: &[f64], controls: &[Control]) -> Option<Estimate> {
    /// Fewer replications than that, and the fit would be to noise.
    const FEWEST: usize = 12;
    let plain = Estimate::over(values)?;
    if values.len() < FEWEST || values.len() != controls.len() {
        return Some(plain);
    }
    let count = values.len() as f64;
    let centre = [0, 1].map(|at| controls.iter().map(|control| control.excess[at]).sum::<f64>() / count);
    let off = |control: &Control| [control.excess[0] - centre[0], control.excess[1] - centre[1]];
    // Sums of squares and products, and the fit by two equations in two unknowns.
    let (mut square, mut with) = ([[0.0; 2]; 2], [0.0; 2]);
    for (value, control) in values.iter().zip(controls) {
        let off = off(control);
        for row in 0..2 {
            with[row] += off[row] * (value - plain.mean);
            for column in 0..2 {
                square[row][column] += off[row] * off[column];
            }
        }
    }
    let determinant = square[0][0] * square[1][1] - square[0][1] * square[1][0];
    if determinant <= 1e-12 * square[0][0] * square[1][1] {
        return Some(plain);
    }
    let solve = |right: [f64; 2]| {
        [
            (right[0] * square[1][1] - right[1] * square[0][1]) / determinant,
            (right[1] * square[0][0] - right[0] * square[1][0]) / determinant,
        ]
    };
    let slope = solve(with);
    let product = |one: [f64; 2], other: [f64; 2]| one[0] * other[0] + one[1] * other[1];
    let mean = plain.mean - product(slope, centre);
    let rest: f64 = values
        .iter()
        .zip(controls)
        .map(|(value, control)| (value - plain.mean - product(slope, off(control))).powi(2))
        .sum();
    let freedom = values.len() - 3;
    let spread = (1.0 / count + product(centre, solve(centre))) * rest / freedom as f64;
    Some(Estimate { mean, half_width: Some(student(freedom) * spread.sqrt()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    #[test]
    fn what_goes_with_the_controls_is_taken_out() {
        let mut random = Random::stream(5, 0, Purpose::Lots, 0);
        let controls: Vec<Control> =
            (0..40).map(|_| Control { excess: [0.01 * random.normal(), 0.02 * random.normal()] }).collect();
        let values: Vec<f64> = controls
            .iter()
            .map(|control| {
                10.0 + 300.0 * control.excess[0] + 100.0 * control.excess[1] + 0.1 * random.normal()
            })
            .collect();
        let (plain, better) = (Estimate::over(&values).unwrap(), controlled(&values, &controls).unwrap());
        assert!(better.half_width.unwrap() < plain.half_width.unwrap() / 10.0, "{plain:?} {better:?}");
        assert!((better.mean - 10.0).abs() < 2.0 * better.half_width.unwrap(), "{better:?}");
    }

    #[test]
    fn too_few_or_constant_controls_change_nothing() {
        let values = [1.0, 2.0, 4.0];
        let control = |at: usize| Control { excess: [at as f64, 0.0] };
        let few: Vec<Control> = (0..3).map(control).collect();
        assert_eq!(controlled(&values, &few), Estimate::over(&values));
        let many: Vec<f64> = (0..20).map(f64::from).collect();
        let constant = vec![Control { excess: [0.0, 0.0] }; 20];
        assert_eq!(controlled(&many, &constant), Estimate::over(&many));
    }
}
