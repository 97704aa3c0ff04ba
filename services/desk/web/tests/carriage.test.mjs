import assert from "node:assert/strict";
import test from "node:test";

import { carriage, tooLarge } from "../carriage.js";

const way = {
  channel: "wechat",
  carries: [
    { kind: "MEDIA_KIND_IMAGE", maxBytes: "10000000", contentTypes: ["image/png", "image/jpeg"] },
    { kind: "MEDIA_KIND_VIDEO", maxBytes: "5000000" },
    { kind: "MEDIA_KIND_AUDIO" },
  ],
};
const linked = { largest: 64_000_000, linked: true };
const file = (kind, contentType, sizeBytes) => ({ kind: `MEDIA_KIND_${kind}`, contentType, sizeBytes: String(sizeBytes) });

test("what a channel carries is not spoken of", () => {
  for (const media of [file("IMAGE", "image/png", 10_000_000), file("VIDEO", "video/webm", 5_000_000), file("AUDIO", "audio/x", 60_000_000)]) {
    assert.equal(carriage(media, way, linked), null);
  }
  const pdf = file("FILE", "application/pdf", 1);
  assert.equal(carriage(pdf, null, linked), null);
  assert.equal(carriage(pdf, { channel: "wechat" }, linked), null, "the channel did not say");
});

test("what it does not carry becomes a link, or just a name", () => {
  const told = (media, files = linked) => carriage(media, way, files);
  assert.deepEqual(told(file("FILE", "application/pdf", 1)), { tone: "warn", text: "WeChat carries no files: the customer gets a link to it." });
  assert.equal(told(file("IMAGE", "image/webp", 1)).text, "WeChat carries pictures as PNG, JPEG alone: the customer gets a link to it.");
  assert.equal(told(file("VIDEO", "video/mp4", 5_000_001)).text, "WeChat carries videos up to 5.0 MB: the customer gets a link to it.");
  assert.deepEqual(told(file("FILE", "application/pdf", 1), { linked: false }), { tone: "bad", text: "WeChat carries no files: the customer reads its name alone." });
  assert.equal(carriage(file("IMAGE", "image/png", 1), { channel: "sms", carries: [] }, linked).text, "SMS carries no pictures: the customer gets a link to it.");
});

test("what is larger than the desk takes is not sent to it", () => {
  assert.equal(tooLarge(64_000_001, linked), "Too large: a file may have at most 64.0 MB.");
  assert.equal(tooLarge(64_000_000, linked), "");
  assert.equal(tooLarge(1e12, null), "", "the desk will say");
});
