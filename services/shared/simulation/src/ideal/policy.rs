//! Static policies, and all of them for a model.

use super::Model;

/// A static policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// By kind of work: which of the groups with somebody idle an arrival goes to.
    pub(super) routing: Vec<Routing>,
    /// By group: which work an agent takes who becomes free.
    pub(super) choice: Vec<Choice>,
    /// By group: for which kind of work some of it is kept.
    pub(super) limit: Vec<Limit>,
}

/// Which of the groups with somebody idle an arrival goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Routing {
    /// The first of these.
    Order(Vec<usize>),
    /// The one with the most idle agents.
    MostIdle,
    /// Whichever an agent drawn by lot from all idle ones is of.
    Lot,
}

/// Which work an agent takes who becomes free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// What came first.
    Oldest,
    /// The first of these kinds that waits.
    Priority(Vec<usize>),
    /// The kind of which most waits.
    Longest,
}

/// What a group does not do for a kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// It does whatever it can.
    None,
    /// It keeps so many agents idle rather than give them to this kind.
    Reserve { class: usize, agents: u32 },
    /// It helps this kind only when so many of it wait.
    Threshold { class: usize, waiting: usize },
}

impl Policy {
    /// First come, first served, by an agent drawn by lot from those who can.
    pub(super) fn by_lot(model: &Model) -> Self {
        Self {
            routing: model.speed.iter().map(|_| Routing::Lot).collect(),
            choice: model.agents.iter().map(|_| Choice::Oldest).collect(),
            limit: model.agents.iter().map(|_| Limit::None).collect(),
        }
    }

    /// Every policy: each order of groups for each kind of work, each rule for each group, and for each group that is
    /// shared each reserve and each threshold up to `most`.
    pub(super) fn all(model: &Model, most: u32) -> Vec<Self> {
        let groups = 0..model.agents.len();
        let routings = (0..model.speed.len()).map(|class| {
            let able = model.groups_of(class);
            let more = if able.len() > 1 { vec![Routing::MostIdle] } else { Vec::new() };
            orders(&able).into_iter().map(Routing::Order).chain(more).collect()
        });
        let choices = groups.clone().map(|group| {
            let able = model.classes_of(group);
            if able.len() < 2 {
                return vec![Choice::Oldest];
            }
            let orders = orders(&able).into_iter().map(Choice::Priority);
            [Choice::Oldest, Choice::Longest].into_iter().chain(orders).collect()
        });
        let limits = groups.map(|group| limits(&model.classes_of(group), most));
        let (routings, choices, limits) =
            (each(routings.collect()), each(choices.collect()), each(limits.collect()));
        let mut all = Vec::with_capacity(routings.len() * choices.len() * limits.len());
        for routing in &routings {
            for choice in &choices {
                for limit in &limits {
                    let (routing, choice, limit) = (routing.clone(), choice.clone(), limit.clone());
                    all.push(Self { routing, choice, limit });
                }
            }
        }
        all
    }

    /// The policy in words, as far as there was something to choose.
    pub(super) fn describe(&self, work: &[String], groups: &[String]) -> String {
        let mut parts = Vec::new();
        let names = |indexes: &[usize], of: &[String]| {
            indexes.iter().map(|index| of[*index].clone()).collect::<Vec<_>>().join(", then ")
        };
        for (class, routing) in self.routing.iter().enumerate() {
            match routing {
                Routing::Order(order) if order.len() < 2 => {}
                Routing::Order(order) => parts.push(format!("{} to {}", work[class], names(order, groups))),
                Routing::MostIdle => parts.push(format!("{} to the group with most idle", work[class])),
                Routing::Lot => parts.push(format!("{} to an idle agent by lot", work[class])),
            }
        }
        for (group, choice) in self.choice.iter().enumerate() {
            match choice {
                Choice::Oldest if self.limit.len() == 1 || self.shared(group) => {
                    parts.push(format!("{} takes the oldest", groups[group]));
                }
                Choice::Oldest => {}
                Choice::Priority(order) => {
                    parts.push(format!("{} takes {}", groups[group], names(order, work)));
                }
                Choice::Longest => parts.push(format!("{} takes from the longest queue", groups[group])),
            }
        }
        for (group, limit) in self.limit.iter().enumerate() {
            match limit {
                Limit::None => {}
                Limit::Reserve { class, agents } => {
                    parts.push(format!("{} keeps {agents} idle from {}", groups[group], work[*class]));
                }
                Limit::Threshold { class, waiting } => {
                    parts.push(format!("{} helps {} when {waiting} wait", groups[group], work[*class]));
                }
            }
        }
        parts.join("; ")
    }

    /// Whether a group is among those that several kinds of work go to.
    fn shared(&self, group: usize) -> bool {
        let goes = |routing: &Routing| match routing {
            Routing::Order(order) => order.contains(&group),
            Routing::MostIdle | Routing::Lot => true,
        };
        self.routing.iter().filter(|routing| goes(routing)).count() > 1
    }
}

/// What a group that can serve these kinds of work may keep from one of them.
fn limits(classes: &[usize], most: u32) -> Vec<Limit> {
    let mut limits = vec![Limit::None];
    if classes.len() > 1 {
        for class in classes {
            limits.extend((1..=most).map(|agents| Limit::Reserve { class: *class, agents }));
            limits.extend((2..=most as usize + 1).map(|waiting| Limit::Threshold { class: *class, waiting }));
        }
    }
    limits
}

/// Every order of a few things.
fn orders(things: &[usize]) -> Vec<Vec<usize>> {
    if things.len() < 2 {
        return vec![things.to_vec()];
    }
    let mut all = Vec::new();
    for (at, first) in things.iter().enumerate() {
        let mut rest = things.to_vec();
        rest.remove(at);
        for mut order in orders(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}

/// Every way to take one of each.
fn each<T: Clone>(options: Vec<Vec<T>>) -> Vec<Vec<T>> {
    let mut all = vec![Vec::new()];
    for choices in options {
        all = all
            .into_iter()
            .flat_map(|chosen: Vec<T>| {
                choices.iter().map(move |choice| {
                    let mut chosen = chosen.clone();
                    chosen.push(choice.clone());
                    chosen
                })
            })
            .collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_of_an_n_model_is_there() {
        // The first kind of work is served by both groups, the second by the second only.
        let model =
            Model { agents: vec![3, 3], speed: vec![vec![Some(1.0), Some(1.0)], vec![None, Some(1.0)]] };
        let all = Policy::all(&model, 2);
        // Three ways to route, four rules, and no limit, or two reserves and two thresholds for either kind.
        assert_eq!(all.len(), 3 * 4 * (1 + 2 * 2 * 2));
        for (at, policy) in all.iter().enumerate() {
            assert!(!all[..at].contains(policy), "{policy:?} is there twice");
        }
        let names = |names: [&str; 2]| names.map(str::to_owned);
        let told = all[4].describe(&names(["sales", "service"]), &names(["juniors", "seniors"]));
        assert_eq!(
            told,
            "sales to juniors, then seniors; seniors takes the oldest; seniors helps sales when 3 wait"
        );
    }
}
