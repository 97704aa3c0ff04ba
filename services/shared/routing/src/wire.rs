//! Decisions and explanations on the wire.

use heliograph_domain::resources::{SkillDemand, SkillTree};
use heliograph_proto::{
    Timestamp,
    v1::{
        ExplainRoutingResponse, Reason, RuleAsked, SkillAsked, SkillWanted, WaitingStep, Wanted,
        rule_asked::Answer,
    },
};

use crate::{Asked, Decision, Explanation, LanguageSource, Said, Step, Wish};

/// What intake proposes.
pub fn wanted(decision: &Decision) -> Wanted {
    let required =
        decision.skills.required.iter().map(|tree| SkillWanted { required: true, ..tree_of(tree) });
    let preferred = decision.skills.preferred.iter().chain(&decision.speaking).map(leaf);
    Wanted {
        queue: decision.queue.clone(),
        skills: required.chain(preferred).collect(),
        priority: decision.priority.into(),
        language: decision.language.tag.clone(),
        reasons: reasons(decision),
        no_sticky: !decision.sticky,
    }
}

/// Why it is as it is.
pub fn reasons(decision: &Decision) -> Vec<Reason> {
    let queue = &decision.queue;
    let mut reasons = vec![match &decision.rule {
        Some(rule) => reason("routing.rule", format!("rule {rule} sends it to queue {queue}")),
        None => reason("routing.no_rule", format!("no rule matches; queue {queue} takes it")),
    }];
    let tag = &decision.language.tag;
    if let LanguageSource::Detected { percent, instead_of } = &decision.language.source {
        let known = if instead_of.is_empty() {
            String::new()
        } else {
            format!(", though {instead_of} is known of the customer")
        };
        let text = format!("the text is in {tag} ({percent} %){known}");
        reasons.push(reason("routing.language_detected", text));
    }
    reasons.extend(decision.speaking.iter().map(|demand| {
        let text = format!("{} is preferred: the customer writes in it", demand.skill());
        reason("routing.language", text)
    }));
    reasons
}

/// An explanation. Where the customer is, and whether what they write is a word for the system, is not known here.
pub fn explained(explanation: &Explanation) -> ExplainRoutingResponse {
    let required = explanation.required.iter().map(|wish| asked(wish, true));
    let preferred = explanation.preferred.iter().map(|wish| asked(wish, false));
    ExplainRoutingResponse {
        wanted: Some(wanted(&explanation.decision)),
        region: None,
        rules: explanation.rules.iter().map(rule).collect(),
        skills: required.chain(preferred).collect(),
        queue_priority: explanation.queue.as_ref().map_or(0, |queue| queue.priority.into()),
        language_source: explanation.decision.language.source.as_str().to_owned(),
        closed: !explanation.open,
        opens_at: explanation.opens.map(|opens| Timestamp::from_millis(opens.as_millisecond())),
        timeline: explanation.timeline.iter().map(step).collect(),
        unattended: false,
    }
}

fn asked(wish: &Wish, required: bool) -> SkillAsked {
    let skill = SkillWanted { required, ..tree_of(&wish.skill) };
    SkillAsked { skill: Some(skill), by: wish.from.as_str().to_owned() }
}

fn rule(asked: &Asked) -> RuleAsked {
    let (answer, unmet) = match asked.said {
        Said::Decides => (Answer::Decides, ""),
        Said::Behind => (Answer::Behind, ""),
        Said::Misses(unmet) => (Answer::Misses, unmet.as_str()),
    };
    RuleAsked {
        rule: asked.rule.to_string(),
        order: asked.order,
        answer: answer.into(),
        unmet: unmet.to_owned(),
        when: asked.when.clone().unwrap_or_default(),
    }
}

fn step(step: &Step) -> WaitingStep {
    let seconds = step.after.map_or(0, |after| after.as_millis().div_ceil(1_000));
    WaitingStep {
        after_seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
        what: Some(reason(&format!("routing.{}", step.what.code()), step.what.to_string())),
    }
}

/// A combination of skills; the leaves have a name.
pub fn tree_of(tree: &SkillTree) -> SkillWanted {
    match tree {
        SkillTree::Skill(demand) => leaf(demand),
        SkillTree::Any(trees) => {
            SkillWanted { any: trees.iter().map(tree_of).collect(), ..SkillWanted::default() }
        }
        SkillTree::All(trees) => {
            SkillWanted { all: trees.iter().map(tree_of).collect(), ..SkillWanted::default() }
        }
        SkillTree::Not(tree) => SkillWanted { none: Some(Box::new(tree_of(tree))), ..SkillWanted::default() },
    }
}

fn leaf(demand: &SkillDemand) -> SkillWanted {
    SkillWanted {
        name: demand.skill().into_owned(),
        level: demand.level.get().into(),
        ..SkillWanted::default()
    }
}

fn reason(code: &str, text: String) -> Reason {
    Reason { code: code.to_owned(), text, detail: None }
}
