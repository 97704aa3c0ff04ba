/**
 * The policy map: the world with each region in its colour, how much went which way, and for a country the rules that
 * decide. The table beside the map says the same; every country can be reached by keyboard and by its name.
 */

import { h, setText, shape } from "./dom.js";
import { fullTime } from "./format.js";
import { countryNames, denials, geographyOf, neighbour, search, stretch, sums, termWords, volume } from "./geography.js";
import { channelName } from "./messages.js";
import { badge, chain, facts } from "./verdict.js";
import { time } from "./wire.js";

const REFRESH_MS = 15_000;
const PERIODS = [["yesterday", "Yesterday"], ["today", "Today"], ["week", "7 days"]];
const CLASSES = ["service", "utility", "marketing", "authentication", "emergency"];
const DOT = 5;
const LARGEST_BUBBLE = 34;
const MOST_ZOOM = 8;

export class MapView {
  #api;
  #part = null;
  #world = null;
  #names = new Map();
  #geography = { regions: [], of: () => null };
  #policy = null;
  #counts = [];
  #period = "yesterday";
  #country = null;
  /** The country that the Tab key reaches. */
  #stop = "US";
  #region = null;
  #question = { direction: "outbound", class: "service", channel: "" };
  #zoom = { scale: 1, x: 0, y: 0 };
  #timer = null;
  #turn = 0;

  constructor(api) {
    this.#api = api;
  }

  get isOpen() { return !document.getElementById("map").hidden; }

  toggle() { return this.isOpen ? this.close() : this.open(); }

  close() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.#show(false);
    document.getElementById("map-button")?.focus();
  }

  async open() {
    this.#show(true);
    document.getElementById("map").focus();
    if (!this.#part) {
      this.#world = await import("./world.js");
      this.#names = countryNames(Object.keys(this.#world.PLACES), navigator.languages);
      this.#build();
    }
    this.#timer ??= setInterval(() => { if (document.visibilityState === "visible") this.#refresh(); }, REFRESH_MS);
    await this.#refresh();
  }

  #show(on) {
    document.getElementById("map").hidden = !on;
    document.getElementById("desk").classList.toggle("on-map", on);
    const button = document.getElementById("map-button");
    button?.setAttribute("aria-expanded", String(on));
    if (button) setText(button, on ? "Conversations" : "Policy map");
  }

  async #refresh() {
    this.#turn += 1;
    const turn = this.#turn;
    try {
      const [policy, counts] = await Promise.all([this.#api.policy(), this.#api.traffic(stretch(this.#period, Date.now()))]);
      if (turn !== this.#turn) return;
      const changed = JSON.stringify(policy) !== JSON.stringify(this.#policy);
      this.#policy = policy;
      this.#geography = geographyOf(policy);
      this.#counts = counts;
      this.#draw();
      if (changed && this.#country) await this.#explain();
      this.#say("");
    } catch (error) {
      if (turn === this.#turn) this.#say(error.message);
    }
  }

  #say(text) {
    const { problem } = this.#part;
    problem.hidden = !text;
    setText(problem, text);
  }

  #build() {
    const part = { paths: new Map(), bubbles: new Map() };
    this.#part = part;
    part.about = h("p", { className: "muted small" });
    part.problem = h("p", { className: "error", hidden: true, attrs: { role: "alert" } });
    const periods = h("div", { className: "segments", attrs: { role: "radiogroup", "aria-label": "Counted over" } }, ...PERIODS.map(([value, label]) => h("label", {},
      h("input", { type: "radio", name: "map-period", value, checked: value === this.#period, on: { change: () => { this.#period = value; this.#refresh(); } } }), h("span", { textContent: label }))));
    part.search = h("input", {
      type: "search", placeholder: "Find a country…", autocomplete: "off", spellcheck: false, attrs: { "aria-label": "Find a country", role: "combobox", "aria-expanded": "false", "aria-controls": "map-found", "aria-autocomplete": "list" },
      on: { input: () => this.#find(), keydown: (event) => this.#searchKey(event), blur: () => setTimeout(() => this.#found([]), 150) },
    });
    part.found = h("ul", { id: "map-found", className: "found", hidden: true, attrs: { role: "listbox", "aria-label": "Countries" } });
    const zoom = h("div", { className: "zoom", attrs: { role: "group", "aria-label": "Zoom" } }, ...[["+", "Zoom in", 1.6], ["−", "Zoom out", 1 / 1.6], ["⌂", "Whole world", 0]].map(([textContent, title, by]) => h("button", {
      type: "button", className: "plain", textContent, title, attrs: { "aria-label": title }, on: { click: () => this.#zoomBy(by) },
    })));
    part.svg = this.#drawWorld();
    part.regions = h("tbody", {});
    const table = h("table", { className: "regions" }, h("caption", { className: "hidden-text", textContent: "Regions of the policy, their channels, and what went through" }),
      h("thead", {}, h("tr", {}, ...["Region", "Channels", "In", "Out", "Not let through"].map((textContent, at) => h("th", { textContent, scope: "col", className: at > 1 ? "number" : "" })))), part.regions);
    part.tip = h("div", { className: "tip", hidden: true, attrs: { "aria-hidden": "true" } });
    part.country = h("section", { className: "country", attrs: { "aria-live": "polite", "aria-label": "Country" } });
    document.getElementById("map").replaceChildren(
      h("header", { className: "map-head" }, h("div", {}, h("h2", { id: "map-title", textContent: "Policy map" }), part.about), h("div", { className: "finder" }, part.search, part.found), periods),
      part.problem,
      h("div", { className: "map-body" },
        h("div", { className: "map-world" }, h("div", { className: "globe" }, part.svg, zoom, part.tip), h("div", { className: "table-scroll" }, table)),
        part.country));
    this.#blank();
  }

  #drawWorld() {
    const { PLACES, WIDTH, HEIGHT, GLOBE } = this.#world;
    const part = this.#part;
    const country = (code, element) => {
      for (const [name, value] of Object.entries({ role: "button", tabindex: code === this.#stop ? "0" : "-1", "data-code": code })) element.setAttribute(name, value);
      part.paths.set(code, element);
      return element;
    };
    const shapes = Object.entries(PLACES).filter(([, { dot }]) => !dot).map(([code, { d }]) => country(code, shape("path", { d, class: "land" })));
    const dots = Object.entries(PLACES).filter(([, { dot }]) => dot).map(([code, { at: [cx, cy] }]) => country(code, shape("circle", { cx, cy, r: DOT, class: "land dot" })));
    part.bubbleLayer = shape("g", { class: "bubbles", "aria-hidden": "true" });
    part.outline = shape("g", { class: "outline", "aria-hidden": "true" });
    part.stage = shape("g", {}, shape("path", { d: GLOBE, class: "sea" }), ...shapes, part.outline, part.bubbleLayer, ...dots);
    const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": "World map. Arrow keys go from country to country, Enter opens one." }, part.stage);
    const codeOf = (event) => event.target.closest?.("[data-code]")?.dataset.code ?? null;
    svg.addEventListener("click", (event) => {
      const code = codeOf(event);
      if (code && !this.#dragged) this.#choose(code);
    });
    svg.addEventListener("keydown", (event) => this.#key(event, codeOf(event)));
    svg.addEventListener("pointermove", (event) => this.#tell(codeOf(event), event));
    svg.addEventListener("pointerleave", () => { part.tip.hidden = true; });
    svg.addEventListener("focusin", (event) => {
      const code = codeOf(event);
      if (code && event.target.matches(":focus-visible")) this.#tell(code, null);
    });
    svg.addEventListener("focusout", () => { part.tip.hidden = true; });
    this.#drag(svg);
    return svg;
  }

  #dragged = false;

  /** Moves the map under the pointer once it is larger than its frame. */
  #drag(svg) {
    let from = null;
    svg.addEventListener("pointerdown", (event) => {
      this.#dragged = false;
      from = this.#zoom.scale > 1 ? { x: event.clientX, y: event.clientY, zoom: { ...this.#zoom } } : null;
    });
    svg.addEventListener("pointermove", (event) => {
      if (!from || event.buttons !== 1) return;
      const unit = this.#world.WIDTH / svg.clientWidth;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      if (Math.hypot(dx, dy) > 4) this.#dragged = true;
      this.#moveTo({ ...this.#zoom, x: from.zoom.x + dx * unit, y: from.zoom.y + dy * unit });
    });
    svg.addEventListener("pointerup", () => { from = null; });
  }

  /** Zooms about the middle; 0 shows the whole world. */
  #zoomBy(by, at = null) {
    const { WIDTH, HEIGHT } = this.#world;
    if (by === 0) return this.#moveTo({ scale: 1, x: 0, y: 0 });
    const { scale, x, y } = this.#zoom;
    const next = Math.min(MOST_ZOOM, Math.max(1, scale * by));
    const [cx, cy] = at ?? [(WIDTH / 2 - x) / scale, (HEIGHT / 2 - y) / scale];
    return this.#moveTo({ scale: next, x: WIDTH / 2 - cx * next, y: HEIGHT / 2 - cy * next });
  }

  #moveTo({ scale, x, y }) {
    const { WIDTH, HEIGHT } = this.#world;
    const held = (value, size) => Math.min(0, Math.max(size - size * scale, value));
    this.#zoom = { scale, x: held(x, WIDTH), y: held(y, HEIGHT) };
    const { stage, svg, paths } = this.#part;
    stage.setAttribute("transform", `translate(${this.#zoom.x} ${this.#zoom.y}) scale(${scale})`);
    svg.classList.toggle("zoomed", scale > 1);
    for (const dot of paths.values()) if (dot.tagName === "circle") dot.setAttribute("r", String(DOT / scale ** 0.75));
    this.#bubbles();
  }

  #draw() {
    const { paths, about } = this.#part;
    const { policy, version, appliedBy, appliedAt, unusableVersion } = this.#policy;
    setText(about, [
      `${policy}, version ${version}`, appliedAt && `applied ${fullTime(time(appliedAt))}${appliedBy ? ` by ${appliedBy}` : ""}`,
      unusableVersion && `version ${unusableVersion} cannot be used`,
    ].filter(Boolean).join(" · "));
    for (const [code, path] of paths) {
      const place = this.#geography.of(code);
      const colour = place?.region.colour ?? null;
      const dimmed = this.#region !== null && place?.region.name !== this.#region;
      path.setAttribute("class", ["land", path.tagName === "circle" ? "dot" : "", colour === null ? "rest" : `r${colour}`, dimmed ? "dimmed" : "", code === this.#country ? "chosen" : ""].filter(Boolean).join(" "));
      path.setAttribute("aria-label", `${this.#names.get(code)}, ${place?.region.name ?? "no region"}`);
      if (code === this.#country) path.setAttribute("aria-pressed", "true");
      else path.removeAttribute("aria-pressed");
    }
    // Drawn once more on top: neighbours would cover half of its edge.
    const d = this.#country && this.#world.PLACES[this.#country].d;
    this.#part.outline.replaceChildren(...(d && !this.#world.PLACES[this.#country].dot ? [shape("path", { d })] : []));
    this.#bubbles();
    this.#table();
  }

  /** A circle for each country where something went through, and in it the part that was not let through. */
  #bubbles() {
    const { bubbleLayer } = this.#part;
    const counted = sums(this.#counts, "country");
    const { scale } = this.#zoom;
    const size = (count) => (LARGEST_BUBBLE * Math.sqrt(count / counted.largest)) / scale ** 0.6;
    const circles = counted.all.flatMap(([code, sum]) => {
      const place = this.#world.PLACES[code];
      if (!place) return [];
      const [cx, cy] = place.at;
      return [["volume", volume(sum)], ["denials", denials(sum)]].filter(([, count]) => count > 0)
        .map(([kind, count]) => shape("circle", { cx, cy, r: Math.max(3 / scale, size(count)).toFixed(1), class: `bubble-${kind}` }));
    });
    bubbleLayer.replaceChildren(...circles);
  }

  #table() {
    const counted = sums(this.#counts, "region");
    const number = new Intl.NumberFormat();
    const known = new Set(this.#geography.regions.map(({ name }) => name));
    const gone = counted.all.filter(([name]) => !known.has(name)).map(([name]) => ({ name: name || "unknown", key: name, gone: true, channels: [], countries: [], colour: null }));
    const rows = [...this.#geography.regions, ...gone].map((region) => {
      const sum = counted.of(region.key ?? region.name);
      const chosen = this.#region === region.name;
      const count = (value, bad = false) => h("td", { className: `number ${bad && value > 0 ? "bad" : ""}`, textContent: number.format(value) });
      const size = `${region.countries.length} ${region.countries.length === 1 ? "country" : "countries"}`;
      return h("tr", { className: chosen ? "chosen" : "" },
        h("th", { scope: "row" }, h("button", {
          type: "button", className: "region", disabled: Boolean(region.gone), attrs: { "aria-pressed": String(chosen) }, title: region.terms?.join(", ") || size, on: { click: () => { this.#region = chosen ? null : region.name; this.#draw(); } },
        }, h("span", { className: `swatch ${region.colour === null ? "rest" : `r${region.colour}`}`, attrs: { "aria-hidden": "true" } }), h("span", {}, h("span", { textContent: region.name }), h("small", { className: "muted", textContent: region.gone ? "of an earlier version" : size })))),
        h("td", {}, h("span", { className: "chips" }, ...this.#chips(region.channels))),
        count(sum.received), count(sum.sent), count(denials(sum), true));
    });
    // Focus stays on the region that was pressed.
    const focused = [...this.#part.regions.children].findIndex((row) => row.contains(document.activeElement));
    this.#part.regions.replaceChildren(...rows);
    if (focused >= 0) rows[focused]?.querySelector("button")?.focus();
  }

  #chips(channels) {
    if (channels.length === 0) return [h("span", { className: "muted small", textContent: "none" })];
    const inUse = this.#policy.inUse ?? [];
    return channels.map((channel) => h("span", {
      className: `channel small ${inUse.includes(channel) ? "" : "idle"}`, textContent: channelName(channel), title: inUse.includes(channel) ? "" : "There is no account in use on it",
    }));
  }

  #tell(code, event) {
    const { tip, svg, paths } = this.#part;
    tip.hidden = code === null;
    if (code === null) return;
    const place = this.#geography.of(code);
    const sum = sums(this.#counts, "country").of(code);
    setText(tip, [this.#names.get(code), place?.region.name, volume(sum) > 0 && `${sum.received} in, ${sum.sent} out`, denials(sum) > 0 && `${denials(sum)} not let through`].filter(Boolean).join(" · "));
    const frame = svg.parentElement.getBoundingClientRect();
    const box = paths.get(code).getBoundingClientRect();
    const [x, y] = event ? [event.clientX, event.clientY] : [box.x + box.width / 2, box.y + box.height / 2];
    tip.style.translate = `${Math.min(frame.width - tip.offsetWidth - 4, Math.max(4, x - frame.x + 12))}px ${Math.max(4, y - frame.y - 34)}px`;
  }

  #key(event, code) {
    if (!code) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#choose(code);
      return;
    }
    const next = neighbour(code, event.key, this.#world.PLACES);
    if (!next) return;
    event.preventDefault();
    this.#reach(next);
    this.#part.paths.get(next).focus();
  }

  #reach(code) {
    const { paths } = this.#part;
    paths.get(this.#stop)?.setAttribute("tabindex", "-1");
    this.#stop = code;
    paths.get(code).setAttribute("tabindex", "0");
  }

  #find() {
    this.#found(search(this.#part.search.value, this.#names));
  }

  #found(list) {
    const { found, search: field } = this.#part;
    found.hidden = list.length === 0;
    field.setAttribute("aria-expanded", String(list.length > 0));
    field.removeAttribute("aria-activedescendant");
    found.replaceChildren(...list.map(({ code, name }) => h("li", {
      id: `map-found-${code}`, attrs: { role: "option", "aria-selected": "false", "data-code": code }, on: { pointerdown: (event) => { event.preventDefault(); this.#go(code); } },
    }, h("span", { textContent: name }), h("small", { className: "muted", textContent: this.#geography.of(code)?.region.name ?? "" }))));
  }

  #searchKey(event) {
    const { found, search: field } = this.#part;
    const options = [...found.children];
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") this.#found([]);
    else if (event.key === "Enter") {
      const chosen = options[Math.max(0, at)];
      if (chosen) this.#go(chosen.dataset.code);
    } else if (["ArrowDown", "ArrowUp"].includes(event.key) && options.length > 0) {
      event.preventDefault();
      const next = options[(at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length];
      for (const option of options) option.setAttribute("aria-selected", String(option === next));
      field.setAttribute("aria-activedescendant", next.id);
    }
  }

  #go(code) {
    this.#part.search.value = this.#names.get(code);
    this.#found([]);
    this.#choose(code);
    const place = this.#world.PLACES[code];
    if (place.dot) this.#zoomBy(Math.max(1, 4 / this.#zoom.scale), place.at);
  }

  async #choose(code) {
    this.#country = code;
    this.#reach(code);
    this.#draw();
    await this.#explain();
  }

  #blank() {
    this.#part.country.replaceChildren(h("p", { className: "muted", textContent: "Choose a country to see which channels may be used there, and why." }));
  }

  async #explain() {
    const { country } = this.#part;
    const code = this.#country;
    const turn = JSON.stringify([code, this.#question]);
    this.#asked = turn;
    let answer;
    try {
      answer = await this.#api.explain({ country: code, ...this.#question });
    } catch (error) {
      if (this.#asked === turn) this.#say(error.message);
      return;
    }
    if (this.#asked !== turn) return;
    const place = this.#geography.of(code);
    const sum = sums(this.#counts, "country").of(code);
    const focus = country.contains(document.activeElement) ? document.activeElement.name : "";
    country.replaceChildren(
      h("header", {}, h("h3", { textContent: this.#names.get(code) }), h("code", { textContent: code })),
      facts([
        ["Region", answer.region], ["Named by", answer.term ? termWords(answer.term, this.#names) : "nothing: it falls to the default"],
        ["Stays in", (place?.region.residency ?? []).join(", ")], ["Messages", volume(sum) + denials(sum) > 0 && `${sum.received} in, ${sum.sent} out, ${denials(sum)} not let through`],
      ]),
      h("ol", { className: "order", attrs: { "aria-label": "Channels, the preferred one first" } }, ...(place?.region.channels ?? []).map((channel) => h("li", {}, ...this.#chips([channel])))),
      this.#form(answer.verdicts),
      ...answer.verdicts.map(({ channel, verdict }) => this.#verdict(channel, verdict, answer.verdicts.length === 1)));
    if (focus) country.querySelector(`[name="${focus}"]`)?.focus();
  }

  #asked = "";

  #form() {
    const ask = (field) => (event) => {
      this.#question = { ...this.#question, [field]: event.target.value };
      this.#explain();
    };
    const options = (values, chosen) => values.map(([value, textContent]) => h("option", { value, textContent, selected: value === chosen }));
    const channels = [...new Set([...this.#geography.regions.flatMap((region) => region.channels), ...(this.#policy.inUse ?? [])])].sort();
    const { direction, class: kind, channel } = this.#question;
    return h("form", { className: "question", on: { submit: (event) => event.preventDefault() } },
      h("label", {}, "Direction", h("select", { name: "direction", on: { change: ask("direction") } }, ...options([["outbound", "outbound"], ["inbound", "inbound"]], direction))),
      h("label", {}, "Class", h("select", { name: "class", on: { change: ask("class") } }, ...options(CLASSES.map((one) => [one, one]), kind))),
      h("label", {}, "Channel", h("select", { name: "channel", on: { change: ask("channel") } }, ...options([["", "all"], ...channels.map((one) => [one, channelName(one)])], channel))));
  }

  #verdict(channel, verdict, open) {
    return h("details", { className: "judged", open }, h("summary", {}, h("span", { className: "judged-channel", textContent: channelName(channel) }), badge(verdict)), ...chain(verdict, "h4"));
  }
}
