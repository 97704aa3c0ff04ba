/** The launcher and the panel. Shows what the session holds and passes on what the visitor does; decides nothing. */

import { Composer } from "./composer.js";
import { h, icon, iconButton } from "./dom.js";
import { authorOf, MessageList } from "./messages.js";
import { waitingWords } from "./waiting.js";

/** Narrower than this, the panel covers the screen and keeps the focus inside. */
const SMALL = "(max-width: 480px), (max-height: 420px)";
/** Closer than this to the end counts as being at the end. */
const AT_END_PX = 48;
const NOTICE_MS = 8_000;

export class ChatView {
  #root;
  #strings;
  #session;
  #options;
  #parts = {};
  #list;
  #composer;
  #small = globalThis.matchMedia(SMALL);
  #noticeTimer = null;
  #wasLoading = false;
  /** The visitor is at the end of the conversation, and stays there when it grows. */
  #atEnd = true;
  #firstShown = null;
  #unsentShown = 0;
  #wasCut = false;

  /**
   * @param {ShadowRoot} root
   * @param {object} strings
   * @param {import("./session.js").Session} session
   * @param {{title: string, base: string, onToggle: (open: boolean) => void}} options
   */
  constructor(root, strings, session, options) {
    this.#root = root;
    this.#strings = strings;
    this.#session = session;
    this.#options = options;
    this.open = false;
    this.#build();
    this.#small.addEventListener("change", () => this.#modality());
    this.render();
  }

  toggle(open = !this.open, { focus = true } = {}) {
    if (open === this.open) return;
    this.open = open;
    const { panel, launcher } = this.#parts;
    panel.hidden = !open;
    this.#root.host.toggleAttribute("data-open", open);
    launcher.setAttribute("aria-expanded", String(open));
    const label = this.#strings.say(open ? "close" : "open");
    launcher.title = label;
    launcher.querySelector(".launcher-label").textContent = label;
    this.#options.onToggle(open);
    this.render();
    if (open) this.#toEnd();
    if (focus) (open ? this.#composer : launcher).focus();
  }

  /** Something that deserves a sentence, e.g. an error. */
  notice(text) {
    const { notice, noticeText } = this.#parts;
    clearTimeout(this.#noticeTimer);
    noticeText.textContent = text;
    notice.hidden = false;
    this.#noticeTimer = setTimeout(() => { notice.hidden = true; }, NOTICE_MS);
  }

  /** A live answer came: say so to those who do not see the panel. */
  announce(entry) {
    if (!this.open) this.#parts.announcer.textContent = this.#strings.say("newMessage", { name: authorOf(entry, this.#strings) });
  }

  render() {
    const { scroller, earlier, greeting, historyFailed } = this.#parts;
    const { log, loading } = this.#session;
    const [height, top, first] = [scroller.scrollHeight, scroller.scrollTop, log.firstSeq];
    const prepended = first !== null && this.#firstShown !== null && first < this.#firstShown;
    const wrote = log.unsent().length > this.#unsentShown;

    // What is loaded from the past is not news: assistive technology is told to wait until it stands.
    if (loading !== this.#wasLoading || prepended) scroller.setAttribute("aria-busy", String(loading || prepended));
    this.#wasLoading = loading;
    this.#list.render(log);
    if (prepended) setTimeout(() => scroller.setAttribute("aria-busy", "false"), 0);

    greeting.hidden = log.more || log.entries().length > 0;
    earlier.hidden = !log.more;
    earlier.disabled = loading;
    earlier.textContent = this.#strings.say(loading ? "loading" : "earlier");
    historyFailed.hidden = !this.#session.historyFailed;
    this.#firstShown = first;
    this.#unsentShown = log.unsent().length;
    this.renderTyping();
    this.renderConnection();
    this.#wait(log);
    this.#badge(log.unread());
    if (wrote || this.#atEnd) this.#toEnd();
    else if (prepended) scroller.scrollTop = top + scroller.scrollHeight - height;
  }

  renderTyping() {
    const { typing, typingText } = this.#parts;
    const { agent } = this.#session;
    typing.hidden = !agent.typing;
    const text = agent.typing ? this.#strings.say("typing", { name: agent.name || this.#strings.say("agent") }) : "";
    if (typingText.textContent !== text) typingText.textContent = text;
    if (this.#atEnd) this.#toEnd();
  }

  renderConnection() {
    const { banner, bannerText, bannerButton, status, dot } = this.#parts;
    const { say, error } = this.#strings;
    const { connection, agent } = this.#session;
    const offline = globalThis.navigator.onLine === false;
    const ready = connection.name === "ready";
    // Between two tries the banner stays, so that it does not flicker.
    if (ready || connection.name === "idle") this.#wasCut = false;
    if (["waiting", "replaced", "failed"].includes(connection.name) || (offline && !ready)) this.#wasCut = true;
    banner.hidden = !this.#wasCut;
    let [text, button] = [say("reconnecting"), say("retryNow")];
    if (offline) [text, button] = [say("offline"), ""];
    else if (connection.name === "replaced") [text, button] = [say("replaced"), say("useHere")];
    else if (connection.name === "failed") [text, button] = [error(connection.reason), say("retry")];
    if (this.#wasCut && bannerText.textContent !== text) bannerText.textContent = text;
    bannerButton.textContent = button;
    bannerButton.hidden = button === "" || connection.name === "connecting";
    dot.classList.toggle("on", ready);
    const trying = ["connecting", "waiting"].includes(connection.name);
    const line = trying ? say("connecting") : agent.name || (ready || connection.name === "idle" ? say("online") : "");
    if (status.textContent !== line) status.textContent = line;
  }

  /** How the visitor waits, and what they may choose instead. */
  #wait(log) {
    const { wait, waitText, waitChoices } = this.#parts;
    const entry = log.waiting;
    wait.hidden = entry === null;
    if (!entry) return;
    const text = waitingWords(entry, this.#strings);
    if (waitText.textContent !== text) waitText.textContent = text;
    const chosen = log.chosen(entry);
    if (wait.dataset.entry !== entry.id) {
      wait.dataset.entry = entry.id;
      waitChoices.replaceChildren(...entry.choices.map((choice) => h("button", {
        type: "button", className: "choice", textContent: choice.title, on: { click: () => this.#session.choose(entry, choice) },
      })));
    }
    for (const button of waitChoices.children) button.disabled = chosen;
  }

  /** Whether the visitor has the end of the conversation before their eyes. */
  get watching() {
    return this.open && document.visibilityState === "visible";
  }

  #build() {
    const { say } = this.#strings;
    const session = this.#session;
    const part = this.#parts;
    this.#list = new MessageList(this.#strings, {
      base: this.#options.base,
      choose: (entry, choice) => { session.choose(entry, choice); this.#composer.focus(); },
      retry: (cid) => session.retry(cid),
      discard: (cid) => { session.discard(cid); this.#composer.focus(); },
    });
    this.#composer = new Composer(this.#strings, {
      say: (text, attachments) => session.say(text, attachments),
      typing: () => session.typing(),
      notice: (text) => this.notice(text),
      limits: () => session.limits,
      target: () => session.uploadTarget(),
    });

    part.announcer = h("p", { className: "hidden-text", attrs: { role: "status" } });
    part.dot = h("span", { className: "dot", attrs: { "aria-hidden": "true" } });
    part.status = h("p", { className: "status" });
    const header = h("div", { className: "header" },
      h("span", { className: "mark", attrs: { "aria-hidden": "true" } }, icon("chat"), part.dot),
      h("div", { className: "heading" }, h("h2", { id: "title", textContent: this.#options.title }), part.status),
      iconButton("close", say("close"), "header-close", () => this.toggle(false)));

    part.bannerText = h("span", {});
    part.bannerButton = h("button", { type: "button", className: "link", on: { click: () => session.transport.retryNow() } });
    part.banner = h("div", { className: "banner", hidden: true, attrs: { role: "status" } }, part.bannerText, part.bannerButton);

    part.earlier = h("button", { type: "button", className: "earlier", on: { click: () => session.loadEarlier() } });
    part.historyFailed = h("p", { className: "small", hidden: true, textContent: say("historyFailed"), attrs: { role: "status" } });
    part.greeting = h("p", { className: "greeting", textContent: say("greeting") });
    part.scroller = h("div", {
      className: "scroller", tabIndex: 0,
      attrs: { role: "log", "aria-label": say("log"), "aria-live": "polite", "aria-relevant": "additions" },
    }, part.earlier, part.historyFailed, part.greeting, this.#list.element);

    part.scroller.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = part.scroller;
      this.#atEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    }, { passive: true });
    // Pictures arrive late, banners come and go: whoever was at the end stays there.
    const follow = new ResizeObserver(() => { if (this.#atEnd) this.#toEnd(); });
    follow.observe(part.scroller);
    follow.observe(this.#list.element);

    part.typingText = h("span", { className: "hidden-text" });
    part.typing = h("div", { className: "typing", hidden: true },
      h("span", { className: "bubble", attrs: { "aria-hidden": "true" } }, h("i"), h("i"), h("i")));
    part.scroller.append(part.typing);
    const typingStatus = h("div", { attrs: { role: "status" } }, part.typingText);

    part.waitText = h("p", { attrs: { role: "status" } });
    part.waitChoices = h("div", { className: "choices" });
    part.wait = h("div", { className: "wait", hidden: true }, icon("clock"), part.waitText, part.waitChoices);

    part.noticeText = h("span", {});
    part.notice = h("div", { className: "notice", hidden: true, attrs: { role: "alert" } }, part.noticeText,
      iconButton("close", say("dismiss"), "cancel", () => { part.notice.hidden = true; this.#composer.focus(); }));

    part.panel = h("section", {
      id: "panel", className: "panel", hidden: true, attrs: { role: "dialog", "aria-labelledby": "title" },
      on: { keydown: (event) => this.#key(event), dragover: (event) => event.preventDefault(), drop: (event) => this.#drop(event) },
    }, header, part.banner, part.scroller, typingStatus, part.wait, part.notice, this.#composer.element);

    part.badge = h("span", { className: "badge", hidden: true, attrs: { "aria-hidden": "true" } });
    part.badgeText = h("span", { className: "hidden-text" });
    part.launcher = h("button", {
      type: "button", className: "launcher", title: say("open"),
      attrs: { "aria-expanded": "false", "aria-controls": "panel", "aria-haspopup": "dialog" },
      on: { click: () => this.toggle() },
    }, icon("chat"), icon("down"), h("span", { className: "hidden-text launcher-label", textContent: say("open") }), part.badgeText, part.badge);

    this.#root.replaceChildren(part.announcer, part.panel, part.launcher);
    this.#modality();
  }

  #badge(count) {
    const { badge, badgeText } = this.#parts;
    badge.hidden = count === 0 || this.open;
    badge.textContent = count > 99 ? "99+" : String(count);
    badgeText.textContent = count === 0 || this.open ? "" : `, ${this.#strings.say("unread", { n: count })}`;
  }

  #toEnd() {
    const { scroller } = this.#parts;
    this.#atEnd = true;
    scroller.scrollTop = scroller.scrollHeight;
  }

  #modality() {
    if (this.#small.matches) this.#parts.panel.setAttribute("aria-modal", "true");
    else this.#parts.panel.removeAttribute("aria-modal");
  }

  #key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.toggle(false);
    } else if (event.key === "Tab" && this.#small.matches) {
      this.#keepFocus(event);
    }
  }

  /** Full screen, the page behind is covered: Tab goes round inside the panel. */
  #keepFocus(event) {
    const stops = [...this.#parts.panel.querySelectorAll("button, a[href], textarea, [tabindex='0']")]
      .filter((element) => !element.disabled && element.offsetParent !== null);
    const [first, last] = [stops[0], stops.at(-1)];
    const active = this.#root.activeElement;
    if (event.shiftKey ? active === first : active === last) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  }

  #drop(event) {
    const files = event.dataTransfer?.files ?? [];
    if (files.length === 0) return;
    event.preventDefault();
    this.#composer.add(files);
  }
}
