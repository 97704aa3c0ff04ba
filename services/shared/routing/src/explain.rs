//! Why a conversation goes where it goes.

use std::{fmt, sync::Arc};

use heliograph_domain::resources::{AgentsBy, QueueSpec, SkillDemand, Sticky};
use heliograph_policy::schedule::Schedule;
use jiff::{Timestamp, tz::TimeZone};

use crate::{Decision, Facts, LanguageSource, Routing, Step, Unmet, facts::Case, timeline::timeline};

/// A decision, with every rule and everything that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// Every rule, in the order in which they are asked.
    pub rules: Vec<Asked>,
    /// What an agent must have, the queue's demands first.
    pub required: Vec<Wish>,
    /// What makes an agent the better choice, the queue's demands first.
    pub preferred: Vec<Wish>,
    /// The queue, if there is one of the name.
    pub queue: Option<QueueSpec>,
    /// Whether the queue is open at that moment.
    pub open: bool,
    /// When it opens, if it is closed and ever does.
    pub opens: Option<Timestamp>,
    /// What becomes of the conversation the longer it waits.
    pub timeline: Vec<Step>,
    /// What the rules looked at: channel, account, region.
    pub looked_at: [String; 3],
}

/// What came of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its name.
    pub rule: Arc<str>,
    /// Its place among the others.
    pub order: i32,
    /// What it says.
    pub said: Said,
    /// Its condition, as it is written.
    pub when: Option<String>,
}

/// What a rule says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It is about the message, and decides.
    Decides,
    /// It is about the message, and another one comes first.
    Behind,
    /// It is not about the message.
    Misses(Unmet),
}

/// Something asked of agents, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// A skill, or a combination of skills.
    pub skill: heliograph_domain::resources::SkillTree,
    /// Who asks for it.
    pub from: From,
}

/// Who asks something of agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The queue, of everything.
    Queue,
    /// The rule that decided.
    Rule,
    /// The customer's language.
    Language,
}

impl From {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Rule => "rule",
            Self::Language => "language",
        }
    }
}

impl Routing {
    /// Asks every rule, and says what follows. The decision is that of [`Self::decide`].
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        let case = Case::new(facts);
        let mut found = None;
        let mut rules = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            let said = match rule.matching.unmet(&case) {
                Some(unmet) => Said::Misses(unmet),
                None if found.is_some() => Said::Behind,
                None => {
                    found = Some(rule);
                    Said::Decides
                }
            };
            let (order, when) = (rule.spec.order, rule.spec.when.clone());
            rules.push(Asked { rule: Arc::clone(&rule.name), order, said, when });
        }
        let decision = self.decided(found, facts);
        let queue = self.queues.get(&decision.queue).cloned();
        let (open, opens) = queue.as_ref().map_or((true, None), |queue| self.opening(queue, facts.now));
        let (required, preferred) = wishes(&decision, queue.as_ref());
        let names =
            required.iter().flat_map(|wish| wish.skill.leaves()).map(|leaf| leaf.skill().into_owned());
        let asked: Vec<String> = names.collect();
        let timeline = queue.as_ref().map_or_else(Vec::new, |queue| timeline(queue, !open, &asked));
        let about = facts.about;
        let looked_at =
            [about.channel.unwrap_or_default(), about.account.unwrap_or_default(), &about.region.region];
        let looked_at = looked_at.map(str::to_owned);
        Explanation { decision, rules, required, preferred, queue, open, opens, timeline, looked_at }
    }

    /// Whether a queue is open, and when it opens if it is not. One whose calendar is gone or cannot be used is open.
    fn opening(&self, queue: &QueueSpec, now: Timestamp) -> (bool, Option<Timestamp>) {
        let calendar = queue.hours.as_ref().and_then(|name| self.calendars.get(name));
        let Some(schedule) = calendar.and_then(|calendar| Schedule::compile(calendar).ok()) else {
            return (true, None);
        };
        let open = schedule.is_open(now, &TimeZone::UTC);
        (open, if open { None } else { schedule.next_open(now, &[]) })
    }
}

fn wishes(decision: &Decision, queue: Option<&QueueSpec>) -> (Vec<Wish>, Vec<Wish>) {
    let mut required = Vec::new();
    let mut preferred = Vec::new();
    let demands = [(queue.map(|queue| &queue.skills), From::Queue), (Some(&decision.skills), From::Rule)];
    for (demands, from) in demands {
        let Some(demands) = demands else { continue };
        required.extend(demands.required.iter().map(|tree| Wish { skill: tree.clone(), from }));
        preferred.extend(demands.preferred.iter().map(|demand| wish(demand, from)));
    }
    preferred.extend(decision.speaking.iter().map(|demand| wish(demand, From::Language)));
    (required, preferred)
}

fn wish(demand: &SkillDemand, from: From) -> Wish {
    Wish { skill: heliograph_domain::resources::SkillTree::Skill(demand.clone()), from }
}

/// One line for the decision, and one for each thing that led to it.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { decision, queue, .. } = self;
        match &decision.rule {
            Some(rule) => write!(f, "queue {}, by rule {rule}", decision.queue)?,
            None => write!(f, "queue {}, because no rule matches", decision.queue)?,
        }
        if queue.is_none() {
            f.write_str("; there is no such queue, and nobody serves it")?;
        }
        let own = queue.as_ref().map_or(0, |queue| u16::from(queue.priority));
        let rule = u16::from(decision.priority);
        write!(f, "\n  priority  {}: {own} of the queue, {rule} of the rule", own + rule)?;
        if let Some(queue) = queue {
            write!(f, "; 1 more for every {} of waiting", queue.aging())?;
        }
        write!(f, "\n  language  {}", self.language())?;
        for (title, wishes) in [("required", &self.required), ("preferred", &self.preferred)] {
            for Wish { skill, from } in wishes {
                write!(f, "\n  {title:<9} {skill}, {}", self.asker(*from))?;
            }
        }
        if let Some(queue) = queue {
            write!(f, "\n  agents    {}", agents(queue, decision.sticky))?;
        }
        for asked in &self.rules {
            write!(f, "\n  {}", self.line(asked))?;
        }
        for step in &self.timeline {
            match step.after {
                Some(after) => write!(f, "\n  after     {after}: {}", step.what)?,
                None => write!(f, "\n  arrival   {}", step.what)?,
            }
        }
        if let Some(opens) = self.opens {
            write!(f, "\n  opens     {opens:.0}")?;
        }
        Ok(())
    }
}

impl Explanation {
    /// What is known of the language, and how.
    fn language(&self) -> String {
        let language = &self.decision.language;
        let tag = &language.tag;
        match &language.source {
            LanguageSource::Nothing => "not known".to_owned(),
            LanguageSource::Message => format!("{tag}, as the channel says of the message"),
            LanguageSource::Address => format!("{tag}, as the channel says of the address"),
            LanguageSource::Contact => format!("{tag}, as is known of the contact"),
            LanguageSource::Detected { percent, instead_of } if instead_of.is_empty() => {
                format!("{tag}, detected in the text ({percent} %)")
            }
            LanguageSource::Detected { percent, instead_of } => {
                format!(
                    "{tag}, detected in the text ({percent} %), though {instead_of} is known of the customer"
                )
            }
        }
    }

    fn asker(&self, from: From) -> String {
        match from {
            From::Queue => format!("for queue {}", self.decision.queue),
            From::Rule => format!("for rule {}", self.decision.rule.as_deref().unwrap_or_default()),
            From::Language => "for the language".to_owned(),
        }
    }

    fn line(&self, asked: &Asked) -> String {
        let Asked { rule, order, said, when } = asked;
        match said {
            Said::Decides => format!("decides   {order} {rule}"),
            Said::Behind => format!("behind    {order} {rule}: is about it too, and comes later"),
            Said::Misses(unmet) => {
                let when = when.as_deref().unwrap_or_default();
                let [channel, account, region] = &self.looked_at;
                let why = match unmet {
                    Unmet::Channel => format!("the channel is {}", or_unknown(channel)),
                    Unmet::Account => format!("the account is {}", or_unknown(account)),
                    Unmet::Region => format!("the region is {region}"),
                    Unmet::Language => format!("the language is {}", or_unknown(&self.decision.language.tag)),
                    Unmet::Keywords => "none of its keywords is in the text".to_owned(),
                    Unmet::When => format!("this does not hold: {when}"),
                    Unmet::WhenUnknown => format!("this hangs on something that is not known: {when}"),
                };
                format!("no        {order} {rule}: {why}")
            }
        }
    }
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "not known" } else { text }
}

/// Who is asked first.
fn agents(queue: &QueueSpec, sticky: bool) -> String {
    let choice = match queue.agents_by {
        AgentsBy::LongestIdle => "by preferred skills, then the longest idle".to_owned(),
        AgentsBy::LeastOccupied => "by preferred skills, then the least occupied".to_owned(),
        AgentsBy::BestLevel => "by preferred skills, then the highest levels in the required ones".to_owned(),
        AgentsBy::Mix(weights) => format!(
            "idleness weighs {}, free capacity {}, levels {}",
            weights.idle, weights.occupancy, weights.level
        ),
    };
    match queue.sticky {
        Some(Sticky { remember, wait }) if sticky => {
            format!("the last one first, if within {remember}, waiting up to {wait} for them; {choice}")
        }
        Some(_) => format!("{choice}; the rule does not want the last one first"),
        None => choice,
    }
}
