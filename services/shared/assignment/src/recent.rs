//! What was seen lately, so that what arrives twice happens once.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The last ids seen, oldest first, as fingerprints of 128 bits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Recent {
    ids: VecDeque<(u64, u64)>,
}

impl Recent {
    /// Remembers `id`, forgetting the oldest beyond `limit`. False when it was known already.
    pub(crate) fn insert(&mut self, id: &str, limit: usize) -> bool {
        let fingerprint = fingerprint(id);
        // Duplicates come soon after the original, so the search starts at the newest.
        if self.ids.iter().rev().any(|known| *known == fingerprint) {
            return false;
        }
        if self.ids.len() >= limit {
            self.ids.pop_front();
        }
        self.ids.push_back(fingerprint);
        true
    }
}

fn fingerprint(id: &str) -> (u64, u64) {
    let digest: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    let half = |from: usize| u64::from_be_bytes(digest[from..from + 8].try_into().expect("8 bytes were cut"));
    (half(0), half(8))
}
