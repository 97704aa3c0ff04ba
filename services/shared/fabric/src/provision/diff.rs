//! What differs between the plan and the broker, and what may be done about it. Pure.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use super::PARTITIONS;
use super::plan::{DUPLICATE_WINDOW, StreamSpec};

/// What is done about a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The stream is created.
    Create,
    /// The stream is changed, nothing stored is at risk.
    Extend,
    /// It would shrink, so it is left as it is.
    Refused,
    /// It shrinks because that was asked for.
    Forced,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Stream on the broker.
    pub stream: String,
    /// What differs.
    pub field: &'static str,
    /// What the broker has.
    pub from: String,
    /// What the plan wants.
    pub to: String,
    /// What is done about it.
    pub verdict: Verdict,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, field, from, to, verdict } = self;
        match verdict {
            Verdict::Create => write!(f, "{stream}: create"),
            Verdict::Extend => write!(f, "{stream}: {field} {from} → {to}"),
            Verdict::Refused => {
                write!(f, "{stream}: {field} {from} → {to} REFUSED, it would shrink (use force)")
            }
            Verdict::Forced => write!(f, "{stream}: {field} {from} → {to} (forced)"),
        }
    }
}

/// The partition count in a stream's metadata.
pub(super) fn partitions(config: &Config) -> Option<u16> {
    config.metadata.get(PARTITIONS)?.parse().ok()
}

/// The differences, and the configuration to apply when there is anything to apply.
///
/// An existing stream keeps every setting the plan says nothing about.
pub(super) fn diff(found: Option<&Config>, spec: &StreamSpec, force: bool) -> (Vec<Change>, Option<Config>) {
    let Some(found) = found else {
        let change = Change {
            stream: spec.name.clone(),
            field: "stream",
            from: "nothing".to_owned(),
            to: spec.subjects.join(" "),
            verdict: Verdict::Create,
        };
        return (vec![change], Some(create(spec)));
    };
    let mut differ = Differ { spec, force, changes: Vec::new(), config: found.clone() };
    differ.subjects();
    differ.limits();
    differ.partitions();
    differ.switches();
    let applies = differ.changes.iter().any(|change| change.verdict != Verdict::Refused);
    (differ.changes, applies.then_some(differ.config))
}

fn create(spec: &StreamSpec) -> Config {
    Config {
        name: spec.name.clone(),
        description: Some(spec.description.to_owned()),
        subjects: spec.subjects.clone(),
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        // A full stream refuses new messages instead of dropping old ones that nobody has processed: the publisher
        // hears of it and its own upstream tries again.
        discard: discard(spec),
        max_age: spec.max_age,
        max_bytes: spec.max_bytes.unwrap_or(-1),
        max_messages: -1,
        max_messages_per_subject: spec.history.unwrap_or(-1),
        num_replicas: spec.replicas,
        duplicate_window: window(spec),
        allow_direct: spec.direct,
        allow_rollup: spec.bucket,
        deny_delete: spec.deny_delete,
        allow_message_ttl: spec.message_ttl,
        allow_message_schedules: spec.schedules,
        metadata: spec.partitions.iter().map(|count| (PARTITIONS.to_owned(), count.to_string())).collect(),
        ..Config::default()
    }
}

/// What a full stream does. One that stores messages for later has no size, and so is never full; brokers want this of it.
fn discard(spec: &StreamSpec) -> DiscardPolicy {
    if spec.schedules { DiscardPolicy::Old } else { DiscardPolicy::New }
}

/// The window may not be longer than messages live.
fn window(spec: &StreamSpec) -> Duration {
    if spec.max_age.is_zero() { DUPLICATE_WINDOW } else { DUPLICATE_WINDOW.min(spec.max_age) }
}

struct Differ<'a> {
    spec: &'a StreamSpec,
    force: bool,
    changes: Vec<Change>,
    config: Config,
}

impl Differ<'_> {
    fn note(
        &mut self,
        field: &'static str,
        from: impl fmt::Display,
        to: impl fmt::Display,
        shrinks: bool,
    ) -> bool {
        let verdict = match (shrinks, self.force) {
            (false, _) => Verdict::Extend,
            (true, false) => Verdict::Refused,
            (true, true) => Verdict::Forced,
        };
        let (stream, from, to) = (self.spec.name.clone(), from.to_string(), to.to_string());
        self.changes.push(Change { stream, field, from, to, verdict });
        verdict != Verdict::Refused
    }

    fn subjects(&mut self) {
        let (have, want) = (self.config.subjects.clone(), self.spec.subjects.clone());
        let added: Vec<String> = want.iter().filter(|subject| !have.contains(subject)).cloned().collect();
        let removed: Vec<String> = have.iter().filter(|subject| !want.contains(subject)).cloned().collect();
        if !added.is_empty() && self.note("subjects added", "-", added.join(" "), false) {
            self.config.subjects.extend(added);
        }
        if !removed.is_empty() && self.note("subjects removed", removed.join(" "), "-", true) {
            self.config.subjects.retain(|subject| !removed.contains(subject));
        }
    }

    fn limits(&mut self) {
        let (have, want) = (self.config.max_age, self.spec.max_age);
        let endless = |age: Duration| if age.is_zero() { Duration::MAX } else { age };
        if have != want && self.note("max_age", days(have), days(want), endless(want) < endless(have)) {
            self.config.max_age = want;
        }
        // No limit in the plan means that the operator's own limit stands, unless messages would be lost by it.
        if self.spec.schedules
            && self.config.max_bytes > 0
            && self.note("max_bytes", self.config.max_bytes, "no limit", false)
        {
            self.config.max_bytes = -1;
        }
        if let Some(want) = self.spec.max_bytes {
            let have = self.config.max_bytes;
            if have != want && self.note("max_bytes", have, want, bound(want) < bound(have)) {
                self.config.max_bytes = want;
            }
        }
        let (have, want) =
            (bound(self.config.max_messages_per_subject), bound(self.spec.history.unwrap_or(-1)));
        if have != want && self.note("history", have, want, want < have) {
            self.config.max_messages_per_subject = self.spec.history.unwrap_or(-1);
        }
        let (have, want) = (self.config.num_replicas.max(1), self.spec.replicas.max(1));
        if have != want && self.note("replicas", have, want, want < have) {
            self.config.num_replicas = want;
        }
        let (have, want) = (self.config.duplicate_window, window(self.spec));
        if have != want && self.note("duplicate_window", days(have), days(want), want < have) {
            self.config.duplicate_window = want;
        }
    }

    /// Any other count moves conversations to other owners, so more is as dangerous as fewer.
    fn partitions(&mut self) {
        let Some(want) = self.spec.partitions else { return };
        let have = partitions(&self.config);
        if have == Some(want) {
            return;
        }
        let from = have.map_or_else(|| "none".to_owned(), |count| count.to_string());
        if self.note("partitions", from, want, have.is_some()) {
            self.config.metadata.insert(PARTITIONS.to_owned(), want.to_string());
        }
    }

    fn switches(&mut self) {
        if self.spec.direct && !self.config.allow_direct && self.note("allow_direct", false, true, false) {
            self.config.allow_direct = true;
        }
        if self.spec.message_ttl
            && !self.config.allow_message_ttl
            && self.note("message_ttl", false, true, false)
        {
            self.config.allow_message_ttl = true;
        }
        if self.spec.schedules
            && !self.config.allow_message_schedules
            && self.note("schedules", false, true, false)
        {
            self.config.allow_message_schedules = true;
        }
        let (have, want) = (self.config.discard, discard(self.spec));
        if have != want && self.note("discard", name(have), name(want), false) {
            self.config.discard = want;
        }
    }
}

fn name(discard: DiscardPolicy) -> &'static str {
    match discard {
        DiscardPolicy::Old => "old",
        DiscardPolicy::New => "new",
    }
}

/// 0 and -1 both mean without limit on the broker.
fn bound(limit: i64) -> i64 {
    if limit <= 0 { i64::MAX } else { limit }
}

fn days(age: Duration) -> String {
    if age.is_zero() { "for ever".to_owned() } else { format!("{age:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::Plan;

    fn spec(plan: &Plan, name: &str) -> StreamSpec {
        plan.streams().into_iter().find(|spec| spec.name == name).expect("a stream of the plan")
    }

    #[test]
    fn what_was_created_is_as_planned() {
        for spec in Plan::default().streams() {
            let (changes, config) = diff(None, &spec, false);
            assert_eq!(changes[0].verdict, Verdict::Create);
            let config = config.expect("something to create");
            assert_eq!(diff(Some(&config), &spec, false), (Vec::new(), None));
        }
    }

    #[test]
    fn growing_is_done_and_shrinking_refused() {
        let plan = Plan { work_age: Duration::from_hours(1), max_bytes: Some(1000), ..Plan::default() };
        let small = create(&spec(&plan, "HG_INBOUND"));
        let larger =
            Plan { work_age: Duration::from_hours(2), max_bytes: Some(2000), replicas: 3, ..Plan::default() };
        let (changes, config) = diff(Some(&small), &spec(&larger, "HG_INBOUND"), false);
        assert_eq!(changes.len(), 3);
        assert!(changes.iter().all(|change| change.verdict == Verdict::Extend));
        let large = config.expect("something to extend");
        assert_eq!((large.num_replicas, large.max_bytes), (3, 2000));

        let (changes, config) = diff(Some(&large), &spec(&plan, "HG_INBOUND"), false);
        assert_eq!(changes.len(), 3);
        assert!(changes.iter().all(|change| change.verdict == Verdict::Refused));
        assert_eq!(config, None);

        let (changes, config) = diff(Some(&large), &spec(&plan, "HG_INBOUND"), true);
        assert!(changes.iter().all(|change| change.verdict == Verdict::Forced));
        assert_eq!(config.map(|config| config.num_replicas), Some(1));
    }

    #[test]
    fn a_stream_of_before_learns_to_store_for_later() {
        let plan = Plan { max_bytes: Some(1000), ..Plan::default() };
        let spec = spec(&plan, "HG_OUTBOUND");
        let before = Config {
            subjects: vec!["hg.outbound.*.*.*".to_owned()],
            discard: DiscardPolicy::New,
            max_bytes: 1000,
            allow_message_schedules: false,
            ..create(&spec)
        };
        let (changes, config) = diff(Some(&before), &spec, false);
        assert!(changes.iter().all(|change| change.verdict == Verdict::Extend), "{changes:?}");
        assert_eq!(config, Some(create(&spec)));
    }

    #[test]
    fn endless_is_the_largest_age() {
        let spec = spec(&Plan::default(), "HG_EVENTS");
        let mut config = create(&spec);
        config.max_age = Duration::from_mins(1);
        assert_eq!(diff(Some(&config), &spec, false).0[0].verdict, Verdict::Extend);
        let limited = StreamSpec { max_age: Duration::from_mins(1), ..spec.clone() };
        assert_eq!(diff(Some(&create(&spec)), &limited, false).0[0].verdict, Verdict::Refused);
    }

    #[test]
    fn partition_counts_do_not_move_and_foreign_settings_stay() {
        let spec = spec(&Plan::default(), "HG_OUTBOUND");
        let mut config = create(&spec);
        config.compression = Some(async_nats::jetstream::stream::Compression::S2);
        config.subjects.push("extra.>".to_owned());
        for count in [8, 32] {
            let other = StreamSpec { partitions: Some(count), ..spec.clone() };
            let (changes, applied) = diff(Some(&config), &other, false);
            assert!(changes.iter().all(|change| change.verdict == Verdict::Refused), "{changes:?}");
            assert_eq!(applied, None);
        }
        let wider = StreamSpec { max_age: Duration::ZERO, ..spec };
        let (_, applied) = diff(Some(&config), &wider, false);
        let applied = applied.expect("the age grows");
        assert_eq!(applied.compression, config.compression);
        assert!(applied.subjects.contains(&"extra.>".to_owned()));
    }
}
