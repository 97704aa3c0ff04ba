use std::collections::BTreeMap;

use heliograph_store::tally::{Counted, HourTally, Tally, TallyKey, TallyKind};

use crate::support::{connect, nats};

fn key(region: &str, kind: TallyKind) -> TallyKey {
    let (region, country, channel) = (region.to_owned(), "DE".to_owned(), "sms".to_owned());
    TallyKey { region, country, channel, kind }
}

/// A stream of events: places from 1, each in one of three hours; every fifth counts as two things.
fn stream(length: u64) -> Vec<(i64, Counted)> {
    let mut events = Vec::new();
    for seq in 1..=length {
        let hour = 500_000 + i64::try_from(seq % 3).unwrap();
        let region = if seq % 2 == 0 { "north" } else { "south" };
        events.push((hour, Counted { seq, key: key(region, TallyKind::Received) }));
        if seq % 5 == 0 {
            events.push((hour, Counted { seq, key: key(region, TallyKind::DeniedInbound) }));
        }
    }
    events
}

/// What counting them once comes to.
fn expected(events: &[(i64, Counted)]) -> Vec<HourTally> {
    let mut hours: BTreeMap<i64, BTreeMap<TallyKey, u64>> = BTreeMap::new();
    for (hour, event) in events {
        *hours.entry(*hour).or_default().entry(event.key.clone()).or_default() += 1;
    }
    hours.into_iter().map(|(hour, counts)| HourTally { hour, counts }).collect()
}

/// Counts a batch as a projector does, and dies before the hour number `dies`.
async fn project(tally: &Tally, batch: &[(i64, Counted)], dies: usize) -> bool {
    let mut hours: BTreeMap<i64, Vec<Counted>> = BTreeMap::new();
    for (hour, event) in batch {
        hours.entry(*hour).or_default().push(event.clone());
    }
    for (done, (hour, events)) in hours.iter().enumerate() {
        if done == dies {
            return false;
        }
        tally.add("acme", *hour, events).await.unwrap();
    }
    tally.set_progress(batch.last().unwrap().1.seq).await.unwrap();
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_counts_once_wherever_a_projector_dies() {
    let nats = nats().await;
    let tally = Tally::open(&nats.context).await.unwrap();
    assert_eq!(tally.progress().await.unwrap(), 0);
    let events = stream(200);
    // Batches of other lengths after each restart, dying after none, one or two of the three hours.
    let (mut length, mut dies) = (7_u64, 0_usize);
    loop {
        let from = tally.progress().await.unwrap();
        let batch: Vec<_> = events
            .iter()
            .filter(|(_, event)| event.seq > from && event.seq <= from + length)
            .cloned()
            .collect();
        if batch.is_empty() {
            break;
        }
        let finished = project(&tally, &batch, dies % 4).await;
        if !finished {
            length += 11;
        }
        dies += 1;
    }
    assert_eq!(tally.read("acme", 499_990, 500_010).await.unwrap(), expected(&events));
    assert_eq!(tally.read("acme2", 499_990, 500_010).await.unwrap(), []);
    // Everything from the start once more, as after a lost place.
    project(&tally, &events, usize::MAX).await;
    assert_eq!(tally.read("acme", 500_000, 500_002).await.unwrap(), expected(&events));
    let second = expected(&events).swap_remove(1);
    assert_eq!(tally.read("acme", 500_001, 500_001).await.unwrap(), [second]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_projectors_for_a_moment_count_no_event_twice() {
    let nats = nats().await;
    let events = stream(100);
    let racers = [10_usize, 17, 23].map(|length| {
        let (server, events) = (&nats.server, &events);
        async move {
            let tally = Tally::open(&connect(server).await).await.unwrap();
            for batch in events.chunks(length) {
                // A batch ends between events, never within one.
                let whole = events.iter().filter(|(_, event)| {
                    event.seq >= batch[0].1.seq && event.seq <= batch.last().unwrap().1.seq
                });
                project(&tally, &whole.cloned().collect::<Vec<_>>(), usize::MAX).await;
            }
        }
    });
    futures::future::join_all(racers).await;
    let tally = Tally::open(&nats.context).await.unwrap();
    assert_eq!(tally.read("acme", 500_000, 500_002).await.unwrap(), expected(&events));
    assert_eq!(tally.progress().await.unwrap(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_a_great_policy_fits_into_a_message() {
    let nats = nats().await;
    let tally = Tally::open(&nats.context).await.unwrap();
    let mut events = Vec::new();
    for region in 0..500 {
        for channel in ["sms", "whatsapp", "webchat", "email", "wechat"] {
            for kind in TallyKind::ALL {
                let region = format!("some-region-with-a-name-{region}");
                let (country, channel) = ("DE".to_owned(), channel.to_owned());
                events.push(Counted { seq: 1, key: TallyKey { region, country, channel, kind } });
            }
        }
    }
    tally.add("acme", 1, &events).await.unwrap();
    let read = tally.read("acme", 0, 2).await.unwrap();
    assert_eq!((read.len(), read[0].counts.len()), (1, events.len()));
}
