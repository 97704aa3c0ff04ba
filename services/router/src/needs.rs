//! Skills asked for in resources, as the machine takes them.

use heliograph_assignment::{Need, Skill};
use heliograph_domain::resources::{SkillDemand, SkillTree};

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use heliograph_domain::resources::SkillTree;
    use heliograph_routing::wire::tree_of;
    use serde_json::json;

    use super::need;
    use crate::assignment::need_from_wire;

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
            assert_eq!(need_from_wire(&tree_of(&tree)), Ok(need(&tree)), "{tree}");
        }
    }
}
