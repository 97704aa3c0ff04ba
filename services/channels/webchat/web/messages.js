/** The message list: one item per log entry, drawn once and then only touched where something changed. */

import { h, icon } from "./dom.js";
import { dayKey, dayLabel, pieces, sizeLabel, timeLabel, webAddress } from "./format.js";

/** Messages of one author within this time stand together. */
const GROUP_MS = 5 * 60_000;
const STATE_ICONS = { sending: "clock", sent: "check", delivered: "checks", read: "checks", failed: "alert" };

export class MessageList {
  #strings;
  #actions;
  #drawn = new Map();

  /**
   * @param {object} strings
   * @param {{choose: Function, retry: Function, discard: Function, base: string}} actions
   */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.element = h("ol", { className: "list", attrs: { role: "list" } });
  }

  render(log) {
    const entries = log.entries();
    const wanted = [];
    const keep = new Set();
    entries.forEach((entry, index) => {
      const before = entries[index - 1];
      const after = entries[index + 1];
      if (!before || dayKey(timeOf(before)) !== dayKey(timeOf(entry))) {
        const key = `day:${dayKey(timeOf(entry))}`;
        keep.add(key);
        wanted.push(this.#item(key, () => this.#day(timeOf(entry))).element);
      }
      keep.add(entry.key);
      const item = this.#item(entry.key, () => this.#message(entry));
      item.update(entry, {
        first: !together(before, entry), last: !together(entry, after),
        answerable: entry.choices.length > 0 && log.answerable(entry),
      });
      wanted.push(item.element);
    });
    for (const [key, item] of this.#drawn) {
      if (keep.has(key)) continue;
      item.element.remove();
      this.#drawn.delete(key);
    }
    wanted.forEach((element, index) => {
      const there = this.element.children[index];
      if (there !== element) this.element.insertBefore(element, there ?? null);
    });
  }

  #item(key, make) {
    if (!this.#drawn.has(key)) this.#drawn.set(key, make());
    return this.#drawn.get(key);
  }

  #day(date) {
    const label = dayLabel(date, new Date(), this.#strings.locale);
    return { element: h("li", { className: "day" }, h("span", { textContent: label })), update() {} };
  }

  #message(entry) {
    const { say } = this.#strings;
    if (entry.from.kind === "system") {
      return { element: h("li", { className: "system" }, h("span", { textContent: entry.text })), update() {} };
    }
    const name = authorOf(entry, this.#strings);
    const author = h("span", { className: entry.own ? "author hidden-text" : "author", textContent: name });
    const body = h("div", { className: "body" });
    if (entry.text) body.append(h("p", { className: "bubble", dir: "auto" }, ...linked(entry.text)));
    for (const file of entry.attachments) body.append(this.#attachment(file));
    const meta = h("div", { className: "meta", attrs: { "aria-live": "off" } });
    const element = h("li", { className: "message" }, author, body, meta);
    const choices = entry.choices.length > 0
      ? h("div", { className: "choices", attrs: { role: "group", "aria-label": say("choose") } })
      : null;
    if (choices) {
      for (const choice of entry.choices) {
        choices.append(h("button", {
          type: "button", className: "choice", textContent: choice.title,
          on: { click: () => this.#actions.choose(entry, choice) },
        }));
      }
      body.append(choices);
    }
    let shown = null;
    const update = (now, { first, last, answerable }) => {
      element.classList.toggle("own", now.own);
      element.classList.toggle("first", first);
      element.classList.toggle("last", last);
      element.classList.toggle("failed", now.state === "failed");
      if (choices) {
        choices.classList.toggle("past", !answerable);
        for (const button of choices.children) button.disabled = !answerable;
      }
      const signature = `${now.state} ${now.at} ${last}`;
      if (signature !== shown) meta.replaceChildren(...this.#meta(now, last));
      shown = signature;
    };
    return { element, update };
  }

  #meta(entry, last) {
    const { say, locale } = this.#strings;
    if (entry.state === "failed") {
      return [
        icon("alert"),
        h("span", { textContent: `${say("failed")}. ${this.#strings.error(entry.error?.code, {}, entry.error?.message)}` }),
        h("button", { type: "button", className: "link", textContent: say("retry"), on: { click: () => this.#actions.retry(entry.cid) } }),
        h("button", { type: "button", className: "link", textContent: say("discard"), on: { click: () => this.#actions.discard(entry.cid) } }),
      ];
    }
    const parts = [];
    const time = timeOf(entry);
    if (last) parts.push(h("time", { dateTime: entry.at, textContent: timeLabel(time, locale) }));
    if (entry.own && (last || entry.state === "sending")) {
      parts.push(h("span", { className: `state ${entry.state}`, title: say(entry.state) },
        icon(STATE_ICONS[entry.state]), h("span", { className: "hidden-text", textContent: say(entry.state) })));
    }
    return parts;
  }

  #attachment(file) {
    const { say, locale } = this.#strings;
    const name = String(file.name ?? "");
    const href = webAddress(file.url, this.#actions.base);
    const link = (className, ...children) => h("a", {
      className, href, target: "_blank", rel: "noopener noreferrer nofollow", attrs: { download: className === "file" ? name : null },
    }, ...children, h("span", { className: "hidden-text", textContent: ` (${say("newTab")})` }));
    const asFile = () => {
      const size = Number.isFinite(file.size) ? sizeLabel(file.size, locale) : "";
      const inside = [icon("file"), h("span", { className: "file-name", textContent: name }), h("span", { className: "file-size", textContent: size })];
      return href ? link("file", ...inside) : h("span", { className: "file" }, ...inside);
    };
    // SVG can carry script, so it is never shown inline.
    const picture = href && /^image\/(?:png|jpe?g|gif|webp|avif)$/u.test(file.type ?? "");
    if (!picture) return asFile();
    const image = h("img", { src: href, alt: say("image", { name }), loading: "lazy", decoding: "async" });
    const frame = link("picture", image);
    // The page's policy may forbid pictures of ours, or the file may be gone: offer it as a file instead.
    image.addEventListener("error", () => frame.replaceWith(asFile()));
    return frame;
  }
}

/** The name to show for an entry's author. */
export function authorOf(entry, strings) {
  if (entry.own) return strings.say("you");
  return entry.from.name || strings.say(entry.from.kind === "bot" ? "bot" : "agent");
}

function linked(text) {
  return pieces(text).map((piece) => (piece.href
    ? h("a", { href: piece.href, target: "_blank", rel: "noopener noreferrer nofollow", textContent: piece.text })
    : piece.text));
}

function timeOf(entry) {
  const time = new Date(entry.at);
  return Number.isNaN(time.getTime()) ? new Date() : time;
}

function together(a, b) {
  if (!a || !b || a.own !== b.own || a.from.kind !== b.from.kind || a.from.name !== b.from.name) return false;
  const [from, to] = [timeOf(a), timeOf(b)];
  return to - from < GROUP_MS && dayKey(from) === dayKey(to);
}
