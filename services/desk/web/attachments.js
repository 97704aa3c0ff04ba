/** Files that the agent puts to an answer: uploaded at once, so that sending is as quick as ever. */

import { h, icon } from "./dom.js";
import { bytes } from "./format.js";

export class Attachments {
  #options;
  /** Conversation → what is put to its answer. */
  #all = new Map();
  #shown = null;

  /** `{upload(file): Promise<Media>, onChange()}` */
  constructor(options) {
    this.#options = options;
    this.list = h("ul", { className: "attachments", hidden: true, attrs: { role: "list", "aria-label": "Attached files" } });
    this.picker = h("input", { type: "file", multiple: true, hidden: true, tabIndex: -1, attrs: { "aria-hidden": "true" }, on: { change: () => this.#picked() } });
    this.button = h("button", { type: "button", className: "quiet attach", title: "Attach files", attrs: { "aria-label": "Attach files" }, on: { click: () => this.picker.click() } }, icon("attach"));
  }

  /** Shows what is put to the answer in this conversation. */
  show(conversation) {
    this.#shown = conversation;
    this.#draw();
  }

  add(files) {
    const conversation = this.#shown;
    if (!conversation) return;
    for (const file of files) {
      const one = { file, state: "uploading", media: null, reason: "" };
      this.#all.set(conversation, [...this.#of(conversation), one]);
      this.#options.upload(file).then(
        (media) => Object.assign(one, { state: "ready", media }),
        (error) => Object.assign(one, { state: "failed", reason: error.message }),
      ).finally(() => this.#changed());
    }
    this.#changed();
  }

  /** Whether an answer can go out: nothing is on its way here. */
  get settled() {
    return this.#of(this.#shown).every((one) => one.state !== "uploading");
  }

  get any() {
    return this.#of(this.#shown).some((one) => one.state === "ready");
  }

  /** What is ready to be sent, taken out. */
  take() {
    const ready = this.#of(this.#shown).filter((one) => one.state === "ready");
    this.#all.set(this.#shown, this.#of(this.#shown).filter((one) => one.state !== "ready"));
    this.#changed();
    return ready.map((one) => one.media);
  }

  #of(conversation) {
    return this.#all.get(conversation) ?? [];
  }

  #picked() {
    this.add([...this.picker.files]);
    this.picker.value = "";
  }

  #remove(one) {
    this.#all.set(this.#shown, this.#of(this.#shown).filter((other) => other !== one));
    this.#changed();
  }

  #changed() {
    this.#draw();
    this.#options.onChange();
  }

  #draw() {
    const ones = this.#of(this.#shown);
    this.list.hidden = ones.length === 0;
    this.list.replaceChildren(...ones.map((one) => h("li", { className: one.state },
      icon("file"),
      h("span", { textContent: `${one.file.name}, ${bytes(one.file.size)}` }),
      h("span", { className: "muted small", textContent: one.state === "uploading" ? "Uploading…" : one.reason, attrs: { role: "status" } }),
      h("button", { type: "button", className: "plain", textContent: "×", attrs: { "aria-label": `Remove ${one.file.name}` }, on: { click: () => this.#remove(one) } }))));
  }
}
