//! NATS and Redis: the caller's, or of our own.

use heliograph_testkit::servers::{NatsOptions, NatsServer, RedisOptions, RedisServer};

use super::Keepsakes;
use crate::{cli::Common, output};

/// The brokers of a development fleet. Those of our own end with this.
pub(super) struct Brokers {
    pub(super) nats_url: String,
    pub(super) redis_url: String,
    nats: Option<NatsServer>,
    redis: Option<RedisServer>,
}

impl Brokers {
    /// Starts what no URL is given for.
    pub(super) async fn start(common: &Common, keepsakes: &Keepsakes) -> anyhow::Result<Self> {
        let given = |flag: &Option<String>, key: &str| {
            flag.clone().or_else(|| std::env::var(format!("HELIOGRAPH__{key}__URL")).ok())
        };
        let (nats_url, redis_url) = (given(&common.nats_url, "NATS"), given(&common.redis_url, "REDIS"));
        let nats = async {
            if nats_url.is_some() {
                return Ok(None);
            }
            let data_dir = Some(keepsakes.folder().join("nats"));
            NatsServer::start_with(NatsOptions { data_dir, ..NatsOptions::default() }).await.map(Some)
        };
        let redis = async {
            if redis_url.is_some() {
                return Ok(None);
            }
            let data_dir = Some(keepsakes.folder().join("redis"));
            let options = RedisOptions { data_dir, appendonly: true, ..RedisOptions::default() };
            RedisServer::start_with(options).await.map(Some)
        };
        let (nats, redis) = tokio::try_join!(nats, redis)?;
        Ok(Self {
            nats_url: nats.as_ref().map(NatsServer::url).or(nats_url).unwrap_or_default(),
            redis_url: redis.as_ref().map(RedisServer::url).or(redis_url).unwrap_or_default(),
            nats,
            redis,
        })
    }

    /// Lets those of our own write everything down and end.
    pub(super) async fn stop(mut self) {
        if let Some(nats) = &mut self.nats
            && let Err(error) = nats.stop().await
        {
            output::note(&format!("heliograph: {error}"));
        }
        if let Some(redis) = &mut self.redis
            && let Err(error) = redis.stop().await
        {
            output::note(&format!("heliograph: {error}"));
        }
    }
}
