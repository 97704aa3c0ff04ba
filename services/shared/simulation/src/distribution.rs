//! How long things take.

use heliograph_domain::resources::Period;
use serde::Deserialize;

use crate::random::Random;

/// A distribution of lengths of time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Always the same.
    Fixed(Period),
    /// Exponential with this mean: short is likely, long is possible.
    Exponential(Period),
    /// Anything between two lengths, each as likely.
    Uniform(Uniform),
    /// Log-normal, as handling times mostly are.
    Lognormal(Lognormal),
    /// Gamma.
    Gamma(Gamma),
    /// The sum of so many exponential steps.
    Erlang(Erlang),
    /// One of the lengths that were measured, each as likely.
    Empirical(Vec<Period>),
}

/// See [`Distribution::Uniform`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// Shortest.
    pub from: Period,
    /// Longest.
    pub to: Period,
}

/// See [`Distribution::Lognormal`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lognormal {
    /// Mean.
    pub mean: Period,
    /// Standard deviation.
    pub sd: Period,
}

/// See [`Distribution::Gamma`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gamma {
    /// Mean.
    pub mean: Period,
    /// Shape; 1 is exponential, more is steadier.
    pub shape: f64,
}

/// See [`Distribution::Erlang`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erlang {
    /// Mean of the sum.
    pub mean: Period,
    /// Steps.
    pub k: u32,
}

/// A length in milliseconds as a number to reckon with.
#[allow(clippy::cast_precision_loss, reason = "exact up to 285,000 years")]
pub(crate) fn millis(period: Period) -> f64 {
    period.as_millis() as f64
}

impl Distribution {
    /// Its mean, in milliseconds.
    #[allow(clippy::cast_precision_loss, reason = "lists are short")]
    pub fn mean(&self) -> f64 {
        match self {
            Self::Fixed(length) | Self::Exponential(length) => millis(*length),
            Self::Uniform(Uniform { from, to }) => f64::midpoint(millis(*from), millis(*to)),
            Self::Lognormal(Lognormal { mean, .. })
            | Self::Gamma(Gamma { mean, .. })
            | Self::Erlang(Erlang { mean, .. }) => millis(*mean),
            Self::Empirical(lengths) => {
                lengths.iter().map(|length| millis(*length)).sum::<f64>() / lengths.len() as f64
            }
        }
    }

    /// One draw, in milliseconds.
    pub(crate) fn draw(&self, random: &mut Random) -> f64 {
        match self {
            Self::Fixed(length) => millis(*length),
            Self::Exponential(mean) => millis(*mean) * random.exponential(),
            Self::Uniform(Uniform { from, to }) => {
                millis(*from) + (millis(*to) - millis(*from)) * random.uniform()
            }
            Self::Lognormal(Lognormal { mean, sd }) => {
                let variance = (millis(*sd) / millis(*mean)).powi(2).ln_1p();
                millis(*mean) * (variance.sqrt() * random.normal() - variance / 2.0).exp()
            }
            Self::Gamma(Gamma { mean, shape }) => millis(*mean) / shape * random.gamma(*shape),
            Self::Erlang(Erlang { mean, k }) => {
                let steps = f64::from(*k);
                millis(*mean) / steps * random.gamma(steps)
            }
            Self::Empirical(lengths) => lengths.get(random.below(lengths.len())).copied().map_or(0.0, millis),
        }
    }

    /// What makes no sense about it: the field within, and why.
    pub(crate) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let zero = |length: &Period| length.as_millis() == 0;
        match self {
            Self::Exponential(mean) if zero(mean) => Some(("exponential", "the mean must be longer than 0s")),
            Self::Uniform(Uniform { from, to }) if from > to => Some(("uniform", "from is longer than to")),
            Self::Lognormal(Lognormal { mean, .. }) if zero(mean) => {
                Some(("lognormal.mean", "the mean must be longer than 0s"))
            }
            Self::Gamma(Gamma { mean, .. }) if zero(mean) => {
                Some(("gamma.mean", "the mean must be longer than 0s"))
            }
            Self::Gamma(Gamma { shape, .. }) if !(*shape > 0.0 && shape.is_finite()) => {
                Some(("gamma.shape", "the shape must be more than 0"))
            }
            Self::Erlang(Erlang { mean, .. }) if zero(mean) => {
                Some(("erlang.mean", "the mean must be longer than 0s"))
            }
            Self::Erlang(Erlang { k: 0, .. }) => Some(("erlang.k", "there must be one step at least")),
            Self::Empirical(lengths) if lengths.is_empty() => {
                Some(("empirical", "the list must not be empty"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    /// Mean and standard deviation of many draws, in seconds.
    fn moments(distribution: &Distribution) -> (f64, f64) {
        let mut random = Random::stream(7, 0, Purpose::Service, 0);
        let draws: Vec<f64> = (0..200_000).map(|_| distribution.draw(&mut random) / 1_000.0).collect();
        let count = f64::from(200_000);
        let mean = draws.iter().sum::<f64>() / count;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / count;
        (mean, variance.sqrt())
    }

    #[test]
    fn draws_have_the_mean_and_spread_they_should() {
        let seconds = Period::seconds;
        let (mean, k) = (seconds(100), 4);
        for (distribution, sd) in [
            (Distribution::Fixed(mean), 0.0),
            (Distribution::Exponential(mean), 100.0),
            (Distribution::Uniform(Uniform { from: seconds(40), to: seconds(160) }), 120.0 / 12_f64.sqrt()),
            (Distribution::Lognormal(Lognormal { mean, sd: seconds(60) }), 60.0),
            (Distribution::Gamma(Gamma { mean, shape: 0.5 }), 100.0 * 2_f64.sqrt()),
            (Distribution::Gamma(Gamma { mean, shape: 2.5 }), 100.0 / 2.5_f64.sqrt()),
            (Distribution::Erlang(Erlang { mean, k }), 50.0),
            (Distribution::Empirical(vec![seconds(50), seconds(150)]), 50.0),
        ] {
            assert!((distribution.mean() - 100_000.0).abs() < 1e-6, "{distribution:?}");
            let (drawn, spread) = moments(&distribution);
            assert!((drawn - 100.0).abs() < 1.5, "{distribution:?}: mean {drawn}");
            assert!((spread - sd).abs() < 0.02 * sd + 1e-6, "{distribution:?}: standard deviation {spread}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let nothing = Period::seconds(0);
        for (distribution, field) in [
            (Distribution::Exponential(nothing), "exponential"),
            (Distribution::Gamma(Gamma { mean: Period::seconds(1), shape: 0.0 }), "gamma.shape"),
            (Distribution::Erlang(Erlang { mean: Period::seconds(1), k: 0 }), "erlang.k"),
            (Distribution::Empirical(Vec::new()), "empirical"),
        ] {
            assert_eq!(distribution.problem().map(|(field, _)| field), Some(field));
        }
        assert_eq!(Distribution::Fixed(nothing).problem(), None);
    }
}
