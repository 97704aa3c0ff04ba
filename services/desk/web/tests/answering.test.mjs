import assert from "node:assert/strict";
import { test } from "node:test";
import { Reaching, countdown, mayQuote, prospect, sameAddress } from "../answering.js";
import { FakeTimers } from "./fakes.mjs";

const MINUTE = 60_000;
const at = (ms) => new Date(ms).toISOString();

test("a window counts down in hours and minutes, warns in its last hour, and says when it is closed", () => {
  const window = { expiresAt: at(24 * 60 * MINUTE), remaining: -1 };
  const seen = (now) => [countdown(window, now).text, countdown(window, now).tone, countdown(window, now).open];
  assert.deepEqual(seen(0), ["24:00 left", "calm", true]);
  assert.deepEqual(seen(12 * 60 * MINUTE + 1), ["12:00 left", "calm", true]);
  assert.deepEqual(seen(23 * 60 * MINUTE), ["1:00 left", "calm", true]);
  assert.deepEqual(seen(23 * 60 * MINUTE + 1), ["1:00 left", "warn", true]);
  assert.deepEqual(seen(24 * 60 * MINUTE - 1), ["0:01 left", "warn", true]);
  assert.deepEqual(seen(24 * 60 * MINUTE), ["Window closed", "bad", false]);
});

test("windows that count messages say how many are left", () => {
  const window = (remaining) => ({ expiresAt: at(600 * MINUTE), remaining });
  assert.equal(countdown(window(5), 0).text, "10:00, 5 messages left");
  assert.deepEqual([countdown(window(1), 0).text, countdown(window(1), 0).tone], ["10:00, 1 message left", "warn"]);
  // Canonical JSON leaves a zero out.
  assert.deepEqual([countdown({ expiresAt: at(600 * MINUTE) }, 0).text, countdown(window(0), 0).open], ["Window used up", false]);
  assert.equal(countdown(null, 0), null);
});

const way = (outcome, more = {}, template = null) => ({ verdict: { outcome: `OUTCOME_${outcome}`, fired: [{ code: "policy.x", text: "the messaging window is closed" }], ...more }, template });

test("the agent is told what becomes of an answer before it is written", () => {
  assert.equal(prospect(way("ALLOW")), null);
  assert.equal(prospect(null), null);
  const text = (...args) => prospect(way(...args), { clock: () => "8 o'clock" }).text;
  assert.match(text("NEEDS_TEMPLATE", {}, { name: "again", language: "pt_BR", takesText: true }), /^The messaging window is closed\. Your answer goes out inside the template “again” \(pt_BR\)\.$/u);
  assert.match(text("NEEDS_TEMPLATE", {}, { name: "again" }), /instead of your answer/u);
  assert.match(text("NEEDS_TEMPLATE"), /will be refused/u);
  assert.match(text("DENY", { channels: ["email"] }), /^An answer will be refused\. The messaging window is closed\. Allowed here: email\.$/u);
  assert.match(text("DEFER", { until: at(0) }), /until 8 o'clock/u);
  assert.match(text("NEEDS_CONSENT"), /has not agreed/u);
  assert.match(text("USE_CHANNEL", { channels: ["email", "sms"] }), /: email, sms\./u);
});

test("addresses are the same by channel, account and id alone", () => {
  const one = { channel: "sms", account: "us", userId: "+1", displayName: "Maria" };
  assert.equal(sameAddress(one, { channel: "sms", account: "us", userId: "+1" }), true);
  assert.equal(sameAddress(one, { channel: "sms", account: "ca", userId: "+1" }), false);
  assert.equal(sameAddress(one, null), false);
});

test("the reach is asked for at once for another conversation, and once for a burst of events", async () => {
  const timers = new FakeTimers();
  const [asked, told] = [[], []];
  const reaching = new Reaching({ ask: async (id) => { asked.push(id); return { conversation: id }; }, onReach: (id) => told.push(id), timers });
  reaching.want("cnv_1", "1");
  timers.advance(0);
  for (const mark of ["2", "3", "3", "4"]) reaching.want("cnv_1", mark);
  assert.deepEqual(asked, ["cnv_1"]);
  timers.advance(1_000);
  reaching.want("cnv_1", "4");
  timers.advance(1_000);
  assert.deepEqual(asked, ["cnv_1", "cnv_1"]);
  reaching.want("cnv_2", "1");
  reaching.want(null);
  timers.advance(1_000);
  await null;
  assert.deepEqual([asked.length, told], [2, ["cnv_1"]]);
});

test("an answer quotes what the customer said where it goes, unless the channel is known not to show it", () => {
  const message = { answerable: true, channel: "telegram", account: "shop" };
  const way = { channel: "telegram", account: "shop", userId: "7" };
  for (const fits of [null, way, { ...way, replies: true }, { channel: "telegram" }]) assert.equal(mayQuote(message, fits), true, JSON.stringify(fits));
  for (const other of [{ ...way, replies: false }, { ...way, channel: "sms" }, { ...way, account: "other" }]) assert.equal(mayQuote(message, other), false, JSON.stringify(other));
  assert.equal(mayQuote({ ...message, answerable: false }, way), false);
});
