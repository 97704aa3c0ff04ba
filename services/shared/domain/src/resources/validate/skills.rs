//! What skills asked for must satisfy.

use super::Check;
use crate::resources::{SkillDemand, SkillDemands, SkillName, SkillTree};

/// How deep combinations may stand in each other.
const DEEPEST: usize = 8;

impl Check<'_> {
    pub(super) fn skills(&mut self, path: &str, demands: &SkillDemands) {
        for (index, tree) in demands.required.iter().enumerate() {
            self.tree(&format!("{path}.required[{index}]"), tree, 1);
        }
        for (index, demand) in demands.preferred.iter().enumerate() {
            self.demand(&format!("{path}.preferred[{index}]"), demand);
        }
    }

    fn tree(&mut self, path: &str, tree: &SkillTree, depth: usize) {
        if depth > DEEPEST {
            return self.fail(path, format!("combinations stand in each other deeper than {DEEPEST}"));
        }
        let (word, trees) = match tree {
            SkillTree::Skill(demand) => return self.demand(path, demand),
            SkillTree::Not(tree) => return self.tree(&format!("{path}.not"), tree, depth + 1),
            SkillTree::Any(trees) => ("any", trees),
            SkillTree::All(trees) => ("all", trees),
        };
        let path = format!("{path}.{word}");
        if trees.is_empty() {
            self.fail(&path, "names nothing; list skills, or leave it out");
        }
        for (index, tree) in trees.iter().enumerate() {
            self.tree(&format!("{path}[{index}]"), tree, depth + 1);
        }
    }

    fn demand(&mut self, path: &str, demand: &SkillDemand) {
        match &demand.name {
            SkillName::Skill(name) => self.name(&format!("{path}.skill"), name),
            SkillName::Language(tag) => self.language(&format!("{path}.language"), tag),
        }
    }
}
