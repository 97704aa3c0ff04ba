/** Stand-ins for the browser: a clock that moves when told, and a WebSocket whose other end is the test. */

export class FakeTimers {
  #now = 0;
  #next = 1;
  #due = new Map();

  setTimeout = (work, ms) => {
    const id = this.#next++;
    this.#due.set(id, { at: this.#now + ms, work });
    return id;
  };

  clearTimeout = (id) => { this.#due.delete(id); };

  date = () => new Date(Date.UTC(2026, 0, 1) + this.#now);

  advance(ms) {
    const end = this.#now + ms;
    for (;;) {
      const [id, first] = [...this.#due].sort((a, b) => a[1].at - b[1].at)[0] ?? [];
      if (id === undefined || first.at > end) break;
      this.#due.delete(id);
      this.#now = first.at;
      first.work();
    }
    this.#now = end;
  }
}

/** A class of fake sockets; `sockets` collects those that were made. */
export function fakeWebSockets() {
  const sockets = [];
  class FakeWebSocket extends EventTarget {
    readyState = 0;
    sent = [];
    constructor(url, protocol) {
      super();
      this.url = url;
      this.protocol = protocol;
      sockets.push(this);
    }
    send(text) { this.sent.push(JSON.parse(text)); }
    close() { this.readyState = 3; }
    // What the other end does:
    accept() {
      this.readyState = 1;
      this.dispatchEvent(new Event("open"));
    }
    say(frame) { this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(frame) })); }
    drop(code = 1006) {
      this.readyState = 3;
      this.dispatchEvent(Object.assign(new Event("close"), { code }));
    }
    /** The frames of one type that were sent. */
    of(type) { return this.sent.filter((frame) => frame.t === type); }
  }
  return { FakeWebSocket, sockets };
}

/** A `msg` frame of an agent. */
export function said(seq, text = `message ${seq}`, more = {}) {
  return { t: "msg", seq, id: `msg_${seq}`, from: { kind: "agent", name: "Ann" }, text, attachments: [], at: "2026-01-01T00:00:00Z", ...more };
}

/** A server with the sequence, replay and deduplication the protocol asks for. */
export class FakeServer {
  log = [];
  cids = new Map();
  hellos = [];

  greet(socket, { seq = this.log.length } = {}) {
    socket.accept();
    const [hello] = socket.of("hello");
    this.hellos.push(hello);
    socket.say({ t: "welcome", session: "s_1", visitor: "v_1", resume: `rt_${this.hellos.length}`, seq, verified: false, limits: {} });
    for (const frame of this.log.slice(hello.last_seq)) socket.say(frame);
  }

  /** Stores what the client sent; answers with an ack unless told to lose it. */
  take(socket, { loseAck = false } = {}) {
    const frame = socket.of("msg").at(-1);
    if (!this.cids.has(frame.cid)) {
      const stored = said(this.log.length + 1, frame.text, { from: { kind: "customer", name: "" }, cid: frame.cid });
      this.log.push(stored);
      this.cids.set(frame.cid, stored);
    }
    const { id, seq, at } = this.cids.get(frame.cid);
    if (!loseAck) socket.say({ t: "ack", cid: frame.cid, id, seq, at });
    return frame;
  }

  speak(socket, text) {
    const frame = said(this.log.length + 1, text);
    this.log.push(frame);
    socket?.say(frame);
    return frame;
  }
}
