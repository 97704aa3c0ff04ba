//! Percentiles and medians.

/// The value below which `part` (0 to 1) of `values` lie; sorts them.
pub(crate) fn percentile(values: &mut [u32], part: f64) -> f64 {
    values.sort_unstable();
    let at = ((values.len() as f64 * part).ceil() as usize).saturating_sub(1);
    values.get(at.min(values.len().saturating_sub(1))).map_or(f64::NAN, |value| f64::from(*value))
}

/// The middle one of `values`, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::{median, percentile};

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut values: Vec<u32> = (1..=100).rev().collect();
        assert_eq!(percentile(&mut values, 0.5).to_bits(), 50f64.to_bits());
        assert_eq!(percentile(&mut values, 0.99).to_bits(), 99f64.to_bits());
        assert!(percentile(&mut [], 0.5).is_nan());
    }

    #[test]
    fn a_median_ignores_the_outlier() {
        assert_eq!(median(&[1.0, 900.0, 2.0]).to_bits(), 2f64.to_bits());
        assert_eq!(median(&[1.0, 2.0]).to_bits(), 1.5f64.to_bits());
    }
}
