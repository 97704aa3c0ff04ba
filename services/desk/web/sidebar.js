/** Presence, queues, offers and the list of conversations. */

import { countdown } from "./answering.js";
import { clear, h, reconcile, ring, setText } from "./dom.js";
import { clockTime, span } from "./format.js";
import { channelName } from "./messages.js";
import { customerOf, windowOf } from "./model.js";

const PRESENCES = [["online", "Online"], ["away", "Away"], ["offline", "Offline"]];
const byId = (id) => document.getElementById(id);

export class Sidebar {
  #client;

  constructor(client, { onSignOut, onHelp, onMap }) {
    this.#client = client;
    const { profile } = client.desk;
    for (const id of ["queues", "offers", "list", "closed"]) clear(byId(id));
    byId("presence").replaceChildren(...PRESENCES.map(([value, label]) => h("label", { className: `presence ${value}` },
      h("input", { type: "radio", name: "presence", value, on: { change: () => client.setPresence(value) } }),
      h("span", { className: "dot", attrs: { "aria-hidden": "true" } }), h("span", { textContent: label }))));
    byId("who").replaceChildren(
      h("span", { className: "name", textContent: profile.displayName || profile.name }), h("span", { className: "muted tenant", textContent: profile.tenant }),
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
    reconcile(byId("queues"), desk.queues, (queue) => queue.name, () => {
      const count = h("b", {});
      const text = h("span", {});
      return {
        element: h("span", { className: "queue" }, text, count),
        update: ({ name, waiting, oldestWaitMs }) => {
          setText(text, name);
          setText(count, String(waiting));
          const words = `Queue ${name}: ${waiting} waiting${waiting > 0 && oldestWaitMs ? `, the oldest for ${span(oldestWaitMs)}` : ""}`;
          text.parentElement.title = words;
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
    const accept = h("button", { type: "button", className: "primary accept", textContent: "Accept", attrs: { "aria-keyshortcuts": "Alt+A" }, on: { click: () => client.accept(offer) } });
    const reject = h("button", { type: "button", className: "quiet", textContent: "Decline", attrs: { "aria-keyshortcuts": "Alt+R" }, on: { click: () => client.reject(offer) } });
    const element = h("article", { className: "offer" },
      h("div", { className: "offer-head" }, h("span", { className: "dial" }, dial.element, seconds), h("div", { className: "offer-who" }, who, via)),
      words, h("div", { className: "buttons" }, accept, reject));
    return {
      element,
      update: (now) => {
        const { conversation } = now;
        setText(who, customerOf(conversation));
        setText(via, [channelName(conversation.address?.channel ?? ""), conversation.region?.name, now.queue && `queue ${now.queue}`].filter(Boolean).join(" · "));
        setText(words, preview(conversation.transcript.lastMessage));
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
        setText(last, stateWords(now) || (writing ? "is writing…" : preview(message)));
        last.classList.toggle("writing", writing);
        setText(channel, channelName(now.address?.channel ?? ""));
        channel.hidden = !now.address?.channel;
        const left = ["assigned", "open"].includes(now.state) ? countdown(windowOf(now), Date.now()) : null;
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

function preview(message) {
  if (!message) return "";
  const { text, label, media } = message.content;
  return `${message.inbound ? "" : "You: "}${(text || label || media?.name || "").replaceAll(/\s+/gu, " ").slice(0, 140)}`;
}

function stateWords({ state }) {
  if (state === "wrap_up") return "Wrap-up";
  if (state === "closed") return "Closed";
  return "";
}
