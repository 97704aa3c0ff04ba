/**
 * Reading canonical proto3 JSON: absent fields are defaults, 64-bit numbers are strings, enums are names.
 * Pure. Nothing here trusts what it reads to be complete.
 */

/** A 64-bit number; sequences stay far below 2^53. */
export function number(value) {
  const found = Number(value ?? 0);
  return Number.isFinite(found) ? found : 0;
}

/** `OUTCOME_USE_CHANNEL` → `use_channel`. */
export function name(value, prefix) {
  return String(value ?? "").replace(prefix, "").toLowerCase() || "unspecified";
}

/** Milliseconds since 1970, or null. */
export function time(value) {
  const found = Date.parse(value ?? "");
  return Number.isNaN(found) ? null : found;
}

/** The payload of an event: `message.in_doubt` is held in `messageInDoubt`. */
export function payloadOf(event) {
  const field = String(event.type ?? "").replace(/[._](\w)/gu, (_, letter) => letter.toUpperCase());
  return event[field] ?? {};
}

/** The one frame of a response, as `[kind, body]`; `[null, …]` when there is none we know. */
const FRAMES = ["welcome", "state", "event", "history", "result", "pong", "error", "channelOffer", "contact", "queues", "board"];
export function frameOf(response) {
  const kind = FRAMES.find((candidate) => response?.[candidate] !== undefined) ?? null;
  return [kind, kind ? response[kind] : null];
}

/** How a message of the transcript is named to the server: by its id, and by the provider's where that is known. */
export function referenceTo({ id, providerMessageId }) {
  return { messageId: id, ...(providerMessageId ? { providerMessageId } : {}) };
}

/** Reasons in words, joined. */
export function inWords(reasons) {
  return (reasons ?? []).map((reason) => reason.text || reason.code).filter(Boolean).join("; ");
}

const MEDIA = { image: "Picture", audio: "Audio", video: "Video", file: "File", sticker: "Sticker" };

/**
 * What a person reads of a content: `text`, perhaps `media` (with a `url` only if it is a web address), `options`
 * (titles), a `link`, and a `label` when the kind needs saying.
 */
export function describe(content) {
  const { text, media, location, contactCard, choice, list, card, carousel, template, reaction, edit, deletion, callSignal, custom, selection } = content ?? {};
  if (text) return { text: text.subject ? `${text.subject}\n\n${text.body ?? ""}` : text.body ?? "" };
  if (media) return { text: media.caption || media.transcript || "", media: mediaOf(media) };
  if (location) return place(location);
  if (contactCard) {
    const lines = [contactCard.formattedName, contactCard.organization, ...[...contactCard.phones ?? [], ...contactCard.emails ?? []].map((point) => point.value)];
    return { label: "Contact card", text: lines.filter(Boolean).join("\n") };
  }
  if (choice) return { text: choice.body ?? "", options: titles(choice.options) };
  if (list) return { text: list.body ?? "", options: (list.sections ?? []).flatMap((section) => titles(section.options)) };
  if (card) return cardOf(card);
  if (carousel) {
    const cards = (carousel.cards ?? []).map(cardOf);
    return { text: [carousel.body, ...cards.map((one) => one.text)].filter(Boolean).join("\n\n"), options: cards.flatMap((one) => one.options) };
  }
  if (template) return { label: `Template ${template.name ?? ""}`, text: template.rendered ?? "" };
  if (reaction) return { label: "Reaction", text: reaction.emoji || "taken back" };
  if (edit) return { label: "Edited a message", text: describe(edit.content).text };
  if (deletion) return { label: "Deleted a message", text: "" };
  if (callSignal) return { label: `Call ${name(callSignal.state, "CALL_STATE_")}`, text: callSignal.reason ?? "" };
  if (selection) return { label: "Chose", text: selection.title || selection.optionId || "" };
  if (custom) return { label: custom.kind ?? "Unknown content", text: custom.fallback ?? "" };
  return { label: "Unknown content", text: "" };
}

/** How what was said begins, on one line. */
export function beginning({ text, label, media }) {
  return (text || label || media?.name || "").replaceAll(/\s+/gu, " ").trim().slice(0, 140);
}

function mediaOf(media) {
  const kind = name(media.kind, "MEDIA_KIND_");
  return {
    kind, name: media.fileName || MEDIA[kind] || "File", type: media.contentType ?? "", size: number(media.sizeBytes), url: webAddress(media.url),
  };
}

function cardOf(card) {
  return { text: [card.title, card.body].filter(Boolean).join("\n"), media: card.media && mediaOf(card.media), options: titles(card.options) };
}

function titles(options) {
  return (options ?? []).map((option) => option.title ?? option.id ?? "");
}

function place({ latitude = 0, longitude = 0, name: title, address }) {
  const link = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`;
  return { label: "Location", text: [title, address, `${latitude}, ${longitude}`].filter(Boolean).join("\n"), link };
}

/** Only addresses of the web; anything else could run a script. Relative ones are this server's. */
export function webAddress(url) {
  return /^(?:https?:\/\/|\/(?!\/))/iu.test(url ?? "") ? url : null;
}
