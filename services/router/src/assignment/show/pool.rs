//! Everybody and everything of a tenant, as supervisors see it.

use std::{cmp::Reverse, collections::BTreeMap};

use heliograph_assignment::{AgentSpec, AgentView as Seen, PoolConfig, Presence as Is, Text};
use heliograph_proto::v1::{AgentView, AgentWork, PoolQuery, PoolState, Presence};

use super::{
    super::{annex::Known, convert::presence_on_wire, emit::count},
    Shown, time,
};

/// Agents shown unless the question says otherwise.
const AGENTS: usize = 500;
/// Waiting conversations of a queue shown unless the question says otherwise.
const WAITING: usize = 50;

impl Shown<'_> {
    /// The pool, as far as it fits.
    pub(in super::super) fn pool(&self, asked: &PoolQuery) -> PoolState {
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
        let waiting = queues.iter().flat_map(|queue| {
            machine.waiting(self.tenant, &queue.queue, most(asked.waiting, WAITING))
        });
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
        let each = |ids: &[Text], state: &str| -> Vec<AgentWork> {
            ids.iter().map(|id| self.work(id, state)).collect()
        };
        let ringing: Vec<Text> = agent.reservations.iter().map(|it| it.conversation.clone()).collect();
        let mut work = each(&ringing, "reserved");
        work.extend(each(&agent.assigned, "assigned"));
        work.extend(each(&agent.wrap_ups, "wrap_up"));
        work.extend(each(&agent.consults, "consult"));
        work.extend(each(&agent.joined, "joined"));
        AgentView {
            name: agent.agent.to_string(),
            // The desk knows people's names.
            display_name: String::new(),
            presence: presence_on_wire(agent.presence).into(),
            connected: agent.connected,
            idle_since: Some(time(agent.idle_since)),
            when_done: agent.when_done.map_or(Presence::Unspecified, presence_on_wire).into(),
            occupancy: spec.zip(config).map_or(0, |(spec, config)| self.occupancy(agent, spec, config)),
            supervisor: spec.is_some_and(|spec| spec.supervisor),
            queues: spec.map(|spec| spec.queues.keys().map(ToString::to_string).collect()).unwrap_or_default(),
            work,
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

    /// How much of what they can carry an agent carries, in thousandths: of their total, or else of their fullest class.
    fn occupancy(&self, agent: &Seen, spec: &AgentSpec, config: &PoolConfig) -> i32 {
        let mut used: BTreeMap<Text, u32> = BTreeMap::new();
        let ringing = agent.reservations.iter().map(|it| &it.conversation);
        for id in ringing.chain(&agent.assigned).chain(&agent.wrap_ups) {
            if let Some(seen) = self.state.machine.conversation(self.tenant, id) {
                *used.entry(seen.class).or_default() += 1;
            }
        }
        let share = |used: u32, of: u32| used.saturating_mul(1_000).checked_div(of).unwrap_or(1_000);
        let fullest = used.iter().map(|(class, used)| share(*used, spec.capacity.get(class).copied().unwrap_or(0)));
        let most = match spec.total {
            Some(total) => {
                let weight = |class: &Text| config.weights.get(class).copied().unwrap_or(1);
                share(used.iter().map(|(class, used)| used * weight(class)).sum(), total)
            }
            None => fullest.max().unwrap_or(0),
        };
        count(most.min(1_000))
    }
}

fn work_of(agent: &Seen) -> usize {
    agent.reservations.len() + agent.assigned.len() + agent.wrap_ups.len() + agent.consults.len() + agent.joined.len()
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
