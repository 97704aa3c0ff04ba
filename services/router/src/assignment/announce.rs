//! Telling everybody which tenants came to a partition.

use std::{collections::HashMap, time::Duration};

use heliograph_fabric::{
    Fence, Ground, Placement,
    places::{self, PlaceError},
};
use tokio::{task::JoinHandle, time::Instant};

use super::residence::Residence;
use crate::error::chain;

/// How long one tenant's place may take to be written before it is tried again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes into HG_PLACES which tenants are here, beside the partition's work, once they are. Whoever owns the partition
/// looks after all of them once, so that no announcement is lost with its predecessor.
pub(super) struct Announcements<G> {
    ground: G,
    fence: Fence,
    partition: u16,
    partitions: u16,
    /// The generation that was announced, by tenant.
    announced: HashMap<String, u32>,
    running: Option<JoinHandle<Vec<(String, u32)>>>,
}

impl<G: Ground> Announcements<G> {
    pub(super) fn new(ground: &G, fence: &Fence, partition: u16, partitions: u16) -> Self {
        Self {
            ground: ground.clone(),
            fence: fence.clone(),
            partition,
            partitions,
            announced: HashMap::new(),
            running: None,
        }
    }

    /// Announces who is here and was not announced.
    pub(super) async fn step(&mut self, residence: &Residence) {
        if let Some(running) = self.running.take_if(|running| running.is_finished()) {
            self.announced.extend(running.await.unwrap_or_default());
        }
        if self.running.is_some() {
            return;
        }
        let news = residence.came().filter(|(tenant, generation, _)| {
            self.announced.get(*tenant).is_none_or(|announced| announced < generation)
        });
        let place = |(tenant, generation, past): (&str, u32, &[u16])| {
            let past = past.to_vec();
            (tenant.to_owned(), Placement { partition: self.partition, generation, past, moving: None })
        };
        let news: Vec<(String, Placement)> = news.map(place).collect();
        if news.is_empty() {
            return;
        }
        let announcing = announce(self.ground.clone(), self.fence.clone(), self.partitions, news);
        self.running = Some(tokio::spawn(self.ground.task(announcing)));
    }
}

/// Those that are announced, or known to be somewhere else by now.
async fn announce<G: Ground>(
    ground: G,
    fence: Fence,
    partitions: u16,
    news: Vec<(String, Placement)>,
) -> Vec<(String, u32)> {
    let mut announced = Vec::new();
    for (tenant, placement) in news {
        if fence.check().is_err() {
            break;
        }
        let written = places::announce(&ground, &tenant, &placement, partitions, Instant::now() + PATIENCE);
        match written.await {
            Ok(()) => {
                let Placement { partition, generation, .. } = placement;
                tracing::info!(tenant, partition, generation, "a tenant is here");
                announced.push((tenant, generation));
            }
            // An operator wrote at the same time, or the broker is away: it is tried again.
            Err(PlaceError::Write(error)) => {
                tracing::debug!(tenant, error = chain(&error), "a tenant's place is not announced yet");
            }
            Err(PlaceError::Broker(error)) => {
                tracing::debug!(tenant, error = chain(&error), "a tenant's place is not known");
            }
        }
    }
    announced
}
