//! Random numbers from a seed: the same on every machine and in every release.

/// Which numbers a stream is for. Each has its own, so that a change to one part of a scenario leaves the others' draws
/// as they were: two runs of the same seed differ by what was changed and by nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// When customers come.
    Arrivals,
    /// How much work they bring.
    Service,
    /// How long they wait.
    Patience,
    /// How long their agents wrap up.
    WrapUp,
    /// What else they do.
    Habits,
    /// What agents do when it rings.
    Answers,
    /// Choices of a policy that draws lots.
    Lots,
}

/// xoshiro256++ by Blackman and Vigna, seeded by SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: [u64; 4],
}

impl Random {
    /// The numbers of `seed` for one purpose of one replication; `index` tells several of one purpose apart.
    pub(crate) fn stream(seed: u64, replication: u64, purpose: Purpose, index: usize) -> Self {
        let mut mix = seed;
        for part in [replication, purpose as u64, index as u64] {
            mix = split_mix(&mut mix) ^ part.wrapping_mul(0xd134_2543_de82_ef95);
        }
        Self { state: std::array::from_fn(|_| split_mix(&mut mix)) }
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// Uniform from 0 to 1, 1 not included.
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Exponential with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }

    /// Normal with mean 0 and variance 1, by Marsaglia's polar method.
    pub(crate) fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * square.ln() / square).sqrt();
            }
        }
    }

    /// Gamma with this shape and scale 1, by Marsaglia and Tsang.
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = (1.0 - self.uniform()).powf(1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && (1.0 - self.uniform()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// One of `count`, each as likely as the others; 0 where there is none.
    #[allow(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "counts are small and positive")]
    pub(crate) fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_numbers() {
        let mut random = Random { state: [1, 2, 3, 4] };
        let first: Vec<u64> = (0..6).map(|_| random.next()).collect();
        let published = [
            41_943_041,
            58_720_359,
            3_588_806_011_781_223,
            3_591_011_842_654_386,
            9_228_616_714_210_784_205,
            9_973_669_472_204_895_162,
        ];
        assert_eq!(first, published);
    }

    #[test]
    fn seeds_are_spread_as_published() {
        let mut state = 1_234_567;
        assert_eq!(split_mix(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(split_mix(&mut state), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_differ_in_everything_they_are_named_by() {
        let first =
            |seed, replication, purpose, index| Random::stream(seed, replication, purpose, index).next();
        let one = first(1, 0, Purpose::Arrivals, 0);
        assert_eq!(one, first(1, 0, Purpose::Arrivals, 0));
        for other in [
            first(2, 0, Purpose::Arrivals, 0),
            first(1, 1, Purpose::Arrivals, 0),
            first(1, 0, Purpose::Service, 0),
            first(1, 0, Purpose::Arrivals, 1),
        ] {
            assert_ne!(one, other);
        }
    }
}
