/** Beside the conversation: who writes, and why this channel is, or is not, to be used. */

import { sameAddress } from "./answering.js";
import { h } from "./dom.js";
import { fullTime, span } from "./format.js";
import { channelName } from "./messages.js";
import { customerOf, handoversOf, windowOf } from "./model.js";
import { badge, chain, facts } from "./verdict.js";
import { time } from "./wire.js";

const SOURCES = {
  explicit: "said explicitly", number: "the phone number", account: "the channel account", locale: "the language setting", declared: "the provider's word", none: "not known",
};

export class Details {
  #shown = "";
  #actions;

  /** `{past(id, title), split(contact, address)}`; `split` for supervisors only. */
  constructor(actions = {}) {
    this.#actions = actions;
  }

  /** `met` is what is known of the conversation's contact, if it has come. */
  render(conversation, met, now) {
    const panel = document.getElementById("details");
    const { address, region, verdict } = conversation ?? {};
    const window = conversation ? windowOf(conversation) : null;
    const left = window?.expiresAt ? Math.floor((time(window.expiresAt) - now) / 60_000) : null;
    const signature = JSON.stringify([conversation?.id, address, region, verdict, window, left, conversation?.queue, conversation?.contact, conversation?.priority, conversation ? handoversOf(conversation) : null, met]);
    // Drawn only when something changed: what is unfolded stays unfolded.
    if (signature === this.#shown) return;
    this.#shown = signature;
    panel.replaceChildren(...(conversation ? [...handedOver(conversation), customer(conversation), ...this.#met(conversation, met), policy(conversation), ...windowPart(window, now)] : []));
  }

  /** Every address of the customer, and what was said before. */
  #met(conversation, met) {
    if (!met) return [];
    const { contact, conversations } = met;
    const { past, split } = this.#actions;
    const addresses = contact.addresses.map((address) => h("li", {},
      h("span", { className: "channel small", textContent: channelName(address.channel) }),
      h("span", { className: "address", textContent: address.userId ?? "" }),
      sameAddress(address, conversation.address) ? h("span", { className: "muted small", textContent: "now" }) : null,
      split && contact.addresses.length > 1 ? h("button", { type: "button", className: "link small", textContent: "Split off…", on: { click: () => split(contact, address) } }) : null));
    const before = conversations.filter(({ id }) => id !== conversation.id);
    const earlier = before.map(({ id, address, openedAt }) => {
      const title = [channelName(address?.channel ?? ""), fullTime(time(openedAt))].filter(Boolean).join(", ");
      return h("li", {}, h("button", { type: "button", className: "link", textContent: title, on: { click: () => past(id, title) } }));
    });
    return [
      h("section", {}, h("h2", { textContent: addresses.length > 1 ? "Their addresses" : "Their address" }), h("ul", { className: "addresses", attrs: { role: "list" } }, ...addresses)),
      h("section", {}, h("h2", { textContent: "Earlier conversations" }),
        earlier.length > 0 ? h("ul", { className: "earlier-list", attrs: { role: "list" } }, ...earlier) : h("p", { className: "muted small", textContent: "None that is known." })),
    ];
  }
}

/** What a bot or colleague said when handing it on. */
function handedOver(conversation) {
  const handovers = handoversOf(conversation);
  if (handovers.length === 0) return [];
  const one = ({ from, note, context, at }) => h("li", {},
    h("p", { className: "muted small", textContent: [from, fullTime(at)].filter(Boolean).join(", ") }),
    note ? h("p", { className: "handed-note", textContent: note }) : null,
    context ? facts(Object.entries(context).map(([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : String(value)])) : null);
  return [h("section", {}, h("h2", { textContent: "Handed over" }), h("ul", { className: "handed", attrs: { role: "list" } }, ...handovers.map(one)))];
}

function customer({ address, contact, queue, id, ...rest }) {
  const unverified = address && !address.verified ? " (not verified)" : "";
  return h("section", {}, h("h2", { textContent: "Customer" }), facts([
    ["Name", customerOf({ address, contact })], ["Channel", address && `${address.channel ?? ""} · ${address.account ?? ""}`],
    ["Address", address?.userId && `${address.userId}${unverified}`], ["Phone", address?.phone], ["E-mail", address?.email], ["Language", address?.locale],
    ["Queue", queue], ["Priority", rest.priority ? String(rest.priority) : ""], ["Contact", contact], ["Conversation", id], ["Agent", rest.agent],
  ]));
}

function policy({ region, verdict }) {
  const section = h("section", { className: "policy" }, h("h2", { textContent: "Policy" }));
  if (!verdict) {
    section.append(h("p", { className: "muted", textContent: "No verdict has come yet." }), facts(regionFacts(region)));
    return section;
  }
  section.append(badge(verdict), facts([
    ...regionFacts(verdict.region ?? region), ["Channels", (verdict.channels ?? []).join(", ")],
    ["Decided by", verdict.policy && `${verdict.policy}${verdict.policyVersion ? `, version ${verdict.policyVersion}` : ""}`],
  ]), ...chain({ ...verdict, channels: [] }));
  return section;
}

function regionFacts(region) {
  if (!region) return [];
  const sure = region.confidence ? `, ${Math.round(region.confidence * 100)} % sure` : "";
  return [["Region", region.name], ["Country", region.country], ["Known from", region.source && `${SOURCES[region.source] ?? region.source}${sure}`]];
}

function windowPart(window, now) {
  if (!window) return [];
  const expires = time(window.expiresAt);
  const left = expires === null ? "" : expires > now ? `${span(expires - now)} left` : "closed";
  return [h("section", {}, h("h2", { textContent: "Messaging window" }), facts([
    ["Opened by", window.kind], ["Until", expires && `${fullTime(expires)} (${left})`], ["Messages left", window.remaining >= 0 ? String(window.remaining ?? 0) : "no limit"],
  ]))];
}
