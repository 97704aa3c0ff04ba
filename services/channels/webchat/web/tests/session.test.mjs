import assert from "node:assert/strict";
import { test } from "node:test";
import { Session, whoIs } from "../session.js";
import { MemoryStorage, Persisted } from "../storage.js";
import { FakeServer, FakeTimers, fakeWebSockets, said } from "./fakes.mjs";

const SCOPE = "https://chat.test/webchat/shop/";

/** A browser: one storage, any number of page loads. */
function browser() {
  const storage = new MemoryStorage();
  const timers = new FakeTimers();
  const { FakeWebSocket, sockets } = fakeWebSockets();
  const server = new FakeServer();
  let drawn = 0;
  const load = (options = {}) => {
    const changes = [];
    const session = new Session({
      urls: { ws: "wss://chat.test/webchat/shop/ws", history: `${SCOPE}history`, uploads: `${SCOPE}uploads` },
      persisted: new Persisted(storage, SCOPE), WebSocket: FakeWebSocket, timers, random: () => 0,
      now: timers.date, uuid: () => `c${(drawn += 1)}`,
      fetch: async (url) => {
        const before = Number(new URL(url).searchParams.get("before"));
        const page = server.log.filter((frame) => frame.seq < before).slice(-50);
        return { ok: true, json: async () => ({ messages: page, more: page.length > 0 && page[0].seq > 1 }) };
      },
      page: () => ({ url: "https://shop.test/", title: "Shop", locale: "en" }),
      onChange: (what, detail) => changes.push({ what, detail }),
      ...options,
    });
    return Object.assign(session, { changes });
  };
  const last = () => sockets.at(-1);
  return { storage, timers, sockets, server, load, last };
}

const texts = (session) => session.log.entries().map((entry) => entry.text);
const settled = () => new Promise((resolve) => { setImmediate(resolve); });

test("a lost ack neither loses nor doubles the message", () => {
  const { load, last, server, timers } = browser();
  const session = load();
  session.say("hello");
  server.greet(last());
  server.take(last(), { loseAck: true });
  last().drop();
  timers.advance(1_000);
  server.greet(last());
  assert.deepEqual(texts(session), ["hello"]);
  assert.equal(server.log.length, 1);
  assert.equal(session.log.unsent().length, 0);
});

test("a message that never arrived is sent again with the same cid, in order, over a page load", () => {
  const { load, last, server, storage } = browser();
  const first = load();
  first.say("one");
  first.say("two");
  first.disconnect();
  const session = load();
  assert.deepEqual(texts(session), ["one", "two"]);
  assert.equal(session.known, true);
  session.connect();
  server.greet(last());
  assert.equal(last().of("msg").length, 1, "the second waits for the first's ack");
  server.take(last());
  server.take(last());
  assert.deepEqual(server.log.map((frame) => [frame.text, frame.cid]), [["one", "c1"], ["two", "c2"]]);
  assert.deepEqual(new Persisted(storage, SCOPE).outbox(), [], "nothing is left to send");
});

test("answers are confirmed together, and again after the line broke", () => {
  const { load, last, server, timers } = browser();
  const session = load();
  session.connect();
  server.greet(last());
  server.speak(last(), "one");
  server.speak(last(), "two");
  assert.deepEqual(last().of("got"), []);
  timers.advance(1_000);
  assert.deepEqual(last().of("got"), [{ t: "got", up_to: 2 }]);
  last().drop();
  timers.advance(1_000);
  server.greet(last());
  timers.advance(1_000);
  assert.deepEqual(last().of("got"), [{ t: "got", up_to: 2 }]);
});

test("one message is on its way at a time", () => {
  const { load, last, server } = browser();
  const session = load();
  session.connect();
  server.greet(last());
  for (const text of ["one", "two", "three"]) session.say(text);
  assert.deepEqual(last().of("msg").map((frame) => frame.text), ["one"]);
  server.take(last());
  assert.deepEqual(last().of("msg").map((frame) => frame.text), ["one", "two"]);
});

test("random cuts on either side lose, double and reorder nothing", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    let state = seed;
    const dice = (sides) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * sides);
    };
    const { load, last, server, timers } = browser();
    let session = load();
    session.connect();
    server.greet(last());
    const mine = [];
    const serve = () => {
      if (session.connection.name === "connecting") server.greet(last());
      const waiting = last().of("msg").at(-1);
      if (last().readyState === 1 && waiting && waiting !== serve.answered) {
        serve.answered = waiting;
        server.take(last(), { loseAck: dice(4) === 0 });
      }
    };
    for (let step = 0; step < 60; step += 1) {
      const what = dice(7);
      if (what === 0) mine.push(`mine ${step}`), session.say(`mine ${step}`);
      else if (what === 1) server.speak(last().readyState === 1 && dice(3) > 0 ? last() : null, `theirs ${step}`);
      else if (what === 2 && last().readyState < 2) last().drop();
      else if (what === 3 && step % 5 === 0) {
        session.disconnect();
        session = load();
        session.connect();
      } else serve();
      timers.advance(dice(3) * 1_000);
    }
    for (let round = 0; round < 200; round += 1) {
      timers.advance(1_000);
      serve.answered = undefined;
      serve();
    }
    // A last message shows whatever was not pushed as a gap.
    server.speak(last(), "the end");
    for (let round = 0; round < 20; round += 1) {
      for (const { after } of last().of("sync").slice(-1)) for (const frame of server.log.slice(after)) last().say(frame);
      timers.advance(5_000);
    }
    assert.deepEqual(server.log.filter((frame) => frame.cid).map((frame) => frame.text), mine, `seed ${seed}`);
    const tail = session.log.entries();
    assert.deepEqual(tail.map((entry) => entry.text), server.log.slice(tail[0].seq - 1).map((frame) => frame.text), `seed ${seed}`);
    assert.equal(session.log.unsent().length, 0, `seed ${seed}`);
  }
});

test("the resume token rotates with each welcome, and the newest is used", () => {
  const { load, last, server, timers } = browser();
  const session = load();
  session.connect();
  server.greet(last());
  last().drop();
  timers.advance(1_000);
  server.greet(last());
  last().drop();
  timers.advance(1_000);
  last().accept();
  assert.deepEqual(server.hellos.map((hello) => hello.resume), [undefined, "rt_1"]);
  assert.equal(last().of("hello")[0].resume, "rt_2");
});

test("a gap is asked for, and asked for again", () => {
  const { load, last, server, timers } = browser();
  const session = load();
  session.connect();
  server.greet(last());
  last().say(said(3));
  last().say(said(4));
  assert.deepEqual(last().of("sync"), [{ t: "sync", after: 0 }]);
  timers.advance(5_000);
  assert.equal(last().of("sync").length, 2);
  for (const seq of [1, 2, 3, 4]) last().say(said(seq));
  assert.equal(session.log.lastSeq, 4);
  timers.advance(15_000);
  assert.equal(last().of("sync").length, 2);
});

test("a reset drops the log and loads the history", async () => {
  const { load, last, server } = browser();
  for (let count = 0; count < 120; count += 1) server.speak(null, `old ${count + 1}`);
  const session = load();
  session.connect();
  last().accept();
  last().say({ t: "welcome", resume: "rt_1", seq: 120, verified: false });
  last().say({ t: "reset", seq: 120 });
  await settled();
  assert.deepEqual([session.log.firstSeq, session.log.lastSeq, session.log.more], [71, 120, true]);
  await session.loadEarlier();
  await session.loadEarlier();
  assert.deepEqual([session.log.firstSeq, session.log.more], [1, false]);
});

test("a rate limit is a pause, not a loss; the order stays", () => {
  const { load, last, server, timers } = browser();
  const session = load();
  session.say("one");
  session.say("two");
  server.greet(last());
  last().say({ t: "error", code: "rate_limited", message: "", retry_ms: 3000, cid: "c1" });
  timers.advance(2_999);
  assert.equal(last().of("msg").length, 1);
  timers.advance(1);
  server.take(last());
  server.take(last());
  assert.deepEqual(server.log.map((frame) => frame.text), ["one", "two"]);
});

test("a refused message is shown as such, also after a page load, and the next one goes out", () => {
  const { load, last, server } = browser();
  const session = load();
  session.say("too much");
  session.say("fine");
  server.greet(last());
  last().say({ t: "error", code: "text_too_long", message: "at most 5", cid: "c1" });
  server.take(last());
  assert.deepEqual(server.log.map((frame) => frame.text), ["fine"]);
  session.disconnect();
  const [kept] = load().log.entries();
  assert.deepEqual([kept.text, kept.state, kept.error.code], ["too much", "failed", "text_too_long"]);
});

test("without an ack the line is renewed and the message repeated", () => {
  const { load, last, server, timers, sockets } = browser();
  const session = load();
  session.say("hello");
  server.greet(last());
  timers.advance(15_000);
  timers.advance(1_000);
  assert.equal(sockets.length, 2);
  server.greet(last());
  assert.equal(last().of("msg")[0].cid, "c1");
  assert.equal(session.connection.name, "ready");
});

test("a stale token is dropped once; without one the visitor is told", () => {
  const { load, last, server, timers } = browser();
  const session = load();
  session.connect();
  server.greet(last());
  last().drop(4401);
  timers.advance(1_000);
  last().accept();
  assert.deepEqual([last().of("hello")[0].resume, last().of("hello")[0].last_seq], [undefined, 0]);
  last().drop(4401);
  assert.deepEqual(session.connection, { name: "failed", reason: "auth" });
});

test("another person starts afresh, a guest who signs in keeps the thread", () => {
  const { load, last, server } = browser();
  const guest = load();
  guest.connect();
  server.greet(last());
  guest.identify({ user_id: "u1", user_hash: "aa" });
  server.greet(last());
  assert.equal(server.hellos[1].resume, "rt_1");
  assert.deepEqual(server.hellos[1].identity, { user_id: "u1", user_hash: "aa" });
  guest.say("for u1 only");
  guest.disconnect();
  const other = load({ identity: { user_id: "u2", user_hash: "bb" } });
  other.connect();
  last().accept();
  assert.deepEqual([last().of("hello")[0].resume, texts(other)], [undefined, []]);
});

test("whom an identity names is read from either form", () => {
  const jwt = `e30.${Buffer.from(JSON.stringify({ sub: "ünal" })).toString("base64url")}.x`;
  assert.equal(whoIs({ jwt }), "user:ünal");
  assert.equal(whoIs({ user_id: "u1" }), "user:u1");
  assert.equal(whoIs({ jwt: "junk" }), "jwt:junk");
  assert.equal(whoIs(null), null);
});

test("typing is told at most every three seconds and ends by itself", () => {
  const { load, last, server, timers } = browser();
  const session = load();
  session.connect();
  server.greet(last());
  for (let key = 0; key < 10; key += 1) {
    session.typing();
    timers.advance(400);
  }
  assert.equal(last().of("typing").length, 2);
  timers.advance(6_000);
  assert.deepEqual(last().of("typing").at(-1), { t: "typing", on: false });
});

test("the agent's typing fades, or ends with the message", () => {
  const { load, last, server, timers } = browser();
  const session = load();
  session.connect();
  server.greet(last());
  last().say({ t: "typing", from: "agent", on: true, ttl_ms: 6000 });
  assert.equal(session.agent.typing, true);
  timers.advance(6_000);
  assert.equal(session.agent.typing, false);
  last().say({ t: "typing", from: "agent", on: true, ttl_ms: 6000 });
  server.speak(last(), "there");
  assert.deepEqual(session.agent, { typing: false, name: "Ann" });
});

test("what was read without a line is reported when there is one", () => {
  const { load, last, server, timers } = browser();
  const session = load();
  session.connect();
  server.greet(last());
  server.speak(last(), "news");
  last().drop();
  session.seen();
  timers.advance(1_000);
  server.greet(last());
  assert.deepEqual(last().of("read"), [{ t: "read", up_to: 1 }]);
  session.seen();
  assert.equal(last().of("read").length, 1);
});
