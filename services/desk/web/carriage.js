/** What becomes of a file that an agent attaches, by what the customer's channel carries. Pure. */

import { bytes } from "./format.js";
import { channelName } from "./messages.js";
import { name, number } from "./wire.js";

const KINDS = { image: "pictures", audio: "recordings", video: "videos", file: "files" };

/** Why a file cannot be attached at all, or nothing. `files` is what the reach says of files. */
export function tooLarge(size, files) {
  const largest = number(files?.largest);
  return largest > 0 && size > largest ? `Too large: a file may have at most ${bytes(largest)}.` : "";
}

/**
 * What the agent is told of a file that does not go out as it is: `{tone, text}`, or null. `way` is an address of the
 * reach; where its channel did not say what it carries, nothing is told.
 */
export function carriage(media, way, files) {
  if (!way?.carries) return null;
  const kind = name(media.kind, "MEDIA_KIND_");
  const ones = way.carries.filter((one) => name(one.kind, "MEDIA_KIND_") === kind);
  const typed = ones.filter((one) => (one.contentTypes ?? []).length === 0 || one.contentTypes.includes(media.contentType));
  const most = typed.map((one) => number(one.maxBytes) || Number.POSITIVE_INFINITY);
  if (most.some((limit) => number(media.sizeBytes) <= limit)) return null;
  const [channel, what] = [channelName(way.channel), KINDS[kind] ?? "files"];
  const shown = [...new Set(ones.flatMap((one) => one.contentTypes ?? []).map((type) => type.split("/")[1].toUpperCase()))];
  const why = ones.length === 0 ? `${channel} carries no ${what}`
    : typed.length === 0 ? `${channel} carries ${what} as ${shown.join(", ")} alone`
      : `${channel} carries ${what} up to ${bytes(Math.max(...most))}`;
  return files?.linked ? { tone: "warn", text: `${why}: the customer gets a link to it.` } : { tone: "bad", text: `${why}: the customer reads its name alone.` };
}
