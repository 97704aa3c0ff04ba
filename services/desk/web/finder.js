/** A field that finds a country by its name: a combobox with a list of what fits. */

import { h } from "./dom.js";
import { search } from "./geography.js";

/** How long the list stays when the field is left, so that it can be clicked. */
const LINGER_MS = 150;

export class Finder {
  #options;
  #field;
  #list;

  /** `{names: Map, note(code), onFound(code)}` */
  constructor(options) {
    this.#options = options;
    this.#field = h("input", {
      type: "search", placeholder: "Find a country…", autocomplete: "off", spellcheck: false, attrs: { "aria-label": "Find a country", role: "combobox", "aria-expanded": "false", "aria-controls": "map-found", "aria-autocomplete": "list" },
      on: { input: () => this.#show(search(this.#field.value, options.names)), keydown: (event) => this.#key(event), blur: () => setTimeout(() => this.#show([]), LINGER_MS) },
    });
    this.#list = h("ul", { id: "map-found", className: "found", hidden: true, attrs: { role: "listbox", "aria-label": "Countries" } });
    this.element = h("div", { className: "finder" }, this.#field, this.#list);
  }

  #show(found) {
    this.#list.hidden = found.length === 0;
    this.#field.setAttribute("aria-expanded", String(found.length > 0));
    this.#field.removeAttribute("aria-activedescendant");
    this.#list.replaceChildren(...found.map(({ code, name }) => h("li", {
      id: `map-found-${code}`, attrs: { role: "option", "aria-selected": "false", "data-code": code }, on: { pointerdown: (event) => { event.preventDefault(); this.#take(code); } },
    }, h("span", { textContent: name }), h("small", { className: "muted", textContent: this.#options.note(code) }))));
  }

  #key(event) {
    const options = [...this.#list.children];
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") this.#show([]);
    else if (event.key === "Enter") {
      const chosen = options[Math.max(0, at)];
      if (chosen) this.#take(chosen.dataset.code);
    } else if (["ArrowDown", "ArrowUp"].includes(event.key) && options.length > 0) {
      event.preventDefault();
      const next = options[(at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length];
      for (const option of options) option.setAttribute("aria-selected", String(option === next));
      this.#field.setAttribute("aria-activedescendant", next.id);
    }
  }

  #take(code) {
    this.#field.value = this.#options.names.get(code);
    this.#show([]);
    this.#options.onFound(code);
  }
}
