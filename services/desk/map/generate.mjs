/**
 * Draws the desk's map: country shapes of Natural Earth (public domain) in the Equal Earth projection, as SVG paths of
 * whole numbers, one for each ISO 3166-1 code, and a point for every code. Writes the module to standard output.
 *
 * Natural Earth draws by who governs. Overseas departments and the like have codes of their own in ISO 3166-1, so their
 * polygons are taken out of their state's by where they lie; what has no code falls to the state that ISO counts it to.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { geoArea, geoContains, geoEqualEarth, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import { presimplify, simplify } from "topojson-simplify";

const require = createRequire(import.meta.url);
const codes = require("i18n-iso-countries/codes.json");

/** Units across. A unit is about 17 km at the equator. */
const WIDTH = 2000;
const MARGIN = 4;
/** Islands smaller than this many square units are left out, unless a country has nothing else. */
const LEAST_RING = 4;
/** A country that is nowhere as wide as this is drawn as a dot: nobody could hit its shape. */
const LEAST_EXTENT = 13;
/** Triangles smaller than this many square degrees are flattened. */
const LEAST_TRIANGLE = 0.003;

/** Shapes without a number of their own in ISO 3166-1. Kosovo's code is user-assigned. */
const UNNUMBERED = { Kosovo: "XK", Somaliland: "SO", "N. Cyprus": "CY", "Indian Ocean Ter.": "AU", "Ashmore and Cartier Is.": "AU", "Siachen Glacier": "IN" };

/** Parts of a state's shape with codes of their own: the box they lie in, [west, south, east, north]. */
const PARTS = [
  ["FR", "GF", [-55, 1, -51, 6]], ["FR", "GP", [-62, 15.8, -61, 16.6]], ["FR", "MQ", [-61.3, 14.3, -60.8, 14.95]], ["FR", "RE", [55, -21.5, 56, -20.8]], ["FR", "YT", [44.9, -13.1, 45.4, -12.5]],
  ["NO", "SJ", [-10, 70.5, 35, 81.5]], ["NO", "BV", [3, -55, 4, -54]], ["NL", "BQ", [-69, 11.9, -62.9, 17.8]],
];

/** Where those are that the shapes leave out. */
const ELSEWHERE = { TK: [-171.85, -9.2], CX: [105.67, -10.49], CC: [96.83, -12.17], BV: [3.36, -54.42], UM: [166.64, 19.3], GP: [-61.55, 16.25], MQ: [-61, 14.65], RE: [55.53, -21.13], YT: [45.17, -12.83], BQ: [-68.27, 12.18], TV: [179.2, -8.52], GI: [-5.35, 36.14] };

const numeric = new Map(codes.map(([alpha2, , number]) => [number.padStart(3, "0"), alpha2]));
const all = [...codes.map(([alpha2]) => alpha2).filter((code) => code !== "XK"), "XK"].sort();

const projection = geoEqualEarth().fitWidth(WIDTH - 2 * MARGIN, { type: "Sphere" });
const [[left, top], [right, bottom]] = geoPath(projection).bounds({ type: "Sphere" });
projection.translate([projection.translate()[0] - left + MARGIN, projection.translate()[1] - top + MARGIN]);
const HEIGHT = Math.ceil(bottom - top) + 2 * MARGIN;

/** code → polygons, in degrees. */
function shapesOf(file, least) {
  const topology = JSON.parse(readFileSync(require.resolve(`world-atlas/${file}`), "utf8"));
  const light = least > 0 ? simplify(presimplify(topology), least) : topology;
  const shapes = new Map();
  for (const country of feature(light, light.objects.countries).features) {
    const owner = numeric.get(country.id) ?? UNNUMBERED[country.properties.name];
    if (!owner || !country.geometry) continue;
    const polygons = country.geometry.type === "Polygon" ? [country.geometry.coordinates] : country.geometry.coordinates;
    for (const polygon of polygons) {
      const code = partOf(owner, polygon) ?? owner;
      shapes.set(code, [...(shapes.get(code) ?? []), polygon]);
    }
  }
  return shapes;
}

function partOf(owner, [ring]) {
  const inside = ([west, south, east, north]) => ring.every(([lon, lat]) => lon >= west && lon <= east && lat >= south && lat <= north);
  return PARTS.find(([state, , box]) => state === owner && inside(box))?.[1];
}

/** Rings of a polygon as whole numbers, projected and cut where the map ends. */
function ringsOf(polygon) {
  const rings = [];
  geoPath(projection, {
    moveTo: (x, y) => rings.push([[Math.round(x), Math.round(y)]]),
    lineTo: (x, y) => {
      const ring = rings.at(-1);
      const [px, py] = ring.at(-1);
      if (Math.round(x) !== px || Math.round(y) !== py) ring.push([Math.round(x), Math.round(y)]);
    },
    closePath: () => {
      const ring = rings.at(-1);
      if (ring.length > 1 && String(ring[0]) === String(ring.at(-1))) ring.pop();
    },
  })({ type: "Polygon", coordinates: polygon });
  return rings.map(straight).filter((ring) => ring.length > 2);
}

/** Without points in the middle of straight lines. */
function straight(ring) {
  return ring.filter(([x, y], index) => {
    const [ax, ay] = ring.at(index - 1);
    const [bx, by] = ring[(index + 1) % ring.length];
    return (x - ax) * (by - y) !== (y - ay) * (bx - x);
  });
}

function areaOf(ring) {
  return Math.abs(ring.reduce((sum, [x, y], index) => {
    const [nx, ny] = ring[(index + 1) % ring.length];
    return sum + x * ny - nx * y;
  }, 0)) / 2;
}

/** `m` and relative `l`ines, as short as they can be written. */
function pathOf(rings) {
  let [cx, cy] = [0, 0];
  const pair = (x, y) => {
    const text = `${x}${y < 0 ? "" : " "}${y}`;
    return text;
  };
  return rings.map((ring) => {
    const [[sx, sy], ...rest] = ring;
    let [px, py] = [sx, sy];
    const start = pair(sx - cx, sy - cy);
    const lines = rest.map(([x, y]) => {
      const step = pair(x - px, y - py);
      [px, py] = [x, y];
      return step;
    });
    [cx, cy] = [sx, sy];
    return `m${start}l${lines.reduce((text, step) => text + (text && !step.startsWith("-") ? " " : "") + step, "")}z`;
  }).join("");
}

/** A point inside the largest polygon: its centre of mass if that is inside, else the middle of it. */
function pointOf(polygons) {
  const largest = polygons.map((coordinates) => ({ type: "Polygon", coordinates })).sort((a, b) => geoArea(b) - geoArea(a))[0];
  const [x, y] = geoPath(projection).centroid(largest);
  if (geoContains(largest, projection.invert([x, y]))) return [x, y];
  const points = largest.coordinates[0].map((point) => projection(point));
  return points.sort((a, b) => Math.hypot(a[0] - x, a[1] - y) - Math.hypot(b[0] - x, b[1] - y))[0];
}

const medium = shapesOf("countries-50m.json", LEAST_TRIANGLE);
const fine = shapesOf("countries-10m.json", 0);
const places = {};
for (const code of all) {
  const polygons = medium.get(code) ?? fine.get(code);
  const place = {};
  if (polygons) {
    const rings = polygons.flatMap(ringsOf);
    const kept = rings.filter((ring) => areaOf(ring) >= LEAST_RING);
    const xs = kept.map((ring) => Math.max(...ring.map(([x]) => x)) - Math.min(...ring.map(([x]) => x)));
    const ys = kept.map((ring) => Math.max(...ring.map(([, y]) => y)) - Math.min(...ring.map(([, y]) => y)));
    if (kept.length > 0) place.d = pathOf(kept);
    if (kept.length === 0 || Math.max(...xs, ...ys) < LEAST_EXTENT) place.dot = true;
  } else place.dot = true;
  const known = ELSEWHERE[code] && !fine.has(code) ? projection(ELSEWHERE[code]) : pointOf(fine.get(code) ?? polygons);
  place.at = known.map(Math.round);
  places[code] = place;
}

/** The globe's outline, from pole to pole and back. */
const outline = [];
for (let lat = -90; lat <= 90; lat += 5) outline.push(projection([-180, lat]));
for (let lat = 90; lat >= -90; lat -= 5) outline.push(projection([180, lat]));
const globe = pathOf([outline.map((point) => point.map(Math.round))]);

const lines = Object.entries(places).map(([code, place]) => `  ${code}: ${JSON.stringify(place).replaceAll(/"(\w+)":/gu, "$1: ").replaceAll(",", ", ")},`);
process.stdout.write(`/**
 * The world in the Equal Earth projection: for each ISO 3166-1 code an SVG path (\`d\`), a point (\`at\`), and whether it is
 * too small to be hit (\`dot\`). Made with Natural Earth 4.1, public domain (naturalearthdata.com), by services/desk/map; do
 * not edit.
 */

export const WIDTH = ${WIDTH};
export const HEIGHT = ${HEIGHT};
export const GLOBE = ${JSON.stringify(globe)};
export const PLACES = {
${lines.join("\n")}
};
`);
const dots = Object.entries(places).filter(([, place]) => place.dot).map(([code]) => code);
const bare = Object.entries(places).filter(([, place]) => !place.d).map(([code]) => code);
process.stderr.write(`${all.length} codes, ${dots.length} dots, without a shape: ${bare.join(" ")}\n`);
