//! The service put together.

use std::{collections::BTreeMap, sync::Arc};

use axum::Router;
use heliograph_domain::ids;
use heliograph_fabric::Fabric;
use heliograph_media::{Face, Intake, Links, MediaSettings};
use heliograph_runtime::{
    Check, Health, Shutdown,
    config::ChannelEndpoint,
    grpc::{ChannelOptions, channel_with},
};
use heliograph_store::media::MediaStore;
use tokio::task::JoinSet;

use crate::{error::MediaError, fetch::Client, line::Line, metrics::Metrics};

/// What the service stands on.
#[derive(Clone, Debug)]
pub struct MediaDeps {
    /// The broker.
    pub fabric: Fabric,
    /// Where media are kept.
    pub media: MediaStore,
    /// Where each channel's `ChannelService` answers.
    pub channels: BTreeMap<String, ChannelEndpoint>,
    /// Where readiness is told.
    pub health: Health,
    /// When to stop.
    pub shutdown: Shutdown,
}

/// The service at work.
pub struct Media {
    face: Face,
    lines: JoinSet<Result<(), MediaError>>,
    shutdown: Shutdown,
}

impl Media {
    /// Starts fetching the media of every channel in `deps.channels`. Nothing listens yet.
    ///
    /// # Errors
    /// When a setting cannot work, or the broker is not provisioned. A channel that is away is waited for.
    pub async fn start(settings: MediaSettings, deps: MediaDeps) -> Result<Self, MediaError> {
        let MediaDeps { fabric, media, channels, health, shutdown } = deps;
        fabric.check().await?;
        let intake = Intake::new(media.clone(), &settings).map_err(MediaError::Config)?;
        let links = Links::open(fabric.jetstream(), &settings).await?;
        let metrics = Arc::new(Metrics::new());
        let mut lines = JoinSet::new();
        for (name, endpoint) in &channels {
            let line = Line {
                channel: name.clone(),
                fabric: fabric.clone(),
                client: client(name, endpoint)?,
                intake: intake.clone(),
                settings: settings.clone(),
                metrics: Arc::clone(&metrics),
            };
            lines.spawn(Arc::new(line).run(shutdown.clone()));
        }
        follow(&fabric, health.scope("media").check("broker"), shutdown.clone());
        Ok(Self { face: Face::new(media, links), lines, shutdown })
    }

    /// `GET /media/<tenant>/<object id>`.
    pub fn router(&self) -> Router {
        self.face.clone().router()
    }

    /// Works until told to stop, then finishes what is in hand.
    ///
    /// # Errors
    /// When the work on a channel cannot begin.
    pub async fn drained(mut self) -> Result<(), MediaError> {
        loop {
            tokio::select! {
                ended = self.lines.join_next() => match ended {
                    Some(Ok(ended)) => ended?,
                    Some(Err(error)) => tracing::error!(%error, "the work on a channel's media ended badly"),
                    None => break,
                },
                () = self.shutdown.cancelled() => return Ok(()),
            }
        }
        // Without channels there is nothing to fetch, and media are given out all the same.
        self.shutdown.draining().await;
        Ok(())
    }
}

fn client(name: &str, endpoint: &ChannelEndpoint) -> Result<Client, MediaError> {
    let wrong = |reason: String| MediaError::Channel { channel: name.to_owned(), reason };
    if !ids::is_name(name) {
        return Err(wrong("not a channel's name".to_owned()));
    }
    // A whole medium comes in one call, whose deadline is `media.fetch_timeout`.
    let options = ChannelOptions { deadline: None, ..ChannelOptions::default() };
    let channel = channel_with(&endpoint.endpoint, &options).map_err(|error| wrong(error.to_string()))?;
    Ok(Client::new(channel))
}

/// Ready while the broker can be reached.
fn follow(fabric: &Fabric, check: Check, shutdown: Shutdown) {
    let link = fabric.link();
    tokio::spawn(async move {
        tokio::select! {
            () = check.follow(link, |link| link.connected, "not connected to NATS") => {}
            () = shutdown.cancelled() => {}
        }
    });
}
