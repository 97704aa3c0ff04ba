//! What a session does beside its events: commands in the order they came, questions one after another.

use std::{sync::Arc, time::Duration};

use heliograph_proto::v1::{
    ChannelOffer, Command, CommandResult, DeskError, OfferChannel, Reason, command::Action,
    session_response::Frame,
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
    history::{self, Page, Reader},
    people::AskError,
    routing::AppendError,
};

/// Commands of one session waiting to be stored. Beyond them the session reads no further frame: refusing one and
/// taking the next would turn an agent's answers around.
const COMMANDS: usize = 64;
/// Questions of one session waiting to be answered; beyond them no further frame is read either.
const QUESTIONS: usize = 32;

/// How long a command waits before it is tried again; the publish before it waited for the broker already.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// What a session asks beside its events.
#[derive(Debug)]
pub(super) enum Question {
    /// A conversation's events.
    History(Page, Reader),
    /// How the customer of a conversation may continue on another channel.
    Offer(OfferChannel),
    /// Who a contact is.
    Contact(String),
}

/// The two queues of a session. They end with it; commands that were taken are stored all the same.
#[derive(Debug)]
pub(super) struct Work {
    commands: mpsc::Sender<Command>,
    questions: mpsc::Sender<Question>,
    /// Whether the agent may do what supervisors may.
    supervisor: bool,
    out: Out,
    /// Nobody waits for an answer any more.
    _over: DropGuard,
}

impl Work {
    pub(super) fn start(shared: &Arc<Shared>, identity: &Identity, out: &Out) -> Self {
        let (commands, waiting) = mpsc::channel(COMMANDS);
        shared.unfinished.spawn(append(Arc::clone(shared), identity.clone(), waiting, out.aside()));
        let (questions, asked) = mpsc::channel(QUESTIONS);
        let over = CancellationToken::new();
        let answering = answer(Arc::clone(shared), identity.clone(), asked, out.aside());
        tokio::spawn(over.clone().run_until_cancelled_owned(answering));
        let supervisor = identity.supervisor;
        Self { commands, questions, supervisor, out: out.clone(), _over: over.drop_guard() }
    }

    /// Takes a command, or says why not.
    pub(super) async fn command(&self, shared: &Shared, command: Command) -> Result<(), super::End> {
        let action = action_name(&command);
        if let Err(reason) = check(&command, self.supervisor) {
            shared.metrics.command(action, "invalid");
            return self.out.send(refused(command.command_id, reason)).await;
        }
        // The queue ends with the session alone.
        let _ = self.commands.send(command).await;
        Ok(())
    }

    /// Takes a question.
    pub(super) async fn ask(&self, question: Question) -> Result<(), super::End> {
        // Nobody answers any more when the session is over.
        let _ = self.questions.send(question).await;
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
        let command = match addressed(&shared, &identity, command).await {
            Ok(command) => command,
            Err(reason) => {
                shared.metrics.command(action, "invalid");
                let _ = out.send(refused(command_id, reason)).await;
                continue;
            }
        };
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

/// A reply that names an address names one of the customer's own, with nothing in it that the client made up.
async fn addressed(shared: &Shared, identity: &Identity, mut command: Command) -> Result<Command, Reason> {
    let Some(Action::Reply(reply)) = &mut command.action else { return Ok(command) };
    let Some(address) = &reply.address else { return Ok(command) };
    let tenant = identity.tenant.as_str();
    loop {
        let found = async {
            let view = shared.routing.conversation(tenant, &reply.conversation).await?;
            let view = view.ok_or(AskError::NotKnown)?;
            shared.people.own_address(tenant, &view, address).await
        };
        match found.await {
            Ok(own) => {
                reply.address = Some(own);
                return Ok(command);
            }
            Err(AskError::Away(error)) => {
                tracing::warn!(tenant, error, "a command waits to know the customer's addresses");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Err(AskError::NotKnown) => {
                return Err(reason("reply.conversation_over", "this conversation is not open any more"));
            }
            Err(AskError::Forbidden | AskError::Refused { .. }) => {
                let text = "the customer of this conversation has no such address";
                return Err(reason("reply.not_their_address", text));
            }
        }
    }
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

async fn answer(shared: Arc<Shared>, identity: Identity, mut asked: mpsc::Receiver<Question>, out: Aside) {
    while let Some(question) = asked.recv().await {
        if out.send(one(&shared, &identity, question).await).await.is_err() {
            return;
        }
    }
}

async fn one(shared: &Arc<Shared>, identity: &Identity, question: Question) -> Frame {
    let tenant = identity.tenant.as_str();
    match question {
        Question::History(page, reader) => match history::load(shared, identity, &page, &reader).await {
            Ok(history) => Frame::History(super::with_media(shared, history)),
            Err(refusal) => error(refusal.code(), format!("{}: {refusal}", page.conversation)),
        },
        Question::Offer(offer) => match offer_channel(shared, identity, &offer).await {
            Ok(offer) => Frame::ChannelOffer(offer),
            Err(refusal) => error(refusal.code(), refusal.to_string()),
        },
        Question::Contact(contact) => match shared.people.view(tenant, &contact).await {
            Ok(view) => Frame::Contact(view),
            Err(refusal) => error(refusal.code(), refusal.to_string()),
        },
    }
}

async fn offer_channel(
    shared: &Shared,
    identity: &Identity,
    offer: &OfferChannel,
) -> Result<ChannelOffer, AskError> {
    let tenant = identity.tenant.as_str();
    let view = shared.routing.conversation(tenant, &offer.conversation).await?.ok_or(AskError::NotKnown)?;
    shared.people.offer(&shared.policies, tenant, &view, offer).await
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
