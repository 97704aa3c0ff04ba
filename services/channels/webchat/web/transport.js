/**
 * One WebSocket that comes back: says hello, keeps the line alive, notices a dead one, and reconnects with jitter.
 * It knows nothing of messages; what to say and what was heard is the session's affair.
 */

export const SUBPROTOCOL = "heliograph.chat.v1";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const PING_EVERY_MS = 25_000;
const PONG_WITHIN_MS = 10_000;
const WELCOME_WITHIN_MS = 15_000;
/** After this many refusals in a row as a bad frame, sending the same again is pointless. */
const BAD_FRAMES = 3;

/**
 * What a close code asks of the client.
 *
 * @param {number} code     the close code, 1006 when there was none
 * @param {number} failures closes in a row without a welcome in between, this one included
 * @param {number} random   0 ≤ random < 1
 * @returns {{kind: "retry", delayMs: number} | {kind: "replaced"} | {kind: "refused"} | {kind: "stop", reason: string}}
 */
export function afterClose(code, failures, random) {
  switch (code) {
    case 4400:
      if (failures >= BAD_FRAMES) return { kind: "stop", reason: "bad_frame" };
      break;
    case 4401:
      return { kind: "refused" };
    case 4403:
      return { kind: "stop", reason: "origin" };
    case 4409:
      return { kind: "replaced" };
    case 4429:
      return { kind: "retry", delayMs: 5_000 + random * LONGEST_DELAY_MS };
    case 1012:
      // A restart sends everybody away at once: come back spread over the whole range.
      return { kind: "retry", delayMs: FIRST_DELAY_MS + random * (LONGEST_DELAY_MS - FIRST_DELAY_MS) };
    default:
  }
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10));
  return { kind: "retry", delayMs: FIRST_DELAY_MS + random * (ceiling - FIRST_DELAY_MS) };
}

/**
 * States: `idle` (never started or stopped), `connecting`, `ready` (welcomed), `waiting` (for the next try),
 * `replaced` (another window took over), `failed` (no use trying again; `reason` says why).
 */
export class Transport {
  #options;
  #socket = null;
  #failures = 0;
  #retryTimer = null;
  #pingTimer = null;
  #deadTimer = null;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {() => object} options.hello        the first frame; asked anew for each connection
   * @param {(frame: object) => void} options.onFrame
   * @param {(state: {name: string, reason?: string}) => void} options.onState
   * @param {() => boolean} options.onRefused   credentials were refused; true if another try can succeed
   * @param {typeof WebSocket} [options.WebSocket]
   * @param {{setTimeout: Function, clearTimeout: Function}} [options.timers]
   * @param {() => number} [options.random]
   */
  constructor(options) {
    this.#options = { WebSocket: globalThis.WebSocket, timers: globalThis, random: Math.random, ...options };
    this.state = { name: "idle" };
  }

  /** Connects unless it is connected, connecting, or about to be. */
  start() {
    if (["idle", "replaced", "failed"].includes(this.state.name)) {
      this.#failures = 0;
      this.#connect();
    }
  }

  /** Does not wait for the next try: the visitor asked, or the network is back. */
  retryNow() {
    if (this.state.name === "waiting") this.#connect();
    else this.start();
  }

  /** Ends it for good, until `start`. */
  stop() {
    this.#drop();
    this.#enter({ name: "idle" });
  }

  /** The line is not what it seems: connect anew. */
  renew() {
    if (!this.#socket) return;
    this.#drop();
    this.#closed(1006);
  }

  /** Sends a frame if there is a welcomed connection; says whether it did. */
  send(frame) {
    if (this.state.name !== "ready" || this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #connect() {
    this.#drop();
    this.#enter({ name: "connecting" });
    let socket;
    try {
      socket = new this.#options.WebSocket(this.#options.url, SUBPROTOCOL);
    } catch {
      // The page's content security policy forbids it, or the address is no address.
      this.#enter({ name: "failed", reason: "blocked" });
      return;
    }
    this.#socket = socket;
    const current = () => this.#socket === socket;
    socket.addEventListener("open", () => {
      if (current()) socket.send(JSON.stringify(this.#options.hello()));
    });
    socket.addEventListener("message", (event) => {
      if (current()) this.#heard(event.data);
    });
    socket.addEventListener("close", (event) => {
      if (!current()) return;
      this.#drop();
      this.#closed(event.code || 1006);
    });
    this.#deadTimer = this.#later(() => this.renew(), WELCOME_WITHIN_MS);
  }

  #heard(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame === null || typeof frame !== "object") return;
    this.#alive();
    if (frame.t === "welcome") {
      this.#failures = 0;
      this.#options.onFrame(frame);
      this.#enter({ name: "ready" });
      return;
    }
    if (frame.t !== "pong") this.#options.onFrame(frame);
  }

  /** Anything heard proves the line works; the next proof is asked for after a while of silence. */
  #alive() {
    const { timers } = this.#options;
    timers.clearTimeout(this.#pingTimer);
    timers.clearTimeout(this.#deadTimer);
    this.#pingTimer = this.#later(() => {
      this.send({ t: "ping" });
      this.#deadTimer = this.#later(() => this.renew(), PONG_WITHIN_MS);
    }, PING_EVERY_MS);
  }

  #closed(code) {
    this.#failures += 1;
    const next = afterClose(code, this.#failures, this.#options.random());
    if (next.kind === "retry") this.#wait(next.delayMs);
    else if (next.kind === "replaced") this.#enter({ name: "replaced" });
    else if (next.kind === "stop") this.#enter({ name: "failed", reason: next.reason });
    else if (this.#options.onRefused()) this.#wait(FIRST_DELAY_MS);
    else this.#enter({ name: "failed", reason: "auth" });
  }

  #wait(delayMs) {
    this.#enter({ name: "waiting" });
    this.#retryTimer = this.#later(() => this.#connect(), delayMs);
  }

  #drop() {
    const { timers } = this.#options;
    for (const timer of [this.#retryTimer, this.#pingTimer, this.#deadTimer]) timers.clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState < 2) socket.close(1000);
  }

  #later(work, ms) {
    // Called on the global object, which browsers insist on.
    const { timers } = this.#options;
    return timers.setTimeout(work, ms);
  }

  #enter(state) {
    this.state = state;
    this.#options.onState(state);
  }
}
