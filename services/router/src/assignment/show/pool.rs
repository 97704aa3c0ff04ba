//! Everybody and everything of a tenant, as supervisors see it.

use std::cmp::Reverse;

use heliograph_assignment::{AgentView as Seen, Presence as Is, Text};
use heliograph_proto::v1::{AgentView, AgentWork, PoolQuery, PoolState, Presence};

use super::{
    super::{annex::Known, convert::presence_on_wire, emit::count},
    Shown, advised, time,
};

/// Agents shown unless the question says otherwise.
const AGENTS: usize = 500;
/// Waiting conversations of a queue shown unless the question says otherwise.
const WAITING: usize = 50;

impl Shown<'_> {
    /// The pool, as far as it fits.
    pub(in super::super) fn pool(&self, asked: PoolQuery) -> PoolState {
        let most = |asked: i32, usual: usize| match usize::try_from(asked) {
            Ok(0) | Err(_) => usual,
            Ok(most) => most.min(usual * 4),
        };
        let machine = &self.state.machine;
        let mut agents = machine.agents(self.tenant);
        let is = |presence: Is| agents.iter().filter(|agent| agent.presence == presence).count();
        let (total, online, away) = (agents.len(), is(Is::Online), is(Is::Away));
        // Those who matter first, should not all of them fit.
        agents.sort_by_key(|agent| (Reverse(work_of(agent)), agent.presence as u8));
        agents.truncate(most(asked.agents, AGENTS));
        agents.sort_by(|one, other| one.agent.cmp(&other.agent));
        let queues = machine.queues(self.tenant);
        let waiting = queues
            .iter()
            .flat_map(|queue| machine.waiting(self.tenant, &queue.queue, most(asked.waiting, WAITING)));
        PoolState {
            agents: agents.iter().map(|agent| self.agent(agent)).collect(),
            agents_total: number(total),
            agents_online: number(online),
            agents_away: number(away),
            waiting: waiting.map(|seen| super::conversation(self.state, &seen)).collect(),
            waiting_total: queues.iter().map(|queue| count(queue.waiting)).sum(),
            open_total: number(machine.open_count(self.tenant)),
            queues: queues.iter().map(|queue| self.queue(queue)).collect(),
        }
    }

    fn agent(&self, agent: &Seen) -> AgentView {
        let config = self.state.machine.config(self.tenant);
        let spec = config.and_then(|config| config.agents.get(&agent.agent));
        let ringing = agent.reservations.iter().map(|it| (&it.conversation, "reserved"));
        let work = ringing
            .chain(agent.assigned.iter().map(|id| (id, "assigned")))
            .chain(agent.wrap_ups.iter().map(|id| (id, "wrap_up")))
            .chain(advised(agent).map(|id| (id, "consult")))
            .chain(agent.joined.iter().map(|id| (id, "joined")));
        AgentView {
            name: agent.agent.to_string(),
            // The desk knows people's names.
            display_name: String::new(),
            presence: presence_on_wire(agent.presence).into(),
            connected: agent.connected,
            idle_since: Some(time(agent.idle_since)),
            when_done: agent.when_done.map_or(Presence::Unspecified, presence_on_wire).into(),
            occupancy: agent.occupancy.into(),
            supervisor: spec.is_some_and(|spec| spec.supervisor),
            queues: spec
                .map(|spec| spec.queues.keys().map(ToString::to_string).collect())
                .unwrap_or_default(),
            work: work.map(|(id, state)| self.work(id, state)).collect(),
        }
    }

    fn work(&self, id: &Text, state: &str) -> AgentWork {
        let address = self.state.annex.get(id).and_then(Known::address).unwrap_or_default();
        let seen = self.state.machine.conversation(self.tenant, id);
        let by = seen.as_ref().and_then(|seen| seen.consult.as_ref()).filter(|_| state == "consult");
        AgentWork {
            conversation: id.to_string(),
            state: state.to_owned(),
            channel: address.channel,
            contact: seen.as_ref().map_or_else(String::new, |seen| seen.about.contact.to_string()),
            queue: seen.as_ref().map_or_else(String::new, |seen| seen.queue.to_string()),
            display_name: address.display_name,
            by: by.map_or_else(String::new, |consult| consult.by.to_string()),
        }
    }
}

fn work_of(agent: &Seen) -> usize {
    agent.reservations.len()
        + agent.assigned.len()
        + agent.wrap_ups.len()
        + agent.consults.len()
        + agent.joined.len()
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
