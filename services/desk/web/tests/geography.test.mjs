import assert from "node:assert/strict";
import { test } from "node:test";
import { COLOURS, countryNames, denials, geographyOf, neighbour, search, stretch, sums, volume } from "../geography.js";
import { HEIGHT, PLACES, WIDTH } from "../world.js";

const codes = Object.keys(PLACES);

test("the map has a place for all 249 countries, and Kosovo, and each can be hit", () => {
  assert.equal(codes.length, 250);
  for (const [code, { d, at: [x, y], dot }] of Object.entries(PLACES)) {
    assert.match(code, /^[A-Z]{2}$/u);
    assert.ok(dot || /^m\d+[ -]\d+l/u.test(d), `${code} has neither a shape nor a dot`);
    assert.ok(x >= 0 && x <= WIDTH && y >= 0 && y <= HEIGHT, `${code} lies outside`);
  }
});

test("places lie where they should", () => {
  const [west, east] = [PLACES.US.at, PLACES.JP.at];
  assert.ok(west[0] < PLACES.GB.at[0] && PLACES.GB.at[0] < east[0]);
  assert.ok(PLACES.NO.at[1] < PLACES.ZA.at[1]);
  // Parts of France with codes of their own are where they are, not in Paris.
  assert.ok(PLACES.GF.at[0] < PLACES.FR.at[0] - 200 && PLACES.RE.at[0] > PLACES.FR.at[0] + 200);
});

test("regions get colours of their own, the default none, and countries know their term", () => {
  const many = Array.from({ length: COLOURS + 1 }, (_, at) => ({ name: `r${at}`, countries: at === 0 ? [{ code: "BR", term: "region:419" }] : [] }));
  const { regions, of } = geographyOf({ regions: [...many, { name: "default", isDefault: true, countries: [{ code: "DE" }] }] });
  assert.equal(new Set(regions.slice(0, COLOURS).map(({ colour }) => colour)).size, COLOURS);
  assert.deepEqual([regions[COLOURS].colour, regions.at(-1).colour], [0, null]);
  assert.deepEqual([of("BR").region.name, of("BR").term, of("DE").term, of("QQ")], ["r0", "region:419", "", null]);
});

test("counts are summed up by country and by region", () => {
  const rows = [
    { region: "a", country: "BR", channel: "sms", received: 3, sent: 2, refused: 1, denied: 2 },
    { region: "a", country: "BR", channel: "email", received: 1, sent: 0, refused: 0, denied: 0 },
    { region: "b", country: "", channel: "sms", received: 5, sent: 5 },
  ];
  const countries = sums(rows, "country");
  assert.deepEqual([volume(countries.of("BR")), denials(countries.of("BR")), countries.largest], [6, 3, 10]);
  assert.deepEqual([volume(sums(rows, "region").of("b")), volume(sums(rows, "region").of("gone"))], [10, 0]);
});

test("days are the reader's own", () => {
  const now = new Date(2026, 2, 10, 15, 30).getTime();
  const day = (date) => new Date(2026, 2, date).getTime();
  assert.deepEqual(stretch("today", now), { from: day(10), to: day(11) });
  assert.deepEqual(stretch("yesterday", now), { from: day(9), to: day(10) });
  assert.deepEqual(stretch("week", now), { from: day(4), to: day(11) });
});

test("countries are found by what people type", () => {
  const names = countryNames(codes, ["en"]);
  const found = (typed) => search(typed, names).map(({ code }) => code);
  assert.equal(found("brazil")[0], "BR");
  assert.equal(found("cote d")[0], "CI");
  assert.equal(found("pn")[0], "PN");
  assert.ok(found("guinea").includes("GN") && found("guinea").includes("PG"));
  assert.deepEqual([found(""), found("zzz")], [[], []]);
});

test("arrow keys reach every country, and go where they point", () => {
  assert.ok(PLACES[neighbour("FR", "ArrowRight", PLACES)].at[0] > PLACES.FR.at[0]);
  assert.ok(PLACES[neighbour("FR", "ArrowDown", PLACES)].at[1] > PLACES.FR.at[1]);
  assert.equal(neighbour("FR", "Tab", PLACES), null);
  const reached = new Set(["US"]);
  for (const code of reached) for (const key of ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]) {
    const next = neighbour(code, key, PLACES);
    if (next) reached.add(next);
  }
  const missed = codes.filter((code) => !reached.has(code));
  assert.ok(missed.length <= 12, `only the search reaches ${missed.join(" ")}`);
});
