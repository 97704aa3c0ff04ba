/** What the map shows, out of policy and counts. Pure, apart from the browser's names of countries. */

/** Colours there are for regions; further regions begin again. */
export const COLOURS = 12;

/** The names of countries in the reader's language: code → name. */
export function countryNames(codes, languages) {
  const names = new Intl.DisplayNames(languages, { type: "region", fallback: "code" });
  return new Map(codes.map((code) => [code, names.of(code) ?? code]));
}

/**
 * The policy as the map needs it: `{regions, of}`. `of(code)` is `{region, term}`. Regions keep their order; each has a
 * `colour` (0 to COLOURS − 1), the default region has none.
 */
export function geographyOf(policy) {
  let next = 0;
  const regions = (policy.regions ?? []).map((region) => {
    const colour = region.isDefault ? null : next % COLOURS;
    if (!region.isDefault) next += 1;
    return { ...region, channels: region.channels ?? [], countries: region.countries ?? [], terms: region.terms ?? [], colour };
  });
  const places = new Map(regions.flatMap((region) => region.countries.map(({ code, term }) => [code, { region, term: term ?? "" }])));
  return { regions, of: (code) => places.get(code) ?? null };
}

/** From when to when, in the reader's own days: `today`, `yesterday`, `week` (the last seven days, today included). */
export function stretch(name, now) {
  const midnight = (days) => {
    const date = new Date(now);
    date.setHours(0, 0, 0, 0);
    date.setDate(date.getDate() + days);
    return date.getTime();
  };
  if (name === "today") return { from: midnight(0), to: midnight(1) };
  if (name === "week") return { from: midnight(-6), to: midnight(1) };
  return { from: midnight(-1), to: midnight(0) };
}

const NOTHING = { received: 0, sent: 0, refused: 0, denied: 0 };

/** Counts summed up by what `key` gives. Rows: `{region, country, channel, received, sent, refused, denied}`. */
export function sums(rows, key) {
  const found = new Map();
  for (const row of rows) {
    const name = row[key] ?? "";
    const sum = found.get(name) ?? { ...NOTHING };
    for (const field of Object.keys(NOTHING)) sum[field] += row[field] ?? 0;
    found.set(name, sum);
  }
  return { of: (name) => found.get(name) ?? NOTHING, all: [...found], largest: Math.max(1, ...[...found.values()].map(volume)) };
}

/** Messages both ways. */
export function volume({ received, sent }) {
  return received + sent;
}

/** Messages that were not let through. */
export function denials({ refused, denied }) {
  return refused + denied;
}

/** Countries whose name or code begins with, then contains, what was typed; the best first. */
export function search(typed, names, most = 8) {
  const plain = (text) => text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
  const wanted = plain(typed.trim());
  if (!wanted) return [];
  const ranked = [...names].map(([code, name]) => {
    const [told, short] = [plain(name), code.toLowerCase()];
    const rank = told === wanted || short === wanted ? 0 : told.startsWith(wanted) ? 1 : told.split(/[\s-]+/u).some((word) => word.startsWith(wanted)) ? 2 : told.includes(wanted) ? 3 : null;
    return { code, name, rank };
  });
  return ranked.filter(({ rank }) => rank !== null).sort((a, b) => a.rank - b.rank || a.name.localeCompare(b.name)).slice(0, most);
}

const TOWARDS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** The country to go to from one by an arrow key: near, and rather straight ahead. Null if there is none. */
export function neighbour(from, key, places) {
  const [dx, dy] = TOWARDS[key] ?? [0, 0];
  const [x, y] = places[from].at;
  let best = null;
  for (const [code, { at }] of Object.entries(places)) {
    const [ahead, aside] = [(at[0] - x) * dx + (at[1] - y) * dy, Math.abs((at[0] - x) * dy) + Math.abs((at[1] - y) * dx)];
    if (code === from || ahead <= 0 || aside > ahead * 2) continue;
    const cost = ahead + aside * 2;
    if (best === null || cost < best.cost) best = { code, cost };
  }
  return best?.code ?? null;
}

/** How a region's term reads: `region:419` and the like stay, codes become names. */
export function termWords(term, names) {
  if (!term) return "";
  return names.has(term) ? names.get(term) : term;
}
