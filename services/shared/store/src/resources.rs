//! Declared resources: what tenants and operators own, versioned, watched by every service.
//!
//! The store keeps every version the bucket's history holds, refuses writes that would undo somebody else's, and keeps
//! an always-current picture in memory ([`ResourceView`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_nats::jetstream::Context;
use heliograph_domain::ids;
use heliograph_domain::resources::{Kind, Resource, ResourceKey, Stored};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::kv::{KvBucket, KvError, decode};
use crate::watch::{BucketWatch, Task, WatchEvent};

/// The bucket of resources.
pub const BUCKET: &str = "HG_RESOURCES";

/// Why an operation on resources failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResourceError {
    /// Tenant or name cannot be part of a key.
    #[error("{tenant:?} or {name:?} is not a name: lower-case letters, digits and inner hyphens, at most 63")]
    InvalidName {
        /// The tenant as given.
        tenant: String,
        /// The name as given.
        name: String,
    },
    /// The resource is not at the version the caller expected.
    #[error("{key} is not at the expected version: {}", found.map_or_else(|| "it does not exist".to_owned(), |found| format!("it is at {found}")))]
    Stale {
        /// Which resource.
        key: ResourceKey,
        /// The version it has; none when it does not exist.
        found: Option<u64>,
    },
    /// The bucket failed.
    #[error(transparent)]
    Kv(#[from] KvError),
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: the last writer wins.
    Anything,
    /// The resource does not exist.
    Absent,
    /// The resource is at this version.
    Version(u64),
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The resource is new.
    Created,
    /// The resource has a new value.
    Updated,
    /// The resource had this value already; nothing was written.
    Unchanged,
}

/// The answer to an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// What happened.
    pub outcome: Outcome,
    /// The version the resource is at now.
    pub version: u64,
}

/// One step of a resource's history.
#[derive(Debug, Clone, PartialEq)]
pub enum Revision {
    /// This version was applied.
    Applied(Box<Stored>),
    /// A version was applied that this release cannot read.
    Unreadable {
        /// Which, if that much can be read.
        version: Option<u64>,
        /// Who applied it; empty if that cannot be read.
        by: String,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// The resource was deleted. The broker notes when, and nobody's name.
    Deleted {
        /// When.
        at: Timestamp,
    },
}

/// What is read of a stored resource to write the next version, also when a newer release wrote it.
#[derive(Debug, Deserialize)]
struct Known {
    version: u64,
    resource: Value,
    #[serde(default)]
    applied_by: String,
}

/// Every resource at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    entries: BTreeMap<ResourceKey, Arc<Stored>>,
    unreadable: BTreeMap<String, String>,
    revision: u64,
}

impl Snapshot {
    /// A picture of these resources, for whoever has them from elsewhere than the store.
    pub fn of(resources: impl IntoIterator<Item = Stored>) -> Self {
        let entries = resources.into_iter().map(|stored| (stored.resource.key(), Arc::new(stored))).collect();
        Self { entries, ..Self::default() }
    }

    /// The resource of this name.
    pub fn get(&self, key: &ResourceKey) -> Option<&Arc<Stored>> {
        self.entries.get(key)
    }

    /// Every resource, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Stored>> {
        self.entries.values()
    }

    /// One tenant's resources, of one kind if given, ordered by kind and name.
    pub fn of_tenant<'a>(
        &'a self,
        tenant: &'a str,
        kind: Option<Kind>,
    ) -> impl Iterator<Item = &'a Arc<Stored>> {
        self.entries
            .range(first_key(tenant, kind)..)
            .take_while(move |(key, _)| key.tenant == tenant && kind.is_none_or(|kind| key.kind == kind))
            .map(|(_, stored)| stored)
    }

    /// All tenants' resources of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Arc<Stored>> {
        self.entries.iter().filter(move |(key, _)| key.kind == kind).map(|(_, stored)| stored)
    }

    /// Resources that are stored but that this release cannot read, by path, with the reason. What was readable of
    /// them before stays in force.
    pub fn unreadable(&self) -> &BTreeMap<String, String> {
        &self.unreadable
    }

    /// Grows with every change: the bucket-wide sequence of the latest write in the picture.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Applies one change; says whether it changed anything.
    fn take(&mut self, event: WatchEvent) -> bool {
        match event {
            WatchEvent::Put { key, revision, value, .. } => {
                self.revision = self.revision.max(revision);
                match decode::<Stored>(&key, &value) {
                    Ok(stored) => {
                        self.unreadable.remove(&key);
                        self.entries.insert(stored.resource.key(), Arc::new(stored));
                    }
                    Err(error) => {
                        let reason = reason(&error);
                        tracing::warn!(
                            resource = key,
                            reason,
                            "a stored resource cannot be read; its last readable version stays in force"
                        );
                        self.unreadable.insert(key, reason);
                    }
                }
                true
            }
            WatchEvent::Removed { key } => {
                let unreadable = self.unreadable.remove(&key).is_some();
                let known = ResourceKey::from_path(&key).and_then(|key| self.entries.remove(&key)).is_some();
                unreadable || known
            }
            WatchEvent::Current => false,
        }
    }
}

/// The key that stands before all others of its tenant (and kind).
fn first_key(tenant: &str, kind: Option<Kind>) -> ResourceKey {
    let first = Kind::ALL.into_iter().min().expect("there are kinds");
    ResourceKey { tenant: tenant.to_owned(), kind: kind.unwrap_or(first), name: String::new() }
}

/// The resources of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ResourceStore {
    bucket: KvBucket,
}

impl ResourceStore {
    /// Opens the provisioned bucket [`BUCKET`].
    pub async fn open(context: &Context) -> Result<Self, ResourceError> {
        Ok(Self { bucket: KvBucket::open(context, BUCKET).await? })
    }

    /// Writes a resource if `expect` holds. `by` says who, for the history.
    ///
    /// A resource that equals the stored one is not written again, so applying a file twice changes nothing.
    pub async fn apply(
        &self,
        resource: &Resource,
        expect: Expect,
        by: &str,
        now: Timestamp,
    ) -> Result<Applied, ResourceError> {
        let key = resource.key();
        let path = path(&key)?;
        let json = resource.to_json();
        loop {
            let last = self.bucket.latest(&path).await?;
            let current = last.as_ref().filter(|last| !last.deleted);
            let known = current.map(|current| decode::<Known>(&path, &current.value)).transpose()?;
            let found = known.as_ref().map(|known| known.version);
            let holds = match expect {
                Expect::Anything => true,
                Expect::Absent => found.is_none(),
                Expect::Version(version) => found == Some(version),
            };
            if !holds {
                return Err(ResourceError::Stale { key, found });
            }
            if let Some(known) = &known
                && known.resource == json
            {
                return Ok(Applied { outcome: Outcome::Unchanged, version: known.version });
            }
            let before = match (found, &last) {
                (Some(version), _) => version,
                // A resource that was deleted goes on counting, so that no version ever means two things.
                (None, Some(_)) => self.last_version(&path).await?,
                (None, None) => 0,
            };
            let stored = Stored {
                resource: resource.clone(),
                version: before + 1,
                applied_by: by.to_owned(),
                applied_at: now,
            };
            let (outcome, written) = match current {
                Some(current) => {
                    (Outcome::Updated, self.bucket.update(&path, &stored, current.revision).await)
                }
                None => (Outcome::Created, self.bucket.create(&path, &stored).await),
            };
            match written {
                Ok(_) => return Ok(Applied { outcome, version: stored.version }),
                // Somebody was faster: look again whether what was expected still holds.
                Err(KvError::Conflict { .. } | KvError::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The highest version in a key's history.
    async fn last_version(&self, path: &str) -> Result<u64, ResourceError> {
        let history = self.bucket.history(path).await?;
        let versions = history.iter().filter_map(|entry| decode::<Known>(path, &entry.value).ok());
        Ok(versions.map(|known| known.version).max().unwrap_or(0))
    }

    /// The resource as it is now.
    pub async fn get(&self, key: &ResourceKey) -> Result<Option<Stored>, ResourceError> {
        Ok(self.bucket.get_latest::<Stored>(&path(key)?).await?.map(|found| found.value))
    }

    /// One tenant's resources, of one kind if given, ordered by kind and name.
    pub async fn list(&self, tenant: &str, kind: Option<Kind>) -> Result<Vec<Stored>, ResourceError> {
        check(tenant, "any")?;
        let prefix = match kind {
            Some(kind) => format!("{tenant}.{kind}."),
            None => format!("{tenant}."),
        };
        self.list_under(&prefix).await
    }

    /// Every tenant's resources, ordered by tenant, kind and name.
    pub async fn list_all(&self) -> Result<Vec<Stored>, ResourceError> {
        self.list_under("").await
    }

    async fn list_under(&self, prefix: &str) -> Result<Vec<Stored>, ResourceError> {
        let mut found: Vec<Stored> =
            self.bucket.list::<Stored>(prefix).await?.into_iter().map(|(_, found)| found.value).collect();
        found.sort_by_cached_key(|stored| stored.resource.key());
        Ok(found)
    }

    /// The steps of a resource's history that are still kept, oldest first.
    pub async fn history(&self, key: &ResourceKey) -> Result<Vec<Revision>, ResourceError> {
        let path = path(key)?;
        let entries = self.bucket.history(&path).await?;
        Ok(entries
            .into_iter()
            .map(|entry| {
                let at = Timestamp::from_millisecond(entry.stored_at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
                if entry.deleted {
                    return Revision::Deleted { at };
                }
                match decode::<Stored>(&path, &entry.value) {
                    Ok(stored) => Revision::Applied(Box::new(stored)),
                    Err(error) => {
                        let known = decode::<Known>(&path, &entry.value).ok();
                        let (version, by) = known
                            .map_or_else(Default::default, |known| (Some(known.version), known.applied_by));
                        Revision::Unreadable { version, by, at, reason: reason(&error) }
                    }
                }
            })
            .collect())
    }

    /// Deletes a resource if `expect` holds; says whether it was there. Its history stays.
    pub async fn delete(&self, key: &ResourceKey, expect: Expect) -> Result<bool, ResourceError> {
        let path = path(key)?;
        loop {
            let last = self.bucket.latest(&path).await?;
            let current = last.as_ref().filter(|last| !last.deleted);
            let known = current.map(|current| decode::<Known>(&path, &current.value)).transpose()?;
            let found = known.as_ref().map(|known| known.version);
            let holds = match expect {
                Expect::Anything => true,
                Expect::Absent => found.is_none(),
                Expect::Version(version) => found == Some(version),
            };
            if !holds {
                return Err(ResourceError::Stale { key: key.clone(), found });
            }
            let Some(current) = current else { return Ok(false) };
            match self.bucket.delete(&path, Some(current.revision)).await {
                Ok(()) => return Ok(true),
                Err(KvError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Starts keeping an always-current picture of all resources in memory.
    pub fn watch(&self) -> ResourceView {
        let (sender, snapshot) = watch::channel(Arc::new(Snapshot::default()));
        let (ready_sender, ready) = watch::channel(false);
        let events = BucketWatch::start(self.bucket.clone());
        let task = Task(tokio::spawn(keep(events, sender, ready_sender)));
        ResourceView { snapshot, ready, _task: Arc::new(task) }
    }
}

/// The key-value key of a resource, if its parts can be one.
fn path(key: &ResourceKey) -> Result<String, ResourceError> {
    check(&key.tenant, &key.name)?;
    Ok(key.path())
}

fn check(tenant: &str, name: &str) -> Result<(), ResourceError> {
    if ids::is_name(tenant) && ids::is_name(name) {
        Ok(())
    } else {
        Err(ResourceError::InvalidName { tenant: tenant.to_owned(), name: name.to_owned() })
    }
}

/// What is wrong with a value, without the key, which is known.
fn reason(error: &KvError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// An always-current picture of the resources. Cheap to clone; it is kept up until the last clone is dropped.
///
/// It survives restarts of the broker: what changed meanwhile arrives when the broker is back.
#[derive(Debug, Clone)]
pub struct ResourceView {
    snapshot: watch::Receiver<Arc<Snapshot>>,
    ready: watch::Receiver<bool>,
    _task: Arc<Task>,
}

impl ResourceView {
    /// The resources as known now. Costs a reference count.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.borrow().clone()
    }

    /// Waits until everything that stood in the bucket when the view started is in the snapshot.
    pub async fn ready(&self) {
        // The sender lives as long as the task, and the task as long as this view.
        self.ready.clone().wait_for(|ready| *ready).await.ok();
    }

    /// Whether [`Self::ready`] would return at once.
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Waits for the next change and returns the snapshot with it. Each clone of a view sees each change once;
    /// changes in quick succession may arrive as one. Safe to cancel.
    pub async fn changed(&mut self) -> Arc<Snapshot> {
        if self.snapshot.changed().await.is_err() {
            // The task ended, which it does with the runtime only.
            std::future::pending::<()>().await;
        }
        self.snapshot.borrow_and_update().clone()
    }
}

async fn keep(mut events: BucketWatch, sender: watch::Sender<Arc<Snapshot>>, ready: watch::Sender<bool>) {
    let mut snapshot = Snapshot::default();
    let (mut current, mut changed) = (false, false);
    while let Some(first) = events.next().await {
        let mut event = Some(first);
        // What arrived together is published together: copying the map costs more than a change does.
        while let Some(next) = event {
            match next {
                WatchEvent::Current => current = true,
                other => changed |= snapshot.take(other),
            }
            event = events.try_next();
        }
        // Half a listing is no picture of anything.
        if current && std::mem::take(&mut changed) {
            sender.send_replace(Arc::new(snapshot.clone()));
        }
        if current {
            ready.send_replace(true);
        }
    }
}
