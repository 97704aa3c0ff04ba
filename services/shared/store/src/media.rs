//! Media: what customers and agents send beside text; and why one of them is not to be had.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncRead;

use crate::objects::{ObjectError, ObjectInfo, ObjectReader, Objects, name};
use crate::{Millis, now_ms};

/// The object store of media.
pub const BUCKET: &str = "HG_MEDIA";

const CONTENT_TYPE: &str = "content_type";
const NAME: &str = "name";
const STORED_AT: &str = "stored_at_ms";
const REFUSED: &str = "refused";
const REASON: &str = "reason";

/// What is known of a stored medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaInfo {
    /// Its id within the tenant, such as `med_…`.
    pub id: String,
    /// MIME type, by its bytes as far as they tell. Never trust it to be harmless.
    pub content_type: String,
    /// File name, as its sender said it; may be empty.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, hex.
    pub sha256: String,
    /// When it was stored.
    pub stored_at_ms: Millis,
}

/// Why a medium is not to be had. It stands in the medium's place, so that whoever asks for it is told; a medium that is
/// had after all replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A short stable word, such as `too_large`.
    pub code: String,
    /// For people; no secrets.
    pub reason: String,
}

/// What stands under a medium's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Medium<T> {
    /// It is here.
    Here(T),
    /// It is not to be had.
    Refused(Refusal),
}

impl<T> Medium<T> {
    fn here(self) -> Option<T> {
        match self {
            Self::Here(medium) => Some(medium),
            Self::Refused(_) => None,
        }
    }
}

/// The media of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MediaStore {
    objects: Objects,
}

impl MediaStore {
    /// Media kept in `objects`.
    pub fn new(objects: Objects) -> Self {
        Self { objects }
    }

    /// Stores what `content` brings, unless it is larger than `limit` bytes. The same id again replaces it.
    ///
    /// A directory is written as the content arrives; a NATS object store takes it through memory, so keep the limit
    /// in proportion.
    pub async fn put(
        &self,
        tenant: &str,
        id: &str,
        content_type: &str,
        file_name: &str,
        content: &mut (impl AsyncRead + Unpin + Send),
        limit: u64,
    ) -> Result<MediaInfo, ObjectError> {
        let attributes = HashMap::from([
            (CONTENT_TYPE.to_owned(), content_type.to_owned()),
            (NAME.to_owned(), file_name.to_owned()),
            (STORED_AT.to_owned(), now_ms().to_string()),
        ]);
        let info = self.objects.put(tenant, &name(id), attributes, content, limit).await?;
        Ok(media_info(id, info))
    }

    /// Writes down that a medium is not to be had, and why.
    pub async fn refuse(&self, tenant: &str, id: &str, refusal: &Refusal) -> Result<(), ObjectError> {
        let attributes = HashMap::from([
            (REFUSED.to_owned(), refusal.code.clone()),
            (REASON.to_owned(), refusal.reason.clone()),
            (STORED_AT.to_owned(), now_ms().to_string()),
        ]);
        self.objects.put(tenant, &name(id), attributes, &mut tokio::io::empty(), 0).await?;
        Ok(())
    }

    /// What is known of a medium, if anything is.
    pub async fn look(&self, tenant: &str, id: &str) -> Result<Option<Medium<MediaInfo>>, ObjectError> {
        let found = self.objects.info(tenant, &name(id)).await?;
        Ok(found.map(|info| medium(id, info, |info| info)))
    }

    /// A medium and its content, or why it is not to be had, if anything is known of it.
    pub async fn find(
        &self,
        tenant: &str,
        id: &str,
    ) -> Result<Option<Medium<(MediaInfo, ObjectReader)>>, ObjectError> {
        let found = self.objects.get(tenant, &name(id)).await?;
        Ok(found.map(|(info, reader)| medium(id, info, |info| (info, reader))))
    }

    /// What is known of a medium, if it is there.
    pub async fn info(&self, tenant: &str, id: &str) -> Result<Option<MediaInfo>, ObjectError> {
        Ok(self.look(tenant, id).await?.and_then(Medium::here))
    }

    /// A medium and its content, if it is there.
    pub async fn get(
        &self,
        tenant: &str,
        id: &str,
    ) -> Result<Option<(MediaInfo, ObjectReader)>, ObjectError> {
        Ok(self.find(tenant, id).await?.and_then(Medium::here))
    }

    /// Takes a medium away; says whether it was there.
    pub async fn delete(&self, tenant: &str, id: &str) -> Result<bool, ObjectError> {
        self.objects.delete(tenant, &name(id)).await
    }
}

fn medium<T>(id: &str, mut info: ObjectInfo, here: impl FnOnce(MediaInfo) -> T) -> Medium<T> {
    match info.attributes.remove(REFUSED) {
        Some(code) => {
            let reason = info.attributes.remove(REASON).unwrap_or_default();
            Medium::Refused(Refusal { code, reason })
        }
        None => Medium::Here(here(media_info(id, info))),
    }
}

fn media_info(id: &str, mut info: ObjectInfo) -> MediaInfo {
    MediaInfo {
        id: id.to_owned(),
        content_type: info.attributes.remove(CONTENT_TYPE).unwrap_or_default(),
        name: info.attributes.remove(NAME).unwrap_or_default(),
        size: info.size,
        sha256: info.sha256,
        stored_at_ms: info.attributes.get(STORED_AT).and_then(|at| at.parse().ok()).unwrap_or_default(),
    }
}
