//! Objects in a local directory, one file each.
//!
//! A file holds the content, then the record as JSON, then the record's length: the digest is known at the end only, and a
//! single file can be put in place by a single rename. (`object_store`'s local file system keeps no attributes, so it
//! would need a second file, and two files cannot be put in place at once.)

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::{ObjectError, ObjectInfo, ObjectReader};

/// Read in pieces of this size.
const PIECE: usize = 128 * 1024;
/// Bytes of the record's length.
const TRAILER: usize = 8;

pub(super) async fn info(root: &Path, folder: &str, name: &str) -> Result<Option<ObjectInfo>, ObjectError> {
    match tokio::fs::File::open(root.join(folder).join(name)).await {
        Ok(mut file) => read_header(&mut file, name).await.map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ObjectError::Directory(error)),
    }
}

pub(super) async fn get(
    root: &Path,
    folder: &str,
    name: &str,
) -> Result<Option<(ObjectInfo, ObjectReader)>, ObjectError> {
    match tokio::fs::File::open(root.join(folder).join(name)).await {
        Ok(mut file) => {
            let info = read_header(&mut file, name).await?;
            let reader: ObjectReader = Box::pin(file.take(info.size));
            Ok(Some((info, reader)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ObjectError::Directory(error)),
    }
}

pub(super) async fn delete(root: &Path, folder: &str, name: &str) -> Result<bool, ObjectError> {
    match tokio::fs::remove_file(root.join(folder).join(name)).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ObjectError::Directory(error)),
    }
}

pub(super) async fn put(
    root: &Path,
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
    draft: &Path,
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
