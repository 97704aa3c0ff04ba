/** Who takes part in a conversation beside its agent, in words. Pure. */

import { channelName } from "./messages.js";

/** What to say above the transcript: `{key, tone, text}`. `moment` puts a time into words. */
export function partNotes({ part, agent, consult, joined, callback, state }, me, moment) {
  const notes = [];
  if (["closed", "wrap_up"].includes(state)) return notes;
  if (part === "advises") {
    notes.push({ key: "consult", tone: "info", text: `You advise ${consult?.by || agent || "a colleague"}, who alone writes to the customer.${consult?.note ? ` The question: ${consult.note}` : ""}` });
  } else if (consult) {
    const who = consult.agent || "A colleague";
    notes.push({ key: "consult", tone: "info", text: consult.ringing ? `${who} is asked for advice…` : `${who} reads along and advises.` });
  }
  if (part === "joined") notes.push({ key: "joined", tone: "info", text: `You take part; ${agent || "the agent"} answers. What you write goes to the customer.` });
  const others = joined.filter((one) => one !== me);
  if (others.length > 0) notes.push({ key: "others", tone: "warn", text: `${others.join(", ")} ${others.length === 1 ? "takes" : "take"} part as supervisor${others.length === 1 ? "" : "s"}.` });
  if (callback) notes.push({ key: "callback", tone: "warn", text: callbackWords(callback, moment) });
  return notes;
}

/** Where and when a customer is called back. */
export function callbackWords({ address, notBefore }, moment) {
  const where = address ? ` at ${address.phone || address.userId || address.email || ""}${address.channel ? ` (${channelName(address.channel)})` : ""}` : "";
  return `Call back${where}${notBefore === null ? "" : `, not before ${moment(notBefore)}`}.`;
}
