/** The world as a drawing: countries that can be reached by pointer and arrow keys, circles for counts, zooming. */

import { h, setText, shape } from "./dom.js";
import { denials, neighbour, sums, volume } from "./geography.js";

const DOT = 5;
const LARGEST_BUBBLE = 34;
const MOST_ZOOM = 8;
const STEP = 1.6;

export class Globe {
  #world;
  #options;
  #paths = new Map();
  #svg;
  #stage;
  #outline;
  #bubbleLayer;
  #tip;
  /** The country that the Tab key reaches. */
  #stop = "US";
  #zoom = { scale: 1, x: 0, y: 0 };
  #dragged = false;
  #counts = [];
  #look = () => ({ label: "", className: "", tip: "" });

  /**
   * @param {object} world                       the module `world.js`
   * @param {object} options
   * @param {(code: string) => void} options.onChoose
   */
  constructor(world, options) {
    this.#world = world;
    this.#options = options;
    this.#svg = this.#build();
    this.#tip = h("div", { className: "tip", hidden: true, attrs: { "aria-hidden": "true" } });
    const zoom = h("div", { className: "zoom", attrs: { role: "group", "aria-label": "Zoom" } }, ...[["+", "Zoom in", STEP], ["−", "Zoom out", 1 / STEP], ["⌂", "Whole world", 0]].map(([textContent, title, by]) => h("button", {
      type: "button", className: "plain", textContent, title, attrs: { "aria-label": title }, on: { click: () => this.zoomBy(by) },
    })));
    this.element = h("div", { className: "globe" }, this.#svg, zoom, this.#tip);
  }

  /** Draws it anew. `look(code)` is `{label, className, tip}`; `counts` are rows by country; `chosen` a code or null. */
  draw({ look, counts, chosen }) {
    [this.#look, this.#counts] = [look, counts];
    for (const [code, path] of this.#paths) {
      const { label, className } = look(code);
      path.setAttribute("class", ["land", path.tagName === "circle" ? "dot" : "", className, code === chosen ? "chosen" : ""].filter(Boolean).join(" "));
      path.setAttribute("aria-label", label);
      path.setAttribute("aria-pressed", String(code === chosen));
    }
    // Drawn once more on top: neighbours would cover half of its edge.
    const { d, dot = false } = this.#world.PLACES[chosen] ?? {};
    this.#outline.replaceChildren(...(d && !dot ? [shape("path", { d })] : []));
    this.#bubbles();
  }

  /** The Tab key reaches this country from now on. */
  reach(code) {
    this.#paths.get(this.#stop)?.setAttribute("tabindex", "-1");
    this.#stop = code;
    this.#paths.get(code).setAttribute("tabindex", "0");
  }

  /** Brings a country that is too small to be seen into the middle, larger. */
  show(code) {
    const { dot, at } = this.#world.PLACES[code];
    if (dot) this.zoomBy(Math.max(1, 2 / this.#zoom.scale), at);
  }

  /** Zooms about the middle, or about a point; 0 shows the whole world. */
  zoomBy(by, at = null) {
    const { WIDTH, HEIGHT } = this.#world;
    if (by === 0) return this.#moveTo({ scale: 1, x: 0, y: 0 });
    const { scale, x, y } = this.#zoom;
    const next = Math.min(MOST_ZOOM, Math.max(1, scale * by));
    const [cx, cy] = at ?? [(WIDTH / 2 - x) / scale, (HEIGHT / 2 - y) / scale];
    return this.#moveTo({ scale: next, x: WIDTH / 2 - cx * next, y: HEIGHT / 2 - cy * next });
  }

  #build() {
    const { PLACES, WIDTH, HEIGHT, GLOBE } = this.#world;
    const country = (code, tag, attributes) => {
      const element = shape(tag, { ...attributes, role: "button", tabindex: code === this.#stop ? "0" : "-1", "data-code": code });
      this.#paths.set(code, element);
      return element;
    };
    const places = Object.entries(PLACES);
    const shapes = places.filter(([, { dot }]) => !dot).map(([code, { d }]) => country(code, "path", { d }));
    const dots = places.filter(([, { dot }]) => dot).map(([code, { at: [cx, cy] }]) => country(code, "circle", { cx, cy, r: DOT }));
    this.#outline = shape("g", { class: "outline", "aria-hidden": "true" });
    this.#bubbleLayer = shape("g", { class: "bubbles", "aria-hidden": "true" });
    this.#stage = shape("g", {}, shape("path", { d: GLOBE, class: "sea" }), ...shapes, this.#outline, this.#bubbleLayer, ...dots);
    const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": "World map. Arrow keys go from country to country, Enter opens one." }, this.#stage);
    const codeOf = (event) => event.target.closest?.("[data-code]")?.dataset.code ?? null;
    const listen = (name, listener) => svg.addEventListener(name, listener);
    listen("click", (event) => {
      const code = codeOf(event);
      if (code && !this.#dragged) this.#options.onChoose(code);
    });
    listen("keydown", (event) => this.#key(event, codeOf(event)));
    listen("pointermove", (event) => this.#tell(codeOf(event), event));
    listen("pointerleave", () => this.#tell(null));
    listen("focusin", (event) => { if (event.target.matches(":focus-visible")) this.#tell(codeOf(event)); });
    listen("focusout", () => this.#tell(null));
    this.#drag(svg, listen);
    return svg;
  }

  /** Moves the map under the pointer once it is larger than its frame. */
  #drag(svg, listen) {
    let from = null;
    listen("pointerdown", (event) => {
      this.#dragged = false;
      from = this.#zoom.scale > 1 ? { x: event.clientX, y: event.clientY, zoom: this.#zoom } : null;
    });
    listen("pointermove", (event) => {
      if (!from || event.buttons !== 1) return;
      const unit = this.#world.WIDTH / svg.clientWidth;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      if (Math.hypot(dx, dy) > 4) this.#dragged = true;
      this.#moveTo({ ...this.#zoom, x: from.zoom.x + dx * unit, y: from.zoom.y + dy * unit });
    });
    listen("pointerup", () => { from = null; });
  }

  #moveTo({ scale, x, y }) {
    const { WIDTH, HEIGHT } = this.#world;
    const held = (value, size) => Math.min(0, Math.max(size - size * scale, value));
    this.#zoom = { scale, x: held(x, WIDTH), y: held(y, HEIGHT) };
    this.#stage.setAttribute("transform", `translate(${this.#zoom.x} ${this.#zoom.y}) scale(${scale})`);
    this.#svg.classList.toggle("zoomed", scale > 1);
    for (const dot of this.#paths.values()) if (dot.tagName === "circle") dot.setAttribute("r", String(DOT / scale ** 0.75));
    this.#bubbles();
  }

  /** A circle for each country where something went through, and in it the part that was not let through. */
  #bubbles() {
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
    this.#bubbleLayer.replaceChildren(...circles);
  }

  /** Says what a country is, beside the pointer or the country. */
  #tell(code, event = null) {
    const tip = this.#tip;
    tip.hidden = code === null;
    if (code === null) return;
    setText(tip, this.#look(code).tip);
    const frame = this.element.getBoundingClientRect();
    const box = this.#paths.get(code).getBoundingClientRect();
    const [x, y] = event ? [event.clientX, event.clientY] : [box.x + box.width / 2, box.y + box.height / 2];
    tip.style.translate = `${Math.min(frame.width - tip.offsetWidth - 4, Math.max(4, x - frame.x + 12))}px ${Math.max(4, y - frame.y - 34)}px`;
  }

  #key(event, code) {
    if (!code) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#options.onChoose(code);
      return;
    }
    const next = neighbour(code, event.key, this.#world.PLACES);
    if (!next) return;
    event.preventDefault();
    this.reach(next);
    this.#paths.get(next).focus();
  }
}
