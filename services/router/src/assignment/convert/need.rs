//! What is asked of agents: combinations of skills, on the wire and in the machine.

use heliograph_assignment::{Need, Skill};
use heliograph_proto::v1::SkillWanted;

use super::Unfit;

/// A demand as the machine takes it.
pub(crate) fn need(wanted: &SkillWanted) -> Result<Need, Unfit> {
    let SkillWanted { name, level, any, all, none, required: _ } = wanted;
    let each = |wanted: &[SkillWanted]| wanted.iter().map(need).collect::<Result<Vec<Need>, Unfit>>();
    match (name.is_empty(), any.is_empty(), all.is_empty(), none) {
        (false, true, true, None) => Ok(Need::Skill(Skill::new(name.as_str(), self::level(*level)))),
        (true, false, true, None) => Ok(Need::Any { any: each(any)? }),
        (true, true, false, None) => Ok(Need::All { all: each(all)? }),
        (true, true, true, Some(not)) => Ok(Need::Not { not: Box::new(need(not)?) }),
        _ => Err(Unfit::Lacks("one of a skill's name, any, all and none")),
    }
}

/// Several demands, at least one.
pub(super) fn needs(wanted: &[SkillWanted]) -> Result<Vec<Need>, Unfit> {
    if wanted.is_empty() {
        return Err(Unfit::Lacks("skills"));
    }
    wanted.iter().map(need).collect()
}

/// A level as the machine knows them.
pub(super) fn level(level: i32) -> u8 {
    u8::try_from(level.clamp(1, 10)).expect("clamped")
}

/// A demand on the wire.
pub(crate) fn need_on_wire(need: &Need) -> SkillWanted {
    let each = |needs: &[Need]| needs.iter().map(need_on_wire).collect();
    let wanted = match need {
        Need::Skill(skill) => skill_on_wire(skill),
        Need::Any { any } => SkillWanted { any: each(any), ..SkillWanted::default() },
        Need::All { all } => SkillWanted { all: each(all), ..SkillWanted::default() },
        Need::Not { not } => {
            SkillWanted { none: Some(Box::new(need_on_wire(not))), ..SkillWanted::default() }
        }
    };
    SkillWanted { required: true, ..wanted }
}

/// A skill that is preferred, on the wire.
pub(crate) fn skill_on_wire(skill: &Skill) -> SkillWanted {
    SkillWanted { name: skill.name.to_string(), level: skill.level.into(), ..SkillWanted::default() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use heliograph_domain::resources::SkillTree;
    use heliograph_routing::wire::tree_of;
    use serde_json::json;

    use super::*;

    fn skill(name: &str) -> SkillWanted {
        SkillWanted { name: name.to_owned(), level: 3, ..SkillWanted::default() }
    }

    #[test]
    fn a_combination_comes_back_as_it_went() {
        let all = Need::All {
            all: vec![
                Skill::new("billing", 4).into(),
                Need::Any { any: vec![Skill::new("lang-pt", 2).into(), Skill::new("lang-es", 5).into()] },
                Need::Not { not: Box::new(Skill::new("trainee", 1).into()) },
            ],
        };
        assert_eq!(need(&need_on_wire(&all)), Ok(all));
    }

    #[test]
    fn what_is_asked_for_is_the_same_by_every_way() {
        let trees = [
            json!({ "skill": "billing", "level": 3 }),
            json!({ "language": "pt-BR" }),
            json!({ "any": [{ "skill": "a" }, { "all": [{ "skill": "b", "level": 10 }, { "not": { "skill": "c" } }] }] }),
            json!({ "not": { "any": [{ "not": { "language": "es", "level": 2 } }, { "skill": "d" }] } }),
        ];
        for tree in trees {
            let tree: SkillTree = serde_json::from_value(tree).unwrap();
            assert_eq!(need(&tree_of(&tree)), Ok(Need::from(&tree)), "{tree}");
        }
    }

    #[test]
    fn what_says_nothing_or_two_things_is_unfit() {
        assert!(need(&SkillWanted::default()).is_err());
        assert!(need(&SkillWanted { any: vec![skill("a")], ..skill("b") }).is_err());
        assert!(need(&SkillWanted { any: vec![SkillWanted::default()], ..SkillWanted::default() }).is_err());
        assert!(needs(&[]).is_err());
        assert_eq!(need(&SkillWanted { level: 99, ..skill("a") }), Ok(Skill::new("a", 10).into()));
    }
}
