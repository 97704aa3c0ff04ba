/**
 * The agent's session: keeps the model, the line and the commands in step. A command keeps its id until the server has
 * answered it and is sent again after every break, so it has its effect once.
 */

import { Desk } from "./model.js";
import { Socket } from "./socket.js";
import { frameOf } from "./wire.js";

const RESULT_WITHIN_MS = 15_000;
/** How often it is said that the agent writes; the widget believes it for six seconds. */
const TYPING_EVERY_MS = 3_000;
const HISTORY_PAGE = 200;

export class Client {
  #options;
  #commands = [];
  #asked = new Set();
  #typed = null;
  #resultTimer = null;
  /** The conversation that was open before the page was loaded again. */
  #wished = null;
  /** Histories of conversations that are not the agent's: conversation → who waits for them. */
  #past = new Map();
  #met = new Set();
  #watching = false;

  /**
   * @param {object} options
   * @param {string} options.url                 of the WebSocket
   * @param {string} options.token
   * @param {{name: string}} options.agent       the profile that signing in returned
   * @param {Storage} options.storage            lives as long as the tab
   * @param {(happened: object[]) => void} options.onChange
   * @param {(state: object) => void} options.onEnd  the session is over
   */
  constructor(options) {
    this.#options = { timers: globalThis, now: () => Date.now(), uuid: () => crypto.randomUUID(), ...options };
    const kept = this.#load();
    this.desk = new Desk({ readSeq: kept.readSeq, markedSeq: kept.markedSeq });
    this.desk.profile = options.agent;
    this.#commands = kept.commands;
    this.#wished = kept.selected;
    for (const { commandId, reply, at } of this.#commands) if (reply) this.desk.write({ commandId, conversation: reply.conversation, content: reply.content, address: reply.address, replyTo: reply.replyTo, at });
    this.socket = new Socket({
      url: options.url, WebSocket: options.WebSocket ?? globalThis.WebSocket, timers: this.#options.timers, random: options.random ?? Math.random,
      hello: () => ({ hello: { token: options.token, resumeAfter: String(this.desk.sequence) } }),
      onFrame: (response) => this.#heard(response),
      onState: (state) => this.#line(state),
    });
  }

  start() { this.socket.connect(); }

  get line() { return this.socket.state; }

  /** `whenDone`: only once the work in hand is done; until then the agent is away. */
  setPresence(presence, { whenDone = false } = {}) {
    /** What the agent asked for last; any other change is somebody else's doing and needs a word. */
    this.wishedPresence = whenDone ? "away" : presence;
    this.desk.whenDone = whenDone ? presence : null;
    this.#command({ setPresence: { presence: onWire(presence), ...(whenDone ? { whenDone } : {}) } });
  }

  accept(offer) { this.#answer(offer, { accept: { reservationId: offer.id } }); }

  reject(offer, reason = "") { this.#answer(offer, { reject: { reservationId: offer.id, reason } }); }

  /**
   * Answers, by the address the customer last wrote from unless another of theirs is named. Each medium is a message of its
   * own; the first carries the text, and quotes the message that `replyTo` names.
   */
  reply(conversation, body, address = null, media = [], replyTo = null) {
    const contents = media.length === 0 ? [{ text: { body } }] : media.map((one, index) => ({ media: index === 0 && body ? { ...one, caption: body } : one }));
    contents.forEach((content, index) => this.#write(conversation, content, address, index === 0 ? replyTo : null));
    this.#changed();
  }

  #write(conversation, content, address, replyTo) {
    const at = this.#options.now();
    const commandId = this.#command({ reply: { conversation, content, ...(address ? { address } : {}), ...(replyTo ? { replyTo } : {}) }, at }, { quiet: true });
    this.desk.write({ commandId, conversation, content, address, replyTo, at });
  }

  /** Asks how the customer may continue on another channel; the answer happens as `offer_made`. */
  offerChannel(conversation, channel) { return this.socket.send({ offerChannel: { conversation, channel } }); }

  /** Asks who a contact is, unless that is known or being asked. */
  meet(contact) {
    if (!contact || this.desk.contacts.has(contact) || this.#met.has(contact)) return;
    if (this.socket.send({ loadContact: { contact } })) this.#met.add(contact);
  }

  /** What was known of a contact is not true any more. */
  forget(contact) {
    this.desk.contacts.delete(contact);
    this.#changed();
  }

  /** A page of a conversation that is not the agent's: `done(history)`, once it has come. */
  readPast(conversation, before, done) {
    if (this.socket.send({ loadHistory: { conversation, before: String(before), limit: HISTORY_PAGE } })) this.#past.set(conversation, done);
  }

  /** Tells the customer's channel that the agent writes, or stopped; at most once in a while, and lost if the line is. */
  typing(conversation, on) {
    const now = this.#options.now();
    const said = this.#typed;
    if (on ? said?.conversation === conversation && now - said.at < TYPING_EVERY_MS : said?.conversation !== conversation) return;
    this.#typed = on ? { conversation, at: now } : null;
    this.socket.send({ typing: { conversation, on } });
  }

  /**
   * The agent looks at the conversation; `sight` is how, as for `Desk.readMark`. Tells the customer's channel what was read:
   * while the line is down nothing, and once it is back what is looked at then.
   */
  look(conversation, sight) {
    const mark = this.desk.readMark(conversation, sight);
    if (!mark || !this.socket.send({ read: mark })) return;
    this.desk.marked(conversation);
    this.#save();
  }

  /** Sends a refused reply once more, as a new command: the old one was answered. */
  again(pending) {
    this.desk.discard(pending.commandId);
    this.#write(pending.conversation, pending.raw, pending.address, pending.replyTo);
    this.#changed();
  }

  discard(pending) {
    this.desk.discard(pending.commandId);
    this.#changed();
  }

  close(conversation, { wrapUpCode, note, finish }) {
    this.#command({ close: { conversation, wrapUpCode, note } });
    if (finish) this.finish(conversation);
  }

  finish(conversation) { this.#command({ finishWrapUp: { conversation } }); }

  /** To an agent, a queue or skills, perhaps with a note: `{agent}`, `{queue}` or `{skills}`, and `note`. */
  transfer(conversation, to) { this.#command({ transfer: { conversation, ...to } }); }

  /** Asks a colleague for advice; whom is said as for a transfer. */
  consult(conversation, to) { this.#command({ consult: { conversation, ...to } }); }

  /** Ends it, perhaps with advice. */
  endConsult(conversation, note = "") { this.#command({ endConsult: { conversation, note } }); }

  /** A supervisor's: `to` as for a transfer. */
  assign(conversation, to) { this.#command({ assign: { conversation, ...to } }); }

  pull(conversation) { this.#command({ pull: { conversation } }); }

  join(conversation) { this.#command({ join: { conversation } }); }

  leave(conversation) { this.#command({ leave: { conversation } }); }

  prioritize(conversation, priority) { this.#command({ prioritize: { conversation, priority } }); }

  setAgentPresence(agent, presence) { this.#command({ setAgentPresence: { agent, presence: onWire(presence) } }); }

  /** Has the board told from now on, over every break, or no more. */
  watchBoard(on) {
    this.#watching = on;
    this.socket.send({ watchBoard: { on } });
    if (!on) this.desk.board = null;
  }

  release(conversation) { this.#command({ release: { conversation } }); }

  select(id) {
    this.desk.select(id);
    this.#save();
    this.#changed();
  }

  loadEarlier(conversation) {
    const { transcript } = conversation;
    if (!transcript.more || this.#asked.has(conversation.id)) return;
    this.#ask(conversation.id, transcript.oldest ?? 0);
  }

  loading(conversation) { return this.#asked.has(conversation.id); }

  signOut() {
    this.setPresence("offline");
    this.socket.end("");
    this.#options.storage.removeItem("desk");
  }

  #answer(offer, action) {
    if (offer.answered) return;
    offer.answered = true;
    this.#command(action);
  }

  #command(action, { quiet = false } = {}) {
    const commandId = this.#options.uuid();
    const command = { commandId, ...action };
    this.#commands.push(command);
    this.#save();
    this.#send(command);
    if (!quiet) this.#changed();
    return commandId;
  }

  #send({ at: _, ...command }) {
    if (this.socket.send({ command })) this.#await();
  }

  /** The oldest unanswered command is waited for; silence means the line is dead. */
  #await() {
    const { timers } = this.#options;
    if (this.#resultTimer === null) this.#resultTimer = timers.setTimeout(() => this.socket.renew(), RESULT_WITHIN_MS);
  }

  #heard(response) {
    const [kind, body] = frameOf(response);
    const now = this.#options.now();
    let happened = [];
    if (kind === "welcome") this.#welcome(body);
    else if (kind === "state") this.#state(body, now);
    else if (kind === "event") happened = this.desk.applyEvent(body, now);
    else if (kind === "history") this.#history(body);
    else if (kind === "result") happened = this.#result(body);
    else if (kind === "error") happened = this.#error(body);
    else if (kind === "channelOffer") happened = [{ what: "offer_made", offer: body }];
    else if (kind === "contact") this.#contact(body);
    else if (kind === "queues") this.desk.applyQueues(body, now);
    else if (kind === "board") this.desk.applyBoard(body, now);
    if (kind === null || kind === "pong") return;
    this.#fetchHistories();
    const watched = this.desk.selected && (globalThis.document?.visibilityState ?? "visible") === "visible";
    if (watched) this.desk.read(this.desk.selected);
    this.#save();
    this.#changed(happened);
  }

  #welcome({ agent, resumed = false }) {
    if (agent) this.desk.profile = agent;
    // Unless the server resumes, a full state follows and histories are asked for anew.
    this.#asked.clear();
    if (resumed) this.#fetchHistories();
    for (const command of this.#commands) this.#send(command);
    if (this.#watching) this.socket.send({ watchBoard: { on: true } });
  }

  #state(state, now) {
    this.#asked.clear();
    this.desk.applyState(state, now);
    if (this.desk.selected === null && this.#wished) this.desk.select(this.#wished);
    this.#wished = null;
  }

  #history(history) {
    const past = this.#past.get(history.conversation);
    if (past && !this.desk.find(history.conversation)) {
      this.#past.delete(history.conversation);
      past(history);
      return;
    }
    this.#asked.delete(history.conversation);
    this.desk.applyHistory(history);
  }

  #contact(view) {
    this.#met.delete(view.contact?.id);
    this.desk.applyContact(view);
  }

  #result(result) {
    this.#commands = this.#commands.filter((command) => command.commandId !== result.commandId);
    const { timers } = this.#options;
    timers.clearTimeout(this.#resultTimer);
    this.#resultTimer = null;
    if (this.#commands.length > 0) this.#await();
    if (!result.accepted) for (const offer of this.desk.offers.values()) offer.answered = false;
    return this.desk.applyResult(result);
  }

  #error({ code, message, fatal = false }) {
    if (fatal) this.socket.end(message || code);
    return [{ what: "error", reason: message || code || "The server reported an error." }];
  }

  #fetchHistories() {
    for (const conversation of this.desk.withoutHistory()) if (!this.#asked.has(conversation.id)) this.#ask(conversation.id, 0);
  }

  #ask(conversation, before) {
    if (this.socket.send({ loadHistory: { conversation, before: String(before), limit: HISTORY_PAGE } })) this.#asked.add(conversation);
  }

  #line(state) {
    const { timers } = this.#options;
    if (state.name !== "ready") {
      timers.clearTimeout(this.#resultTimer);
      this.#resultTimer = null;
      this.#asked.clear();
      this.#met.clear();
      this.#past.clear();
    }
    if (state.name === "ended") this.#options.onEnd(state);
    else this.#changed();
  }

  #changed(happened = []) { this.#options.onChange(happened); }

  #load() {
    try {
      const kept = JSON.parse(this.#options.storage.getItem("desk") ?? "{}");
      if (kept.who === this.#who()) return { readSeq: kept.readSeq ?? {}, markedSeq: kept.markedSeq ?? {}, commands: kept.commands ?? [], selected: kept.selected ?? null };
    } catch {
      // Nothing useful was kept.
    }
    return { readSeq: {}, markedSeq: {}, commands: [], selected: null };
  }

  #save() {
    const { readSeq, markedSeq, selected } = this.desk;
    const kept = { who: this.#who(), readSeq: Object.fromEntries(readSeq), markedSeq: Object.fromEntries(markedSeq), commands: this.#commands, selected: selected ?? this.#wished };
    try {
      this.#options.storage.setItem("desk", JSON.stringify(kept));
    } catch {
      // A full storage costs what survives a page load, not the session.
    }
  }

  #who() { return `${this.#options.agent?.tenant ?? ""}/${this.#options.agent?.name ?? ""}`; }
}

const onWire = (presence) => `PRESENCE_${presence.toUpperCase()}`;
