use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heliograph_domain::ids;
use heliograph_fabric::{
    Cursor, Envelope, Fabric, LogReader, Owned, Ownership, OwnershipHandle, OwnershipOptions, Sequencer,
    SequencerOptions, Start, Stream, subjects,
};
use tokio::sync::watch;

use crate::support::{PATIENCE, Process, connect, envelope, holds, ready};

const GROUP: &str = "router.inbound";

/// Who works on what at this moment; two at a time on one partition is the failure these tests look for.
#[derive(Clone, Default)]
struct Floor(Arc<Mutex<BTreeMap<u16, (String, u64)>>>);

struct Working(Floor, u16);

impl Floor {
    fn enter(&self, member: &str, owned: &Owned) -> Working {
        let epoch = owned.epoch;
        let before = self.0.lock().unwrap().insert(owned.partition, (member.to_owned(), epoch));
        assert!(
            before.is_none(),
            "partition {} has two owners: {before:?} and {member} {epoch}",
            owned.partition
        );
        Working(self.clone(), owned.partition)
    }

    fn by(&self, member: &str) -> BTreeSet<u16> {
        let held = self.0.lock().unwrap();
        held.iter().filter(|(_, (holder, _))| holder == member).map(|(partition, _)| *partition).collect()
    }

    fn epochs(&self) -> BTreeMap<u16, u64> {
        self.0.lock().unwrap().iter().map(|(partition, (_, epoch))| (*partition, *epoch)).collect()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().remove(&self.1);
    }
}

fn join(fabric: &Fabric, floor: &Floor, member: &'static str) -> OwnershipHandle {
    let floor = floor.clone();
    Ownership::run(fabric, GROUP, 16, member, OwnershipOptions::default(), move |owned| {
        let floor = floor.clone();
        async move {
            let _working = floor.enter(member, &owned);
            assert!(owned.fence.check().is_ok());
            owned.cancel.cancelled().await;
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn members_share_join_and_leave() {
    let (_nats, fabric) = ready().await;
    let floor = Floor::default();
    let a = join(&fabric, &floor, "a");
    holds("a has all", || floor.by("a").len() == 16).await;
    let b = join(&fabric, &floor, "b");
    holds("a and b share", || floor.by("a").len() == 8 && floor.by("b").len() == 8).await;
    let c = join(&fabric, &floor, "c");
    holds("all three share", || {
        let shares = ["a", "b", "c"].map(|member| floor.by(member).len());
        shares.iter().sum::<usize>() == 16 && shares.iter().all(|share| (4..=6).contains(share))
    })
    .await;
    assert_eq!(*c.owned().borrow(), floor.by("c"));
    let before = floor.epochs();
    // A member that leaves in order is not waited for.
    b.shutdown().await;
    assert!(floor.by("b").is_empty());
    holds("a and c take over", || floor.by("a").len() == 8 && floor.by("c").len() == 8).await;
    for (partition, epoch) in floor.epochs() {
        assert!(epoch >= before[&partition], "epochs only grow");
    }
    a.shutdown().await;
    c.shutdown().await;
    assert!(floor.epochs().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_members_partitions_are_taken_over() {
    let (nats, fabric) = ready().await;
    let floor = Floor::default();
    let url = nats.url();
    let theirs = floor.clone();
    let process = Process::start(async move {
        let fabric = Fabric::connect(heliograph_fabric::Options::new(url, "victim")).await.unwrap();
        let _handle = join(&fabric, &theirs, "victim");
        std::future::pending::<()>().await;
    });
    holds("the victim has all", || floor.by("victim").len() == 16).await;
    let _heir = join(&fabric, &floor, "heir");
    holds("they share", || floor.by("heir").len() == 8).await;
    process.kill();
    holds("the heir has all", || floor.by("heir").len() == 16).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_hangs_finds_its_fence_fallen_when_it_wakes() {
    let (nats, fabric) = ready().await;
    let url = nats.url();
    let (owns, mut owned) = watch::channel(0);
    let heir_epoch = Arc::new(AtomicU64::new(0));
    let taken = heir_epoch.clone();
    // One thread, so that blocking it stops heartbeats and tasks alike, as SIGSTOP or a long pause would.
    let zombie = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let fabric = Fabric::connect(heliograph_fabric::Options::new(url, "zombie")).await.unwrap();
            let (sender, mut fences) = tokio::sync::mpsc::channel(4);
            let _handle =
                Ownership::run(&fabric, GROUP, 1, "zombie", OwnershipOptions::default(), move |owned| {
                    sender.try_send(owned.fence.clone()).unwrap();
                    async move { owned.cancel.cancelled().await }
                });
            let fence = fences.recv().await.unwrap();
            assert!(fence.check().is_ok());
            owns.send_replace(fence.epoch());
            let deadline = std::time::Instant::now() + PATIENCE;
            while taken.load(Ordering::Acquire) == 0 {
                assert!(std::time::Instant::now() < deadline, "nobody takes over");
                std::thread::yield_now();
            }
            assert!(fence.check().is_err(), "somebody else owns the partition and we do not know");
        });
    });
    let epoch = *owned.wait_for(|epoch| *epoch > 0).await.unwrap();
    let heir = heir_epoch.clone();
    let _heir = Ownership::run(&fabric, GROUP, 1, "heir", OwnershipOptions::default(), move |owned| {
        heir.store(owned.epoch, Ordering::Release);
        async move { owned.cancel.cancelled().await }
    });
    tokio::task::spawn_blocking(move || zombie.join().unwrap()).await.unwrap();
    assert!(heir_epoch.load(Ordering::Acquire) > epoch);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_hangs_or_restarts_ends_ownership_in_time_and_it_comes_back() {
    let (mut nats, fabric) = ready().await;
    let floor = Floor::default();
    let _a = join(&fabric, &floor, "a");
    let other = connect(&nats, "other").await;
    let _b = join(&other, &floor, "b");
    holds("they share", || floor.by("a").len() == 8 && floor.by("b").len() == 8).await;
    let before = floor.epochs();
    nats.freeze().await;
    holds("both stop by their own clock", || floor.epochs().is_empty()).await;
    nats.thaw();
    holds("they share again", || floor.by("a").len() == 8 && floor.by("b").len() == 8).await;
    assert!(floor.epochs().iter().all(|(partition, epoch)| *epoch > before[partition]));
    nats.kill();
    holds("both stop by their own clock", || floor.epochs().is_empty()).await;
    nats.revive();
    holds("they share once more", || floor.by("a").len() == 8 && floor.by("b").len() == 8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_ends_or_panics_is_started_again() {
    let (_nats, fabric) = ready().await;
    let epochs = Arc::new(Mutex::new(Vec::new()));
    let seen = epochs.clone();
    let handle = Ownership::run(&fabric, GROUP, 1, "a", OwnershipOptions::default(), move |owned| {
        let turn = {
            let mut seen = seen.lock().unwrap();
            seen.push(owned.epoch);
            seen.len()
        };
        async move {
            assert!(turn != 2, "the second turn panics");
            if turn > 2 {
                owned.cancel.cancelled().await;
            }
        }
    });
    holds("a third turn", || epochs.lock().unwrap().len() == 3).await;
    handle.shutdown().await;
    assert!(epochs.lock().unwrap().is_sorted_by(|a, b| a < b));
}

/// Reads its partition as a log and publishes one effect for each entry, as the router does.
async fn relay(fabric: Fabric, owned: Owned) {
    let Ok(mut cursor) = Cursor::claim(&fabric, GROUP, owned.partition, owned.epoch).await else { return };
    let filter = [subjects::inbound_partition(owned.partition)];
    let mut reader =
        LogReader::open(&fabric, Stream::Inbound, filter, Start::After(cursor.seq())).await.unwrap();
    let sequencer = Sequencer::new(
        &fabric,
        SequencerOptions { fence: Some(owned.fence.clone()), ..SequencerOptions::default() },
    );
    loop {
        let record = tokio::select! {
            record = reader.next() => record.unwrap(),
            () = owned.cancel.cancelled() => return,
        };
        let cause = record.envelope().unwrap();
        let conversation = format!("cnv_{}", owned.partition);
        let subject = subjects::event("acme", "", "sms", &conversation, "message.received").unwrap();
        let effect = Envelope::new(
            ids::derive(ids::EVENT, &[&cause.id]),
            "message.received",
            "test",
            0,
            cause.payload,
        );
        let stored = sequencer.publish(conversation, subject, effect, None);
        let stored = tokio::select! {
            stored = stored => stored,
            () = owned.cancel.cancelled() => return,
        };
        if stored.is_err() || (record.seq % 8 == 0 && cursor.store(record.seq, PATIENCE).await.is_err()) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_relayed_in_order_and_once_though_owners_die_and_the_broker_restarts() {
    let (mut nats, fabric) = ready().await;
    let start = |name: &'static str| {
        let url = nats.url();
        Process::start(async move {
            let fabric = Fabric::connect(heliograph_fabric::Options::new(url, name)).await.unwrap();
            let relaying = fabric.clone();
            let _handle =
                Ownership::run(&fabric, GROUP, 4, name, OwnershipOptions::default(), move |owned| {
                    relay(relaying.clone(), owned)
                });
            std::future::pending::<()>().await;
        })
    };
    let (first, _second) = (start("first"), start("second"));
    let publisher = fabric.clone();
    let publishing = tokio::spawn(async move {
        for number in 0..1200_u32 {
            let partition = u16::try_from(number % 4).unwrap();
            let subject = subjects::inbound(partition, "acme", "sms").unwrap();
            publisher
                .publish(&subject, &envelope(&format!("evt_{number}"), &number.to_string()), None)
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
    });
    let relayed = |count: u64| {
        let fabric = fabric.clone();
        async move {
            crate::support::until("effects", || async {
                fabric.last_sequence(Stream::Events).await.ok().filter(|last| *last >= count)
            })
            .await
        }
    };
    relayed(100).await;
    first.kill();
    relayed(400).await;
    let _third = start("third");
    relayed(600).await;
    nats.restart();
    relayed(1200).await;
    publishing.await.unwrap();
    for partition in 0..4_u32 {
        let filter = format!("hg.event.acme.*.*.cnv_{partition}.>");
        let records = fabric.read_subject(Stream::Events, &filter).await.unwrap();
        let numbers: Vec<u32> =
            records.iter().map(|record| String::from_utf8_lossy(&record.payload).parse().unwrap()).collect();
        assert_eq!(numbers, (0..1200).filter(|number| number % 4 == partition).collect::<Vec<_>>());
    }
}
