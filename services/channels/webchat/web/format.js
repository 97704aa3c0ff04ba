/** Text for people: times, days, sizes, links. Pure. */

/** The calendar day of a time in the visitor's zone, as a key to compare. */
export function dayKey(date) {
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

/** "Today", "Yesterday", or the date in words. */
export function dayLabel(date, now, locale) {
  const midnight = (time) => new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();
  const days = Math.round((midnight(date) - midnight(now)) / 86_400_000);
  if (days === 0 || days === -1) {
    const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(days, "day");
    return words.charAt(0).toLocaleUpperCase(locale) + words.slice(1);
  }
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year }).format(date);
}

export function timeLabel(date, locale) {
  return new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }).format(date);
}

/** Bytes in the units people know, e.g. "1.4 MB". */
export function sizeLabel(bytes, locale) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return new Intl.NumberFormat(locale, {
    style: "unit", unit: units[power], unitDisplay: power === 0 ? "long" : "short", maximumFractionDigits: power > 1 ? 1 : 0,
  }).format(bytes / 1000 ** power);
}

const LINK = /https?:\/\/[^\s<>"'`]+/giu;

/** Splits text into plain pieces and web addresses: `[{text}, {text, href}, …]`. Only http and https become links. */
export function pieces(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const address = trimmed(match[0]);
    if (!URL.canParse?.(address)) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: address, href: address });
    end = match.index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** Punctuation behind an address belongs to the sentence; so does a bracket that was opened before it. */
function trimmed(address) {
  let kept = address.replace(/[.,;:!?…。，！？]+$/u, "");
  while (kept.endsWith(")") && kept.split(")").length > kept.split("(").length) kept = kept.slice(0, -1);
  return kept;
}

/** `url` made absolute if it is a web address, else null: a message must not be able to run a script. */
export function webAddress(url, base) {
  try {
    const absolute = new URL(url, base);
    return ["http:", "https:"].includes(absolute.protocol) ? absolute.href : null;
  } catch {
    return null;
  }
}
