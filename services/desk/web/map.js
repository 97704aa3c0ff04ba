/**
 * The policy map: the world with each region in its colour, how much went which way, and for a country the rules that
 * decide. The table beside the map says the same; every country can be reached by keyboard and by its name.
 */

import { h, setText } from "./dom.js";
import { Finder } from "./finder.js";
import { fullTime } from "./format.js";
import { countryNames, denials, geographyOf, stretch, sums, termWords, volume } from "./geography.js";
import { Globe } from "./globe.js";
import { channelName } from "./messages.js";
import { badge, chain, facts } from "./verdict.js";
import { time } from "./wire.js";

const REFRESH_MS = 15_000;
const PERIODS = [["yesterday", "Yesterday"], ["today", "Today"], ["week", "7 days"]];
const CLASSES = ["service", "utility", "marketing", "authentication", "emergency"];

export class MapView {
  #api;
  #part = null;
  #names = new Map();
  #geography = { regions: [], of: () => null };
  #policy = null;
  #counts = [];
  #period = "yesterday";
  #country = null;
  #region = null;
  #question = { direction: "outbound", class: "service", channel: "" };
  #timer = null;
  #turn = 0;
  #asked = "";

  constructor(api) {
    this.#api = api;
  }

  get isOpen() { return !document.getElementById("map").hidden; }

  toggle() { return this.isOpen ? this.close() : this.open(); }

  close() {
    if (!this.isOpen) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#show(false);
    document.getElementById("map-button")?.focus();
  }

  async open() {
    this.#show(true);
    document.getElementById("map").focus();
    if (!this.#part) {
      const world = await import("./world.js");
      this.#names = countryNames(Object.keys(world.PLACES), navigator.languages);
      this.#build(world);
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
      [this.#policy, this.#counts] = [policy, counts];
      this.#geography = geographyOf(policy);
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

  #build(world) {
    const part = {};
    this.#part = part;
    part.about = h("p", { className: "muted small" });
    part.problem = h("p", { className: "error", hidden: true, attrs: { role: "alert" } });
    const periods = h("div", { className: "segments", attrs: { role: "radiogroup", "aria-label": "Counted over" } }, ...PERIODS.map(([value, label]) => h("label", {},
      h("input", { type: "radio", name: "map-period", value, checked: value === this.#period, on: { change: () => { this.#period = value; this.#refresh(); } } }), h("span", { textContent: label }))));
    part.globe = new Globe(world, { onChoose: (code) => this.#choose(code) });
    const finder = new Finder({
      names: this.#names, note: (code) => this.#geography.of(code)?.region.name ?? "",
      onFound: (code) => {
        this.#choose(code);
        part.globe.show(code);
      },
    });
    part.regions = h("tbody", {});
    const table = h("table", { className: "regions" }, h("caption", { className: "hidden-text", textContent: "Regions of the policy, their channels, and what went through" }),
      h("thead", {}, h("tr", {}, ...["Region", "Channels", "In", "Out", "Not let through"].map((textContent, at) => h("th", { textContent, scope: "col", className: at > 1 ? "number" : "" })))), part.regions);
    part.country = h("section", { className: "country", attrs: { "aria-live": "polite", "aria-label": "Country" } },
      h("p", { className: "muted", textContent: "Choose a country to see which channels may be used there, and why." }));
    document.getElementById("map").replaceChildren(
      h("header", { className: "map-head" }, h("div", {}, h("h2", { id: "map-title", textContent: "Policy map" }), part.about), finder.element, periods),
      part.problem,
      h("div", { className: "map-body" }, h("div", { className: "map-world" }, part.globe.element, h("div", { className: "table-scroll" }, table)), part.country));
  }

  #draw() {
    const { policy, version, appliedBy, appliedAt, unusableVersion } = this.#policy;
    setText(this.#part.about, [
      `${policy}, version ${version}`, appliedAt && `applied ${fullTime(time(appliedAt))}${appliedBy ? ` by ${appliedBy}` : ""}`,
      unusableVersion && `version ${unusableVersion} cannot be used`,
    ].filter(Boolean).join(" · "));
    const counted = sums(this.#counts, "country");
    const look = (code) => {
      const region = this.#geography.of(code)?.region;
      const sum = counted.of(code);
      const colour = region?.colour ?? null;
      return {
        label: `${this.#names.get(code)}, ${region?.name ?? "no region"}`,
        className: [colour === null ? "rest" : `r${colour}`, this.#region !== null && region?.name !== this.#region ? "dimmed" : ""].filter(Boolean).join(" "),
        tip: [this.#names.get(code), region?.name, volume(sum) > 0 && `${sum.received} in, ${sum.sent} out`, denials(sum) > 0 && `${denials(sum)} not let through`].filter(Boolean).join(" · "),
      };
    };
    this.#part.globe.draw({ look, counts: this.#counts, chosen: this.#country });
    this.#table();
  }

  #table() {
    const counted = sums(this.#counts, "region");
    const known = new Set(this.#geography.regions.map(({ name }) => name));
    const gone = counted.all.filter(([name]) => !known.has(name)).map(([key]) => ({ name: key || "unknown", key, gone: true, channels: [], countries: [], colour: null }));
    const rows = [...this.#geography.regions, ...gone].map((region) => this.#row(region, counted.of(region.key ?? region.name)));
    // Focus stays on the region that was pressed.
    const focused = [...this.#part.regions.children].findIndex((row) => row.contains(document.activeElement));
    this.#part.regions.replaceChildren(...rows);
    if (focused >= 0) rows[focused]?.querySelector("button")?.focus();
  }

  #row(region, sum) {
    const number = new Intl.NumberFormat();
    const chosen = this.#region === region.name;
    const count = (value, bad = false) => h("td", { className: `number ${bad && value > 0 ? "bad" : ""}`, textContent: number.format(value) });
    const size = `${region.countries.length} ${region.countries.length === 1 ? "country" : "countries"}`;
    const press = () => {
      this.#region = chosen ? null : region.name;
      this.#draw();
    };
    return h("tr", { className: chosen ? "chosen" : "" },
      h("th", { scope: "row" }, h("button", {
        type: "button", className: "region", disabled: Boolean(region.gone), attrs: { "aria-pressed": String(chosen) }, title: region.terms?.join(", ") || size, on: { click: press },
      }, h("span", { className: `swatch ${region.colour === null ? "rest" : `r${region.colour}`}`, attrs: { "aria-hidden": "true" } }),
      h("span", {}, h("span", { textContent: region.name }), h("small", { className: "muted", textContent: region.gone ? "of an earlier version" : size })))),
      h("td", {}, h("span", { className: "chips" }, ...this.#chips(region.channels))),
      count(sum.received), count(sum.sent), count(denials(sum), true));
  }

  #chips(channels) {
    if (channels.length === 0) return [h("span", { className: "muted small", textContent: "none" })];
    const inUse = this.#policy.inUse ?? [];
    return channels.map((channel) => h("span", {
      className: `channel small ${inUse.includes(channel) ? "" : "idle"}`, textContent: channelName(channel), title: inUse.includes(channel) ? "" : "There is no account in use on it",
    }));
  }

  async #choose(code) {
    this.#country = code;
    this.#part.globe.reach(code);
    this.#draw();
    await this.#explain();
  }

  async #explain() {
    const { country } = this.#part;
    const code = this.#country;
    const asked = JSON.stringify([code, this.#question]);
    this.#asked = asked;
    let answer;
    try {
      answer = await this.#api.explain({ country: code, ...this.#question });
    } catch (error) {
      if (this.#asked === asked) this.#say(error.message);
      return;
    }
    if (this.#asked !== asked) return;
    const region = this.#geography.of(code)?.region;
    const sum = sums(this.#counts, "country").of(code);
    const focus = country.contains(document.activeElement) ? document.activeElement.name : "";
    country.replaceChildren(
      h("header", {}, h("h3", { textContent: this.#names.get(code) }), h("code", { textContent: code })),
      facts([
        ["Region", answer.region], ["Named by", answer.term ? termWords(answer.term, this.#names) : "nothing: it falls to the default"],
        ["Stays in", (region?.residency ?? []).join(", ")], ["Messages", volume(sum) + denials(sum) > 0 && `${sum.received} in, ${sum.sent} out, ${denials(sum)} not let through`],
      ]),
      h("ol", { className: "order", attrs: { "aria-label": "Channels, the preferred one first" } }, ...(region?.channels ?? []).map((channel) => h("li", {}, ...this.#chips([channel])))),
      this.#form(),
      ...answer.verdicts.map(({ channel, verdict }) => h("details", { className: "judged", open: answer.verdicts.length === 1 },
        h("summary", {}, h("span", { className: "judged-channel", textContent: channelName(channel) }), badge(verdict)), ...chain(verdict, "h4"))));
    if (focus) country.querySelector(`[name="${focus}"]`)?.focus();
  }

  #form() {
    const ask = (field) => (event) => {
      this.#question = { ...this.#question, [field]: event.target.value };
      this.#explain();
    };
    const field = (label, name, values) => h("label", {}, label, h("select", { name, on: { change: ask(name) } },
      ...values.map(([value, textContent]) => h("option", { value, textContent, selected: value === this.#question[name] }))));
    const channels = [...new Set([...this.#geography.regions.flatMap((region) => region.channels), ...(this.#policy.inUse ?? [])])].sort();
    return h("form", { className: "question", on: { submit: (event) => event.preventDefault() } },
      field("Direction", "direction", [["outbound", "outbound"], ["inbound", "inbound"]]), field("Class", "class", CLASSES.map((one) => [one, one])),
      field("Channel", "channel", [["", "all"], ...channels.map((one) => [one, channelName(one)])]));
  }
}
