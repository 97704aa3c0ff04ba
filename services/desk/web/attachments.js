/** Files that the agent puts to an answer: uploaded at once, so that sending is as quick as ever. */

import { carriage, tooLarge } from "./carriage.js";
import { h, icon, reconcile, setText } from "./dom.js";
import { bytes } from "./format.js";

export class Attachments {
  #options;
  /** Conversation → what is put to its answer. */
  #all = new Map();
  #shown = null;
  #added = 0;
  /** By which address the answer goes, and what the desk does with files. */
  #way = null;
  #files = null;

  /** `{upload(file, {progress, signal}): Promise<Media>, onChange()}` */
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

  /** The answer goes by `way`, an address of the reach; `files` is what the reach says of files. */
  goesBy(way, files) {
    if (way === this.#way && files === this.#files) return;
    [this.#way, this.#files] = [way, files];
    this.#draw();
  }

  add(files) {
    const conversation = this.#shown;
    if (!conversation) return;
    for (const file of files) {
      const one = { key: this.#added += 1, file, state: "", share: 0, media: null, reason: "", again: false, stop: null };
      this.#all.set(conversation, [...this.#of(conversation), one]);
      const reason = tooLarge(file.size, this.#files);
      if (reason) Object.assign(one, { state: "failed", reason });
      else this.#upload(one);
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

  #upload(one) {
    Object.assign(one, { state: "uploading", share: 0, reason: "", stop: new AbortController() });
    const progress = (share) => {
      one.share = share;
      this.#draw();
    };
    this.#options.upload(one.file, { progress, signal: one.stop.signal }).then(
      (media) => Object.assign(one, { state: "ready", media }),
      // What the desk has judged stays so; what it could not take in now may come again.
      (error) => Object.assign(one, { state: "failed", reason: error.message, again: !(error.status >= 400 && error.status < 500) }),
    ).finally(() => this.#changed());
  }

  #picked() {
    this.add([...this.picker.files]);
    this.picker.value = "";
  }

  #again(one) {
    this.#upload(one);
    this.#changed();
  }

  #remove(one) {
    one.stop?.abort();
    for (const [conversation, ones] of this.#all) this.#all.set(conversation, ones.filter((other) => other !== one));
    this.#changed();
  }

  #changed() {
    this.#draw();
    this.#options.onChange();
  }

  #draw() {
    const ones = this.#of(this.#shown);
    this.list.hidden = ones.length === 0;
    reconcile(this.list, ones, (one) => one.key, (one) => this.#row(one));
  }

  #row(one) {
    const { name, size } = one.file;
    const bar = h("progress", { max: 1, attrs: { "aria-label": `Uploading ${name}` } });
    const told = h("span", { className: "told", attrs: { role: "status" } });
    const again = h("button", { type: "button", className: "link", textContent: "Try again", on: { click: () => this.#again(one) } });
    const element = h("li", {}, icon("file"), h("span", { className: "file-name", textContent: name }), h("span", { className: "muted", textContent: bytes(size) }),
      h("button", { type: "button", className: "plain", attrs: { "aria-label": `Remove ${name}` }, on: { click: () => this.#remove(one) } }, icon("close")), bar, told, again);
    const update = () => {
      const meets = one.state === "ready" ? carriage(one.media, this.#way, this.#files) : null;
      element.className = [one.state, meets?.tone].filter(Boolean).join(" ");
      bar.hidden = one.state !== "uploading";
      bar.value = one.share;
      again.hidden = one.state !== "failed" || !one.again;
      // All of it is there, and is being looked at and scanned.
      setText(told, one.state === "uploading" ? (one.share < 1 ? "Uploading…" : "Checking…") : one.reason || meets?.text || "");
    };
    return { element, update };
  }
}
