import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../api.js";
import { upload } from "../upload.js";

/** An API whose other end answers with `status` and `body`, and what it was asked. */
function answering(status, body) {
  const asked = [];
  const fetch = async (url, options) => {
    asked.push({ url: String(url), ...options });
    return { ok: status < 400, status, json: async () => body };
  };
  return { api: new Api({ token: "a token", base: "https://desk.example.com/desk/", fetch }), asked };
}

test("questions carry the session's token and leave out what is not asked", async () => {
  const { api, asked } = answering(200, { country: "BR" });
  assert.deepEqual(await api.explain({ country: "BR", channel: "", class: "service" }), { country: "BR" });
  assert.deepEqual([asked[0].url, asked[0].headers.Authorization], ["https://desk.example.com/desk/api/policy/explain?country=BR&class=service", "Bearer a token"]);
  await api.traffic({ from: 0, to: 3_600_000 });
  assert.match(asked[1].url, /from=1970-01-01T00%3A00%3A00.000Z&to=1970-01-01T01%3A00%3A00.000Z$/u);
});

test("an address is named by its three parts, whatever else is known of it", async () => {
  const { api, asked } = answering(200, {});
  await api.split("con_1", { channel: "sms", account: "us", userId: "+1", displayName: "Maria" }, "c1");
  assert.equal(asked[0].method, "POST");
  assert.deepEqual(JSON.parse(asked[0].body), { channel: "sms", account: "us", userId: "+1", commandId: "c1" });
});

test("a refusal is told in the server's words", async () => {
  const { api } = answering(403, { code: "forbidden", message: "this is not yours" });
  await assert.rejects(api.reach("cnv_1"), (error) => error.message === "this is not yours" && error.code === "forbidden" && error.status === 403);
});

/** A request whose other end answers at once, or never. */
class FakeRequest extends EventTarget {
  static made = [];
  static answer = { status: 201, response: { objectId: "med_1" } };
  upload = new EventTarget();
  headers = {};
  constructor() {
    super();
    FakeRequest.made.push(this);
  }
  open(method, url) { Object.assign(this, { method, url: String(url) }); }
  setRequestHeader(name, value) { this.headers[name] = value; }
  send(body) {
    this.body = body;
    if (!FakeRequest.answer) return;
    this.upload.dispatchEvent(Object.assign(new Event("progress"), { loaded: 1, total: 4 }));
    Object.assign(this, FakeRequest.answer);
    this.dispatchEvent(new Event("load"));
  }
  abort() { this.dispatchEvent(new Event("abort")); }
}

const uploading = (url, file, options) => upload(url, file, { ...options, XMLHttpRequest: FakeRequest });
const desk = new Api({ token: "a token", base: "https://desk.example.com/desk/", upload: uploading });
const file = Object.assign(new Blob(["x"]), { name: "a b.png" });

test("a file goes as it is, under its name, and tells how far it has come", async () => {
  const shares = [];
  assert.deepEqual(await desk.attach(file, { progress: (share) => shares.push(share) }), { objectId: "med_1" });
  const { method, url, body, headers } = FakeRequest.made.at(-1);
  assert.deepEqual([method, url, body, shares], ["POST", "https://desk.example.com/desk/media?name=a+b.png", file, [0.25]]);
  assert.deepEqual(headers, { Authorization: "Bearer a token" });
});

test("a file that is refused says why, and one that is given up rejects", async () => {
  FakeRequest.answer = { status: 413, response: { code: "too_large", message: "the file is larger than 9 bytes" } };
  await assert.rejects(desk.attach(file), (error) => error.message === "the file is larger than 9 bytes" && error.status === 413);
  FakeRequest.answer = { status: 502, response: null };
  await assert.rejects(desk.attach(file), /answered 502/u);
  FakeRequest.answer = null;
  const stop = new AbortController();
  const attached = desk.attach(file, { signal: stop.signal });
  stop.abort();
  await assert.rejects(attached, (error) => error.status === undefined);
});
