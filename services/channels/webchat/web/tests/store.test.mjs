import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageLog } from "../store.js";
import { said } from "./fakes.mjs";

const seqs = (log) => log.entries().map((entry) => entry.seq);
const wrote = (cid, text = cid) => ({ cid, text, at: "2026-01-01T00:00:00Z" });

test("messages are applied in order and once, whatever order and number they come in", () => {
  // Every permutation of five messages, each delivered twice.
  const permute = (items) => (items.length < 2 ? [items] : items.flatMap((item, at) => permute(items.toSpliced(at, 1)).map((rest) => [item, ...rest])));
  for (const order of permute([1, 2, 3, 4, 5])) {
    const log = new MessageLog();
    const shown = [];
    for (const seq of [...order, ...order]) {
      shown.push(...log.receive(said(seq)).map((entry) => entry.seq));
      assert.deepEqual(seqs(log), Array.from({ length: log.lastSeq }, (_, index) => index + 1), "never a gap");
    }
    assert.deepEqual(shown, [1, 2, 3, 4, 5], `after ${order}`);
    assert.equal(log.gap, false);
  }
});

test("a gap holds later messages back until it is filled", () => {
  const log = new MessageLog({ lastSeq: 41 });
  assert.deepEqual(log.receive(said(44)), []);
  assert.equal(log.gap, true);
  assert.equal(log.lastSeq, 41);
  log.receive(said(42));
  assert.equal(log.gap, true);
  log.receive(said(43));
  assert.deepEqual(seqs(log), [42, 43, 44]);
  assert.equal(log.gap, false);
});

test("frames that are no messages change nothing", () => {
  const log = new MessageLog();
  for (const frame of [null, {}, said(0), said(-1), said(1.5), said("1"), said(1, "x", { id: "" })]) log.receive(frame);
  assert.deepEqual(log.entries(), []);
});

test("an own message keeps its key from writing to the sequence", () => {
  const log = new MessageLog();
  log.write(wrote("c1"));
  const [before] = log.entries();
  log.ack({ cid: "c1", id: "msg_1", seq: 1, at: "2026-01-01T00:00:05Z" });
  const [after] = log.entries();
  assert.equal(before.key, after.key);
  assert.deepEqual([before.state, after.state, after.at], ["sending", "sent", "2026-01-01T00:00:05Z"]);
  assert.deepEqual(log.unsent(), []);
});

test("replay and ack of one own message are one message, in either order and with or without cid", () => {
  for (const cid of ["c1", undefined]) {
    const replay = said(1, "hi", { from: { kind: "customer" }, cid });
    const ack = { cid: "c1", id: "msg_1", seq: 1, at: "x" };
    for (const steps of [["ack", "replay"], ["replay", "ack"], ["replay", "replay", "ack", "ack"]]) {
      const log = new MessageLog();
      log.write(wrote("c1", "hi"));
      for (const step of steps) step === "ack" ? log.ack(ack) : log.receive(replay);
      assert.deepEqual(log.entries().map((entry) => [entry.text, entry.seq]), [["hi", 1]], `${cid} ${steps}`);
      assert.equal(log.unsent().length, 0);
    }
  }
});

test("an ack beyond a gap is sent, but not placed before what is missing", () => {
  const log = new MessageLog({ lastSeq: 10 });
  log.write(wrote("c1"));
  log.ack({ cid: "c1", id: "msg_12", seq: 12, at: "x" });
  assert.deepEqual([log.lastSeq, log.gap, log.unsent().length], [10, true, 0]);
  assert.equal(log.entries()[0].state, "sent");
  log.receive(said(11));
  assert.deepEqual(seqs(log), [11, 12]);
});

test("an ack for a message of another tab is a gap, not a skipped number", () => {
  const log = new MessageLog({ lastSeq: 1 });
  log.ack({ cid: "elsewhere", id: "msg_2", seq: 2, at: "x" });
  assert.deepEqual([log.lastSeq, log.gap], [1, true]);
  log.receive(said(2, "from the other tab", { from: { kind: "customer" }, cid: "elsewhere" }));
  assert.deepEqual([log.lastSeq, log.gap], [2, false]);
});

test("receipts only improve, may come early, and reading covers what was before", () => {
  const log = new MessageLog();
  log.receipt({ id: "msg_3", state: "read" });
  for (const seq of [1, 2, 3]) log.receive(said(seq, "mine", { from: { kind: "customer" }, cid: `c${seq}` }));
  assert.deepEqual(log.entries().map((entry) => entry.state), ["sent", "sent", "read"]);
  log.receipt({ id: "msg_2", state: "read" });
  log.receipt({ id: "msg_2", state: "delivered" });
  assert.deepEqual(log.entries().map((entry) => entry.state), ["read", "read", "read"]);
  log.receipt({ id: "msg_2", state: "nonsense" });
  assert.deepEqual(log.entries().map((entry) => entry.state), ["read", "read", "read"]);
});

test("history is put before what is here, once", () => {
  const log = new MessageLog({ lastSeq: 5 });
  log.receive(said(6));
  log.history([said(3), said(4), said(5), said(6)], true);
  log.history([said(1), said(2), said(3)], false);
  assert.deepEqual(seqs(log), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([log.more, log.firstSeq, log.lastSeq], [false, 1, 6]);
});

test("a reset forgets what was numbered and keeps what is on its way", () => {
  const log = new MessageLog();
  log.receive(said(1));
  log.receive(said(3));
  log.write(wrote("c1"));
  log.reset(9);
  assert.deepEqual(log.entries().map((entry) => entry.cid), ["c1"]);
  assert.deepEqual([log.lastSeq, log.gap, log.more], [9, false, true]);
  log.receive(said(1, "another conversation's first", { id: "msg_new" }));
  assert.equal(log.firstSeq, 1);
});

test("unread counts answers, not own words or notices", () => {
  const log = new MessageLog();
  log.receive(said(1));
  log.receive(said(2, "mine", { from: { kind: "customer" } }));
  log.receive(said(3, "Ann joined", { from: { kind: "system" } }));
  assert.equal(log.unread(), 1);
  assert.equal(log.markRead(), 3);
  assert.equal(log.unread(), 0);
  assert.equal(log.markRead(), null, "nothing new to report");
  log.receive(said(4, "mine again", { from: { kind: "customer" } }));
  assert.equal(log.markRead(), null, "own words need no receipt");
});

test("a refused message can be tried again under the same cid, or given up", () => {
  const log = new MessageLog();
  log.write(wrote("c1"));
  log.write(wrote("c2"));
  log.fail("c1", { code: "text_too_long", message: "" });
  assert.deepEqual(log.unsent().map((entry) => entry.cid), ["c2"]);
  log.retry("c1");
  assert.deepEqual(log.unsent().map((entry) => entry.cid), ["c1", "c2"]);
  log.fail("c1", { code: "text_too_long", message: "" });
  log.discard("c1");
  assert.deepEqual(log.entries().map((entry) => entry.cid), ["c2"]);
});

test("choices wait for an answer until the visitor says something", () => {
  const log = new MessageLog();
  const [question] = log.receive(said(1, "?", { choices: [{ id: "y", title: "Yes" }] }));
  assert.equal(log.answerable(question), true);
  log.write(wrote("c1"));
  assert.equal(log.answerable(question), false);
});
