//! Which queue, and what is asked of agents.

use std::sync::Arc;

use heliograph_domain::resources::{Level, SkillDemand, SkillDemands, SkillName};

use crate::{Facts, Language, Routing, compile::Rule, facts::Case};

/// Where a conversation goes, and what it asks for beside what its queue asks of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The queue.
    pub queue: String,
    /// The rule that decided; none where no rule matches.
    pub rule: Option<Arc<str>>,
    /// Skills the rule asks for.
    pub skills: SkillDemands,
    /// Skills that are preferred because they speak the customer's language.
    pub speaking: Vec<SkillDemand>,
    /// Levels of priority, beside the queue's.
    pub priority: u8,
    /// Whether the customer's last agent is asked first, where the queue does that.
    pub sticky: bool,
    /// The language the customer writes in.
    pub language: Language,
}

impl Routing {
    /// Decides by the first rule that is about the message.
    pub fn decide(&self, facts: &Facts<'_>) -> Decision {
        let case = Case::new(facts);
        let found = self.rules.iter().find(|rule| rule.matching.unmet(&case).is_none());
        self.decided(found, facts)
    }

    /// What follows from the rule that is about the message, or from there being none.
    pub(crate) fn decided(&self, rule: Option<&Rule>, facts: &Facts<'_>) -> Decision {
        let language = facts.language.clone();
        let Some(rule) = rule else {
            return Decision {
                queue: self.fallback().to_owned(),
                rule: None,
                skills: SkillDemands::default(),
                speaking: speaking(&language, &SkillDemands::default()),
                priority: 0,
                sticky: true,
                language,
            };
        };
        Decision {
            queue: rule.spec.queue.clone(),
            rule: Some(Arc::clone(&rule.name)),
            skills: rule.spec.skills.clone(),
            speaking: speaking(&language, &rule.spec.skills),
            priority: rule.spec.priority,
            sticky: rule.spec.sticky,
            language,
        }
    }
}

/// The skills that speak a language, without those that the rule asks for in its own way.
fn speaking(language: &Language, skills: &SkillDemands) -> Vec<SkillDemand> {
    let required = skills.required.iter().flat_map(|tree| tree.leaves());
    let asked: Vec<_> = required.chain(&skills.preferred).map(SkillDemand::skill).collect();
    let wanted = language.skills().into_iter().filter(|name| !asked.iter().any(|asked| asked == name));
    wanted.map(|name| SkillDemand { name: SkillName::Skill(name), level: Level::default() }).collect()
}
