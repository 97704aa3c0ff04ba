use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use heliograph_store::tokens::{Refreshed, Token, TokenError, TokenKey, TokenOptions, TokenStore};
use heliograph_testkit::servers::RedisServer;
use secrecy::{ExposeSecret, SecretString};

use crate::support::{eventually, flush, redis, redis_server};

/// The provider: counts its calls and gives out a new token each time.
#[derive(Clone, Default)]
struct Provider {
    calls: Arc<AtomicU32>,
    valid_for: Option<Duration>,
}

#[derive(Debug, thiserror::Error)]
#[error("the provider refused")]
struct Refused;

impl Provider {
    fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    async fn give(&self) -> Result<Refreshed, Refused> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        // Long enough for everybody else to come by meanwhile.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(Refreshed {
            value: SecretString::from(format!("token-{call}")),
            valid_for: self.valid_for.unwrap_or(Duration::from_hours(2)),
        })
    }

    fn refuse(&self) -> std::future::Ready<Result<Refreshed, Refused>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Err(Refused))
    }
}

fn key(tenant: &str) -> TokenKey {
    TokenKey::new(tenant, "wechat", "main", "access")
}

async fn replicas(server: &RedisServer, count: usize) -> Vec<TokenStore> {
    let mut replicas = Vec::new();
    for _ in 0..count {
        replicas.push(TokenStore::new(redis(server).await, TokenOptions::default()));
    }
    replicas
}

async fn stampede(replicas: &[TokenStore], provider: &Provider) -> Vec<Token> {
    let callers = (0..50).map(|n| {
        let (store, provider) = (replicas[n % replicas.len()].clone(), provider.clone());
        tokio::spawn(async move { store.get(&key("acme"), || provider.give()).await.unwrap() })
    });
    let mut tokens = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        tokens.push(caller.await.unwrap());
    }
    tokens
}

fn values(tokens: &[Token]) -> BTreeSet<&str> {
    tokens.iter().map(|token| token.value.expose_secret()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_callers_on_five_replicas_refresh_once() {
    let server = redis_server().await;
    let (replicas, provider) = (replicas(&server, 5).await, Provider::default());
    let tokens = stampede(&replicas, &provider).await;
    assert_eq!(values(&tokens), ["token-1"].into());
    assert_eq!(provider.calls(), 1);

    // All of them fail with the token and say so: one refresh, not fifty.
    let generation = tokens[0].generation;
    futures::future::join_all((0..50).map(|n| {
        let store = replicas[n % replicas.len()].clone();
        async move { store.invalidate(&key("acme"), generation).await }
    }))
    .await;
    let tokens = stampede(&replicas, &provider).await;
    assert_eq!(values(&tokens), ["token-2"].into());
    assert_eq!(provider.calls(), 2);
    assert!(tokens[0].generation > generation);
    // One who failed with the old token and is late changes nothing.
    replicas[3].invalidate(&key("acme"), generation).await;
    assert_eq!(values(&stampede(&replicas, &provider).await), ["token-2"].into());

    // Another tenant's token is another token.
    let theirs = replicas[0].get(&key("acme2"), || provider.give()).await.unwrap();
    assert_eq!(theirs.value.expose_secret(), "token-3");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_token_serves_while_a_new_one_is_fetched() {
    let server = redis_server().await;
    let options = TokenOptions { margin: Duration::from_hours(1), ..TokenOptions::default() };
    let one = TokenStore::new(redis(&server).await, options);
    let other = TokenStore::new(redis(&server).await, options);
    // Due at half of its life, because the margin is longer than that.
    let provider = Provider { valid_for: Some(Duration::from_secs(3)), ..Provider::default() };
    let old = one.get(&key("acme"), || provider.give()).await.unwrap();
    let (entered, release) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    // Keep asking until the token is due and this replica is the one to refresh it.
    let refresher = tokio::spawn({
        let (one, entered, release) = (one.clone(), Arc::clone(&entered), Arc::clone(&release));
        async move {
            loop {
                let token = one
                    .get(&key("acme"), || async {
                        entered.notify_one();
                        release.notified().await;
                        Ok::<_, Refused>(Refreshed {
                            value: SecretString::from("new"),
                            valid_for: Duration::from_hours(2),
                        })
                    })
                    .await
                    .unwrap();
                if token.value.expose_secret() == "new" {
                    return token;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    entered.notified().await;
    for store in [&other, &one] {
        let meanwhile = store.get(&key("acme"), || provider.give()).await.unwrap();
        assert_eq!(meanwhile.generation, old.generation);
    }
    release.notify_one();
    let new = refresher.await.unwrap();
    assert!(new.generation > old.generation);
    assert_eq!(other.get(&key("acme"), || provider.give()).await.unwrap().value.expose_secret(), "new");
    assert_eq!(provider.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_refresh_is_not_repeated_by_everybody() {
    let server = redis_server().await;
    let options = TokenOptions { failure_pause: Duration::from_mins(1), ..TokenOptions::default() };
    let provider = Provider::default();
    let mut failures = 0;
    for _ in 0..5 {
        let store = TokenStore::new(redis(&server).await, options);
        match store.get(&key("acme"), || provider.refuse()).await {
            Err(TokenError::Refresh(Refused)) => failures += 1,
            Err(TokenError::RecentlyFailed { retry_after }) => assert!(retry_after <= Duration::from_mins(1)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((failures, provider.calls()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_refresh_leaves_the_way_free() {
    let server = redis_server().await;
    let (replicas, provider) = (replicas(&server, 1).await, Provider::default());
    let store = replicas[0].clone();
    let entered = Arc::new(tokio::sync::Notify::new());
    let hanging = tokio::spawn({
        let (store, entered) = (store.clone(), Arc::clone(&entered));
        async move {
            store
                .get(&key("acme"), || async {
                    entered.notify_one();
                    std::future::pending::<Result<Refreshed, Refused>>().await
                })
                .await
        }
    });
    entered.notified().await;
    hanging.abort();
    assert_eq!(values(&stampede(&replicas, &provider).await), ["token-1"].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_replica_refreshes_once_and_shares_later() {
    let mut server = redis_server().await;
    let redis = redis(&server).await;
    let store = TokenStore::new(redis.clone(), TokenOptions::default());
    let provider = Provider::default();
    server.kill9();
    let tokens = stampede(std::slice::from_ref(&store), &provider).await;
    assert_eq!((values(&tokens), provider.calls()), (["token-1"].into(), 1));
    store.invalidate(&key("acme"), tokens[0].generation).await;
    let tokens = stampede(std::slice::from_ref(&store), &provider).await;
    assert_eq!((values(&tokens), provider.calls()), (["token-2"].into(), 2));

    server.restart().await.unwrap();
    eventually("Redis is noticed", || async { redis.is_up() }).await;
    let token = store.get(&key("acme"), || provider.give()).await.unwrap();
    assert_eq!((token.value.expose_secret(), provider.calls()), ("token-2", 2));
    // Whoever comes now gets it from Redis.
    let another = replicas(&server, 1).await;
    assert_eq!(values(&stampede(&another, &provider).await), ["token-2"].into());
    flush(&server).await;
    assert_eq!(values(&stampede(&another, &provider).await), ["token-3"].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_ever_is_shared_like_any_other() {
    let server = redis_server().await;
    let provider = Provider { valid_for: Some(Duration::MAX), ..Provider::default() };
    for replica in replicas(&server, 2).await {
        let token = replica.get(&key("acme"), || provider.give()).await.unwrap();
        assert_eq!(token.value.expose_secret(), "token-1");
    }
    assert_eq!(provider.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_never_printed() {
    let server = redis_server().await;
    let (replicas, provider) = (replicas(&server, 1).await, Provider::default());
    let token = replicas[0].get(&key("acme"), || provider.give()).await.unwrap();
    let printed = format!("{token:?} {:?}", replicas[0]);
    assert!(!printed.contains("token-1"), "{printed}");
}
