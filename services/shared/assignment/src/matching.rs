//! Bringing work and agents together: after every entry, no work waits that a free agent may take.

use std::collections::BTreeSet;

use heliograph_domain::ids;

use crate::{
    decision::{Choice, Kind, Purpose, Reason},
    index::{Candidate, Slot, Urgency},
    state::{Number, Phase, Stand},
    step::Step,
    text::Text,
    timer::Timer,
};

/// Turns in order of urgency; of one piece of work, the turn that no agent asked for comes first.
type Turns = BTreeSet<(Urgency, Option<Slot>)>;

impl Step<'_> {
    /// Matches what this entry set free with what waits: the most urgent work first, each to its best agent.
    ///
    /// Only agents whose state changed and work that began to wait are looked at: every other pair was found
    /// impossible before, and still is.
    pub(crate) fn settle(&mut self) {
        self.look_at_agents();
        if self.returned.is_empty() && self.touched.len() <= 1 {
            if let Some(slot) = self.touched.pop_first() {
                self.settle_one(slot);
            }
            return;
        }
        let touched = std::mem::take(&mut self.touched);
        for slot in &touched {
            self.index.stand(*slot);
        }
        let mut turns = Turns::new();
        for number in std::mem::take(&mut self.returned) {
            turns.extend(self.urgency(number).map(|urgency| (urgency, None)));
        }
        for slot in touched {
            turns.extend(self.index.best_work(self.pool, slot, self.now).map(|work| (work, Some(slot))));
        }
        while let Some((urgency, slot)) = turns.pop_first() {
            let number = urgency.key.1;
            if self.waits(number)
                && let Some(candidate) = self.index.best_agent(self.pool, number)
            {
                let slot = candidate.slot;
                self.offer(number, &candidate);
                self.index.stand(slot);
                self.touched.remove(&slot);
            }
            // The agent may have room for more, or may have lost this work to a better agent.
            if let Some(slot) = slot
                && let Some(next) = self.index.best_work(self.pool, slot, self.now)
            {
                debug_assert_ne!(next.key, urgency.key, "an agent free for waiting work stands in its lane");
                turns.insert((next, Some(slot)));
            }
        }
        self.touched.clear();
    }

    /// What follows from a changed agent before there is any matching: who is done goes, and a queue that nobody is left
    /// for passes its work on.
    fn look_at_agents(&mut self) {
        let done = |step: &Self, slot: Slot| {
            let agent = &step.index.member(slot).name;
            let state = step.pool.agents.get(agent)?;
            let next = state.when_done.filter(|_| state.is_done())?;
            Some((agent.clone(), next))
        };
        for slot in self.touched.clone() {
            if let Some((agent, presence)) = done(self, slot) {
                self.set_presence(&agent, presence, &Reason::new("work_done", "as asked for before"));
            }
        }
        for slot in self.touched.clone() {
            if self.index.member(slot).ready {
                continue;
            }
            for line in self.index.member(slot).lines().to_vec() {
                let line = self.index.line_at(line);
                if line.ready == 0 && line.waiting() > 0 {
                    let queue = line.name.clone();
                    self.nobody_left(&queue);
                }
            }
        }
    }

    /// One agent changed and nothing else: whatever waits that they may take is theirs, because nobody else was free for
    /// it. They take their place among the free only with the room that is left.
    fn settle_one(&mut self, slot: Slot) {
        while let Some(work) = self.index.best_work(self.pool, slot, self.now) {
            self.offer(work.key.1, &Candidate { slot, eligible: 1 });
        }
        self.index.stand(slot);
        self.touched.clear();
    }

    fn waits(&self, number: Number) -> bool {
        self.pool.conversations.get(&number).is_some_and(|conversation| conversation.phase == Phase::Waiting)
    }

    /// How urgent `number` is, if it waits and somebody may take it.
    fn urgency(&self, number: Number) -> Option<Urgency> {
        let conversation = self.pool.conversations.get(&number)?;
        if conversation.phase != Phase::Waiting || matches!(conversation.wait.stand, Stand::Asleep { .. }) {
            return None;
        }
        let line = self.index.line(&self.pool.asks.get(conversation.ask?).queue)?;
        line.open.then(|| Urgency::new((line.place(conversation), number), line.aging, self.now))
    }

    fn offer(&mut self, number: Number, candidate: &Candidate) {
        let Candidate { slot, eligible } = *candidate;
        let agent = self.index.member(slot).name.clone();
        let conversation = &self.pool.conversations[&number];
        let held = matches!(conversation.wait.stand, Stand::Held { .. });
        let ask = conversation.ask.expect("what waits asks for something");
        let score = self.index.points(self.pool, slot, (ask, conversation.wait.steps), self.now);
        let candidates = self.index.line(&self.pool.asks.get(ask).queue).map_or(0, |line| line.ready);
        let idle_since = self.pool.agents[&agent].idle_since;
        let mut reasons = Vec::with_capacity(2);
        if held {
            reasons.push(Reason::new("sticky", "the customer's last agent"));
        } else if score > 0 {
            reasons.push(Reason::new("best_score", format!("{score} points for what is wanted")));
        }
        if eligible == 1 {
            reasons.push(Reason::new("only_eligible", format!("1 of {candidates} online")));
        } else {
            let idle = (self.now.0 - idle_since.0) / 1_000;
            reasons.push(Reason::new("longest_idle", format!("{idle} s, first of {eligible} eligible")));
        }
        let occupancy = self.index.member(slot).occupancy;
        let choice = Choice { candidates, eligible, score, occupancy, idle_since };
        self.reserve(number, &agent, Some(choice), reasons);
    }

    /// Rings `number` at `agent`, whose capacity it holds from now on. Who takes everything at once has it at once.
    pub(crate) fn reserve(
        &mut self,
        number: Number,
        agent: &Text,
        choice: Option<Choice>,
        reasons: Vec<Reason>,
    ) {
        let queue = self.queue_of(number);
        let expires_at = self.now.after(self.pool.config.ring_seconds(&queue));
        let reservation = self.make_id(ids::RESERVATION);
        let phase = Phase::Reserved {
            reservation: reservation.clone(),
            agent: agent.clone(),
            expires_at,
            direct: choice.is_none(),
        };
        self.set_phase(number, phase);
        let purpose =
            if self.conversation(number).callback.is_some() { Purpose::Callback } else { Purpose::Work };
        let created = Kind::ReservationCreated {
            reservation: reservation.clone(),
            agent: agent.clone(),
            queue,
            expires_at,
            choice,
            purpose,
        };
        self.decide_on(number, created, reasons);
        if self.index.slot(agent).is_some_and(|slot| self.index.member(slot).spec.auto_accept) {
            self.accepted(number, agent, &reservation, "auto_accept");
        }
    }

    /// The reservation of `number` is taken.
    pub(crate) fn accepted(&mut self, number: Number, agent: &Text, reservation: &Text, why: &'static str) {
        let queue = self.queue_of(number);
        self.set_phase(number, Phase::Assigned { agent: agent.clone(), since: self.now });
        self.left_queue(&queue);
        let accepted = Kind::ReservationAccepted { reservation: reservation.clone(), agent: agent.clone() };
        self.decide_on(number, accepted, Vec::new());
        let assigned = Kind::ConversationAssigned { agent: agent.clone(), queue };
        self.decide_on(number, assigned, vec![Reason::new(why, "")]);
    }

    /// Takes `number` from its agent; it waits again, in the place its first arrival gives it.
    pub(crate) fn requeue(&mut self, number: Number, reason: Reason) {
        if let Some(agent) = self.conversation(number).phase.agent().cloned() {
            self.wait_again(number);
            self.requeued(number, agent, reason);
        }
    }

    /// Says that `number`, which was with `agent`, waits again.
    pub(crate) fn requeued(&mut self, number: Number, agent: Text, reason: Reason) {
        let place = self.place(number);
        self.decide_on(number, Kind::ConversationRequeued { place, agent }, vec![reason]);
    }

    /// Does not offer `number` to `agent` for a while.
    pub(crate) fn cool_off(&mut self, number: Number, agent: &Text) {
        let until = self.now.after(self.pool.config.cool_off_seconds.max(1));
        if let Some(old) = self.conversation(number).cool_offs.insert(agent.clone(), until) {
            self.disarm(old, Timer::CoolOff(number, agent.clone()));
        }
        self.arm(until, Timer::CoolOff(number, agent.clone()));
    }

    /// Withdraws the reservation of `number`, if it rings; it waits again.
    pub(crate) fn rescind(&mut self, number: Number, reason: Reason) {
        if let Phase::Reserved { reservation, agent, .. } = self.conversation(number).phase.clone() {
            self.decide_on(number, Kind::ReservationRescinded { reservation, agent }, vec![reason.clone()]);
            self.requeue(number, reason);
        }
    }
}
