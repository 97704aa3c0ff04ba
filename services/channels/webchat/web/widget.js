/**
 * The embeddable chat. One tag puts it on a page:
 *
 *   <script type="module" src="https://chat.example.com/webchat/shop/widget.js"></script>
 *
 * Server and account come from the address this file was loaded from. Options are `data-` attributes of the tag
 * (`title`, `locale`, `color`, `theme`, `open`, `user-id`, `user-hash`, `jwt`) or, set before, the object
 * `window.heliographWebchat = { title, locale, color, theme: "auto"|"light"|"dark", open, identity: {jwt} or
 * {user_id, user_hash} }`. The element itself has `open()`, `close()`, `toggle()`, `identify(identity)`, `logout()`.
 *
 * A page's policy has to allow this server in `script-src` and `connect-src`, and in `img-src` to show pictures in
 * line; no inline script or style is used.
 */

import { Session } from "./session.js";
import { browserStorage, Persisted } from "./storage.js";
import { stringsFor } from "./strings.js";
import { sheets } from "./styles.js";
import { accentRules } from "./color.js";
import { ChatView } from "./view.js";

const HERE = new URL(".", import.meta.url);

/** Where the server of the account at `base` (…/webchat/<account>/) listens. */
export function endpoints(base) {
  const ws = new URL("ws", base);
  ws.protocol = ws.protocol === "http:" ? "ws:" : "wss:";
  return { ws: ws.href, history: new URL("history", base).href, uploads: new URL("uploads", base).href };
}

export class HeliographChat extends HTMLElement {
  #view = null;
  #session = null;
  #persisted = null;
  #tab = null;
  #listeners = null;

  /** Set before the element is connected; see the head of this file. */
  config = this.config ?? {};

  connectedCallback() {
    if (this.#view) return;
    const { config } = this;
    const base = new URL(this.getAttribute("server") ?? HERE.href, document.baseURI);
    const strings = stringsFor([config.locale, document.documentElement.lang, ...navigator.languages]);
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = sheets(accentRules(config.color));
    this.lang = strings.language;
    if (["light", "dark"].includes(config.theme)) this.dataset.theme = config.theme;

    this.#persisted = new Persisted(browserStorage("localStorage"), base.href);
    this.#tab = browserStorage("sessionStorage");
    this.#session = new Session({
      urls: endpoints(base),
      persisted: this.#persisted,
      identity: config.identity ?? null,
      // The query and fragment of a page can hold secrets, and are none of our business.
      page: () => ({ url: location.origin + location.pathname, title: document.title, locale: strings.locale }),
      onChange: (what, detail) => this.#changed(what, detail),
    });
    this.#view = new ChatView(root, strings, this.#session, {
      title: config.title || strings.say("title"), base: base.href, onToggle: (open) => this.#toggled(open),
    });
    this.strings = strings;
    this.#listen();
    if (this.#session.known) this.#session.connect();
    const before = this.#tab.getItem(this.#openKey());
    if (before === "1") this.#view.toggle(true, { focus: false });
    else if (config.open && before === null) this.#view.toggle(true, { focus: false });
  }

  disconnectedCallback() {
    this.#listeners?.abort();
    this.#session?.disconnect();
    this.#view = null;
  }

  open() { this.#view?.toggle(true); }
  close() { this.#view?.toggle(false); }
  toggle() { this.#view?.toggle(); }

  /** The visitor has signed in on the page; the thread so far becomes theirs. */
  identify(identity) { this.#session?.identify(identity); }

  /** The visitor has signed out: nothing of them stays in this browser. */
  logout() {
    this.#persisted?.clear();
    this.#session?.identify(null);
    this.close();
  }

  #changed(what, detail) {
    const view = this.#view;
    if (!view) return;
    if (what === "log") view.render();
    else if (what === "connection") view.renderConnection();
    else if (what === "typing") view.renderTyping();
    else if (what === "answer") view.announce(detail);
    else if (what === "notice") view.notice(this.strings.error(detail.code, {}, detail.message));
    if (what === "log" && view.watching) this.#session.seen();
  }

  #toggled(open) {
    this.#tab.setItem(this.#openKey(), open ? "1" : "0");
    if (!open) return;
    // Nobody is greeted by a connection, or remembered, before they open the chat.
    this.#session.connect();
    this.#session.seen();
  }

  #openKey() { return `heliograph:webchat:${HERE.href}:open`; }

  #listen() {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const session = this.#session;
    const back = () => {
      if (document.visibilityState !== "visible") return;
      // Another window took over while this one was hidden; whoever looks here wants it here.
      if (["replaced", "waiting"].includes(session.connection.name)) session.transport.retryNow();
      if (this.#view?.watching) session.seen();
    };
    document.addEventListener("visibilitychange", back, { signal });
    globalThis.addEventListener("pageshow", back, { signal });
    globalThis.addEventListener("online", () => {
      if (session.connection.name === "waiting") session.transport.retryNow();
      this.#view?.renderConnection();
    }, { signal });
    globalThis.addEventListener("offline", () => this.#view?.renderConnection(), { signal });
    const viewport = globalThis.visualViewport;
    // The keyboard of a phone covers the lower part of a full-screen panel unless we follow the visible part.
    viewport?.addEventListener("resize", () => this.style.setProperty("--visible-height", `${viewport.height}px`), { signal });
  }
}

/** The options from the tag that loaded this file, over those of the page's object. */
function pageConfig() {
  const tag = [...document.querySelectorAll("script[type=module][src]")].find((script) => script.src === import.meta.url);
  const data = tag?.dataset ?? {};
  const identity = data.jwt ? { jwt: data.jwt } : data.userId && { user_id: data.userId, user_hash: data.userHash ?? "" };
  const given = {
    title: data.title, locale: data.locale, color: data.color, theme: data.theme,
    open: "open" in data ? data.open !== "false" : undefined, identity: identity || undefined,
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...globalThis.heliographWebchat, ...set };
}

function start() {
  let chat = document.querySelector("heliograph-chat");
  const config = pageConfig();
  if (chat) {
    chat.config = config;
    globalThis.customElements.define("heliograph-chat", HeliographChat);
    return;
  }
  globalThis.customElements.define("heliograph-chat", HeliographChat);
  chat = document.createElement("heliograph-chat");
  chat.config = config;
  document.body.append(chat);
}

if (!globalThis.customElements.get("heliograph-chat")) start();
