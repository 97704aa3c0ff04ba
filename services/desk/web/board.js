/**
 * The supervisor's board: how the queues do, who is there and what they do, what waits. What can be undone is done at once
 * and offers to be undone; what cannot asks first.
 */

import { h, reconcile, setText } from "./dom.js";
import { moment, span, words } from "./format.js";
import { channelName } from "./messages.js";
import { callbackWords } from "./parts.js";
import { longestWait, placeWords, toneOf } from "./pool.js";

const TICK_MS = 1_000;
const STEP = 10;
const PRESENCES = [["online", "Bring back"], ["away", "Send away"], ["offline", "Sign off…"]];
const WORK = { reserved: "rings", assigned: "answers", wrap_up: "wraps up", consult: "advises", joined: "takes part" };
const byId = (id) => document.getElementById(id);

export class BoardView {
  #client;
  #actions;
  #part = null;
  #queue = null;
  #agent = null;
  #ticking = null;

  /** `actions`: `{assign, pull, join, look, prioritize, presence}`, each of a conversation or agent. */
  constructor(client, actions) {
    this.#client = client;
    this.#actions = actions;
  }

  get isOpen() { return !byId("board").hidden; }

  toggle() { return this.isOpen ? this.close() : this.open(); }

  open() {
    if (!this.#part) this.#build();
    this.#show(true);
    byId("board").focus();
    this.#client.watchBoard(true);
    this.#ticking ??= setInterval(() => { if (document.visibilityState === "visible") this.render(Date.now()); }, TICK_MS);
    this.render(Date.now());
  }

  close() {
    if (!this.isOpen) return;
    clearInterval(this.#ticking);
    this.#ticking = null;
    this.#client.watchBoard(false);
    this.#show(false);
    byId("board-button")?.focus();
  }

  #show(on) {
    byId("board").hidden = !on;
    byId("desk").classList.toggle("on-board", on);
    const button = byId("board-button");
    button?.setAttribute("aria-expanded", String(on));
    if (button) setText(button, on ? "Conversations" : "Board");
  }

  render(now) {
    if (!this.isOpen || !this.#part) return;
    const part = this.#part;
    const { desk, line } = this.#client;
    const { board } = desk;
    part.loading.hidden = board !== null;
    setText(part.loading, line.name === "ready" ? "Asking how everybody is…" : "Not connected: the board comes back with the line.");
    part.body.hidden = board === null;
    part.hint.hidden = desk.presence !== "offline";
    if (!board) return;
    const { totals } = board;
    setText(part.totals, `${totals.waiting} waiting · ${totals.open} open · ${totals.online} of ${totals.agents} online${totals.away > 0 ? ` · ${totals.away} away` : ""}`);
    part.stale.hidden = line.name === "ready";
    this.#queues(board, now);
    this.#waiting(board, now);
    this.#agents(board, now);
  }

  #queues(board, now) {
    this.#part.noQueues.hidden = board.queues.length > 0;
    reconcile(this.#part.queues, board.queues, (queue) => queue.name, (queue) => {
      const count = h("b", { className: "queue-count" });
      const about = h("span", { className: "muted small" });
      const bar = h("span", { className: "bar-fill" });
      const target = h("span", { className: "bar-target" });
      const wait = h("span", { className: "queue-longest" });
      const button = h("button", { type: "button", className: "queue-card", attrs: { "aria-pressed": "false" }, on: { click: () => this.#choose(queue.name) } },
        h("span", { className: "queue-head" }, h("span", { className: "queue-name", textContent: queue.name }), count),
        h("span", { className: "bar", attrs: { "aria-hidden": "true" } }, bar, target), h("span", { className: "queue-foot" }, wait, about));
      return {
        element: h("li", {}, button),
        update: (one) => {
          const waited = longestWait(one, now);
          // The target stands in the middle until the wait has gone beyond twice of it.
          const whole = Math.max(1, waited, one.targetMs * 2);
          setText(count, String(one.waiting));
          button.dataset.tone = toneOf(one, now);
          bar.style.inlineSize = `${Math.min(100, (waited / whole) * 100)}%`;
          target.style.insetInlineStart = `${Math.min(100, (one.targetMs / whole) * 100)}%`;
          target.hidden = one.targetMs === 0;
          setText(wait, one.waiting > 0 ? `Longest ${span(waited)}` : "Nobody waits");
          const parts = [one.opensAt !== null && one.opensAt > now ? `closed until ${moment(one.opensAt)}` : "", `${one.agentsOnline} online`, one.estimateMs === null ? "" : `about ${span(one.estimateMs)} to wait`];
          setText(about, parts.filter(Boolean).join(" · "));
          button.setAttribute("aria-pressed", String(this.#queue === one.name));
        },
      };
    });
  }

  #waiting(board, now) {
    const part = this.#part;
    const rows = board.waiting.filter((one) => this.#queue === null || one.queue === this.#queue);
    setText(part.waitingTitle, this.#queue === null ? "Waiting" : `Waiting in ${this.#queue}`);
    part.all.hidden = this.#queue === null;
    part.noWaiting.hidden = rows.length > 0;
    const more = board.totals.waiting - board.waiting.length;
    setText(part.more, more > 0 ? `and ${more} more further back` : "");
    reconcile(part.waiting, rows, (one) => one.id, (one) => {
      const place = h("b", { className: "place" });
      const who = h("strong", { className: "who" });
      const via = h("span", { className: "channel small" });
      const about = h("span", { className: "muted small" });
      const marks = h("span", { className: "marks" });
      let shown = one;
      const act = (label, title, run, extra = {}) => h("button", { type: "button", className: "quiet tiny", textContent: label, title, ...extra, on: { click: () => run(shown) } });
      const element = h("li", { className: "waiting-row" }, place,
        h("div", { className: "waiting-who" }, h("span", { className: "waiting-top" }, who, via, marks), about),
        h("div", { className: "buttons" },
          act("▲", "Sooner", (it) => this.#actions.prioritize(it, it.priority + STEP), { ariaLabel: "Put it sooner" }),
          act("▼", "Later", (it) => this.#actions.prioritize(it, it.priority - STEP), { ariaLabel: "Put it later" }),
          act("Look", "Read the conversation", (it) => this.#actions.look(it.id, it.customer)),
          act("Assign…", "Give it to somebody", (it) => this.#actions.assign(it.id, it.customer)),
          act("Take", "Answer it yourself", (it) => this.#actions.pull(it.id, it.customer, ""))));
      return {
        element,
        update: (it) => {
          shown = it;
          setText(place, String(it.position || "–"));
          place.title = `It is ${placeWords(it.position)} in ${it.queue}`;
          setText(who, it.customer);
          setText(via, channelName(it.channel));
          via.hidden = !it.channel;
          const parts = [it.queue, `waits ${span(now - it.since)}`, it.estimateMs === null ? "" : `about ${span(it.estimateMs)} to go`, it.language];
          setText(about, parts.filter(Boolean).join(" · "));
          const labels = [it.priority ? [`priority ${it.priority > 0 ? "+" : ""}${it.priority}`, "info"] : null, it.step > 0 ? [`asks less, step ${it.step}`, "warn"] : null,
            it.callback ? [callbackWords(it.callback, moment).replace(/\.$/u, ""), "good"] : null].filter(Boolean);
          const signature = JSON.stringify(labels);
          if (marks.dataset.shown !== signature) {
            marks.dataset.shown = signature;
            marks.replaceChildren(...labels.map(([text, tone]) => h("span", { className: `mark ${tone}`, textContent: text })));
          }
        },
      };
    });
  }

  #agents(board, now) {
    const part = this.#part;
    const shown = board.agents.filter((agent) => this.#queue === null || agent.queues.includes(this.#queue));
    part.noAgents.hidden = shown.length > 0;
    const hidden = board.totals.agents - board.agents.length;
    setText(part.moreAgents, hidden > 0 ? `and ${hidden} more` : "");
    reconcile(part.agents, shown, (agent) => agent.name, (agent) => {
      const title = h("span", { className: "agent-name" });
      const about = h("span", { className: "muted small" });
      const fill = h("span", { className: "bar-fill" });
      const dot = h("span", { className: "dot", attrs: { "aria-hidden": "true" } });
      const button = h("button", { type: "button", className: "agent-card", attrs: { "aria-expanded": "false", "aria-controls": "agent-work" }, on: { click: () => this.#open(agent.name) } },
        h("span", { className: "agent-head" }, dot, title), h("span", { className: "bar", attrs: { "aria-hidden": "true" } }, fill), about);
      return {
        element: h("li", {}, button),
        update: (one) => {
          setText(title, one.title);
          button.dataset.presence = one.presence;
          fill.style.inlineSize = `${Math.round(one.occupancy * 100)}%`;
          fill.dataset.tone = one.occupancy >= 1 ? "bad" : one.occupancy >= 0.75 ? "warn" : "calm";
          setText(about, agentWords(one, now));
          button.setAttribute("aria-expanded", String(this.#agent === one.name));
        },
      };
    });
    this.#work(board.agents.find((agent) => agent.name === this.#agent) ?? null, now);
  }

  /** One agent and their work. */
  #work(agent, now) {
    const { work } = this.#part;
    work.hidden = agent === null;
    if (!agent) return;
    const signature = JSON.stringify([agent.name, agent.presence, agent.whenDone, agent.work]);
    setText(this.#part.workAbout, agentWords(agent, now));
    if (work.dataset.shown === signature) return;
    work.dataset.shown = signature;
    const quiet = (textContent, run, disabled = false) => h("button", { type: "button", className: "quiet tiny", textContent, disabled, on: { click: run } });
    const rows = agent.work.map((one) => h("li", { className: "work-row" },
      h("span", { className: "work-who" }, h("strong", { textContent: one.customer }), one.channel ? h("span", { className: "channel small", textContent: channelName(one.channel) }) : null,
        h("span", { className: "muted small", textContent: [WORK[one.state] ?? words(one.state), one.by && `for ${one.by}`, one.queue].filter(Boolean).join(" · ") })),
      h("span", { className: "buttons" }, quiet("Look", () => this.#actions.look(one.conversation, one.customer)),
        ...(one.state === "assigned" ? [quiet("Join", () => this.#actions.join(one.conversation)), quiet("Assign…", () => this.#actions.assign(one.conversation, one.customer)), quiet("Take over…", () => this.#actions.pull(one.conversation, one.customer, agent.title))] : []))));
    this.#part.workBody.replaceChildren(
      h("div", { className: "work-head" }, h("h3", { textContent: agent.title }), h("span", { className: "buttons" },
        // Nobody is put to work who is not there.
        ...PRESENCES.filter(([presence]) => agent.presence !== "offline" && presence !== agent.presence).map(([presence, label]) => quiet(label, () => this.#actions.presence(agent, presence))),
        quiet("Close", () => this.#open(null)))),
      this.#part.workAbout,
      rows.length > 0 ? h("ul", { attrs: { role: "list" } }, ...rows) : h("p", { className: "muted small", textContent: "Nothing in hand." }));
  }

  #choose(queue) {
    this.#queue = this.#queue === queue ? null : queue;
    this.render(Date.now());
  }

  #open(agent) {
    const before = this.#agent;
    this.#agent = this.#agent === agent ? null : agent;
    this.render(Date.now());
    if (this.#agent) this.#part.work.focus();
    else if (before) [...this.#part.agents.querySelectorAll("button")].find((button) => button.textContent.includes(before))?.focus();
  }

  #build() {
    const list = (className, label) => h("ul", { className, attrs: { role: "list", "aria-label": label } });
    const nothing = (textContent) => h("p", { className: "muted nothing-here", textContent, hidden: true });
    const part = {
      totals: h("p", { className: "muted", attrs: { role: "status" } }), stale: h("p", { className: "mark warn", textContent: "Not connected: as it was last seen", hidden: true }),
      loading: h("p", { className: "muted center", attrs: { role: "status" } }),
      hint: h("p", { className: "notice-box warn", textContent: "You are offline. Go online or away to do something here; you are offered nothing unless you serve a queue.", hidden: true }),
      queues: list("queue-cards", "Queues"), noQueues: nothing("No queue is configured."),
      waiting: list("waiting-list", "What waits"), noWaiting: nothing("Nobody waits."), more: h("p", { className: "muted small center" }),
      waitingTitle: h("h3", { textContent: "Waiting" }), all: h("button", { type: "button", className: "link small", textContent: "Show all queues", hidden: true, on: { click: () => this.#choose(this.#queue) } }),
      agents: list("agent-cards", "Agents"), noAgents: nothing("No agent serves this queue."), moreAgents: h("p", { className: "muted small center" }),
      workAbout: h("p", { className: "muted small" }), workBody: h("div", {}),
    };
    part.work = h("section", { id: "agent-work", className: "agent-work", tabIndex: -1, hidden: true, attrs: { "aria-label": "An agent's work" } }, part.workBody);
    part.body = h("div", { className: "board-body", hidden: true },
      h("section", { className: "board-queues", attrs: { "aria-label": "Queues" } }, h("h3", { textContent: "Queues" }), part.noQueues, part.queues),
      h("section", { className: "board-waiting", attrs: { "aria-label": "Waiting" } }, h("div", { className: "board-title" }, part.waitingTitle, part.all), part.noWaiting, part.waiting, part.more),
      h("section", { className: "board-agents", attrs: { "aria-label": "Agents" } }, h("h3", { textContent: "Agents" }), part.work, part.noAgents, part.agents, part.moreAgents));
    this.#part = part;
    byId("board").replaceChildren(h("header", { className: "board-head" }, h("h2", { id: "board-title", textContent: "Board" }), part.totals, part.stale), part.hint, part.loading, part.body);
  }
}

/** An agent in a few words. */
function agentWords({ presence, connected, whenDone, idleSince, work, supervisor }, now) {
  const busy = work.filter((one) => ["assigned", "reserved", "wrap_up"].includes(one.state)).length;
  const since = presence !== "offline" && idleSince !== null ? span(now - idleSince) : "";
  const doing = busy > 0 ? `${busy} in hand` : presence === "online" ? `free for ${since}` : presence;
  return [supervisor ? "supervisor" : "", doing, busy > 0 && presence !== "online" ? presence : "", whenDone ? `${whenDone} when done` : "", presence !== "offline" && !connected ? "connection lost" : ""].filter(Boolean).join(" · ");
}
