//! Trees of skills: who fulfils them, and what is left of them after a while.

use std::collections::BTreeSet;

use super::needs;
use crate::{AgentSpec, Need};

fn all(of: &[(&str, u8)]) -> Need {
    Need::All { all: needs(of) }
}

fn any(of: &[(&str, u8)]) -> Need {
    Need::Any { any: needs(of) }
}

fn not(need: Need) -> Need {
    Need::Not { not: Box::new(need) }
}

fn one(name: &str, level: u8) -> Need {
    needs(&[(name, level)]).remove(0)
}

fn agent(skills: &[(&str, u8)]) -> AgentSpec {
    AgentSpec {
        skills: skills.iter().map(|(name, level)| ((*name).into(), *level)).collect(),
        ..AgentSpec::default()
    }
}

#[test]
fn needs_are_met_by_what_an_agent_has() {
    let ann = agent(&[("french", 5), ("billing", 2)]);
    for (need, met) in [
        (one("french", 5), true),
        (one("french", 6), false),
        (one("welsh", 1), false),
        (all(&[("french", 3), ("billing", 2)]), true),
        (all(&[("french", 3), ("billing", 3)]), false),
        (any(&[("welsh", 1), ("billing", 1)]), true),
        (any(&[("welsh", 1)]), false),
        (any(&[]), false),
        (all(&[]), true),
        (not(one("welsh", 1)), true),
        (not(one("billing", 2)), false),
        (not(any(&[("welsh", 1), ("billing", 3)])), true),
        (Need::All { all: vec![not(one("trainee", 1)), any(&[("french", 5), ("breton", 3)])] }, true),
    ] {
        assert_eq!(need.met_by(&ann), met, "{need:?}");
    }
}

#[test]
fn relaxing_lowers_levels_and_drops_skills() {
    let dropped: BTreeSet<_> = ["billing".into()].into();
    let nothing = BTreeSet::new();
    for (need, lower, drop, left) in [
        (one("french", 5), 2, &nothing, Some(one("french", 3))),
        (one("french", 2), 5, &nothing, Some(one("french", 1))),
        (one("billing", 5), 0, &dropped, None),
        (all(&[("french", 5), ("billing", 5)]), 1, &dropped, Some(all(&[("french", 4)]))),
        (all(&[("billing", 5)]), 0, &dropped, None),
        // Whoever needs one of two, and one of them no more, needs nothing.
        (any(&[("french", 5), ("billing", 5)]), 1, &dropped, None),
        (any(&[("french", 5), ("welsh", 3)]), 1, &nothing, Some(any(&[("french", 4), ("welsh", 2)]))),
        // A lower level that is not wanted would ask for more, not for less.
        (not(one("trainee", 3)), 2, &nothing, Some(not(one("trainee", 3)))),
        (not(one("billing", 3)), 0, &dropped, None),
    ] {
        assert_eq!(need.relaxed(lower, drop), left, "{need:?}");
    }
}

#[test]
fn a_need_is_written_as_people_write_it() {
    let text =
        r#"[{"name":"french","level":5},{"any":[{"name":"selling"},{"not":{"name":"trainee"}}]},{"all":[]}]"#;
    let read: Vec<Need> = serde_json::from_str(text).unwrap();
    let either = Need::Any { any: vec![one("selling", 1), not(one("trainee", 1))] };
    assert_eq!(read, [one("french", 5), either, all(&[])]);
}
