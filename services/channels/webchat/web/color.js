/** The tenant's colour: the rules that set it, with a text colour that can be read on it. */

/** Rules for a colour, or "" to keep the default. Anything but a CSS colour is refused, so no rule can be smuggled in. */
export function accentRules(color) {
  if (!color || !CSS.supports("color", color)) return "";
  const [red, green, blue] = channels(color);
  const on = luminance(red, green, blue) > 0.19 ? "#10161d" : "#ffffff";
  return `:host { --accent: rgb(${red} ${green} ${blue}); --on-accent: ${on}; }`;
}

/** Lets the browser work out what a colour is in red, green and blue, 0–255. */
function channels(color) {
  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data;
}

/** Relative luminance, WCAG 2.2. */
export function luminance(red, green, blue) {
  const linear = (value) => {
    const share = value / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
