//! Laying out streams and buckets: idempotent, and never smaller without being told twice.

mod diff;
mod plan;

pub use diff::{Change, Verdict};
pub use plan::{Layout, Plan, StreamSpec};

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::Config;

use crate::fabric::{BrokerError, Fabric};
use crate::subjects::Stream;

/// Key of the partition count in a stream's metadata.
pub const PARTITIONS: &str = "heliograph.partitions";

/// What is missing on the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Stream on the broker (buckets are streams named `KV_…` and `OBJ_…`).
    pub stream: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Why the broker is not laid out, or could not be.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The broker lacks streams; nothing can run on it.
    #[error("the broker is not provisioned ({}); run `heliograph provision`", list(.0))]
    NotProvisioned(Vec<Missing>),
    /// The broker does not know something that a stream needs.
    #[error(
        "{stream} cannot store messages for later: NATS 2.12 or newer is needed, and this broker is {version}"
    )]
    TooOld {
        /// The stream.
        stream: String,
        /// What the broker says it is.
        version: String,
    },
    /// The broker could not be asked or told.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

fn list(missing: &[Missing]) -> String {
    let each = missing.iter().map(|missing| format!("{}: {}", missing.stream, missing.reason));
    each.collect::<Vec<_>>().join("; ")
}

/// What provisioning did, or would do.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Every difference found, with its verdict. Empty when the broker is as planned.
    pub changes: Vec<Change>,
    /// Whether changes were carried out.
    pub applied: bool,
}

impl Report {
    /// What was refused because it would shrink something.
    pub fn refused(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.verdict == Verdict::Refused)
    }

    /// Whether the broker is as planned, except for what was refused.
    pub fn is_unchanged(&self) -> bool {
        self.changes.iter().all(|change| change.verdict == Verdict::Refused)
    }
}

/// How to provision.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProvisionOptions {
    /// Report only.
    pub dry_run: bool,
    /// Also carry out what shrinks: messages may be lost by it.
    pub force: bool,
}

/// Makes the broker match `plan`: creates what is missing, extends what is smaller, and refuses to shrink unless forced.
pub async fn provision(
    fabric: &Fabric,
    plan: &Plan,
    options: ProvisionOptions,
) -> Result<Report, ProvisionError> {
    let mut report = Report { applied: !options.dry_run, ..Report::default() };
    for spec in plan.streams() {
        let found = find(fabric, &spec.name).await?;
        let (changes, wanted) = diff::diff(found.as_ref(), &spec, options.force);
        if !options.dry_run
            && let Some(wanted) = wanted
        {
            let what = format!("provision {}", spec.name);
            let made = if found.is_some() {
                let done = fabric.jetstream().update_stream(&wanted).await;
                done.map_err(|source| BrokerError::new(what, source))?.config
            } else {
                let done = fabric.jetstream().create_stream(wanted).await;
                done.map_err(|source| BrokerError::new(what, source))?.cached_info().config.clone()
            };
            // A broker ignores settings that it does not know.
            if spec.schedules && !made.allow_message_schedules {
                let version = fabric.client().server_info().version;
                return Err(ProvisionError::TooOld { stream: spec.name, version });
            }
        }
        report.changes.extend(changes);
    }
    Ok(report)
}

/// Reads the partition counts the broker was laid out with.
pub(crate) async fn read_layout(fabric: &Fabric) -> Result<Layout, ProvisionError> {
    let mut missing = Vec::new();
    let mut counts = [0; 3];
    for (count, stream) in counts.iter_mut().zip([Stream::Inbound, Stream::Routing, Stream::Outbound]) {
        let found = find(fabric, stream.name()).await?;
        let read = found.as_ref().and_then(diff::partitions);
        match read.filter(|count| *count > 0) {
            Some(partitions) => *count = partitions,
            None => missing.push(Missing {
                stream: stream.name().to_owned(),
                reason: if found.is_some() {
                    "has no partition count".to_owned()
                } else {
                    "does not exist".to_owned()
                },
            }),
        }
    }
    if missing.is_empty() {
        Ok(Layout { inbound: counts[0], routing: counts[1], outbound: counts[2] })
    } else {
        Err(ProvisionError::NotProvisioned(missing))
    }
}

/// Checks that everything a fleet needs exists, whatever its sizes.
pub(crate) async fn check(fabric: &Fabric) -> Result<(), ProvisionError> {
    let mut missing = Vec::new();
    for spec in Plan::default().streams() {
        let lacking = match find(fabric, &spec.name).await? {
            None => Some("does not exist".to_owned()),
            Some(found) => lacking(&spec, &found),
        };
        missing.extend(lacking.map(|reason| Missing { stream: spec.name.clone(), reason }));
    }
    if missing.is_empty() { Ok(()) } else { Err(ProvisionError::NotProvisioned(missing)) }
}

/// What an existing stream lacks.
fn lacking(spec: &StreamSpec, found: &Config) -> Option<String> {
    let subject = spec.subjects.iter().find(|subject| !found.subjects.contains(*subject));
    match subject {
        Some(subject) => Some(format!("does not take {subject}")),
        None if spec.schedules && !found.allow_message_schedules => {
            Some("does not store messages for later (NATS 2.12 or newer is needed)".to_owned())
        }
        None => None,
    }
}

async fn find(fabric: &Fabric, name: &str) -> Result<Option<Config>, BrokerError> {
    match fabric.jetstream().get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(source) if source.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                Ok(None)
            }
            _ => Err(BrokerError::new(format!("tell about stream {name}"), error)),
        },
    }
}
