/** Reading the pool: queues, agents and what waits, as routing tells them. Pure. */

import { name, number, time } from "./wire.js";

const PRESENCE_ORDER = { online: 0, away: 1, offline: 2 };

/** A queue; `seenAt` is when its wait was told, which has grown since. */
export function queueOf(view, seenAt) {
  return {
    name: view.name ?? "", waiting: view.waiting ?? 0, oldestWaitMs: number(view.oldestWaitMs), agentsOnline: view.agentsOnline ?? 0,
    estimateMs: view.estimatedWaitSeconds === undefined ? null : number(view.estimatedWaitSeconds) * 1_000,
    opensAt: time(view.opensAt), targetMs: number(view.targetSeconds) * 1_000, seenAt,
  };
}

/** How long the one at the head of the queue has waited, at a moment. */
export function longestWait(queue, now) {
  return queue.waiting > 0 ? queue.oldestWaitMs + Math.max(0, now - queue.seenAt) : 0;
}

/** How a queue does: `calm` within half of its target, `warn` within it, else `bad`; `closed` and `idle` are neither. */
export function toneOf(queue, now) {
  if (queue.opensAt !== null && queue.opensAt > now) return "closed";
  if (queue.waiting === 0) return "idle";
  if (queue.targetMs === 0) return "calm";
  const wait = longestWait(queue, now);
  return wait > queue.targetMs ? "bad" : wait > queue.targetMs / 2 ? "warn" : "calm";
}

/** Where and when a customer is called back. */
export function callbackOf({ address, notBefore }) {
  return { address: address ?? null, notBefore: time(notBefore) };
}

/** Everybody and everything of a tenant. */
export function boardOf(pool, now) {
  const agents = (pool.agents ?? []).map(agentOf);
  return {
    agents: agents.sort((a, b) => PRESENCE_ORDER[a.presence] - PRESENCE_ORDER[b.presence] || b.occupancy - a.occupancy || a.title.localeCompare(b.title)),
    queues: (pool.queues ?? []).map((view) => queueOf(view, now)),
    waiting: (pool.waiting ?? []).map((view) => waitingOf(view, now)),
    totals: {
      agents: pool.agentsTotal ?? 0, online: pool.agentsOnline ?? 0, away: pool.agentsAway ?? 0, waiting: pool.waitingTotal ?? 0, open: pool.openTotal ?? 0,
    },
  };
}

function agentOf(view) {
  return {
    name: view.name ?? "", title: view.displayName || view.name || "", presence: name(view.presence, "PRESENCE_"), connected: view.connected ?? false,
    idleSince: time(view.idleSince), whenDone: view.whenDone ? name(view.whenDone, "PRESENCE_") : null, occupancy: (view.occupancy ?? 0) / 1_000,
    supervisor: view.supervisor ?? false, queues: view.queues ?? [],
    work: (view.work ?? []).map((one) => ({
      conversation: one.conversation ?? "", state: one.state ?? "", channel: one.channel ?? "", queue: one.queue ?? "", by: one.by ?? "",
      customer: one.displayName || one.contact || "Customer",
    })),
  };
}

function waitingOf(view, now) {
  const { waiting = {}, address } = view;
  return {
    id: view.id ?? "", queue: view.queue ?? "", channel: address?.channel ?? "", customer: address?.displayName || address?.phone || address?.email || view.contact || "Customer",
    position: waiting.position ?? 0, since: time(waiting.since) ?? now, step: waiting.step ?? 0, priority: view.priority ?? 0, language: view.language ?? "",
    estimateMs: waiting.estimatedWaitSeconds === undefined ? null : number(waiting.estimatedWaitSeconds) * 1_000,
    callback: view.callback ? callbackOf(view.callback) : null,
  };
}

/** "next", or the place in words. */
export function placeWords(position) {
  return position <= 1 ? "next" : `number ${position}`;
}
