/** Small helpers to build elements without markup strings, so that no text can ever become markup. */

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  queued: ["M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z", "M12 8v4.5l3 1.8"],
  sent: ["M5 12.5l4.5 4.5L19 7.5"],
  delivered: ["M2.5 12.5 7 17l9-9.5", "M12 16l1 1 8.5-9.5"],
  failed: ["M12 7.5v5.5", "M12 16.4v.1", "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z"],
  doubt: ["M9.3 9.2a2.8 2.8 0 1 1 4 2.6c-.9.5-1.3 1-1.3 2", "M12 16.8v.1", "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z"],
  close: ["M6 6l12 12M18 6 6 18"],
  send: ["M4.5 12h10", "M4.5 12 3.4 5.2c-.1-.7.6-1.2 1.2-.9l15.2 7c.6.3.6 1.1 0 1.4l-15.2 7c-.6.3-1.3-.2-1.2-.9z"],
  file: ["M7 3h6.5L19 8.5V19a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z", "M13 3v6h6"],
  attach: ["M20 11.5l-8 8a5 5 0 0 1-7.1-7.1L13.4 4a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.4a1.7 1.7 0 0 1-2.4-2.4l7.8-7.7"],
  reply: ["M10 6.5 4.5 12l5.5 5.5", "M5 12h8.5a6 6 0 0 1 6 6v.5"],
  back: ["M14.5 5.5 8 12l6.5 6.5"],
};

/** An element with properties, attributes (`attrs`), listeners (`on`) and children. */
export function h(tag, { attrs = {}, on = {}, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  for (const [name, value] of Object.entries(attrs)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An element of a drawing. */
export function shape(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A line icon; the words around it say what it means. */
export function icon(name) {
  return shape("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false", class: "icon" }, ...ICONS[name].map((d) => shape("path", { d })));
}

const RADIUS = 17;

/** A ring that empties: `{element, set(share)}`, share from 1 to 0. */
export function ring() {
  const length = 2 * Math.PI * RADIUS;
  const circle = (className) => shape("circle", { cx: 20, cy: 20, r: RADIUS, class: className });
  const rest = circle("rest");
  rest.setAttribute("stroke-dasharray", String(length));
  const element = shape("svg", { viewBox: "0 0 40 40", class: "ring", "aria-hidden": "true" }, circle("track"), rest);
  return { element, set: (share) => rest.setAttribute("stroke-dashoffset", String(length * (1 - share))) };
}

/**
 * Makes the children of `parent` show `items`, keeping elements whose key stays, so that focus stays too.
 * `create(item)` returns `{element, update?(item)}`.
 */
export function reconcile(parent, items, keyOf, create) {
  const known = parent.drawn ?? new Map();
  const next = new Map();
  items.forEach((item, index) => {
    const key = keyOf(item);
    const view = known.get(key) ?? create(item);
    next.set(key, view);
    view.update?.(item);
    const there = parent.children[index];
    if (there !== view.element) parent.insertBefore(view.element, there ?? null);
  });
  for (const [key, view] of known) if (!next.has(key)) view.element.remove();
  parent.drawn = next;
}

/** Sets text only where it changed, so that live regions speak only of news. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Empties an element that `reconcile` has filled. */
export function clear(parent) {
  parent.replaceChildren();
  parent.drawn = new Map();
}
