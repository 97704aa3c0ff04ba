//! Work that waits: how it comes into a queue, what time does to it there, and how it leaves for another one.

use std::sync::Arc;

use crate::{
    ask::{Ask, Profile},
    config::{Closed, OverflowWhen, QueueSpec, WaitEnd},
    decision::{Kind, Reason},
    index::Line,
    state::{Conversation, Number, Phase, Recall, Stand, Wait},
    step::Step,
    text::{Text, Timestamp},
    timer::Timer,
};

/// What falls due first of what waiting brings.
enum Due {
    /// The customer's last agent did not come free in time.
    Released,
    /// The time of a callback has come.
    Awake,
    /// The next step of relaxation.
    Relax,
    /// It goes on to that queue, because it waited so many seconds.
    Overflow(Text, u32),
    /// It waited too long.
    Overdue(WaitEnd),
    /// The customer is told the place.
    Announce,
}

impl Step<'_> {
    /// What the queue of that name says; the defaults where it is not configured.
    pub(crate) fn spec(&self, queue: &str) -> Arc<QueueSpec> {
        self.index.line(queue).map_or_else(
            || Arc::new(self.pool.config.queues.get(queue).cloned().unwrap_or_default()),
            |line| Arc::clone(&line.spec),
        )
    }

    /// The queue of a conversation that has one; empty before it was ever queued.
    pub(crate) fn queue_of(&self, number: Number) -> Text {
        let ask = self.pool.conversations[&number].ask;
        ask.map_or_else(|| "".into(), |ask| self.pool.asks.get(ask).queue.clone())
    }

    /// What `number` asks for now.
    pub(crate) fn profile(&self, number: Number) -> Option<Profile> {
        let conversation = &self.pool.conversations[&number];
        let ask = self.pool.asks.get(conversation.ask?);
        Some(Profile::new(ask, &self.spec(&ask.queue), conversation.wait.steps))
    }

    /// Has `number` ask for something, in place of what it asked for before.
    pub(crate) fn ask(&mut self, number: Number, ask: Ask) {
        let id = self.pool.asks.take(ask);
        if let Some(old) = self.conversation(number).ask.replace(id) {
            self.pool.asks.release(old);
        }
    }

    /// Brings `number`, which asks for an agent and does not wait yet, into its queue, or into the one its queue passes it
    /// on to. False if the queue is closed and closes what comes; the conversation is gone then.
    ///
    /// `sticky` lets the customer's last agent go first, where the queue says so. `reasons` gets why it is where it is.
    pub(crate) fn enter(&mut self, number: Number, sticky: bool, reasons: &mut Vec<Reason>) -> bool {
        loop {
            let queue = self.queue_of(number);
            if !self.pool.config.queues.contains_key(&queue) {
                let detail = format!("{queue} is not configured; defaults apply");
                reasons.push(Reason::new("unknown_queue", detail));
            }
            let spec = self.spec(&queue);
            let closed = self.pool.queues.get(&queue).is_some_and(|queue| queue.closed);
            let next = match &spec.closed {
                Closed::Close if closed => {
                    self.close(number, None, Reason::new("queue_closed", format!("{queue} is closed")));
                    return false;
                }
                Closed::Wait if closed => {
                    reasons.push(Reason::new("queue_closed", format!("{queue} is closed")));
                    None
                }
                Closed::Overflow(to) if closed => Some((to.clone(), "queue_closed", String::new())),
                _ => self.overflows(&queue, &spec),
            };
            let Some((to, code, detail)) = next else { break };
            if !self.pass_on(number, &to) {
                let detail = format!("{to} is where it came from; it stays in {queue}");
                reasons.push(Reason::new("overflow_in_a_circle", detail));
                break;
            }
            let why = if detail.is_empty() { String::new() } else { format!(": {detail}") };
            reasons.push(Reason::new(code, format!("from {queue} to {to}{why}")));
        }
        let now = self.now;
        let held = if sticky { self.last_agent(number) } else { Stand::Open };
        let conversation = self.conversation(number);
        conversation.wait.entered = now;
        conversation.wait.told_at = now;
        conversation.wait.steps = 0;
        conversation.wait.stand = held;
        self.set_phase(number, Phase::Waiting);
        true
    }

    /// Has `number` ask in the queue `to` for what it asked for. False if it came from there.
    fn pass_on(&mut self, number: Number, to: &Text) -> bool {
        let queue = self.queue_of(number);
        let conversation = self.conversation(number);
        if *to == queue || conversation.wait.left.contains(to) {
            return false;
        }
        conversation.wait.left.push(queue);
        let ask = conversation.ask.expect("what is in a queue asks for something");
        let ask = Ask { queue: to.clone(), ..(**self.pool.asks.get(ask)).clone() };
        self.ask(number, ask);
        true
    }

    /// Where work that arrives in `queue` goes on to at once, and why.
    fn overflows(&self, queue: &str, spec: &QueueSpec) -> Option<(Text, &'static str, String)> {
        let line = self.index.line(queue);
        let waiting = line.map_or(0, Line::waiting);
        spec.overflow.iter().find_map(|rule| {
            let to = || rule.to.clone();
            match rule.when {
                OverflowWhen::Waiting(limit) if waiting >= limit => {
                    Some((to(), "overflow_waiting", format!("{waiting} wait")))
                }
                OverflowWhen::Estimated(limit) => {
                    let estimated = self.estimate(queue, None, waiting + 1)?;
                    (estimated > limit)
                        .then(|| (to(), "overflow_estimated", format!("{estimated} s are estimated")))
                }
                OverflowWhen::NobodyOnline if line.is_none_or(|line| line.ready == 0) => {
                    Some((to(), "overflow_nobody_online", String::new()))
                }
                OverflowWhen::After(0) => Some((to(), "overflow_waited", String::new())),
                _ => None,
            }
        })
    }

    /// Nobody is left in `queue`: what waits there goes where the queue sends it then.
    pub(crate) fn nobody_left(&mut self, queue: &str) {
        let spec = self.spec(queue);
        let rule = spec.overflow.iter().find(|rule| rule.when == OverflowWhen::NobodyOnline);
        let (Some(rule), Some(line)) = (rule, self.index.line(queue)) else { return };
        for number in line.in_order().collect::<Vec<_>>() {
            self.overflow(number, &rule.to, &Reason::new("overflow_nobody_online", ""));
        }
    }

    /// Sends `number`, which waits, on to the queue `to`; it stays if it came from there.
    fn overflow(&mut self, number: Number, to: &Text, reason: &Reason) {
        let from = self.queue_of(number);
        if *to == from || self.conversation(number).wait.left.contains(to) {
            return;
        }
        // Out of the queue first: what stands in it is found there by what it asks for.
        self.set_phase(number, Phase::Unassigned);
        self.pass_on(number, to);
        let mut reasons = vec![reason.clone()];
        if self.enter(number, false, &mut reasons) {
            let place = self.place(number);
            self.decide_on(number, Kind::ConversationOverflowed { from, place }, reasons);
        }
    }

    /// Puts `number` back among what waits, where it stood. A conversation that never asked for an agent asks for none.
    pub(crate) fn wait_again(&mut self, number: Number) {
        if self.conversation(number).ask.is_none() {
            self.set_phase(number, Phase::Unassigned);
            return;
        }
        self.conversation(number).wait.stand = Stand::Open;
        self.set_phase(number, Phase::Waiting);
    }

    /// Whether `number`, which comes into its queue, is kept for the customer's last agent.
    fn last_agent(&self, number: Number) -> Stand {
        let held = || {
            let conversation = &self.pool.conversations[&number];
            let queue = self.queue_of(number);
            let sticky = self.spec(&queue).sticky.filter(|_| conversation.wait.left.is_empty())?;
            let contact = self.pool.contacts.get(&conversation.about.contact)?;
            let (agent, at) = contact.last_agent.as_ref()?;
            let spec = self.pool.config.agents.get(agent)?;
            let fresh = self.now <= at.after(sticky.remember_seconds);
            let there = self.pool.agents.get(agent).is_some_and(super::state::Agent::ready);
            let suits = self.profile(number)?.suits(spec) && !conversation.cool_offs.contains_key(agent);
            let until = self.now.after(sticky.wait_seconds);
            (fresh && there && suits).then(|| Stand::Held { agent: agent.clone(), until })
        };
        held().unwrap_or_default()
    }

    /// Lets everybody take what waits for `agent` alone.
    pub(crate) fn release_held(&mut self, agent: &str) {
        let Some(slot) = self.index.slot(agent) else { return };
        for number in self.index.held_for(slot) {
            self.restand(number, Stand::Open);
        }
    }

    /// Changes who may take `number`, which waits.
    pub(crate) fn restand(&mut self, number: Number, stand: Stand) {
        self.rewait(number, |conversation| conversation.wait.stand = stand);
        self.returned.push(number);
    }

    /// Changes `number`, which waits, and where it stands with it.
    pub(crate) fn rewait(&mut self, number: Number, change: impl FnOnce(&mut Conversation)) {
        self.disarm_wait(number);
        self.index.unwait(self.pool, number, &self.pool.conversations[&number]);
        change(self.conversation(number));
        self.index.wait(self.pool, number, &self.pool.conversations[&number]);
        self.arm_wait(number);
    }

    /// What falls due for `number` because it waits, and when.
    fn first_due(&self, number: Number) -> Option<(Timestamp, Due)> {
        let conversation = &self.pool.conversations[&number];
        let ask = self.pool.asks.get(conversation.ask?);
        let line = self.index.line(&ask.queue)?;
        first_due(conversation, &line.spec)
    }

    /// Sets the timer of what falls due first.
    pub(crate) fn arm_wait(&mut self, number: Number) {
        let due = self.first_due(number).map(|(due, _)| due);
        self.conversation(number).wait.due = due;
        if let Some(due) = due {
            self.arm(due, Timer::Wait(number));
        }
    }

    pub(crate) fn disarm_wait(&mut self, number: Number) {
        if let Some(due) = self.conversation(number).wait.due.take() {
            self.disarm(due, Timer::Wait(number));
        }
    }

    /// The timer of waiting work: everything that is due happens in order of its time.
    pub(crate) fn waited(&mut self, number: Number) {
        // The timer that fired is set again by whatever ends its turn.
        self.conversation(number).wait.due = None;
        while let Some((due, what)) = self.first_due(number).filter(|(due, _)| *due <= self.now) {
            match what {
                Due::Released | Due::Awake => self.restand(number, Stand::Open),
                Due::Relax => self.relax(number),
                Due::Overflow(to, seconds) => {
                    let reason = Reason::new("overflow_waited", format!("{seconds} s"));
                    return self.overflow(number, &to, &reason);
                }
                Due::Overdue(then) => return self.overdue(number, &then),
                Due::Announce => self.announce(number, due),
            }
        }
        self.disarm_wait(number);
        self.arm_wait(number);
    }

    /// Less is asked from now on.
    fn relax(&mut self, number: Number) {
        self.rewait(number, |conversation| conversation.wait.steps += 1);
        self.returned.push(number);
        let Some(profile) = self.profile(number) else { return };
        let (step, entered) = {
            let wait = &self.pool.conversations[&number].wait;
            (u32::from(wait.steps), wait.entered)
        };
        let waited = (self.now.0 - entered.0) / 1_000;
        let Profile { queue, required, ring, .. } = profile;
        let relaxed = Kind::ConversationRelaxed { queue, step, required, ring };
        self.decide_on(number, relaxed, vec![Reason::new("waited", format!("{waited} s in the queue"))]);
    }

    /// It waited too long.
    fn overdue(&mut self, number: Number, then: &WaitEnd) {
        let (queue, since) = (self.queue_of(number), self.conversation(number).arrived);
        self.conversation(number).wait.overdue = true;
        let waited = format!("{} s", (self.now.0 - since.0) / 1_000);
        let reason = Reason::new("max_wait", waited);
        self.decide_on(number, Kind::WaitTimedOut { queue, since }, vec![reason.clone()]);
        match then {
            WaitEnd::Close => self.close(number, None, reason),
            WaitEnd::Callback => self.recall(number, Recall { address: None, not_before: None }, reason),
            WaitEnd::Overflow(to) => {
                self.overflow(number, to, &reason);
                // Where it cannot go on, it waits on.
                if self.pool.conversations.get(&number).is_some_and(|it| it.phase == Phase::Waiting) {
                    self.disarm_wait(number);
                    self.arm_wait(number);
                }
            }
        }
    }

    /// The customer is told the place.
    fn announce(&mut self, number: Number, due: Timestamp) {
        self.conversation(number).wait.told_at = due.max(self.now);
        let place = self.place(number);
        self.decide_on(number, Kind::PositionAnnounced { place }, Vec::new());
    }
}

/// What falls due first because a conversation waits in a queue that says `spec`.
fn first_due(conversation: &Conversation, spec: &QueueSpec) -> Option<(Timestamp, Due)> {
    let Wait { entered, steps, stand, left, told_at, overdue, .. } = &conversation.wait;
    match stand {
        Stand::Asleep { until } => return Some((*until, Due::Awake)),
        Stand::Held { .. } | Stand::Open => {}
    }
    let released = match stand {
        Stand::Held { until, .. } => Some((*until, Due::Released)),
        Stand::Open | Stand::Asleep { .. } => None,
    };
    let relax =
        spec.relax.get(usize::from(*steps)).map(|step| (entered.after(step.after_seconds), Due::Relax));
    let overflow = spec
        .overflow
        .iter()
        .filter(|rule| !left.contains(&rule.to))
        .filter_map(|rule| match rule.when {
            OverflowWhen::After(seconds) if seconds > 0 => Some((seconds, rule)),
            _ => None,
        })
        .min_by_key(|(seconds, _)| *seconds)
        .map(|(seconds, rule)| (entered.after(seconds), Due::Overflow(rule.to.clone(), seconds)));
    let waits = conversation.callback.is_none();
    let longest = spec.max_wait.as_ref().filter(|_| waits && !overdue);
    let longest =
        longest.map(|wait| (conversation.arrived.after(wait.after_seconds), Due::Overdue(wait.then.clone())));
    let told =
        (waits && spec.announce_seconds > 0).then(|| (told_at.after(spec.announce_seconds), Due::Announce));
    [released, relax, overflow, longest, told].into_iter().flatten().min_by_key(|(due, _)| *due)
}
