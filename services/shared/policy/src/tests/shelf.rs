//! Which compiled policy a tenant has.

use std::sync::Arc;

use heliograph_domain::resources::{Metadata, Resource, Spec, Stored};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Shelf;

fn stored(tenant: &str, name: &str, version: u64, spec: Spec) -> Stored {
    let metadata = Metadata { tenant: tenant.to_owned(), name: name.to_owned(), labels: [].into() };
    let resource = Resource { metadata, spec };
    Stored { resource, version, applied_by: "test".to_owned(), applied_at: Timestamp::UNIX_EPOCH }
}

fn policy(tenant: &str, name: &str, version: u64, spec: Value) -> Stored {
    stored(tenant, name, version, Spec::ChannelPolicy(serde_json::from_value(spec).unwrap()))
}

fn calendar(tenant: &str, name: &str, from: &str) -> Stored {
    let hours = json!({ "hours": [{ "days": ["mon"], "from": from, "to": "17:00" }] });
    stored(tenant, name, 1, Spec::Calendar(serde_json::from_value(hours).unwrap()))
}

fn simple() -> Value {
    json!({ "default": { "channels": ["sms"] } })
}

fn timed() -> Value {
    json!({ "default": { "channels": ["sms"] }, "rules": [{ "name": "r", "then": { "hours": "office" } }] })
}

/// Builds a shelf of which every policy can be used.
fn build(resources: &[Stored], before: &Shelf) -> Shelf {
    let (shelf, unusable) = Shelf::build(resources, before);
    assert!(unusable.is_empty(), "{unusable:?}");
    shelf
}

#[test]
fn what_did_not_change_is_not_compiled_again() {
    let first =
        build(&[policy("a", "default", 1, simple()), policy("b", "default", 1, simple())], &Shelf::default());
    let second = build(&[policy("a", "default", 2, simple()), policy("b", "default", 1, simple())], &first);
    assert_eq!((first.of("a").version(), second.of("a").version()), (1, 2));
    assert!(!Arc::ptr_eq(&first.of("a"), &second.of("a")));
    assert!(Arc::ptr_eq(&first.of("b"), &second.of("b")));
    // A calendar is part of the policies that may name it.
    let morning = build(&[policy("a", "default", 1, timed()), calendar("a", "office", "09:00")], &first);
    let noon = build(&[policy("a", "default", 1, timed()), calendar("a", "office", "12:00")], &morning);
    assert!(!Arc::ptr_eq(&morning.of("a"), &noon.of("a")));
}

#[test]
fn the_last_good_policy_stays_in_force() {
    let good =
        build(&[policy("a", "default", 1, timed()), calendar("a", "office", "09:00")], &Shelf::default());
    // The calendar is gone, and that of another tenant does not count.
    let (shelf, unusable) =
        Shelf::build(&[policy("a", "default", 2, timed()), calendar("b", "office", "09:00")], &good);
    assert!(Arc::ptr_eq(&shelf.of("a"), &good.of("a")));
    let [unusable] = &unusable[..] else { panic!("{unusable:?}") };
    assert_eq!((unusable.tenant.as_str(), unusable.version), ("a", 2));
    assert_eq!(unusable.error.0[0].path, "spec.rules[0].then.hours");
    // A version is told of once.
    let (again, unusable) = Shelf::build(&[policy("a", "default", 2, timed())], &shelf);
    assert!(unusable.is_empty() && Arc::ptr_eq(&again.of("a"), &good.of("a")), "{unusable:?}");
    let (_, unusable) = Shelf::build(&[policy("a", "default", 3, timed())], &again);
    assert_eq!(unusable.len(), 1);
    // Without one that was good before, nothing is allowed.
    let (shelf, _) = Shelf::build(&[policy("a", "default", 2, timed())], &Shelf::default());
    assert_eq!(&*shelf.of("a").name(), "none");
}

#[test]
fn the_policy_called_default_counts() {
    let named = |name: &str| policy("a", name, 1, simple());
    let mut all = vec![named("zebra"), named("default"), named("ant")];
    let name = |resources: &[Stored]| build(resources, &Shelf::default()).of("a").name().to_string();
    assert_eq!(name(&all), "default");
    all.reverse();
    assert_eq!(name(&all), "default");
    all.remove(1);
    assert_eq!(name(&all), "ant");
    // A tenant has its own alone; one whose policy is taken away has none.
    let shelf = build(&all, &Shelf::default());
    assert_eq!(&*shelf.of("b").name(), "none");
    assert_eq!(&*build(&[], &shelf).of("a").name(), "none");
}
