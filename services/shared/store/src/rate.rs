//! Token buckets: how often a provider lets an account call it.
//!
//! A bucket is shared by all replicas through Redis and runs on Redis's clock. While Redis is away every replica uses
//! a bucket of its own with the same numbers, so `n` replicas together may then send up to `n` times the rate; the
//! provider's own limit answers that with a 429.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::Script;

use crate::connection::{Redis, Replay};
use crate::keys;

/// Local buckets beyond this many are swept: those that have filled up again say nothing.
const LOCAL_BUCKETS: usize = 10_000;

/// What a bucket allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Tokens that come in each second; more than 0.
    pub per_second: f64,
    /// Tokens a full bucket holds; at least 1.
    pub burst: f64,
}

impl Rate {
    /// A rate with a burst; what is out of range is set to its bound.
    pub fn new(per_second: f64, burst: f64) -> Self {
        let sound = |value: f64, least: f64| if value.is_finite() { value.max(least) } else { least };
        Self { per_second: sound(per_second, 0.001), burst: sound(burst, 1.0) }
    }
}

/// The bucket's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Go ahead: the tokens are taken.
    Granted,
    /// Nothing was taken; there may be enough tokens after this long.
    RetryAfter(Duration),
}

/// KEYS: bucket. ARGV: tokens a second, burst, cost, tokens that must be left. Answers the milliseconds to wait, 0 when granted.
/// Not sent again when a connection breaks: the tokens may have been taken, and are then lost, which is the safe side.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local needed = cost + tonumber(ARGV[4])
local b = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(b[1] or burst), tonumber(b[2] or now)
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local wait = 0
if tokens >= needed then tokens = tokens - cost else wait = math.ceil((needed - tokens) * 1000 / rate) end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens), 'at', string.format('%.0f', math.max(now, at)))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) * 1000 / rate) + 1000)
return wait",
    )
});

/// Token buckets by name. Cheap to clone; clones share their local buckets.
#[derive(Debug, Clone)]
pub struct RateLimiter {
    redis: Redis,
    local: Arc<Mutex<HashMap<String, Bucket>>>,
}

impl RateLimiter {
    /// Buckets kept in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis, local: Arc::default() }
    }

    /// Takes `cost` tokens from the bucket `parts` of `tenant` (such as channel and account).
    ///
    /// A cost above the burst counts as the burst: it would wait for ever otherwise.
    pub async fn take(&self, tenant: &str, parts: &[&str], rate: Rate, cost: f64) -> Permit {
        self.take_leaving(tenant, parts, rate, cost, 0.0).await
    }

    /// Takes `cost` tokens where `reserve` of them are left for others, who are more urgent.
    ///
    /// As much of the reserve as the burst has no room for beside the cost is not asked for.
    pub async fn take_leaving(
        &self,
        tenant: &str,
        parts: &[&str],
        rate: Rate,
        cost: f64,
        reserve: f64,
    ) -> Permit {
        let key = keys::redis(tenant, "rate", parts);
        let cost = cost.clamp(0.0, rate.burst);
        let reserve = reserve.clamp(0.0, rate.burst - cost);
        let [per_second, burst, asked, left] =
            [rate.per_second, rate.burst, cost, reserve].map(|number| number.to_string());
        let arguments = [per_second.as_str(), &burst, &asked, &left];
        match self.redis.script::<u64>(Replay::Unsafe, &TAKE, &[&key], &arguments).await {
            Ok(0) => Permit::Granted,
            Ok(wait) => Permit::RetryAfter(Duration::from_millis(wait)),
            Err(_) => self.take_locally(key, rate, cost, reserve, Instant::now()),
        }
    }

    fn take_locally(&self, key: String, rate: Rate, cost: f64, reserve: f64, now: Instant) -> Permit {
        let mut buckets = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= LOCAL_BUCKETS {
            buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        buckets
            .entry(key)
            .or_insert(Bucket { tokens: rate.burst, rate, at: now })
            .take(rate, cost, reserve, now)
    }
}

/// A bucket of this replica alone.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    rate: Rate,
    at: Instant,
}

impl Bucket {
    fn level(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        (self.tokens + since * self.rate.per_second).min(self.rate.burst)
    }

    fn is_full(&self, now: Instant) -> bool {
        self.level(now) >= self.rate.burst
    }

    fn take(&mut self, rate: Rate, cost: f64, reserve: f64, now: Instant) -> Permit {
        self.tokens = self.level(now).min(rate.burst);
        self.rate = rate;
        self.at = self.at.max(now);
        let needed = cost + reserve;
        if self.tokens >= needed {
            self.tokens -= cost;
            Permit::Granted
        } else {
            let wait = Duration::from_secs_f64((needed - self.tokens) / rate.per_second);
            Permit::RetryAfter(wait.max(Duration::from_millis(1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Permit, Rate};
    use std::time::{Duration, Instant};

    #[test]
    fn a_local_bucket_gives_its_burst_and_then_its_rate() {
        let rate = Rate::new(10.0, 3.0);
        let start = Instant::now();
        let mut bucket = Bucket { tokens: rate.burst, rate, at: start };
        let mut granted = 0;
        for step in 0..1_000_u64 {
            if bucket.take(rate, 1.0, 0.0, start + Duration::from_millis(step)) == Permit::Granted {
                granted += 1;
            }
        }
        // 3 at once and 10 a second for 0.999 s.
        assert_eq!(granted, 12);
    }

    #[test]
    fn waiting_as_told_is_enough() {
        let rate = Rate::new(3.0, 1.0);
        let start = Instant::now();
        let mut bucket = Bucket { tokens: 0.0, rate, at: start };
        let Permit::RetryAfter(wait) = bucket.take(rate, 1.0, 0.0, start) else {
            panic!("the bucket is empty")
        };
        let later = start + wait + Duration::from_nanos(10);
        assert_eq!(bucket.take(rate, 1.0, 0.0, later), Permit::Granted);
    }

    #[test]
    fn senseless_rates_are_bounded() {
        assert_eq!(Rate::new(f64::NAN, 0.0), Rate { per_second: 0.001, burst: 1.0 });
    }
}
