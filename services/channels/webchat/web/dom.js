/** Small helpers to build elements without markup strings, so that no text can ever become markup. */

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  chat: ["M4 5.5A2.5 2.5 0 0 1 6.5 3h11A2.5 2.5 0 0 1 20 5.5v8a2.5 2.5 0 0 1-2.5 2.5H11l-4.6 4.2c-.5.5-1.4.1-1.4-.6V16a2.5 2.5 0 0 1-1-2.5z"],
  close: ["M6 6l12 12M18 6 6 18"],
  down: ["M6 9.5l6 6 6-6"],
  send: ["M4.5 12h10", "M4.5 12 3.4 5.2c-.1-.7.6-1.2 1.2-.9l15.2 7c.6.3.6 1.1 0 1.4l-15.2 7c-.6.3-1.3-.2-1.2-.9z"],
  clip: ["M19 11.5l-7.4 7.4a4.6 4.6 0 0 1-6.5-6.5l7.8-7.8a3 3 0 0 1 4.3 4.3l-7.6 7.6a1.5 1.5 0 0 1-2.1-2.1l6.9-6.9"],
  file: ["M7 3h6.5L19 8.5V19a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z", "M13 3v6h6"],
  clock: ["M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z", "M12 8v4.5l3 1.8"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  checks: ["M2.5 12.5 7 17l9-9.5", "M12 16l1 1 8.5-9.5"],
  alert: ["M12 7.5v5.5", "M12 16.4v.1", "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z"],
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

/** A line icon; it says nothing to screen readers, the control around it has a label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  svg.setAttribute("class", `icon icon-${name}`);
  for (const line of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

/** A button that shows an icon and says a label. */
export function iconButton(name, label, className, onClick) {
  return h("button", { type: "button", className, title: label, attrs: { "aria-label": label }, on: { click: onClick } }, icon(name));
}
