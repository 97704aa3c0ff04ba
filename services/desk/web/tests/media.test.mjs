import assert from "node:assert/strict";
import test from "node:test";

import { shapeOf, why } from "../media.js";

test("what a browser shows is drawn, and everything else is a file", () => {
  const shape = (kind, type, url = "/desk/media/acme/med_1") => shapeOf({ kind, type, url });
  assert.equal(shape("image", "image/jpeg"), "image");
  assert.equal(shape("file", "image/png"), "image");
  assert.equal(shape("audio", "audio/ogg; codecs=opus"), "audio");
  assert.equal(shape("video", "video/mp4"), "video");
  // Channels that do not say the type say the kind.
  assert.deepEqual(["image", "sticker", "audio", "video", "file"].map((kind) => shape(kind, "")), ["image", "image", "audio", "video", "file"]);
  assert.equal(shape("audio", "audio/amr"), "file");
  assert.equal(shape("image", "image/svg+xml"), "file");
  assert.equal(shape("image", "image/png", null), "file");
});

test("the server says why a file is not shown", async () => {
  const answering = (status, headers, body) => async () => new Response(JSON.stringify(body), { status, headers });
  const told = (code) => ({ error: { code, message: code } });
  assert.deepEqual(await why("/desk/media/x", answering(404, { "retry-after": "5" }, told("not_there"))), { again: true, reason: "not_there" });
  assert.deepEqual(await why("/desk/media/x", answering(403, {}, told("infected"))), { again: false, reason: "infected" });
  assert.deepEqual(await why("/desk/media/x", answering(206, {}, {})), { again: false, reason: "" });
  assert.deepEqual(await why("https://elsewhere.test/x", () => assert.fail("others are not asked")), { again: false, reason: "" });
  assert.equal((await why("/desk/media/x", () => Promise.reject(new Error("away")))).again, true);
});
