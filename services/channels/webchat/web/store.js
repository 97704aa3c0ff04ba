/**
 * The message log of one visitor: what the server has numbered, in order and without gaps, and what is still on
 * its way to it. Pure: no clock, no network, no DOM, no storage. Entries are never changed in place, so a view can
 * tell by identity which ones to draw again.
 *
 * @typedef {object} Entry
 * @property {string} key      stable from the moment the message is written until long after it is numbered
 * @property {number|null} seq place in the sequence; null while it has none
 * @property {string|null} id
 * @property {string|null} cid the client's id of an own message
 * @property {boolean} own
 * @property {{kind: string, name: string}} from
 * @property {string} text
 * @property {object[]} attachments
 * @property {{id: string, title: string}[]} choices
 * @property {{id: string, title: string}|null} choice
 * @property {string|null} replyTo
 * @property {string} at       RFC 3339
 * @property {"sending"|"failed"|"sent"|"delivered"|"read"} state
 * @property {{code: string, message: string}|null} error
 * @property {object|null} waiting  how the visitor waits, where that is what the entry tells
 */

const RANK = { failed: 0, sending: 0, sent: 1, delivered: 2, read: 3 };

/** Whether a frame can take a place in the log; anything else is dropped by the caller. */
export function isMessage(frame) {
  return Boolean(frame) && Number.isSafeInteger(frame.seq) && frame.seq > 0
    && typeof frame.id === "string" && frame.id !== "";
}

function entryOf(frame, state) {
  const from = frame.from ?? {};
  const kind = typeof from.kind === "string" ? from.kind : "system";
  return {
    key: frame.cid || frame.id,
    seq: frame.seq,
    id: frame.id,
    cid: frame.cid ?? null,
    own: kind === "customer",
    from: { kind, name: typeof from.name === "string" ? from.name : "" },
    text: typeof frame.text === "string" ? frame.text : "",
    attachments: Array.isArray(frame.attachments) ? frame.attachments : [],
    choices: Array.isArray(frame.choices) ? frame.choices : [],
    choice: frame.choice ?? null,
    replyTo: frame.reply_to ?? null,
    at: frame.at ?? "",
    state,
    error: null,
    waiting: frame.waiting && typeof frame.waiting === "object" ? frame.waiting : null,
  };
}

export class MessageLog {
  /** Numbered entries, ascending by seq. */
  #numbered = [];
  #ids = new Set();
  /** seq → entry that came before the ones below it. Kept back until the gap is filled. */
  #ahead = new Map();
  /** Own messages without a place yet, in the order they were written. */
  #pending = [];
  /** message id → best receipt seen, because a receipt may overtake the message it is about. */
  #receipts = new Map();

  constructor({ lastSeq = 0, readSeq = 0 } = {}) {
    /** Everything up to this number has been applied, or lies in the history that can be loaded. */
    this.lastSeq = lastSeq;
    /** Up to here the visitor has seen the conversation. */
    this.readSeq = readSeq;
    /** Whether the server may hold messages older than the oldest one here. */
    this.more = lastSeq > 0;
  }

  /** What to draw, in order: the numbered ones, then those on their way. How the visitor waits stands elsewhere. */
  entries() {
    return [...this.#numbered.filter((entry) => !entry.waiting), ...this.#pending];
  }

  /** The entry that tells how the visitor waits, as long as that is of interest. */
  get waiting() {
    const at = this.#numbered.findLastIndex((entry) => entry.waiting);
    const entry = this.#numbered[at];
    if (!entry) return null;
    const since = this.#numbered.slice(at + 1);
    const settled = !["queued", "callback"].includes(entry.waiting.state);
    if (since.some(isAnswer) || (settled && since.some((other) => other.own))) return null;
    return entry;
  }

  /** Whether the visitor has chosen an answer to this entry already. */
  chosen(entry) {
    return this.entries().some((other) => other.own && other.choice && other.replyTo === entry.id);
  }

  /** The oldest number held, or null when the log is empty. */
  get firstSeq() {
    return this.#numbered[0]?.seq ?? null;
  }

  /** True while messages wait for a missing one before them. */
  get gap() {
    return this.#ahead.size > 0;
  }

  /** Own messages the server has not confirmed, oldest first. */
  unsent() {
    return this.#pending.filter((entry) => entry.state === "sending");
  }

  /** Takes a message the visitor has written. `at` is the client's clock until the server says better. */
  write({ cid, text = "", attachments = [], choice = null, replyTo = null, at, state = "sending", error = null }) {
    if (this.#pending.some((entry) => entry.cid === cid) || this.#numbered.some((entry) => entry.cid === cid)) return;
    this.#pending.push({
      key: cid, seq: null, id: null, cid, own: true, from: { kind: "customer", name: "" },
      text, attachments, choices: [], choice, replyTo, at, state, error, waiting: null,
    });
  }

  /** A `msg` frame, live, replayed or from the history. Returns the entries that became visible, in order. */
  receive(frame) {
    if (!isMessage(frame)) return [];
    return this.#place(entryOf(frame, "sent"));
  }

  /** An `ack` frame: the own message `cid` has its place. Returns the entries that became visible. */
  ack({ cid, id, seq, at }) {
    if (!isMessage({ seq, id })) return [];
    const pending = this.#pending.find((entry) => entry.cid === cid);
    if (!pending) {
      // Another tab's message, or one that a replay has placed already. Never skip its number.
      if (seq > this.lastSeq && !this.#ids.has(id)) this.#ahead.set(seq, null);
      return [];
    }
    if (this.#ids.has(id)) {
      // A replay without the cid came first: the message stands in the log already.
      this.#pending = this.#pending.filter((entry) => entry !== pending);
      return [];
    }
    const confirmed = { ...pending, id, seq, at: at ?? pending.at, state: "sent", error: null };
    // Shown as sent at once, even while it waits for the numbers before it.
    this.#pending = this.#pending.map((entry) => (entry === pending ? confirmed : entry));
    return this.#place(confirmed);
  }

  /** A `receipt` frame. States only ever improve, and a read message was preceded by read ones. */
  receipt({ id, state }) {
    if (!(state in RANK) || typeof id !== "string") return;
    if (RANK[state] > RANK[this.#receipts.get(id) ?? "sending"]) this.#receipts.set(id, state);
    const subject = this.#numbered.find((entry) => entry.id === id);
    if (!subject) return;
    this.#numbered = this.#numbered.map((entry) => {
      const covered = entry.id === id || (state === "read" && entry.seq < subject.seq);
      return entry.own && covered && RANK[entry.state] < RANK[state] ? { ...entry, state } : entry;
    });
  }

  /** The server refused the own message `cid` for good. */
  fail(cid, error) {
    this.#change(cid, { state: "failed", error });
  }

  /** The visitor wants a refused message sent again; it keeps its cid, so it cannot be doubled. */
  retry(cid) {
    this.#change(cid, { state: "sending", error: null });
  }

  /** The visitor gives a refused message up. */
  discard(cid) {
    this.#pending = this.#pending.filter((entry) => entry.cid !== cid || entry.seq !== null);
  }

  /** The server cannot replay from where we are: forget what is numbered, keep what is on its way. */
  reset(seq) {
    this.#numbered = [];
    this.#ids.clear();
    this.#ahead.clear();
    this.#receipts.clear();
    this.#pending = this.#pending.filter((entry) => entry.seq === null);
    this.lastSeq = seq;
    this.readSeq = Math.min(this.readSeq, seq);
    this.more = seq > 0;
  }

  /** A page of history; `more` says whether older messages exist. */
  history(messages, more) {
    for (const frame of messages) this.receive(frame);
    this.more = Boolean(more);
  }

  /** Messages of the other side that the visitor has not seen. */
  unread() {
    return this.#numbered.filter((entry) => isAnswer(entry) && entry.seq > this.readSeq).length;
  }

  /** Marks everything as seen. Returns the number to report, or null when there is nothing new to report. */
  markRead() {
    if (this.readSeq >= this.lastSeq) return null;
    const news = this.#numbered.some((entry) => isAnswer(entry) && entry.seq > this.readSeq);
    this.readSeq = this.lastSeq;
    return news ? this.readSeq : null;
  }

  /** Whether the buttons of this entry still wait for an answer: nothing was said by the visitor since. */
  answerable(entry) {
    return !this.entries().some((other) => other.own && (other.seq === null || other.seq > entry.seq));
  }

  #change(cid, changes) {
    this.#pending = this.#pending.map(
      (entry) => (entry.cid === cid && entry.seq === null ? { ...entry, ...changes } : entry),
    );
  }

  #place(entry) {
    if (this.#ids.has(entry.id)) return [];
    if (entry.seq > this.lastSeq + 1) {
      this.#ahead.set(entry.seq, entry);
      return [];
    }
    const placed = [this.#insert(entry)];
    for (;;) {
      const next = this.#ahead.get(this.lastSeq + 1);
      if (!next) break;
      placed.push(this.#insert(next));
    }
    for (const seq of this.#ahead.keys()) if (seq <= this.lastSeq) this.#ahead.delete(seq);
    return placed;
  }

  #insert(entry) {
    const receipt = this.#receipts.get(entry.id);
    const written = entry.cid === null ? undefined : this.#pending.find((other) => other.cid === entry.cid);
    const whole = {
      ...entry,
      state: entry.own && receipt && RANK[receipt] > RANK[entry.state] ? receipt : entry.state,
      choice: entry.choice ?? written?.choice ?? null,
      replyTo: entry.replyTo ?? written?.replyTo ?? null,
    };
    this.#pending = this.#pending.filter((other) => other !== written);
    this.#ids.add(whole.id);
    let at = this.#numbered.length;
    while (at > 0 && this.#numbered[at - 1].seq > whole.seq) at -= 1;
    this.#numbered.splice(at, 0, whole);
    this.lastSeq = Math.max(this.lastSeq, whole.seq);
    return whole;
  }
}

function isAnswer(entry) {
  return !entry.own && entry.from.kind !== "system";
}
