//! Where media of ours are kept, as far as a channel that sends them cares.

use async_trait::async_trait;
use bytes::Bytes;
use heliograph_store::media::MediaStore;
use tokio::io::AsyncReadExt as _;

use crate::File;

/// Gives out media by our own ids (`med_…`).
#[async_trait]
pub trait Shelf: Send + Sync + 'static {
    /// A medium with all of its bytes.
    ///
    /// # Errors
    /// See [`ShelfError`].
    async fn open(&self, tenant: &str, object_id: &str, limit: u64) -> Result<File, ShelfError>;

    /// A URL at which a provider can fetch it for a while; `None` where nobody outside can reach us.
    fn link(&self, tenant: &str, object_id: &str, now_ms: i64) -> Option<String>;
}

/// Why there is no medium.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// It is not there, or not any more.
    #[error("there is no such medium")]
    NotFound,
    /// It is larger than may be sent.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// It cannot be read now.
    #[error("it cannot be read now: {0}")]
    Away(String),
}

#[async_trait]
impl Shelf for MediaStore {
    async fn open(&self, tenant: &str, object_id: &str, limit: u64) -> Result<File, ShelfError> {
        let away = |error: &dyn std::error::Error| ShelfError::Away(error.to_string());
        let found = self.get(tenant, object_id).await.map_err(|error| away(&error))?;
        let (info, mut reader) = found.ok_or(ShelfError::NotFound)?;
        if info.size > limit {
            return Err(ShelfError::TooLarge(limit));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(info.size).unwrap_or(0));
        reader.read_to_end(&mut bytes).await.map_err(|error| away(&error))?;
        let name = if info.name.is_empty() { info.id } else { info.name };
        Ok(File { content_type: info.content_type, name, bytes: Bytes::from(bytes) })
    }

    fn link(&self, _tenant: &str, _object_id: &str, _now_ms: i64) -> Option<String> {
        None
    }
}

/// Where no media are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMedia;

#[async_trait]
impl Shelf for NoMedia {
    async fn open(&self, _tenant: &str, _object_id: &str, _limit: u64) -> Result<File, ShelfError> {
        Err(ShelfError::NotFound)
    }

    fn link(&self, _tenant: &str, _object_id: &str, _now_ms: i64) -> Option<String> {
        None
    }
}
