/** Drawing media: pictures and recordings in line, everything else as a file to download. */

import { h, icon } from "./dom.js";
import { bytes } from "./format.js";

/** How often a file that is still on its way is asked for again. */
const TRIES = 24;
const AGAIN_MS = 5_000;

/** Types a browser can be expected to show; where the type is not known yet, the kind says what to try. */
const SHOWN = {
  image: /^image\/(?:png|jpe?g|gif|webp|avif|bmp)$/u,
  audio: /^audio\/(?:mpeg|ogg|mp4|aac|wav|flac|webm)\b/u,
  video: /^video\/(?:mp4|webm|ogg)\b/u,
};
const KINDS = { image: "image", sticker: "image", audio: "audio", video: "video" };

/** How a medium is drawn: `image`, `audio`, `video` or `file`. */
export function shapeOf({ kind, type, url }) {
  if (!url) return "file";
  if (!type || type === "application/octet-stream") return KINDS[kind] ?? "file";
  return Object.keys(SHOWN).find((shape) => SHOWN[shape].test(type)) ?? "file";
}

/** The element that shows a medium. `fetch` and `timers` are the page's own unless said otherwise. */
export function mediaElement(media, { fetch = (...args) => globalThis.fetch(...args), timers = globalThis } = {}) {
  const shape = shapeOf(media);
  if (shape === "file") return fileOf(media);
  const frame = h("div", { className: `medium ${shape}` });
  const draw = () => frame.replaceChildren(DRAW[shape](media, failed));
  let tries = 0;
  // An element tells that it failed and never why; the server does, when it is asked.
  const failed = async () => {
    const { again, reason } = await why(media.url, fetch);
    if (again && tries < TRIES) {
      tries += 1;
      frame.replaceChildren(fileOf({ ...media, url: null }, reason));
      timers.setTimeout(draw, AGAIN_MS);
    } else frame.replaceChildren(fileOf(reason ? { ...media, url: null } : media, reason));
  };
  draw();
  return frame;
}

const DRAW = {
  image: (media, failed) => h("a", { className: "picture", href: media.url, target: "_blank", rel: "noopener noreferrer" },
    h("img", { src: media.url, alt: media.name, loading: "lazy", on: { error: failed } })),
  audio: (media, failed) => h("audio", { src: media.url, controls: true, preload: "metadata", title: media.name, on: { error: failed } }),
  video: (media, failed) => h("video", { src: media.url, controls: true, preload: "metadata", title: media.name, on: { error: failed } }),
};

function fileOf(media, reason = "") {
  const label = [media.name, bytes(media.size)].filter(Boolean).join(", ");
  return h(media.url ? "a" : "span", {
    className: "file", ...(media.url ? { href: media.url, target: "_blank", rel: "noopener noreferrer" } : {}),
  }, icon("file"), h("span", { textContent: label }), ...(reason ? [h("span", { className: "muted small", textContent: reason })] : []));
}

/** Why a file of this server's cannot be shown: `{again, reason}`; no reason where it is there and the browser cannot show it. */
export async function why(url, fetch) {
  // Others do not let us ask.
  if (!url.startsWith("/")) return { again: false, reason: "" };
  try {
    const answer = await fetch(url, { headers: { Range: "bytes=0-0" }, credentials: "omit" });
    if (answer.ok) return { again: false, reason: "" };
    const told = await answer.json().catch(() => ({}));
    return { again: answer.headers.has("retry-after"), reason: told.error?.message ?? "The file cannot be had." };
  } catch {
    return { again: true, reason: "The desk cannot be reached." };
  }
}
