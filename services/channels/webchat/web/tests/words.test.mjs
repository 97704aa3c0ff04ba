import assert from "node:assert/strict";
import { test } from "node:test";
import { dayLabel, pieces, sizeLabel, webAddress } from "../format.js";
import { LANGUAGES, stringsFor } from "../strings.js";

const shape = (table) => Object.entries(table).map(([key, value]) => (key === "errors" ? [key, Object.keys(value).sort()] : key)).sort();
const blanks = (text) => [...String(text).matchAll(/\{\w+\}/gu)].map(String).sort();

test("every language says everything, with the same blanks to fill in", () => {
  for (const [language, table] of Object.entries(LANGUAGES)) {
    assert.deepEqual(shape(table), shape(LANGUAGES.en), language);
    for (const [key, text] of Object.entries(LANGUAGES.en)) {
      if (typeof text === "string") assert.deepEqual(blanks(table[key]), blanks(text), `${language}.${key}`);
    }
    for (const [code, text] of Object.entries(LANGUAGES.en.errors)) {
      assert.deepEqual(blanks(table.errors[code]), blanks(text), `${language}.errors.${code}`);
    }
  }
});

test("the first wish that can be met is taken", () => {
  assert.equal(stringsFor([undefined, "fr-FR", "pt_BR", "de"]).locale, "pt-BR");
  assert.equal(stringsFor(["zh-Hans-CN"]).say("send"), "发送");
  assert.equal(stringsFor(["xx"]).language, "en");
  assert.equal(stringsFor(["constructor"]).language, "en");
});

test("plurals and unknown errors", () => {
  const { say, error } = stringsFor(["en"]);
  assert.deepEqual([say("unread", { n: 1 }), say("unread", { n: 2 })], ["1 unread message", "2 unread messages"]);
  assert.equal(error("never_heard_of", {}, "the server's words"), "the server's words");
  assert.equal(error("toString"), LANGUAGES.en.errors.other);
  assert.equal(stringsFor(["zh"]).say("unread", { n: 1 }), "1 条未读消息");
});

test("addresses become links, and nothing else does", () => {
  assert.deepEqual(pieces("see https://a.test/x?y=(1), or (http://b.test)."), [
    { text: "see " }, { text: "https://a.test/x?y=(1)", href: "https://a.test/x?y=(1)" },
    { text: ", or (" }, { text: "http://b.test", href: "http://b.test" }, { text: ")." },
  ]);
  for (const text of ["javascript:alert(1)", "a <b>c</b>", "https://", ""]) {
    assert.ok(pieces(text).every((piece) => !piece.href), text);
    assert.equal(pieces(text).map((piece) => piece.text).join(""), text);
  }
});

test("attachments can only point to the web", () => {
  assert.equal(webAddress("media/med_1", "https://chat.test/webchat/shop/"), "https://chat.test/webchat/shop/media/med_1");
  assert.equal(webAddress("javascript:alert(1)", "https://chat.test/"), null);
  assert.equal(webAddress("data:text/html,x", "https://chat.test/"), null);
});

test("days and sizes in words", () => {
  const now = new Date(2026, 2, 30, 0, 30);
  assert.equal(dayLabel(new Date(2026, 2, 29, 23, 59), now, "en"), "Yesterday");
  assert.equal(dayLabel(now, now, "de"), "Heute");
  assert.match(dayLabel(new Date(2025, 11, 24), now, "en"), /2025/u);
  assert.equal(sizeLabel(1_400_000, "en"), "1.4 MB");
  assert.equal(sizeLabel(0, "en"), "0 bytes");
});
