/** The open conversation: head, transcript, composer. */

import { Attachments } from "./attachments.js";
import { countdown, mayQuote, prospect, sameAddress } from "./answering.js";
import { clear, h, icon, reconcile, setText } from "./dom.js";
import { clockTime, moment, span, words } from "./format.js";
import { Messages, channelName, rows } from "./messages.js";
import { customerOf, mayWrite, windowOf } from "./model.js";
import { partNotes } from "./parts.js";
import { beginning, referenceTo, time } from "./wire.js";

const AT_END_PX = 60;

export class ConversationView {
  #client;
  #actions;
  #parts = {};
  #shown = null;
  #oldest = null;
  #atEnd = true;
  /** Where the transcript was scrolled to last. */
  #top = 0;
  #drafts = new Map();
  #messages;
  /** Ways to continue elsewhere that were made and not used yet: conversation → offer. */
  #offers = new Map();
  /** Addresses that the agent chose to answer: conversation → address. */
  #chosen = new Map();
  /** Messages that the next answer quotes: conversation → message. */
  #quotes = new Map();

  constructor(client, actions) {
    this.#client = client;
    this.#actions = actions;
    this.#messages = new Messages({
      again: (pending) => client.again(pending), discard: (pending) => client.discard(pending),
      mayQuote: (message) => this.#mayQuote(message), quote: (message) => this.#quote(message),
    });
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
    const alive = conversation.state === "assigned" || conversation.state === "open";
    const open = mayWrite(conversation);
    const mine = alive && conversation.part === "answers";
    setText(part.title, customerOf(conversation));
    setText(part.channel, channelName(conversation.address?.channel ?? ""));
    part.channel.hidden = part.channel.textContent === "";
    const until = conversation.state === "wrap_up" && conversation.until ? `, ${span(conversation.until - now)} left` : "";
    setText(part.state, alive ? "" : `${words(conversation.state)}${until}`);
    part.close.hidden = !mine;
    part.transfer.hidden = !mine;
    part.consult.hidden = !mine || conversation.consult !== null;
    part.endConsult.hidden = !mine || conversation.consult === null;
    part.takeOver.hidden = !alive || conversation.part !== "joined";
    part.leave.hidden = !alive || conversation.part !== "joined";
    part.finish.hidden = conversation.state !== "wrap_up";
    part.composer.hidden = !open;
    part.advice.hidden = !alive || conversation.part !== "advises";
    part.over.hidden = alive;
    const notes = partNotes(conversation, desk.me, moment);
    part.notes.hidden = notes.length === 0;
    reconcile(part.notes, notes, (note) => note.key, (note) => {
      const element = h("li", { className: `part-note ${note.tone}`, textContent: note.text });
      return { element, update: (now) => setText(element, now.text) };
    });
    setText(part.over, conversation.state === "wrap_up" ? "Closed for the customer. Finish your notes, then take the next one." : "This conversation is closed.");
    part.send.disabled = !this.#sendable();
    setText(part.hint, line.name === "ready" ? "" : "Not connected: what you send now goes out when the line is back.");
    this.#window(conversation, open, now);
    this.#ways(conversation);
    this.#offer(conversation);
    this.#quoting();

    const [height, top] = [part.scroller.scrollHeight, part.scroller.scrollTop];
    const grewBefore = this.#oldest !== null && transcript.oldest !== null && transcript.oldest < this.#oldest;
    part.scroller.setAttribute("aria-busy", String(!transcript.loaded));
    reconcile(part.items, rows(transcript, desk.pendingIn(conversation.id)), (row) => row.key, (row) => this.#messages.row(row));
    part.earlier.hidden = !transcript.more || !transcript.loaded;
    part.earlier.disabled = this.#client.loading(conversation);
    setText(part.loading, transcript.loaded ? "" : "Loading the history…");
    this.#oldest = transcript.oldest;
    const typing = desk.typing(conversation, now);
    part.typing.hidden = !typing;
    setText(part.typingText, typing ? `${customerOf(conversation)} is writing…` : "");
    if (this.#atEnd) this.#toEnd();
    else if (grewBefore) part.scroller.scrollTop = top + part.scroller.scrollHeight - height;
    this.#look();
  }

  /** A way to continue elsewhere was made. */
  offered(offer) {
    this.#offers.set(offer.conversation, offer);
    if (this.#shown?.id === offer.conversation) this.#offer(this.#shown);
  }

  /** How long the window is open, and what becomes of an answer. */
  #window(conversation, open, now) {
    const part = this.#parts;
    const address = this.#chosen.get(conversation.id) ?? null;
    const left = open ? countdown(windowOf(conversation, address), now) : null;
    part.window.hidden = left === null;
    if (left) {
      setText(part.window, left.text);
      part.window.className = `window ${left.tone}`;
    }
    const way = this.#way(conversation);
    part.attachments.goesBy(way, conversation.reach?.files ?? null);
    const meets = prospect(way, { clock: moment });
    part.notice.hidden = meets === null;
    setText(part.notice, meets?.text ?? "");
    part.notice.className = `notice-box ${meets?.tone ?? ""}`;
  }

  /** The address of the reach that an answer goes by; null while it is not known. */
  #way(conversation) {
    const ways = conversation.reach?.addresses ?? [];
    const address = this.#chosen.get(conversation.id);
    return (address ? ways.find((one) => sameAddress(one, address)) : ways[0]) ?? null;
  }

  #mayQuote(message) {
    const conversation = this.#shown;
    return mayWrite(conversation) && mayQuote(message, this.#way(conversation) ?? this.#chosen.get(conversation.id) ?? conversation.address);
  }

  /** The message that an answer sent now quotes; none that its channel could not show. */
  get #quoted() {
    const message = this.#quotes.get(this.#shown?.id) ?? null;
    return message && this.#mayQuote(message) ? message : null;
  }

  /** The next answer quotes this message, or none. */
  #quote(message) {
    if (message) this.#quotes.set(this.#shown.id, message);
    else this.#quotes.delete(this.#shown.id);
    this.#quoting();
    this.#parts.input.focus();
  }

  /** What the answer quotes, above where it is written. */
  #quoting() {
    const part = this.#parts;
    const message = this.#quoted;
    part.quoting.hidden = message === null;
    setText(part.quotedAuthor, message ? `Reply to ${message.sender.name || customerOf(this.#shown)}` : "");
    setText(part.quotedText, message ? beginning(message.content) : "");
  }

  /** By which of the customer's addresses to answer, where there are several. */
  #ways(conversation) {
    const part = this.#parts;
    const ways = conversation.reach?.addresses ?? [];
    part.way.hidden = ways.length < 2;
    const chosen = this.#chosen.get(conversation.id) ?? null;
    const signature = JSON.stringify([conversation.id, ways.map(({ channel, account, userId, verdict }) => [channel, account, userId, verdict?.outcome]), chosen]);
    if (part.waySelect.dataset.shown !== signature) {
      part.waySelect.dataset.shown = signature;
      const option = (way, index) => h("option", {
        value: String(index), selected: chosen ? sameAddress(way, chosen) : index === 0,
        textContent: `${channelName(way.channel)} · ${way.userId}${way.verdict?.outcome === "OUTCOME_ALLOW" ? "" : ", restricted"}`,
      });
      part.waySelect.replaceChildren(...ways.map(option));
    }
    part.elsewhere.hidden = (conversation.reach?.offers ?? []).length === 0;
  }

  #choose() {
    const conversation = this.#shown;
    const index = Number(this.#parts.waySelect.value);
    const way = conversation.reach?.addresses?.[index];
    if (index === 0 || !way) this.#chosen.delete(conversation.id);
    else this.#chosen.set(conversation.id, { channel: way.channel, account: way.account, userId: way.userId });
    this.render(Date.now());
  }

  /** What to tell the customer who may continue elsewhere, ready to be put into the answer. */
  #offer(conversation) {
    const { offer } = this.#parts;
    const made = this.#offers.get(conversation.id);
    const over = made && (time(made.expiresAt) ?? Number.POSITIVE_INFINITY) <= Date.now();
    if (over) this.#offers.delete(conversation.id);
    offer.hidden = !made || over;
    if (!made || over || offer.dataset.code === made.code) return;
    offer.dataset.code = made.code;
    const { input } = this.#parts;
    const put = () => {
      const text = made.uri ? `${made.text}\n${made.uri}` : made.text;
      input.value = [input.value.trim(), text].filter(Boolean).join("\n\n");
      this.#offers.delete(conversation.id);
      offer.hidden = true;
      this.#edited();
      input.focus();
    };
    const dismiss = () => {
      this.#offers.delete(conversation.id);
      offer.hidden = true;
      input.focus();
    };
    offer.replaceChildren(
      h("p", {}, h("strong", { textContent: `${channelName(made.channel)}: ` }), made.text),
      h("p", { className: "muted small", textContent: `The code ${made.code} can be used once, until ${clockTime(time(made.expiresAt))}.` }),
      h("div", { className: "buttons" },
        h("button", { type: "button", className: "primary", textContent: "Put into the answer", on: { click: put } }),
        h("button", { type: "button", className: "quiet", textContent: "Dismiss", on: { click: dismiss } })));
  }

  #switch(conversation) {
    const part = this.#parts;
    this.#keepDraft();
    this.#shown = conversation;
    this.#oldest = null;
    clear(part.items);
    part.input.value = this.#drafts.get(conversation.id) ?? "";
    part.attachments.show(conversation.id);
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
    part.window = h("span", { className: "window", hidden: true, title: "How long this channel lets you write freely", attrs: { role: "timer", "aria-label": "Messaging window" } });
    part.state = h("span", { className: "muted" });
    part.close = h("button", { type: "button", className: "quiet", textContent: "Close…", attrs: { "aria-keyshortcuts": "Alt+W" }, on: { click: () => this.#actions.close(this.#shown) } });
    part.transfer = h("button", { type: "button", className: "quiet", textContent: "Transfer…", on: { click: () => this.#actions.transfer(this.#shown) } });
    part.finish = h("button", { type: "button", className: "primary", textContent: "Finish wrap-up", on: { click: () => client.finish(this.#shown.id) } });
    part.consult = h("button", { type: "button", className: "quiet", textContent: "Consult…", attrs: { "aria-keyshortcuts": "Alt+K" }, on: { click: () => this.#actions.consult(this.#shown) } });
    part.endConsult = h("button", { type: "button", className: "quiet", textContent: "End consultation", on: { click: () => client.endConsult(this.#shown.id) } });
    part.takeOver = h("button", { type: "button", className: "quiet", textContent: "Take over…", on: { click: () => this.#actions.pull(this.#shown) } });
    part.leave = h("button", { type: "button", className: "primary", textContent: "Leave", on: { click: () => client.leave(this.#shown.id) } });
    const back = h("button", { type: "button", className: "plain back", title: "Back to the list", attrs: { "aria-label": "Back to the list" }, on: { click: () => client.select(null) } }, icon("back"));
    const head = h("header", { className: "head" }, back, h("div", { className: "head-who" }, part.title, part.channel, part.window, part.state), h("div", { className: "buttons" }, part.consult, part.endConsult, part.transfer, part.close, part.takeOver, part.leave, part.finish));
    part.notes = h("ul", { className: "part-notes", hidden: true, attrs: { role: "list", "aria-label": "Who takes part" } });
    const advice = h("textarea", { rows: 2, maxLength: 1_000, placeholder: "What do you advise? Only your colleague reads it.", dir: "auto", attrs: { "aria-label": "Your advice" } });
    const advise = (note) => {
      client.endConsult(this.#shown.id, note);
      advice.value = "";
    };
    part.advice = h("form", { className: "advice", hidden: true, on: { submit: (event) => { event.preventDefault(); advise(advice.value.trim()); } } },
      h("div", { className: "composer-row" }, advice, h("button", { type: "submit", className: "primary", textContent: "Advise and leave" })));

    part.earlier = h("button", { type: "button", className: "quiet earlier", textContent: "Show earlier messages", hidden: true, on: { click: () => client.loadEarlier(this.#shown) } });
    part.loading = h("p", { className: "muted center" });
    part.items = h("ol", { className: "items", attrs: { role: "list" } });
    part.typing = h("div", { className: "typing", hidden: true, attrs: { "aria-hidden": "true" } }, h("i"), h("i"), h("i"));
    part.typingText = h("span", { className: "hidden-text", attrs: { role: "status" } });
    part.scroller = h("div", {
      className: "scroller", tabIndex: 0, attrs: { role: "log", "aria-label": "Transcript", "aria-live": "polite", "aria-relevant": "additions" },
      on: { scroll: () => this.#scrolled() },
    }, part.earlier, part.loading, part.items, part.typing);
    const follow = new ResizeObserver(() => {
      if (this.#atEnd) this.#toEnd();
      this.#look();
    });
    follow.observe(part.scroller);
    follow.observe(part.items);

    part.input = h("textarea", {
      rows: 2, placeholder: "Write an answer…", dir: "auto", attrs: { "aria-label": "Your answer", "aria-describedby": "composer-quoted composer-hint", autocomplete: "off" },
      on: { input: () => this.#edited(), keydown: (event) => this.#key(event), paste: (event) => this.#given(event, event.clipboardData) },
    });
    part.attachments = new Attachments({ upload: (file, how) => this.#actions.attach(file, how), onChange: () => { part.send.disabled = !this.#sendable(); } });
    part.send = h("button", { type: "submit", className: "primary send", disabled: true }, icon("send"), h("span", { textContent: "Send" }));
    part.hint = h("p", { id: "composer-hint", className: "muted small", attrs: { role: "status" } });
    part.notice = h("p", { className: "notice-box", hidden: true, attrs: { role: "status" } });
    part.offer = h("div", { className: "offer-made", hidden: true, attrs: { role: "group", "aria-label": "Continue on another channel" } });
    part.waySelect = h("select", { on: { change: () => this.#choose() } });
    part.way = h("label", { className: "way", hidden: true }, h("span", { textContent: "Answer by" }), part.waySelect);
    part.elsewhere = h("button", { type: "button", className: "link", textContent: "Offer another channel…", hidden: true, on: { click: () => this.#actions.offer(this.#shown) } });
    part.quotedAuthor = h("strong");
    part.quotedText = h("span", { className: "quote-words", dir: "auto" });
    part.quoting = h("div", { className: "quoting", hidden: true }, icon("reply"), h("div", { id: "composer-quoted" }, part.quotedAuthor, part.quotedText),
      h("button", { type: "button", className: "plain", title: "Quote nothing (Esc)", attrs: { "aria-label": "Quote nothing" }, on: { click: () => this.#quote(null) } }, icon("close")));
    part.composer = h("form", { className: "composer", on: { submit: (event) => { event.preventDefault(); this.#submit(); }, keydown: (event) => this.#escape(event), dragover: (event) => event.preventDefault(), drop: (event) => this.#given(event, event.dataTransfer) } },
      part.notice, part.offer, part.quoting, part.attachments.list, h("div", { className: "composer-row" }, part.attachments.button, part.attachments.picker, part.input, part.send), h("div", { className: "composer-foot" }, part.way, part.elsewhere, part.hint));
    part.over = h("p", { className: "over muted" });
    part.body = h("div", { className: "thread", hidden: true }, head, part.notes, part.scroller, part.typingText, part.composer, part.advice, part.over);
    document.getElementById("conversation").replaceChildren(part.empty, part.body);
  }

  #key(event) {
    // While an input method composes a word, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #escape(event) {
    if (event.key !== "Escape" || event.isComposing || !this.#quoted) return;
    event.preventDefault();
    this.#quote(null);
  }

  #submit() {
    const part = this.#parts;
    const text = part.input.value.trim();
    if (!this.#shown || !this.#sendable()) return;
    const quoted = this.#quoted;
    part.input.value = "";
    this.#fit();
    this.#atEnd = true;
    this.#client.reply(this.#shown.id, text, this.#chosen.get(this.#shown.id) ?? null, part.attachments.take(), quoted && referenceTo(quoted));
    this.#quote(null);
    this.#client.typing(this.#shown.id, false);
  }

  #edited() {
    const part = this.#parts;
    const empty = part.input.value.trim() === "";
    this.#fit();
    part.send.disabled = !this.#sendable();
    if (this.#shown) this.#client.typing(this.#shown.id, !empty);
  }

  /** Whether there is something to send, and all of it is here. */
  #sendable() {
    const { input, attachments } = this.#parts;
    return attachments.settled && (attachments.any || input.value.trim() !== "");
  }

  /** Files that were pasted or dropped. */
  #given(event, data) {
    const files = [...data?.files ?? []];
    if (files.length === 0) return;
    event.preventDefault();
    this.#parts.attachments.add(files);
  }

  #fit() {
    const { input } = this.#parts;
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  }

  /** Who scrolls up leaves the end; pictures that grow below do not. */
  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#parts.scroller;
    if (scrollHeight - scrollTop - clientHeight < AT_END_PX) this.#atEnd = true;
    else if (scrollTop < this.#top) this.#atEnd = false;
    this.#top = scrollTop;
    this.#look();
  }

  /** What the agent sees now may be news to the customer. The board and the map cover the transcript. */
  #look() {
    if (!this.#shown) return;
    const visible = document.visibilityState === "visible" && this.#parts.scroller.getClientRects().length > 0;
    this.#client.look(this.#shown.id, { visible, focused: document.hasFocus(), atEnd: this.#atEnd });
  }

  #toEnd() {
    const { scroller } = this.#parts;
    scroller.scrollTop = scroller.scrollHeight;
  }
}
