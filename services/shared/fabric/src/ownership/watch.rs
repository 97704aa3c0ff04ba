//! Following a group's keys in HG_LEASES.

use std::time::Duration;

use tokio::sync::mpsc;

use super::session::Keys;
use super::view::{Change, LeaseValue, MemberValue};
use crate::ground::{Broker, Tail as _};
use crate::kv::is_deletion;
use crate::log::{LogError, Start};
use crate::record::Record;
use crate::subjects::Bucket;

/// What the follower reports.
#[derive(Debug)]
pub(super) enum News {
    /// Reading begins anew: forget everything.
    Reset,
    /// A key changed.
    Changed(Change, u64),
    /// Everything that was there when reading began has been reported.
    CaughtUp,
}

/// Reports every change of the group's keys until the receiver goes.
pub(super) async fn follow<B: Broker>(broker: B, keys: Keys, news: mpsc::Sender<News>) {
    while !news.is_closed() {
        if let Err(error) = read(&broker, &keys, &news).await {
            tracing::warn!(group = keys.group, %error, "the group's members cannot be followed, trying again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

async fn read<B: Broker>(broker: &B, keys: &Keys, news: &mpsc::Sender<News>) -> Result<(), LogError> {
    let bucket = Bucket::Leases;
    let keys_of = [keys.member("*"), format!("lease.{}.*", keys.group)];
    let filters = keys_of.iter().map(|key| bucket.subject(key)).collect();
    let mut reader = broker.tail(&bucket.stream(), filters, Start::LastPerSubject).await?;
    let mut caught_up = reader.opened_at_end();
    let first = if caught_up { [Some(News::Reset), Some(News::CaughtUp)] } else { [Some(News::Reset), None] };
    for item in first.into_iter().flatten() {
        if news.send(item).await.is_err() {
            return Ok(());
        }
    }
    loop {
        let record = tokio::select! {
            biased;
            () = news.closed() => return Ok(()),
            record = reader.next() => record?,
        };
        let (seq, last) = (record.seq, record.pending == 0);
        if let Some(change) = parse(keys, &record)
            && news.send(News::Changed(change, seq)).await.is_err()
        {
            return Ok(());
        }
        if last && !caught_up {
            caught_up = true;
            if news.send(News::CaughtUp).await.is_err() {
                return Ok(());
            }
        }
    }
}

fn parse(keys: &Keys, record: &Record) -> Option<Change> {
    let (scope, name) = record.subject.rsplit_once('.')?;
    let deleted = is_deletion(&record.headers);
    if scope.ends_with(&format!(".member.{}", keys.group)) {
        // A value from a later release may say more; what it says at all is that the member lives.
        let value =
            (!deleted).then(|| serde_json::from_slice::<MemberValue>(&record.payload).unwrap_or_default());
        Some(Change::Member { session: name.to_owned(), value })
    } else {
        let value = if deleted { None } else { serde_json::from_slice::<LeaseValue>(&record.payload).ok() };
        Some(Change::Lease { partition: name.parse().ok()?, value: value.unwrap_or_default() })
    }
}
