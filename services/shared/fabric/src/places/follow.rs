//! Following HG_PLACES.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Moved, Placement};
use crate::ground::{Broker, Tail as _};
use crate::kv::is_deletion;
use crate::log::{LogError, Start};
use crate::record::Record;
use crate::subjects::Bucket;

/// Tells of every change until nobody listens any more.
pub(super) async fn follow<B: Broker>(broker: B, moved: watch::Sender<Moved>) {
    loop {
        let followed = tokio::select! {
            biased;
            () = moved.closed() => return,
            followed = read(&broker, &moved) => followed,
        };
        if let Err(error) = followed {
            tracing::warn!(%error, "the tenants' places cannot be followed, trying again");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn read<B: Broker>(broker: &B, moved: &watch::Sender<Moved>) -> Result<(), LogError> {
    let bucket = Bucket::Places;
    let filters = vec![bucket.subject("*")];
    let mut reader = broker.tail(&bucket.stream(), filters, Start::LastPerSubject).await?;
    loop {
        let record = reader.next().await?;
        let Some(tenant) = record.subject.rsplit('.').next() else { continue };
        let placement = placement(tenant, &record);
        moved.send_modify(|known| {
            let known = Arc::make_mut(known);
            match placement {
                Some(placement) => known.insert(tenant.to_owned(), Arc::new(placement)),
                None => known.remove(tenant),
            };
        });
    }
}

fn placement(tenant: &str, record: &Record) -> Option<Placement> {
    if is_deletion(&record.headers) {
        return None;
    }
    match serde_json::from_slice(&record.payload) {
        Ok(placement) => Some(placement),
        Err(error) => {
            tracing::error!(tenant, %error, "a tenant's place cannot be read; it is looked for where it was at first");
            None
        }
    }
}
