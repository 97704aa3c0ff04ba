/** What a supervisor does on the board: at once where it can be undone, after a question where it cannot. */

import { askWhom } from "./colleagues.js";
import { confirmThat } from "./dialogs.js";
import { showPast } from "./past.js";
import { toast } from "./toasts.js";

const DONE = { online: "is back online", away: "is away now", offline: "is signed off" };

/** The board's actions. */
export function supervising(client, api) {
  return {
    look: (conversation, customer) => showPast(client, conversation, customer),
    join: (conversation) => client.join(conversation),
    assign: async (conversation, customer) => {
      const to = await askWhom({ title: `Assign ${customer}`, submit: "Assign", note: "Note for whoever gets it", load: () => api.colleagues() });
      if (to) client.assign(conversation, to);
    },
    pull: async (conversation, customer, agent) => {
      const sure = agent === "" || await confirmThat("Take over", `${agent} loses ${customer}, and you answer.`, "Take over");
      if (sure) client.pull(conversation);
    },
    prioritize: ({ id, customer, priority: before }, priority) => {
      client.prioritize(id, priority);
      toast(`${customer} has priority ${priority} now.`, "info", { label: "Undo", run: () => client.prioritize(id, before) });
    },
    presence: async (agent, presence) => {
      // Whoever is signed off has to come back themselves.
      const final = presence === "offline";
      const inHand = agent.work.length > 0 ? ` has ${agent.work.length} in hand; all of it goes back to its queues.` : " has to sign on again.";
      if (final && !await confirmThat("Sign off", `${agent.title}${inHand}`, "Sign off")) return;
      client.setAgentPresence(agent.name, presence);
      const undo = final ? null : { label: "Undo", run: () => client.setAgentPresence(agent.name, agent.presence) };
      toast(`${agent.title} ${DONE[presence]}.`, "info", undo);
    },
  };
}
