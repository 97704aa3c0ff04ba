import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../client.js";
import { delayAfter } from "../socket.js";
import { at, FakeServer, FakeTimers, fakeWebSockets, heard } from "./fakes.mjs";

class FakeStorage {
  items = new Map();
  getItem(key) { return this.items.get(key) ?? null; }
  setItem(key, value) { this.items.set(key, value); }
  removeItem(key) { this.items.delete(key); }
}

/** One tab: its storage, any number of page loads. */
function tab() {
  const timers = new FakeTimers();
  const storage = new FakeStorage();
  const { FakeWebSocket, sockets } = fakeWebSockets();
  const server = new FakeServer();
  const ended = [];
  let drawn = 0;
  const load = () => {
    const client = new Client({
      url: "wss://desk.test/desk/ws", token: "tok", agent: { tenant: "acme", name: "ann" }, storage, WebSocket: FakeWebSocket, timers, random: () => 0,
      now: () => timers.date().getTime(), uuid: () => `cmd_${(drawn += 1)}`, onChange() {}, onEnd: (state) => ended.push(state.reason),
    });
    client.start();
    return client;
  };
  return { timers, storage, sockets, server, load, ended, last: () => sockets.at(-1) };
}

const texts = (client) => {
  const conversation = client.desk.conversations.get("cnv_1");
  const placed = conversation.transcript.items.filter((item) => item.kind === "message").map((item) => item.content.text);
  return [...placed, ...client.desk.pendingIn("cnv_1").map((one) => `(${one.content.text})`)];
};

test("resumes after the last event seen, and asks for history once", () => {
  const { load, last, server, timers } = tab();
  server.append(heard, "before");
  const client = load();
  server.greet(last());
  server.serve(last());
  last().say({ event: server.append(heard, "live") });
  last().drop();
  server.append(heard, "while away");
  timers.advance(1_000);
  server.greet(last());
  assert.equal(last().of("hello")[0].resumeAfter, "4");
  server.serve(last());
  assert.deepEqual([texts(client), last().of("loadHistory").length], [["before", "live", "while away"], 0]);
});

test("a server that cannot resume sends a state, and the history is loaded anew", () => {
  const { load, last, server, timers } = tab();
  server.append(heard, "before");
  const client = load();
  server.greet(last());
  server.serve(last());
  last().drop();
  server.append(heard, "while away");
  server.canResume = false;
  timers.advance(1_000);
  server.greet(last());
  server.serve(last());
  assert.deepEqual(texts(client), ["before", "while away"]);
  assert.equal(client.desk.unread(client.desk.conversations.get("cnv_1")), 2);
});

test("a command whose answer was lost is sent again under its id, over a break and over a page load", () => {
  for (const reload of [false, true]) {
    const { load, last, server, timers } = tab();
    let client = load();
    server.greet(last());
    server.serve(last());
    client.reply("cnv_1", "hello");
    server.serve(last(), { lose: () => true, push: false });
    last().drop();
    if (reload) client.socket.end(), (client = load());
    else timers.advance(1_000);
    server.greet(last());
    server.serve(last());
    assert.deepEqual([texts(client), server.events.length], [["hello"], 1], `reload: ${reload}`);
    assert.deepEqual(last().of("command").map((command) => command.commandId), ["cmd_1"]);
    last().drop();
    timers.advance(1_000);
    server.greet(last());
    assert.deepEqual(last().of("command"), [], "answered commands rest");
  }
});

test("silence after a command renews the line", () => {
  const { load, last, server, timers, sockets } = tab();
  const client = load();
  server.greet(last());
  client.setPresence("away");
  assert.equal(last().of("command")[0].setPresence.presence, "PRESENCE_AWAY");
  timers.advance(16_000);
  assert.equal(sockets.length, 2);
});

test("an offer is answered once", () => {
  const { load, last, server } = tab();
  const client = load();
  server.greet(last());
  last().say({ event: at(9, "reservation.created", { reservationId: "rsv_1", agent: "ann", expiresAt: "2026-01-01T00:00:30Z" }) });
  const [offer] = client.desk.offers.values();
  client.accept(offer);
  client.accept(offer);
  client.reject(offer);
  assert.deepEqual(last().of("command").map(({ commandId: _, ...action }) => action), [{ accept: { reservationId: "rsv_1" } }]);
});

test("a fatal error and a refused token end the session, another window pauses it", () => {
  const first = tab();
  first.load();
  first.server.greet(first.last());
  first.last().say({ error: { code: "token_expired", message: "Your session is over.", fatal: true } });
  assert.deepEqual(first.ended, ["Your session is over."]);
  const second = tab();
  second.load();
  second.last().drop(4401);
  assert.equal(second.ended.length, 1);
  const third = tab();
  const client = third.load();
  third.last().drop(4409);
  third.timers.advance(3_600_000);
  assert.deepEqual([third.sockets.length, client.line.name], [1, "replaced"]);
  client.socket.retryNow();
  assert.equal(third.sockets.length, 2);
});

test("a dead line is noticed by its silence", () => {
  const { load, last, server, timers, sockets } = tab();
  load();
  server.greet(last());
  timers.advance(20_000);
  assert.equal(last().of("ping").length, 1);
  last().say({ pong: { nonce: "1" } });
  timers.advance(20_000);
  assert.equal(last().of("ping").length, 2);
  timers.advance(21_000);
  assert.equal(sockets.length, 2);
});

test("waits grow to a limit, and a restart spreads its clients", () => {
  assert.deepEqual([delayAfter(1012, 1, 0), delayAfter(1012, 1, 1)], [500, 15_000]);
  for (let failures = 1; failures < 5_000; failures *= 3) assert.ok(delayAfter(1006, failures, 0.99) <= 15_000);
  assert.ok(delayAfter(1006, 1, 1) < delayAfter(1006, 4, 1));
});

test("random breaks, lost answers and page loads lose, double and reorder nothing", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    let state = seed;
    const dice = (sides) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * sides);
    };
    const { load, last, server, timers } = tab();
    let client = load();
    const mine = [];
    const settle = (options) => {
      if (last().readyState === 0) server.greet(last());
      if (last().readyState === 1) server.serve(last(), options);
    };
    settle();
    for (let step = 0; step < 60; step += 1) {
      const what = dice(8);
      if (what === 0 && client.desk.conversations.has("cnv_1")) {
        mine.push(`mine ${step}`);
        client.reply("cnv_1", `mine ${step}`);
      } else if (what === 1) {
        const entry = server.append(heard, `theirs ${step}`);
        // Anything after an event that was not pushed would be a lie of the server: it breaks the line instead.
        if (last().readyState === 1 && client.line.name === "ready" && dice(3) > 0) last().say({ event: entry });
        else if (last().readyState === 1) last().drop();
      } else if (what === 2 && last().readyState < 2) last().drop();
      else if (what === 3 && dice(4) === 0) {
        client.socket.end();
        client = load();
      } else if (what === 4) server.canResume = dice(2) === 0;
      else settle({ lose: () => dice(4) === 0 });
      timers.advance(dice(3) * 500);
    }
    for (let round = 0; round < 40; round += 1) {
      timers.advance(1_000);
      settle();
    }
    const all = server.events.map((entry) => (entry.event.messageReceived ?? entry.event.messageAccepted).message.content.text.body);
    assert.deepEqual(all.filter((text) => text.startsWith("mine")), mine, `seed ${seed}: the server has each reply once, in order`);
    assert.deepEqual(texts(client), all, `seed ${seed}: the agent sees each message once, in order`);
  }
});

test("that the agent writes is said once in a while, and its end once", () => {
  const { load, last, server, timers } = tab();
  const client = load();
  server.greet(last());
  server.serve(last());
  client.typing("cnv_1", false);
  client.typing("cnv_1", true);
  timers.advance(1_000);
  client.typing("cnv_1", true);
  timers.advance(2_000);
  client.typing("cnv_1", true);
  client.typing("cnv_1", false);
  client.typing("cnv_1", false);
  assert.deepEqual(last().of("typing").map((frame) => frame.on), [true, true, false]);
});

test("what was read is told once, also over breaks and page loads, and waits for the line", () => {
  const { load, last, server, timers } = tab();
  const sight = { visible: true, focused: true, atEnd: true };
  server.append(heard, "hello");
  let client = load();
  server.greet(last());
  server.serve(last());
  client.look("cnv_1", { ...sight, focused: false });
  assert.deepEqual(last().of("read"), []);
  for (let looks = 0; looks < 3; looks += 1) client.look("cnv_1", sight);
  assert.deepEqual(last().of("read"), [{ conversation: "cnv_1", upTo: { messageId: "msg_2" }, channel: "sms", account: "us" }]);
  last().say({ event: server.append(heard, "still there?") });
  last().drop();
  client.look("cnv_1", sight);
  timers.advance(1_000);
  server.greet(last());
  assert.deepEqual(last().of("read"), [], "it is said of what is looked at then");
  client.look("cnv_1", sight);
  client.look("cnv_1", sight);
  assert.deepEqual(last().of("read").map((mark) => mark.upTo.messageId), ["msg_4"]);
  client.socket.end();
  client = load();
  server.greet(last());
  server.serve(last());
  client.look("cnv_1", sight);
  assert.deepEqual([texts(client), last().of("read")], [["hello", "still there?"], []]);
});

test("an answer goes by the address that the agent chose, also when it is sent again", () => {
  const { load, last, server } = tab();
  const client = load();
  server.greet(last());
  const address = { channel: "email", account: "help", userId: "m@example.com" };
  client.reply("cnv_1", "by mail", address);
  client.reply("cnv_1", "as usual");
  const sent = last().of("command").map(({ reply }) => reply.address);
  assert.deepEqual(sent, [address, undefined]);
  last().say({ result: { commandId: last().of("command")[0].commandId, reasons: [{ text: "no" }] } });
  client.again(client.desk.pendingIn("cnv_1").find((one) => one.state === "failed"));
  assert.deepEqual(last().of("command").at(-1).reply.address, address);
});

test("who a customer is is asked once, and anew after a break", () => {
  const { load, last, server, timers } = tab();
  const client = load();
  server.greet(last());
  client.meet("con_1");
  client.meet("con_1");
  client.meet("");
  assert.deepEqual(last().of("loadContact"), [{ contact: "con_1" }]);
  last().drop();
  timers.advance(1_000);
  server.greet(last());
  client.meet("con_1");
  assert.equal(last().of("loadContact").length, 1);
  last().say({ contact: { contact: { id: "con_1" } } });
  client.meet("con_1");
  assert.deepEqual([last().of("loadContact").length, client.desk.contacts.get("con_1").contact.addresses], [1, []]);
});

test("an earlier conversation goes to who reads it, and not among the agent's own", () => {
  const { load, last, server } = tab();
  const client = load();
  server.greet(last());
  const read = [];
  client.readPast("cnv_0", 0, (history) => read.push(history));
  assert.deepEqual(last().of("loadHistory").at(-1), { conversation: "cnv_0", before: "0", limit: 200 });
  last().say({ history: { conversation: "cnv_0", events: [heard(1, "long ago")] } });
  assert.deepEqual([read.length, client.desk.conversations.has("cnv_0")], [1, false]);
});

test("each file is a message of its own, the first with the text, also when it is sent again", () => {
  const { load, last, server } = tab();
  const client = load();
  server.greet(last());
  client.reply("cnv_1", "look", null, [{ objectId: "med_1" }, { objectId: "med_2" }]);
  const contents = () => last().of("command").map(({ reply }) => reply.content);
  assert.deepEqual(contents(), [{ media: { objectId: "med_1", caption: "look" } }, { media: { objectId: "med_2" } }]);
  last().say({ result: { commandId: last().of("command")[0].commandId, reasons: [{ text: "no" }] } });
  client.again(client.desk.pendingIn("cnv_1").find((one) => one.state === "failed"));
  assert.deepEqual(contents().at(-1), { media: { objectId: "med_1", caption: "look" } });
});

test("the first message of an answer quotes, also when it is sent again and after a page load", () => {
  const { load, last, server } = tab();
  let client = load();
  server.greet(last());
  const replyTo = { messageId: "msg_2", providerMessageId: "wamid.2" };
  client.reply("cnv_1", "look", null, [{ objectId: "med_1" }, { objectId: "med_2" }], replyTo);
  client.reply("cnv_1", "as usual");
  const quoted = () => last().of("command").map(({ reply }) => reply.replyTo);
  assert.deepEqual(quoted(), [replyTo, undefined, undefined]);
  client.socket.end();
  client = load();
  server.greet(last());
  assert.deepEqual(quoted(), [replyTo, undefined, undefined]);
  assert.deepEqual(client.desk.pendingIn("cnv_1").map((one) => one.replyTo), [replyTo, null, null]);
  last().say({ result: { commandId: last().of("command")[0].commandId, reasons: [{ text: "no" }] } });
  client.again(client.desk.pendingIn("cnv_1").find((one) => one.state === "failed"));
  assert.deepEqual([quoted().at(-1), client.desk.pendingIn("cnv_1").at(-1).replyTo], [replyTo, replyTo]);
});
