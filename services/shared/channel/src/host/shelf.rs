//! Where media of ours are kept, as far as a channel that sends them cares.

use async_trait::async_trait;

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
impl Shelf for heliograph_media::Shelf {
    async fn open(&self, tenant: &str, object_id: &str, limit: u64) -> Result<File, ShelfError> {
        use heliograph_media::ShelfError as Failed;
        let (info, bytes) = self.open(tenant, object_id, limit).await.map_err(|failed| match failed {
            Failed::NotThere | Failed::Refused(_) => ShelfError::NotFound,
            Failed::TooLarge { limit } => ShelfError::TooLarge(limit),
            Failed::Away(error) => ShelfError::Away(error.to_string()),
        })?;
        let name = if info.name.is_empty() { info.id } else { info.name };
        Ok(File { content_type: info.content_type, name, bytes })
    }

    fn link(&self, tenant: &str, object_id: &str, now_ms: i64) -> Option<String> {
        self.link(tenant, object_id, now_ms)
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
