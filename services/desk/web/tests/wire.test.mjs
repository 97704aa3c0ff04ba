import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, pieces, span } from "../format.js";
import { describe, frameOf, inWords, name, number, payloadOf, time, webAddress } from "../wire.js";

test("absent fields are defaults, 64-bit numbers are strings", () => {
  assert.deepEqual([number("42"), number(7), number(undefined), number("x")], [42, 7, 0, 0]);
  assert.deepEqual([name("OUTCOME_USE_CHANNEL", "OUTCOME_"), name(undefined, "OUTCOME_")], ["use_channel", "unspecified"]);
  assert.equal(time("2026-01-01T00:00:00.5Z"), Date.UTC(2026, 0, 1) + 500);
  assert.equal(time(undefined), null);
});

test("the payload stands under the type's name in camel case", () => {
  assert.deepEqual(payloadOf({ type: "message.in_doubt", messageInDoubt: { messageId: "m" } }), { messageId: "m" });
  assert.deepEqual(payloadOf({ type: "agent.presence_changed", agentPresenceChanged: { agent: "ann" } }), { agent: "ann" });
  assert.deepEqual(payloadOf({}), {});
});

test("a frame we do not know is no frame", () => {
  assert.deepEqual(frameOf({ state: { sequence: "1" } }), ["state", { sequence: "1" }]);
  assert.deepEqual(frameOf({ somethingNew: {} }), [null, null]);
  assert.deepEqual(frameOf(undefined), [null, null]);
});

test("every kind of content can be read by a person", () => {
  const texts = {
    text: [{ subject: "Re: lamp", body: "hi" }, "Re: lamp\n\nhi"], location: [{ latitude: 1.5, name: "Shop" }, "Shop\n1.5, 0"],
    contactCard: [{ formattedName: "A B", phones: [{ value: "+1" }] }, "A B\n+1"], choice: [{ body: "Which?", options: [{ title: "x" }] }, "Which?"],
    list: [{ body: "Menu", sections: [{ options: [{ title: "x" }] }] }, "Menu"], card: [{ title: "T", body: "B" }, "T\nB"],
    carousel: [{ cards: [{ title: "1" }, { title: "2" }] }, "1\n\n2"], template: [{ name: "t", rendered: "R" }, "R"], reaction: [{ emoji: "👍" }, "👍"],
    edit: [{ content: { text: { body: "new" } } }, "new"], deletion: [{}, ""], callSignal: [{ state: "CALL_STATE_MISSED" }, ""],
    custom: [{ kind: "k", fallback: "F" }, "F"], selection: [{ optionId: "o", title: "T" }, "T"], media: [{ caption: "C" }, "C"],
  };
  for (const [kind, [value, text]] of Object.entries(texts)) assert.equal(describe({ [kind]: value }).text, text, kind);
  assert.deepEqual(describe({ choice: { body: "?", options: [{ id: "a" }, { title: "B" }] } }).options, ["a", "B"]);
  assert.equal(describe({ somethingNew: {} }).label, "Unknown content");
  assert.equal(describe(undefined).label, "Unknown content");
});

test("media and links can only point to the web", () => {
  assert.equal(describe({ media: { url: "javascript:alert(1)", fileName: "x.png" } }).media.url, null);
  assert.deepEqual(["https://a.test/x", "/media/1", "//evil.test", "data:text/html,x", undefined].map(webAddress), ["https://a.test/x", "/media/1", null, null, null]);
  assert.deepEqual(pieces("see https://a.test/x, or javascript:x"), [{ text: "see " }, { text: "https://a.test/x", href: "https://a.test/x" }, { text: ", or javascript:x" }]);
});

test("words for people", () => {
  assert.equal(inWords([{ code: "a.b", text: "Because" }, { code: "c.d" }]), "Because; c.d");
  assert.deepEqual([span(45_000), span(200_000), span(-5), span(90_000_000)], ["45 s", "3 min", "0 s", "1 d"]);
  assert.deepEqual([bytes(0), bytes(999), bytes(1_500_000)], ["", "999 B", "1.5 MB"]);
});
