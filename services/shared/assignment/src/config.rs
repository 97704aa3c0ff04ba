//! What an operator configures for one tenant's pool: queues, agents, channel classes, times.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    need::{Need, Skill},
    text::{Text, Timestamp},
};

/// The lowest and the highest ring of agents. Ring 1 is asked from the start; relaxation opens the others.
pub const RINGS: std::ops::RangeInclusive<u8> = 1..=9;

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueSpec {
    /// Levels of priority that all its work has beside its own.
    pub priority: i32,
    /// Within what time work should find an agent, in seconds; at least 1.
    pub target_seconds: u32,
    /// Work that waited so long counts as one level of priority more, in seconds; 0: ten times the target. So the
    /// oldest work wins in the end, whatever the priorities.
    pub aging_seconds: u32,
    /// How long a reservation rings before it is taken back, in seconds; at least 1.
    pub ring_seconds: u32,
    /// How long an agent may wrap up after closing, in seconds; 0 closes at once.
    pub wrap_up_seconds: u32,
    /// What every piece of work in this queue requires, besides its own.
    pub required: Vec<Need>,
    /// Skills every piece of work in this queue prefers, besides its own.
    pub preferred: Vec<Skill>,
    /// Which of the agents who may take work is asked.
    pub choice: AgentChoice,
    /// Whether a customer's last agent is asked first.
    pub sticky: Option<Sticky>,
    /// How less is asked for the longer work waits. Each step counts from the arrival in this queue, and adds to those
    /// before it.
    pub relax: Vec<Relax>,
    /// When work goes on to another queue. The first that applies decides.
    pub overflow: Vec<Overflow>,
    /// When the queue is open: stretches of time in order, the end not included. None: always.
    pub open: Option<Vec<(Timestamp, Timestamp)>>,
    /// What becomes of work that arrives while the queue is closed.
    pub closed: Closed,
    /// What becomes of work that waited too long.
    pub max_wait: Option<MaxWait>,
    /// How often those who wait are told their place, in seconds; 0: never.
    pub announce_seconds: u32,
    /// Whether customers may ask to be called back instead of waiting.
    pub callback: bool,
}

impl Default for QueueSpec {
    fn default() -> Self {
        Self {
            priority: 0,
            target_seconds: 20,
            aging_seconds: 0,
            ring_seconds: 20,
            wrap_up_seconds: 0,
            required: Vec::new(),
            preferred: Vec::new(),
            choice: AgentChoice::default(),
            sticky: None,
            relax: Vec::new(),
            overflow: Vec::new(),
            open: None,
            closed: Closed::default(),
            max_wait: None,
            announce_seconds: 0,
            callback: false,
        }
    }
}

/// Which of the agents who may take a piece of work is asked: first the best in the preferred skills, and of equals as
/// it says here. Whoever is left after that: the longest idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentChoice {
    /// Whose workload has not changed for longest.
    #[default]
    LongestIdle,
    /// Who carries the smallest part of what they can.
    LeastOccupied,
    /// Who has the highest levels in the required skills.
    BestLevel,
    /// Everything at once, preferred skills included: most points first.
    Mix {
        /// Points for every ten seconds of idleness.
        idle: u16,
        /// Points for every tenth of the agent's capacity that is free.
        occupancy: u16,
        /// Points for every level in the skills wanted.
        level: u16,
    },
}

/// A customer's last agent is asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sticky {
    /// How long the last agent is remembered after a conversation, in seconds; eight days at most.
    pub remember_seconds: u32,
    /// How long work waits for that agent alone, where they are online and have no room, in seconds.
    pub wait_seconds: u32,
}

/// Less is asked after a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Relax {
    /// Seconds after the arrival in the queue.
    pub after_seconds: u32,
    /// How many levels less will do than was asked at first; a skill is still needed at level 1.
    pub lower: u8,
    /// Skills no longer asked for.
    pub drop: BTreeSet<Text>,
    /// Agents up to this ring are asked; 0: no more than before.
    pub ring: u8,
}

/// Work goes on to another queue, where it keeps the place that its first arrival gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// When.
    pub when: OverflowWhen,
    /// The queue it goes to.
    pub to: Text,
}

/// When work goes on to another queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverflowWhen {
    /// It has waited in this queue for so many seconds.
    After(u32),
    /// It arrives, and so many wait already.
    Waiting(u32),
    /// It arrives, and the wait is estimated to be longer than so many seconds.
    Estimated(u32),
    /// Nobody who serves the queue is online.
    NobodyOnline,
}

/// What becomes of work that arrives while its queue is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// It waits until the queue opens, and the customer is told.
    #[default]
    Wait,
    /// It goes to another queue.
    Overflow(Text),
    /// The conversation is closed, and the customer is told.
    Close,
}

/// What becomes of work that waited too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxWait {
    /// Seconds after the first arrival.
    pub after_seconds: u32,
    /// What then.
    pub then: WaitEnd,
}

/// See [`MaxWait`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitEnd {
    /// It becomes a callback: it keeps its place and nobody waits on the line.
    Callback,
    /// The conversation is closed.
    Close,
    /// It goes to another queue.
    Overflow(Text),
}

/// One agent: a person or a bot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentSpec {
    /// Skill levels, 1 to 10.
    pub skills: BTreeMap<Text, u8>,
    /// Queues the agent serves, each with the ring they stand in, 1 to 9.
    #[serde(deserialize_with = "queues")]
    pub queues: BTreeMap<Text, u8>,
    /// Conversations at a time, per channel class (`chat: 5, voice: 1`). A class that is not listed is not served.
    pub capacity: BTreeMap<Text, u32>,
    /// Budget of class weights over all classes ("one call, or five chats, or a mix"); none: classes are independent.
    pub total: Option<u32>,
    /// Offers are taken at once, without ringing: bots, and people whose calls are put through.
    pub auto_accept: bool,
    /// May move everybody's conversations, and take part in them.
    pub supervisor: bool,
}

/// Everything configured for one tenant's pool. Applied whole: what is not in it is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolConfig {
    /// Queues by name.
    pub queues: BTreeMap<Text, QueueSpec>,
    /// Agents by name.
    pub agents: BTreeMap<Text, AgentSpec>,
    /// Class of each channel; channels that are not listed are of class `default_class`.
    pub classes: BTreeMap<Text, Text>,
    /// Class of the channels that `classes` does not list.
    pub default_class: Text,
    /// What one conversation of a class takes from an agent's `total`; 1 unless listed.
    pub weights: BTreeMap<Text, u32>,
    /// Which classes work of a class may interrupt: these do not count against an agent's `total` when it is offered.
    pub interrupts: BTreeMap<Text, BTreeSet<Text>>,
    /// An assigned or unassigned conversation in which nothing was said for so long is closed, in seconds.
    pub inactivity_seconds: u32,
    /// An agent of whom nothing was heard for so long is offline, in seconds.
    pub liveness_seconds: u32,
    /// An agent whose desk disconnected may return within this time, in seconds, before their work is taken back.
    pub grace_seconds: u32,
    /// Work an agent rejected, released or passed on is not offered to them again for so long, in seconds.
    pub cool_off_seconds: u32,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            classes: BTreeMap::new(),
            default_class: "chat".into(),
            weights: BTreeMap::new(),
            interrupts: BTreeMap::new(),
            inactivity_seconds: 86_400,
            liveness_seconds: 60,
            grace_seconds: 30,
            cool_off_seconds: 30,
        }
    }
}

impl PoolConfig {
    /// The class of `channel`.
    pub(crate) fn class(&self, channel: &str) -> Text {
        self.classes.get(channel).unwrap_or(&self.default_class).clone()
    }

    /// What one conversation of `class` takes from an agent's total.
    pub(crate) fn weight(&self, class: &str) -> u32 {
        self.weights.get(class).copied().unwrap_or(1)
    }

    /// Whether work of class `by` may interrupt work of `class`.
    pub(crate) fn interrupts(&self, by: &str, class: &str) -> bool {
        by != class && self.interrupts.get(by).is_some_and(|classes| classes.contains(class))
    }

    /// Ring time of `queue` in seconds, never 0: a reservation must be answerable.
    pub(crate) fn ring_seconds(&self, queue: &str) -> u32 {
        self.queues
            .get(queue)
            .map_or_else(|| QueueSpec::default().ring_seconds, |spec| spec.ring_seconds)
            .max(1)
    }

    /// Wrap-up time of `queue` in seconds.
    pub(crate) fn wrap_up_seconds(&self, queue: &str) -> u32 {
        self.queues.get(queue).map_or(0, |spec| spec.wrap_up_seconds)
    }
}

impl QueueSpec {
    /// How long a wait counts as one level of priority, in milliseconds; never 0.
    pub(crate) fn aging_millis(&self) -> i64 {
        let seconds = match self.aging_seconds {
            0 => i64::from(self.target_seconds.max(1)) * 10,
            seconds => i64::from(seconds),
        };
        seconds * 1_000
    }

    /// Whether the queue is open at `now`.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.open.as_ref().is_none_or(|open| {
            let next = open.partition_point(|(from, _)| *from <= now);
            next.checked_sub(1).is_some_and(|at| now < open[at].1)
        })
    }

    /// When the queue opens or closes next after `now`.
    pub(crate) fn changes_after(&self, now: Timestamp) -> Option<Timestamp> {
        let open = self.open.as_ref()?;
        let next = open.partition_point(|(_, to)| *to <= now);
        open.get(next).map(|(from, to)| if *from > now { *from } else { *to })
    }

    /// When the queue opens next after `now`, if it is closed then.
    pub(crate) fn opens_after(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_open(now) { None } else { self.changes_after(now) }
    }
}

impl AgentSpec {
    /// The agent's level in `skill`; 0 without it.
    pub(crate) fn level(&self, skill: &str) -> u8 {
        self.skills.get(skill).copied().unwrap_or(0)
    }

    /// Sum of the agent's levels in those of `skills` they have at the level wanted.
    pub(crate) fn score(&self, skills: &[Skill]) -> u32 {
        skills
            .iter()
            .map(|skill| (self.level(&skill.name), skill.level))
            .filter(|(has, wanted)| has >= wanted)
            .map(|(has, _)| u32::from(has))
            .sum()
    }
}

/// Queues with their rings; a plain list of names is all in the first ring.
fn queues<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Text, u8>, D::Error> {
    struct Visitor;
    impl<'de> de::Visitor<'de> for Visitor {
        type Value = BTreeMap<Text, u8>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("queues with their rings, or a list of queues")
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut queues = BTreeMap::new();
            while let Some(queue) = seq.next_element()? {
                queues.insert(queue, *RINGS.start());
            }
            Ok(queues)
        }
        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut queues = BTreeMap::new();
            while let Some((queue, ring)) = map.next_entry()? {
                queues.insert(queue, ring);
            }
            Ok(queues)
        }
    }
    deserializer.deserialize_any(Visitor)
}
