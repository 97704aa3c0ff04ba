/**
 * A visitor's conversation: keeps the log, the connection and what is remembered in step.
 * Own messages leave one at a time, each with a cid that stays the same over every repetition; so their order holds
 * even when the server asks for a pause, and nothing is lost or doubled when the line breaks in between.
 */

import { MessageLog } from "./store.js";
import { Transport } from "./transport.js";

const ACK_WITHIN_MS = 15_000;
const SYNC_AGAIN_MS = 5_000;
const TYPING_EVERY_MS = 3_000;
/** Messages that come together are confirmed together. */
const GOT_AFTER_MS = 300;
const TYPING_OFF_MS = 6_000;
const HISTORY_PAGE = 50;

export const DEFAULT_LIMITS = { msg_per_10s: 10, upload_bytes: 20_971_520, text_chars: 10_000 };

/** Whom an identity names, as far as the page's word goes; the server alone verifies it. Null if it names nobody. */
export function whoIs(identity) {
  if (identity?.user_id) return `user:${identity.user_id}`;
  if (!identity?.jwt) return null;
  try {
    const body = identity.jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (char) => char.charCodeAt(0))));
    return `user:${claims.user_id ?? claims.sub}`;
  } catch {
    return `jwt:${identity.jwt}`;
  }
}

export class Session {
  #options;
  #identity;
  #inflight = null;
  #ackTimer = null;
  #pauseTimer = null;
  #syncTimer = null;
  #gotTimer = null;
  #typing = { sentAt: -Infinity, offTimer: null };
  #agentTimer = null;
  #historyRun = 0;
  #refusedWithToken = false;
  #written = 0;
  /** What was read while there was no line to report it on. */
  #readDue = null;

  /**
   * @param {object} options
   * @param {{ws: string, history: string, uploads: string}} options.urls
   * @param {import("./storage.js").Persisted} options.persisted
   * @param {object|null} options.identity
   * @param {() => object} options.page         url, title and locale of the page
   * @param {(what: string, detail?: object) => void} options.onChange  "log", "connection", "typing", "notice", "answer"
   */
  constructor(options) {
    this.#options = {
      timers: globalThis, random: Math.random, now: () => new Date(), uuid: () => crypto.randomUUID(),
      fetch: (...args) => globalThis.fetch(...args), WebSocket: globalThis.WebSocket, identity: null, ...options,
    };
    const { persisted, timers } = this.#options;
    this.limits = DEFAULT_LIMITS;
    this.agent = { name: "", typing: false };
    this.loading = false;
    this.historyFailed = false;
    this.#take(this.#options.identity);
    this.log = new MessageLog({ lastSeq: persisted.lastSeq, readSeq: persisted.readSeq });
    for (const item of persisted.outbox()) this.log.write(item);
    this.transport = new Transport({
      url: this.#options.urls.ws,
      WebSocket: this.#options.WebSocket,
      timers,
      random: this.#options.random,
      hello: () => this.#hello(),
      onFrame: (frame) => this.#heard(frame),
      onState: (state) => this.#connection(state),
      onRefused: () => this.#refused(),
    });
  }

  get connection() { return this.transport.state; }

  /** Whether the visitor has been here before, so that connecting at once is of use. */
  get known() {
    const { persisted } = this.#options;
    return persisted.token !== null || this.#identity !== null || this.log.unsent().length > 0;
  }

  connect() { this.transport.start(); }

  disconnect() {
    this.transport.stop();
    for (const timer of [this.#pauseTimer, this.#syncTimer, this.#gotTimer, this.#agentTimer, this.#typing.offTimer]) {
      this.#cancel(timer);
    }
    this.#gotTimer = null;
  }

  /** Says something. `attachments` are what uploads returned. */
  say(text, attachments = [], { choice = null, replyTo = null } = {}) {
    const { persisted, uuid, now } = this.#options;
    this.#written += 1;
    const item = { cid: uuid(), text, attachments, choice, replyTo, at: now().toISOString(), n: this.#written };
    persisted.put(item);
    this.log.write(item);
    this.#typingOff();
    this.connect();
    this.#changed("log");
    this.#flush();
  }

  choose(entry, choice) {
    this.say(choice.title, [], { choice: { id: choice.id, title: choice.title }, replyTo: entry.id });
  }

  retry(cid) {
    this.log.retry(cid);
    const entry = this.log.unsent().find((other) => other.cid === cid);
    if (entry) this.#options.persisted.put(outboxItem(entry));
    this.#changed("log");
    this.transport.retryNow();
    this.#flush();
  }

  discard(cid) {
    this.log.discard(cid);
    this.#options.persisted.remove(cid);
    this.#changed("log");
  }

  /** The visitor is writing; called with every keystroke. */
  typing() {
    const now = this.#options.now().getTime();
    this.#cancel(this.#typing.offTimer);
    this.#typing.offTimer = this.#later(() => this.#typingOff(), TYPING_OFF_MS);
    if (now - this.#typing.sentAt < TYPING_EVERY_MS) return;
    if (this.transport.send({ t: "typing", on: true })) this.#typing.sentAt = now;
  }

  /** The visitor sees the conversation. */
  seen() {
    const upTo = this.log.markRead();
    if (upTo === null) return;
    this.#options.persisted.readSeq = upTo;
    if (!this.transport.send({ t: "read", up_to: upTo })) this.#readDue = upTo;
    this.#changed("log");
  }

  /** Loads the page of messages before the oldest one here. */
  async loadEarlier() {
    if (this.loading || !this.log.more || !this.#options.persisted.token) return;
    const run = (this.#historyRun += 1);
    this.loading = true;
    this.historyFailed = false;
    this.#changed("log");
    try {
      const url = new URL(this.#options.urls.history);
      url.searchParams.set("before", String(this.log.firstSeq ?? this.log.lastSeq + 1));
      url.searchParams.set("limit", String(HISTORY_PAGE));
      const response = await this.#options.fetch(url.href, {
        headers: { Authorization: `Bearer ${this.#options.persisted.token}` }, credentials: "omit",
      });
      if (!response.ok) throw new Error(`history: ${response.status}`);
      const page = await response.json();
      if (run !== this.#historyRun) return;
      this.log.history(page.messages ?? [], page.more);
      this.#nameAgent();
    } catch {
      if (run === this.#historyRun) this.historyFailed = true;
    }
    if (run !== this.#historyRun) return;
    this.loading = false;
    this.#changed("log");
  }

  /** What an upload needs besides the file. */
  uploadTarget() {
    return { url: this.#options.urls.uploads, token: this.#options.persisted.token };
  }

  /** The page learnt who the visitor is, or that they signed out (null). */
  identify(identity) {
    const running = this.connection.name !== "idle";
    this.transport.stop();
    if (this.#take(identity)) this.log = new MessageLog();
    this.agent = { name: "", typing: false };
    this.#changed("log");
    if (running || this.#identity) this.connect();
  }

  /** Another person than the token was made for starts afresh; true if so. A guest who signs in keeps the thread. */
  #take(identity) {
    const { persisted } = this.#options;
    const who = whoIs(identity);
    this.#identity = who === null ? null : identity;
    this.#refusedWithToken = false;
    const another = persisted.who !== null && persisted.who !== who;
    if (another) persisted.clear();
    return another;
  }

  #hello() {
    const { persisted, page } = this.#options;
    return {
      t: "hello", v: 1, last_seq: this.log.lastSeq,
      ...(persisted.token ? { resume: persisted.token } : {}),
      ...(this.#identity ? { identity: this.#identity } : {}),
      page: page(),
    };
  }

  #heard(frame) {
    switch (frame.t) {
      case "welcome": return this.#welcome(frame);
      case "msg": return this.#placed(this.log.receive(frame), frame);
      case "ack": return this.#placed(this.log.ack(frame), frame);
      case "receipt":
        this.log.receipt(frame);
        return this.#changed("log");
      case "typing": return this.#agentTyping(frame.on === true, frame.ttl_ms);
      case "reset": return this.#reset(frame.seq);
      case "error": return this.#error(frame);
      default: return undefined; // A newer server may say more; that must not disturb us.
    }
  }

  #welcome(frame) {
    const { persisted } = this.#options;
    if (typeof frame.resume === "string") persisted.token = frame.resume;
    // Verified or not: whoever signs in here next must not find this thread.
    if (this.#identity) persisted.who = whoIs(this.#identity);
    this.limits = { ...DEFAULT_LIMITS, ...frame.limits };
    this.#refusedWithToken = false;
    // A server that has less than we have is not the one we talked to.
    if (Number.isSafeInteger(frame.seq) && frame.seq < this.log.lastSeq) this.#reset(frame.seq);
    else if (this.log.firstSeq === null) this.loadEarlier();
  }

  #placed(entries, frame) {
    const { persisted } = this.#options;
    if (frame.cid) persisted.remove(frame.cid);
    persisted.lastSeq = this.log.lastSeq;
    if (this.log.gap) this.#sync();
    if (entries.some((entry) => !entry.own)) this.#got();
    for (const entry of entries) {
      if (entry.own) continue;
      if (entry.from.kind !== "system") this.#agentTyping(false);
      this.#changed("answer", entry);
    }
    if (entries.length > 0) this.#nameAgent();
    this.#changed("log");
    if (frame.cid && frame.cid === this.#inflight) {
      this.#landed();
      this.#flush();
    }
  }

  /** Tells the server that this device holds the answers so far. */
  #got() {
    if (this.#gotTimer !== null) return;
    this.#gotTimer = this.#later(() => {
      this.#gotTimer = null;
      this.transport.send({ t: "got", up_to: this.log.lastSeq });
    }, GOT_AFTER_MS);
  }

  /** Asks for what is missing, and asks again while it is. */
  #sync() {
    if (this.#syncTimer !== null) return;
    this.transport.send({ t: "sync", after: this.log.lastSeq });
    this.#syncTimer = this.#later(() => {
      this.#syncTimer = null;
      if (this.log.gap) this.#sync();
    }, SYNC_AGAIN_MS);
  }

  #reset(seq) {
    this.#historyRun += 1;
    this.loading = false;
    this.log.reset(Number.isSafeInteger(seq) && seq > 0 ? seq : 0);
    this.#options.persisted.lastSeq = this.log.lastSeq;
    this.#changed("log");
    this.loadEarlier();
  }

  #error(frame) {
    const { cid, code, message, retry_ms: retryMs } = frame;
    if (cid && cid === this.#inflight) this.#landed();
    if (Number.isFinite(retryMs)) {
      this.#cancel(this.#pauseTimer);
      this.#pauseTimer = this.#later(() => {
        this.#pauseTimer = null;
        this.#flush();
      }, Math.max(0, retryMs));
      if (cid) this.#changed("notice", { code, message });
      return;
    }
    if (cid) {
      this.log.fail(cid, { code, message });
      const failed = this.log.entries().find((entry) => entry.cid === cid);
      if (failed) this.#options.persisted.put({ ...outboxItem(failed), state: "failed", error: failed.error });
      this.#changed("log");
      this.#flush();
    } else {
      this.#changed("notice", { code, message });
    }
  }

  #connection(state) {
    if (state.name !== "ready") {
      this.#landed();
      this.agent = { ...this.agent, typing: false };
      this.#cancel(this.#syncTimer);
      this.#syncTimer = null;
    }
    this.#changed("connection");
    if (state.name !== "ready") return;
    // What was confirmed on a line that broke may not have arrived.
    if (this.log.lastSeq > 0) this.#got();
    if (this.log.gap) this.#sync();
    if (this.#readDue !== null && this.transport.send({ t: "read", up_to: this.#readDue })) this.#readDue = null;
    this.#flush();
  }

  /** A stale token is dropped and the visitor comes in anew, once; without one, trying again is of no use. */
  #refused() {
    const { persisted } = this.#options;
    if (this.#refusedWithToken || !persisted.token) return false;
    this.#refusedWithToken = true;
    persisted.token = null;
    persisted.lastSeq = null;
    persisted.readSeq = null;
    this.log.reset(0);
    this.#changed("log");
    return true;
  }

  #flush() {
    if (this.#inflight || this.#pauseTimer || this.connection.name !== "ready") return;
    const next = this.log.unsent()[0];
    if (!next) return;
    const sent = this.transport.send({
      t: "msg", cid: next.cid, text: next.text, attachments: next.attachments.map((file) => file.id),
      ...(next.choice ? { choice: next.choice } : {}), reply_to: next.replyTo,
    });
    if (!sent) return;
    this.#inflight = next.cid;
    this.#ackTimer = this.#later(() => this.transport.renew(), ACK_WITHIN_MS);
  }

  #landed() {
    this.#cancel(this.#ackTimer);
    this.#inflight = null;
  }

  #typingOff() {
    this.#cancel(this.#typing.offTimer);
    if (this.#typing.sentAt === -Infinity) return;
    this.#typing.sentAt = -Infinity;
    this.transport.send({ t: "typing", on: false });
  }

  #agentTyping(on, ttlMs = TYPING_OFF_MS) {
    this.#cancel(this.#agentTimer);
    if (on) this.#agentTimer = this.#later(() => this.#agentTyping(false), ttlMs);
    if (this.agent.typing === on) return;
    this.agent = { ...this.agent, typing: on };
    this.#changed("typing");
  }

  #nameAgent() {
    const last = this.log.entries().findLast((entry) => !entry.own && entry.from.kind === "agent" && entry.from.name);
    this.agent = { ...this.agent, name: last?.from.name ?? "" };
  }

  #changed(what, detail) { this.#options.onChange(what, detail); }

  #later(work, ms) {
    const { timers } = this.#options;
    return timers.setTimeout(work, ms);
  }

  #cancel(timer) {
    const { timers } = this.#options;
    timers.clearTimeout(timer);
  }
}

function outboxItem({ cid, text, attachments, choice, replyTo, at }) {
  return { cid, text, attachments, choice, replyTo, at };
}
