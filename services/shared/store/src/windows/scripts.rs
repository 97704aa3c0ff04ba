//! What happens to a customer's windows within Redis, in one step each.
//!
//! One hash holds them all: `w:<kind>` is `<opened>:<expires>:<limit or -1>:<used when it was written>`, `c:<cause>` is
//! the kind of window that the cause took a message from, and `none` says that there never was a window.

use std::sync::LazyLock;

use redis::Script;

/// Reads the hash into `kinds` (kind → window) and `causes` (cause → kind), and says how much each window has left.
const READ: &str = r"
local kinds, causes, none = {}, {}, false
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  local tag, name = string.sub(flat[i], 1, 2), string.sub(flat[i], 3)
  if tag == 'w:' then
    local opened, expires, limit, used = string.match(flat[i + 1], '^(%-?%d+):(%-?%d+):(%-?%d+):(%d+)$')
    kinds[name] = {opened = tonumber(opened), expires = tonumber(expires), limit = tonumber(limit), used = tonumber(used)}
  elseif tag == 'c:' then
    causes[name] = flat[i + 1]
  else
    none = true
  end
end
for _, kind in pairs(causes) do
  if kinds[kind] then kinds[kind].used = kinds[kind].used + 1 end
end
local function drop(kind)
  redis.call('HDEL', KEYS[1], 'w:' .. kind)
  for cause, from in pairs(causes) do
    if from == kind then redis.call('HDEL', KEYS[1], 'c:' .. cause) end
  end
end
";

/// KEYS: windows. ARGV: kind, opened, expires, limit or -1, used, milliseconds a closed window is remembered.
/// Only a later opening replaces a window of its kind, so messages may come in any order and twice.
pub(super) static OPEN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&format!(
        r"{READ}
local kind, opened = ARGV[1], tonumber(ARGV[2])
if none then redis.call('HDEL', KEYS[1], 'none') end
if kinds[kind] and kinds[kind].opened >= opened then return 0 end
drop(kind)
redis.call('HSET', KEYS[1], 'w:' .. kind, table.concat({{ARGV[2], ARGV[3], ARGV[4], ARGV[5]}}, ':'))
local last = tonumber(ARGV[3])
for other, window in pairs(kinds) do
  if other ~= kind then
    if window.expires <= opened then drop(other) else last = math.max(last, window.expires) end
  end
end
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last + tonumber(ARGV[6])))
return 1"
    ))
});

/// KEYS: windows. ARGV: now, cause. Answers {state, number}: -1 unknown, 0 closed, 1 granted, 2 exhausted.
/// The cause is kept with the window, so a delivery that is tried again is counted once.
pub(super) static CONSUME: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&format!(
        r"{READ}
local now, cause = tonumber(ARGV[1]), ARGV[2]
local free, first, latest, left, open = false, nil, nil, 0, nil
for kind, window in pairs(kinds) do
  if not latest or window.expires > kinds[latest].expires then latest = kind end
  if now < window.expires then
    open = math.max(open or 0, window.expires)
    if window.limit < 0 then
      free = true
    else
      left = left + math.max(0, window.limit - window.used)
      if window.used < window.limit and (not first or window.expires < kinds[first].expires) then first = kind end
    end
  end
end
for kind, window in pairs(kinds) do
  if now >= window.expires and (open or kind ~= latest) then drop(kind) end
end
if not latest then
  if none then return {{0, 0}} end
  return {{-1, 0}}
end
if not open then return {{0, kinds[latest].expires}} end
local taken = kinds[causes[cause] or '']
if taken and now < taken.expires then
  if free then return {{1, -1}} end
  return {{1, left}}
end
if free then return {{1, -1}} end
if not first then return {{2, open}} end
redis.call('HSET', KEYS[1], 'c:' .. cause, first)
return {{1, left - 1}}"
    ))
});

/// KEYS: windows. ARGV: milliseconds for which it is believed that there is none.
pub(super) static NONE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'none', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1",
    )
});
