//! Objects in a NATS object store; the record stands in the object's metadata.

use std::collections::HashMap;

use async_nats::jetstream::object_store::{self, GetErrorKind, InfoErrorKind, ObjectMetadata, ObjectStore};
use tokio::io::AsyncRead;

use super::{ObjectError, ObjectInfo, ObjectReader, RECORD, take_in, unavailable};

pub(super) async fn put(
    store: &ObjectStore,
    folder: &str,
    name: &str,
    attributes: HashMap<String, String>,
    content: &mut (impl AsyncRead + Unpin + Send),
    limit: u64,
) -> Result<ObjectInfo, ObjectError> {
    let (info, whole) = take_in(attributes, content, limit).await?;
    let json = serde_json::to_string(&info).expect("strings and a number are always JSON");
    let metadata = ObjectMetadata {
        name: format!("{folder}/{name}"),
        metadata: HashMap::from([(RECORD.to_owned(), json)]),
        ..ObjectMetadata::default()
    };
    store.put(metadata, &mut whole.as_slice()).await.map_err(unavailable)?;
    Ok(info)
}

pub(super) async fn info(
    store: &ObjectStore,
    folder: &str,
    name: &str,
) -> Result<Option<ObjectInfo>, ObjectError> {
    match store.info(format!("{folder}/{name}")).await {
        Ok(info) if info.deleted => Ok(None),
        Ok(info) => record(&info).map(Some),
        Err(error) if error.kind() == InfoErrorKind::NotFound => Ok(None),
        Err(error) => Err(unavailable(error)),
    }
}

pub(super) async fn get(
    store: &ObjectStore,
    folder: &str,
    name: &str,
) -> Result<Option<(ObjectInfo, ObjectReader)>, ObjectError> {
    match store.get(format!("{folder}/{name}")).await {
        Ok(object) => {
            let info = record(object.info())?;
            let reader: ObjectReader = Box::pin(object);
            Ok(Some((info, reader)))
        }
        Err(error) if error.kind() == GetErrorKind::NotFound => Ok(None),
        Err(error) => Err(unavailable(error)),
    }
}

pub(super) async fn delete(store: &ObjectStore, folder: &str, name: &str) -> Result<bool, ObjectError> {
    if info(store, folder, name).await?.is_none() {
        return Ok(false);
    }
    store.delete(format!("{folder}/{name}")).await.map_err(unavailable)?;
    Ok(true)
}

fn record(info: &object_store::ObjectInfo) -> Result<ObjectInfo, ObjectError> {
    info.metadata
        .get(RECORD)
        .and_then(|json| serde_json::from_str(json).ok())
        .ok_or_else(|| ObjectError::Damaged(info.name.clone()))
}
