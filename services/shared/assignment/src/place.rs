//! Where waiting work stands, and how long the wait is likely to be.

use crate::{
    decision::Place,
    index::{Index, Line},
    state::{Number, Pool},
    step::Step,
    text::{Text, Timestamp},
};

/// A new measurement counts for one part in so many of what is known.
const SMOOTHING: i64 = 8;

impl Step<'_> {
    /// Where `number`, which waits, stands.
    pub(crate) fn place(&self, number: Number) -> Place {
        place(self.pool, self.index, number, self.now)
    }

    /// How long work of a class waits that is so far from the front, in seconds; of whatever class where none is named.
    pub(crate) fn estimate(&self, queue: &str, class: Option<&str>, position: u32) -> Option<u32> {
        estimate(self.pool, self.index, queue, class, position)
    }

    /// A piece of work left `queue` for an agent.
    pub(crate) fn left_queue(&mut self, queue: &Text) {
        let now = self.now;
        let waiting = self.index.line(queue).map_or(0, Line::waiting);
        let known = self.queue_facts(queue);
        // Only while others wait does the time between two say how fast the queue moves.
        let before = if waiting > 0 { known.left_at.replace(now) } else { known.left_at.take() };
        if let Some(before) = before.filter(|_| waiting > 0) {
            known.pace_ms = Some(smoothed(known.pace_ms, now.0 - before.0));
        }
    }

    /// An agent is done with a conversation of `queue` that they had since then.
    pub(crate) fn handled(&mut self, queue: &Text, since: Timestamp) {
        let took = self.now.0 - since.0;
        let known = self.queue_facts(queue);
        known.handled_ms = Some(smoothed(known.handled_ms, took));
    }

    fn queue_facts(&mut self, queue: &Text) -> &mut crate::state::Queue {
        if !self.pool.queues.contains_key(queue) {
            self.pool.queues.insert(queue.clone(), crate::state::Queue::default());
        }
        self.pool.queues.get_mut(queue).expect("it was made above")
    }
}

fn smoothed(known: Option<i64>, measured: i64) -> i64 {
    known.map_or(measured, |known| known + (measured - known) / SMOOTHING)
}

/// See [`Step::place`].
pub(crate) fn place(pool: &Pool, index: &Index, number: Number, now: Timestamp) -> Place {
    let conversation = &pool.conversations[&number];
    let queue = conversation.ask.map_or_else(|| Text::from(""), |ask| pool.asks.get(ask).queue.clone());
    let Some(line) = index.line(&queue) else {
        return Place {
            queue,
            position: 0,
            waiting: 0,
            no_agent_online: true,
            estimated_wait: None,
            opens_at: None,
        };
    };
    let position = line.position((line.place(conversation), number));
    Place {
        position,
        waiting: line.waiting(),
        no_agent_online: line.ready == 0,
        estimated_wait: estimate(pool, index, &queue, Some(&conversation.class), position),
        opens_at: if line.open { None } else { line.spec.opens_after(now) },
        queue,
    }
}

/// See [`Step::estimate`].
pub(crate) fn estimate(
    pool: &Pool,
    index: &Index,
    queue: &str,
    class: Option<&str>,
    position: u32,
) -> Option<u32> {
    let (known, line) = (pool.queues.get(queue)?, index.line(queue)?);
    if line.ready == 0 || !line.open {
        return None;
    }
    let each = match (known.pace_ms, known.handled_ms) {
        (Some(pace), _) => pace,
        (None, Some(handled)) => handled / i64::from(index.staff(line, class).max(1)),
        (None, None) => return None,
    };
    u32::try_from(each.saturating_mul(position.into()) / 1_000).ok()
}
