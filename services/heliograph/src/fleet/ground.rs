//! What the services of one process stand on.

use std::{collections::BTreeMap, sync::Arc};

use heliograph_channel::host::HostDeps;
use heliograph_channel_webchat::Options;
use heliograph_fabric::Fabric;
use heliograph_media::{Intake, Links, MediaSettings, Shelf};
use heliograph_runtime::{ConfigError, Health, Settings, Shutdown, config::ChannelEndpoint};
use heliograph_store::{
    Redis,
    media::MediaStore,
    objects::{Objects, ObjectsConfig},
    resources::{ResourceStore, ResourceView},
};
use serde::{Deserialize, Serialize};

use crate::{connect, failure::Unconfigured};

/// The section `objects`: where large immutable things are kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectSettings {
    /// Snapshots of the routing machine: `nats`, `{directory: PATH}` on one machine, or `{s3: {bucket: …}}`.
    pub snapshots: ObjectsConfig,
    /// Media of messages, likewise.
    pub media: ObjectsConfig,
}

impl Default for ObjectSettings {
    fn default() -> Self {
        Self { snapshots: ObjectsConfig::Nats, media: ObjectsConfig::Nats }
    }
}

/// The section `webchat`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebchatOptions {
    /// Copies of web chat's stream and buckets, used when they are made.
    pub replicas: usize,
    /// Proxies in front that add to `X-Forwarded-For` and are trusted; 0: the peer is the client.
    pub forwarded_hops: usize,
}

impl Default for WebchatOptions {
    fn default() -> Self {
        Self { replicas: 1, forwarded_hops: 0 }
    }
}

/// Connections and settings that the services of a process share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The configuration.
    pub settings: Arc<Settings>,
    /// The broker.
    pub fabric: Fabric,
    /// Redis, which may be away.
    pub redis: Redis,
    /// The resources, always current.
    pub resources: ResourceView,
    /// Where each channel's `ChannelService` answers: as configured, and the channels of this process.
    pub endpoints: BTreeMap<String, ChannelEndpoint>,
    /// Where readiness is told.
    pub health: Health,
    /// When to stop.
    pub shutdown: Shutdown,
}

impl Ground {
    /// Connects to everything.
    ///
    /// # Errors
    /// When the broker does not answer or is not provisioned. Redis may be away.
    pub async fn connect(
        settings: Settings,
        name: &str,
        health: Health,
        shutdown: Shutdown,
    ) -> anyhow::Result<Self> {
        let fabric = connect::fabric(&settings, name).await?;
        fabric.check().await?;
        let redis = connect::redis(&settings).await?;
        let resources = ResourceStore::open(fabric.jetstream()).await?.watch();
        let endpoints = settings.channels.clone();
        Ok(Self { settings: Arc::new(settings), fabric, redis, resources, endpoints, health, shutdown })
    }

    /// What the host of a channel is given.
    pub async fn host(&self, channel: &str) -> anyhow::Result<HostDeps> {
        Ok(HostDeps {
            media: Arc::new(Shelf::new(self.media().await?, self.links().await?)),
            fabric: self.fabric.clone(),
            redis: self.redis.clone(),
            resources: self.resources.clone(),
            settings: self.settings.section("channel")?,
            health: self.health.scope(channel),
            shutdown: self.shutdown.clone(),
        })
    }

    /// What web chat is given.
    pub fn webchat(&self) -> Result<Options, ConfigError> {
        let WebchatOptions { replicas, forwarded_hops } = self.settings.section("webchat")?;
        Ok(Options { replicas, forwarded_hops, ..Options::default() })
    }

    /// The section `media`.
    pub fn media_settings(&self) -> Result<MediaSettings, ConfigError> {
        self.settings.section(heliograph_media::SECTION)
    }

    /// Links to media, with the key that all replicas share.
    pub async fn links(&self) -> anyhow::Result<Links> {
        Ok(Links::open(self.fabric.jetstream(), &self.media_settings()?).await?)
    }

    /// How files are taken in.
    pub async fn intake(&self) -> anyhow::Result<Intake> {
        Intake::new(self.media().await?, &self.media_settings()?).map_err(|wrong| Unconfigured(wrong).into())
    }

    /// Media of messages.
    pub async fn media(&self) -> anyhow::Result<MediaStore> {
        let settings: ObjectSettings = self.settings.section("objects")?;
        let bucket = heliograph_fabric::subjects::ObjectBucket::Media.name();
        Ok(MediaStore::new(Objects::open(&settings.media, self.fabric.jetstream(), bucket).await?))
    }

    /// Where snapshots are kept.
    pub async fn snapshots(&self) -> anyhow::Result<Objects> {
        let settings: ObjectSettings = self.settings.section("objects")?;
        let bucket = heliograph_fabric::subjects::ObjectBucket::Snapshots.name();
        Ok(Objects::open(&settings.snapshots, self.fabric.jetstream(), bucket).await?)
    }
}
