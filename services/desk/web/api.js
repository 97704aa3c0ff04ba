/** What the page asks beside its session: plain requests with the session's token. */

import { upload } from "./upload.js";

export class Api {
  #options;

  /**
   * @param {object} options
   * @param {string} options.token
   * @param {string} options.base   address of the desk, ending in a slash
   * @param {typeof fetch} [options.fetch]
   * @param {typeof upload} [options.upload]
   */
  constructor(options) {
    this.#options = { fetch: (...args) => globalThis.fetch(...args), upload, ...options };
  }

  /** The policy in force, and where every country falls. */
  policy() { return this.#ask("GET", "api/policy"); }

  /** Verdicts for a country: `{country, channel?, class?, direction?}`. */
  explain(question) { return this.#ask("GET", "api/policy/explain", question); }

  /** Counts from one moment to another, milliseconds since 1970. */
  traffic({ from, to }) {
    return this.#ask("GET", "api/policy/traffic", { from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  }

  /** Who may be asked, and to whom a conversation can be passed on: `{agents, queues, skills}`. */
  colleagues() { return this.#ask("GET", "api/colleagues"); }

  /** How the customer of a conversation can be answered now. */
  reach(conversation) { return this.#ask("GET", `api/conversations/${encodeURIComponent(conversation)}/reach`); }

  /** Makes an address its own contact; the answer says whose it is then. */
  split(contact, address, commandId) { return this.#ask("POST", `api/contacts/${encodeURIComponent(contact)}/split`, {}, { ...named(address), commandId }); }

  /** Makes an address the contact's. */
  join(contact, address, commandId) { return this.#ask("POST", `api/contacts/${encodeURIComponent(contact)}/join`, {}, { ...named(address), commandId }); }

  /** Takes a file in; what comes back is the `Media` of an answer. `progress` is told how far it has come. */
  async attach(file, { progress, signal } = {}) {
    const { base, token, upload } = this.#options;
    const url = new URL("media", base);
    url.searchParams.set("name", file.name);
    const answer = await upload(url, file, { headers: { Authorization: `Bearer ${token}` }, progress, signal }).catch(() => { throw away(); });
    if (answer.status >= 400) throw refusal(answer);
    return answer.body;
  }

  async #ask(method, path, params = {}, body = null) {
    const { base, token, fetch } = this.#options;
    const url = new URL(path, base);
    for (const [key, value] of Object.entries(params)) if (value) url.searchParams.set(key, value);
    const headers = { Authorization: `Bearer ${token}`, ...(body === null ? {} : { "Content-Type": "application/json" }) };
    let response;
    try {
      response = await fetch(url, { method, headers, credentials: "omit", ...(body === null ? {} : { body: JSON.stringify(body) }) });
    } catch {
      throw away();
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw refusal({ status: response.status, body: answer });
    return answer;
  }
}

function away() {
  return new Error("The desk cannot be reached.");
}

function refusal({ status, body }) {
  return Object.assign(new Error(body?.message || `The desk answered ${status}.`), { code: body?.code ?? "", status });
}

function named({ channel, account, userId }) {
  return { channel, account, userId };
}
