//! The one way in: bounded in size, time and memory, looked at, scanned, and only then stored.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _};
use heliograph_store::{
    media::{MediaInfo, MediaStore, Refusal},
    objects::ObjectError,
};
use opentelemetry::{KeyValue, metrics::Counter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{MediaSettings, SCANNER_AWAY, Scanner, Verdict, metrics, name, scan::ScanError, sniff};

/// Memory is counted in units of this many bytes.
const UNIT: u64 = 1024;

/// Where a file comes from, which decides what is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A customer sent it through a provider: all that does no harm is taken, for nobody can ask them for another.
    Customer,
    /// Somebody uploads it and can be told at once: only types that are known are taken.
    Upload,
}

/// Why a file was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It never will be.
    #[error("refused: {}", .0.reason)]
    Refused(Refusal),
    /// It broke off on its way here.
    #[error("the file broke off: {0}")]
    BrokenOff(String),
    /// Nobody can say whether it is harmful.
    #[error(transparent)]
    Scanner(#[from] ScanError),
    /// It cannot be stored.
    #[error(transparent)]
    Store(#[from] ObjectError),
}

impl IntakeError {
    fn refused(code: &str, reason: impl Into<String>) -> Self {
        Self::Refused(Refusal { code: code.to_owned(), reason: reason.into() })
    }

    /// A short stable word for metrics and answers.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(refusal) => &refusal.code,
            Self::BrokenOff(_) => "broken_off",
            Self::Scanner(_) => SCANNER_AWAY,
            Self::Store(_) => "store_away",
        }
    }
}

/// A file in memory, with the room it takes there.
#[derive(Debug)]
pub struct Arrived {
    content: Bytes,
    _room: OwnedSemaphorePermit,
}

impl Arrived {
    /// Its bytes.
    pub fn content(&self) -> &Bytes {
        &self.content
    }
}

/// Takes files in. Cheap to clone; clones share the memory.
#[derive(Clone, Debug)]
pub struct Intake {
    store: MediaStore,
    scanner: Option<Scanner>,
    limit: u64,
    room: Arc<Semaphore>,
    taken: Counter<u64>,
}

impl Intake {
    /// Into `store`, by the section `media`.
    ///
    /// # Errors
    /// What is wrong with the section.
    pub fn new(store: MediaStore, settings: &MediaSettings) -> Result<Self, String> {
        settings.check()?;
        let scanner = settings.scan.clone().map(Scanner::new).transpose();
        let scanner = scanner.map_err(|wrong| format!("media.scan.{wrong}"))?;
        let units = usize::try_from(settings.memory.div_ceil(UNIT)).unwrap_or(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS)));
        Ok(Self { store, scanner, limit: settings.limit, room, taken: metrics::taken() })
    }

    /// Bytes of the largest file that is taken in.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Where files are kept.
    pub fn store(&self) -> &MediaStore {
        &self.store
    }

    /// Reads a file into memory, at most `limit` bytes of it and never more than the section allows. Waits for room.
    ///
    /// `announced` is its size as far as somebody said so.
    ///
    /// # Errors
    /// When it is too large, or `content` fails.
    pub async fn collect<E: std::fmt::Display>(
        &self,
        content: impl Stream<Item = Result<Bytes, E>>,
        announced: Option<u64>,
        limit: u64,
    ) -> Result<Arrived, IntakeError> {
        let limit = limit.min(self.limit);
        let too_large =
            || IntakeError::refused("too_large", format!("the file is larger than {limit} bytes"));
        if announced.is_some_and(|size| size > limit) {
            return Err(too_large());
        }
        // What is announced may be a lie, so no more than that is read either.
        let most = announced.filter(|size| *size > 0).unwrap_or(limit);
        let units = u32::try_from(most.div_ceil(UNIT).max(1)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(units).await.expect("never closed");
        let mut content = std::pin::pin!(content);
        let mut whole = BytesMut::new();
        while let Some(piece) = content.next().await {
            let piece = piece.map_err(|error| IntakeError::BrokenOff(error.to_string()))?;
            if (whole.len() + piece.len()) as u64 > most {
                return Err(if most == limit {
                    too_large()
                } else {
                    IntakeError::BrokenOff("it is longer than announced".to_owned())
                });
            }
            whole.extend_from_slice(&piece);
        }
        if announced.is_some_and(|size| size > whole.len() as u64) {
            return Err(IntakeError::BrokenOff("it is shorter than announced".to_owned()));
        }
        Ok(Arrived { content: whole.freeze(), _room: room })
    }

    /// Looks at a file, has it scanned and stores it as `id`.
    ///
    /// # Errors
    /// See [`IntakeError`]. Nothing is stored then.
    pub async fn store_as(
        &self,
        tenant: &str,
        id: &str,
        file_name: &str,
        origin: Origin,
        arrived: &Arrived,
    ) -> Result<MediaInfo, IntakeError> {
        let file_name = name::clean(file_name);
        let stored = self.judge_and_put(tenant, id, &file_name, origin, &arrived.content).await;
        let outcome = stored.as_ref().map_or_else(|error| error.code().to_owned(), |_| "stored".to_owned());
        self.taken.add(1, &[KeyValue::new("outcome", outcome)]);
        stored
    }

    async fn judge_and_put(
        &self,
        tenant: &str,
        id: &str,
        file_name: &str,
        origin: Origin,
        content: &[u8],
    ) -> Result<MediaInfo, IntakeError> {
        let kind = match (sniff::look(content, file_name), origin) {
            (sniff::Kind::Known(kind), _) => kind,
            (sniff::Kind::Unknown, Origin::Customer) => sniff::UNKNOWN,
            (sniff::Kind::Unknown, Origin::Upload) | (sniff::Kind::Harmful, _) => {
                return Err(IntakeError::refused("file_type", "files of this type are not accepted"));
            }
        };
        if let Some(scanner) = &self.scanner {
            match scanner.scan(content).await? {
                Verdict::Clean => {}
                Verdict::Infected(found) => {
                    tracing::warn!(tenant, id, found, "a file is infected");
                    return Err(IntakeError::refused("infected", "the virus scanner found something in it"));
                }
                Verdict::NotScannable(why) => return Err(IntakeError::refused("not_scannable", why)),
            }
        }
        Ok(self.store.put(tenant, id, kind, file_name, &mut &*content, content.len() as u64).await?)
    }
}
