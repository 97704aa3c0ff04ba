/**
 * One conversation's history, folded from its events. Live events, replays after a reconnect and pages of history may
 * overlap and come in any order: each event counts once, and the order on screen is that of the stream. Pure.
 */

import { moment } from "./format.js";
import { describe, inWords, name, number, payloadOf, time } from "./wire.js";

/** How far a message is known to have come; a later fact never takes it back. */
const RANK = { queued: 0, deferred: 1, in_doubt: 2, sent: 3, failed: 4, refused: 4, delivered: 5, read: 6 };

const DELIVERY = {
  "message.sent": "sent", "message.delivered": "delivered", "message.read": "read", "message.failed": "failed",
  "message.in_doubt": "in_doubt", "message.deferred": "deferred", "message.refused": "refused",
};

/** What is no saying of its own, and so nothing to answer. */
const ABOUT = ["reaction", "edit", "deletion", "callSignal"];

/** What agents and customers do beside messages: it changes nothing of how a customer can be answered. */
const SHOWN = ["agent.typing", "customer.typing", "agent.read"];

export class Transcript {
  #ids = new Set();
  #messages = new Map();
  /** Ids that providers know messages by, and the messages' own. */
  #provided = new Map();
  #deliveries = new Map();
  /** Messages that another one stands in for, and the other way round. */
  #detours = new Map();
  /** Sequences of the events the verdict and the queue were taken from. */
  #verdictAt = -1;
  #queueAt = -1;

  constructor() {
    /** Messages and notices, ascending by `seq`. */
    this.items = [];
    /** The oldest sequence folded in; where the next page of history ends. */
    this.oldest = null;
    /** The newest page of history has come, so that nothing between the past and now is missing. */
    this.loaded = false;
    this.more = true;
    /** Channels that messages came and went by. */
    this.channels = new Set();
    /** The newest event of any kind, also of those that are not shown. */
    this.told = 0;
    this.verdict = null;
    this.address = null;
    this.region = null;
    this.queue = "";
    /** What those who handed it on said: `{from, note, context, at}`, in order. */
    this.handovers = [];
  }

  /** Takes one event; false if it has been taken before. */
  fold({ sequence, event }) {
    if (!event?.id || this.#ids.has(event.id)) return false;
    this.#ids.add(event.id);
    const seq = number(sequence);
    if (this.oldest === null || seq < this.oldest) this.oldest = seq;
    if (!SHOWN.includes(event.type)) this.told = Math.max(this.told, seq);
    const payload = payloadOf(event);
    if (event.type in DELIVERY) this.#deliver(event, payload, seq);
    else if (event.type === "message.rerouted") this.#reroute(event, payload);
    else if (payload.message) this.#message(event, payload, seq);
    else this.#notice(event, payload, seq);
    this.#judge(payload.verdict, seq);
    return true;
  }

  /** A page of history, oldest first. */
  history({ events = [], more = false }) {
    for (const entry of events) this.fold(entry);
    this.loaded = true;
    this.more = more && events.length > 0;
  }

  /** How the message fares: `{state, reason}`; also `instead` and `standsFor` when another channel was tried. */
  delivery(messageId) {
    return { ...(this.#deliveries.get(messageId) ?? { state: "queued", reason: "" }), ...this.#detours.get(messageId) };
  }

  /** Messages of the customer behind `seq`, and behind the last answer: who answers has read. */
  unread(seq) {
    const answered = this.items.findLast((item) => item.kind === "message" && item.sender.kind === "agent")?.seq ?? 0;
    return this.items.filter((item) => item.kind === "message" && item.inbound && item.seq > Math.max(seq, answered)).length;
  }

  get lastSeq() {
    return this.items.at(-1)?.seq ?? 0;
  }

  /** The newest message, for the list of conversations. */
  get lastMessage() {
    return this.items.findLast((item) => item.kind === "message") ?? null;
  }

  /** The customer's newest message. */
  get lastHeard() {
    return this.items.findLast((item) => item.kind === "message" && item.inbound) ?? null;
  }

  /** The message that one of here quotes, or null where it is not known. */
  quoted({ replyTo, channel, account }) {
    if (!replyTo) return null;
    return this.#messages.get(replyTo.messageId) ?? this.#messages.get(this.#provided.get(provided(channel, account, replyTo.providerMessageId))) ?? null;
  }

  #message(event, { message, deliveryId = "" }, seq) {
    if (this.#messages.has(message.id)) return;
    const inbound = event.type === "message.received";
    const sender = message.sender ?? {};
    if (inbound && message.address) this.address = message.address;
    const channel = message.address?.channel || event.channel || "";
    if (channel && channel !== "none") this.channels.add(channel);
    const account = message.address?.account || event.account || "";
    this.#provide(message.id, channel, account, message);
    const item = {
      kind: "message", key: message.id, id: message.id, seq, at: time(event.time) ?? time(message.time), inbound,
      sender: { kind: name(sender.kind, "SENDER_KIND_"), id: sender.id ?? "", name: sender.displayName || sender.id || "" },
      content: describe(message.content), channel, account, providerMessageId: message.providerMessageId ?? "", deliveryId,
      replyTo: message.replyTo ?? null, answerable: inbound && !ABOUT.some((kind) => message.content?.[kind]),
    };
    this.#messages.set(message.id, item);
    this.#insert(item);
  }

  #provide(messageId, channel, account, { providerMessageId, providerPartIds = [] }) {
    for (const id of [providerMessageId, ...providerPartIds]) if (id) this.#provided.set(provided(channel, account, id), messageId);
  }

  #deliver(event, payload, seq) {
    const state = DELIVERY[event.type];
    this.#provide(payload.messageId, event.channel, event.account, payload);
    const before = this.#deliveries.get(payload.messageId);
    if (before && (RANK[before.state] > RANK[state] || (RANK[before.state] === RANK[state] && before.seq > seq))) return;
    const { error, verdict, attempt, transcoding = [] } = payload;
    // The first rule that fired decided; the others are for whoever unfolds the verdict.
    const reason = [error?.text, error?.code && `code ${error.code}`, inWords(verdict?.fired?.slice(0, 1)), inWords(event.reasons)].filter(Boolean).join("; ");
    this.#deliveries.set(payload.messageId, {
      state, reason, attempt: attempt ?? 0, seq, until: time(payload.until ?? verdict?.until), parts: payload.parts ?? 0,
      template: inWords(transcoding.filter(isTemplate)), changed: inWords(transcoding.filter((one) => !isTemplate(one))),
    });
  }

  #reroute(event, { messageId, newMessageId, fromChannel, to, trigger = "", rule = "" }) {
    const by = to?.channel || event.channel || "";
    this.#detours.set(messageId, { ...this.#detours.get(messageId), instead: { by, trigger, rule, reason: inWords(event.reasons), message: newMessageId } });
    this.#detours.set(newMessageId, { ...this.#detours.get(newMessageId), standsFor: { by: fromChannel ?? "", message: messageId } });
  }

  #notice(event, payload, seq) {
    if (event.type === "conversation.opened") {
      this.address ??= payload.address ?? null;
      this.region ??= payload.region ?? null;
    }
    if (payload.queue && seq > this.#queueAt) [this.queue, this.#queueAt] = [payload.queue, seq];
    if (event.type === "conversation.transferred" && (payload.note || payload.context)) {
      this.handovers = [...this.handovers, { from: payload.fromAgent ?? "", note: payload.note ?? "", context: payload.context ?? null, at: time(event.time) }];
    }
    if (event.told?.content) this.#insert({ kind: "notice", key: `${event.id} told`, seq, at: time(event.time), text: `Customer was told: ${describe(event.told.content).text}` });
    const text = NOTICES[event.type]?.(payload, event);
    if (text) this.#insert({ kind: "notice", key: event.id, seq, at: time(event.time), text });
  }

  #judge(verdict, seq) {
    if (!verdict || seq <= this.#verdictAt) return;
    this.#verdictAt = seq;
    this.verdict = verdict;
    this.region = verdict.region ?? this.region;
  }

  #insert(item) {
    let at = this.items.length;
    while (at > 0 && this.items[at - 1].seq > item.seq) at -= 1;
    this.items.splice(at, 0, item);
  }
}

/** Providers' ids mean something on their own account alone. */
const provided = (channel = "", account = "", id = "") => JSON.stringify([channel, account, id]);

const isTemplate = ({ code }) => code === "window.template";

/** Skills as people say them. */
export function skillWords(skills = []) {
  const one = ({ name: skill, level, any, all, none }) => {
    if (any?.length) return `(${any.map(one).join(" or ")})`;
    if (all?.length) return `(${all.map(one).join(" and ")})`;
    if (none) return `not ${one(none)}`;
    return `${skill ?? ""}${level > 1 ? ` from level ${level}` : ""}`;
  };
  return skills.map(one).join(", ");
}

const because = (event) => (event.reasons?.length ? ` (${inWords(event.reasons)})` : "");

const JOINED = {
  verified_phone: "the same verified phone number", verified_email: "the same verified e-mail address", link_code: "the customer sent the code", asserted: "somebody vouched for it",
  address_change: "the channel says that the address changed",
};
const where = (address) => [address?.channel, address?.displayName || address?.userId].filter(Boolean).join(" · ") || "An address";

const NOTICES = {
  "conversation.opened": (_, event) => `Conversation opened${because(event)}`,
  "conversation.queued": ({ queue, noAgentOnline }, event) => `Waiting in queue ${queue || "default"}${noAgentOnline ? "; nobody is online" : ""}${because(event)}`,
  "conversation.assigned": ({ agent }, event) => `Assigned to ${agent}${because(event)}`,
  "conversation.requeued": ({ agent, queue }, event) => `Back to queue ${queue || "default"}${agent ? ` from ${agent}` : ""}${because(event)}`,
  "conversation.transferred": ({ fromAgent, toAgent, toQueue, toSkills, note }) => `Transferred${fromAgent ? ` by ${fromAgent}` : ""} to ${toAgent || (toQueue ? `queue ${toQueue}` : skillWords(toSkills))}${note ? `: ${note}` : ""}`,
  "conversation.relaxed": ({ step, skills, ring }) => `Waited long, so less is asked (step ${step ?? 0})${skills?.length ? `: ${skillWords(skills)}` : ""}${ring ? `, agents up to ring ${ring}` : ""}`,
  "conversation.overflowed": ({ fromQueue, place }) => `Went on from queue ${fromQueue} to queue ${place?.queue ?? ""}`,
  "conversation.wait_timed_out": ({ queue }) => `Waited in queue ${queue} as long as it lets anybody wait`,
  "conversation.prioritized": ({ agent, priority }) => `${agent} gave it priority ${priority ?? 0}`,
  "callback.scheduled": ({ callback }) => `The customer wants to be called back${callback?.address ? ` at ${where(callback.address)}` : ""}${callback?.notBefore ? `, not before ${moment(time(callback.notBefore))}` : ""}`,
  "callback.cancelled": () => "The customer would rather wait than be called back",
  "consult.started": ({ agent, by }) => `${agent} advises ${by}`,
  "consult.ended": ({ agent, note }) => (note ? `${agent} advises: ${note}` : `${agent} does not advise any more`),
  "supervisor.joined": ({ agent }) => `${agent} takes part as a supervisor`,
  "supervisor.left": ({ agent }) => `${agent} takes part no more`,
  "conversation.wrap_up": ({ agent }) => `Closed for the customer; ${agent || "the agent"} is wrapping up`,
  "conversation.closed": ({ wrapUpCode, note }) => `Conversation closed${wrapUpCode ? `: ${wrapUpCode.replaceAll("_", " ")}` : ""}${note ? `. ${note}` : ""}`,
  "reservation.rejected": ({ agent, reason }) => `${agent} declined${reason ? `: ${reason}` : ""}`,
  "reservation.timed_out": ({ agent }) => `${agent} did not answer in time`,
  "consent.changed": ({ channel, purpose, granted }) => `Consent for ${purpose || "everything"} on ${channel || "every channel"} ${granted ? "given" : "withdrawn"}`,
  "contact.joined": ({ address, by, actor }) => `${where(address)} is the same customer: ${JOINED[by] ?? by}${actor ? `, says ${actor}` : ""}`,
  "contact.split": ({ address, actor }) => `${where(address)} is a customer of its own now${actor ? `, says ${actor}` : ""}`,
};
