/**
 * The desk's WebSocket: one JSON frame per text message, comes back by itself with jitter, notices a dead line.
 * States: `connecting`, `ready`, `waiting`, `replaced` (signed in elsewhere), `ended` (sign in again; `reason`).
 */

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
const WELCOME_WITHIN_MS = 15_000;
const DEFAULT_PING_SECONDS = 20;

/** How long to wait before try number `failures`, with 0 ≤ random < 1. A restart (1012) spreads its clients. */
export function delayAfter(code, failures, random) {
  const ceiling = code === 1012 ? LONGEST_DELAY_MS : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10));
  return FIRST_DELAY_MS + random * (ceiling - FIRST_DELAY_MS);
}

export class Socket {
  #options;
  #socket = null;
  #failures = 0;
  #timers = { retry: null, ping: null, dead: null };
  #nonce = 0;
  #pingMs = DEFAULT_PING_SECONDS * 1000;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {() => object} options.hello  the first frame, asked anew for each connection
   * @param {(response: object) => void} options.onFrame
   * @param {(state: {name: string, reason?: string}) => void} options.onState
   */
  constructor(options) {
    this.#options = { WebSocket: globalThis.WebSocket, timers: globalThis, random: Math.random, ...options };
    this.state = { name: "waiting" };
  }

  connect() {
    this.#drop();
    this.#enter({ name: "connecting" });
    const socket = new this.#options.WebSocket(this.#options.url);
    this.#socket = socket;
    const current = () => this.#socket === socket;
    socket.addEventListener("open", () => { if (current()) socket.send(JSON.stringify(this.#options.hello())); });
    socket.addEventListener("message", ({ data }) => { if (current()) this.#heard(data); });
    socket.addEventListener("close", ({ code, reason }) => { if (current()) this.#closed(code || 1006, reason); });
    this.#after("dead", WELCOME_WITHIN_MS, () => this.renew());
  }

  /** Does not wait for the next try. */
  retryNow() {
    if (["waiting", "replaced"].includes(this.state.name)) this.connect();
  }

  /** The line is not what it seems. */
  renew() {
    if (this.#socket) this.#closed(1006);
  }

  /** Ends it; `reason` is told to the agent. */
  end(reason = "") {
    this.#drop();
    this.#enter({ name: "ended", reason });
  }

  send(frame) {
    if (this.state.name !== "ready" || this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #heard(data) {
    let response;
    try {
      response = JSON.parse(data);
    } catch {
      return;
    }
    if (response === null || typeof response !== "object") return;
    if (response.welcome) {
      this.#failures = 0;
      this.#pingMs = (response.welcome.pingSeconds || DEFAULT_PING_SECONDS) * 1000;
      this.#clear("dead");
      this.#enter({ name: "ready" });
    }
    if (this.state.name === "ready") this.#alive();
    this.#options.onFrame(response);
  }

  /** Pings at the pace the server asked for, whatever else is said; a ping without any answer means a dead line. */
  #alive() {
    this.#clear("dead");
    if (this.#timers.ping !== null) return;
    this.#after("ping", this.#pingMs, () => {
      this.#nonce += 1;
      this.send({ ping: { nonce: String(this.#nonce) } });
      this.#after("dead", this.#pingMs, () => this.renew());
      this.#timers.ping = null;
    });
  }

  #closed(code, reason = "") {
    this.#drop();
    if (code === 4401) return this.#enter({ name: "ended", reason: reason || "Your session is over. Please sign in again." });
    if (code === 4409) return this.#enter({ name: "replaced" });
    this.#failures += 1;
    this.#enter({ name: "waiting" });
    return this.#after("retry", delayAfter(code, this.#failures, this.#options.random()), () => this.connect());
  }

  #drop() {
    for (const name of Object.keys(this.#timers)) this.#clear(name);
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState < 2) socket.close(1000);
  }

  #after(name, ms, work) {
    this.#clear(name);
    const { timers } = this.#options;
    this.#timers[name] = timers.setTimeout(work, ms);
  }

  #clear(name) {
    const { timers } = this.#options;
    timers.clearTimeout(this.#timers[name]);
    this.#timers[name] = null;
  }

  #enter(state) {
    this.state = state;
    this.#options.onState(state);
  }
}
