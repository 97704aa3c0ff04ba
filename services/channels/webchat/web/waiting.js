/** How the visitor waits, in words. Pure. */

import { dayKey } from "./format.js";

/** The sentences for an entry that tells it; what a newer server tells is told in its own words. */
export function waitingWords({ waiting, text }, strings, now = new Date()) {
  const { say, locale } = strings;
  const { state, position, wait_s: seconds, opens_at: opensAt, nobody, not_before: notBefore } = waiting;
  if (state === "turn") return say("turn");
  if (state === "callback") return timeOf(notBefore) > now ? say("callbackLater", { time: moment(timeOf(notBefore), now, locale) }) : say("callback");
  if (state !== "queued") return text;
  if (timeOf(opensAt) > now) return say("queueClosed", { time: moment(timeOf(opensAt), now, locale) });
  if (nobody) return say("queueNobody");
  const place = position > 1 ? say("queueNumber", { n: position }) : say("queueNext");
  if (!Number.isFinite(seconds)) return place;
  return `${place} ${seconds < 60 ? say("waitSoon") : say("wait", { time: span(seconds, locale) })}`.trim();
}

/** Minutes are rounded up, so that nobody waits longer for the rounding. */
function span(seconds, locale) {
  const [value, unit] = seconds < 5_400 ? [Math.ceil(seconds / 60), "minute"] : [Math.round(seconds / 3_600), "hour"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(value);
}

/** A time of today, or with the day. */
function moment(date, now, locale) {
  const today = dayKey(date) === dayKey(now);
  return new Intl.DateTimeFormat(locale, { ...(today ? {} : { weekday: "long", day: "numeric", month: "long" }), hour: "numeric", minute: "2-digit" }).format(date);
}

function timeOf(value) {
  const time = new Date(value ?? "");
  return Number.isNaN(time.getTime()) ? null : time;
}
