//! Where a session begins: behind the last event the client saw, or with a state.

use std::{sync::Arc, time::Duration};

use heliograph_fabric::backoff::Backoff;
use heliograph_proto::v1::{DeskState, LogPosition, Welcome, session_response::Frame};
use tokio::time::Instant;

use super::{End, Out, Shared, work};
use crate::{
    auth::Identity,
    routing::{AgentState, QueryError},
    tail::{Item, Read, Tail},
    view::View,
};

/// After this the client is told that it waits.
const SAY_AFTER: Duration = Duration::from_secs(1);
/// An agent that was declared a moment ago is known to routing within this.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);

/// How a session goes on once it has begun.
#[derive(Debug)]
pub(super) struct Begin {
    /// What the agent may see from here on.
    pub(super) view: View,
    /// Events to send first.
    pub(super) gap: Vec<Arc<Item>>,
    /// Where the session stands after them.
    pub(super) position: u64,
    /// The state to send first, unless the client resumes.
    pub(super) state: Option<DeskState>,
    /// Facts decided up to here are in the state.
    pub(super) in_state: Option<LogPosition>,
    /// Whether the agent is anything but offline.
    pub(super) working: bool,
}

/// Says welcome and finds out where to begin.
pub(super) async fn begin(
    shared: Arc<Shared>,
    identity: Identity,
    tail: Arc<Tail>,
    resume_after: u64,
    out: Out,
) -> Result<Begin, End> {
    let gap = match resume_after {
        0 => None,
        after => missed(&shared, &identity, &tail, after).await?,
    };
    shared.routing.begin(&identity.tenant);
    shared.metrics.started(if gap.is_some() { "resumed" } else { "fresh" });
    let welcome = Welcome {
        agent: Some(identity.profile.clone()),
        resumed: gap.is_some(),
        ping_seconds: i32::try_from(shared.config.ping.as_secs().max(1)).unwrap_or(i32::MAX),
    };
    out.send(Frame::Welcome(welcome)).await?;
    let AgentState { state, position } = state(&shared, &identity, &out).await?;
    let working = state.presence > 1;
    if let Some((gap, upto)) = gap {
        let view = View::before(&identity, &state, gap.iter().map(|item| &item.event));
        return Ok(Begin { view, gap, position: upto, state: None, in_state: None, working });
    }
    let view = View::of(&identity, &state);
    let sequence = state.sequence;
    Ok(Begin { view, gap: Vec::new(), position: sequence, state: Some(state), in_state: position, working })
}

/// The events behind `after` and where they end; none when there are too many, or the stream is another one.
async fn missed(
    shared: &Shared,
    identity: &Identity,
    tail: &Tail,
    after: u64,
) -> Result<Option<(Vec<Arc<Item>>, u64)>, End> {
    let most = shared.config.resume_events;
    tail.opened().await;
    if let Read::Events { items, upto } = tail.read(after, most.saturating_add(1)) {
        // In memory: the place is known to be one of this stream, unless it lies behind its end.
        if items.len() > most {
            return Ok(None);
        }
        if !items.is_empty() || shared.tails.reaches(after).await {
            return Ok(Some((items, upto)));
        }
        return Ok(None);
    }
    if !shared.tails.reaches(after).await {
        return Ok(None);
    }
    shared.metrics.catch_up();
    let lost = |error| {
        tracing::warn!(%error, "what a session missed cannot be read");
        End::Lost
    };
    let mut range = shared.tails.range(&identity.tenant, after).await.map_err(lost)?;
    let mut items = Vec::new();
    while let Some(item) = range.next().await.map_err(lost)? {
        if items.len() >= most {
            return Ok(None);
        }
        items.push(Arc::new(item));
    }
    let upto = range.end().max(after);
    Ok(Some((items, upto)))
}

/// The agent's state, for as long as it takes the partition to have an owner who answers.
async fn state(shared: &Shared, identity: &Identity, out: &Out) -> Result<AgentState, End> {
    let begun = Instant::now();
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
    let mut said = false;
    loop {
        let error = match shared.routing.agent_state(&identity.tenant, &identity.agent).await {
            Ok(state) => return Ok(state),
            Err(QueryError::NotKnown) if begun.elapsed() >= KNOWN_WITHIN => {
                tracing::warn!(
                    tenant = identity.tenant,
                    agent = identity.agent,
                    "routing does not know this agent"
                );
                return Ok(nothing(shared).await);
            }
            Err(error) => error,
        };
        tracing::debug!(tenant = identity.tenant, %error, "waiting for the agent's state");
        if !said && begun.elapsed() >= SAY_AFTER {
            said = true;
            let message = "waiting for routing, which starts or moves to another member".to_owned();
            out.send(work::error("waiting", message)).await?;
        }
        tokio::time::sleep(backoff.next_wait()).await;
    }
}

/// What an agent has that routing does not know: nothing, as of now.
async fn nothing(shared: &Shared) -> AgentState {
    let mut backoff = Backoff::default();
    let sequence = loop {
        match shared.fabric.last_sequence(heliograph_fabric::Stream::Events).await {
            Ok(last) => break last,
            Err(error) => tracing::debug!(%error, "asking again for the end of the stream"),
        }
        tokio::time::sleep(backoff.next_wait()).await;
    };
    AgentState { state: DeskState { sequence, presence: 1, ..DeskState::default() }, position: None }
}
