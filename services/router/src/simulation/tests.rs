//! Seeds, and worlds that no shell can make good.

use super::{Fault, Flaws, Outcome, Plan, live, tally::Tally};

/// Seeds of the tests that share them, together: what a minute of two processors takes.
const SEEDS: u64 = 120;
/// More than so many are not named one by one.
const MANY: u64 = 400;
/// Tests that share the seeds, so that several processors do.
const SHARES: usize = 4;

fn seeds() -> u64 {
    number("HELIOGRAPH_SIMULATION_SEEDS").unwrap_or(SEEDS)
}

/// The first seed.
fn first() -> u64 {
    number("HELIOGRAPH_SIMULATION_FIRST").unwrap_or(0)
}

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is {value:?}, and should be a whole number")))
}

fn pass(seed: u64) -> Outcome {
    let outcome = live(seed, Plan::default());
    assert!(
        outcome.wrong.is_empty(),
        "{}\n\nseed {seed} is wrong:\n  {}\nplay it again, and hear everything: make simulate SEED={seed}",
        outcome.tail,
        outcome.wrong.join("\n  ")
    );
    outcome
}

/// Every fourth seed from `nth` on.
#[allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that never ends says where; what was met is told"
)]
fn share(nth: u64) {
    let (mut passed, mut entries, mut events, mut tally) = (0, 0, 0, Tally::default());
    for seed in (nth..seeds()).step_by(SHARES).map(|n| first() + n) {
        if seeds() <= MANY || passed % 100 == 0 {
            eprint!("{seed} ");
        }
        let outcome = pass(seed);
        passed += 1;
        entries += outcome.entries;
        events += outcome.events;
        tally.join(&outcome.tally);
    }
    println!(
        "{passed} seeds, {entries} entries, {events} events: none lost, doubled or out of order. Met:\n{tally}"
    );
    if seeds() >= SEEDS {
        assert!(tally.missing().is_empty(), "in {passed} seeds there were no {:?}", tally.missing());
    }
}

#[test]
fn nothing_is_lost_doubled_or_reordered_whatever_fails_1() {
    share(0);
}

#[test]
fn nothing_is_lost_doubled_or_reordered_whatever_fails_2() {
    share(1);
}

#[test]
fn nothing_is_lost_doubled_or_reordered_whatever_fails_3() {
    share(2);
}

#[test]
fn nothing_is_lost_doubled_or_reordered_whatever_fails_4() {
    share(3);
}

#[test]
fn the_same_seed_is_the_same_history() {
    let fingerprints = [7, 8, 7, 8].map(|seed| live(seed, Plan::default()).fingerprint);
    assert_eq!(fingerprints[..2], fingerprints[2..]);
    assert_ne!(fingerprints[0], fingerprints[1]);
}

/// Plays one seed again and says everything. Nothing where no seed is given.
#[test]
#[allow(clippy::print_stdout, reason = "it is there to be read")]
fn a_seed_is_played_again() {
    let Some(seed) = number("HELIOGRAPH_SIMULATION_SEED") else { return };
    let outcome = live(seed, Plan { aloud: true, ..Plan::default() });
    println!(
        "seed {seed}: {} entries, {} events, fingerprint {}. Met:\n{}",
        outcome.entries, outcome.events, outcome.fingerprint, outcome.tally
    );
    assert!(outcome.wrong.is_empty(), "seed {seed} is wrong:\n  {}", outcome.wrong.join("\n  "));
}

/// Lives through worlds with a flaw until the judgement says what it should.
fn shows(flaws: Flaws, only: &'static [Fault], complaint: &str) {
    let plan = Plan { flaws, only, aloud: false };
    let mut wrong = Vec::new();
    let seen = (0..60).any(|seed| {
        wrong.extend(live(seed, plan).wrong);
        wrong.iter().any(|found| found.contains(complaint))
    });
    wrong.truncate(10);
    assert!(seen, "nobody noticed {flaws:?}, but there was {wrong:?}");
}

#[test]
fn a_broker_that_forgets_ids_is_noticed() {
    shows(Flaws { forgets_ids: true, ..Flaws::default() }, &[Fault::Unheard], "doubled");
}

#[test]
fn leases_that_are_no_fence_are_noticed() {
    shows(Flaws { swaps_blindly: true, ..Flaws::default() }, &[Fault::Lose, Fault::Mute], "two owners");
}

#[test]
fn a_broker_that_loses_what_it_acknowledged_is_noticed() {
    shows(Flaws { loses_one_in: Some(50), ..Flaws::default() }, &[Fault::Configure], "lost");
}

#[test]
fn a_reader_that_falls_silent_is_noticed() {
    shows(Flaws { falls_silent: true, ..Flaws::default() }, &[Fault::Lose], "entries are worked off");
}

#[test]
fn the_same_decision_told_in_two_ways_is_noticed() {
    shows(Flaws { tells_own_time: true, ..Flaws::default() }, &[Fault::Clock], "something else than the log");
    shows(
        Flaws { tells_own_time: true, ..Flaws::default() },
        &[Fault::Kill, Fault::Clock, Fault::Unheard],
        "not alike",
    );
}

#[test]
fn a_log_that_is_read_with_gaps_is_noticed() {
    shows(Flaws { skips_one_in: Some(30), ..Flaws::default() }, &[Fault::Restart], "differs from the log");
}

#[test]
fn a_log_whose_time_depends_on_the_reader_is_noticed() {
    shows(Flaws { tells_own_time: true, ..Flaws::default() }, &[Fault::Clock], "differs from the log");
}

#[test]
fn a_snapshot_that_is_torn_is_noticed() {
    shows(Flaws { tears_snapshots: true, ..Flaws::default() }, &[Fault::Restart], "differs from the log");
}

#[test]
fn a_log_that_is_erased_before_its_time_is_noticed() {
    let flaws = Flaws { erases_too_much: true, ..Flaws::default() };
    shows(flaws, &[Fault::Kill], "differs from the log");
    shows(flaws, &[Fault::Restart], "has no snapshots there");
}

#[test]
fn writers_that_do_not_wait_for_what_is_passed_on_are_noticed() {
    let flaws = Flaws { hides_what_stands: true, ..Flaws::default() };
    shows(flaws, &[Fault::Move, Fault::Kill, Fault::SlowDown], "applied out of order");
}

/// This is where the promise ends: ids are recognized for two minutes, and a process that is stopped for longer with a
/// message in its buffers sends it when it goes on.
#[test]
fn a_message_that_outlives_the_brokers_memory_is_noticed() {
    shows(Flaws { outlives_the_window: true, ..Flaws::default() }, &[Fault::StandStill], "doubled");
}
