/** Drawing a transcript: days, notices and messages with how they fared. */

import { h, icon } from "./dom.js";
import { clockTime, dayName, fullTime, moment, pieces } from "./format.js";
import { mediaElement } from "./media.js";
import { beginning } from "./wire.js";

const DELIVERY = {
  sending: ["queued", "Sending"], accepted: ["queued", "Queued"], queued: ["queued", "Queued"], deferred: ["queued", "Waiting"], sent: ["sent", "Sent"],
  delivered: ["delivered", "Delivered"], read: ["delivered", "Read"], failed: ["failed", "Failed"], refused: ["failed", "Not allowed"], in_doubt: ["doubt", "In doubt"],
};
/** Who is not called by a name. */
const AUTHORS = { system: "System", bot: "Bot", api: "Program" };
const TOLD = ["failed", "refused", "in_doubt", "deferred"];
const CHANNELS = { sms: "SMS", email: "e-mail", webchat: "web chat", whatsapp: "WhatsApp", wechat: "WeChat", line: "LINE", telegram: "Telegram", viber: "Viber", messenger: "Messenger", instagram: "Instagram", rcs: "RCS" };
const TRIGGERS = {
  denied: "the policy does not allow it there", failed: "it could not be delivered", window_closed: "the messaging window was closed",
  no_receipt: "no receipt came in time", in_doubt: "nobody knows whether it arrived",
};

/** A channel as people write it. */
export const channelName = (channel) => CHANNELS[channel] ?? channel;

export class Messages {
  #options;

  /** `{again(pending), discard(pending), mayQuote(row), quote(row)}`; all absent where nothing can be done about a message. */
  constructor(options = {}) {
    this.#options = options;
  }

  /** A row's element, kept and updated by `reconcile`. */
  row(row) {
    if (row.kind === "day") return { element: h("li", { className: "day" }, h("span", { textContent: dayName(row.at) })) };
    if (row.kind === "notice") return { element: h("li", { className: "notice", title: fullTime(row.at) }, h("span", { textContent: row.text }), h("time", { textContent: ` ${clockTime(row.at)}` })) };
    return this.#message(row);
  }

  #message(row) {
    const { content } = row;
    const author = h("span", { className: "author", textContent: row.inbound ? row.author : row.author || "You" });
    let quoted = null;
    const quote = h("button", { type: "button", className: "quote", dir: "auto", title: "Show it", hidden: true, on: { click: ({ target }) => goTo(quoted.id, target) } });
    const bubble = h("div", { className: "bubble", dir: "auto" }, quote);
    if (content.label) bubble.append(h("span", { className: "kind", textContent: content.label }));
    if (content.media) bubble.append(mediaElement(content.media));
    if (content.text) bubble.append(h("p", {}, ...linked(content.text)));
    if (content.options?.length) bubble.append(h("ul", { className: "options", attrs: { role: "list", "aria-label": "Choices offered" } }, ...content.options.map((title) => h("li", { textContent: title }))));
    if (content.link) bubble.append(h("a", { href: content.link, target: "_blank", rel: "noopener noreferrer", textContent: "Show on a map" }));
    const meta = h("div", { className: "meta", attrs: { "aria-live": "off" } });
    const element = h("li", { className: `message ${row.inbound ? "in" : "out"}`, tabIndex: -1 }, author, bubble, meta);
    if (row.id) element.dataset.message = row.id;
    let shown = "";
    return {
      element,
      update: (now) => {
        element.classList.toggle("first", now.first);
        const delivery = now.inbound ? null : now.pending ? { state: now.pending.state, reason: now.pending.reason } : now.delivery;
        const answerable = this.#options.mayQuote?.(now) ?? false;
        const signature = JSON.stringify([delivery, now.at, now.via, now.quote, answerable]);
        if (signature === shown) return;
        shown = signature;
        quoted = now.quote;
        quote.hidden = quoted === null;
        if (quoted) quote.replaceChildren(h("span", { className: "hidden-text", textContent: "In answer to " }), h("strong", { textContent: quoted.author }), h("span", { className: "quote-words", textContent: quoted.text }));
        element.classList.toggle("bad", ["failed", "refused"].includes(delivery?.state));
        element.classList.toggle("doubt", delivery?.state === "in_doubt");
        meta.replaceChildren(...this.#meta(now, delivery, answerable));
      },
    };
  }

  #meta(row, delivery, answerable) {
    const parts = [h("time", { textContent: clockTime(row.at), title: fullTime(row.at) })];
    if (row.via) parts.push(h("span", { className: "channel small", textContent: row.via }));
    if (answerable) {
      parts.push(h("button", { type: "button", className: "link reply", attrs: { "aria-label": `Reply to “${beginning(row.content)}”` }, on: { click: () => this.#options.quote(row) } }, icon("reply"), h("span", { textContent: "Reply" })));
    }
    if (!delivery) return parts;
    const [mark, label] = DELIVERY[delivery.state] ?? DELIVERY.queued;
    const until = delivery.state === "deferred" && delivery.until ? ` until ${moment(delivery.until)}` : "";
    parts.push(h("span", { className: `delivery ${delivery.state}`, title: delivery.reason || label }, icon(mark), h("span", { textContent: `${label}${until}` })));
    if (delivery.reason && TOLD.includes(delivery.state)) parts.push(h("span", { className: "reason", textContent: delivery.reason }));
    if (delivery.template) parts.push(h("span", { className: "reason", textContent: `Sent as a template: ${delivery.template}` }));
    if (delivery.changed) parts.push(h("span", { className: "reason", textContent: `Changed for the channel: ${delivery.changed}` }));
    if (delivery.instead) {
      const { by, trigger, rule, reason, message } = delivery.instead;
      parts.push(h("span", { className: "reason detour", textContent: `Sent by ${channelName(by)} instead: ${reason || TRIGGERS[trigger] || trigger}${rule ? ` (rule ${rule})` : ""}.` }), jump(message, "Show it"));
    }
    if (delivery.standsFor) {
      const { by, message } = delivery.standsFor;
      parts.push(h("span", { className: "reason detour", textContent: `In place of the message by ${channelName(by)}.` }), jump(message, "Show that one"));
    }
    if (row.pending?.state === "failed" && this.#options.again) {
      parts.push(
        h("button", { type: "button", className: "link", textContent: "Send again", on: { click: () => this.#options.again(row.pending) } }),
        h("button", { type: "button", className: "link", textContent: "Delete", on: { click: () => this.#options.discard(row.pending) } }));
    }
    return parts;
  }
}

/** A way to the other message. */
function jump(message, textContent) {
  return h("button", { type: "button", className: "link", textContent, on: { click: ({ target }) => goTo(message, target) } });
}

/** To another message of the transcript that `from` is in; it may not have been loaded. */
function goTo(message, from) {
  const there = from.closest("ol")?.querySelector(`[data-message="${CSS.escape(message)}"]`);
  there?.scrollIntoView({ block: "center", behavior: "smooth" });
  there?.focus({ preventScroll: true });
}

/** Who said it, as far as a message tells. */
const nameOf = ({ sender }) => sender?.name || AUTHORS[sender?.kind] || "";

/** What is shown of a message that another one quotes. */
function quoteOf(item) {
  return item && { id: item.id, author: nameOf(item) || (item.inbound ? "Customer" : "You"), text: beginning(item.content) };
}

/** What to draw: days between, the transcript, and then what is on its way. */
export function rows(transcript, pending) {
  const drawn = [];
  let before = null;
  const all = [...transcript.items, ...pending.map((one) => ({ kind: "message", key: one.commandId, at: one.at, inbound: false, author: "", content: one.content, pending: one, channel: one.address?.channel ?? "", replyTo: one.replyTo }))];
  const several = transcript.channels.size > 1;
  for (const item of all) {
    const date = item.at === null ? before?.date : new Date(item.at).toDateString();
    if (date !== before?.date) drawn.push({ kind: "day", key: `day ${date} ${item.key}`, at: item.at });
    const author = nameOf(item);
    const group = `${item.kind} ${item.inbound} ${author} ${item.channel ?? ""}`;
    drawn.push(item.kind === "notice" ? item : {
      ...item, author, first: group !== before?.group || date !== before?.date, delivery: item.id ? transcript.delivery(item.id) : null,
      quote: quoteOf(transcript.quoted(item)),
      via: several && item.channel && item.channel !== "none" ? channelName(item.channel) : "",
    });
    before = { date, group };
  }
  return drawn;
}

function linked(text) {
  return pieces(text).map((piece) => (piece.href
    ? h("a", { href: piece.href, target: "_blank", rel: "noopener noreferrer nofollow", textContent: piece.text }) : piece.text));
}
