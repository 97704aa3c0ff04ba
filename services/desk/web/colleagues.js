/** Choosing a colleague, a queue or skills: for whom a conversation is meant, or who is asked about it. */

import { h, setText } from "./dom.js";
import { span } from "./format.js";

const KINDS = [["agent", "A colleague"], ["queue", "A queue"], ["skills", "Skills"]];
const PRESENCE = { online: "online", away: "away", offline: "offline" };

/**
 * Asks whom: `{agent}`, `{queue}` or `{skills: {skills}}`, with `note`, or null.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {string} options.submit       what the button says
 * @param {string} options.note         what the note is for
 * @param {() => Promise<object>} options.load  the colleagues
 */
export function askWhom({ title, submit, note, load }) {
  return new Promise((resolve) => {
    let known = null;
    let kind = "agent";
    const filter = h("input", { type: "search", placeholder: "Find by name…", autocomplete: "off", attrs: { "aria-label": "Find by name" }, on: { input: () => draw() } });
    const list = h("div", { className: "whom", attrs: { role: "group", "aria-label": "Whom" } });
    const state = h("p", { className: "muted", attrs: { role: "status" }, textContent: "Looking who is there…" });
    const retry = h("button", { type: "button", className: "link", textContent: "Try again", hidden: true, on: { click: () => fetchAll() } });
    const words = h("textarea", { rows: 2, maxLength: 1_000 });
    const go = h("button", { type: "submit", className: "primary", value: "ok", textContent: submit, disabled: true });
    const segments = h("div", { className: "segments", attrs: { role: "radiogroup", "aria-label": "To" } }, ...KINDS.map(([value, label]) => h("label", {},
      h("input", { type: "radio", name: "kind", value, checked: value === kind, on: { change: () => { kind = value; filter.value = ""; draw(); } } }), label)));
    const form = h("form", { method: "dialog", on: { change: () => ready() } }, h("h2", { id: "whom-title", textContent: title }), segments, filter, list, h("p", {}, state, " ", retry),
      h("label", {}, `${note} `, words),
      h("div", { className: "buttons end" }, h("button", { type: "button", className: "quiet", textContent: "Cancel", on: { click: () => dialog.close() } }), go));
    const dialog = h("dialog", { className: "wide", attrs: { "aria-labelledby": "whom-title" } }, form);

    const chosen = () => [...list.querySelectorAll("input:checked")].map((input) => input.value);
    const ready = () => { go.disabled = chosen().length === 0; };
    const draw = () => {
      if (!known) return;
      const wanted = filter.value.trim().toLowerCase();
      const rows = rowsOf(known, kind).filter((row) => `${row.title} ${row.value}`.toLowerCase().includes(wanted));
      list.replaceChildren(...rows.map((row) => h("label", { className: `choice-row ${row.tone}` },
        h("input", { type: kind === "skills" ? "checkbox" : "radio", name: "whom", value: row.value }),
        h("span", { className: "choice-title" }, h("span", { className: `dot ${row.tone}`, attrs: { "aria-hidden": "true" } }), row.title), h("span", { className: "muted small", textContent: row.about }))));
      setText(state, rows.length > 0 ? "" : "Nobody and nothing by that name.");
      ready();
    };
    const fetchAll = async () => {
      retry.hidden = true;
      setText(state, "Looking who is there…");
      try {
        known = await load();
        draw();
      } catch (error) {
        setText(state, error.message);
        retry.hidden = false;
      }
    };
    dialog.addEventListener("close", () => {
      const picked = chosen();
      const said = words.value.trim();
      dialog.remove();
      if (dialog.returnValue !== "ok" || picked.length === 0) return resolve(null);
      const to = kind === "skills" ? { skills: { skills: picked.map((name) => ({ name, level: 1 })) } } : { [kind]: picked[0] };
      return resolve({ ...to, ...(said ? { note: said } : {}) });
    });
    document.body.append(dialog);
    dialog.showModal();
    fetchAll();
  });
}

/** What can be chosen of a kind, whoever can help now first. */
export function rowsOf({ agents, queues, skills }, kind) {
  if (kind === "skills") return skills.map((name) => ({ value: name, title: name, about: "", tone: "none" }));
  if (kind === "queue") {
    return queues.map(({ name, displayName, waiting, agentsOnline, estimatedWaitSeconds, open }) => ({
      value: name, title: displayName || name, tone: open && agentsOnline > 0 ? "online" : "offline",
      about: [open ? "" : "closed", `${agentsOnline} online`, `${waiting} waiting`, estimatedWaitSeconds === undefined ? "" : `about ${span(estimatedWaitSeconds * 1_000)}`].filter(Boolean).join(", "),
    }));
  }
  const order = Object.keys(PRESENCE);
  const sorted = [...agents].sort((a, b) => order.indexOf(a.presence) - order.indexOf(b.presence) || a.occupancy - b.occupancy);
  return sorted.map(({ name, displayName, presence, occupancy }) => ({
    value: name, title: displayName || name, tone: presence, about: presence === "offline" ? "offline" : `${presence}, ${Math.round(occupancy / 10)} % busy`,
  }));
}
