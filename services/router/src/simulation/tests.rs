//! Seeds, and worlds that no shell can make good.

use super::{Fault, Flaws, Outcome, Plan, live};

/// Seeds of each of the tests that go through them.
fn seeds() -> u64 {
    number("HELIOGRAPH_SIMULATION_SEEDS").unwrap_or(60)
}

/// The first seed.
fn first() -> u64 {
    number("HELIOGRAPH_SIMULATION_FIRST").unwrap_or(0)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[allow(clippy::print_stdout, reason = "a test that fails, or never ends, says where")]
fn pass(seed: u64) -> Outcome {
    println!("seed {seed}");
    let outcome = live(seed, Plan::default());
    assert!(
        outcome.wrong.is_empty(),
        "{}\n\nseed {seed} is wrong:\n  {}\nplay it again, and hear everything: make simulate SEED={seed}",
        outcome.tail,
        outcome.wrong.join("\n  ")
    );
    outcome
}

/// Every fourth seed from `nth` on, so that several processors share them.
#[allow(clippy::print_stdout, reason = "what was gone through is of interest")]
fn share(nth: u64) {
    let (mut entries, mut events) = (0, 0);
    for seed in (0..seeds()).map(|n| first() + 4 * n + nth) {
        let outcome = pass(seed);
        entries += outcome.entries;
        events += outcome.events;
    }
    println!("{} seeds, {entries} entries, {events} events: none lost, doubled or out of order", seeds());
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
        "seed {seed}: {} entries, {} events, fingerprint {}",
        outcome.entries, outcome.events, outcome.fingerprint
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
    shows(Flaws { erases_too_much: true, ..Flaws::default() }, &[Fault::Kill], "differs from the log");
}

/// This is where the promise ends: ids are recognized for two minutes, and a process that is stopped for longer with a
/// message in its buffers sends it when it goes on.
#[test]
fn a_message_that_outlives_the_brokers_memory_is_noticed() {
    shows(Flaws { outlives_the_window: true, ..Flaws::default() }, &[Fault::StandStill], "doubled");
}
