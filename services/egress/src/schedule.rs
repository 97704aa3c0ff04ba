//! When a message is tried again, and when it is given up. Pure.

use std::time::Duration;

use crate::{config::RetryConfig, time::in_ms};

/// The wait before try `tries` + 1, when `tries` have been put off. `chance` is in 0..1.
///
/// Never shorter than what the provider asks for: jitter is added to that, and taken from our own steps.
pub(crate) fn wait(config: &RetryConfig, tries: u32, after: Option<Duration>, chance: f64) -> Duration {
    let doublings = tries.saturating_sub(1).min(30);
    let step = config.first.saturating_mul(1 << doublings).min(config.most);
    let own = step.mul_f64(0.5 + chance / 2.0);
    match after {
        // A fleet that was told the same moment should not meet again there.
        Some(after) => own.max(after + after.min(Duration::from_secs(10)).mul_f64(chance / 10.0)),
        None => own,
    }
}

/// Until when a message may be tried, milliseconds since 1970, and what is said when that is over.
pub(crate) fn ends(
    config: &RetryConfig,
    handed_over_ms: i64,
    expires_ms: Option<i64>,
) -> (i64, &'static str) {
    let aged = handed_over_ms.saturating_add(in_ms(config.max_age));
    match expires_ms {
        Some(expires) if expires <= aged => (expires, "expired"),
        _ => (aged, "too_old"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most_and_never_undercut_the_provider() {
        let config = RetryConfig {
            first: Duration::from_secs(1),
            most: Duration::from_secs(10),
            ..RetryConfig::default()
        };
        let most: Vec<u64> = (1..8).map(|tries| wait(&config, tries, None, 1.0).as_secs()).collect();
        assert_eq!(most, [1, 2, 4, 8, 10, 10, 10]);
        let least = wait(&config, 3, None, 0.0);
        assert_eq!(least, Duration::from_secs(2));
        for chance in [0.0, 0.3, 1.0] {
            for after in [1, 7, 3600] {
                let after = Duration::from_secs(after);
                assert!(wait(&config, 1, Some(after), chance) >= after);
            }
        }
        assert_eq!(wait(&config, u32::MAX, None, 1.0), Duration::from_secs(10));
    }

    #[test]
    fn the_earlier_end_counts() {
        let config = RetryConfig { max_age: Duration::from_secs(10), ..RetryConfig::default() };
        assert_eq!(ends(&config, 5_000, None), (15_000, "too_old"));
        assert_eq!(ends(&config, 5_000, Some(6_000)), (6_000, "expired"));
        assert_eq!(ends(&config, 5_000, Some(60_000)), (15_000, "too_old"));
    }
}
