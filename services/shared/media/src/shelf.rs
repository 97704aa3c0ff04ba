//! Media for a channel that sends them on: as bytes it uploads, or as a link its provider fetches.

use bytes::{Bytes, BytesMut};
use heliograph_store::{
    media::{MediaInfo, MediaStore, Medium, Refusal},
    objects::ObjectError,
};
use tokio::io::AsyncReadExt as _;

use crate::Links;

/// Why a medium cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// It is not there, or not yet.
    #[error("there is no such medium (yet)")]
    NotThere,
    /// It never will be.
    #[error("the medium was refused: {}", .0.reason)]
    Refused(Refusal),
    /// The caller takes no medium as large as it.
    #[error("the medium is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The store cannot be read now.
    #[error(transparent)]
    Away(#[from] ObjectError),
}

/// Gives out media to our own services. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shelf {
    store: MediaStore,
    links: Links,
}

impl Shelf {
    /// Over `store`, with links that the media service answers.
    pub fn new(store: MediaStore, links: Links) -> Self {
        Self { store, links }
    }

    /// A medium whole, if it is no larger than `limit` bytes.
    ///
    /// # Errors
    /// See [`ShelfError`].
    pub async fn open(
        &self,
        tenant: &str,
        object_id: &str,
        limit: u64,
    ) -> Result<(MediaInfo, Bytes), ShelfError> {
        let (info, reader) = match self.store.find(tenant, object_id).await? {
            Some(Medium::Here(found)) => found,
            Some(Medium::Refused(refusal)) => return Err(ShelfError::Refused(refusal)),
            None => return Err(ShelfError::NotThere),
        };
        if info.size > limit {
            return Err(ShelfError::TooLarge { limit });
        }
        let mut content = BytesMut::with_capacity(usize::try_from(info.size).unwrap_or_default());
        let mut reader = reader.take(info.size);
        while reader.read_buf(&mut content).await.map_err(ObjectError::Read)? > 0 {}
        if content.len() as u64 != info.size {
            return Err(ObjectError::Damaged(object_id.to_owned()).into());
        }
        Ok((info, content.freeze()))
    }

    /// A link to a medium for somebody outside, good for as long as links last; none where `media.public_url` is not set.
    /// It may be given out before the medium is there.
    pub fn link(&self, tenant: &str, object_id: &str, now_ms: i64) -> Option<String> {
        self.links.outside(tenant, object_id, now_ms)
    }
}
