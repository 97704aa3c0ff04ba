//! A tenant leaves one state and comes to another.

use heliograph_proto::v1::{MoveTenant, TenantArriving};

use super::{
    super::{emit::Onward, luggage::PART, shell::Logged},
    *,
};

const THERE: u16 = 5;

fn logged(entry: RoutingEntry, generation: u32, home: bool) -> Logged {
    Logged { entry, generation, home }
}

fn leave(to: u16, generation: u32) -> Logged {
    logged(entry(Kind::Move(MoveTenant { to: to.into(), generation })), generation, false)
}

fn onward(emissions: Vec<Emission>) -> Vec<Onward> {
    let only = |emission| match emission {
        Emission { item: Item::Onward(onward), .. } => *onward,
        Emission { item, .. } => panic!("{item:?}"),
    };
    emissions.into_iter().map(only).collect()
}

fn parts(emissions: Vec<Emission>) -> Vec<TenantArriving> {
    onward(emissions).into_iter().map(|onward| onward.arriving.unwrap()).collect()
}

fn arriving(part: &TenantArriving) -> Logged {
    logged(entry(Kind::Arriving(part.clone())), part.generation, false)
}

/// A tenant with a configuration and an open conversation, which is at home; and what it takes along when it leaves at 9.
fn departed() -> (State, String, Vec<TenantArriving>) {
    let (mut state, id) = opened();
    let json = r#"{ "queues": { "support": {} } }"#.to_owned();
    let configuration =
        Configuration { version: 1, json, locale: "pt".to_owned(), ..Configuration::default() };
    state.apply(&entry(Kind::Configuration(configuration)), 8, 1_500).unwrap();
    let stale = state.take(&logged(leave(THERE, 3).entry, 0, true), 9, 2_000).unwrap();
    assert!(stale.emissions.is_empty(), "whoever asked knew of another stay");
    let effects = state.take(&logged(leave(THERE, 0).entry, 0, true), 10, 2_000).unwrap();
    assert!(effects.behind_all, "nothing of it may overtake what was decided before");
    (state, id, parts(effects.emissions))
}

#[test]
fn a_tenant_takes_everything_along_and_is_here_with_the_last_part() {
    let (old, id, parts) = departed();
    assert!(parts.len() > 1 && parts.iter().all(|part| part.content.len() <= PART));
    assert!(old.annex.get(&id).is_none() && old.annex.configured("acme").is_none());
    assert_eq!((old.residence.here("acme", true), old.residence.went("acme")), (None, Some(THERE)));
    assert_eq!(old.machine.applied(), 10);

    let mut new = State::new(THERE);
    for (at, part) in (20..).zip(&parts) {
        assert_eq!(new.residence.here("acme", false), None);
        // Each part comes twice, and a snapshot is restored after each.
        for twice in 0..2 {
            let arrived = new.take(&arriving(part), 2 * at + twice, 3_000).unwrap().arrived;
            assert_eq!(arrived, twice == 0 && part.part + 1 == part.parts);
        }
        let applied = new.machine.applied();
        assert_eq!(applied, 2 * at + 1);
        new = snapshot::decode(THERE, applied, &snapshot::encode(&new)).unwrap();
    }
    assert_eq!(new.residence.here("acme", false), Some(1));
    assert_eq!(new.annex.get(&id).unwrap().address(), Some(address()));
    assert!(new.annex.configured("acme").is_some());
    assert_eq!(new.annex.manner("acme").unwrap().locale, "pt");
    // A message that it has seen at its old place is one it knows; another one goes on with the conversation.
    let again = new.take(&logged(proposal("msg_1"), 1, false), 100, 4_000).unwrap();
    assert!(again.emissions.is_empty());
    let goes_on = new.take(&logged(proposal("msg_2"), 1, false), 101, 4_000).unwrap();
    assert_eq!(types(&goes_on.emissions), ["message.received"]);
    assert_eq!(events(&goes_on.emissions)[0].conversation, id);
}

#[test]
fn what_comes_later_is_passed_on_by_the_way_the_tenant_went() {
    let (mut old, ..) = departed();
    let to = |effects: super::super::state::Effects| {
        let passed = onward(effects.emissions);
        assert!(passed[0].arriving.is_none());
        (passed[0].to, passed[0].generation)
    };
    assert_eq!(to(old.take(&logged(proposal("msg_2"), 0, true), 11, 3_000).unwrap()), (THERE, 1));
    assert_eq!(old.machine.applied(), 11);
    let read_again = old.take(&logged(proposal("msg_1"), 0, true), 7, 3_000).unwrap();
    assert!(read_again.emissions.is_empty(), "it was applied before the tenant left");
    // The same again at another place is another entry for the broker.
    let ids = [12, 13].map(|at| {
        let effects = old.take(&logged(proposal("msg_2"), 0, true), at, 3_000).unwrap();
        onward(effects.emissions)[0].id()
    });
    assert_ne!(ids[0], ids[1]);
    // Nobody's entries are applied where their tenant never was.
    let stranger =
        old.take(&logged(RoutingEntry { tenant: "beta".to_owned(), ..proposal("x") }, 0, false), 14, 3_000);
    assert_eq!(stranger.unwrap_err(), Unfit::Stranger);
    // It comes back: what was meant for its first stay still goes round, what is meant for this one does not.
    let mut there = State::new(THERE);
    for (at, part) in (20..).zip(departed().2) {
        there.take(&arriving(&part), at, 3_000).unwrap();
    }
    let back = parts(there.take(&leave(PARTITION, 1), 40, 4_000).unwrap().emissions);
    for (at, part) in (50..).zip(&back) {
        old.take(&arriving(part), at, 5_000).unwrap();
    }
    assert_eq!(old.residence.here("acme", true), Some(2));
    assert_eq!(to(old.take(&logged(proposal("msg_3"), 0, true), 70, 6_000).unwrap()), (THERE, 1));
    let here = old.take(&logged(proposal("msg_4"), 2, true), 71, 6_000).unwrap();
    assert_eq!(types(&here.emissions), ["message.received"]);
}

#[test]
fn what_is_damaged_or_incomplete_is_not_taken_for_a_tenant() {
    let (.., parts) = departed();
    let mut new = State::new(THERE);
    assert_eq!(new.take(&arriving(&parts[1]), 20, 3_000).unwrap_err(), Unfit::Lacks("the parts before it"));
    let mut damaged = parts.clone();
    damaged[0].content = vec![7; 9].into();
    let outcomes: Vec<_> =
        (30..).zip(&damaged).map(|(at, part)| new.take(&arriving(part), at, 3_000)).collect();
    assert!(matches!(outcomes.last(), Some(Err(Unfit::Luggage(_)))));
    assert_eq!(new.residence.here("acme", false), None);
}
