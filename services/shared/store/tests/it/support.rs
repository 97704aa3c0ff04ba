//! Servers, buckets, and waiting for what must become true.

use std::future::Future;
use std::time::Duration;

use async_nats::jetstream::{self, kv, object_store};
use heliograph_store::{Redis, RedisOptions};
use heliograph_testkit::servers::{NatsServer, RedisServer};

/// Longer than anything here takes on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_mins(1);

/// A NATS server with the buckets that provisioning makes.
pub(crate) struct Nats {
    pub(crate) server: NatsServer,
    pub(crate) context: jetstream::Context,
}

pub(crate) async fn nats() -> Nats {
    let server = NatsServer::start().await.unwrap();
    let context = connect(&server).await;
    for (bucket, history) in [
        ("HG_RESOURCES", 64),
        ("HG_CONTACTS", 1),
        ("HG_CONSENT", 1),
        ("HG_DELIVERIES", 1),
        ("HG_TRAIL", 1),
        ("HG_CODES", 1),
        ("HG_TALLY", 1),
        ("HG_KEYS", 1),
    ] {
        let config = kv::Config { bucket: bucket.to_owned(), history, ..kv::Config::default() };
        context.create_key_value(config).await.unwrap();
    }
    for bucket in ["HG_SNAPSHOTS", "HG_MEDIA"] {
        let config = object_store::Config { bucket: bucket.to_owned(), ..object_store::Config::default() };
        context.create_object_store(config).await.unwrap();
    }
    Nats { server, context }
}

/// A connection of its own, as another replica has.
pub(crate) async fn connect(server: &NatsServer) -> jetstream::Context {
    let client = async_nats::ConnectOptions::new()
        .retry_on_initial_connect()
        .reconnect_delay_callback(|_| Duration::from_millis(50))
        .connect(server.url())
        .await
        .unwrap();
    jetstream::new(client)
}

pub(crate) async fn redis_server() -> RedisServer {
    RedisServer::start().await.unwrap()
}

/// A handle of its own, as another replica has.
pub(crate) async fn redis(server: &RedisServer) -> Redis {
    let redis = Redis::connect(&RedisOptions::new(server.url())).await.unwrap();
    assert!(redis.is_up(), "a server that runs is found at once");
    redis
}

/// Empties Redis, as an operator's mistake or a lost disk would.
pub(crate) async fn flush(server: &RedisServer) {
    let client = ::redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    ::redis::cmd("FLUSHALL").query_async::<()>(&mut connection).await.unwrap();
}

/// Waits until `check` holds.
pub(crate) async fn eventually<F, Fut>(what: &str, mut check: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let waiting = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, waiting).await.is_ok(), "not within {DEADLINE:?}: {what}");
}

/// Bounds what must not hang.
pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    let Ok(output) = tokio::time::timeout(DEADLINE, future).await else {
        panic!("not within {DEADLINE:?}: {what}")
    };
    output
}
