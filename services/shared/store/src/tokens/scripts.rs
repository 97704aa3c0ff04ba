//! What Redis does for tokens, each in one step. Times are Redis's own, in milliseconds; generations are made of its
//! clock in microseconds, so that they go on growing after Redis lost everything.

use std::sync::LazyLock;

use redis::Script;

/// KEYS: token, lock. ARGV: our name, lock milliseconds.
/// Answers {state, generation, value, expires, renew or pause}:
/// 0 use it, 1 you refresh (generation is yours), 2 somebody refreshes and there is nothing to use meanwhile,
/// 3 a refresh failed a moment ago.
/// Safe to send again: a lock that is ours already is given to us again, with the same generation.
pub(super) static ASK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local t = redis.call('HMGET', KEYS[1], 'value', 'generation', 'expires', 'renew', 'pause', 'fence')
local value, generation, expires, renew = t[1], t[2] or '0', tonumber(t[3] or '0'), tonumber(t[4] or '0')
local valid = value and now < expires
if valid and now < renew then return {0, generation, value, string.format('%.0f', expires), '0'} end
local pause = tonumber(t[5] or '0') - now
local holder = redis.call('GET', KEYS[2])
if not holder and pause <= 0 then
  local fence = math.max(clock[1] * 1000000 + clock[2], tonumber(t[6] or '0') + 1)
  local text = string.format('%.0f', fence)
  redis.call('SET', KEYS[2], ARGV[1] .. ':' .. text, 'PX', ARGV[2])
  redis.call('HSET', KEYS[1], 'fence', text)
  if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], 3600000) end
  return {1, text, '', '0', '0'}
end
if holder and string.sub(holder, 1, #ARGV[1] + 1) == ARGV[1] .. ':' then
  return {1, string.sub(holder, #ARGV[1] + 2), '', '0', '0'}
end
if valid then return {0, generation, value, string.format('%.0f', expires), '0'} end
if pause > 0 then return {3, '0', '', '0', string.format('%.0f', pause)} end
return {2, '0', '', '0', '0'}",
    )
});

/// KEYS: token, lock. ARGV: our name, generation, value, milliseconds valid, milliseconds until renewal.
/// Stores what a refresher brought unless a later refresher took over, and gives the lock back. Safe to send again.
pub(super) static STORE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known = tonumber(redis.call('HGET', KEYS[1], 'generation') or '0')
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
local mine = tonumber(ARGV[2])
if redis.call('GET', KEYS[2]) == ARGV[1] .. ':' .. ARGV[2] then redis.call('DEL', KEYS[2]) end
if known > mine or fence > mine then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[3], 'generation', ARGV[2], 'fence', ARGV[2],
  'expires', string.format('%.0f', now + ARGV[4]), 'renew', string.format('%.0f', now + ARGV[5]))
redis.call('HDEL', KEYS[1], 'pause')
redis.call('PEXPIRE', KEYS[1], math.max(ARGV[4] + 60000, 60000))
return 1",
    )
});

/// KEYS: token, lock. ARGV: our name, generation, pause milliseconds. Gives the lock back after a failure.
pub(super) static GIVE_UP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('GET', KEYS[2]) ~= ARGV[1] .. ':' .. ARGV[2] then return 0 end
redis.call('DEL', KEYS[2])
local clock = redis.call('TIME')
redis.call('HSET', KEYS[1], 'pause', string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[3]))
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], 60000) end
return 1",
    )
});

/// KEYS: token. ARGV: generation. Discards the token if it is still this one. Safe to send again.
pub(super) static DISCARD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'value')
return 1",
    )
});
