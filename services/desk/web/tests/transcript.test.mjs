import assert from "node:assert/strict";
import { test } from "node:test";
import { rows } from "../messages.js";
import { Transcript } from "../transcript.js";
import { at, heard, said } from "./fakes.mjs";

const seqs = (transcript) => transcript.items.map((item) => item.seq);

test("events count once and stand in the stream's order, however they come", () => {
  const events = [heard(2, "a"), said(4, "b"), at(7, "conversation.assigned", { agent: "ann" }), said(9, "d")];
  const permute = (items) => (items.length < 2 ? [items] : items.flatMap((item, index) => permute(items.toSpliced(index, 1)).map((rest) => [item, ...rest])));
  for (const order of permute(events)) {
    const transcript = new Transcript();
    for (const entry of [...order, ...order]) transcript.fold(entry);
    assert.deepEqual(seqs(transcript), [2, 4, 7, 9]);
  }
});

test("live events, replay and history overlap without doubling", () => {
  const transcript = new Transcript();
  transcript.fold(heard(8, "live"));
  transcript.history({ events: [heard(2, "old"), said(4, "older"), heard(8, "live")], more: true });
  transcript.history({ events: [heard(1, "first"), heard(2, "old")] });
  assert.deepEqual(seqs(transcript), [1, 2, 4, 8]);
  assert.deepEqual([transcript.oldest, transcript.more, transcript.loaded], [1, false, true]);
});

test("one message told by two events is shown once", () => {
  const transcript = new Transcript();
  transcript.fold(heard(2, "a"));
  transcript.fold({ ...heard(2, "a"), event: { ...heard(2, "a").event, id: "evt_again" } });
  assert.equal(transcript.items.length, 1);
});

test("a delivery only moves forward, whatever order the receipts come in", () => {
  const told = (sequence, type, more = {}) => at(sequence, `message.${type}`, { messageId: "msg_1", ...more });
  const cases = [
    [["sent", "delivered", "read"], "read"], [["read", "delivered", "sent"], "read"], [["in_doubt", "sent"], "sent"], [["sent", "failed"], "failed"],
    [["deferred", "sent"], "sent"], [["deferred", "in_doubt"], "in_doubt"], [["failed", "delivered"], "delivered"], [["delivered", "failed"], "delivered"], [["refused"], "refused"], [[], "queued"],
  ];
  for (const [types, wanted] of cases) {
    const transcript = new Transcript();
    types.forEach((type, index) => transcript.fold(told(index + 10, type)));
    assert.equal(transcript.delivery("msg_1").state, wanted, String(types));
  }
});

test("why it failed is told", () => {
  const transcript = new Transcript();
  transcript.fold(at(3, "message.failed", { messageId: "msg_1", error: { code: "21610", text: "Opted out" } }));
  assert.equal(transcript.delivery("msg_1").reason, "Opted out; code 21610");
});

test("the newest verdict holds, also when an older one comes later", () => {
  const judged = (sequence, outcome) => ({ ...heard(sequence, "x"), event: { ...heard(sequence, "x").event, messageReceived: { message: { id: `m${sequence}` }, verdict: { outcome, region: { name: outcome } } } } });
  const transcript = new Transcript();
  transcript.fold(judged(5, "OUTCOME_DENY"));
  transcript.fold(judged(3, "OUTCOME_ALLOW"));
  assert.deepEqual([transcript.verdict.outcome, transcript.region.name], ["OUTCOME_DENY", "OUTCOME_DENY"]);
});

test("unread are the customer's words since the agent looked or answered", () => {
  const transcript = new Transcript();
  for (const entry of [heard(1, "a"), said(2, "b"), heard(3, "c"), heard(5, "d")]) transcript.fold(entry);
  assert.deepEqual([transcript.unread(0), transcript.unread(3), transcript.unread(5)], [2, 1, 0]);
});

test("events without an id, or of a kind unheard of, disturb nobody", () => {
  const transcript = new Transcript();
  assert.equal(transcript.fold({ sequence: "1" }), false);
  assert.equal(transcript.fold(at(2, "something.new", { x: 1 })), true);
  assert.deepEqual(transcript.items, []);
});

test("a refusal is told by the reason that decided, and a deferral by its time and its reason", () => {
  const transcript = new Transcript();
  const verdict = { outcome: "OUTCOME_DENY", fired: [{ code: "policy.rule_denies", text: "rule quiet forbids it" }, { code: "policy.region_allows", text: "region a allows sms" }] };
  transcript.fold(at(3, "message.refused", { messageId: "msg_1", verdict }));
  assert.equal(transcript.delivery("msg_1").reason, "rule quiet forbids it");
  transcript.fold(at(4, "message.deferred", { messageId: "msg_2", until: "2026-01-01T08:00:00Z", verdict: { outcome: "OUTCOME_DEFER", fired: [{ text: "quiet hours" }] } }));
  assert.deepEqual([transcript.delivery("msg_2").until, transcript.delivery("msg_2").reason], [Date.UTC(2026, 0, 1, 8), "quiet hours"]);
});

test("a message and the one that stands in for it know each other, in whichever order that is told", () => {
  const rerouted = at(9, "message.rerouted", { messageId: "msg_1", newMessageId: "msg_2", fromChannel: "sms", to: { channel: "email" }, trigger: "no_receipt" });
  for (const order of [[rerouted, at(3, "message.sent", { messageId: "msg_1" })], [at(3, "message.sent", { messageId: "msg_1" }), rerouted]]) {
    const transcript = new Transcript();
    for (const entry of order) transcript.fold(entry);
    const [first, second] = [transcript.delivery("msg_1"), transcript.delivery("msg_2")];
    assert.deepEqual([first.state, first.instead.by, first.instead.trigger, first.instead.message], ["sent", "email", "no_receipt", "msg_2"]);
    assert.deepEqual([second.state, second.standsFor], ["queued", { by: "sms", message: "msg_1" }]);
  }
});

test("a template that went instead is told apart from other changes", () => {
  const transcript = new Transcript();
  transcript.fold(at(3, "message.sent", { messageId: "msg_1", transcoding: [{ code: "window.template", text: "again (pt)" }, { code: "text.split", text: "in two parts" }] }));
  assert.deepEqual([transcript.delivery("msg_1").template, transcript.delivery("msg_1").changed], ["again (pt)", "in two parts"]);
});

test("a conversation over several channels knows them, and says when an address joined", () => {
  const transcript = new Transcript();
  transcript.fold(heard(1, "by sms"));
  assert.equal(transcript.channels.size, 1);
  transcript.fold(at(2, "contact.joined", { address: { channel: "email", userId: "m@example.com" }, by: "link_code" }));
  transcript.fold(said(3, "by mail", { channel: "email" }));
  assert.deepEqual([...transcript.channels], ["sms", "email"]);
  assert.match(transcript.items[1].text, /email · m@example\.com is the same customer/u);
});

const CUSTOMER = { channel: "telegram", account: "shop", userId: "7", displayName: "Maria" };
const inbound = (sequence, providerMessageId, content, more = {}) => at(sequence, "message.received", {
  message: { id: `msg_${sequence}`, providerMessageId, content, sender: { kind: "SENDER_KIND_CUSTOMER", displayName: "Maria" }, address: CUSTOMER, ...more },
});
const outbound = (sequence, body, more = {}) => at(sequence, "message.accepted", {
  message: { id: `msg_${sequence}`, content: { text: { body } }, sender: { kind: "SENDER_KIND_AGENT", id: "ann" }, address: CUSTOMER, ...more },
});
const words = (body) => ({ text: { body } });

test("what a message quotes is found by its id and by the provider's, whenever it comes", () => {
  const sent = at(6, "message.sent", { messageId: "msg_5", providerMessageId: "42", providerPartIds: ["42", "43"] }, { channel: "telegram", account: "shop" });
  const events = [
    inbound(2, "41", words("In which  colours?")), outbound(5, "Blue", { replyTo: { messageId: "msg_2" } }), sent,
    inbound(8, "44", words("that one"), { replyTo: { providerMessageId: "43" } }), outbound(9, "of whom?", { replyTo: { messageId: "msg_1" } }), inbound(10, "45", words("forget it")),
  ];
  const told = [null, { id: "msg_2", author: "Maria", text: "In which colours?" }, { id: "msg_5", author: "ann", text: "Blue" }, null, null];
  for (const order of [events, events.toReversed()]) {
    const transcript = new Transcript();
    for (const entry of order) transcript.fold(entry);
    assert.deepEqual(rows(transcript, []).filter((row) => row.kind === "message").map((row) => row.quote), told);
  }
});

test("a provider's id means nothing on another account", () => {
  const transcript = new Transcript();
  transcript.fold(inbound(2, "41", words("a")));
  const replyTo = { providerMessageId: "41" };
  assert.equal(transcript.quoted({ replyTo, channel: "telegram", account: "shop" }).id, "msg_2");
  assert.deepEqual([transcript.quoted({ replyTo, channel: "telegram", account: "other" }), transcript.quoted({ replyTo: {}, channel: "telegram", account: "shop" })], [null, null]);
});

test("what is on its way shows what it quotes, and the customer's words alone are answered", () => {
  const transcript = new Transcript();
  transcript.fold(inbound(2, "41", words("In which colours?")));
  transcript.fold(inbound(3, "r1", { reaction: { emoji: "👍", target: { messageId: "msg_1" } } }));
  transcript.fold(outbound(4, "Blue"));
  const pending = { commandId: "cmd_1", content: { text: "Red" }, address: null, replyTo: { messageId: "msg_2" }, at: 0, state: "sending" };
  const messages = rows(transcript, [pending]).filter((row) => row.kind === "message");
  assert.deepEqual(messages.map((row) => row.quote?.text ?? null), [null, null, null, "In which colours?"]);
  assert.deepEqual(messages.map((row) => Boolean(row.answerable)), [true, false, false, false]);
});
