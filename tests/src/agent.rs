//! An agent at the desk, over gRPC: accepts what is offered, remembers what customers say, answers.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use heliograph_domain::content;
use heliograph_proto::v1::{
    AcceptReservation, ChannelOffer, Command, DeskEvent, Event, Hello, LoadHistory, OfferChannel, Presence,
    Reply, SessionRequest, SetPresence, SignInRequest, command::Action,
    desk_service_client::DeskServiceClient, event::Payload, session_request::Frame as In,
    session_response::Frame as Out,
};
use tokio::sync::{mpsc, watch};
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};

use crate::eventually;

/// What an agent has seen, by conversation.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// Customers' messages by their place on the stream: (user id, text). A message that stands there twice is here
    /// twice.
    pub received: BTreeMap<String, BTreeMap<u64, (String, String)>>,
    /// Every event by its place on the stream, shown live or in a history.
    pub events: BTreeMap<u64, Event>,
    /// Whether the agent takes work.
    pub online: bool,
    /// Conversations that were the agent's.
    pub assigned: HashSet<String>,
    /// How customers may continue on other channels, as asked for.
    pub offers: Vec<ChannelOffer>,
}

impl Transcript {
    /// The texts a customer wrote, over all conversations.
    pub fn texts_of(&self, user_id: &str) -> Vec<String> {
        let all = self.received.values().flat_map(BTreeMap::values);
        all.filter(|(user, _)| user == user_id).map(|(_, text)| text.clone()).collect()
    }

    /// How many customer messages were shown.
    pub fn count(&self) -> usize {
        self.received.values().map(BTreeMap::len).sum()
    }

    /// The newest event that `wanted` takes something from.
    pub fn newest<T>(&self, wanted: impl Fn(&Event) -> Option<T>) -> Option<T> {
        self.events.values().rev().find_map(wanted)
    }

    /// How many events of this type were shown.
    pub fn count_of(&self, kind: &str) -> usize {
        self.events.values().filter(|event| event.r#type == kind).count()
    }
}

/// Says what to answer to a customer's message: (user id, text).
pub type Answers = Arc<dyn Fn(&str, &str) -> Option<String> + Send + Sync>;

/// What the agent is told to do.
enum Wish {
    /// Give a command under an id.
    Command(String, Action),
    /// Ask for something else.
    Ask(In),
}

/// An agent who works until dropped.
pub struct Agent {
    transcript: Arc<Mutex<Transcript>>,
    changed: watch::Receiver<()>,
    commands: mpsc::Sender<Wish>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Agent {
    /// Signs in at `desk` (a gRPC URL), goes online and takes whatever is offered.
    pub async fn start(desk: &str, login: &str, password: &str, answers: Answers) -> Self {
        let token = eventually("signing in", || async {
            let mut client = DeskServiceClient::connect(desk.to_owned()).await.ok()?;
            let request = SignInRequest {
                tenant: "acme".to_owned(),
                login: login.to_owned(),
                password: password.to_owned(),
            };
            client.sign_in(request).await.ok().map(|answer| answer.into_inner().token)
        })
        .await;
        let transcript = Arc::new(Mutex::new(Transcript::default()));
        let (notify, changed) = watch::channel(());
        let (commands, waiting) = mpsc::channel(1024);
        let work = Work {
            desk: desk.to_owned(),
            token,
            transcript: transcript.clone(),
            notify,
            answers,
            last: 0,
            unanswered: BTreeMap::new(),
            histories: VecDeque::new(),
            next_command: 0,
            seen: HashSet::new(),
        };
        let task = tokio::spawn(work.run(waiting));
        let agent = Self { transcript, changed, commands, task };
        let presence =
            Action::SetPresence(SetPresence { presence: Presence::Online.into(), ..SetPresence::default() });
        agent.command("online", presence).await;
        agent.wait("being online", |seen| seen.online.then_some(())).await;
        agent
    }

    /// Gives a command under an id of the caller's.
    pub async fn command(&self, id: &str, action: Action) {
        self.commands.send(Wish::Command(id.to_owned(), action)).await.expect("the agent works");
    }

    /// Asks how a customer may continue on another channel; the answer appears among the offers.
    pub async fn offer(&self, conversation: &str, channel: &str) {
        let offer = OfferChannel {
            conversation: conversation.to_owned(),
            channel: channel.to_owned(),
            ..OfferChannel::default()
        };
        self.commands.send(Wish::Ask(In::OfferChannel(offer))).await.expect("the agent works");
    }

    /// What was seen so far.
    pub fn transcript(&self) -> Transcript {
        self.transcript.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the transcript holds what `wanted` looks for.
    pub async fn wait<T>(&self, what: &str, wanted: impl Fn(&Transcript) -> Option<T>) -> T {
        self.wait_for(what, crate::PATIENCE, wanted).await
    }

    /// Like [`Agent::wait`], for long runs.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        patience: Duration,
        wanted: impl Fn(&Transcript) -> Option<T>,
    ) -> T {
        let mut changed = self.changed.clone();
        let look = || {
            let seen = self.transcript.lock().unwrap_or_else(PoisonError::into_inner);
            wanted(&seen)
        };
        let search = async {
            loop {
                if let Some(found) = look() {
                    return found;
                }
                changed.changed().await.expect("the agent works");
            }
        };
        let found = tokio::time::timeout(patience, search).await.ok();
        found.unwrap_or_else(|| {
            let seen = self.transcript();
            let mut kinds = BTreeMap::<&str, usize>::new();
            for event in seen.events.values() {
                *kinds.entry(&event.r#type).or_default() += 1;
            }
            panic!("gave up waiting for {what}; {} messages were seen, and {kinds:?}", seen.count())
        })
    }
}

/// Asks for what was said in a conversation.
fn load(conversation: &str) -> In {
    In::LoadHistory(LoadHistory { conversation: conversation.to_owned(), before: 0, limit: 500 })
}

struct Work {
    desk: String,
    token: String,
    transcript: Arc<Mutex<Transcript>>,
    notify: watch::Sender<()>,
    answers: Answers,
    /// The last event's place on the stream.
    last: u64,
    /// Commands whose result is not known, in order: sent again after a reconnect.
    unanswered: BTreeMap<u64, Command>,
    /// Conversations whose history is wanted; the first is asked for, the others wait their turn.
    histories: VecDeque<String>,
    next_command: u64,
    seen: HashSet<String>,
}

impl Work {
    async fn run(mut self, mut waiting: mpsc::Receiver<Wish>) {
        loop {
            // A broken session is opened again where it broke.
            let _ = self.session(&mut waiting).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn session(&mut self, waiting: &mut mpsc::Receiver<Wish>) -> Result<(), tonic::Status> {
        let mut client = DeskServiceClient::connect(self.desk.clone())
            .await
            .map_err(|error| tonic::Status::unavailable(error.to_string()))?;
        let (requests, outgoing) = mpsc::channel(4096);
        let send = |frame: In| {
            let request = SessionRequest { frame: Some(frame) };
            requests.try_send(request).map_err(|_| tonic::Status::unavailable("the session is gone"))
        };
        send(In::Hello(Hello { token: self.token.clone(), resume_after: self.last }))?;
        let mut frames = client.session(ReceiverStream::new(outgoing)).await?.into_inner();
        let mut pings = tokio::time::interval(Duration::from_secs(5));
        loop {
            tokio::select! {
                frame = frames.next() => {
                    let Some(frame) = frame.transpose()?.and_then(|response| response.frame) else { return Ok(()) };
                    for frame in self.take(frame) {
                        send(frame)?;
                    }
                }
                command = waiting.recv() => {
                    match command {
                        Some(Wish::Command(id, action)) => send(self.give(id, action))?,
                        Some(Wish::Ask(frame)) => send(frame)?,
                        None => return Ok(()),
                    }
                }
                _ = pings.tick() => send(In::Ping(heliograph_proto::v1::Ping { nonce: 1 }))?,
            }
        }
    }

    fn give(&mut self, command_id: String, action: Action) -> In {
        let command = Command { command_id, action: Some(action), ..Command::default() };
        self.next_command += 1;
        self.unanswered.insert(self.next_command, command.clone());
        In::Command(command)
    }

    /// What a frame calls for.
    fn take(&mut self, frame: Out) -> Vec<In> {
        match frame {
            Out::Welcome(_) => {
                let commands = self.unanswered.values().cloned().map(In::Command);
                commands.chain(self.histories.front().map(|first| load(first))).collect()
            }
            Out::State(state) => {
                self.last = self.last.max(state.sequence);
                self.online(state.presence());
                let conversations: Vec<String> =
                    state.conversations.into_iter().map(|view| view.id).collect();
                let mut frames: Vec<In> =
                    conversations.into_iter().filter_map(|conversation| self.history(conversation)).collect();
                for reservation in state.reservations.into_iter().filter_map(|view| view.reservation) {
                    frames.push(self.accept(reservation.reservation_id));
                }
                frames
            }
            Out::History(page) => {
                let mut frames: Vec<In> = page.events.into_iter().flat_map(|event| self.see(event)).collect();
                self.histories.pop_front();
                frames.extend(self.histories.front().map(|next| load(next)));
                frames
            }
            // A history that cannot be read now is asked for again.
            Out::Error(error) => {
                eprintln!("the desk says {}: {}", error.code, error.message);
                self.histories.front().map(|first| load(first)).into_iter().collect()
            }
            Out::Result(result) => {
                self.unanswered.retain(|_, command| command.command_id != result.command_id);
                Vec::new()
            }
            Out::Event(event) => {
                self.last = self.last.max(event.sequence);
                self.see(event)
            }
            Out::ChannelOffer(offer) => {
                self.transcript.lock().unwrap_or_else(PoisonError::into_inner).offers.push(offer);
                self.notify.send_replace(());
                Vec::new()
            }
            Out::Queues(_) | Out::Board(_) | Out::Pong(_) | Out::Contact(_) => Vec::new(),
        }
    }

    fn accept(&mut self, reservation_id: String) -> In {
        self.give(format!("accept-{reservation_id}"), Action::Accept(AcceptReservation { reservation_id }))
    }

    /// An event, live or from a history; each is acted on once.
    fn see(&mut self, shown: DeskEvent) -> Vec<In> {
        let Some(event) = shown.event else { return Vec::new() };
        let first = {
            let mut seen = self.transcript.lock().unwrap_or_else(PoisonError::into_inner);
            seen.events.insert(shown.sequence, event.clone()).is_none()
        };
        let actions = if first { self.act(shown.sequence, &event) } else { Vec::new() };
        self.notify.send_replace(());
        actions
    }

    fn act(&mut self, sequence: u64, event: &Event) -> Vec<In> {
        match &event.payload {
            Some(Payload::ReservationCreated(it)) => {
                let accept = self.accept(it.reservation_id.clone());
                [Some(accept), self.history(event.conversation.clone())].into_iter().flatten().collect()
            }
            Some(Payload::ConversationAssigned(_)) => {
                self.transcript
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .assigned
                    .insert(event.conversation.clone());
                // What was said before it was ours.
                self.history(event.conversation.clone()).into_iter().collect()
            }
            Some(Payload::AgentPresenceChanged(it)) => {
                self.online(it.to());
                Vec::new()
            }
            Some(Payload::MessageReceived(it)) => {
                let Some(message) = &it.message else { return Vec::new() };
                let user = message.address.as_ref().map_or("", |address| address.user_id.as_str());
                let text = message.content.as_ref().map(content::preview).unwrap_or_default();
                {
                    let mut seen = self.transcript.lock().unwrap_or_else(PoisonError::into_inner);
                    let lines = seen.received.entry(event.conversation.clone()).or_default();
                    lines.insert(sequence, (user.to_owned(), text.clone()));
                }
                let first = self.seen.insert(message.id.clone());
                let answer = first.then(|| (self.answers)(user, &text)).flatten();
                answer.map(|answer| self.answer(event, &message.id, answer)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Wants a conversation's history; the frame to send now, if no other is on its way.
    fn history(&mut self, conversation: String) -> Option<In> {
        self.histories.push_back(conversation);
        (self.histories.len() == 1).then(|| load(&self.histories[0]))
    }

    fn online(&self, presence: Presence) {
        let mut seen = self.transcript.lock().unwrap_or_else(PoisonError::into_inner);
        seen.online = presence == Presence::Online;
        drop(seen);
        self.notify.send_replace(());
    }

    fn answer(&mut self, event: &Event, message_id: &str, answer: String) -> In {
        let reply = Reply {
            conversation: event.conversation.clone(),
            content: Some(content::text(answer)),
            ..Reply::default()
        };
        self.give(format!("reply-{message_id}"), Action::Reply(reply))
    }
}
