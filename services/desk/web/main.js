/** Starts the desk: sign in, connect, draw what the model holds, pass on what the agent does. */

import { Reaching, addressWords, countdown } from "./answering.js";
import { Api } from "./api.js";
import { BoardView } from "./board.js";
import { Client } from "./client.js";
import { askWhom } from "./colleagues.js";
import { ConversationView } from "./conversation.js";
import { Details } from "./details.js";
import { askChannel, askClose, confirmThat, showShortcuts } from "./dialogs.js";
import { h, setText } from "./dom.js";
import { askToSignIn, forgetSession, keptSession } from "./login.js";
import { MapView } from "./map.js";
import { channelName } from "./messages.js";
import { customerOf, mayWrite, windowOf } from "./model.js";
import { showPast } from "./past.js";
import { supervising } from "./supervising.js";
import { Sidebar } from "./sidebar.js";
import { announce, toast } from "./toasts.js";

const TICK_MS = 250;
const PRESENCE_KEYS = { Digit1: "online", Digit2: "away", Digit3: "offline" };
const byId = (id) => document.getElementById(id);

function start() {
  const session = keptSession();
  if (session?.token) open(session);
  else askToSignIn("", open);
}

function open(session) {
  const api = new Api({ token: session.token, base: document.baseURI });
  const url = new URL("ws", document.baseURI);
  url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
  let frame = null;
  let ended = false;
  const draw = () => {
    frame = null;
    if (!ended) render();
  };
  const client = new Client({
    url: url.href, token: session.token, agent: session.agent ?? {}, storage: sessionStorage,
    onChange: (happened) => {
      for (const one of happened) tell(client, view, one);
      // A background tab draws no frames, but its title has to tell.
      if (document.visibilityState === "hidden") title(client.desk);
      frame ??= requestAnimationFrame(draw);
    },
    onEnd: ({ reason }) => {
      ended = true;
      leave.abort();
      clearInterval(ticking);
      reaching.want(null);
      map.close();
      board.close();
      forgetSession();
      byId("desk").hidden = true;
      askToSignIn(reason, open);
    },
  });
  const leave = new AbortController();
  const actions = {
    attach: (file, how) => api.attach(file, how),
    close: async (conversation) => {
      const answer = await askClose();
      if (answer) client.close(conversation.id, answer);
      view.focusComposer();
    },
    transfer: async (conversation) => {
      const to = await askWhom({ title: "Transfer the conversation", submit: "Transfer", note: "Note for whoever takes it", load: () => api.colleagues() });
      if (to) client.transfer(conversation.id, to);
    },
    consult: async (conversation) => {
      const to = await askWhom({ title: "Ask for advice", submit: "Ask", note: "What do you want to know?", load: () => api.colleagues() });
      if (to) client.consult(conversation.id, to);
    },
    pull: async (conversation) => {
      const sure = await confirmThat("Take over", `${conversation.agent || "The agent"} loses the conversation, and you answer the customer.`, "Take over");
      if (sure) client.pull(conversation.id);
    },
    offer: async (conversation) => {
      const channel = await askChannel((conversation.reach?.offers ?? []).map((name) => [name, channelName(name)]));
      if (channel && !client.offerChannel(conversation.id, channel)) toast("Not connected: try again when the line is back.", "warn");
    },
    map: () => {
      board.close();
      map.toggle();
    },
    board: () => {
      if (!isSupervisor(session)) return;
      map.close();
      board.toggle();
    },
  };
  const reaching = new Reaching({
    ask: (conversation) => api.reach(conversation),
    onReach: (id, reach) => {
      const conversation = client.desk.conversations.get(id);
      if (!conversation) return;
      conversation.reach = reach;
      frame ??= requestAnimationFrame(draw);
    },
  });
  const map = new MapView(api);
  const board = new BoardView(client, supervising(client, api));
  const sidebar = new Sidebar(client, { onSignOut: () => client.signOut(), onHelp: showShortcuts, onMap: () => actions.map(), onBoard: isSupervisor(session) ? () => actions.board() : null });
  const view = new ConversationView(client, actions);
  const details = new Details({ past: (id, named) => showPast(client, id, named), split: isSupervisor(session) ? (contact, address) => splitOff(api, client, contact, address) : null });
  const render = () => {
    const now = Date.now();
    const current = client.desk.current();
    banner(client);
    sidebar.render(now);
    board.render(now);
    view.render(now);
    details.render(current, client.desk.contacts.get(current?.contact) ?? null, now);
    title(client.desk);
    if (client.line.name === "ready") client.meet(current?.contact);
    reaching.want(current && mayWrite(current) ? current.id : null, markOf(current, now));
  };
  let lastLeft = "";
  const ticking = setInterval(() => {
    sidebar.tick(Date.now());
    const current = client.desk.current();
    const left = current ? countdown(windowOf(current), Date.now())?.text : "";
    if (left !== lastLeft || current?.state === "wrap_up" || document.querySelector(".writing, .typing:not([hidden])")) frame ??= requestAnimationFrame(draw);
    lastLeft = left;
  }, TICK_MS);
  byId("desk").hidden = false;
  shortcuts(client, view, actions, leave.signal);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    client.socket.retryNow();
    client.desk.read(client.desk.selected);
    frame ??= requestAnimationFrame(draw);
  }, { signal: leave.signal });
  // What was in sight all along is read once the agent is back at this window.
  globalThis.addEventListener("focus", () => { frame ??= requestAnimationFrame(draw); }, { signal: leave.signal });
  globalThis.addEventListener("online", () => client.socket.retryNow(), { signal: leave.signal });
  render();
  client.start();
}

/** Puts what happened into words. */
function tell(client, view, { what, ...more }) {
  const who = more.conversation?.transcript ? customerOf(more.conversation) : "A customer";
  if (what === "offer") announce(more.offer.purpose === "consult" ? `${more.offer.by || "A colleague"} asks for your advice. Alt A accepts, Alt R declines.` : "You are offered a conversation. Alt A accepts, Alt R declines.", true);
  else if (what === "message" && client.desk.selected !== more.conversation.id) announce(`New message from ${who}`);
  else if (what === "assigned" && byId("desk").classList.contains("on-board")) {
    const go = () => {
      byId("board-button").click();
      client.select(more.conversation.id);
    };
    toast(`${who} is in your list now.`, "info", { label: "Show", run: go });
  } else if (what === "assigned") show(client, view, more.conversation.id);
  else if (what === "rang_out") toast("An offer rang out and went to somebody else.", "warn");
  else if (what === "rescinded") toast("An offer was taken back.", "info");
  else if (what === "left") toast(`${who}: ${more.reason}`, "info");
  else if (what === "presence" && more.presence === client.wishedPresence) announce(`You are ${more.presence}.`);
  else if (what === "presence") toast(`You are ${more.presence} now${more.reason ? `: ${more.reason}` : ""}.`, "info");
  // A refused reply says so itself, where it stands.
  else if (what === "refused" && more.reply) announce(`Not sent: ${more.reason}`, true);
  else if (what === "refused") toast(`That was not possible: ${more.reason}`, "error");
  else if (what === "offer_made") {
    view.offered(more.offer);
    announce(`A code for ${channelName(more.offer.channel)} is ready.`);
  } else if (what === "error") toast(more.reason, "error");
}

function isSupervisor({ agent }) {
  return (agent?.roles ?? []).includes("supervisor");
}

/** The agent answers it, and it is not over. */
function isMine(conversation) {
  return conversation !== null && conversation.part === "answers" && mayWrite(conversation);
}

/** Changes with whatever may change how the customer can be answered. */
function markOf(conversation, now) {
  if (!conversation) return "";
  const { contact, transcript } = conversation;
  return [contact, transcript.lastSeq, transcript.told, countdown(windowOf(conversation), now)?.open].join(" ");
}

/** One address of a customer becomes a customer of its own; for a while that can be taken back. */
async function splitOff(api, client, contact, address) {
  const named = addressWords(address);
  const sure = await confirmThat("Split off an address", `${named} becomes a customer of its own, and its earlier conversations go with it.`, "Split off");
  if (!sure) return;
  try {
    await api.split(contact.id, address, crypto.randomUUID());
    client.forget(contact.id);
    const undo = async () => {
      try {
        await api.join(contact.id, address, crypto.randomUUID());
        client.forget(contact.id);
        toast(`${named} is the same customer again.`);
      } catch (error) {
        toast(error.message, "error");
      }
    };
    toast(`${named} is a customer of its own now.`, "info", { label: "Undo", run: undo });
  } catch (error) {
    toast(error.message, "error");
  }
}

/** A new conversation comes to the front, unless that would tear the agent out of a sentence. */
function show(client, view, id) {
  const { activeElement } = document;
  if (activeElement?.tagName === "TEXTAREA" && activeElement.value.trim() !== "") return;
  client.select(id);
  view.render(Date.now());
  view.focusComposer();
}

function banner(client) {
  const element = byId("banner");
  const { name } = client.line;
  const texts = {
    waiting: ["The connection was lost. Trying again…", "Try now"], replaced: ["The desk was opened in another window.", "Use it here"],
    // The first try is quick; a later one should not make the banner flicker.
    connecting: element.hidden ? null : ["Connecting again…", ""],
  }[name];
  element.hidden = !texts;
  if (!texts) return element.replaceChildren();
  if (element.dataset.state === name && element.childElementCount > 0) return undefined;
  element.dataset.state = name;
  const [text, label] = texts;
  return element.replaceChildren(h("span", { textContent: text }), ...(label
    ? [h("button", { type: "button", className: "link", textContent: label, on: { click: () => client.socket.retryNow() } })] : []));
}

function title(desk) {
  const unread = desk.list().open.reduce((sum, one) => sum + desk.unread(one), 0);
  const count = unread + desk.offers.size;
  setText(document.querySelector("title"), `${count > 0 ? `(${count}) ` : ""}Heliograph desk`);
}

function shortcuts(client, view, actions, signal) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const writing = /^(?:INPUT|TEXTAREA|SELECT)$/u.test(event.target.tagName) && event.target.type !== "radio";
    if (event.key === "?" && !writing) {
      event.preventDefault();
      showShortcuts();
      return;
    }
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const { desk } = client;
    const [offer] = desk.offers.values();
    const run = {
      KeyA: () => offer && client.accept(offer),
      KeyR: () => offer && client.reject(offer),
      KeyC: () => view.focusComposer(),
      KeyM: () => actions.map(),
      KeyB: () => actions.board(),
      KeyT: () => isMine(desk.current()) && actions.transfer(desk.current()),
      KeyK: () => isMine(desk.current()) && !desk.current().consult && actions.consult(desk.current()),
      KeyW: () => isMine(desk.current()) && actions.close(desk.current()),
      ArrowUp: () => step(client, -1),
      ArrowDown: () => step(client, 1),
    }[event.code] ?? (event.code in PRESENCE_KEYS ? () => client.setPresence(PRESENCE_KEYS[event.code]) : null);
    if (!run) return;
    event.preventDefault();
    run();
  }, { signal });
}

/** The conversation before or after the selected one. */
function step(client, by) {
  const { open, closed } = client.desk.list();
  const all = [...open, ...closed];
  if (all.length === 0) return;
  const at = all.findIndex((one) => one.id === client.desk.selected);
  client.select(all[at < 0 ? 0 : (at + by + all.length) % all.length].id);
}

start();
