//! Skills asked for, as the machine takes them: from resources, and from the wire.

use heliograph_assignment::{Need, Skill};
use heliograph_domain::resources::{SkillDemand, SkillTree};
use heliograph_proto::v1::SkillWanted;

/// A skill of a resource.
pub(crate) fn leaf(demand: &SkillDemand) -> Skill {
    Skill::new(demand.skill(), demand.level.get())
}

/// A combination of a resource.
pub(crate) fn need(tree: &SkillTree) -> Need {
    let each = |trees: &[SkillTree]| trees.iter().map(need).collect();
    match tree {
        SkillTree::Skill(demand) => leaf(demand).into(),
        SkillTree::Any(trees) => Need::Any { any: each(trees) },
        SkillTree::All(trees) => Need::All { all: each(trees) },
        SkillTree::Not(tree) => Need::Not { not: Box::new(need(tree)) },
    }
}

/// A skill on the wire.
pub(crate) fn leaf_on_wire(wanted: &SkillWanted) -> Skill {
    let level = u8::try_from(wanted.level.clamp(1, 10)).expect("clamped");
    Skill::new(wanted.name.as_str(), level)
}

/// A combination on the wire. What says nothing asks for nothing: an `all` of no parts, which everybody fulfils.
pub(crate) fn need_on_wire(wanted: &SkillWanted) -> Need {
    let each = |parts: &[SkillWanted]| parts.iter().map(need_on_wire).collect();
    if !wanted.name.is_empty() {
        return leaf_on_wire(wanted).into();
    }
    if !wanted.any.is_empty() {
        return Need::Any { any: each(&wanted.any) };
    }
    match &wanted.none {
        Some(none) => Need::Not { not: Box::new(need_on_wire(none)) },
        None => Need::All { all: each(&wanted.all) },
    }
}

/// A skill of the machine's, for the wire.
pub(crate) fn leaf_to_wire(skill: &Skill) -> SkillWanted {
    SkillWanted { name: skill.name.to_string(), level: skill.level.into(), ..SkillWanted::default() }
}

/// A combination of the machine's, for the wire.
pub(crate) fn need_to_wire(need: &Need) -> SkillWanted {
    let each = |needs: &[Need]| needs.iter().map(need_to_wire).collect();
    match need {
        Need::Skill(skill) => leaf_to_wire(skill),
        Need::Any { any } => SkillWanted { any: each(any), ..SkillWanted::default() },
        Need::All { all } => SkillWanted { all: each(all), ..SkillWanted::default() },
        Need::Not { not } => {
            SkillWanted { none: Some(Box::new(need_to_wire(not))), ..SkillWanted::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use heliograph_domain::resources::SkillTree;
    use heliograph_proto::v1::SkillWanted;
    use heliograph_routing::wire::tree_of;
    use serde_json::json;

    use super::{need, need_on_wire, need_to_wire};

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
            let wire = tree_of(&tree);
            assert_eq!(need_on_wire(&wire), need(&tree), "{tree}");
            assert_eq!(need_to_wire(&need(&tree)), wire, "{tree}");
        }
    }

    #[test]
    fn what_says_nothing_asks_for_nothing_and_levels_stay_in_range() {
        let nothing = need_on_wire(&SkillWanted::default());
        assert!(nothing.met_by(&heliograph_assignment::AgentSpec::default()));
        for (level, taken) in [(-4, 1), (0, 1), (7, 7), (400, 10)] {
            let wanted = SkillWanted { name: "a".to_owned(), level, ..SkillWanted::default() };
            assert_eq!(super::leaf_on_wire(&wanted).level, taken);
        }
    }
}
