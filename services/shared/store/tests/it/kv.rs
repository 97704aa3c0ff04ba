use std::collections::BTreeMap;

use heliograph_store::kv::{Change, KvBucket, KvError};
use heliograph_store::watch::{BucketWatch, WatchEvent};

use crate::support::{connect, eventually, nats, within};

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_racers_creates_and_updates_are_fenced() {
    let nats = nats().await;
    let bucket = KvBucket::open(&nats.context, "HG_CONSENT").await.unwrap();
    let racers = (0..50_u32).map(|n| {
        let bucket = bucket.clone();
        async move { bucket.create("acme.race", &n).await }
    });
    let results = futures::future::join_all(racers).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .all(|e| matches!(e, KvError::Exists { .. }))
    );

    let found = bucket.get_latest::<u32>("acme.race").await.unwrap().unwrap();
    let next = bucket.update("acme.race", &100_u32, found.revision).await.unwrap();
    assert!(matches!(
        bucket.update("acme.race", &101_u32, found.revision).await,
        Err(KvError::Conflict { .. })
    ));
    assert!(matches!(bucket.delete("acme.race", Some(found.revision)).await, Err(KvError::Conflict { .. })));
    bucket.delete("acme.race", Some(next)).await.unwrap();
    assert!(bucket.get::<u32>("acme.race").await.unwrap().is_none());
    // What was deleted can be created again, by one.
    assert!(bucket.create("acme.race", &7_u32).await.unwrap() > next);
    assert!(matches!(bucket.create("acme.race", &8_u32).await, Err(KvError::Exists { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_are_all_made() {
    let nats = nats().await;
    let bucket = KvBucket::open(&nats.context, "HG_CONSENT").await.unwrap();
    let changes = (0..20).map(|_| {
        let bucket = bucket.clone();
        async move {
            bucket
                .modify("acme.sum", |sum: Option<u32>| {
                    let sum = sum.unwrap_or(0) + 1;
                    Change::Write(sum, sum)
                })
                .await
        }
    });
    for result in futures::future::join_all(changes).await {
        result.unwrap();
    }
    assert_eq!(bucket.get_latest::<u32>("acme.sum").await.unwrap().unwrap().value, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_lists_stay_under_their_prefix() {
    let nats = nats().await;
    let bucket = KvBucket::open(&nats.context, "HG_CONSENT").await.unwrap();
    for key in ["acme.a.one", "acme.a.two", "acme.b.one", "acme2.a.one"] {
        bucket.put(key, key).await.unwrap();
    }
    bucket.delete("acme.a.two", None).await.unwrap();
    let mut keys = bucket.keys("acme.").await.unwrap();
    keys.sort();
    assert_eq!(keys, ["acme.a.one", "acme.b.one"]);
    let listed = bucket.list::<String>("acme.a.").await.unwrap();
    assert_eq!(listed.iter().map(|(_, found)| found.value.as_str()).collect::<Vec<_>>(), ["acme.a.one"]);
    assert!(bucket.keys("nobody.").await.unwrap().is_empty());
}

/// What a receiver of a watch knows, and that it is never told nonsense.
struct Mirror {
    watch: BucketWatch,
    values: BTreeMap<String, u32>,
}

impl Mirror {
    async fn until(&mut self, wanted: &BTreeMap<String, u32>) {
        within("the watch shows what stands in the bucket", async {
            while self.values != *wanted {
                match self.watch.next().await.expect("a watch does not end") {
                    WatchEvent::Put { key, value, .. } => {
                        self.values.insert(key, serde_json::from_slice(&value).unwrap());
                    }
                    WatchEvent::Removed { key } => {
                        assert!(self.values.remove(&key).is_some(), "{key} was never reported");
                    }
                    WatchEvent::Current => {}
                }
            }
        })
        .await;
    }
}

fn map(entries: &[(&str, u32)]) -> BTreeMap<String, u32> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_survives_restarts_and_misses_nothing() {
    let mut nats = nats().await;
    let bucket = KvBucket::open(&nats.context, "HG_CONSENT").await.unwrap();
    let mut mirror = Mirror { watch: BucketWatch::start(bucket.clone()), values: BTreeMap::new() };
    // An empty bucket is current at once.
    assert_eq!(within("current", mirror.watch.next()).await, Some(WatchEvent::Current));
    bucket.put("acme.a", &1_u32).await.unwrap();
    bucket.put("acme.b", &1_u32).await.unwrap();
    mirror.until(&map(&[("acme.a", 1), ("acme.b", 1)])).await;

    for round in 2..5_u32 {
        nats.server.kill9();
        nats.server.restart().await.unwrap();
        // Another connection writes as soon as it can, most likely before the watch is back.
        let context = connect(&nats.server).await;
        let other = KvBucket::open(&context, "HG_CONSENT").await.unwrap();
        eventually("the broker takes writes again", || async { other.put("acme.a", &round).await.is_ok() })
            .await;
        other.delete("acme.b", None).await.unwrap();
        let fresh = format!("acme.n{round}");
        other.put(&fresh, &round).await.unwrap();
        let mut wanted = mirror.values.clone();
        wanted.insert("acme.a".to_owned(), round);
        wanted.remove("acme.b");
        wanted.insert(fresh, round);
        mirror.until(&wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_follows_a_bucket_that_was_made_anew() {
    let nats = nats().await;
    let bucket = KvBucket::open(&nats.context, "HG_CONSENT").await.unwrap();
    for n in 0..5_u32 {
        bucket.put("acme.a", &n).await.unwrap();
    }
    bucket.put("acme.gone", &1_u32).await.unwrap();
    let mut mirror = Mirror { watch: BucketWatch::start(bucket.clone()), values: BTreeMap::new() };
    mirror.until(&map(&[("acme.a", 4), ("acme.gone", 1)])).await;

    nats.context.delete_key_value("HG_CONSENT").await.unwrap();
    let config = async_nats::jetstream::kv::Config {
        bucket: "HG_CONSENT".to_owned(),
        ..async_nats::jetstream::kv::Config::default()
    };
    nats.context.create_key_value(config).await.unwrap();
    // Sequences start over, below what the watch has seen.
    bucket.put("acme.a", &77_u32).await.unwrap();
    mirror.until(&map(&[("acme.a", 77)])).await;
}
