//! What a tenant takes along to another partition, as bytes in parts that fit into messages.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{annex::Annex, blob::Blob};

/// Version of what is written. No other is read.
const VERSION: u32 = 1;
/// Bytes in one part. Every owner cuts alike, so that two of them write the same; tests cut small, to have several.
pub(crate) const PART: usize = if cfg!(test) { 384 } else { 256 * 1_024 };

#[derive(Serialize)]
struct Packed<'a> {
    version: u32,
    pool: &'a Blob,
    annex: &'a Annex,
    past: &'a [u16],
}

/// What a tenant brings.
#[derive(Debug, Deserialize)]
pub(super) struct Luggage {
    version: u32,
    /// The machine's facts of it, as the machine writes them.
    pub(super) pool: Blob,
    /// What the shell remembers beside them.
    pub(super) annex: Annex,
    /// The partitions it has left, in order.
    pub(super) past: Vec<u16>,
}

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("its parts are not what was sent")]
    Damaged,
    #[error("it cannot be unpacked")]
    Unpack(#[from] std::io::Error),
    #[error("it cannot be decoded")]
    Decode(#[from] rmp_serde::decode::Error),
    #[error("it has version {0}, this release reads {VERSION}")]
    Version(u32),
}

/// Packs what a tenant takes along: the machine's facts, the shell's, and its way so far.
pub(super) fn pack(pool: &[u8], annex: &Annex, past: &[u16]) -> Bytes {
    let pool = &Blob(Bytes::copy_from_slice(pool));
    let written = rmp_serde::to_vec_named(&Packed { version: VERSION, pool, annex, past });
    let written = written.expect("facts are maps with plain keys, and memory does not fail");
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(&written).expect("memory takes everything");
    packer.finish().expect("memory takes everything").into()
}

/// Unpacks what came, if it is what was sent.
pub(super) fn unpack(packed: &[u8], digest: &[u8]) -> Result<Luggage, Unusable> {
    if self::digest(packed)[..] != *digest {
        return Err(Unusable::Damaged);
    }
    let mut written = Vec::new();
    DeflateDecoder::new(packed).read_to_end(&mut written)?;
    let luggage: Luggage = rmp_serde::from_slice(&written)?;
    if luggage.version != VERSION {
        return Err(Unusable::Version(luggage.version));
    }
    Ok(luggage)
}

/// SHA-256.
pub(super) fn digest(packed: &[u8]) -> [u8; 32] {
    Sha256::digest(packed).into()
}
