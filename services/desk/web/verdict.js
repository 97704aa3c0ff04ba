/** Verdicts for people: the outcome in words, and the rules that led to it. */

import { h } from "./dom.js";
import { fullTime, words } from "./format.js";
import { name, time } from "./wire.js";

const OUTCOMES = {
  allow: ["good", "Allowed", "This channel may be used."], deny: ["bad", "Denied", "This channel may not be used here."],
  use_channel: ["warn", "Use another channel", "Another channel comes first here."], defer: ["warn", "Later", "Not at this hour."],
  needs_template: ["warn", "Needs a template", "Only an approved template may be sent."], needs_consent: ["warn", "Needs consent", "The customer has not agreed yet."],
};

/** `[tone, label, meaning]` of a verdict on the wire. */
export function outcomeOf(verdict) {
  const outcome = name(verdict.outcome, "OUTCOME_");
  return OUTCOMES[outcome] ?? ["warn", words(outcome), ""];
}

/** Terms and their values; those without a value are left out. */
export function facts(rows) {
  return h("dl", {}, ...rows.filter(([, value]) => value).flatMap(([term, value]) => [h("dt", { textContent: term }), h("dd", { textContent: value })]));
}

export function reasons(list) {
  return h("ul", { className: "reasons", attrs: { role: "list" } }, ...list.map((reason) => h("li", {}, h("span", { textContent: reason.text || reason.code }), reason.text ? h("code", { textContent: reason.code }) : null)));
}

/** The outcome, in its colour. */
export function badge(verdict) {
  const [tone, label, meaning] = outcomeOf(verdict);
  return h("p", { className: `verdict ${tone}` }, h("strong", { textContent: label }), h("span", { textContent: ` ${meaning}` }));
}

/** The rules that fired, unfolded, and those that were tried, folded; `level` is that of the heading. */
export function chain(verdict, level = "h3") {
  const parts = [];
  if (verdict.until) parts.push(facts([["Until", fullTime(time(verdict.until))]]));
  if (verdict.fired?.length) parts.push(h(level, { textContent: "Rules that applied" }), reasons(verdict.fired));
  if (verdict.tried?.length) parts.push(h("details", {}, h("summary", { textContent: `${verdict.tried.length} that did not` }), reasons(verdict.tried)));
  if (verdict.channels?.length) parts.push(facts([["Instead", verdict.channels.join(", ")]]));
  return parts;
}
