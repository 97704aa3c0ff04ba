import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageLog } from "../store.js";
import { stringsFor } from "../strings.js";
import { waitingWords } from "../waiting.js";

const en = stringsFor(["en-GB"]);
const NOW = new Date(2026, 2, 2, 22, 0);
const told = (waiting, text = "") => waitingWords({ waiting, text }, en, NOW);

test("the place and the wait are told as they were decided", () => {
  assert.equal(told({ state: "queued", position: 3, wait_s: 230 }), "You are number 3 in the queue. The wait is about 4 minutes.");
  assert.equal(told({ state: "queued", position: 1, wait_s: 10 }), "You are next. The wait is less than a minute.");
  assert.equal(told({ state: "queued", position: 2 }), "You are number 2 in the queue.");
  assert.equal(told({ state: "queued", position: 2, nobody: true }), "Nobody is available right now. You keep your place.");
});

test("a closed queue says when it opens, by the visitor's own clock", () => {
  const opens = new Date(2026, 2, 3, 9, 0).toISOString();
  assert.match(told({ state: "queued", position: 2, opens_at: opens }), /open again: Tuesday.* 0?9:00/u);
  assert.equal(told({ state: "queued", position: 2, opens_at: "2020-01-01T00:00:00Z" }), "You are number 2 in the queue.");
});

test("what a newer server tells is told in its own words", () => {
  assert.equal(told({ state: "moved" }, "You are elsewhere now."), "You are elsewhere now.");
});

const frame = (seq, from, more = {}) => ({ t: "msg", seq, id: `m${seq}`, from: { kind: from, name: "" }, text: `text ${seq}`, at: "2026-03-02T22:00:00Z", ...more });
const waiting = (seq, state) => frame(seq, "system", { waiting: { state, position: 2 }, choices: [{ id: "hg.callback", title: "Call me back" }] });

test("the newest word on the wait stands until somebody answers", () => {
  const log = new MessageLog();
  log.receive(frame(1, "customer"));
  log.receive(waiting(2, "queued"));
  log.receive(waiting(3, "queued"));
  assert.equal(log.waiting.seq, 3);
  assert.deepEqual(log.entries().map((entry) => entry.seq), [1], "it is no message");
  assert.equal(log.unread(), 0);
  assert.equal(log.chosen(log.waiting), false);
  log.receive(frame(4, "customer", { choice: { id: "hg.callback", title: "Call me back" }, reply_to: "m3" }));
  assert.equal(log.chosen(log.waiting), true);
  log.receive(waiting(5, "turn"));
  assert.equal(log.waiting.waiting.state, "turn");
  log.receive(frame(6, "agent"));
  assert.equal(log.waiting, null);
});

test("that it is over is told until the visitor writes again", () => {
  const log = new MessageLog();
  log.receive(waiting(1, "over"));
  assert.equal(log.waiting.seq, 1);
  log.receive(frame(2, "customer"));
  assert.equal(log.waiting, null);
});
