import assert from "node:assert/strict";
import { test } from "node:test";
import { customerOf, Desk, windowOf } from "../model.js";
import { at, heard, said } from "./fakes.mjs";

const NOW = Date.UTC(2026, 0, 1);

function desk() {
  const model = new Desk();
  model.profile = { name: "ann" };
  return model;
}

const reservation = { reservationId: "rsv_1", agent: "ann", queue: "default", expiresAt: "2026-01-01T00:00:30Z" };
const ids = (model) => model.list().open.map((one) => one.id);

test("an offer rings, is accepted and becomes a conversation", () => {
  const model = desk();
  const [offered] = model.applyEvent(at(1, "reservation.created", reservation), NOW);
  assert.deepEqual([offered.what, offered.offer.totalMs, model.withoutHistory().length], ["offer", 30_000, 1]);
  model.applyHistory({ conversation: "cnv_1", events: [heard(0.5, "hello")] });
  assert.equal(customerOf(offered.offer.conversation), "Maria");
  model.applyEvent(at(2, "reservation.accepted", { reservationId: "rsv_1", agent: "ann" }), NOW);
  const happened = model.applyEvent(at(3, "conversation.assigned", { agent: "ann", queue: "default" }), NOW);
  assert.deepEqual(happened.map((one) => one.what), ["assigned"]);
  assert.deepEqual([ids(model), model.offers.size, model.conversations.get("cnv_1").state], [["cnv_1"], 0, "assigned"]);
  assert.equal(model.conversations.get("cnv_1").transcript.lastMessage.content.text, "hello", "what was loaded for the offer stays");
});

test("an offer ends in every way it can, and twice changes nothing", () => {
  for (const [type, told] of [["rejected", []], ["timed_out", ["rang_out"]], ["rescinded", ["rescinded"]]]) {
    const model = desk();
    model.applyEvent(at(1, "reservation.created", reservation), NOW);
    assert.deepEqual(model.applyEvent(at(1, "reservation.created", reservation), NOW), []);
    const end = at(2, `reservation.${type}`, { reservationId: "rsv_1", agent: "ann" });
    assert.deepEqual(model.applyEvent(end, NOW).map((one) => one.what), told);
    assert.deepEqual(model.applyEvent(end, NOW), []);
    assert.deepEqual([model.offers.size, ids(model)], [0, []]);
  }
});

test("what concerns other agents does not show", () => {
  const model = desk();
  model.applyEvent(at(1, "reservation.created", { ...reservation, agent: "bob" }), NOW);
  model.applyEvent(at(2, "conversation.assigned", { agent: "bob" }), NOW);
  model.applyEvent(heard(3, "for bob"), NOW);
  model.applyEvent(at(4, "agent.presence_changed", { agent: "bob", to: "PRESENCE_ONLINE" }), NOW);
  assert.deepEqual([model.offers.size, ids(model), model.presence, model.sequence], [0, [], "offline", 4]);
});

test("events already in the full state do not undo it", () => {
  const model = desk();
  model.applyState({ sequence: "10", presence: "PRESENCE_ONLINE", conversations: [{ id: "cnv_1", state: "wrap_up", agent: "ann" }] }, NOW);
  model.applyEvent(at(9, "conversation.assigned", { agent: "ann" }), NOW);
  model.applyEvent(at(8, "agent.presence_changed", { agent: "ann", to: "PRESENCE_AWAY" }), NOW);
  model.applyEvent(heard(7, "in the past"), NOW);
  assert.deepEqual([model.conversations.get("cnv_1").state, model.presence, model.sequence], ["wrap_up", "online", 10]);
  assert.equal(model.conversations.get("cnv_1").transcript.items.length, 2, "but they belong to the transcript");
});

test("a full state replaces what was held, and keeps what was read", () => {
  const model = desk();
  model.applyState({ sequence: "1", conversations: [{ id: "cnv_1" }, { id: "cnv_2" }], reservations: [{ reservation, conversation: { id: "cnv_3", address: { displayName: "Tom" } } }] }, NOW);
  model.applyEvent(heard(2, "a"), NOW);
  model.select("cnv_1");
  assert.equal(customerOf([...model.offers.values()][0].conversation), "Tom");
  model.applyState({ sequence: "5", conversations: [{ id: "cnv_1" }] }, NOW);
  assert.deepEqual([ids(model), model.offers.size, model.selected], [["cnv_1"], 0, "cnv_1"]);
  const [conversation] = model.withoutHistory();
  conversation.transcript.history({ events: [heard(2, "a"), heard(4, "missed")] });
  assert.equal(model.unread(conversation), 1);
});

test("losing a conversation says why; a transfer by the agent needs no word", () => {
  for (const [type, payload, told] of [["requeued", { agent: "ann" }, ["left"]], ["assigned", { agent: "bob" }, ["left"]], ["transferred", { fromAgent: "ann", toAgent: "bob" }, []]]) {
    const model = desk();
    model.applyState({ sequence: "1", conversations: [{ id: "cnv_1" }] }, NOW);
    model.select("cnv_1");
    assert.deepEqual(model.applyEvent(at(2, `conversation.${type}`, payload), NOW).map((one) => one.what), told, type);
    assert.deepEqual([ids(model), model.selected], [[], null]);
  }
});

test("closing goes through wrap-up and leaves the conversation at hand", () => {
  const model = desk();
  model.applyState({ sequence: "1", conversations: [{ id: "cnv_1" }] }, NOW);
  model.applyEvent(at(2, "conversation.wrap_up", { agent: "ann", until: "2026-01-01T00:01:00Z" }), NOW);
  assert.deepEqual([model.conversations.get("cnv_1").state, model.conversations.get("cnv_1").until], ["wrap_up", NOW + 60_000]);
  model.applyEvent(at(3, "conversation.closed", { agent: "ann", wrapUpCode: "resolved" }), NOW);
  assert.deepEqual([ids(model), model.list().closed.map((one) => one.id)], [[], ["cnv_1"]]);
});

test("a reply is shown once: on its way, then in its place, whichever news comes first", () => {
  const accepted = { commandId: "cmd_1", accepted: true };
  const place = said(5, "hello", { cause: "an entry of the log" });
  const caused = said(5, "hello", { cause: "cmd_1" });
  const steps = {
    "result, event": [accepted, place], "event, result": [place, accepted], "event by cause, result": [caused, accepted],
    "result, result, event, event": [accepted, accepted, place, place],
  };
  for (const [order, news] of Object.entries(steps)) {
    const model = desk();
    model.applyState({ sequence: "1", conversations: [{ id: "cnv_1" }] }, NOW);
    model.write({ commandId: "cmd_1", conversation: "cnv_1", content: { text: { body: "hello" } }, at: NOW });
    for (const one of news) one.event ? model.applyEvent(one, NOW) : model.applyResult(one);
    assert.deepEqual([model.pending, model.conversations.get("cnv_1").transcript.items.length], [[], 1], order);
  }
});

test("a reply that seemed to be there already comes back when it was refused", () => {
  const model = desk();
  model.applyState({ sequence: "1", conversations: [{ id: "cnv_1" }] }, NOW);
  model.write({ commandId: "cmd_1", conversation: "cnv_1", content: { text: { body: "ok" } }, at: NOW });
  model.applyEvent(said(5, "ok"), NOW);
  assert.deepEqual(model.pendingIn("cnv_1"), []);
  model.applyResult({ commandId: "cmd_1", reasons: [{ text: "no" }] });
  assert.deepEqual(model.pendingIn("cnv_1").map((one) => one.state), ["failed"]);
});

test("the same words twice are two replies", () => {
  const model = desk();
  model.applyState({ sequence: "1", conversations: [{ id: "cnv_1" }] }, NOW);
  for (const commandId of ["cmd_1", "cmd_2"]) model.write({ commandId, conversation: "cnv_1", content: { text: { body: "ok" } }, at: NOW });
  model.applyResult({ commandId: "cmd_1", accepted: true });
  model.applyEvent(said(5, "ok"), NOW);
  assert.deepEqual(model.pending.map((one) => one.commandId), ["cmd_2"]);
});

test("a refused reply stays, with its reason", () => {
  const model = desk();
  model.write({ commandId: "cmd_1", conversation: "cnv_1", content: { text: { body: "hello" } }, at: NOW });
  const [told] = model.applyResult({ commandId: "cmd_1", reasons: [{ code: "window.closed", text: "The window is closed" }] });
  assert.deepEqual([told.what, told.reason, model.pending[0].state], ["refused", "The window is closed", "failed"]);
  model.discard("cmd_1");
  assert.deepEqual(model.pending, []);
});

test("typing is believed for a while, and ends with the message", () => {
  const model = desk();
  model.applyState({ sequence: "1", conversations: [{ id: "cnv_1" }] }, NOW);
  const conversation = model.conversations.get("cnv_1");
  model.applyEvent(at(2, "customer.typing", { on: true }), NOW);
  assert.deepEqual([model.typing(conversation, NOW + 7_000), model.typing(conversation, NOW + 9_000)], [true, false]);
  model.applyEvent(heard(3, "there"), NOW);
  assert.equal(model.typing(conversation, NOW + 1), false);
});

test("being taken offline by the system is told with its reason", () => {
  const model = desk();
  model.applyState({ sequence: "1", presence: "PRESENCE_ONLINE" }, NOW);
  const [told] = model.applyEvent(at(2, "agent.presence_changed", { agent: "ann", to: "PRESENCE_AWAY" }, { reasons: [{ code: "rona", text: "Two offers rang out" }] }), NOW);
  assert.deepEqual([told.what, told.presence, told.reason], ["presence", "away", "Two offers rang out"]);
});

const minute = (count) => new Date(NOW + count * 60_000).toISOString();

test("what the customer says opens the window anew, what is sent uses it up, and the server knows better", () => {
  const model = desk();
  const window = { kind: "message", openedAt: minute(0), expiresAt: minute(60), remaining: 2 };
  model.applyState({ sequence: "5", conversations: [{ id: "cnv_1", contact: "con_1", window }] }, NOW);
  const [conversation] = model.list().open;
  // What the state already contains does not count again.
  model.applyEvent(at(4, "message.sent", { messageId: "msg_0" }), NOW);
  assert.equal(windowOf(conversation).remaining, 2);
  model.applyEvent(at(6, "message.sent", { messageId: "msg_1" }), NOW);
  assert.equal(windowOf(conversation).remaining, 1);
  model.applyEvent({ ...heard(7, "again"), event: { ...heard(7, "again").event, time: minute(30) } }, NOW);
  assert.equal(windowOf(conversation).expiresAt, minute(90));
  const [email, sms] = [{ channel: "email", account: "help", userId: "m@example.com" }, { channel: "sms", account: "us", userId: "+1", window: { expiresAt: minute(5) } }];
  conversation.reach = { addresses: [sms, email] };
  assert.deepEqual([windowOf(conversation).expiresAt, windowOf(conversation, email)], [minute(5), null]);
});

test("a contact is known until something happens to it, and its conversations say what", () => {
  const model = desk();
  model.applyState({ sequence: "5", conversations: [{ id: "cnv_1", contact: "con_1" }, { id: "cnv_2", contact: "con_2" }] }, NOW);
  model.applyContact({ contact: { id: "con_1" }, conversations: [] });
  model.applyContact({ contact: { id: "con_3" } });
  const joined = at(7, "contact.joined", { address: { channel: "email", userId: "m@example.com" }, by: "link_code", previousContact: "con_9" }, { conversation: "", contact: "con_1" });
  model.applyEvent(joined, NOW);
  model.applyEvent(joined, NOW);
  assert.deepEqual([...model.contacts.keys()], ["con_3"]);
  const notices = (id) => model.conversations.get(id).transcript.items.map((item) => item.text);
  assert.equal(notices("cnv_1").length, 1);
  assert.deepEqual(notices("cnv_2"), []);
});

test("a conversation whose contact was joined into another one is the other's", () => {
  const model = desk();
  model.applyState({ sequence: "5", conversations: [{ id: "cnv_2", contact: "con_2" }] }, NOW);
  model.applyEvent(at(7, "contact.joined", { address: {}, by: "asserted", previousContact: "con_2" }, { conversation: "", contact: "con_1" }), NOW);
  assert.equal(model.conversations.get("cnv_2").contact, "con_1");
});

const SIGHT = { visible: true, focused: true, atEnd: true };
const written = (sequence, more = {}) => at(sequence, "message.received", {
  message: { id: `msg_${sequence}`, providerMessageId: `wamid.${sequence}`, content: { text: { body: "hi" } }, address: { channel: "whatsapp", account: "shop", userId: "1" } },
}, more);

test("the customer is told of their newest message once, and of no older one", () => {
  const model = desk();
  model.applyState({ sequence: "1", conversations: [{ id: "cnv_1" }] }, NOW);
  assert.equal(model.readMark("cnv_1", SIGHT), null, "they have said nothing");
  model.applyEvent(written(2), NOW);
  model.applyEvent(written(4), NOW);
  const mark = { conversation: "cnv_1", upTo: { messageId: "msg_4", providerMessageId: "wamid.4" }, channel: "whatsapp", account: "shop" };
  assert.deepEqual(model.readMark("cnv_1", SIGHT), mark);
  assert.deepEqual(model.readMark("cnv_1", SIGHT), mark, "until it was told");
  model.marked("cnv_1");
  assert.equal(model.readMark("cnv_1", SIGHT), null);
  model.applyHistory({ conversation: "cnv_1", events: [written(0.5), written(2)] });
  model.applyEvent(said(5, "an answer"), NOW);
  assert.equal(model.readMark("cnv_1", SIGHT), null, "neither history nor an answer is news to them");
  model.applyState({ sequence: "6", conversations: [{ id: "cnv_1" }] }, NOW);
  model.applyHistory({ conversation: "cnv_1", events: [written(2), written(4)] });
  assert.equal(model.readMark("cnv_1", SIGHT), null, "nor a full state");
  const reloaded = new Desk({ markedSeq: Object.fromEntries(model.markedSeq) });
  reloaded.applyState({ sequence: "6", conversations: [{ id: "cnv_1" }] }, NOW);
  reloaded.applyEvent(written(4), NOW);
  assert.equal(reloaded.readMark("cnv_1", SIGHT), null, "nor another page load");
  reloaded.applyEvent(written(8), NOW);
  assert.equal(reloaded.readMark("cnv_1", SIGHT).upTo.messageId, "msg_8");
});

test("nothing is told as read that nobody saw", () => {
  const model = desk();
  model.applyState({ sequence: "1", conversations: [{ id: "cnv_1" }] }, NOW);
  model.applyEvent(written(2), NOW);
  for (const missing of Object.keys(SIGHT)) assert.equal(model.readMark("cnv_1", { ...SIGHT, [missing]: false }), null, missing);
  assert.notEqual(model.readMark("cnv_1", SIGHT), null);
});

test("only who answers a customer tells them what was read", () => {
  const parts = [
    [{ conversations: [{ id: "cnv_1" }] }, true], [{ joined: [{ id: "cnv_1" }] }, true], [{ consults: [{ id: "cnv_1" }] }, false],
    [{ reservations: [{ reservation, conversation: { id: "cnv_1" } }] }, false], [{ conversations: [{ id: "cnv_1", state: "wrap_up" }] }, false],
  ];
  for (const [state, told] of parts) {
    const model = desk();
    model.applyState({ sequence: "1", ...state }, NOW);
    model.applyEvent(written(2), NOW);
    assert.equal(model.readMark("cnv_1", SIGHT) !== null, told, JSON.stringify(state));
  }
});
