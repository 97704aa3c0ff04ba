//! Where large immutable things stand: a local directory, or a NATS object store.
//!
//! Both keep the same promise: an object is there whole or not at all, whenever the writer dies.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use async_nats::jetstream::Context;
use async_nats::jetstream::object_store::{GetErrorKind, InfoErrorKind, ObjectMetadata, ObjectStore};
use heliograph_domain::ids;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

/// Read in pieces of this size.
const PIECE: usize = 128 * 1024;
/// Where the record of an object's attributes is kept in a NATS object's metadata.
const ATTRIBUTES: &str = "heliograph";

/// Where objects are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectsConfig {
    /// Under this directory; for one machine.
    Directory(PathBuf),
    /// In a NATS object store of the service's own bucket.
    Nats,
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
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.place {
            Place::Directory(path) => f.debug_tuple("Objects").field(path).finish(),
            Place::Nats(_) => f.write_str("Objects(NATS)"),
        }
    }
}

impl Objects {
    /// Opens the place that the configuration names; `bucket` is the provisioned object store, also the directory's
    /// name under the configured one.
    pub async fn open(config: &ObjectsConfig, context: &Context, bucket: &str) -> Result<Self, ObjectError> {
        match config {
            ObjectsConfig::Directory(path) => Self::in_directory(path.join(bucket)).await,
            ObjectsConfig::Nats => {
                let store = context.get_object_store(bucket).await.map_err(unavailable)?;
                Ok(Self { place: Arc::new(Place::Nats(Box::new(store))) })
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
            Place::Directory(root) => put_file(root, folder, name, attributes, content, limit).await,
            Place::Nats(store) => put_object(store, folder, name, attributes, content, limit).await,
        }
    }

    /// What is known of an object, if it is there.
    pub(crate) async fn info(&self, folder: &str, name: &str) -> Result<Option<ObjectInfo>, ObjectError> {
        check(folder)?;
        check(name)?;
        match &*self.place {
            Place::Directory(root) => match tokio::fs::File::open(root.join(folder).join(name)).await {
                Ok(mut file) => read_header(&mut file, name).await.map(Some),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(ObjectError::Directory(error)),
            },
            Place::Nats(store) => match store.info(format!("{folder}/{name}")).await {
                Ok(info) if info.deleted => Ok(None),
                Ok(info) => object_info(&info).map(Some),
                Err(error) if error.kind() == InfoErrorKind::NotFound => Ok(None),
                Err(error) => Err(unavailable(error)),
            },
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
            Place::Directory(root) => match tokio::fs::File::open(root.join(folder).join(name)).await {
                Ok(mut file) => {
                    let info = read_header(&mut file, name).await?;
                    let reader: ObjectReader = Box::pin(file.take(info.size));
                    Ok(Some((info, reader)))
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(ObjectError::Directory(error)),
            },
            Place::Nats(store) => match store.get(format!("{folder}/{name}")).await {
                Ok(object) => {
                    let info = object_info(object.info())?;
                    let reader: ObjectReader = Box::pin(object);
                    Ok(Some((info, reader)))
                }
                Err(error) if error.kind() == GetErrorKind::NotFound => Ok(None),
                Err(error) => Err(unavailable(error)),
            },
        }
    }

    /// Takes an object away; says whether it was there.
    pub(crate) async fn delete(&self, folder: &str, name: &str) -> Result<bool, ObjectError> {
        check(folder)?;
        check(name)?;
        match &*self.place {
            Place::Directory(root) => match tokio::fs::remove_file(root.join(folder).join(name)).await {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
                Err(error) => Err(ObjectError::Directory(error)),
            },
            Place::Nats(store) => {
                if self.info(folder, name).await?.is_none() {
                    return Ok(false);
                }
                store.delete(format!("{folder}/{name}")).await.map_err(unavailable)?;
                Ok(true)
            }
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

// A file holds the content, then the header as JSON, then the header's length: the digest is known at the end only,
// and a single file can be put in place by a single rename.

const TRAILER: usize = 8;

async fn put_file(
    root: &std::path::Path,
    folder: &str,
    name: &str,
    attributes: HashMap<String, String>,
    content: &mut (impl AsyncRead + Unpin + Send),
    limit: u64,
) -> Result<ObjectInfo, ObjectError> {
    let folder = root.join(folder);
    tokio::fs::create_dir_all(&folder).await.map_err(ObjectError::Directory)?;
    // Not a valid name, so nobody reads it; random, so two writers do not meet.
    let draft = folder.join(format!(".{name}.{:016x}", rand::random::<u64>()));
    let written = write_draft(&draft, attributes, content, limit).await;
    let placed = match written {
        Ok(info) => match tokio::fs::rename(&draft, folder.join(name)).await {
            Ok(()) => Ok(info),
            Err(error) => Err(ObjectError::Directory(error)),
        },
        Err(error) => Err(error),
    };
    if placed.is_err() {
        tokio::fs::remove_file(&draft).await.ok();
    }
    placed
}

async fn write_draft(
    draft: &std::path::Path,
    attributes: HashMap<String, String>,
    content: &mut (impl AsyncRead + Unpin + Send),
    limit: u64,
) -> Result<ObjectInfo, ObjectError> {
    let mut file = tokio::fs::File::create(draft).await.map_err(ObjectError::Directory)?;
    let mut digest = Sha256::new();
    let mut size: u64 = 0;
    let mut piece = vec![0; PIECE];
    loop {
        let read = content.read(&mut piece).await.map_err(ObjectError::Read)?;
        if read == 0 {
            break;
        }
        size += read as u64;
        if size > limit {
            return Err(ObjectError::TooLarge { limit });
        }
        digest.update(&piece[..read]);
        file.write_all(&piece[..read]).await.map_err(ObjectError::Directory)?;
    }
    let info = ObjectInfo { size, sha256: hex::encode(digest.finalize()), attributes };
    let header = serde_json::to_vec(&info).expect("strings and a number are always JSON");
    file.write_all(&header).await.map_err(ObjectError::Directory)?;
    file.write_all(&(header.len() as u64).to_be_bytes()).await.map_err(ObjectError::Directory)?;
    file.sync_all().await.map_err(ObjectError::Directory)?;
    Ok(info)
}

/// Reads the header at the end of a file, and leaves the file at its beginning.
async fn read_header(file: &mut tokio::fs::File, name: &str) -> Result<ObjectInfo, ObjectError> {
    use tokio::io::AsyncSeekExt;
    let damaged = || ObjectError::Damaged(name.to_owned());
    let length = file.metadata().await.map_err(ObjectError::Directory)?.len();
    let at = length.checked_sub(TRAILER as u64).ok_or_else(damaged)?;
    file.seek(std::io::SeekFrom::Start(at)).await.map_err(ObjectError::Directory)?;
    let header = file.read_u64().await.map_err(ObjectError::Directory)?;
    let begin = at.checked_sub(header).ok_or_else(damaged)?;
    file.seek(std::io::SeekFrom::Start(begin)).await.map_err(ObjectError::Directory)?;
    let mut json = vec![0; usize::try_from(header).map_err(|_| damaged())?];
    file.read_exact(&mut json).await.map_err(ObjectError::Directory)?;
    let info: ObjectInfo = serde_json::from_slice(&json).map_err(|_| damaged())?;
    if info.size != begin {
        return Err(damaged());
    }
    file.seek(std::io::SeekFrom::Start(0)).await.map_err(ObjectError::Directory)?;
    Ok(info)
}

async fn put_object(
    store: &ObjectStore,
    folder: &str,
    name: &str,
    attributes: HashMap<String, String>,
    content: &mut (impl AsyncRead + Unpin + Send),
    limit: u64,
) -> Result<ObjectInfo, ObjectError> {
    // The client writes the pieces before it knows whether all of them will come, and does not take them back: so
    // what is too large or breaks off has to be noticed before the first piece is written.
    let mut whole = Vec::new();
    let read =
        content.take(limit.saturating_add(1)).read_to_end(&mut whole).await.map_err(ObjectError::Read)?;
    if read as u64 > limit {
        return Err(ObjectError::TooLarge { limit });
    }
    let info = ObjectInfo { size: read as u64, sha256: hex::encode(Sha256::digest(&whole)), attributes };
    let json = serde_json::to_string(&info).expect("strings and a number are always JSON");
    let metadata = ObjectMetadata {
        name: format!("{folder}/{name}"),
        metadata: HashMap::from([(ATTRIBUTES.to_owned(), json)]),
        ..ObjectMetadata::default()
    };
    store.put(metadata, &mut whole.as_slice()).await.map_err(unavailable)?;
    Ok(info)
}

fn object_info(info: &async_nats::jetstream::object_store::ObjectInfo) -> Result<ObjectInfo, ObjectError> {
    info.metadata
        .get(ATTRIBUTES)
        .and_then(|json| serde_json::from_str(json).ok())
        .ok_or_else(|| ObjectError::Damaged(info.name.clone()))
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
