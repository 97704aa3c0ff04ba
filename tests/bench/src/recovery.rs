//! A large centre after `kill -9`: how long until its partition is served again, and what a failover costs whoever writes
//! meanwhile.
//!
//! Recovery restores a snapshot and a tail of the log behind it. Beside it stands what nothing can go below: the same
//! bytes read from the same store and walked through, and the same tail read and not looked at.

mod centre;
mod heard;

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, ensure};
use heliograph_fabric::{Broker as _, Cursor, RangeReader, Stream, subjects, subjects::Bucket};
use heliograph_store::{
    objects::{Objects, ObjectsConfig},
    snapshots::{BUCKET, SnapshotStore},
};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    fleet::Service,
    ground::Ground,
    recovery::{
        centre::{Centre, Size},
        heard::Heard,
    },
    report::{Report, Row, Target},
    stats::median,
};

/// The group of the routers' members, as keys in HG_LEASES and HG_CURSORS have it.
const GROUP: &str = "router.routing";
/// How long anything may take before the bench gives up.
const PATIENCE: Duration = Duration::from_mins(3);
/// How long members that joined may take to agree on who owns what.
const SETTLE: Duration = Duration::from_secs(5);
/// Messages a second during a failover. Each is a decision.
const RATE: u64 = 1_000;

/// See the module.
pub(crate) async fn measure(
    ground: &Ground,
    quick: bool,
    out: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let size = if quick {
        Size { agents: 200, skills: 50, kinds: 200, waiting: 2_000, tail: 500 }
    } else {
        Size { agents: 10_000, skills: 200, kinds: 2_000, waiting: 100_000, tail: 5_000 }
    };
    let rounds = if quick { 1 } else { 5 };
    let mut bench = Bench::set_up(ground, size, out).await?;
    let mut recoveries = Vec::new();
    for _ in 0..rounds {
        let limit = bench.limit().await?;
        let took = bench.recover().await?;
        eprintln!("recovery: {took:?}, raw {limit:?}");
        recoveries.push((took, limit));
    }
    let failovers = bench.fail_over(rounds.min(3), if quick { 3 } else { 6 }).await?;
    rows(size, &recoveries, &failovers, report);
    report.detail(
        "recovery",
        json!({
            "agents": size.agents, "skills": size.skills, "kinds": size.kinds, "waiting": size.waiting, "tail": size.tail,
            "snapshot_bytes": bench.snapshot_bytes,
            "recoveries": recoveries.iter().map(|(took, limit)| json!({
                "ours": took.detail(), "raw_ms": limit.detail(),
            })).collect::<Vec<_>>(),
            "failovers": failovers.iter().map(|it| json!({
                "first_ms": millis(it.first), "level_ms": millis(it.level), "sent": it.sent,
            })).collect::<Vec<_>>(),
        }),
    );
    Ok(())
}

/// A part of a restore: its name, and what it took us and the raw limit.
type Phase = (&'static str, fn(&Took) -> Duration, fn(&Limit) -> Duration);

fn rows(size: Size, recoveries: &[(Took, Limit)], failovers: &[Failover], report: &mut Report) {
    let Size { agents, waiting, tail, .. } = size;
    let middle = |of: &dyn Fn(&(Took, Limit)) -> Duration| {
        median(&recoveries.iter().map(|one| of(one).as_secs_f64()).collect::<Vec<_>>())
    };
    let limit = middle(&|(_, limit)| limit.reading + limit.walking + limit.tail);
    let restored = middle(&|(took, _)| took.restoring());
    let mut row = |what: String, unit, ours, beside: Option<f64>, target| {
        let ratio = None;
        report.row(Row { part: "recovery", what, unit, ours, beside, ratio, target });
    };
    let centre = format!("{waiting} wait, {agents} agents");
    row(format!("restored after kill -9: {centre}"), "s", restored, Some(limit), Target::AtMost(2.0));
    let phases: [Phase; 3] = [
        ("the snapshot read", |it| it.reading, |it| it.reading),
        ("the snapshot decoded", |it| it.decoding, |it| it.walking),
        ("the tail, and its first decision stored", |it| it.replaying, |it| it.tail),
    ];
    for (what, ours, raw) in phases {
        let what = if what.starts_with("the tail") {
            format!("… {tail} entries of {what}")
        } else {
            format!("… {what}")
        };
        row(what, "s", middle(&|(took, _)| ours(took)), Some(middle(&|(_, limit)| raw(limit))), Target::None);
    }
    row("from the process's start".to_owned(), "s", middle(&|(took, _)| took.total), None, Target::None);
    row(
        "… until the dead owner's lease is over".to_owned(),
        "s",
        middle(&|(took, _)| took.acquired),
        None,
        Target::None,
    );
    let worst =
        |of: fn(&Failover) -> Duration| failovers.iter().map(|one| of(one).as_secs_f64()).fold(0.0, f64::max);
    row(format!("failover at {RATE}/s: to the next decision"), "s", worst(|it| it.first), None, Target::None);
    row(
        format!("failover at {RATE}/s: until nothing is behind"),
        "s",
        worst(|it| it.level),
        None,
        Target::None,
    );
    let wrong: u64 = failovers.iter().map(|one| one.wrong).sum();
    row("lost, doubled or out of order".to_owned(), "", wrong as f64, None, Target::AtMost(0.0));
}

/// What a recovery took.
#[derive(Debug)]
struct Took {
    /// From the process's start to the next decision on the public stream.
    total: Duration,
    /// From its start until it had the partition.
    acquired: Duration,
    reading: Duration,
    decoding: Duration,
    /// Everything behind that: cursors, the tail, publishing.
    replaying: Duration,
}

impl Took {
    fn restoring(&self) -> Duration {
        self.total.saturating_sub(self.acquired)
    }

    fn detail(&self) -> Value {
        json!({
            "total_ms": millis(self.total), "acquired_ms": millis(self.acquired), "reading_ms": millis(self.reading),
            "decoding_ms": millis(self.decoding), "replaying_ms": millis(self.replaying),
        })
    }
}

/// What nothing that restores can go below.
#[derive(Debug)]
struct Limit {
    reading: Duration,
    walking: Duration,
    tail: Duration,
}

impl Limit {
    fn detail(&self) -> [f64; 3] {
        [self.reading, self.walking, self.tail].map(millis)
    }
}

/// What became of what was written around a failover.
#[derive(Debug)]
pub(crate) struct Failover {
    /// From the kill to the first decision behind it.
    first: Duration,
    /// From the kill until decisions followed within a tenth of a second again.
    level: Duration,
    sent: u64,
    wrong: u64,
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The centre, and what is needed to kill its routers.
struct Bench<'a> {
    ground: &'a Ground,
    out: &'a Path,
    centre: Centre<'a>,
    heard: Heard,
    snapshot_bytes: usize,
    /// Where the snapshot stands.
    position: u64,
}

impl<'a> Bench<'a> {
    /// Fills the centre, and leaves a snapshot and a tail of the log behind it, and no router.
    async fn set_up(ground: &'a Ground, size: Size, out: &'a Path) -> anyhow::Result<Self> {
        let centre = Centre::declare(ground, size).await?;
        let heard = Heard::follow(ground).await?;
        let mut bench = Self { ground, out, centre, heard, snapshot_bytes: 0, position: 0 };
        let mut first = bench.router("one", false).await?;
        bench.emitted(1).await.context("nobody applied the configuration")?;
        let begun = Instant::now();
        let last = bench.centre.fill().await?;
        bench.emitted(last).await?;
        eprintln!("recovery: the centre is full after {:.0} s", begun.elapsed().as_secs_f64());
        // Stopped in order, it leaves a snapshot where it ends.
        first.stop().await?;
        let snapshots = bench.snapshots().await?;
        let key = format!("routing-{}", bench.centre.partition);
        let snapshot = snapshots.latest(&key).await?.context("the router left no snapshot")?;
        (bench.snapshot_bytes, bench.position) = (snapshot.state.len(), snapshot.position);
        ensure!(bench.position >= last, "the snapshot stands at {}, not at {last}", bench.position);
        eprintln!("recovery: a snapshot of {:.1} MiB", snapshot.state.len() as f64 / 1_048_576.0);
        let mut second = bench.router("two", true).await?;
        let last = bench.centre.tail().await?;
        bench.emitted(last).await?;
        second.kill().await?;
        Ok(bench)
    }

    async fn snapshots(&self) -> anyhow::Result<SnapshotStore> {
        let objects = Objects::open(&ObjectsConfig::Nats, self.ground.fabric.jetstream(), BUCKET).await?;
        Ok(SnapshotStore::new(objects, 3))
    }

    /// Starts a router; one that `keeps` its snapshots takes no new one.
    async fn router(&self, member: &str, keeps: bool) -> anyhow::Result<Service> {
        let setting = |name: &str, value: &str| (format!("HELIOGRAPH__ROUTER__{name}"), value.to_owned());
        let mut environment = vec![
            setting("MEMBER", member),
            ("HELIOGRAPH__SHUTDOWN__DRAIN_SECONDS".to_owned(), "0".to_owned()),
        ];
        if keeps {
            environment.push(setting("ASSIGNMENT__SNAPSHOT_EVERY", "24h"));
            environment.push(setting("ASSIGNMENT__SNAPSHOT_ENTRIES", "1000000000"));
        }
        Service::start_as(
            "router",
            &format!("router-{member}"),
            &self.ground.addresses(),
            &environment,
            self.out,
        )
        .await
    }

    /// Waits until everything up to this entry is decided and stored.
    async fn emitted(&self, sequence: u64) -> anyhow::Result<()> {
        let begun = Instant::now();
        while Cursor::peek(&self.ground.fabric, GROUP, self.centre.partition).await? < sequence {
            ensure!(begun.elapsed() < PATIENCE, "entry {sequence} is not worked off after {PATIENCE:?}");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Starts a router, kills it once it serves the partition, and says what took how long.
    async fn recover(&mut self) -> anyhow::Result<Took> {
        let (probe, _) = self.centre.write().await?;
        let (begun, at) = (Instant::now(), SystemTime::now());
        let mut router = self.router("again", true).await?;
        let (total, _) = self.heard.first(probe, PATIENCE).await?;
        let log = router.log()?;
        router.kill().await?;
        let line = |message: &str| {
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut lines = lines.filter(|line| line["message"] == message);
            let found = lines.find(|line| line["partition"] == self.centre.partition);
            found.with_context(|| format!("the router's log does not say {message:?}"))
        };
        let (snapshot, restored) = (line("snapshot restored, times in ms")?, line("partition restored")?);
        let number =
            |line: &Value, field: &str| Duration::from_millis(line[field].as_u64().unwrap_or_default());
        let said: jiff::Timestamp = restored["timestamp"].as_str().unwrap_or_default().parse()?;
        let since = SystemTime::from(said).duration_since(at)?;
        let acquired = since.saturating_sub(number(&restored, "millis"));
        let (reading, decoding) = (number(&snapshot, "reading"), number(&snapshot, "decoding"));
        let total = total - begun;
        let replaying = total.saturating_sub(acquired + reading + decoding);
        Ok(Took { total, acquired, reading, decoding, replaying })
    }

    /// Reads what a recovery reads, and makes nothing of it.
    async fn limit(&self) -> anyhow::Result<Limit> {
        let snapshots = self.snapshots().await?;
        let begun = Instant::now();
        let key = format!("routing-{}", self.centre.partition);
        let found = snapshots.latest(&key).await?.context("the snapshot is gone")?;
        let reading = begun.elapsed();
        let begun = Instant::now();
        let _: IgnoredAny = rmp_serde::from_slice(&found.state)?;
        let walking = begun.elapsed();
        let begun = Instant::now();
        let filter = subjects::routing_partition(self.centre.partition);
        let mut range =
            RangeReader::open(&self.ground.fabric, Stream::Routing, [filter], self.position).await?;
        let mut bytes = 0;
        while let Some(record) = range.next().await? {
            bytes += record.payload.len();
        }
        ensure!(bytes > 0, "there is no tail behind {}", self.position);
        Ok(Limit { reading, walking, tail: begun.elapsed() })
    }

    /// Kills the owner of two routers again and again, `seconds` after customers begin to write.
    async fn fail_over(&mut self, rounds: usize, seconds: u64) -> anyhow::Result<Vec<Failover>> {
        let mut routers =
            [("left", self.router("left", false).await?), ("right", self.router("right", false).await?)];
        let mut failovers = Vec::new();
        for _ in 0..rounds {
            sleep(SETTLE).await;
            let (probe, _) = self.centre.write().await?;
            self.heard.first(probe, PATIENCE).await?;
            let owner = self.owner().await?;
            let owner = usize::from(owner.starts_with("right"));
            let one = self.storm(&mut routers[owner].1, seconds).await?;
            eprintln!("recovery: {one:?}");
            ensure!(one.wrong == 0, "{} messages were lost, doubled or out of order", one.wrong);
            failovers.push(one);
            routers[owner].1 = self.router(routers[owner].0, false).await?;
        }
        Ok(failovers)
    }

    /// The session that holds the partition.
    async fn owner(&self) -> anyhow::Result<String> {
        let key = format!("lease.{GROUP}.{}", self.centre.partition);
        let found = self.ground.fabric.read_key(Bucket::Leases, &key).await?;
        let lease: Value = serde_json::from_slice(&found.value.context("nobody holds the partition")?)?;
        Ok(lease["holder"].as_str().unwrap_or_default().to_owned())
    }

    /// Customers write at [`RATE`]; the owner is killed amid that.
    async fn storm(&mut self, owner: &mut Service, seconds: u64) -> anyhow::Result<Failover> {
        let mut ticks = interval(Duration::from_millis(10));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut sent = Vec::new();
        let mut killed = None;
        for tick in 0..3 * seconds * 100 {
            ticks.tick().await;
            if tick == seconds * 100 {
                owner.kill().await?;
                killed = Some(Instant::now());
            }
            sent.extend(self.centre.write_some(RATE / 100));
        }
        let killed = killed.context("the owner was killed")?;
        let mut written = Vec::with_capacity(sent.len());
        for one in sent {
            written.push(one.await??);
        }
        for one in &written {
            self.heard.first(one.number, PATIENCE).await?;
        }
        // What would come twice comes behind this.
        let (probe, last) = self.centre.write().await?;
        self.heard.first(probe, PATIENCE).await?;
        self.emitted(last).await?;
        Ok(self.heard.compare(&written, killed))
    }
}
