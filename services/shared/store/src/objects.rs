//! Where large immutable things stand: a local directory, a NATS object store, or an S3-compatible store.
//!
//! All keep the same promise: an object is there whole or not at all, whenever the writer dies.

mod directory;
mod nats;
mod s3;

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use async_nats::jetstream::Context;
use async_nats::jetstream::object_store::ObjectStore;
use heliograph_domain::ids;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt};

pub use s3::S3Config;

use s3::S3;

/// Where the record of an object is kept in a NATS or S3 object's metadata.
const RECORD: &str = "heliograph";

/// Where objects are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectsConfig {
    /// Under this directory; for one machine.
    Directory(PathBuf),
    /// In a NATS object store of the service's own bucket.
    Nats,
    /// In a bucket of an S3-compatible store.
    S3(Box<S3Config>),
}

/// Why an operation on objects failed.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The name would leave its place.
    #[error("{0:?} cannot name an object: letters, digits, hyphens and underscores only")]
    InvalidName(String),
    /// The object is larger than it may be. Nothing was kept.
    #[error("the object is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Reading what was to be stored failed. Nothing was kept.
    #[error("reading the content failed")]
    Read(#[source] std::io::Error),
    /// The object is damaged.
    #[error("object {0} is damaged")]
    Damaged(String),
    /// The directory failed.
    #[error("the object directory failed")]
    Directory(#[source] std::io::Error),
    /// The configuration of the place cannot work.
    #[error("{0}")]
    Config(String),
    /// The object store is away, has no such bucket, or did not answer in time.
    #[error("the object store is not available")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

/// What is known of a stored object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, hex.
    pub sha256: String,
    /// The caller's attributes.
    pub attributes: HashMap<String, String>,
}

/// The content of an object, to be read once.
pub type ObjectReader = Pin<Box<dyn AsyncRead + Send>>;

/// A place for objects. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    place: Arc<Place>,
}

enum Place {
    Directory(PathBuf),
    Nats(Box<ObjectStore>),
    S3(S3),
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.place {
            Place::Directory(path) => f.debug_tuple("Objects").field(path).finish(),
            Place::Nats(_) => f.write_str("Objects(NATS)"),
            Place::S3(s3) => f.debug_tuple("Objects").field(s3).finish(),
        }
    }
}

impl Objects {
    /// Opens the place that the configuration names; `bucket` is the provisioned object store, and the folder's name under
    /// the configured directory or S3 prefix.
    pub async fn open(config: &ObjectsConfig, context: &Context, bucket: &str) -> Result<Self, ObjectError> {
        match config {
            ObjectsConfig::Directory(path) => Self::in_directory(path.join(bucket)).await,
            ObjectsConfig::Nats => {
                let store = context.get_object_store(bucket).await.map_err(unavailable)?;
                Ok(Self { place: Arc::new(Place::Nats(Box::new(store))) })
            }
            ObjectsConfig::S3(config) => {
                Ok(Self { place: Arc::new(Place::S3(S3::open(config, bucket).await?)) })
            }
        }
    }

    /// Objects in a directory, which is made if it is not there.
    pub async fn in_directory(path: PathBuf) -> Result<Self, ObjectError> {
        tokio::fs::create_dir_all(&path).await.map_err(ObjectError::Directory)?;
        Ok(Self { place: Arc::new(Place::Directory(path)) })
    }

    /// Stores `content` as `folder`/`name`, replacing what was there, unless it is larger than `limit`.
    pub(crate) async fn put(
        &self,
        folder: &str,
        name: &str,
        attributes: HashMap<String, String>,
        content: &mut (impl AsyncRead + Unpin + Send),
        limit: u64,
    ) -> Result<ObjectInfo, ObjectError> {
        check(folder)?;
        check(name)?;
        match &*self.place {
            Place::Directory(root) => directory::put(root, folder, name, attributes, content, limit).await,
            Place::Nats(store) => nats::put(store, folder, name, attributes, content, limit).await,
            Place::S3(s3) => s3.put(folder, name, attributes, content, limit).await,
        }
    }

    /// What is known of an object, if it is there.
    pub(crate) async fn info(&self, folder: &str, name: &str) -> Result<Option<ObjectInfo>, ObjectError> {
        check(folder)?;
        check(name)?;
        match &*self.place {
            Place::Directory(root) => directory::info(root, folder, name).await,
            Place::Nats(store) => nats::info(store, folder, name).await,
            Place::S3(s3) => s3.info(folder, name).await,
        }
    }

    /// An object's content, if it is there. The reader fails where the content turns out to be damaged.
    pub(crate) async fn get(
        &self,
        folder: &str,
        name: &str,
    ) -> Result<Option<(ObjectInfo, ObjectReader)>, ObjectError> {
        check(folder)?;
        check(name)?;
        match &*self.place {
            Place::Directory(root) => directory::get(root, folder, name).await,
            Place::Nats(store) => nats::get(store, folder, name).await,
            Place::S3(s3) => s3.get(folder, name).await,
        }
    }

    /// Takes an object away; says whether it was there.
    pub(crate) async fn delete(&self, folder: &str, name: &str) -> Result<bool, ObjectError> {
        check(folder)?;
        check(name)?;
        match &*self.place {
            Place::Directory(root) => directory::delete(root, folder, name).await,
            Place::Nats(store) => nats::delete(store, folder, name).await,
            Place::S3(s3) => s3.delete(folder, name).await,
        }
    }
}

/// Only names that are one path segment and cannot point elsewhere.
fn check(name: &str) -> Result<(), ObjectError> {
    if crate::keys::is_token(name) { Ok(()) } else { Err(ObjectError::InvalidName(name.to_owned())) }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> ObjectError {
    ObjectError::Unavailable(Arc::new(error))
}

/// Reads what is to be stored into memory, at most `limit` bytes, and makes its record.
///
/// For places whose clients write pieces before they know whether all of them will come: what is too large or breaks off
/// has to be noticed before the first piece is written.
async fn take_in(
    attributes: HashMap<String, String>,
    content: &mut (impl AsyncRead + Unpin + Send),
    limit: u64,
) -> Result<(ObjectInfo, Vec<u8>), ObjectError> {
    let mut whole = Vec::new();
    let read =
        content.take(limit.saturating_add(1)).read_to_end(&mut whole).await.map_err(ObjectError::Read)?;
    if read as u64 > limit {
        return Err(ObjectError::TooLarge { limit });
    }
    let sha256 = hex::encode(Sha256::digest(&whole));
    Ok((ObjectInfo { size: read as u64, sha256, attributes }, whole))
}

/// Reads an object whole, checking its digest.
pub(crate) async fn read_whole(
    name: &str,
    info: &ObjectInfo,
    mut reader: ObjectReader,
) -> Result<Vec<u8>, ObjectError> {
    let mut whole = Vec::new();
    reader.read_to_end(&mut whole).await.map_err(unavailable)?;
    if whole.len() as u64 != info.size || hex::encode(Sha256::digest(&whole)) != info.sha256 {
        return Err(ObjectError::Damaged(name.to_owned()));
    }
    Ok(whole)
}

/// `part` as an object's name: itself where it can be one, else a hash of it.
pub(crate) fn name(part: &str) -> String {
    if crate::keys::is_token(part) && !part.starts_with("h_") {
        part.to_owned()
    } else {
        ids::derive("h", &[part])
    }
}
