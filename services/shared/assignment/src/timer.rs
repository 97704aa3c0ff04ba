//! All timers of a partition in one order.

use std::collections::BTreeSet;

use crate::{
    state::{Number, Phase, Pool},
    text::{Text, Timestamp},
};

/// What falls due. Its time stands with the fact it belongs to; this is the index over all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A reservation rings out.
    Ring(Number),
    /// The same of a colleague who is asked for advice.
    Consult(Number),
    /// Something happens to work because it waits.
    Wait(Number),
    /// A wrap-up ends.
    WrapUp(Number),
    /// A conversation may be offered to this agent again.
    CoolOff(Number, Text),
    /// Nothing was said for long.
    Inactivity(Number),
    /// A disconnected agent did not come back.
    Grace(Text),
    /// Nothing was heard of an agent.
    Liveness(Text),
    /// A queue opens or closes.
    Hours(Text),
    /// A contact's message ids are no longer needed.
    Forget(Text),
}

/// Timers by time, then tenant, then kind: the same order on every replica.
pub(crate) type Timers = BTreeSet<(Timestamp, Text, Timer)>;

/// The timers that `pools` imply.
pub(crate) fn derive<'a>(pools: impl IntoIterator<Item = (&'a Text, &'a Pool)>) -> Timers {
    let mut timers = Timers::new();
    for (tenant, pool) in pools {
        let mut arm = |due: Timestamp, timer: Timer| {
            timers.insert((due, tenant.clone(), timer));
        };
        for (number, conversation) in pool.conversations.sorted() {
            arm(conversation.look_at, Timer::Inactivity(*number));
            for (agent, until) in &conversation.cool_offs {
                arm(*until, Timer::CoolOff(*number, agent.clone()));
            }
            match &conversation.phase {
                Phase::Reserved { expires_at, .. } => arm(*expires_at, Timer::Ring(*number)),
                Phase::WrapUp { ends_at, .. } => arm(*ends_at, Timer::WrapUp(*number)),
                Phase::Waiting => {
                    if let Some(due) = conversation.wait.due {
                        arm(due, Timer::Wait(*number));
                    }
                }
                Phase::Unassigned | Phase::Assigned { .. } => {}
            }
            let ringing = conversation.consult.as_ref().and_then(|consult| consult.ringing.as_ref());
            if let Some((_, due)) = ringing {
                arm(*due, Timer::Consult(*number));
            }
        }
        for (name, queue) in &pool.queues {
            if let Some(due) = queue.changes_at {
                arm(due, Timer::Hours(name.clone()));
            }
        }
        for (name, agent) in pool.agents.sorted() {
            if let Some(due) = agent.look_at {
                arm(due, Timer::Liveness(name.clone()));
            }
            if let Some(due) = agent.grace_until {
                arm(due, Timer::Grace(name.clone()));
            }
        }
        for (name, contact) in pool.contacts.sorted() {
            if let Some(due) = contact.forget_at {
                arm(due, Timer::Forget(name.clone()));
            }
        }
    }
    timers
}
