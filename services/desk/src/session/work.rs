//! What a session does beside its events: commands in the order they came, histories one after another.

use std::{sync::Arc, time::Duration};

use heliograph_proto::v1::{
    Command, CommandResult, DeskError, Reason, command::Action, session_response::Frame,
};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument as _;

use super::{
    Out, Shared,
    check::{action_name, check},
    out::Aside,
};
use crate::{
    auth::Identity,
    history::{self, Page},
    routing::AppendError,
};

/// Commands of one session waiting to be stored. Beyond them the session reads no further frame: refusing one and
/// taking the next would turn an agent's answers around.
const COMMANDS: usize = 64;
/// Histories of one session waiting to be read; beyond them no further frame is read either.
const HISTORIES: usize = 32;

/// How long a command waits before it is tried again; the publish before it waited for the broker already.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// The two queues of a session. They end with it; commands that were taken are stored all the same.
#[derive(Debug)]
pub(super) struct Work {
    commands: mpsc::Sender<Command>,
    histories: mpsc::Sender<(Page, bool)>,
    out: Out,
    /// Nobody waits for a history any more.
    _over: DropGuard,
}

impl Work {
    pub(super) fn start(shared: &Arc<Shared>, identity: &Identity, out: &Out) -> Self {
        let (commands, waiting) = mpsc::channel(COMMANDS);
        shared.unfinished.spawn(append(Arc::clone(shared), identity.clone(), waiting, out.aside()));
        let (histories, asked) = mpsc::channel(HISTORIES);
        let over = CancellationToken::new();
        let answering = answer(Arc::clone(shared), identity.clone(), asked, out.aside());
        tokio::spawn(over.clone().run_until_cancelled_owned(answering));
        Self { commands, histories, out: out.clone(), _over: over.drop_guard() }
    }

    /// Takes a command, or says why not.
    pub(super) async fn command(&self, shared: &Shared, command: Command) -> Result<(), super::End> {
        let action = action_name(&command);
        if let Err(reason) = check(&command) {
            shared.metrics.command(action, "invalid");
            return self.out.send(refused(command.command_id, reason)).await;
        }
        // The queue ends with the session alone.
        let _ = self.commands.send(command).await;
        Ok(())
    }

    /// Takes a question about a conversation's history; `allowed` without looking into it.
    pub(super) async fn history(&self, page: Page, allowed: bool) -> Result<(), super::End> {
        // Nobody answers any more when the session is over.
        let _ = self.histories.send((page, allowed)).await;
        Ok(())
    }
}

/// Appends one command after another: their order is the agent's.
async fn append(shared: Arc<Shared>, identity: Identity, mut commands: mpsc::Receiver<Command>, out: Aside) {
    while let Some(command) = commands.recv().await {
        let command = named(command, &identity);
        let (action, command_id) = (action_name(&command), command.command_id.clone());
        // A root of its own: what follows from it in router and egress is linked to it.
        let span = tracing::info_span!("desk.command", otel.kind = "server", action);
        let stored = store(&shared, &identity, command).instrument(span).await;
        let result = match stored {
            Ok(()) => {
                shared.metrics.command(action, "stored");
                Frame::Result(CommandResult { command_id, accepted: true, reasons: Vec::new() })
            }
            Err(error) => {
                shared.metrics.command(action, "not_stored");
                tracing::warn!(tenant = identity.tenant, action, %error, "a command was not stored");
                refused(command_id, reason("desk.not_stored", "it could not be stored; tell your operator"))
            }
        };
        // A client that has gone asks again when it is back, with the same id.
        let _ = out.send(result).await;
    }
}

/// A reply is shown under the agent's own name unless it brings another.
fn named(mut command: Command, identity: &Identity) -> Command {
    if let Some(Action::Reply(reply)) = &mut command.action
        && reply.display_name.is_empty()
    {
        reply.display_name.clone_from(&identity.profile.display_name);
    }
    command
}

/// Stores one command. While the broker is away it is tried again: those behind it wait, and order holds.
async fn store(shared: &Shared, identity: &Identity, command: Command) -> Result<(), AppendError> {
    loop {
        match shared.routing.append(&identity.tenant, &identity.agent, command.clone()).await {
            Err(error) if error.is_away() => {
                tracing::warn!(tenant = identity.tenant, %error, "a command waits for the broker");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            done => return done,
        }
    }
}

async fn answer(
    shared: Arc<Shared>,
    identity: Identity,
    mut asked: mpsc::Receiver<(Page, bool)>,
    out: Aside,
) {
    while let Some((page, allowed)) = asked.recv().await {
        let frame = match history::load(&shared.fabric, &identity, &page, allowed).await {
            Ok(history) => Frame::History(super::with_media(&shared, &identity, history)),
            Err(refusal) => error(refusal.code(), format!("{}: {refusal}", page.conversation)),
        };
        if out.send(frame).await.is_err() {
            return;
        }
    }
}

/// Something that is wrong, and does not end the session.
pub(super) fn error(code: &str, message: String) -> Frame {
    Frame::Error(DeskError { code: code.to_owned(), message, fatal: false })
}

fn refused(command_id: String, reason: Reason) -> Frame {
    Frame::Result(CommandResult { command_id, accepted: false, reasons: vec![reason] })
}

fn reason(code: &str, text: &str) -> Reason {
    Reason { code: code.to_owned(), text: text.to_owned(), detail: None }
}
