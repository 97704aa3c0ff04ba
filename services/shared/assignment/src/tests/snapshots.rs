//! Snapshots, replay, time and positions.

use super::{Bench, agent, inbound, names, pool};
use crate::{Entry, Machine, Position, TimerDue, Timestamp};

#[test]
fn a_snapshot_is_the_machine() {
    let mut bench = Bench::new(pool([("bo", agent(2, &[]))]));
    bench.online("bo");
    for contact in ["ana", "bea", "cleo"] {
        bench.write(contact);
    }
    bench.accept("bo");
    let written = serde_json::to_vec(&bench.machine).unwrap();
    let read: Machine = serde_json::from_slice(&written).unwrap();
    assert_eq!(read, bench.machine);
    assert_eq!(read.digest(), bench.machine.digest());
    assert_eq!(read.next_due(), bench.machine.next_due());
    let before = bench.machine.digest();
    bench.write("dora");
    assert_ne!(bench.machine.digest(), before);
    assert_eq!(before.len(), 64);
}

#[test]
fn a_snapshot_of_another_version_is_refused_and_missing_fields_have_defaults() {
    let mut value = serde_json::to_value(Machine::new()).unwrap();
    value["pools"] =
        serde_json::json!({ "acme": { "config": { "agents": { "bo": {} } }, "agents": { "bo": {} } } });
    let read: Machine = serde_json::from_value(value.clone()).unwrap();
    assert!(read.agent("acme", "bo").is_some());
    for version in [1, 99] {
        value["version"] = version.into();
        let error = serde_json::from_value::<Machine>(value.clone()).unwrap_err().to_string();
        assert!(error.contains(&format!("snapshot of version {version}; this program reads")), "{error}");
    }
}

#[test]
fn entries_applied_before_do_nothing() {
    let mut bench = Bench::new(pool([]));
    bench.write("ana");
    let before = bench.machine.clone();
    let entry = Entry::Inbound(inbound("bea", "m9"));
    let old = Position { partition: 0, sequence: bench.sequence };
    assert!(bench.machine.apply(&entry, Timestamp(bench.now + 5), old).is_empty());
    assert_eq!(bench.machine, before);
}

#[test]
fn ids_follow_from_positions_alone() {
    let entry = Entry::Inbound(inbound("ana", "m1"));
    let id = |partition, sequence| {
        let decisions = Machine::new().apply(&entry, Timestamp(5), Position { partition, sequence });
        decisions[0].conversation.clone().unwrap().id.clone()
    };
    assert_eq!(id(1, 7), id(1, 7));
    assert_ne!(id(1, 7), id(1, 8));
    assert_ne!(id(1, 7), id(2, 7));
}

#[test]
fn time_does_not_run_back_and_timers_wait_for_the_logs_clock() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    bench.write("ana");
    let due = bench.machine.next_due().unwrap();
    let early = Entry::TimerDue(TimerDue { due });
    assert!(bench.apply(&early).is_empty(), "20 s ahead of the log");
    bench.now = due.0 - 500;
    assert_eq!(names(&bench.apply(&early))[0], "reservation.timed_out");
    assert_eq!(bench.machine.now(), due);
    bench.now -= 10_000;
    bench.online("bo");
    assert_eq!(bench.machine.now(), due);
    assert_eq!(bench.machine.next_due().unwrap().0, due.0 + 20_000);
}
