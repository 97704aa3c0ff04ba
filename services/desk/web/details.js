/** Beside the conversation: who writes, and why this channel is, or is not, to be used. */

import { h } from "./dom.js";
import { fullTime, span, words } from "./format.js";
import { customerOf } from "./model.js";
import { name, time } from "./wire.js";

const OUTCOMES = {
  allow: ["good", "Allowed", "This channel may be used."], deny: ["bad", "Denied", "This channel may not be used here."],
  use_channel: ["warn", "Use another channel", "Another channel comes first here."], defer: ["warn", "Later", "Not at this hour."],
  needs_template: ["warn", "Needs a template", "Only an approved template may be sent."], needs_consent: ["warn", "Needs consent", "The customer has not agreed yet."],
};
const SOURCES = {
  explicit: "said explicitly", number: "the phone number", account: "the channel account", locale: "the language setting", declared: "the provider's word", none: "not known",
};

export class Details {
  #shown = "";

  render(conversation, now) {
    const panel = document.getElementById("details");
    const { address, region, verdict, window } = conversation ?? {};
    const left = window?.expiresAt ? Math.floor((time(window.expiresAt) - now) / 60_000) : null;
    const signature = JSON.stringify([conversation?.id, address, region, verdict, window, left, conversation?.queue]);
    // Drawn only when something changed: what is unfolded stays unfolded.
    if (signature === this.#shown) return;
    this.#shown = signature;
    panel.replaceChildren(...(conversation ? [customer(conversation), policy(conversation), ...windowPart(window, now)] : []));
  }
}

function customer({ address, contact, queue, id, ...rest }) {
  const unverified = address && !address.verified ? " (not verified)" : "";
  return h("section", {}, h("h2", { textContent: "Customer" }), facts([
    ["Name", customerOf({ address, contact })], ["Channel", address && `${address.channel ?? ""} · ${address.account ?? ""}`],
    ["Address", address?.userId && `${address.userId}${unverified}`], ["Phone", address?.phone], ["E-mail", address?.email], ["Language", address?.locale],
    ["Queue", queue], ["Contact", contact], ["Conversation", id], ["Agent", rest.agent],
  ]));
}

function policy({ region, verdict }) {
  const section = h("section", { className: "policy" }, h("h2", { textContent: "Policy" }));
  if (!verdict) {
    section.append(h("p", { className: "muted", textContent: "No verdict has come yet." }), facts(regionFacts(region)));
    return section;
  }
  const outcome = name(verdict.outcome, "OUTCOME_");
  const [tone, label, meaning] = OUTCOMES[outcome] ?? ["warn", words(outcome), ""];
  section.append(
    h("p", { className: `verdict ${tone}` }, h("strong", { textContent: label }), h("span", { textContent: ` ${meaning}` })),
    facts([
      ...regionFacts(verdict.region ?? region), ["Channels", (verdict.channels ?? []).join(", ")],
      ["Until", verdict.until && fullTime(time(verdict.until))],
      ["Decided by", verdict.policy && `${verdict.policy}${verdict.policyVersion ? `, version ${verdict.policyVersion}` : ""}`],
    ]));
  if (verdict.fired?.length) section.append(h("h3", { textContent: "Rules that applied" }), reasons(verdict.fired));
  if (verdict.tried?.length) section.append(h("details", {}, h("summary", { textContent: `${verdict.tried.length} that did not` }), reasons(verdict.tried)));
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

function facts(rows) {
  return h("dl", {}, ...rows.filter(([, value]) => value).flatMap(([term, value]) => [h("dt", { textContent: term }), h("dd", { textContent: value })]));
}

function reasons(list) {
  return h("ul", { className: "reasons", attrs: { role: "list" } }, ...list.map((reason) => h("li", {}, h("span", { textContent: reason.text || reason.code }), reason.text ? h("code", { textContent: reason.code }) : null)));
}
