/** The open conversation: head, transcript, composer. */

import { clear, h, icon, reconcile, setText } from "./dom.js";
import { bytes, clockTime, dayName, fullTime, pieces, span, words } from "./format.js";
import { customerOf } from "./model.js";

const AT_END_PX = 60;
const DELIVERY = {
  sending: ["queued", "Sending"], accepted: ["queued", "Queued"], queued: ["queued", "Queued"], deferred: ["queued", "Waiting"], sent: ["sent", "Sent"],
  delivered: ["delivered", "Delivered"], read: ["delivered", "Read"], failed: ["failed", "Failed"], refused: ["failed", "Not allowed"], in_doubt: ["doubt", "In doubt"],
};

export class ConversationView {
  #client;
  #actions;
  #parts = {};
  #shown = null;
  #oldest = null;
  #atEnd = true;
  #drafts = new Map();

  constructor(client, actions) {
    this.#client = client;
    this.#actions = actions;
    this.#build();
  }

  focusComposer() {
    this.#parts.input.focus();
  }

  render(now) {
    const { desk, line } = this.#client;
    const part = this.#parts;
    const conversation = desk.current();
    part.empty.hidden = conversation !== null;
    part.body.hidden = conversation === null;
    document.getElementById("desk").classList.toggle("has-conversation", conversation !== null);
    if (!conversation) {
      this.#keepDraft();
      this.#shown = null;
      return;
    }
    if (this.#shown !== conversation) this.#switch(conversation);
    const { transcript } = conversation;
    const open = conversation.state === "assigned" || conversation.state === "open";
    setText(part.title, customerOf(conversation));
    setText(part.channel, conversation.address?.channel ?? "");
    part.channel.hidden = part.channel.textContent === "";
    const until = conversation.state === "wrap_up" && conversation.until ? `, ${span(conversation.until - now)} left` : "";
    setText(part.state, open ? "" : `${words(conversation.state)}${until}`);
    part.close.hidden = !open;
    part.transfer.hidden = !open;
    part.finish.hidden = conversation.state !== "wrap_up";
    part.composer.hidden = !open;
    part.over.hidden = open;
    setText(part.over, conversation.state === "wrap_up" ? "Closed for the customer. Finish your notes, then take the next one." : "This conversation is closed.");
    part.send.disabled = part.input.value.trim() === "";
    setText(part.hint, line.name === "ready" ? "" : "Not connected: what you send now goes out when the line is back.");

    const [height, top] = [part.scroller.scrollHeight, part.scroller.scrollTop];
    const grewBefore = this.#oldest !== null && transcript.oldest !== null && transcript.oldest < this.#oldest;
    part.scroller.setAttribute("aria-busy", String(!transcript.loaded));
    reconcile(part.items, rows(transcript, desk.pendingIn(conversation.id)), (row) => row.key, (row) => this.#row(row));
    part.earlier.hidden = !transcript.more || !transcript.loaded;
    part.earlier.disabled = this.#client.loading(conversation);
    setText(part.loading, transcript.loaded ? "" : "Loading the history…");
    this.#oldest = transcript.oldest;
    const typing = desk.typing(conversation, now);
    part.typing.hidden = !typing;
    setText(part.typingText, typing ? `${customerOf(conversation)} is writing…` : "");
    if (this.#atEnd) this.#toEnd();
    else if (grewBefore) part.scroller.scrollTop = top + part.scroller.scrollHeight - height;
  }

  #switch(conversation) {
    const part = this.#parts;
    this.#keepDraft();
    this.#shown = conversation;
    this.#oldest = null;
    clear(part.items);
    part.input.value = this.#drafts.get(conversation.id) ?? "";
    this.#fit();
    this.#atEnd = true;
  }

  #keepDraft() {
    if (this.#shown) this.#drafts.set(this.#shown.id, this.#parts.input.value);
  }

  #build() {
    const part = this.#parts;
    const client = this.#client;
    part.empty = h("div", { className: "nothing" }, h("p", { className: "muted", textContent: "Choose a conversation, or accept the next offer." }));
    part.title = h("h2", {});
    part.channel = h("span", { className: "channel" });
    part.state = h("span", { className: "muted" });
    part.close = h("button", { type: "button", className: "quiet", textContent: "Close…", attrs: { "aria-keyshortcuts": "Alt+W" }, on: { click: () => this.#actions.close(this.#shown) } });
    part.transfer = h("button", { type: "button", className: "quiet", textContent: "Transfer…", on: { click: () => this.#actions.transfer(this.#shown) } });
    part.finish = h("button", { type: "button", className: "primary", textContent: "Finish wrap-up", on: { click: () => client.finish(this.#shown.id) } });
    const back = h("button", { type: "button", className: "plain back", title: "Back to the list", attrs: { "aria-label": "Back to the list" }, on: { click: () => client.select(null) } }, icon("back"));
    const head = h("header", { className: "head" }, back, h("div", { className: "head-who" }, part.title, part.channel, part.state), h("div", { className: "buttons" }, part.transfer, part.close, part.finish));

    part.earlier = h("button", { type: "button", className: "quiet earlier", textContent: "Show earlier messages", hidden: true, on: { click: () => client.loadEarlier(this.#shown) } });
    part.loading = h("p", { className: "muted center" });
    part.items = h("ol", { className: "items", attrs: { role: "list" } });
    part.typing = h("div", { className: "typing", hidden: true, attrs: { "aria-hidden": "true" } }, h("i"), h("i"), h("i"));
    part.typingText = h("span", { className: "hidden-text", attrs: { role: "status" } });
    part.scroller = h("div", {
      className: "scroller", tabIndex: 0, attrs: { role: "log", "aria-label": "Transcript", "aria-live": "polite", "aria-relevant": "additions" },
      on: { scroll: () => { this.#atEnd = part.scroller.scrollHeight - part.scroller.scrollTop - part.scroller.clientHeight < AT_END_PX; } },
    }, part.earlier, part.loading, part.items, part.typing);
    const follow = new ResizeObserver(() => { if (this.#atEnd) this.#toEnd(); });
    follow.observe(part.scroller);
    follow.observe(part.items);

    part.input = h("textarea", {
      rows: 2, placeholder: "Write an answer…", dir: "auto", attrs: { "aria-label": "Your answer", "aria-describedby": "composer-hint", autocomplete: "off" },
      on: { input: () => this.#edited(), keydown: (event) => this.#key(event) },
    });
    part.send = h("button", { type: "submit", className: "primary send", disabled: true }, icon("send"), h("span", { textContent: "Send" }));
    part.hint = h("p", { id: "composer-hint", className: "muted small", attrs: { role: "status" } });
    part.composer = h("form", { className: "composer", on: { submit: (event) => { event.preventDefault(); this.#submit(); } } }, h("div", { className: "composer-row" }, part.input, part.send), part.hint);
    part.over = h("p", { className: "over muted" });
    part.body = h("div", { className: "thread", hidden: true }, head, part.scroller, part.typingText, part.composer, part.over);
    document.getElementById("conversation").replaceChildren(part.empty, part.body);
  }

  #row(row) {
    if (row.kind === "day") return { element: h("li", { className: "day" }, h("span", { textContent: dayName(row.at) })) };
    if (row.kind === "notice") return { element: h("li", { className: "notice", title: fullTime(row.at) }, h("span", { textContent: row.text }), h("time", { textContent: ` ${clockTime(row.at)}` })) };
    return this.#message(row);
  }

  #message(row) {
    const { content } = row;
    const author = h("span", { className: "author", textContent: row.inbound ? row.author : row.author || "You" });
    const bubble = h("div", { className: "bubble", dir: "auto" });
    if (content.label) bubble.append(h("span", { className: "kind", textContent: content.label }));
    if (content.media) bubble.append(mediaOf(content.media));
    if (content.text) bubble.append(h("p", {}, ...linked(content.text)));
    if (content.options?.length) bubble.append(h("ul", { className: "options", attrs: { role: "list", "aria-label": "Choices offered" } }, ...content.options.map((title) => h("li", { textContent: title }))));
    if (content.link) bubble.append(h("a", { href: content.link, target: "_blank", rel: "noopener noreferrer", textContent: "Show on a map" }));
    const meta = h("div", { className: "meta", attrs: { "aria-live": "off" } });
    const element = h("li", { className: `message ${row.inbound ? "in" : "out"}` }, author, bubble, meta);
    let shown = "";
    return {
      element,
      update: (now) => {
        element.classList.toggle("first", now.first);
        const delivery = now.inbound ? null : now.pending ? { state: now.pending.state, reason: now.pending.reason } : now.delivery;
        const signature = JSON.stringify([delivery, now.at]);
        if (signature === shown) return;
        shown = signature;
        element.classList.toggle("bad", ["failed", "refused"].includes(delivery?.state));
        element.classList.toggle("doubt", delivery?.state === "in_doubt");
        meta.replaceChildren(...this.#meta(now, delivery));
      },
    };
  }

  #meta(row, delivery) {
    const parts = [h("time", { textContent: clockTime(row.at), title: fullTime(row.at) })];
    if (row.channel) parts.push(h("span", { className: "channel small", textContent: row.channel }));
    if (!delivery) return parts;
    const [mark, label] = DELIVERY[delivery.state] ?? DELIVERY.queued;
    const until = delivery.until ? ` until ${clockTime(delivery.until)}` : "";
    parts.push(h("span", { className: `delivery ${delivery.state}`, title: delivery.reason || label }, icon(mark), h("span", { textContent: `${label}${until}` })));
    if (delivery.reason && ["failed", "refused", "in_doubt", "deferred"].includes(delivery.state)) parts.push(h("span", { className: "reason", textContent: delivery.reason }));
    if (delivery.changed) parts.push(h("span", { className: "reason", textContent: `Changed for the channel: ${delivery.changed}` }));
    if (row.pending?.state === "failed") {
      parts.push(
        h("button", { type: "button", className: "link", textContent: "Send again", on: { click: () => this.#client.again(row.pending) } }),
        h("button", { type: "button", className: "link", textContent: "Delete", on: { click: () => this.#client.discard(row.pending) } }));
    }
    return parts;
  }

  #key(event) {
    // While an input method composes a word, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const part = this.#parts;
    const text = part.input.value.trim();
    if (!text || !this.#shown) return;
    part.input.value = "";
    this.#fit();
    this.#atEnd = true;
    this.#client.reply(this.#shown.id, text);
    this.#client.typing(this.#shown.id, false);
    part.input.focus();
  }

  #edited() {
    const part = this.#parts;
    const empty = part.input.value.trim() === "";
    this.#fit();
    part.send.disabled = empty;
    if (this.#shown) this.#client.typing(this.#shown.id, !empty);
  }

  #fit() {
    const { input } = this.#parts;
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  }

  #toEnd() {
    const { scroller } = this.#parts;
    scroller.scrollTop = scroller.scrollHeight;
  }
}

/** What to draw: days between, the transcript, and then what is on its way. */
function rows(transcript, pending) {
  const drawn = [];
  let before = null;
  const all = [...transcript.items, ...pending.map((one) => ({ kind: "message", key: one.commandId, at: one.at, inbound: false, author: "", content: one.content, pending: one }))];
  for (const item of all) {
    const date = item.at === null ? before?.date : new Date(item.at).toDateString();
    if (date !== before?.date) drawn.push({ kind: "day", key: `day ${date} ${item.key}`, at: item.at });
    const author = item.sender?.name ?? "";
    const group = `${item.kind} ${item.inbound} ${author}`;
    drawn.push(item.kind === "notice" ? item : {
      ...item, author, first: group !== before?.group || date !== before?.date, delivery: item.id ? transcript.delivery(item.id) : null,
    });
    before = { date, group };
  }
  return drawn;
}

function linked(text) {
  return pieces(text).map((piece) => (piece.href
    ? h("a", { href: piece.href, target: "_blank", rel: "noopener noreferrer nofollow", textContent: piece.text }) : piece.text));
}

function mediaOf(media) {
  const label = [media.name, bytes(media.size)].filter(Boolean).join(", ");
  const asFile = () => h(media.url ? "a" : "span", {
    className: "file", ...(media.url ? { href: media.url, target: "_blank", rel: "noopener noreferrer" } : {}),
  }, icon("file"), h("span", { textContent: label }));
  if (!media.url || !/^image\/(?:png|jpe?g|gif|webp|avif)$/u.test(media.type)) return asFile();
  const image = h("img", { src: media.url, alt: media.name, loading: "lazy" });
  const frame = h("a", { className: "picture", href: media.url, target: "_blank", rel: "noopener noreferrer" }, image);
  image.addEventListener("error", () => frame.replaceWith(asFile()));
  return frame;
}
