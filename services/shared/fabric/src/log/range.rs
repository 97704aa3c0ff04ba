//! Reading what is there now: history, catching up.

use crate::fabric::Fabric;
use crate::ground::{Broker, Tail};
use crate::record::Record;
use crate::subjects::Stream;

use super::reader::{LogError, LogReader, Start};

/// Reads a part of a stream up to its end as it was when reading began.
#[derive(Debug)]
pub struct RangeReader<T = LogReader> {
    reader: T,
    /// Last sequence of the stream when reading began, as its leader had it.
    head: u64,
    reached: u64,
    done: bool,
}

impl<T: Tail> RangeReader<T> {
    /// Reads what matches `filters` after sequence `after`, up to the end of the stream as of now.
    pub async fn open<B, F>(broker: &B, stream: Stream, filters: F, after: u64) -> Result<Self, LogError>
    where
        B: Broker<Tail = T>,
        F: IntoIterator<Item: Into<String>>,
    {
        let head = broker.end_of(stream).await?;
        let filters = filters.into_iter().map(Into::into).collect();
        let reader = broker.tail(stream.name(), filters, Start::After(after.min(head))).await?;
        Ok(Self { reader, head, reached: after, done: after >= head })
    }

    /// The end of the stream when reading began.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The last message that was read, or where reading began: whoever goes on with a [`LogReader`] starts after it. Not
    /// after the head: a cluster reads from one of its copies, which says that nothing is left when it has not got yet
    /// what the leader has.
    pub fn reached(&self) -> u64 {
        self.reached
    }

    /// The next message; none at the end.
    pub async fn next(&mut self) -> Result<Option<Record>, LogError> {
        if self.done {
            return Ok(None);
        }
        let Some(record) = self.reader.advance(true).await? else {
            self.done = true;
            return Ok(None);
        };
        self.done = record.pending == 0 || record.seq >= self.head;
        if record.seq > self.head {
            return Ok(None);
        }
        self.reached = record.seq;
        Ok(Some(record))
    }
}

impl Fabric {
    /// Reads up to `limit` messages that match `filter` after sequence `after`, oldest first.
    pub async fn read_range(
        &self,
        stream: Stream,
        filter: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Record>, LogError> {
        let mut range = RangeReader::open(self, stream, [filter], after).await?;
        let mut records = Vec::new();
        while records.len() < limit
            && let Some(record) = range.next().await?
        {
            records.push(record);
        }
        Ok(records)
    }

    /// Reads everything stored under `filter`: the history of a conversation.
    pub async fn read_subject(&self, stream: Stream, filter: &str) -> Result<Vec<Record>, LogError> {
        self.read_range(stream, filter, 0, usize::MAX).await
    }
}
