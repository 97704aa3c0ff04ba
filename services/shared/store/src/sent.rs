//! What was sent to a contact lately, for frequency caps.
//!
//! Kept in Redis, newest messages only, with a mark from when on the history is whole. What Redis lost, or never had,
//! is rebuilt by whoever asks: a history without the mark is no answer. The mark also says after which join or split of
//! the contact it was made, and is worth nothing after the next one: so a history that Redis could not join, because it
//! was away, is never taken for the whole.

use std::collections::HashMap;
use std::future::Future;
use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;

use crate::connection::{Redis, RedisError, Replay};
use crate::seen::millis;
use crate::{Millis, keys};

/// Messages remembered of a contact at most; a cap counts 50 at most.
pub const KEPT: usize = 256;

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentAt {
    /// When.
    pub at_ms: Millis,
    /// The channel it left by.
    pub channel: String,
    /// What it was for, as [`heliograph_domain::resources::MessageClass::as_str`] writes it.
    pub class: String,
}

/// A message that was sent, and by which delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The delivery's id: the same one counts once.
    pub delivery_id: String,
    /// What was sent.
    pub sent: SentAt,
}

/// What is asked of a history.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The contact's id.
    pub contact: &'a str,
    /// The contact's [`Contact::step`](crate::contacts::Contact::step); 0 for one that is not known.
    pub step: u64,
    /// Messages sent since then.
    pub since_ms: Millis,
    /// At most this many.
    pub limit: usize,
    /// How long before the newest message others are remembered.
    pub keep: Duration,
}

/// In one hash, `d:<delivery>` is `<at>|<channel>|<class>`, `since` the time from which on it is whole, and `step` the
/// contact's step for which it is.
/// KEYS: history. ARGV: keep in ms, messages kept, since or -1, step, then delivery and value by turns.
static ADD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local keep, most, since = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 5, #ARGV, 2 do redis.call('HSETNX', KEYS[1], 'd:' .. ARGV[i], ARGV[i + 1]) end
local whole = tonumber(redis.call('HGET', KEYS[1], 'since') or '-1')
local step, known_step = tonumber(ARGV[4]), tonumber(redis.call('HGET', KEYS[1], 'step') or '0')
if since >= 0 and step >= known_step then
  if whole < 0 or since < whole or step > known_step then whole = since end
  redis.call('HSET', KEYS[1], 'step', ARGV[4])
end
local flat, known = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #flat, 2 do
  if string.sub(flat[i], 1, 2) == 'd:' then
    known[#known + 1] = {field = flat[i], at = tonumber(string.match(flat[i + 1], '^%-?%d+')) or 0}
  end
end
table.sort(known, function(a, b) return a.at > b.at or (a.at == b.at and a.field > b.field) end)
local oldest = known[1] and known[1].at - keep or nil
for i, entry in ipairs(known) do
  if i > most or entry.at < oldest then
    redis.call('HDEL', KEYS[1], entry.field)
    if whole >= 0 then whole = math.max(whole, entry.at + 1) end
  end
end
if whole >= 0 then redis.call('HSET', KEYS[1], 'since', string.format('%.0f', whole)) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1",
    )
});

/// KEYS: history that stays, history that joins it. The marks stay as they are: with the join of the contacts, which is
/// a step, they end.
static JOIN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local flat = redis.call('HGETALL', KEYS[2])
for i = 1, #flat, 2 do
  if string.sub(flat[i], 1, 2) == 'd:' then redis.call('HSETNX', KEYS[1], flat[i], flat[i + 1]) end
end
local ttl = redis.call('PTTL', KEYS[2])
if ttl > redis.call('PTTL', KEYS[1]) then redis.call('PEXPIRE', KEYS[1], ttl) end
return 1",
    )
});

/// The history of all tenants' contacts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SentLog {
    redis: Redis,
}

impl SentLog {
    /// A history kept in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Remembers a message; what is older than `keep` before the newest is forgotten. May be repeated.
    pub async fn record(
        &self,
        tenant: &str,
        contact: &str,
        delivered: &Delivered,
        keep: Duration,
    ) -> Result<(), RedisError> {
        self.add(tenant, contact, std::slice::from_ref(delivered), None, keep).await
    }

    /// `whole`: the time from which on nothing is missing with these, and the step for which that is so.
    async fn add(
        &self,
        tenant: &str,
        contact: &str,
        delivered: &[Delivered],
        whole: Option<(Millis, u64)>,
        keep: Duration,
    ) -> Result<(), RedisError> {
        let (since_ms, step) = whole.unwrap_or((-1, 0));
        let keep = millis(keep).max(1);
        let mut arguments = vec![keep.to_string(), KEPT.to_string(), since_ms.to_string(), step.to_string()];
        for Delivered { delivery_id, sent } in delivered {
            arguments.push(delivery_id.clone());
            arguments.push(format!("{}|{}|{}", sent.at_ms, sent.channel, sent.class));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.redis.script(Replay::Safe, &ADD, &[&key(tenant, contact)], &arguments).await
    }

    async fn known(&self, tenant: &str, contact: &str) -> Result<Known, RedisError> {
        let fields: HashMap<String, String> =
            self.redis.command(Replay::Safe, redis::cmd("HGETALL").arg(key(tenant, contact))).await?;
        let since_ms = fields.get("since").and_then(|since| since.parse().ok());
        let step = fields.get("step").and_then(|step| step.parse().ok()).unwrap_or(0);
        let delivered = fields.iter().filter_map(|(field, value)| {
            let mut parts = value.splitn(3, '|');
            let at_ms = parts.next()?.parse().ok()?;
            let (channel, class) = (parts.next()?.to_owned(), parts.next()?.to_owned());
            let delivery_id = field.strip_prefix("d:")?.to_owned();
            Some(Delivered { delivery_id, sent: SentAt { at_ms, channel, class } })
        });
        Ok(Known { since_ms, step, delivered: delivered.collect() })
    }

    /// What Redis knows of the messages sent since then, newest first, at most `limit`; perhaps not all.
    pub async fn recent(
        &self,
        tenant: &str,
        contact: &str,
        since_ms: Millis,
        limit: usize,
    ) -> Result<Vec<SentAt>, RedisError> {
        Ok(newest(self.known(tenant, contact).await?.delivered, since_ms, limit))
    }

    /// The messages sent, newest first: from Redis or, when Redis is away or does not know all of them, from `rebuild`,
    /// which lists every one since then.
    pub async fn recent_or_rebuild<E, F, Fut>(&self, asking: Asking<'_>, rebuild: F) -> Result<Vec<SentAt>, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Vec<Delivered>, E>>,
    {
        let Asking { tenant, contact, step, since_ms, limit, keep } = asking;
        let known = self.known(tenant, contact).await.unwrap_or_default();
        if known.step >= step && known.since_ms.is_some_and(|since| since <= since_ms) {
            return Ok(newest(known.delivered, since_ms, limit));
        }
        let mut rebuilt = rebuild().await?;
        let whole = Some((since_ms.max(0), step));
        if let Err(error) = self.add(tenant, contact, &rebuilt, whole, keep).await {
            tracing::debug!(tenant, error = &error as &dyn std::error::Error, "sent history not stored");
        }
        // What was recorded a moment ago may not stand in the source of the rebuild yet.
        let more = known.delivered.into_iter();
        rebuilt.extend(more);
        Ok(newest(rebuilt, since_ms, limit))
    }

    /// Makes what was sent to `other` count for `keep` too, as when contacts are joined. May be repeated; where it
    /// fails, the joined history is rebuilt, and lacks only what no transcript tells yet.
    pub async fn join(&self, tenant: &str, keep: &str, other: &str) -> Result<(), RedisError> {
        let keys = [key(tenant, keep), key(tenant, other)];
        self.redis.script(Replay::Safe, &JOIN, &[&keys[0], &keys[1]], &[]).await
    }
}

fn key(tenant: &str, contact: &str) -> String {
    keys::redis(tenant, "sent", &[contact])
}

/// What Redis knows of a contact.
#[derive(Debug, Default)]
struct Known {
    /// From when on nothing is missing; none when nobody knows.
    since_ms: Option<Millis>,
    /// For which step of the contact that is so.
    step: u64,
    delivered: Vec<Delivered>,
}

fn newest(mut delivered: Vec<Delivered>, since_ms: Millis, limit: usize) -> Vec<SentAt> {
    delivered.retain(|delivered| delivered.sent.at_ms >= since_ms);
    delivered.sort_by(|a, b| a.delivery_id.cmp(&b.delivery_id));
    delivered.dedup_by(|a, b| a.delivery_id == b.delivery_id);
    delivered.sort_by_key(|delivered| std::cmp::Reverse(delivered.sent.at_ms));
    delivered.truncate(limit);
    delivered.into_iter().map(|delivered| delivered.sent).collect()
}

#[cfg(test)]
mod tests {
    use super::{Delivered, SentAt, newest};

    #[test]
    fn the_newest_stand_first_and_each_delivery_once() {
        let sent = |id: &str, at_ms: i64| Delivered {
            delivery_id: id.to_owned(),
            sent: SentAt { at_ms, channel: "sms".to_owned(), class: "service".to_owned() },
        };
        let all = vec![sent("a", 1), sent("b", 5), sent("c", 3), sent("b", 5)];
        let times = |since, limit| {
            newest(all.clone(), since, limit).into_iter().map(|sent| sent.at_ms).collect::<Vec<_>>()
        };
        assert_eq!(times(2, 9), [5, 3]);
        assert_eq!(times(0, 1), [5]);
    }
}
