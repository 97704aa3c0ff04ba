/** An earlier conversation, to be read and nothing else. */

import { h, reconcile } from "./dom.js";
import { Messages, rows } from "./messages.js";
import { Transcript } from "./transcript.js";

/** Opens it in a dialog; pages come through `client`. */
export function showPast(client, conversation, title) {
  const transcript = new Transcript();
  const messages = new Messages();
  const items = h("ol", { className: "items", attrs: { role: "list" } });
  const note = h("p", { className: "muted center", attrs: { role: "status" }, textContent: "Loading…" });
  const earlier = h("button", { type: "button", className: "quiet earlier", textContent: "Show earlier messages", hidden: true, on: { click: () => load(transcript.oldest) } });
  const dialog = h("dialog", { className: "past", attrs: { "aria-labelledby": "past-title" } },
    h("div", { className: "past-head" }, h("h2", { id: "past-title", textContent: title }), h("button", { type: "button", className: "quiet", textContent: "Close", on: { click: () => dialog.close() } })),
    h("div", { className: "past-body", tabIndex: 0, attrs: { role: "log", "aria-label": "Transcript, read only" } }, earlier, note, items));
  const load = (before) => {
    earlier.disabled = true;
    client.readPast(conversation, before, (history) => {
      transcript.history(history);
      note.textContent = transcript.items.length > 0 ? "" : "Nothing was said.";
      reconcile(items, rows(transcript, []), (row) => row.key, (row) => messages.row(row));
      earlier.hidden = !transcript.more;
      earlier.disabled = false;
    });
  };
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  load(0);
}
