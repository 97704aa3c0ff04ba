//! Who should answer: the tenant's routing rules.

use heliograph_domain::resources::{RoutingMatch, RoutingRuleSpec, SkillDemand};
use heliograph_proto::v1::{Reason, SkillWanted, Wanted};

use super::Tenant;

/// Where work goes when no rule matches and no queue of this name exists.
const FALLBACK: &str = "default";
/// A queue's precedence counts before a rule's within the queue, which is below this.
const QUEUE_WEIGHT: i32 = 256;

/// What a customer said, as rules see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saying<'a> {
    pub(crate) channel: &'a str,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    /// BCP 47 tag; empty when unknown.
    pub(crate) language: &'a str,
    /// What a person would read.
    pub(crate) text: &'a str,
}

/// Applies the rules; the first that matches decides.
pub(crate) fn wanted(tenant: Option<&Tenant>, saying: &Saying<'_>) -> Wanted {
    let rules = tenant.map_or(&[][..], |tenant| &tenant.rules);
    let found = rules.iter().find(|(_, rule)| matches(&rule.matches, saying));
    let mut skills: Vec<SkillWanted> = Vec::new();
    let mut reasons = Vec::new();
    let (queue, own) = if let Some((name, rule)) = found {
        reasons.push(reason("routing.rule", format!("rule {name} sends it to queue {}", rule.queue)));
        take(&mut skills, rule);
        (rule.queue.clone(), i32::from(rule.priority))
    } else {
        let queue = fallback(tenant);
        reasons.push(reason("routing.no_rule", format!("no rule matches; queue {queue} takes it")));
        (queue, 0)
    };
    for name in languages(saying.language) {
        if !skills.iter().any(|skill| skill.name == name) {
            reasons
                .push(reason("routing.language", format!("{name} is preferred: the customer writes in it")));
            skills.push(SkillWanted { name, level: 1, ..SkillWanted::default() });
        }
    }
    let precedence =
        tenant.and_then(|tenant| tenant.queues.get(&queue)).map_or(0, |spec| i32::from(spec.priority));
    let priority = precedence * QUEUE_WEIGHT + own;
    Wanted { queue, skills, priority, language: saying.language.to_owned(), reasons }
}

fn take(skills: &mut Vec<SkillWanted>, rule: &RoutingRuleSpec) {
    let of = |required: bool| {
        move |demand: &SkillDemand| SkillWanted {
            name: demand.skill.clone(),
            level: i32::from(demand.level.get()),
            required,
            ..SkillWanted::default()
        }
    };
    skills.extend(rule.skills.required.iter().map(of(true)));
    skills.extend(rule.skills.preferred.iter().map(of(false)));
}

fn fallback(tenant: Option<&Tenant>) -> String {
    let queues = tenant.map(|tenant| &tenant.queues);
    match queues {
        Some(queues) if !queues.contains_key(FALLBACK) => {
            queues.keys().next().cloned().unwrap_or_else(|| FALLBACK.to_owned())
        }
        _ => FALLBACK.to_owned(),
    }
}

fn matches(conditions: &RoutingMatch, saying: &Saying<'_>) -> bool {
    let one_of = |names: &[String], name: &str| names.is_empty() || names.iter().any(|known| known == name);
    one_of(&conditions.channels, saying.channel)
        && one_of(&conditions.regions, saying.region)
        && one_of(&conditions.accounts, saying.account)
        && (conditions.languages.is_empty()
            || conditions.languages.iter().any(|range| in_range(saying.language, range)))
        && (conditions.keywords.is_empty() || {
            let text = saying.text.to_lowercase();
            conditions.keywords.iter().any(|word| has_word(&text, &word.to_lowercase()))
        })
}

/// Basic filtering of RFC 4647: `pt` holds `pt` and `pt-BR`.
fn in_range(tag: &str, range: &str) -> bool {
    let head = tag.get(..range.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(range))
        && tag.as_bytes().get(range.len()).is_none_or(|next| *next == b'-')
}

/// Whether `word` stands in `text` by itself. Scripts that write without spaces have no word ends to look for.
fn has_word(text: &str, word: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    let spaced =
        |character: Option<char>| character.is_some_and(|it| it.is_alphanumeric() && u32::from(it) < 0x2E80);
    let (first, last) = (spaced(word.chars().next()), spaced(word.chars().next_back()));
    text.match_indices(word).any(|(at, _)| {
        let before = spaced(text[..at].chars().next_back());
        let after = spaced(text[at + word.len()..].chars().next());
        !(first && before || last && after)
    })
}

/// The skills that speak a language, the most specific first: `lang-pt-br`, `lang-pt`.
fn languages(tag: &str) -> Vec<String> {
    let tag = tag.to_ascii_lowercase();
    let shaped = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if tag.is_empty() || tag.len() > 35 || !tag.bytes().all(shaped) {
        return Vec::new();
    }
    let primary = tag.split('-').next().unwrap_or(&tag);
    let mut names = vec![format!("lang-{tag}")];
    if primary != tag {
        names.push(format!("lang-{primary}"));
    }
    names
}

fn reason(code: &str, text: String) -> Reason {
    Reason { code: code.to_owned(), text, detail: None }
}
