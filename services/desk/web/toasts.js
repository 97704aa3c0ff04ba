/** Short words at the edge of the screen. Errors interrupt a screen reader, the rest waits its turn. */

import { h, icon } from "./dom.js";

const SHOWN_MS = 7_000;

/** `action` is `{label, run}`: something that can be done about it while it is shown. */
export function toast(text, level = "info", action = null) {
  document.getElementById(level === "error" ? "alerter" : "announcer").textContent = text;
  const element = h("div", { className: `toast ${level}` }, h("span", { textContent: text }),
    action ? h("button", { type: "button", className: "link", textContent: action.label, on: { click: () => { element.remove(); action.run(); } } }) : null,
    h("button", { type: "button", className: "plain", title: "Dismiss", attrs: { "aria-label": "Dismiss" }, on: { click: () => element.remove() } }, icon("close")));
  document.getElementById("toasts").append(element);
  setTimeout(() => element.remove(), action ? SHOWN_MS * 3 : SHOWN_MS);
}

/** Says something to a screen reader only. */
export function announce(text, urgent = false) {
  document.getElementById(urgent ? "alerter" : "announcer").textContent = text;
}
