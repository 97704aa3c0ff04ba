//! Agents at the desk, over `DeskService`: they accept what rings, note what they read, and answer when told.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use heliograph_proto::v1::{
    AcceptReservation, Command, Content, Event, Hello, MessageClass, Ping, Presence, Reply, SessionRequest,
    SetPresence, SignInRequest, Text, command::Action, content::Kind, desk_service_client::DeskServiceClient,
    event::Payload, session_request::Frame as Asked, session_response::Frame as Told,
};
use tokio::sync::{Mutex, mpsc};
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};

use crate::{arrivals::Arrivals, ground::TENANT, signed};

/// Well below what the desk waits for.
const PING_EVERY: Duration = Duration::from_secs(10);

/// How long after a desk that is busy has refused a command it is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(5);

type Unanswered = Arc<std::sync::Mutex<HashMap<String, SessionRequest>>>;

/// One agent, online.
pub(crate) struct Agent {
    frames: mpsc::Sender<SessionRequest>,
    /// Commands that the desk has not answered.
    unanswered: Unanswered,
    /// The conversations it has.
    pub(crate) conversations: Arc<Mutex<Vec<String>>>,
    commands: u64,
    name: String,
}

impl Agent {
    /// Signs in at the desk and goes online. What customers write is noted in `read`, what agents got in `assigned`.
    pub(crate) async fn start(
        desk: SocketAddr,
        name: &str,
        read: Arrivals,
        assigned: Arrivals,
    ) -> anyhow::Result<Self> {
        let mut client = DeskServiceClient::connect(format!("http://{desk}")).await?;
        let request =
            SignInRequest { tenant: TENANT.to_owned(), login: name.to_owned(), password: name.to_owned() };
        let token = client.sign_in(request).await.context("an agent cannot sign in")?.into_inner().token;
        let (frames, waiting) = mpsc::channel(1024);
        let frame = |frame| SessionRequest { frame: Some(frame) };
        frames.send(frame(Asked::Hello(Hello { token, resume_after: 0 }))).await?;
        let mut told = client.session(ReceiverStream::new(waiting)).await?.into_inner();
        let conversations = Arc::new(Mutex::new(Vec::new()));
        let (answers, held, who) = (frames.clone(), Arc::clone(&conversations), name.to_owned());
        let unanswered = Unanswered::default();
        let open = Arc::clone(&unanswered);
        tokio::spawn(async move {
            let mut accepted = 0;
            while let Some(Ok(response)) = told.next().await {
                let (sequence, event) = match response.frame {
                    Some(Told::Event(event)) => (event.sequence, event.event),
                    Some(Told::Error(error)) => {
                        eprintln!("desk: {} {}", error.code, error.message);
                        continue;
                    }
                    Some(Told::Result(result)) => {
                        let command = open.lock().expect("nobody panics in it").remove(&result.command_id);
                        if let Some(command) = command.filter(|_| !result.accepted) {
                            tokio::time::sleep(AGAIN_AFTER).await;
                            open.lock()
                                .expect("nobody panics in it")
                                .insert(result.command_id, command.clone());
                            // Fails only when the session has ended.
                            let _ = answers.send(command).await;
                        }
                        continue;
                    }
                    _ => continue,
                };
                let Some(event) = event else { continue };
                match &event.payload {
                    Some(Payload::ReservationCreated(offer)) if offer.agent == who => {
                        accepted += 1;
                        let id = format!("{who}-accept-{accepted}");
                        let action = Action::Accept(AcceptReservation {
                            reservation_id: offer.reservation_id.clone(),
                        });
                        // Fails only when the session has ended.
                        let _ = answers.send(command(id, action)).await;
                    }
                    Some(Payload::ReservationAccepted(offer)) if offer.agent == who => {
                        held.lock().await.push(event.conversation.clone());
                        assigned.note(sequence);
                    }
                    Some(Payload::MessageReceived(_)) => note(&read, &event),
                    _ => {}
                }
            }
        });
        let pings = frames.clone();
        tokio::spawn(async move {
            while pings.send(frame(Asked::Ping(Ping { nonce: 0 }))).await.is_ok() {
                tokio::time::sleep(PING_EVERY).await;
            }
        });
        let mut agent = Self { frames, unanswered, conversations, commands: 0, name: name.to_owned() };
        let online = SetPresence { presence: Presence::Online.into(), ..SetPresence::default() };
        agent.act(Action::SetPresence(online)).await?;
        Ok(agent)
    }

    /// Answers in `conversation` with message number `n`.
    pub(crate) async fn reply(&mut self, conversation: &str, n: u64) -> anyhow::Result<()> {
        let body =
            format!("{n} Thank you for waiting. Your parcel leaves the depot tonight and comes tomorrow.");
        let text = Text { body, ..Text::default() };
        self.act(Action::Reply(Reply {
            conversation: conversation.to_owned(),
            content: Some(Content { kind: Some(Kind::Text(text)) }),
            message_class: MessageClass::Service.into(),
            ..Reply::default()
        }))
        .await
    }

    async fn act(&mut self, action: Action) -> anyhow::Result<()> {
        self.commands += 1;
        let id = format!("{}-{}", self.name, self.commands);
        let command = command(id.clone(), action);
        self.unanswered.lock().expect("nobody panics in it").insert(id, command.clone());
        self.frames.send(command).await.context("an agent's session has ended")
    }
}

fn command(command_id: String, action: Action) -> SessionRequest {
    let command = Command { command_id, agent: String::new(), action: Some(action) };
    SessionRequest { frame: Some(Asked::Command(command)) }
}

/// Notes the number in a customer's message.
pub(crate) fn note(read: &Arrivals, event: &Event) {
    let Some(Payload::MessageReceived(received)) = &event.payload else { return };
    let id = received.message.as_ref().map(|message| message.provider_message_id.as_str());
    if let Some(n) = id.and_then(signed::number) {
        read.note(n);
    }
}
