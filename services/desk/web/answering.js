/**
 * What the agent is told before answering: how long the messaging window is open, and what becomes of an answer. Pure.
 */

import { time, name } from "./wire.js";

const WARN_MS = 3_600_000;

/**
 * A messaging window at a moment: `{text, tone, open, left}`, or null where there is none. `text` is hours and minutes,
 * and how many messages are left where they are counted.
 */
export function countdown(window, now) {
  if (!window) return null;
  const expires = time(window.expiresAt);
  const counted = (window.remaining ?? 0) >= 0;
  const remaining = window.remaining ?? 0;
  if (expires !== null && expires <= now) return { text: "Window closed", tone: "bad", open: false, left: 0 };
  if (counted && remaining === 0) return { text: "Window used up", tone: "bad", open: false, left: expires === null ? 0 : expires - now };
  const left = expires === null ? Number.POSITIVE_INFINITY : expires - now;
  const messages = counted ? `${remaining} ${remaining === 1 ? "message" : "messages"}` : "";
  const text = [expires === null ? "" : hours(left), messages].filter(Boolean).join(", ");
  if (!text) return null;
  return { text: `${text} left`, tone: left < WARN_MS || (counted && remaining === 1) ? "warn" : "calm", open: true, left };
}

/** `3:07`; what is left of a minute counts as one. */
function hours(ms) {
  const minutes = Math.ceil(ms / 60_000);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

/** What an answer by this way would meet: `{tone, text}`, or null when it simply goes. `way` is an address of the reach. */
export function prospect(way, { clock = (at) => new Date(at).toISOString() } = {}) {
  if (!way?.verdict) return null;
  const { verdict, template } = way;
  const why = decidedBy(verdict);
  const because = why ? ` ${sentence(why)}` : "";
  switch (name(verdict.outcome, "OUTCOME_")) {
    case "allow":
      return null;
    case "needs_template": {
      const intro = `${sentence(why || "the messaging window is closed")} `;
      if (!template) return { tone: "bad", text: `${intro}The policy has no template for it: an answer will be refused.` };
      const title = `template “${template.name}”${template.language ? ` (${template.language})` : ""}`;
      return template.takesText ? { tone: "warn", text: `${intro}Your answer goes out inside the ${title}.` }
        : { tone: "warn", text: `${intro}The ${title} goes out instead of your answer, and asks the customer to write.` };
    }
    case "defer":
      return { tone: "warn", text: `Your answer will wait${verdict.until ? ` until ${clock(time(verdict.until))}` : ""}.${because}` };
    case "needs_consent":
      return { tone: "bad", text: `An answer will be refused: the customer has not agreed to it.${because}` };
    case "use_channel":
      return { tone: "warn", text: `This channel is not the one to use here${listed(verdict.channels)}.${because}` };
    default:
      return { tone: "bad", text: `An answer will be refused.${because}${verdict.channels?.length ? ` Allowed here: ${verdict.channels.join(", ")}.` : ""}` };
  }
}

/** The reason that decided, in words. */
export function decidedBy(verdict) {
  const [first] = verdict?.fired ?? [];
  return first?.text || first?.code || "";
}

function listed(channels) {
  return channels?.length ? `: ${channels.join(", ")}` : "";
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?。]$/u.test(text) ? "" : "."}`;
}

/** One name for an address: `channel · id`. */
export function addressWords({ channel = "", userId = "" }) {
  return [channel, userId].filter(Boolean).join(" · ");
}

export function sameAddress(one, other) {
  return Boolean(one && other) && ["channel", "account", "userId"].every((field) => (one[field] ?? "") === (other[field] ?? ""));
}

/**
 * Whether an answer by `way` can quote the message: one that the customer said there, unless the channel is known not to
 * show it. `way` is an address, of the reach where that is known, or null.
 */
export function mayQuote({ answerable, channel, account }, way) {
  if (!answerable || way?.replies === false) return false;
  return !way || (channel === way.channel && (!account || !way.account || account === way.account));
}

/**
 * Keeps the reach of the selected conversation fresh: asks when the conversation, or what happened in it, changed, and
 * when its window closes. One question at a time; the newest wins.
 */
export class Reaching {
  #options;
  #wanted = "";
  #timer = null;
  #asking = 0;

  /** `{ask(conversation): Promise, onReach(conversation, reach), timers, wait}` */
  constructor(options) {
    this.#options = { timers: globalThis, wait: 350, ...options };
  }

  /** `mark` changes with whatever may have changed the reach. */
  want(conversation, mark) {
    const wanted = conversation ? `${conversation} ${mark}` : "";
    if (wanted === this.#wanted) return;
    const again = wanted.split(" ")[0] === this.#wanted.split(" ")[0];
    this.#wanted = wanted;
    const { timers } = this.#options;
    timers.clearTimeout(this.#timer);
    this.#timer = wanted ? timers.setTimeout(() => this.#ask(conversation), again ? this.#options.wait : 0) : null;
  }

  async #ask(conversation) {
    this.#asking += 1;
    const turn = this.#asking;
    try {
      const reach = await this.#options.ask(conversation);
      if (turn === this.#asking) this.#options.onReach(conversation, reach);
    } catch {
      // The desk does without: the next event asks again.
    }
  }
}
