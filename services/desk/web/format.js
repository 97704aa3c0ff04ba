/** Times, sizes and links for people. Pure, apart from the browser's locale. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const clockTime = (at) => (at === null ? "" : clock.format(at));
export const dayName = (at) => (at === null ? "" : day.format(at));
export const fullTime = (at) => (at === null ? "" : full.format(at));

/** The time of day, with the day unless it is today's. */
export function moment(at, now = Date.now()) {
  if (at === null) return "";
  const same = new Date(at).toDateString() === new Date(now).toDateString();
  return same ? clockTime(at) : `${dayName(at)}, ${clockTime(at)}`;
}

/** A span in the largest fitting unit: "45 s", "3 min", "2 h", "4 d". */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export function bytes(size) {
  if (!size) return "";
  const power = Math.min(3, Math.floor(Math.log10(size) / 3));
  return `${(size / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${["B", "kB", "MB", "GB"][power]}`;
}

/** Splits text into plain pieces and web addresses: `[{text}, {text, href}, …]`. */
export function pieces(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'`]+/giu)) {
    const address = match[0].replace(/[.,;:!?)\]…。，]+$/u, "");
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: address, href: address });
    end = match.index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** `needs_consent` → "Needs consent". */
export function words(token) {
  const text = String(token).replaceAll(/[_-]+/gu, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
