//! How often which wait was seen.

/// Buckets of a power of two; so a wait is kept to within 1/128 of itself.
const FINE: u32 = 7;

/// Counts of lengths of time in milliseconds: exact below 256 ms, and within 0.8 % above, however long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    longest: u64,
}

impl Histogram {
    /// Counts one.
    pub(crate) fn add(&mut self, millis: i64) {
        let millis = u64::try_from(millis).unwrap_or(0);
        let bucket = bucket(millis);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.longest = self.longest.max(millis);
    }

    /// Counts all of another's.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    /// How many were counted.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The longest, exactly.
    pub(crate) fn longest(&self) -> u64 {
        self.longest
    }

    /// What `share` of all is not longer than; none where there is nothing.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rank is positive, and counts are far below 2^53"
    )]
    pub(crate) fn quantile(&self, share: f64) -> Option<u64> {
        let rank = ((share * self.total as f64).ceil() as u64).max(1);
        let mut below = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= rank {
                return Some(middle(bucket).min(self.longest));
            }
        }
        None
    }

    /// Which share of all is not longer than `millis`, to within a bucket.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub(crate) fn share_within(&self, millis: u64) -> f64 {
        if self.total == 0 {
            return 0.0;
        }
        let within: u64 = self.counts.iter().take(bucket(millis) + 1).sum();
        within as f64 / self.total as f64
    }
}

fn bucket(millis: u64) -> usize {
    let step = (u64::BITS - millis.leading_zeros()).saturating_sub(FINE + 1);
    (u64::from(step) * (1 << FINE) + (millis >> step)) as usize
}

fn middle(bucket: usize) -> u64 {
    let half = 1_u64 << FINE;
    let bucket = bucket as u64;
    let step = (bucket >> FINE).saturating_sub(1);
    let lowest = (bucket - step * half) << step;
    lowest + ((1_u64 << step) - 1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_in_order_and_leave_no_gap() {
        let mut last = 0;
        for millis in 0..200_000 {
            let now = bucket(millis);
            assert!(now == last || now == last + 1, "{millis}");
            last = now;
        }
    }

    #[test]
    fn a_wait_is_kept_to_within_one_percent() {
        for millis in [0, 1, 127, 128, 255, 256, 257, 1_000, 20_000, 123_456, 86_400_000, 1 << 40] {
            let kept = middle(bucket(millis));
            assert!(kept.abs_diff(millis) * 128 <= millis, "{millis} became {kept}");
        }
    }

    #[test]
    fn quantiles_and_shares_are_those_of_what_was_counted() {
        let mut waits = Histogram::default();
        assert_eq!(waits.quantile(0.5), None);
        for millis in 1..=100 {
            waits.add(millis);
        }
        let mut more = Histogram::default();
        more.add(100_000);
        waits.merge(&more);
        assert_eq!(waits.quantile(0.5), Some(51));
        assert_eq!(waits.quantile(0.99), Some(100));
        assert_eq!(waits.quantile(1.0), Some(100_000));
        assert!((waits.share_within(50) - 50.0 / 101.0).abs() < 1e-12);
        assert_eq!((waits.total(), waits.longest()), (101, 100_000));
    }
}
