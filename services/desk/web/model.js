/**
 * What the desk knows: presence, offers, conversations, and the agent's own words on their way. Fed with frames,
 * asked by the views. Pure: no clock, network, storage or DOM. Whatever comes twice counts once.
 */

import { sameAddress } from "./answering.js";
import { boardOf, callbackOf, queueOf } from "./pool.js";
import { Transcript } from "./transcript.js";
import { describe, inWords, name, number, payloadOf, referenceTo, time } from "./wire.js";

/** How long a customer's typing is believed without news. */
const TYPING_MS = 8_000;
/** What a reservation is for, but for ordinary work. */
const CONSULT = "RESERVATION_PURPOSE_CONSULT";
const CALLBACK = "RESERVATION_PURPOSE_CALLBACK";
/** Closed conversations that stay at hand. */
const CLOSED_KEPT = 10;

export class Desk {
  #typing = new Map();

  constructor({ readSeq = {}, markedSeq = {} } = {}) {
    this.profile = null;
    this.presence = "offline";
    /** The presence asked for once the work in hand is done, or null. */
    this.whenDone = null;
    /** Everybody and everything, while it is watched. */
    this.board = null;
    /** The last event seen; where a reconnect resumes. */
    this.sequence = 0;
    /** Events up to here are contained in the last full state. */
    this.baseline = 0;
    this.conversations = new Map();
    this.offers = new Map();
    this.queues = [];
    this.selected = null;
    /** Contacts that were asked for: id → `{contact, conversations}`. */
    this.contacts = new Map();
    /** conversation → the sequence up to which the agent has read it. */
    this.readSeq = new Map(Object.entries(readSeq));
    /** conversation → the sequence up to which the customer was told that it was read. */
    this.markedSeq = new Map(Object.entries(markedSeq));
    /** Own replies without a place in the conversation: `{commandId, conversation, content, replyTo, at, state, reason, placed}`. */
    this.pending = [];
  }

  get me() {
    return this.profile?.name ?? "";
  }

  /** Conversations to work on, the longest held first, then those just closed. */
  list() {
    const all = [...this.conversations.values()];
    return { open: all.filter((one) => one.state !== "closed"), closed: all.filter((one) => one.state === "closed") };
  }

  current() {
    return this.conversations.get(this.selected) ?? null;
  }

  get isSupervisor() {
    return (this.profile?.roles ?? []).includes("supervisor");
  }

  /** Queues to show: the agent's own first. */
  ownQueues() {
    const own = this.profile?.queues ?? [];
    return this.isSupervisor || own.length === 0 ? this.queues : this.queues.filter((queue) => own.includes(queue.name));
  }

  unread(conversation) {
    return conversation.transcript.unread(number(this.readSeq.get(conversation.id)));
  }

  /** The customer of this conversation is writing. */
  typing(conversation, now) {
    return (this.#typing.get(conversation.id) ?? 0) > now;
  }

  /** Conversations whose history has not been asked for since the last full state. */
  withoutHistory() {
    const offered = [...this.offers.values()].map((offer) => offer.conversation);
    return [...this.conversations.values(), ...offered].filter((one) => !one.transcript.loaded);
  }

  find(id) {
    return this.conversations.get(id) ?? [...this.offers.values()].find((offer) => offer.conversation.id === id)?.conversation ?? null;
  }

  /** A full state: replaces everything but what the agent has read and what is on its way. */
  applyState(state, now) {
    this.sequence = Math.max(this.sequence, number(state.sequence));
    this.baseline = number(state.sequence);
    this.presence = name(state.presence, "PRESENCE_");
    this.whenDone = state.whenDone ? name(state.whenDone, "PRESENCE_") : null;
    this.applyQueues(state, now);
    const closed = this.list().closed;
    const part = (views, what) => (views ?? []).map((view) => [view.id, conversationOf(view, what)]);
    this.conversations = new Map([...part(state.conversations, "answers"), ...part(state.consults, "advises"), ...part(state.joined, "joined")]);
    for (const one of closed) if (!this.conversations.has(one.id)) this.conversations.set(one.id, one);
    this.offers = new Map();
    for (const { reservation, conversation } of state.reservations ?? []) {
      this.#offer(reservation, conversationOf(conversation ?? {}), now, now);
    }
    this.#typing.clear();
    if (!this.conversations.has(this.selected)) this.selected = null;
  }

  /** The queues as they are now. */
  applyQueues({ queues = [] }, now) {
    this.queues = queues.map((view) => queueOf(view, now));
  }

  /** Everybody and everything, for supervisors. */
  applyBoard(pool, now) {
    this.board = boardOf(pool, now);
  }

  /** One event of the stream. Returns what deserves a word to the agent, as `{what, …}`. */
  applyEvent(entry, now) {
    const { event } = entry;
    if (!event) return [];
    const seq = number(entry.sequence);
    this.sequence = Math.max(this.sequence, seq);
    const happened = seq > this.baseline ? this.#live(event, now) : [];
    const conversation = this.find(event.conversation);
    const fresh = conversation?.transcript.fold(entry) ?? false;
    if (conversation && fresh) this.#folded(conversation, event, seq, now, happened);
    if (event.type.startsWith("contact.")) this.#identity(entry);
    return happened;
  }

  /** Who a contact is. */
  applyContact({ contact, conversations }) {
    if (contact?.id) this.contacts.set(contact.id, { contact: { ...contact, addresses: contact.addresses ?? [] }, conversations: conversations ?? [] });
  }

  applyHistory(history) {
    const conversation = this.find(history.conversation);
    if (!conversation) return;
    conversation.transcript.history(history);
    complete(conversation);
    // A reply whose acceptance we only learn from the history is no longer on its way.
    for (const { event } of history.events ?? []) this.#arrived(event);
    if (this.selected === conversation.id) this.read(conversation.id);
  }

  /** The answer to a command. Returns what deserves a word. */
  applyResult({ commandId, accepted = false, reasons }) {
    const reply = this.pending.find((one) => one.commandId === commandId);
    if (accepted) {
      if (reply?.placed) this.discard(commandId);
      else if (reply) this.#change(commandId, { state: "accepted" });
      return [];
    }
    if (reply) this.#change(commandId, { state: "failed", reason: inWords(reasons), placed: false });
    return [{ what: "refused", commandId, reply: Boolean(reply), reason: inWords(reasons) || "The server gave no reason." }];
  }

  /** The agent wrote something. */
  write({ commandId, conversation, content, address = null, replyTo = null, at }) {
    this.pending = [...this.pending, { commandId, conversation, content: describe(content), raw: content, address, replyTo, at, state: "sending", reason: "", placed: false }];
  }

  /** The agent gives up a reply that was refused. */
  discard(commandId) {
    this.pending = this.pending.filter((one) => one.commandId !== commandId);
  }

  pendingIn(conversation) {
    return this.pending.filter((one) => one.conversation === conversation && !one.placed);
  }

  select(id) {
    this.selected = this.conversations.has(id) ? id : null;
    if (this.selected) this.read(this.selected);
  }

  /** The agent has the end of this conversation before their eyes. */
  read(id) {
    const conversation = this.conversations.get(id);
    if (!conversation) return;
    this.readSeq.set(id, Math.max(number(this.readSeq.get(id)), conversation.transcript.lastSeq));
  }

  /**
   * What the customer is to be told as read, as the body of a frame: their newest message, once, when who answers them sees
   * the end of the conversation in a window they look at; null when there is nothing to tell.
   */
  readMark(id, { visible, focused, atEnd }) {
    const conversation = this.conversations.get(id);
    if (!visible || !focused || !atEnd || !conversation || !mayWrite(conversation)) return null;
    const newest = conversation.transcript.lastHeard;
    if (!newest || newest.seq <= number(this.markedSeq.get(id))) return null;
    return { conversation: id, upTo: referenceTo(newest), channel: newest.channel, account: newest.account };
  }

  /** The customer was told so of all that they have said. */
  marked(id) {
    this.markedSeq.set(id, this.conversations.get(id)?.transcript.lastHeard?.seq ?? 0);
  }

  #live(event, now) {
    const payload = payloadOf(event);
    const conversation = this.conversations.get(event.conversation);
    const mine = payload.agent === this.me && this.me !== "";
    switch (event.type) {
      case "reservation.created":
        if (!mine && conversation && payload.purpose === CONSULT) conversation.consult = { agent: payload.agent, by: payload.consult?.by ?? "", note: payload.consult?.note ?? "", ringing: true };
        if (!mine || this.offers.has(payload.reservationId)) return [];
        return [{ what: "offer", offer: this.#offer(payload, conversationOf({ id: event.conversation, contact: event.contact, queue: payload.queue, state: "reserved" }), now, time(event.time) ?? now) }];
      case "consult.started":
        return this.#consult(event, payload, mine);
      case "consult.ended":
        if (mine && conversation?.part === "advises") return this.#leave(event.conversation, "Your advice is not needed any more", "advises");
        if (conversation) conversation.consult = null;
        return [];
      case "supervisor.joined":
        return this.#join(event, payload, mine);
      case "supervisor.left":
        if (mine && conversation?.part === "joined") return this.#leave(event.conversation, "You left the conversation", "joined");
        if (conversation) conversation.joined = conversation.joined.filter((one) => one !== payload.agent);
        return [];
      case "conversation.prioritized":
        if (conversation) conversation.priority = payload.priority ?? 0;
        return [];
      case "callback.scheduled":
        if (conversation) conversation.callback = callbackOf(payload.callback ?? {});
        return [];
      case "callback.cancelled":
        if (conversation) conversation.callback = null;
        return [];
      case "reservation.accepted":
      case "reservation.rejected":
      case "reservation.timed_out":
      case "reservation.rescinded":
        return this.#endOffer(event.type, payload, mine, event.conversation);
      case "conversation.assigned":
        if (!mine) return this.#leave(event.conversation, `Assigned to ${payload.agent}`, "answers", payload.agent);
        return this.#assign(event, payload);
      case "conversation.requeued":
        return this.#leave(event.conversation, inWords(event.reasons) || "It went back to its queue");
      case "conversation.transferred":
        return payload.toAgent === this.me ? [] : this.#leave(event.conversation, null);
      case "conversation.wrap_up":
        if (conversation) Object.assign(conversation, { state: "wrap_up", until: time(payload.until) });
        return [];
      case "conversation.closed":
        if (conversation) this.#close(conversation);
        return [];
      case "agent.presence_changed": {
        if (!mine) return [];
        const before = this.presence;
        this.presence = name(payload.to, "PRESENCE_");
        if (this.presence !== "away") this.whenDone = null;
        return before === this.presence ? [] : [{ what: "presence", presence: this.presence, reason: inWords(event.reasons) }];
      }
      case "command.refused":
        return mine || this.pending.some((one) => one.commandId === payload.commandId)
          ? this.applyResult({ commandId: payload.commandId, reasons: event.reasons }) : [];
      default:
        return [];
    }
  }

  #folded(conversation, event, seq, now, happened) {
    complete(conversation);
    if (seq > this.baseline) passWindow(conversation, event);
    if (event.type === "customer.typing") this.#typing.set(conversation.id, payloadOf(event).on && seq > this.baseline ? now + TYPING_MS : 0);
    if (event.type === "message.received") {
      this.#typing.delete(conversation.id);
      happened.push({ what: "message", conversation });
    }
    this.#arrived(event);
  }

  /** A reply got its place: the copy that was on its way goes. */
  #arrived(event) {
    if (event?.type !== "message.accepted") return;
    const { message } = payloadOf(event);
    const byCause = this.pending.find((one) => one.commandId === event.cause);
    if (byCause) return this.discard(byCause.commandId);
    const { text } = describe(message.content);
    const alike = this.pending.filter((one) => one.conversation === event.conversation && one.content.text === text);
    const answered = alike.find((one) => one.state === "accepted");
    if (answered) this.discard(answered.commandId);
    // Before the answer we cannot be sure that it is ours: no longer shown, but kept until we are.
    const open = alike.find((one) => one.state === "sending" && !one.placed);
    if (!answered && open) this.#change(open.commandId, { placed: true });
    return undefined;
  }

  /** An address joined a contact, or left it: the transcripts of both say so, and what is known of them is asked anew. */
  #identity(entry) {
    const { event } = entry;
    const { previousContact, newContact } = payloadOf(event);
    const meant = [event.contact, previousContact, newContact].filter(Boolean);
    for (const id of meant) this.contacts.delete(id);
    for (const conversation of this.conversations.values()) {
      if (!meant.includes(conversation.contact)) continue;
      conversation.transcript.fold(entry);
      if (conversation.contact === previousContact && event.contact) conversation.contact = event.contact;
    }
  }

  #offer(reservation, conversation, now, since) {
    const known = this.conversations.get(conversation.id);
    const expiresAt = time(reservation.expiresAt);
    const offer = {
      id: reservation.reservationId, queue: reservation.queue || conversation.queue, expiresAt,
      // The whole of the ring; at least what is left of it now.
      totalMs: expiresAt === null ? 0 : Math.max(expiresAt - since, expiresAt - now, 1),
      purpose: { [CONSULT]: "consult", [CALLBACK]: "callback" }[reservation.purpose] ?? "work",
      by: reservation.consult?.by ?? "", note: reservation.consult?.note ?? "",
      callback: reservation.callback ? callbackOf(reservation.callback) : null,
      conversation: known ?? conversation, answered: false,
    };
    if (offer.callback) offer.conversation.callback = offer.callback;
    this.offers.set(offer.id, offer);
    return offer;
  }

  #endOffer(type, payload, mine, conversationId) {
    const offer = this.offers.get(payload.reservationId);
    if (!offer) return [];
    this.offers.delete(offer.id);
    // What was taken to advise on is not the agent's to answer; who asked stays.
    if (type === "reservation.accepted" && mine && offer.purpose !== "consult") this.#hold(offer.conversation, "reserved", "answers");
    if (type === "reservation.timed_out") return [{ what: "rang_out", conversation: conversationId }];
    return type === "reservation.rescinded" ? [{ what: "rescinded", conversation: conversationId }] : [];
  }

  #assign(event, payload) {
    const known = this.find(event.conversation);
    const conversation = known ?? conversationOf({ id: event.conversation, contact: event.contact });
    for (const [id, offer] of this.offers) if (offer.conversation.id === conversation.id) this.offers.delete(id);
    const before = known?.part === "answers" ? known.state : "";
    this.#hold(conversation, "assigned", "answers");
    Object.assign(conversation, { agent: payload.agent, queue: payload.queue || conversation.queue });
    return before === "assigned" ? [] : [{ what: "assigned", conversation }];
  }

  /** A colleague advises: this agent, or one whom this agent asked. */
  #consult(event, payload, mine) {
    const known = this.find(event.conversation);
    if (!mine) {
      if (known) known.consult = { agent: payload.agent ?? "", by: payload.by ?? "", note: known.consult?.note ?? "", ringing: false };
      return [];
    }
    const conversation = known ?? conversationOf({ id: event.conversation, contact: event.contact, state: "assigned" });
    const before = this.conversations.get(conversation.id)?.part;
    for (const [id, offer] of this.offers) {
      if (offer.conversation.id !== conversation.id) continue;
      conversation.consult = { agent: this.me, by: offer.by, note: offer.note, ringing: false };
      this.offers.delete(id);
    }
    this.#hold(conversation, "assigned", "advises");
    conversation.consult = { note: "", ringing: false, ...conversation.consult, agent: this.me, by: payload.by ?? "" };
    conversation.agent = payload.by ?? conversation.agent;
    return before === "advises" ? [] : [{ what: "assigned", conversation }];
  }

  #join(event, payload, mine) {
    const known = this.find(event.conversation);
    if (!mine) {
      if (known && !known.joined.includes(payload.agent)) known.joined.push(payload.agent);
      return [];
    }
    const conversation = known ?? conversationOf({ id: event.conversation, contact: event.contact, state: "assigned" });
    const before = this.conversations.get(conversation.id)?.part;
    this.#hold(conversation, "assigned", "joined");
    return before === "joined" ? [] : [{ what: "assigned", conversation }];
  }

  #hold(conversation, state, part) {
    Object.assign(conversation, { state, part });
    this.conversations.set(conversation.id, conversation);
  }

  /** It is not this agent's any more; one that is theirs in another part stays, with whoever has it now. */
  #leave(id, why, part = "answers", agent = "") {
    const conversation = this.conversations.get(id);
    if (!conversation || conversation.state === "closed") return [];
    if (conversation.part !== part) {
      if (agent) conversation.agent = agent;
      return [];
    }
    this.conversations.delete(id);
    if (this.selected === id) this.selected = null;
    return why === null ? [] : [{ what: "left", conversation, reason: why }];
  }

  #close(conversation) {
    conversation.state = "closed";
    const { closed } = this.list();
    for (const old of closed.slice(0, Math.max(0, closed.length - CLOSED_KEPT))) {
      if (old.id !== this.selected) this.conversations.delete(old.id);
    }
  }

  #change(commandId, changes) {
    this.pending = this.pending.map((one) => (one.commandId === commandId ? { ...one, ...changes } : one));
  }
}

/** `part` is what it is to the agent: `answers`, `advises` or `joined`. */
function conversationOf(view, part = "answers") {
  const { consult } = view;
  return {
    id: view.id ?? "", contact: view.contact ?? "", state: view.state || "assigned", queue: view.queue ?? "", agent: view.agent ?? "",
    address: view.address ?? null, region: view.region ?? null, verdict: view.verdict ?? null, window: view.window ?? null,
    part, priority: view.priority ?? 0, language: view.language ?? "", joined: [...(view.joined ?? [])],
    callback: view.callback ? callbackOf(view.callback) : null,
    consult: consult ? { agent: consult.agent ?? "", by: consult.by ?? "", note: consult.note ?? "", ringing: Boolean(consult.reservationId) } : null,
    handovers: (view.handovers ?? []).map((one) => ({ from: one.fromAgent ?? "", note: one.note ?? "", context: one.context ?? null, at: time(one.at) })),
    until: null, reach: null, transcript: new Transcript(),
  };
}

/** What those who had the conversation before said when handing it on. */
export function handoversOf({ handovers, transcript }) {
  const seen = new Set(transcript.handovers.map((one) => one.at));
  return [...handovers.filter((one) => !seen.has(one.at)), ...transcript.handovers].sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
}

/** Whether the agent may write to the customer, as far as the conversation goes. */
export function mayWrite({ state, part }) {
  return ["assigned", "open"].includes(state) && part !== "advises";
}

/**
 * The messaging window, as far as events tell: what the customer says opens one of the same length anew, what is sent uses
 * it up. The server knows better and is asked.
 */
function passWindow(conversation, event) {
  const { window } = conversation;
  if (!window) return;
  if (event.type === "message.received") {
    const [opened, expires, at] = [time(window.openedAt), time(window.expiresAt), time(event.time)];
    if (opened === null || expires === null || at === null || at <= opened) return;
    conversation.window = { ...window, openedAt: new Date(at).toISOString(), expiresAt: new Date(at + expires - opened).toISOString() };
  } else if (event.type === "message.sent" && window.remaining > 0) conversation.window = { ...window, remaining: window.remaining - 1 };
}

/** Takes over what the events say and the state did not. */
function complete(conversation) {
  const { transcript } = conversation;
  conversation.address = transcript.address ?? conversation.address;
  conversation.region = transcript.region ?? conversation.region;
  conversation.verdict = transcript.verdict ?? conversation.verdict;
  conversation.queue ||= transcript.queue;
}

/** The window that counts for an address of the conversation's customer; the one they last wrote from if none is named. */
export function windowOf(conversation, address = null) {
  const ways = conversation.reach?.addresses ?? [];
  const [way] = address ? ways.filter((one) => sameAddress(one, address)) : ways;
  return way ? way.window ?? null : address ? null : conversation.window;
}

/** What to call the customer of a conversation. */
export function customerOf({ address, contact }) {
  return address?.displayName || address?.phone || address?.email || address?.userId || contact || "Customer";
}
