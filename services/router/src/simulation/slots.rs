//! Where snapshots stand in this world: with the broker, and as far away.

use std::collections::HashMap;
use std::sync::Arc;

use heliograph_fabric::Bytes;
use heliograph_store::{
    objects::{ObjectError, ObjectInfo},
    snapshots::Slots,
};

use super::ground::{Silence, SimGround};

/// The slots as one machine sees them.
#[derive(Debug, Clone)]
pub(super) struct SimSlots(pub(super) SimGround);

fn unavailable(silence: Silence) -> ObjectError {
    ObjectError::Unavailable(Arc::new(silence))
}

impl Slots for SimSlots {
    async fn info(&self, folder: &str, slot: &str) -> Result<Option<ObjectInfo>, ObjectError> {
        let key = format!("{folder}/{slot}");
        let found = self.0.ask(None, move |broker, _| broker.slots.get(&key).map(|(info, _)| info.clone()));
        found.await.map_err(unavailable)
    }

    async fn read(&self, folder: &str, slot: &str) -> Result<Option<(ObjectInfo, Bytes)>, ObjectError> {
        let key = format!("{folder}/{slot}");
        let of = folder.to_owned();
        let found = self.0.ask(None, move |broker, _| {
            let found = broker.slots.get(&key).cloned();
            if found.is_some() {
                broker.restored(&of);
            }
            found
        });
        found.await.map_err(unavailable)
    }

    async fn replace(
        &self,
        folder: &str,
        slot: &str,
        attributes: HashMap<String, String>,
        content: &[u8],
    ) -> Result<(), ObjectError> {
        let (folder, key) = (folder.to_owned(), format!("{folder}/{slot}"));
        let mut content = content.to_vec();
        if self.0.world.inner().broker.flaws.tears_snapshots {
            content.truncate(content.len() / 2);
        }
        let info = ObjectInfo { size: content.len() as u64, sha256: String::new(), attributes };
        let content = Bytes::from(content);
        let stored = self.0.ask(None, move |broker, _| {
            let position = info.attributes.get("position").cloned().unwrap_or_default();
            broker.notes.push(format!("snapshot {key} of {position}, {} bytes", content.len()));
            broker.snapshots.push((folder, info.clone(), content.clone()));
            broker.slots.insert(key, (info, content));
        });
        stored.await.map_err(unavailable)
    }
}
