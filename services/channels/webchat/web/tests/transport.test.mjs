import assert from "node:assert/strict";
import { test } from "node:test";
import { afterClose, SUBPROTOCOL, Transport } from "../transport.js";
import { FakeTimers, fakeWebSockets } from "./fakes.mjs";

function setUp({ onRefused = () => false } = {}) {
  const timers = new FakeTimers();
  const { FakeWebSocket, sockets } = fakeWebSockets();
  const heard = [];
  const states = [];
  const transport = new Transport({
    url: "wss://chat.test/webchat/shop/ws", WebSocket: FakeWebSocket, timers, random: () => 0.5,
    hello: () => ({ t: "hello" }), onFrame: (frame) => heard.push(frame), onState: (state) => states.push(state.name), onRefused,
  });
  const welcome = () => {
    sockets.at(-1).accept();
    sockets.at(-1).say({ t: "welcome" });
  };
  return { timers, sockets, heard, states, transport, welcome };
}

test("says hello first, sends only once welcomed", () => {
  const { sockets, transport, states, welcome } = setUp();
  transport.start();
  transport.start();
  assert.equal(sockets.length, 1, "starting twice connects once");
  assert.equal(sockets[0].protocol, SUBPROTOCOL);
  sockets[0].accept();
  assert.equal(transport.send({ t: "msg" }), false);
  welcome();
  assert.equal(transport.send({ t: "msg" }), true);
  assert.deepEqual(sockets[0].sent.map((frame) => frame.t), ["hello", "hello", "msg"]);
  assert.deepEqual(states, ["connecting", "ready"]);
});

test("comes back after a broken line, later each time, and soon again after a welcome", () => {
  const { sockets, transport, timers, welcome } = setUp();
  transport.start();
  const waits = [];
  for (let failure = 0; failure < 9; failure += 1) {
    const before = sockets.length;
    sockets.at(-1).drop();
    let waited = 0;
    while (sockets.length === before) {
      timers.advance(50);
      waited += 50;
    }
    waits.push(waited);
  }
  assert.ok(waits.every((wait, at) => at === 0 || wait >= waits[at - 1]), String(waits));
  assert.ok(waits.at(-1) > 10_000 && waits.at(-1) <= 30_000, String(waits));
  welcome();
  sockets.at(-1).drop();
  const before = sockets.length;
  timers.advance(1_000);
  assert.equal(sockets.length, before + 1);
});

test("close codes mean what the protocol says", () => {
  assert.deepEqual(afterClose(4409, 1, 0), { kind: "replaced" });
  assert.deepEqual(afterClose(4401, 1, 0), { kind: "refused" });
  assert.deepEqual(afterClose(4403, 1, 0), { kind: "stop", reason: "origin" });
  assert.equal(afterClose(4400, 1, 0).kind, "retry");
  assert.deepEqual(afterClose(4400, 3, 0), { kind: "stop", reason: "bad_frame" });
  assert.ok(afterClose(4429, 1, 0).delayMs >= 5_000);
  assert.deepEqual([0, 1].map((random) => afterClose(1012, 1, random).delayMs), [500, 30_000]);
  for (let failures = 1; failures < 2_000; failures *= 2) {
    const { delayMs } = afterClose(1006, failures, 0.999_999);
    assert.ok(delayMs >= 500 && delayMs <= 30_000);
  }
});

test("stays away when another window took over, until asked", () => {
  const { sockets, transport, timers } = setUp();
  transport.start();
  sockets[0].drop(4409);
  timers.advance(3_600_000);
  assert.equal(sockets.length, 1);
  assert.equal(transport.state.name, "replaced");
  transport.retryNow();
  assert.equal(sockets.length, 2);
});

test("after a refusal it tries again only if that can help", () => {
  let hopes = 1;
  const { sockets, transport, timers } = setUp({ onRefused: () => hopes-- > 0 });
  transport.start();
  sockets[0].drop(4401);
  timers.advance(1_000);
  assert.equal(sockets.length, 2);
  sockets[1].drop(4401);
  timers.advance(3_600_000);
  assert.equal(sockets.length, 2);
  assert.deepEqual(transport.state, { name: "failed", reason: "auth" });
});

test("a silent line is asked, and given up when it does not answer", () => {
  const { sockets, transport, timers, welcome } = setUp();
  transport.start();
  welcome();
  timers.advance(25_000);
  assert.equal(sockets[0].of("ping").length, 1);
  sockets[0].say({ t: "pong" });
  timers.advance(25_000);
  assert.equal(sockets[0].of("ping").length, 2);
  timers.advance(10_000);
  assert.equal(transport.state.name, "waiting");
  timers.advance(2_000);
  assert.equal(sockets.length, 2);
});

test("a server that never welcomes is left", () => {
  const { sockets, transport, timers } = setUp();
  transport.start();
  sockets[0].accept();
  timers.advance(15_000);
  assert.equal(transport.state.name, "waiting");
});

test("what an abandoned socket still says is not heard", () => {
  const { sockets, transport, heard, timers, welcome } = setUp();
  transport.start();
  welcome();
  transport.renew();
  timers.advance(2_000);
  sockets[0].say({ t: "msg" });
  sockets[0].drop(4403);
  assert.deepEqual(heard.map((frame) => frame.t), ["welcome"]);
  assert.equal(transport.state.name, "connecting");
});

test("nonsense on the line disturbs nobody; stopping stops everything", () => {
  const { sockets, transport, heard, timers, welcome } = setUp();
  transport.start();
  welcome();
  for (const data of ["{", "null", "7", '"x"']) sockets[0].dispatchEvent(Object.assign(new Event("message"), { data }));
  assert.equal(heard.length, 1);
  transport.stop();
  timers.advance(3_600_000);
  assert.deepEqual([sockets.length, transport.state.name], [1, "idle"]);
});

test("a policy that forbids the connection is told, not thrown", () => {
  const { transport } = setUp();
  const blocked = new Transport({
    url: "x", WebSocket: class { constructor() { throw new DOMException("no", "SecurityError"); } },
    hello: () => ({}), onFrame() {}, onState() {}, onRefused: () => false,
  });
  blocked.start();
  assert.deepEqual(blocked.state, { name: "failed", reason: "blocked" });
  assert.equal(transport.state.name, "idle");
});
