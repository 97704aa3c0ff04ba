//! One message, from the stream to its outcome.
//!
//! Everything that matters is written down on the way (the attempt before the call, the outcome after it), so this may
//! begin again at any point, here or at another owner: what was decided is found and said again.
//!
//! ```text
//! judge ─► allowed ─► transcode ─► window ─► turn ─► attempt ─► call ─► end
//!   └────► not now: put off   └────► closed: template          └─────┴─► another channel, or its own end
//! ```

mod call;
mod case;
mod check;
mod conclude;
mod divert;
mod end;
mod pace;
mod part;
mod receipt;
mod reroute;
mod send;
mod settle;
mod turn;

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use heliograph_fabric::{AckError, Burial, Owned, Record, WorkItem, backoff::Backoff, subjects};
use heliograph_proto::v1::OutboundMessage;
use tracing::Instrument as _;

use crate::{
    STAGE,
    error::{Failure, chain},
    line::{Line, Shared},
};
use case::{Case, Memory};

/// Works on an item to its end and settles it. An error leaves it to the next owner.
pub(crate) async fn work(line: &Line, owned: &Owned, item: WorkItem) -> Result<(), Failure> {
    let span = item.record().process_span();
    async {
        let worked = AssertUnwindSafe(process(line, owned, &item)).catch_unwind().await;
        let buried = match worked {
            Ok(Ok(buried)) => buried,
            Ok(Err(Failure::Poison { reason, error })) => Some((reason, error, item.delivered())),
            Ok(Err(failure)) => return Err(failure),
            Err(_) => Some(("panic", "egress panicked over this message".to_owned(), item.delivered())),
        };
        let settled = match buried {
            None => item.ack().await,
            Some((reason, error, tries)) => {
                bury(&line.shared, owned, item.record(), reason, error, tries).await?;
                item.term(reason).await
            }
        };
        match settled {
            // It comes again, and is found to be done.
            Ok(()) | Err(AckError::Away { .. }) => Ok(()),
            Err(AckError::Lost(_)) => Err(Failure::Lost),
        }
    }
    .instrument(span)
    .await
}

/// Why a message becomes a dead letter: reason, error, tries.
type Buried = Option<(&'static str, String, u64)>;

async fn process(line: &Line, owned: &Owned, item: &WorkItem) -> Result<Buried, Failure> {
    let record = item.record();
    let out = decode(record)?;
    let case = Case::new(line, owned, &out, item)?;
    let mut memory = Memory::default();
    let mut backoff = Backoff::default();
    loop {
        match Box::pin(case.deliver(&mut memory)).await {
            Ok(buried) => return Ok(buried),
            Err(Failure::Away(error)) => {
                tracing::debug!(seq = record.seq, error, "an outbound message waits");
                case.sleep(backoff.next_wait()).await?;
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn decode(record: &Record) -> Result<OutboundMessage, Failure> {
    let decoded = record.envelope().and_then(|envelope| envelope.decode::<OutboundMessage>());
    let out = decoded.map_err(|error| Failure::poison("malformed", chain(&error)))?;
    let at: subjects::Outbound = record
        .subject
        .parse()
        .map_err(|error: subjects::SubjectError| Failure::poison("subject", error.to_string()))?;
    if at.tenant != out.tenant {
        return Err(Failure::poison("tenant_mismatch", "the message says another tenant than its subject"));
    }
    Ok(out)
}

/// Stores a dead letter; tries until that is done.
async fn bury(
    shared: &Shared,
    owned: &Owned,
    record: &Record,
    reason: &str,
    error: String,
    tries: u64,
) -> Result<(), Failure> {
    let burial = Burial { stage: STAGE, reason, error, tries };
    let mut backoff = Backoff::default();
    loop {
        owned.fence.check().map_err(|_| Failure::Lost)?;
        match shared.dead.bury(record, &burial, None).await {
            Ok(_) => return Ok(()),
            Err(error) => {
                tracing::error!(seq = record.seq, error = chain(&error), "a dead letter cannot be stored");
                tokio::time::sleep(backoff.next_wait()).await;
            }
        }
    }
}
