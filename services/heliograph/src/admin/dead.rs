//! Dead letters: read, replayed, discarded.

use std::time::Duration;

use heliograph_fabric::dead::{DeadFilter, DeadLetter};

use super::{Admin, AdminError};

/// How long a replayed message may take to be stored.
const REPLAY_WITHIN: Duration = Duration::from_secs(10);

impl Admin {
    /// Dead letters that match, oldest first.
    pub async fn dead_letters(
        &self,
        filter: &DeadFilter<'_>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, AdminError> {
        Ok(self.letters.list(filter, 0, limit).await?)
    }

    /// One dead letter.
    pub async fn dead_letter(&self, sequence: u64) -> Result<DeadLetter, AdminError> {
        Ok(self.letters.show(sequence).await?)
    }

    /// Puts a dead letter back where it came from; returns its subject.
    pub async fn replay(&self, sequence: u64) -> Result<String, AdminError> {
        let subject = self.letters.show(sequence).await?.subject;
        self.letters.replay(sequence, REPLAY_WITHIN).await?;
        Ok(subject)
    }

    /// Removes a dead letter for good.
    pub async fn discard(&self, sequence: u64) -> Result<(), AdminError> {
        Ok(self.letters.discard(sequence).await?)
    }
}
