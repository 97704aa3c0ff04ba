//! Bringing work and agents together: after every entry, no work waits that a free agent may take.

use std::collections::BTreeSet;

use heliograph_domain::ids;

use crate::{
    decision::{Choice, Kind, Reason},
    index::Candidate,
    state::{Number, Phase, WaitKey},
    step::Step,
    text::Text,
    timer::Timer,
};

impl Step<'_> {
    /// Matches what this entry set free with what waits: by priority, then arrival; each to its best agent.
    ///
    /// Only agents whose state changed and work that began to wait are looked at: every other pair was found
    /// impossible before, and still is.
    pub(crate) fn settle(&mut self) {
        let mut turns: BTreeSet<(WaitKey, Option<Text>)> = BTreeSet::new();
        let touched = std::mem::take(&mut self.touched);
        for agent in &touched {
            self.index.seat(self.pool, agent);
        }
        for number in std::mem::take(&mut self.returned) {
            if let Some(conversation) = self.pool.conversations.get(&number)
                && conversation.phase == Phase::Waiting
            {
                turns.insert((conversation.key(number), None));
            }
        }
        for agent in touched {
            if let Some(key) = self.index.best_work(self.pool, &agent) {
                turns.insert((key, Some(agent)));
            }
        }
        while let Some((key, agent)) = turns.pop_first() {
            let number = key.2;
            let waits = self
                .pool
                .conversations
                .get(&number)
                .is_some_and(|conversation| conversation.phase == Phase::Waiting);
            if waits && let Some(candidate) = self.index.best_agent(self.pool, number) {
                self.offer(number, candidate);
            }
            // The agent may have room for more, or may have lost this work to a better agent.
            if let Some(agent) = agent
                && let Some(next) = self.index.best_work(self.pool, &agent)
            {
                debug_assert_ne!(next, key, "an agent free for waiting work stands in its lane");
                turns.insert((next, Some(agent)));
            }
        }
    }

    fn offer(&mut self, number: Number, candidate: Candidate) {
        let Candidate { agent, score, idle_since, eligible } = candidate;
        let queue = self.conversation(number).profile.queue.clone();
        let candidates = self.index.ready(&queue);
        let mut reasons = Vec::with_capacity(2);
        if score > 0 {
            reasons.push(Reason::new("best_score", format!("{score} in the preferred skills")));
        }
        if eligible == 1 {
            reasons.push(Reason::new("only_eligible", format!("1 of {candidates} online")));
        } else {
            let idle = (self.now.0 - idle_since.0) / 1_000;
            reasons.push(Reason::new("longest_idle", format!("{idle} s, first of {eligible} eligible")));
        }
        let choice = Choice { candidates, eligible, score: score.into(), occupancy: 0, idle_since };
        self.reserve(number, &agent, Some(choice), reasons);
        self.touched.remove(&agent);
        self.index.seat(self.pool, &agent);
    }

    /// Rings `number` at `agent`, whose capacity it holds from now on.
    pub(crate) fn reserve(
        &mut self,
        number: Number,
        agent: &Text,
        choice: Option<Choice>,
        reasons: Vec<Reason>,
    ) {
        let queue = self.conversation(number).profile.queue.clone();
        let expires_at = self.now.after(self.pool.config.ring_seconds(&queue));
        let reservation = self.make_id(ids::RESERVATION);
        let phase = Phase::Reserved {
            reservation: reservation.clone(),
            agent: agent.clone(),
            expires_at,
            direct: choice.is_none(),
        };
        self.set_phase(number, phase);
        let created = Kind::ReservationCreated {
            reservation,
            agent: agent.clone(),
            queue,
            expires_at,
            choice,
            purpose: crate::decision::Purpose::Work,
        };
        self.decide_on(number, created, reasons);
    }

    /// Takes `number` from its agent; it waits again, in the place its first arrival gives it.
    pub(crate) fn requeue(&mut self, number: Number, reason: Reason) {
        if let Some(agent) = self.set_phase(number, Phase::Waiting).agent() {
            self.requeued(number, agent.clone(), reason);
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
