use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heliograph_fabric::{
    Burial, CancellationToken, DeadFilter, DeadLetters, Fabric, Fence, Owned, Ownership, OwnershipOptions,
    Record, Stream, WorkError, WorkItem, WorkOptions, WorkReader, subjects,
};
use tokio::sync::mpsc;

use crate::support::{Nats, PATIENCE, Process, connect, envelope, holds, ready, until};

async fn submit(fabric: &Fabric, partition: u16, range: std::ops::Range<u32>) {
    let subject = subjects::outbound("sms", partition, "acme").unwrap();
    for number in range {
        let envelope = envelope(&format!("msg_{partition}_{number}"), &number.to_string());
        fabric.publish(&subject, &envelope, None).await.unwrap();
    }
}

fn number(record: &Record) -> u32 {
    String::from_utf8_lossy(&record.payload).parse().unwrap()
}

async fn next(reader: &mut WorkReader) -> WorkItem {
    tokio::time::timeout(PATIENCE, reader.next()).await.expect("an item in time").unwrap()
}

async fn open(fabric: &Fabric) -> WorkReader {
    WorkReader::open(fabric, "sms", 0, WorkOptions::default()).await.unwrap()
}

/// How many items the broker counts as delivered and not acknowledged, and as not delivered.
async fn outstanding(fabric: &Fabric) -> (usize, u64) {
    let stream = fabric.jetstream().get_stream(Stream::Outbound.name()).await.unwrap();
    let info = stream.consumer_info("egress-sms-0").await.unwrap();
    (info.num_ack_pending, info.num_pending)
}

#[tokio::test(flavor = "multi_thread")]
async fn items_in_hand_stay_in_hand_and_acknowledged_ones_do_not_come_back() {
    let (_nats, fabric) = ready().await;
    submit(&fabric, 0, 0..5).await;
    let options = WorkOptions { ack_wait: Duration::from_millis(400), ..WorkOptions::default() };
    let mut reader = WorkReader::open(&fabric, "sms", 0, options).await.unwrap();
    let first = next(&mut reader).await;
    let mut others = Vec::new();
    for _ in 1..5 {
        others.push(next(&mut reader).await);
    }
    // Acknowledged out of order, over several times the wait.
    while let Some(item) = others.pop() {
        tokio::time::sleep(Duration::from_millis(300)).await;
        item.ack().await.unwrap();
    }
    assert_eq!((number(first.record()), reader.in_hand()), (0, 1));
    assert_eq!(outstanding(&fabric).await, (1, 0));
    first.ack().await.unwrap();
    assert_eq!(outstanding(&fabric).await, (0, 0));
    let more = tokio::time::timeout(Duration::from_secs(1), reader.next()).await;
    assert!(more.is_err(), "nothing was left to deliver");
    reader.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_back_dropped_and_terminated() {
    let (_nats, fabric) = ready().await;
    submit(&fabric, 0, 0..3).await;
    let mut reader = open(&fabric).await;
    next(&mut reader).await.nak(Duration::from_millis(50)).await;
    drop(next(&mut reader).await);
    next(&mut reader).await.term("of no use").await.unwrap();
    let mut again = BTreeMap::new();
    for _ in 0..2 {
        let item = next(&mut reader).await;
        again.insert(number(item.record()), item.delivered());
        item.ack().await.unwrap();
    }
    assert_eq!(again, BTreeMap::from([(0, 2), (1, 2)]));
    assert_eq!(outstanding(&fabric).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_hands_everything_over_in_order() {
    let (_nats, fabric) = ready().await;
    submit(&fabric, 0, 0..600).await;
    let mut reader = open(&fabric).await;
    for expected in 0..10 {
        let item = next(&mut reader).await;
        assert_eq!(number(item.record()), expected);
        if expected < 5 {
            item.ack().await.unwrap();
        } else {
            std::mem::forget(item);
        }
    }
    reader.close().await;
    let mut heir = open(&fabric).await;
    for expected in 5..600 {
        let item = next(&mut heir).await;
        assert_eq!(number(item.record()), expected);
        item.ack().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_owner_had_in_flight_comes_before_what_is_newer() {
    let (nats, fabric) = ready().await;
    submit(&fabric, 0, 0..300).await;
    let url = nats.url();
    let (seen, mut sees) = mpsc::channel(1000);
    let victim = Process::start(async move {
        let fabric = Fabric::connect(heliograph_fabric::Options::new(url, "victim")).await.unwrap();
        let mut reader = open(&fabric).await;
        let mut kept = Vec::new();
        loop {
            let item = next(&mut reader).await;
            seen.send(number(item.record())).await.unwrap();
            // Gaps everywhere: 3, 7, 11, … stay in flight.
            if number(item.record()) % 4 == 3 { kept.push(item) } else { item.ack().await.unwrap() }
        }
    });
    while sees.recv().await.unwrap() < 200 {}
    victim.kill();
    submit(&fabric, 0, 300..320).await;
    let mut heir = open(&fabric).await;
    let mut last = 0;
    let mut got = Vec::new();
    while last < 319 {
        let item = next(&mut heir).await;
        let number = number(item.record());
        assert!(number > last, "{number} after {last}");
        last = number;
        got.push(number);
        item.ack().await.unwrap();
    }
    assert!(
        (3..200).filter(|n| n % 4 == 3).all(|n| got.contains(&n)),
        "everything in flight came back: {got:?}"
    );
    assert_eq!(outstanding(&fabric).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_hangs_with_a_pull_waiting_gets_nothing_behind_the_next_ones_back() {
    let (nats, fabric) = ready().await;
    let url = nats.url();
    let awake = Arc::new(AtomicBool::new(false));
    let (report, hangs) = tokio::sync::oneshot::channel();
    let wake = awake.clone();
    let zombie = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let fabric = Fabric::connect(heliograph_fabric::Options::new(url, "zombie")).await.unwrap();
            let mut reader = open(&fabric).await;
            let item = next(&mut reader).await;
            item.ack().await.unwrap();
            // Its pull request waits at the broker; nothing runs here any more, but the connection stays open.
            report.send(()).unwrap();
            while !wake.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
        });
    });
    submit(&fabric, 0, 0..1).await;
    hangs.await.unwrap();
    let mut heir = open(&fabric).await;
    // Time for the heir to take the partition too early, which is what must not happen.
    tokio::time::sleep(Duration::from_millis(300)).await;
    submit(&fabric, 0, 1..50).await;
    for expected in 1..50 {
        let item = next(&mut heir).await;
        assert_eq!(number(item.record()), expected);
        item.ack().await.unwrap();
    }
    awake.store(true, Ordering::Release);
    tokio::task::spawn_blocking(move || zombie.join().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn order_holds_over_broker_restarts() {
    let (mut nats, fabric) = ready().await;
    let publisher = connect(&nats, "publisher").await;
    let submitting = tokio::spawn(async move { submit(&publisher, 0, 0..1000).await });
    let mut reader = open(&fabric).await;
    let mut last = None;
    for turn in 0..1000 {
        let item = next(&mut reader).await;
        let number = number(item.record());
        assert_eq!(last.map_or(0, |last| last + 1), number);
        last = Some(number);
        // While an item is in hand, its acknowledgement yet to come.
        if turn == 300 || turn == 600 {
            nats.restart();
        }
        item.ack().await.unwrap();
    }
    submitting.await.unwrap();
    assert_eq!(outstanding(&fabric).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_recovers_when_its_consumer_is_gone() {
    let (_nats, fabric) = ready().await;
    submit(&fabric, 0, 0..2).await;
    let mut reader = open(&fabric).await;
    for expected in 0..2 {
        let item = next(&mut reader).await;
        assert_eq!(number(item.record()), expected);
        item.ack().await.unwrap();
    }
    let stream = fabric.jetstream().get_stream(Stream::Outbound.name()).await.unwrap();
    stream.delete_consumer("egress-sms-0").await.unwrap();
    submit(&fabric, 0, 2..4).await;
    // The new consumer begins at the beginning; what we settled is settled again and not seen twice.
    for expected in 2..4 {
        let item = next(&mut reader).await;
        assert_eq!(number(item.record()), expected);
        item.ack().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_stream_and_a_bad_channel_are_errors() {
    let nats = Nats::start().await;
    let fabric = connect(&nats, "test").await;
    let opened = WorkReader::open(&fabric, "sms", 0, WorkOptions::default()).await;
    assert!(matches!(opened, Err(WorkError::NotProvisioned)));
    let opened = WorkReader::open(&fabric, "*", 0, WorkOptions::default()).await;
    assert!(matches!(opened, Err(WorkError::Subject(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_gives_up_on_becomes_a_dead_letter() {
    let (_nats, fabric) = ready().await;
    let stop = CancellationToken::new();
    let (watching, stopped) = (fabric.clone(), stop.clone());
    let watch =
        tokio::spawn(async move { heliograph_fabric::dead::watch_max_deliveries(&watching, stopped).await });
    submit(&fabric, 0, 0..2).await;
    let options = WorkOptions { max_deliver: 2, ..WorkOptions::default() };
    let mut reader = WorkReader::open(&fabric, "sms", 0, options).await.unwrap();
    let mut acked = 0;
    while acked < 1 {
        let item = next(&mut reader).await;
        if number(item.record()) == 0 {
            item.nak(Duration::ZERO).await;
        } else if item.delivered() == 1 {
            item.ack().await.unwrap();
            acked += 1;
        }
    }
    // Number 0 is refused whenever it comes.
    let refusing = tokio::spawn(async move {
        while let Ok(item) = reader.next().await {
            item.nak(Duration::ZERO).await;
        }
    });
    let letters = DeadLetters::new(&fabric);
    let letter = until("the dead letter", || async {
        letters
            .list(&DeadFilter { stage: Some("egress"), ..DeadFilter::default() }, 0, 10)
            .await
            .unwrap()
            .pop()
    })
    .await;
    assert_eq!((letter.reason.as_str(), letter.tries, number(&letter.record)), ("max_deliveries", 2, 0));
    refusing.abort();
    stop.cancel();
    watch.await.unwrap();
}

/// What reached the provider, by conversation.
type Provider = Arc<Mutex<BTreeMap<u32, Vec<u32>>>>;

/// Works on a partition as egress does: lanes per conversation, several at once, the next only after the last is acknowledged.
async fn egress(fabric: Fabric, owned: Owned, provider: Provider) {
    let options = WorkOptions { fence: owned.fence.clone(), ..WorkOptions::default() };
    let mut reader = WorkReader::open(&fabric, "sms", owned.partition, options).await.unwrap();
    let mut lanes: BTreeMap<u32, mpsc::Sender<WorkItem>> = BTreeMap::new();
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let item = tokio::select! {
            item = reader.next() => match item { Ok(item) => item, Err(_) => break },
            () = owned.cancel.cancelled() => break,
        };
        let conversation = number(item.record()) % 20;
        let lane = lanes.entry(conversation).or_insert_with(|| {
            let (sender, items) = mpsc::channel(2000);
            tasks.spawn(work(items, owned.fence.clone(), owned.cancel.clone(), provider.clone()));
            sender
        });
        lane.send(item).await.unwrap();
    }
    lanes.clear();
    while tasks.join_next().await.is_some() {}
    reader.close().await;
}

async fn work(
    mut items: mpsc::Receiver<WorkItem>,
    fence: Fence,
    cancel: CancellationToken,
    provider: Provider,
) {
    while let Some(item) = items.recv().await {
        let number = number(item.record());
        tokio::time::sleep(Duration::from_millis(u64::from(number % 7))).await;
        if cancel.is_cancelled() || fence.check().is_err() {
            return;
        }
        provider.lock().unwrap().entry(number % 20).or_default().push(number);
        if item.ack().await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_keep_their_order_while_owners_die_join_and_leave() {
    let (nats, fabric) = ready().await;
    let provider = Provider::default();
    let start = |name: &'static str| {
        let (url, provider) = (nats.url(), provider.clone());
        let leave = CancellationToken::new();
        let left = leave.clone();
        let process = Process::start(async move {
            let fabric = Fabric::connect(heliograph_fabric::Options::new(url, name)).await.unwrap();
            let working = fabric.clone();
            let handle =
                Ownership::run(&fabric, "egress.sms", 4, name, OwnershipOptions::default(), move |owned| {
                    egress(working.clone(), owned, provider.clone())
                });
            left.cancelled().await;
            handle.shutdown().await;
        });
        (process, leave)
    };
    let total = 1600_u32;
    let publisher = fabric.clone();
    let submitting = tokio::spawn(async move {
        for number in 0..total {
            let partition = u16::try_from(number % 20 % 4).unwrap();
            let subject = subjects::outbound("sms", partition, "acme").unwrap();
            let envelope = envelope(&format!("msg_{number}"), &number.to_string());
            publisher.publish(&subject, &envelope, None).await.unwrap();
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    });
    let delivered = |count: usize| {
        let provider = provider.clone();
        async move {
            holds("deliveries", || provider.lock().unwrap().values().map(Vec::len).sum::<usize>() >= count)
                .await;
        }
    };
    let (first, _) = start("first");
    let (_second, leave) = start("second");
    delivered(200).await;
    first.kill();
    delivered(500).await;
    let (_third, _) = start("third");
    delivered(900).await;
    leave.cancel();
    submitting.await.unwrap();
    let complete = |provider: &Provider| {
        let delivered = provider.lock().unwrap();
        let mut numbers: Vec<u32> = delivered.values().flatten().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len() == total as usize
    };
    holds("everything is delivered", || complete(&provider)).await;
    let delivered = provider.lock().unwrap();
    let doubled = delivered.values().map(Vec::len).sum::<usize>() - total as usize;
    for (conversation, numbers) in delivered.iter() {
        assert!(numbers.is_sorted(), "conversation {conversation}: {numbers:?}");
    }
    // Only what was between delivery and acknowledgement when the first was killed may be doubled: one item a lane.
    assert!(doubled <= 20, "{doubled} items were delivered twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn burying_and_terminating_moves_poison_out_of_the_way() {
    let (_nats, fabric) = ready().await;
    submit(&fabric, 0, 0..1).await;
    let mut reader = open(&fabric).await;
    let item = next(&mut reader).await;
    let burial = Burial {
        stage: "egress",
        reason: "unreadable",
        error: "no such thing".to_owned(),
        tries: item.delivered(),
    };
    DeadLetters::new(&fabric).bury(item.record(), &burial, None).await.unwrap();
    item.term("buried").await.unwrap();
    assert_eq!(outstanding(&fabric).await, (0, 0));
}
