import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../client.js";
import { rowsOf } from "../colleagues.js";
import { Desk, handoversOf, mayWrite } from "../model.js";
import { partNotes } from "../parts.js";
import { boardOf, longestWait, queueOf, toneOf } from "../pool.js";
import { skillWords } from "../transcript.js";
import { at, fakeWebSockets, FakeTimers, heard } from "./fakes.mjs";

const NOW = Date.UTC(2026, 0, 1);
const CONSULT = "RESERVATION_PURPOSE_CONSULT";
const clock = (ms) => new Date(ms).toISOString().slice(11, 16);

function desk(roles = ["agent"]) {
  const model = new Desk();
  model.profile = { name: "ann", roles, queues: ["support"] };
  return model;
}

const holding = (model, more = {}) => {
  model.applyState({ sequence: "1", presence: "PRESENCE_ONLINE", conversations: [{ id: "cnv_1", state: "assigned", agent: "ann", ...more }] }, NOW);
  return model.conversations.get("cnv_1");
};
const offer = (n, more) => at(n, "reservation.created", { reservationId: "rsv_1", agent: "ann", queue: "support", expiresAt: "2026-01-01T00:00:30Z", ...more });

test("a colleague who is asked reads along, and may not write", () => {
  const model = desk();
  const [offered] = model.applyEvent(offer(2, { purpose: CONSULT, consult: { by: "bob", note: "is this covered?" } }), NOW);
  assert.deepEqual([offered.offer.purpose, offered.offer.by, offered.offer.note], ["consult", "bob", "is this covered?"]);
  model.applyEvent(at(3, "reservation.accepted", { reservationId: "rsv_1", agent: "ann" }), NOW);
  assert.equal(model.conversations.size, 0, "it is not hers to answer");
  model.applyEvent(at(4, "consult.started", { agent: "ann", by: "bob" }), NOW);
  const conversation = model.conversations.get("cnv_1");
  assert.deepEqual([conversation.part, mayWrite(conversation)], ["advises", false]);
  // Whoever has it, she advises.
  model.applyEvent(at(5, "conversation.requeued", { agent: "bob" }), NOW);
  model.applyEvent(at(6, "conversation.assigned", { agent: "cyd" }), NOW);
  assert.equal(model.conversations.get("cnv_1").agent, "cyd");
  assert.deepEqual(model.applyEvent(at(7, "consult.ended", { agent: "ann", by: "bob" }), NOW).map((one) => one.what), ["left"]);
  assert.equal(model.conversations.size, 0);
});

test("who asks sees that it rings, that somebody advises, and what", () => {
  const model = desk();
  const conversation = holding(model);
  const notes = () => partNotes(conversation, "ann", clock).map((note) => note.text);
  model.applyEvent(offer(2, { agent: "bob", purpose: CONSULT, consult: { by: "ann" } }), NOW);
  assert.deepEqual(notes(), ["bob is asked for advice…"]);
  model.applyEvent(at(3, "consult.started", { agent: "bob", by: "ann" }), NOW);
  assert.deepEqual(notes(), ["bob reads along and advises."]);
  model.applyEvent(at(4, "consult.ended", { agent: "bob", by: "ann", note: "yes, refund it" }), NOW);
  assert.deepEqual(notes(), []);
  assert.equal(conversation.transcript.items.at(-1).text, "bob advises: yes, refund it");
});

test("a conversation passed on to whoever advised becomes theirs", () => {
  const model = desk();
  model.applyState({ sequence: "1", presence: "PRESENCE_ONLINE", consults: [{ id: "cnv_1", state: "assigned", agent: "bob", consult: { agent: "ann", by: "bob" } }] }, NOW);
  assert.equal(model.conversations.get("cnv_1").part, "advises");
  model.applyEvent(at(2, "consult.ended", { agent: "ann", by: "bob" }), NOW);
  const happened = model.applyEvent(at(3, "conversation.assigned", { agent: "ann", queue: "support" }), NOW);
  assert.deepEqual([happened.map((one) => one.what), model.conversations.get("cnv_1").part], [["assigned"], "answers"]);
});

test("a supervisor who joined may write until they leave, and others are told of them", () => {
  const model = desk(["supervisor"]);
  model.applyEvent(at(2, "supervisor.joined", { agent: "ann" }), NOW);
  assert.deepEqual([model.conversations.get("cnv_1").part, mayWrite(model.conversations.get("cnv_1"))], ["joined", true]);
  model.applyEvent(at(3, "supervisor.left", { agent: "ann" }), NOW);
  assert.equal(model.conversations.size, 0);
  const agent = desk();
  const conversation = holding(agent);
  agent.applyEvent(at(4, "supervisor.joined", { agent: "sue" }), NOW);
  assert.match(partNotes(conversation, "ann", clock)[0].text, /^sue takes part/u);
});

test("a callback says where and when", () => {
  const model = desk();
  const callback = { address: { channel: "sms", phone: "+12125550100" }, notBefore: "2026-01-01T09:00:00Z" };
  const [{ offer: rings }] = model.applyEvent(offer(2, { purpose: "RESERVATION_PURPOSE_CALLBACK", callback }), NOW);
  assert.equal(rings.purpose, "callback");
  model.applyEvent(at(3, "reservation.accepted", { reservationId: "rsv_1", agent: "ann" }), NOW);
  model.applyEvent(at(4, "conversation.assigned", { agent: "ann" }), NOW);
  assert.deepEqual(partNotes(model.conversations.get("cnv_1"), "ann", clock).map((note) => note.text), ["Call back at +12125550100 (SMS), not before 09:00."]);
  model.applyEvent(at(5, "callback.cancelled", {}), NOW);
  assert.equal(model.conversations.get("cnv_1").callback, null);
});

test("what a bot handed over is there once, from the state and from the history", () => {
  const model = desk();
  const conversation = holding(model, { handovers: [{ fromAgent: "bot", note: "refund", context: { order: "4711" }, at: at(0, "x", {}).event.time }] });
  assert.deepEqual(handoversOf(conversation).map((one) => [one.from, one.context.order]), [["bot", "4711"]]);
  const transferred = at(3, "conversation.transferred", { fromAgent: "bot", toQueue: "support", note: "refund", context: { order: "4711" } });
  transferred.event.time = at(0, "x", {}).event.time;
  model.applyHistory({ conversation: "cnv_1", events: [transferred, heard(4, "hello")] });
  assert.equal(handoversOf(conversation).length, 1);
});

test("what the customer was told stands in the transcript", () => {
  const model = desk();
  const conversation = holding(model);
  const told = at(2, "conversation.position", { place: { position: 2 } });
  told.event.told = { content: { choice: { body: "You are number 2." } } };
  model.applyEvent(told, NOW);
  assert.equal(conversation.transcript.items.at(-1).text, "Customer was told: You are number 2.");
});

test("queues are told anew, and their wait goes on by itself", () => {
  const model = desk();
  model.applyQueues({ queues: [{ name: "support", waiting: 1, oldestWaitMs: "10000", targetSeconds: 30 }, { name: "sales" }] }, NOW);
  const [support] = model.ownQueues();
  assert.deepEqual(model.ownQueues().map((queue) => queue.name), ["support"], "an agent's own");
  assert.equal(longestWait(support, NOW + 5_000), 15_000);
  assert.deepEqual([0, 10_000, 25_000].map((later) => toneOf(support, NOW + later)), ["calm", "warn", "bad"]);
  assert.equal(toneOf(queueOf({ name: "x" }, NOW), NOW), "idle");
  assert.equal(toneOf(queueOf({ name: "x", waiting: 3, opensAt: "2026-01-02T00:00:00Z" }, NOW), NOW), "closed");
});

test("the board has those first who are there", () => {
  const board = boardOf({
    agents: [{ name: "off", presence: "PRESENCE_OFFLINE" }, { name: "calm", presence: "PRESENCE_ONLINE", occupancy: 100 }, { name: "busy", presence: "PRESENCE_ONLINE", occupancy: 900, displayName: "Busy Bee" }],
    waiting: [{ id: "cnv_1", queue: "support", address: { channel: "sms", phone: "+1" }, priority: 3, waiting: { position: 1, since: "2025-12-31T23:59:00Z", estimatedWaitSeconds: 0, step: 2 } }],
  }, NOW);
  assert.deepEqual(board.agents.map((agent) => agent.title), ["Busy Bee", "calm", "off"]);
  const [first] = board.waiting;
  assert.deepEqual([first.customer, first.position, first.estimateMs, first.step, NOW - first.since], ["+1", 1, 0, 2, 60_000]);
});

test("whoever can help now is offered first", () => {
  const agents = [{ name: "a", presence: "offline", occupancy: 0 }, { name: "b", presence: "online", occupancy: 500 }, { name: "c", displayName: "Cyd", presence: "online", occupancy: 0 }];
  const queues = [{ name: "q", waiting: 2, agentsOnline: 1, open: true, estimatedWaitSeconds: 120 }, { name: "n", waiting: 0, agentsOnline: 0, open: false }];
  assert.deepEqual(rowsOf({ agents, queues, skills: [] }, "agent").map((row) => row.title), ["Cyd", "b", "a"]);
  assert.deepEqual(rowsOf({ agents, queues, skills: [] }, "queue").map((row) => row.about), ["1 online, 2 waiting, about 2 min", "closed, 0 online, 0 waiting"]);
  assert.equal(skillWords([{ name: "billing", level: 3 }, { any: [{ name: "es", level: 1 }, { none: { name: "pt" } }] }]), "billing from level 3, (es or not pt)");
});

function client() {
  const timers = new FakeTimers();
  const { FakeWebSocket, sockets } = fakeWebSockets();
  const kept = new Map();
  let ids = 0;
  const made = new Client({
    url: "ws://desk", token: "t", agent: { name: "sue", roles: ["supervisor"] }, WebSocket: FakeWebSocket, timers, now: () => timers.date().getTime(), uuid: () => `c-${(ids += 1)}`,
    storage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) }, onChange: () => {}, onEnd: () => {},
  });
  made.start();
  sockets[0].accept();
  sockets[0].say({ welcome: { pingSeconds: 20 } });
  return { made, sockets, timers };
}

test("every command says what it means, and the board is watched over a break", () => {
  const { made, sockets, timers } = client();
  made.consult("cnv_1", { agent: "bob", note: "?" });
  made.endConsult("cnv_1", "yes");
  made.assign("cnv_1", { queue: "sales" });
  made.pull("cnv_1");
  made.join("cnv_1");
  made.leave("cnv_1");
  made.prioritize("cnv_1", -3);
  made.setAgentPresence("bob", "away");
  made.setPresence("offline", { whenDone: true });
  const said = sockets[0].of("command").map(({ commandId: _, ...action }) => action);
  assert.deepEqual(said, [
    { consult: { conversation: "cnv_1", agent: "bob", note: "?" } }, { endConsult: { conversation: "cnv_1", note: "yes" } }, { assign: { conversation: "cnv_1", queue: "sales" } },
    { pull: { conversation: "cnv_1" } }, { join: { conversation: "cnv_1" } }, { leave: { conversation: "cnv_1" } }, { prioritize: { conversation: "cnv_1", priority: -3 } },
    { setAgentPresence: { agent: "bob", presence: "PRESENCE_AWAY" } }, { setPresence: { presence: "PRESENCE_OFFLINE", whenDone: true } },
  ]);
  assert.equal(made.desk.whenDone, "offline");
  made.desk.applyEvent(at(9, "agent.presence_changed", { agent: "sue", to: "PRESENCE_OFFLINE" }), NOW);
  assert.equal(made.desk.whenDone, null, "it is done");
  made.watchBoard(true);
  sockets[0].say({ board: { agentsTotal: 3 } });
  assert.equal(made.desk.board.totals.agents, 3);
  sockets[0].drop();
  timers.advance(1_500);
  sockets[1].accept();
  sockets[1].say({ welcome: { pingSeconds: 20 } });
  assert.deepEqual(sockets[1].of("watchBoard"), [{ on: true }]);
  made.watchBoard(false);
  assert.equal(made.desk.board, null);
});
