/**
 * What outlives the page, per account: the resume token, how far we are, and the messages that are not confirmed.
 * Each unsent message has a key of its own, so that two tabs never overwrite one another's.
 */

/** A stand-in where the browser grants no storage (private windows, sandboxed frames). */
export class MemoryStorage {
  #items = new Map();
  get length() { return this.#items.size; }
  key(index) { return [...this.#items.keys()][index] ?? null; }
  getItem(key) { return this.#items.get(key) ?? null; }
  setItem(key, value) { this.#items.set(key, String(value)); }
  removeItem(key) { this.#items.delete(key); }
}

/** The named storage of this window if it can be used, else one that lasts as long as the page. */
export function browserStorage(name) {
  try {
    const storage = globalThis[name];
    const probe = "heliograph:probe";
    storage.setItem(probe, "1");
    storage.removeItem(probe);
    return storage;
  } catch {
    return new MemoryStorage();
  }
}

export class Persisted {
  #storage;
  #prefix;

  /** `scope` tells accounts and servers apart: the address the widget was loaded from. */
  constructor(storage, scope) {
    this.#storage = storage;
    this.#prefix = `heliograph:webchat:${scope}:`;
  }

  get token() { return this.#get("token"); }
  set token(value) { this.#set("token", value); }

  get lastSeq() { return this.#number("seq"); }
  set lastSeq(value) { this.#set("seq", value); }

  get readSeq() { return this.#number("read"); }
  set readSeq(value) { this.#set("read", value); }

  /** Whom the token was made for; null for an anonymous visitor. */
  get who() { return this.#get("who"); }
  set who(value) { this.#set("who", value); }

  /** Unconfirmed messages in the order they were written. */
  outbox() {
    return this.#keys("out:")
      .map((key) => parse(this.#storage.getItem(key)))
      .filter((item) => item !== null && typeof item.cid === "string")
      .sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)) || (a.n ?? 0) - (b.n ?? 0));
  }

  put(item) { this.#set(`out:${item.cid}`, JSON.stringify(item)); }

  remove(cid) { this.#set(`out:${cid}`, null); }

  /** Forgets the visitor altogether. */
  clear() {
    for (const key of this.#keys("")) this.#storage.removeItem(key);
  }

  #keys(start) {
    const wanted = this.#prefix + start;
    const all = Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index));
    return all.filter((key) => key?.startsWith(wanted));
  }

  #get(name) { return this.#storage.getItem(this.#prefix + name); }

  #number(name) {
    const value = Number(this.#get(name));
    return Number.isSafeInteger(value) && value > 0 ? value : 0;
  }

  #set(name, value) {
    try {
      if (value === null) this.#storage.removeItem(this.#prefix + name);
      else this.#storage.setItem(this.#prefix + name, String(value));
    } catch {
      // A full storage costs us the memory over page loads, not the conversation.
    }
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
