/** Where the visitor writes: text, files on their way up, and the button that sends both. */

import { h, icon, iconButton } from "./dom.js";
import { sizeLabel } from "./format.js";
import { upload } from "./upload.js";

export class Composer {
  #strings;
  #actions;
  #files = [];
  #input;
  #send;
  #tray;
  #status;

  /**
   * @param {object} strings
   * @param {{say: Function, typing: Function, notice: Function, limits: () => object, target: () => object}} actions
   */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    const { say } = strings;
    this.#input = h("textarea", {
      id: "input", rows: 1, placeholder: say("placeholder"), enterKeyHint: "send", dir: "auto",
      attrs: { "aria-label": say("message"), autocomplete: "off" },
      on: { input: () => this.#typed(), keydown: (event) => this.#key(event), paste: (event) => this.#paste(event) },
    });
    const picker = h("input", {
      type: "file", multiple: true, hidden: true, tabIndex: -1,
      on: { change: () => { this.add(picker.files); picker.value = ""; } },
    });
    this.#send = h("button", { type: "submit", className: "send", disabled: true, title: say("send"), attrs: { "aria-label": say("send") } }, icon("send"));
    this.#tray = h("ul", { className: "tray", hidden: true, attrs: { role: "list" } });
    this.#status = h("p", { className: "hidden-text", attrs: { role: "status" } });
    this.element = h("form", { className: "composer", on: { submit: (event) => { event.preventDefault(); this.#submit(); } } },
      this.#tray,
      h("div", { className: "row" },
        iconButton("clip", say("attach"), "attach", () => picker.click()), picker, this.#input, this.#send),
      this.#status);
  }

  focus() {
    this.#input.focus({ preventScroll: true });
  }

  /** Starts uploading files: picked, pasted or dropped. */
  add(files) {
    for (const file of files) this.#upload(file);
  }

  #upload(file) {
    const { say, error, locale } = this.#strings;
    const most = this.#actions.limits().upload_bytes;
    if (file.size > most) {
      this.#actions.notice(error("file_too_large", { name: file.name, size: sizeLabel(most, locale) }));
      return;
    }
    const progress = h("progress", { max: 1, value: 0, attrs: { "aria-label": say("uploading", { name: file.name }) } });
    const cancel = iconButton("close", say("cancelUpload", { name: file.name }), "cancel", () => {
      item.job.cancel();
      this.#remove(item);
      this.focus();
    });
    const element = h("li", { className: "chip" }, icon("file"),
      h("span", { className: "chip-name", textContent: file.name }), progress, cancel);
    const item = { element, ready: null, job: upload(this.#actions.target(), file, (share) => { progress.value = share; }) };
    this.#files.push(item);
    this.#tray.append(element);
    this.#status.textContent = say("uploading", { name: file.name });
    this.#refresh();
    item.job.done.then((ready) => {
      item.ready = ready;
      progress.replaceWith(h("span", { className: "chip-size", textContent: sizeLabel(file.size, locale) }));
      cancel.title = say("removeFile", { name: file.name });
      cancel.setAttribute("aria-label", cancel.title);
      this.#status.textContent = say("uploaded", { name: file.name });
      this.#refresh();
    }, (failure) => {
      this.#remove(item);
      if (failure.code !== "cancelled") this.#actions.notice(error(failure.code, { name: file.name }));
    });
  }

  #remove(item) {
    this.#files = this.#files.filter((other) => other !== item);
    item.element.remove();
    this.#refresh();
  }

  #refresh() {
    this.#tray.hidden = this.#files.length === 0;
    const busy = this.#files.some((item) => item.ready === null);
    this.#send.disabled = busy || (this.#input.value.trim() === "" && this.#files.length === 0);
    this.#input.maxLength = this.#actions.limits().text_chars;
  }

  #typed() {
    this.#fit();
    this.#refresh();
    if (this.#input.value.trim() !== "") this.#actions.typing();
  }

  #key(event) {
    // While an input method composes a word, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.add(files);
  }

  #submit() {
    if (this.#send.disabled) return;
    const text = this.#input.value.trim();
    const attachments = this.#files.map((item) => item.ready);
    this.#input.value = "";
    for (const item of this.#files) item.element.remove();
    this.#files = [];
    this.#fit();
    this.#refresh();
    this.#actions.say(text, attachments);
    this.focus();
  }

  #fit() {
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }
}
