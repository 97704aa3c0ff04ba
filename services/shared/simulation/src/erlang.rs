//! Closed forms of queues: M/M/n (Erlang-C) and M/M/n+M (Erlang-A).
//!
//! Customers come independently at rate λ, `n` agents serve each for an exponential time with rate μ, and those who wait
//! leave after an exponential patience with rate θ, if it ever ends. All sums have positive terms in falling order of
//! size, so they are as exact as the numbers are, for hundreds of agents as well.

use serde::Serialize;

/// A queue with a closed form. Rates are per second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Erlang {
    /// Agents.
    pub n: u32,
    /// Arrivals.
    pub lambda: f64,
    /// Conversations an agent finishes.
    pub mu: f64,
    /// Leavings of one who waits; none: nobody leaves.
    pub theta: Option<f64>,
}

/// What the closed form says. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measures {
    /// Share of the customers for whom no agent is free.
    pub p_wait: f64,
    /// Mean wait of the answered.
    pub asa: f64,
    /// Mean wait of all.
    pub mean_wait: f64,
    /// Share of all who are answered within the target.
    pub service_level: f64,
    /// Share of all who leave.
    pub abandonment: f64,
    /// Share of the agents' time that is busy.
    pub utilization: f64,
    /// How many wait at a time.
    pub mean_queue: f64,
}

/// A relative weight below which a state does not count any more.
const NEGLIGIBLE: f64 = 1e-18;

impl Erlang {
    /// The measures with a target of so many seconds; none where work grows without end.
    pub fn measures(&self, target: f64) -> Option<Measures> {
        match self.theta {
            Some(theta) if theta > 0.0 => Some(self.with_patience(theta, target)),
            _ => self.without_patience(target),
        }
    }

    /// Work that comes, in agents.
    fn load(&self) -> f64 {
        self.lambda / self.mu
    }

    /// Sum of the weights of all states in which an agent is free, where the state with all agents busy and nobody
    /// waiting weighs 1.
    fn free(&self) -> f64 {
        let mut weight = 1.0;
        let mut sum = 0.0;
        for busy in (1..=self.n).rev() {
            weight *= f64::from(busy) / self.load();
            sum += weight;
            if weight < NEGLIGIBLE * sum && f64::from(busy) < self.load() {
                break;
            }
        }
        sum
    }

    fn without_patience(&self, target: f64) -> Option<Measures> {
        let n = f64::from(self.n);
        let rho = self.load() / n;
        if rho >= 1.0 {
            return None;
        }
        let busy = 1.0 / (1.0 - rho);
        let p_wait = busy / (self.free() + busy);
        // Who waits, waits exponentially long.
        let rate = n * self.mu - self.lambda;
        let wait = p_wait / rate;
        Some(Measures {
            p_wait,
            asa: wait,
            mean_wait: wait,
            service_level: 1.0 - p_wait * (-rate * target).exp(),
            abandonment: 0.0,
            utilization: rho,
            mean_queue: self.lambda * wait,
        })
    }

    /// Who comes as `k` wait is answered after as many steps and one more, which are exponential with the rates
    /// nμ + θ, nμ + 2θ, …, nμ + (k + 1)θ, and with the probability nμ / (nμ + (k + 1)θ), whatever the time it takes. The
    /// logarithm of such a sum's exponential is a beta variable, so its distribution is a sum of positive terms.
    fn with_patience(&self, theta: f64, target: f64) -> Measures {
        let capacity = f64::from(self.n) * self.mu;
        let late = (-theta * target).exp();
        let (mut weight, mut all, mut waiting) = (1.0, self.free(), 0.0);
        let (mut within, mut waited, mut answered) = (0.0, 0.0, 0.0);
        // Mean of the steps so far; probability that so many steps take longer than the target, and its last term.
        let (mut steps, mut over, mut term) = (0.0, 0.0, (-(capacity + theta) * target).exp());
        let mut k = 0.0;
        loop {
            steps += 1.0 / (capacity + (k + 1.0) * theta);
            over += term;
            let served = capacity / (capacity + (k + 1.0) * theta);
            all += weight;
            waiting += weight * k;
            answered += weight * served;
            waited += weight * served * steps;
            within += weight * served * (1.0 - over);
            term *= (1.0 - late) * (capacity / theta + k + 1.0) / (k + 1.0);
            k += 1.0;
            let next = self.lambda / (capacity + k * theta);
            weight *= next;
            if next < 1.0 && weight * (k + 1.0) < NEGLIGIBLE * all {
                break;
            }
        }
        let free = self.free() / all;
        let mean_queue = waiting / all;
        let abandonment = theta * mean_queue / self.lambda;
        Measures {
            p_wait: 1.0 - free,
            asa: waited / all / (free + answered / all),
            mean_wait: mean_queue / self.lambda,
            service_level: free + within / all,
            abandonment,
            utilization: self.load() * (1.0 - abandonment) / f64::from(self.n),
            mean_queue,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3)
    }

    #[test]
    fn the_formulas_give_the_reference_values() {
        let reference: Value = serde_json::from_str(include_str!("../fixtures/erlang.json")).unwrap();
        let target = reference["target_seconds"].as_f64().unwrap();
        let mut compared = 0;
        for case in reference["cases"].as_array().unwrap() {
            let number = |name: &str| case[name].as_f64().unwrap();
            let plain =
                Erlang { n: number("n") as u32, lambda: number("lambda"), mu: number("mu"), theta: None };
            let patient = Erlang { theta: Some(number("theta")), ..plain };
            for (model, expected) in [(plain, &case["erlang_c"]), (patient, &case["erlang_a"])] {
                let Some(found) = model.measures(target) else {
                    assert!(expected.is_null(), "{case}");
                    continue;
                };
                let found = serde_json::to_value(found).unwrap();
                for (name, value) in expected.as_object().unwrap() {
                    let (found, expected) = (found[name].as_f64().unwrap(), value.as_f64().unwrap());
                    assert!(close(found, expected), "{name}: {found} instead of {expected} in {case}");
                    compared += 1;
                }
            }
        }
        assert_eq!(compared, 2 * 6 + 3 * 7);
    }

    #[test]
    fn one_agent_is_the_textbook_queue() {
        let one = Erlang { n: 1, lambda: 0.8, mu: 1.0, theta: None }.measures(0.0).unwrap();
        assert!(close(one.p_wait, 0.8) && close(one.asa, 4.0) && close(one.mean_queue, 3.2));
        assert!(close(one.service_level, 0.2));
    }

    #[test]
    fn endless_patience_is_no_patience() {
        let queue = Erlang { n: 30, lambda: 0.27, mu: 0.01, theta: None };
        let patient = Erlang { theta: Some(1e-9), ..queue };
        let (plain, patient) = (queue.measures(20.0).unwrap(), patient.measures(20.0).unwrap());
        for (one, other) in [
            (plain.p_wait, patient.p_wait),
            (plain.asa, patient.asa),
            (plain.service_level, patient.service_level),
            (plain.mean_queue, patient.mean_queue),
        ] {
            assert!((one / other - 1.0).abs() < 1e-4, "{one} {other}");
        }
    }

    #[test]
    fn hundreds_of_agents_overflow_nothing() {
        for (n, load) in [(500, 480.0), (1_000, 900.0), (5_000, 4_990.0)] {
            let queue = Erlang { n, lambda: load / 300.0, mu: 1.0 / 300.0, theta: None };
            let plain = queue.measures(20.0).unwrap();
            assert!(plain.p_wait > 0.0 && plain.p_wait < 1.0, "{plain:?}");
            let patient = Erlang { theta: Some(0.01), ..queue }.measures(20.0).unwrap();
            assert!(patient.p_wait > 0.0 && patient.p_wait < plain.p_wait, "{patient:?}");
            assert!(patient.asa < plain.asa && patient.service_level <= 1.0, "{plain:?} {patient:?}");
            // Who is answered and who leaves are all.
            let left = patient.abandonment;
            let answered = patient.utilization * f64::from(n) / load;
            assert!((left + answered - 1.0).abs() < 1e-9);
        }
        let overloaded = Erlang { n: 500, lambda: 2.0, mu: 1.0 / 300.0, theta: None };
        assert_eq!(overloaded.measures(20.0), None);
    }
}
