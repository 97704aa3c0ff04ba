//! One agent's session, whatever it is carried over.
//!
//! A transport turns its frames into [`SessionRequest`]s, writes what comes out of the session's queue, and closes the
//! connection as the session's [`End`] says.

mod check;
mod end;
mod engine;
mod out;
mod shown;
mod start;
mod work;

use std::sync::Arc;

use futures::stream::BoxStream;
use heliograph_fabric::Fabric;
use heliograph_media::Links;
use heliograph_proto::v1::{SessionRequest, SessionResponse};
use heliograph_runtime::Shutdown;
use heliograph_store::windows::Windows;
use tokio::sync::mpsc;

pub(crate) use end::End;
pub(crate) use engine::with_media;

use crate::{
    auth::Identity, board::Boards, carriers::Carriers, config::DeskConfig, metrics::Metrics, people::People,
    policies::Policies, roster::Roster, routing::Routing, sign_in::Users, tail::Tails, tally::Tally,
};
use out::Out;

/// What the sessions of a process share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: DeskConfig,
    pub(crate) fabric: Fabric,
    pub(crate) routing: Routing,
    pub(crate) tails: Tails,
    pub(crate) boards: Boards,
    pub(crate) roster: Roster,
    pub(crate) users: Users,
    pub(crate) links: Links,
    pub(crate) carriers: Carriers,
    /// Bytes of the largest file that is taken in.
    pub(crate) largest_file: u64,
    pub(crate) policies: Policies,
    pub(crate) people: People,
    pub(crate) windows: Windows,
    pub(crate) tally: Tally,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
    /// What outlives its session for a moment: commands that were taken and are not stored yet.
    pub(crate) unfinished: tokio_util::task::TaskTracker,
}

/// A frame that is not one.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadFrame(pub(crate) String);

/// The client's frames, until it leaves.
pub(crate) type Frames = BoxStream<'static, Result<SessionRequest, BadFrame>>;

/// Runs a session over a transport until one side ends it. The queue closes with it; whoever reads the queue gets a
/// last error frame when there is room, and closes as [`End`] says.
pub(crate) async fn run(
    shared: &Arc<Shared>,
    transport: &'static str,
    frames: Frames,
    queue: mpsc::Sender<SessionResponse>,
) -> End {
    shared.metrics.opened(transport);
    let out = Out::new(queue, shared.config.slow_client);
    let end = tokio::select! {
        // Boxed: it is the whole of a session, and transports hold it among what is their own.
        end = Box::pin(engine::session(shared, frames, out.clone())) => end,
        () = shared.shutdown.draining() => End::Restart,
    };
    shared.metrics.ended(transport, end.label());
    tracing::debug!(transport, why = end.label(), "session ended");
    if let Some(error) = end.frame() {
        out.last(error);
    }
    end
}

/// When the session's token ends, on this process's clock.
fn expires(identity: &Identity) -> tokio::time::Instant {
    let now = u64::try_from(heliograph_store::now_ms() / 1_000).unwrap_or_default();
    let left = identity.expires_at.saturating_sub(now);
    tokio::time::Instant::now() + std::time::Duration::from_secs(left)
}
