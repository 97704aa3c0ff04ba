/** Presence, queues, offers and the list of conversations. */

import { countdown } from "./answering.js";
import { clear, h, reconcile, ring, setText } from "./dom.js";
import { clockTime, moment, span } from "./format.js";
import { channelName } from "./messages.js";
import { customerOf, mayWrite, windowOf } from "./model.js";
import { callbackWords } from "./parts.js";
import { longestWait, toneOf } from "./pool.js";
import { beginning } from "./wire.js";

const PRESENCES = [["online", "Online"], ["away", "Away"], ["offline", "Offline"]];
const byId = (id) => document.getElementById(id);

export class Sidebar {
  #client;

  constructor(client, { onSignOut, onHelp, onMap, onBoard }) {
    this.#client = client;
    const { profile } = client.desk;
    for (const id of ["queues", "offers", "list", "closed"]) clear(byId(id));
    byId("presence").replaceChildren(...PRESENCES.map(([value, label]) => h("label", { className: `presence ${value}` },
      h("input", { type: "radio", name: "presence", value, on: { change: () => client.setPresence(value) } }),
      h("span", { className: "dot", attrs: { "aria-hidden": "true" } }), h("span", { textContent: label }))),
    h("button", { type: "button", id: "when-done", className: "presence when-done", hidden: true, textContent: "Sign off when done", title: "Take no more, and go offline once the work in hand is done", attrs: { "aria-pressed": "false" }, on: { click: () => this.#whenDone() } }));
    byId("who").replaceChildren(
      h("span", { className: "name", textContent: profile.displayName || profile.name }), h("span", { className: "muted tenant", textContent: profile.tenant }),
      onBoard ? h("button", { type: "button", id: "board-button", className: "quiet", textContent: "Board", attrs: { "aria-expanded": "false", "aria-controls": "board", "aria-keyshortcuts": "Alt+B" }, on: { click: onBoard } }) : "",
      h("button", { type: "button", id: "map-button", className: "quiet", textContent: "Policy map", attrs: { "aria-expanded": "false", "aria-controls": "map", "aria-keyshortcuts": "Alt+M" }, on: { click: onMap } }),
      h("button", { type: "button", className: "plain", textContent: "?", title: "Keyboard shortcuts", attrs: { "aria-label": "Keyboard shortcuts" }, on: { click: onHelp } }),
      h("button", { type: "button", className: "quiet", textContent: "Sign out", on: { click: onSignOut } }));
  }

  render(now) {
    const { desk, line } = this.#client;
    for (const input of byId("presence").querySelectorAll("input")) {
      input.checked = input.value === desk.presence;
      input.disabled = line.name !== "ready";
    }
    const whenDone = byId("when-done");
    whenDone.hidden = desk.presence === "offline" || desk.list().open.every((one) => one.part !== "answers");
    whenDone.setAttribute("aria-pressed", String(desk.whenDone === "offline"));
    whenDone.disabled = line.name !== "ready";
    reconcile(byId("queues"), desk.ownQueues(), (queue) => queue.name, () => {
      const count = h("b", {});
      const text = h("span", {});
      const wait = h("span", { className: "queue-wait" });
      const element = h("span", { className: "queue" }, text, count, wait);
      return {
        element,
        update: (queue) => {
          setText(text, queue.name);
          setText(count, String(queue.waiting));
          element.dataset.tone = toneOf(queue, now);
          setText(wait, queue.waiting > 0 ? span(longestWait(queue, now)) : "");
          element.title = queueWords(queue, now);
        },
      };
    });
    reconcile(byId("offers"), [...desk.offers.values()], (offer) => offer.id, (offer) => this.#offer(offer));
    const { open, closed } = desk.list();
    reconcile(byId("list"), open, (one) => one.id, (one) => this.#row(one, now));
    reconcile(byId("closed"), closed, (one) => one.id, (one) => this.#row(one, now));
    byId("closed-part").hidden = closed.length === 0;
    const empty = byId("list-empty");
    empty.hidden = open.length > 0 || desk.offers.size > 0;
    setText(empty, desk.presence === "online" ? "Nothing yet. The next conversation rings here." : "Go online to be offered conversations.");
    this.tick(now);
  }

  /** Takes no more and signs off once the work in hand is done, or not after all. */
  #whenDone() {
    const { desk } = this.#client;
    if (desk.whenDone === "offline") this.#client.setPresence("online");
    else this.#client.setPresence("offline", { whenDone: true });
  }

  /** Moves what moves with time. */
  tick(now) {
    for (const view of byId("offers").drawn?.values() ?? []) view.tick(now);
  }

  #offer(offer) {
    const client = this.#client;
    const dial = ring();
    const seconds = h("span", { className: "seconds" });
    const who = h("strong", {});
    const via = h("span", { className: "muted" });
    const words = h("p", { className: "preview" });
    const purpose = h("p", { className: "offer-purpose" });
    const accept = h("button", { type: "button", className: "primary accept", textContent: "Accept", attrs: { "aria-keyshortcuts": "Alt+A" }, on: { click: () => client.accept(offer) } });
    const reject = h("button", { type: "button", className: "quiet", textContent: "Decline", attrs: { "aria-keyshortcuts": "Alt+R" }, on: { click: () => client.reject(offer) } });
    const element = h("article", { className: "offer" },
      h("div", { className: "offer-head" }, h("span", { className: "dial" }, dial.element, seconds), h("div", { className: "offer-who" }, who, via)),
      purpose, words, h("div", { className: "buttons" }, accept, reject));
    return {
      element,
      update: (now) => {
        const { conversation } = now;
        setText(who, customerOf(conversation));
        setText(via, [channelName(conversation.address?.channel ?? ""), conversation.region?.name, now.queue && `queue ${now.queue}`].filter(Boolean).join(" · "));
        setText(purpose, purposeWords(now));
        purpose.hidden = purpose.textContent === "";
        setText(words, preview(conversation.transcript.lastMessage, client.desk.me));
        words.hidden = words.textContent === "";
        for (const button of [accept, reject]) button.disabled = now.answered || client.line.name !== "ready";
      },
      tick: (now) => {
        const left = offer.expiresAt === null ? 0 : Math.max(0, offer.expiresAt - now);
        dial.set(offer.totalMs ? Math.min(1, left / offer.totalMs) : 1);
        setText(seconds, offer.expiresAt === null ? "" : String(Math.ceil(left / 1000)));
        element.classList.toggle("urgent", left > 0 && left < 6_000);
      },
    };
  }

  #row(conversation) {
    const client = this.#client;
    const name = h("span", { className: "row-name" });
    const at = h("time", { className: "muted" });
    const last = h("span", { className: "row-last" });
    const badge = h("span", { className: "badge" });
    const unreadWords = h("span", { className: "hidden-text" });
    const channel = h("span", { className: "channel" });
    const window = h("span", { className: "window small" });
    const button = h("button", { type: "button", className: "row", on: { click: () => client.select(conversation.id) } },
      h("span", { className: "row-top" }, name, at), h("span", { className: "row-bottom" }, channel, last, window, badge, unreadWords));
    return {
      element: h("li", {}, button),
      update: (now) => {
        const { desk } = client;
        const message = now.transcript.lastMessage;
        const unread = desk.unread(now);
        setText(name, customerOf(now));
        setText(at, clockTime(message?.at ?? null));
        const writing = desk.typing(now, Date.now());
        setText(last, stateWords(now) || (writing ? "is writing…" : preview(message, desk.me)));
        last.classList.toggle("writing", writing);
        setText(channel, channelName(now.address?.channel ?? ""));
        channel.hidden = !now.address?.channel;
        const left = mayWrite(now) ? countdown(windowOf(now), Date.now()) : null;
        window.hidden = left === null || left.tone === "calm";
        window.className = `window small ${left?.tone ?? ""}`;
        setText(window, left?.text ?? "");
        badge.hidden = unread === 0;
        setText(badge, unread > 99 ? "99+" : String(unread));
        setText(unreadWords, unread > 0 ? `, ${unread} unread` : "");
        button.classList.toggle("selected", desk.selected === now.id);
        if (desk.selected === now.id) button.setAttribute("aria-current", "true");
        else button.removeAttribute("aria-current");
      },
    };
  }
}

function preview(message, me) {
  if (!message) return "";
  const { kind, name, id } = message.sender;
  const who = kind === "system" ? "System" : id === me || !name ? "You" : name;
  return `${message.inbound ? "" : `${who}: `}${beginning(message.content)}`;
}

/** What an offer is for, where that is not simply to answer. */
function purposeWords({ purpose, by, note, callback }) {
  if (purpose === "consult") return `${by || "A colleague"} asks for your advice${note ? `: ${note}` : "."}`;
  if (purpose === "callback") return callbackWords(callback ?? { address: null, notBefore: null }, moment);
  return "";
}

/** A queue in a sentence. */
function queueWords(queue, now) {
  const { name, waiting, agentsOnline, estimateMs, opensAt } = queue;
  const parts = [`${waiting} waiting`, waiting > 0 ? `the first for ${span(longestWait(queue, now))}` : "", `${agentsOnline} online`];
  if (estimateMs !== null) parts.push(`about ${span(estimateMs)} to wait`);
  if (opensAt !== null && opensAt > now) parts.push(`closed until ${moment(opensAt)}`);
  return `Queue ${name}: ${parts.filter(Boolean).join(", ")}`;
}

function stateWords({ state, part, callback, transcript }) {
  if (state === "wrap_up") return "Wrap-up";
  if (state === "closed") return "Closed";
  if (part === "advises") return "You advise";
  if (part === "joined") return "You take part";
  if (callback && !transcript.items.some((item) => item.kind === "message" && !item.inbound && item.sender.kind === "agent")) return "Call back";
  return "";
}
