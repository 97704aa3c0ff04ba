import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../api.js";

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

test("a file goes as it is, under its name", async () => {
  const { api, asked } = answering(201, { objectId: "med_1" });
  const file = Object.assign(new Blob(["x"]), { name: "a b.png" });
  assert.deepEqual(await api.attach(file), { objectId: "med_1" });
  assert.deepEqual([asked[0].method, asked[0].url, asked[0].body], ["POST", "https://desk.example.com/desk/media?name=a+b.png", file]);
  assert.equal(asked[0].headers["Content-Type"], undefined);
});
