/** The questions the desk asks: how a conversation ended, where it goes, which keys there are. */

import { h } from "./dom.js";

const CODES = [["resolved", "Resolved"], ["answered", "Question answered"], ["follow_up", "Needs a follow-up"], ["complaint", "Complaint"], ["no_reply", "Customer went silent"], ["spam", "Spam"]];

export const SHORTCUTS = [
  ["Alt A", "Accept the oldest offer"], ["Alt R", "Decline the oldest offer"], ["Alt ↑  Alt ↓", "Previous, next conversation"], ["Alt C", "To the answer field"],
  ["Alt W", "Close the conversation"], ["Alt T", "Transfer the conversation"], ["Alt K", "Consult a colleague"], ["Alt M", "Policy map"], ["Alt B", "Board (supervisors)"], ["Alt 1  2  3", "Online, away, offline"], ["Enter", "Send"], ["Shift Enter", "New line"], ["Esc", "Quote nothing"], ["?", "This list"],
];

/** Opens a modal dialog around a form; resolves with its data, or null if it was dismissed. */
function ask(title, fields, submitLabel) {
  return new Promise((resolve) => {
    const form = h("form", { method: "dialog" }, h("h2", { id: "dialog-title", textContent: title }), ...fields,
      h("div", { className: "buttons end" },
        h("button", { type: "button", className: "quiet", textContent: submitLabel ? "Cancel" : "Done", on: { click: () => dialog.close() } }),
        submitLabel ? h("button", { type: "submit", className: "primary", value: "ok", textContent: submitLabel }) : null));
    const dialog = h("dialog", { attrs: { "aria-labelledby": "dialog-title" } }, form);
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "ok" ? new FormData(form) : null);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** How it ended: `{wrapUpCode, note, finish}` or null. */
export async function askClose() {
  const data = await ask("Close the conversation", [
    h("label", {}, "How did it end? ", h("select", { name: "code", required: true }, ...CODES.map(([value, label]) => h("option", { value, textContent: label })))),
    h("label", {}, "Note for your colleagues ", h("textarea", { name: "note", rows: 3, maxLength: 2000 })),
    h("label", { className: "check" }, h("input", { type: "checkbox", name: "finish", checked: true }), " No wrap-up needed, I can take the next one"),
  ], "Close conversation");
  return data && { wrapUpCode: data.get("code"), note: data.get("note").trim(), finish: data.has("finish") };
}

/** On which channel the customer is to be asked to continue: its name or null. `channels` are pairs of name and title. */
export async function askChannel(channels) {
  const data = await ask("Offer another channel", [
    h("p", { className: "muted", textContent: "The customer gets a code. Whoever sends it on the other channel continues this conversation there." }),
    h("label", {}, "Channel ", h("select", { name: "channel", required: true }, ...channels.map(([value, label]) => h("option", { value, textContent: label })))),
  ], "Make a code");
  return data && data.get("channel");
}

/** A question with yes or no; `text` says what follows. */
export async function confirmThat(title, text, label) {
  return (await ask(title, [h("p", { textContent: text })], label)) !== null;
}

export function showShortcuts() {
  return ask("Keyboard shortcuts", [h("dl", { className: "keys" }, ...SHORTCUTS.flatMap(([keys, meaning]) => [h("dt", {}, h("kbd", { textContent: keys })), h("dd", { textContent: meaning })]))], "");
}
