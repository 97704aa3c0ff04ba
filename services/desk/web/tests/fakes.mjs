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
    constructor(url) {
      super();
      this.url = url;
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
    /** The bodies of the frames of one kind that were sent. */
    of(kind) { return this.sent.filter((frame) => kind in frame).map((frame) => frame[kind]); }
  }
  return { FakeWebSocket, sockets };
}


/** An event of the public stream at `sequence`, in canonical JSON. */
export function at(sequence, type, payload = {}, more = {}) {
  const field = type.replace(/[._](\w)/gu, (_, letter) => letter.toUpperCase());
  return {
    sequence: String(sequence),
    event: { id: `evt_${sequence}`, type, tenant: "acme", channel: "sms", conversation: "cnv_1", contact: "con_1", time: "2026-01-01T00:00:00Z", [field]: payload, ...more },
  };
}

/** The customer says something. */
export const heard = (sequence, body, more = {}) => at(sequence, "message.received", {
  message: { id: `msg_${sequence}`, direction: "DIRECTION_INBOUND", content: { text: { body } }, sender: { kind: "SENDER_KIND_CUSTOMER" }, address: { channel: "sms", account: "us", userId: "+15550100", displayName: "Maria" } },
  verdict: { outcome: "OUTCOME_ALLOW", region: { name: "north-america" } },
}, more);

/** An agent's message gets its place. */
export const said = (sequence, body, more = {}) => at(sequence, "message.accepted", {
  message: { id: `msg_${sequence}`, direction: "DIRECTION_OUTBOUND", content: { text: { body } }, sender: { kind: "SENDER_KIND_AGENT", id: "ann" } },
}, more);

/** A server of one agent, ann, who holds cnv_1: a stream, an idempotent log of commands, resumption and history. */
export class FakeServer {
  events = [];
  commands = new Map();
  /** Resumption is refused when false, as after a long absence. */
  canResume = true;

  get sequence() { return this.events.length * 2; }

  /** Appends an event; sequences have holes, as on a stream that is filtered. */
  append(make, ...rest) {
    const entry = make(this.sequence + 2, ...rest);
    this.events.push(entry);
    return entry;
  }

  /** Answers a connection that has said hello. */
  greet(socket) {
    socket.accept();
    const [hello] = socket.of("hello");
    const after = Number(hello.resumeAfter);
    const resumed = after > 0 && this.canResume;
    socket.say({ welcome: { agent: { tenant: "acme", name: "ann" }, ...(resumed ? { resumed } : {}), pingSeconds: 20 } });
    if (resumed) for (const entry of this.events.filter((one) => Number(one.sequence) > after)) socket.say({ event: entry });
    else socket.say({ state: { sequence: String(this.sequence), presence: "PRESENCE_ONLINE", conversations: [{ id: "cnv_1", state: "assigned", agent: "ann" }] } });
  }

  /** Handles what came in on the socket since the last call; loses some answers if told to. */
  serve(socket, { lose = () => false, push = true } = {}) {
    socket.done ??= 0;
    for (; socket.done < socket.sent.length; socket.done += 1) {
      const { command, loadHistory } = socket.sent[socket.done];
      if (loadHistory) socket.say({ history: { conversation: loadHistory.conversation, events: this.events.filter((one) => one.event.conversation === loadHistory.conversation) } });
      if (!command) continue;
      if (!this.commands.has(command.commandId)) {
        this.commands.set(command.commandId, command);
        if (command.reply) {
          const entry = this.append(said, command.reply.content.text.body, { cause: "an entry of the log" });
          if (push) socket.say({ event: entry });
        }
      }
      if (!lose()) socket.say({ result: { commandId: command.commandId, accepted: true } });
    }
  }
}
