//! The session itself: frames in, events out, from one place of the stream to the next.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, future::BoxFuture};
use heliograph_domain::content;
use heliograph_fabric::{publish::within, subjects};
use heliograph_proto::v1::{
    DeskEvent, Event, Hello, History, LogPosition, Pong, PoolState, QueuesState, SessionRequest, ShowRead,
    ShowTyping, event::Payload, session_request, session_response::Frame,
};
use heliograph_store::now_ms;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{
    End, Frames, Out, Shared, expires,
    shown::{Shown, What},
    start::{self, Begin},
    work::{self, Question, Work},
};
use crate::{
    auth::Identity,
    board::{Board, Look},
    history::{Page, Reader},
    roster::Attendance,
    tail::{Item, Read, Tail},
    view::{View, is_in_state, party},
};

/// How long a client may take to say who it is.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Events handed over before the client's own frames are looked at again.
const BATCH: usize = 64;
/// Questions asked before the session has begun.
const EARLY: usize = 32;

/// Runs until one side ends it.
pub(super) async fn session(shared: &Arc<Shared>, mut frames: Frames, out: Out) -> End {
    let hello = match timeout(HELLO_WITHIN, frames.next()).await {
        Err(_) => return End::Silent,
        Ok(None) => return End::Left,
        Ok(Some(Err(bad))) => return End::BadFrame(bad.0),
        Ok(Some(Ok(SessionRequest { frame: Some(session_request::Frame::Hello(hello)) }))) => hello,
        Ok(Some(Ok(_))) => return End::BadFrame("the first frame is `hello`".to_owned()),
    };
    let identity = match shared.users.identify(&hello.token) {
        Ok(identity) => identity,
        Err(error) => return End::Unauthorized(error),
    };
    let expires = expires(&identity);
    let session = Session::new(shared, identity, &hello, out);
    tokio::select! {
        end = session.run(frames) => end,
        () = sleep_until(expires) => End::Unauthorized(crate::auth::AuthError::Expired),
    }
}

/// Until it has begun, a session answers commands and pings, and keeps questions.
enum Phase {
    Beginning { begin: BoxFuture<'static, Result<Begin, End>>, asked: Vec<session_request::Frame> },
    Live(Live),
}

/// A session that has begun.
struct Live {
    view: View,
    /// Events up to here were sent, or are not for this agent.
    position: u64,
    in_state: Option<LogPosition>,
}

struct Session {
    shared: Arc<Shared>,
    identity: Identity,
    tail: Arc<Tail>,
    /// Held, so that it is asked for.
    board: Arc<Board>,
    queues: watch::Receiver<Arc<QueuesState>>,
    /// The whole board, while the client watches it.
    look: Option<Look>,
    attendance: Attendance,
    work: Work,
    shown: Shown,
    out: Out,
    phase: Phase,
}

impl Session {
    fn new(shared: &Arc<Shared>, identity: Identity, hello: &Hello, out: Out) -> Self {
        let tail = shared.tails.of(&identity.tenant);
        let begin = start::begin(
            Arc::clone(shared),
            identity.clone(),
            Arc::clone(&tail),
            hello.resume_after,
            out.clone(),
        );
        let board = shared.boards.of(&identity.tenant);
        Self {
            queues: board.queues(),
            board,
            look: None,
            attendance: shared.roster.enter(&identity.tenant, &identity.agent),
            work: Work::start(shared, &identity, &out),
            shared: Arc::clone(shared),
            identity,
            tail,
            shown: Shown::default(),
            out,
            phase: Phase::Beginning { begin: Box::pin(begin), asked: Vec::new() },
        }
    }

    async fn run(mut self, mut frames: Frames) -> End {
        let silence = self.shared.config.ping * 3;
        let mut heard = Instant::now();
        loop {
            // The client's frames first: after a long stretch of events they tell that it was there all the time.
            let step = tokio::select! {
                biased;
                frame = frames.next() => {
                    heard = Instant::now();
                    match frame {
                        None => return End::Left,
                        Some(Err(bad)) => return End::BadFrame(bad.0),
                        Some(Ok(request)) => self.take(request).await,
                    }
                }
                () = self.out.closed() => return End::Left,
                begun = next(&mut self.phase, &self.tail) => match begun {
                    Some(Ok(begin)) => self.begin(begin).await,
                    Some(Err(end)) => return end,
                    None => self.forward().await,
                },
                frame = seen(&mut self.queues, &mut self.look), if matches!(self.phase, Phase::Live(_)) => {
                    self.out.send(frame).await
                }
                () = sleep_until(heard + silence) => return End::Silent,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// One frame of the client.
    async fn take(&mut self, request: SessionRequest) -> Result<(), End> {
        match request.frame {
            Some(session_request::Frame::Ping(ping)) => {
                self.out.send(Frame::Pong(Pong { nonce: ping.nonce })).await
            }
            Some(session_request::Frame::Command(command)) => self.work.command(&self.shared, command).await,
            Some(session_request::Frame::Typing(ShowTyping { conversation, on })) => {
                self.show(&conversation, What::Types { on });
                Ok(())
            }
            Some(session_request::Frame::Read(ShowRead { conversation, up_to, channel, account })) => {
                self.show(&conversation, What::Read { up_to: up_to.unwrap_or_default(), channel, account });
                Ok(())
            }
            Some(session_request::Frame::Hello(_)) => {
                Err(End::BadFrame("`hello` is the first frame, and only that".to_owned()))
            }
            Some(
                question @ (session_request::Frame::LoadHistory(_)
                | session_request::Frame::OfferChannel(_)
                | session_request::Frame::LoadContact(_)),
            ) => self.question(question).await,
            Some(session_request::Frame::WatchBoard(watch)) => {
                if watch.on && !self.identity.supervisor {
                    let why = "only supervisors see the board".to_owned();
                    return self.out.send(work::error("forbidden", why)).await;
                }
                self.look = watch.on.then(|| self.board.look());
                Ok(())
            }
            // A frame of a newer client.
            None => Ok(()),
        }
    }

    /// A question beside the events; whose answer it may have depends on what is before the agent.
    async fn question(&mut self, question: session_request::Frame) -> Result<(), End> {
        let view = match &mut self.phase {
            Phase::Beginning { asked, .. } => {
                if asked.len() < EARLY {
                    asked.push(question);
                }
                return Ok(());
            }
            Phase::Live(live) => &live.view,
        };
        let allowed = match question {
            session_request::Frame::LoadHistory(load) => {
                let may_read = view.may_read(&load.conversation);
                let reader = if may_read { Reader::Allowed } else { Reader::Serving(view.contacts()) };
                let page = Page { conversation: load.conversation, before: load.before, limit: load.limit };
                Ok(Question::History(page, reader))
            }
            session_request::Frame::OfferChannel(offer) => {
                let mine = view.held(&offer.conversation).is_some_and(|held| held.part.may_write());
                if mine { Ok(Question::Offer(offer)) } else { Err("this conversation is not yours") }
            }
            session_request::Frame::LoadContact(load) => {
                let may = view.may_meet(&load.contact);
                if may {
                    Ok(Question::Contact(load.contact))
                } else {
                    Err("this customer is not yours to look at")
                }
            }
            _ => return Ok(()),
        };
        match allowed {
            Ok(question) => self.work.ask(question).await,
            Err(why) => self.out.send(work::error("forbidden", why.to_owned())).await,
        }
    }

    /// Says that the agent types or has read, in a conversation that is its own. Nobody waits for it.
    fn show(&mut self, conversation: &str, what: What) {
        let Phase::Live(live) = &self.phase else { return };
        let held = live.view.held(conversation).filter(|held| held.part.may_write());
        let now = now_ms();
        let Some(fact) = held.and_then(|held| self.shown.fact(&self.identity, conversation, held, what, now))
        else {
            return;
        };
        let (fabric, deadline) = (self.shared.fabric.clone(), within(self.shared.config.publish_deadline));
        self.shared.unfinished.spawn(async move {
            if let Err(error) = fabric.publish(&fact.subject, &fact.envelope, deadline).await {
                tracing::debug!(%error, "what an agent does was not said");
            }
        });
    }

    /// From the beginning on, the session is live.
    async fn begin(&mut self, begin: Begin) -> Result<(), End> {
        let Begin { view, gap, position, state, in_state, working } = begin;
        self.attendance.set_working(working);
        if let Some(state) = state {
            self.out.send(Frame::State(state)).await?;
        }
        let phase = Phase::Live(Live { view, position, in_state });
        let asked = match std::mem::replace(&mut self.phase, phase) {
            Phase::Beginning { asked, .. } => asked,
            Phase::Live(_) => Vec::new(),
        };
        for item in gap {
            self.pass(&item).await?;
        }
        for question in asked {
            self.question(question).await?;
        }
        Ok(())
    }

    /// What stands behind the session's place, a batch at a time.
    async fn forward(&mut self) -> Result<(), End> {
        let Phase::Live(live) = &self.phase else { return Ok(()) };
        let position = live.position;
        match self.tail.read(position, BATCH) {
            Read::Events { items, upto } => {
                for item in items {
                    self.pass(&item).await?;
                }
                self.stand_at(upto);
                Ok(())
            }
            Read::Behind => self.catch_up(position).await,
            Read::Lost => Err(End::Lost),
        }
    }

    /// Reads the stream itself, up to its end as of now; from there on memory reaches back far enough.
    async fn catch_up(&mut self, position: u64) -> Result<(), End> {
        self.shared.metrics.catch_up();
        let shared = Arc::clone(&self.shared);
        let lost = |error| {
            tracing::warn!(%error, "a session cannot read what it is behind");
            End::Lost
        };
        let mut range = shared.tails.range(&self.identity.tenant, position).await.map_err(lost)?;
        while let Some(item) = range.next().await.map_err(lost)? {
            self.pass(&item).await?;
        }
        self.stand_at(range.end().max(position));
        Ok(())
    }

    fn stand_at(&mut self, position: u64) {
        if let Phase::Live(live) = &mut self.phase {
            live.position = live.position.max(position);
        }
    }

    /// One event, if it is for this agent.
    async fn pass(&mut self, item: &Item) -> Result<(), End> {
        let Phase::Live(live) = &mut self.phase else { return Ok(()) };
        let visible = live.view.see(&item.event);
        if !visible || is_in_state(&item.event, live.in_state.as_ref()) {
            return Ok(());
        }
        if let Some(Payload::AgentPresenceChanged(changed)) = &item.event.payload
            && party(&item.event) == Some(self.identity.agent.as_str())
        {
            self.attendance.set_working(changed.to > 1);
        }
        let mut event = item.event.clone();
        link_media(&self.shared, &mut event);
        self.out.send(Frame::Event(DeskEvent { sequence: item.sequence, event: Some(event) })).await?;
        let lag = now_ms().saturating_sub(item.stored_ms).max(0);
        self.shared.metrics.lag(Duration::from_millis(lag.unsigned_abs()).as_secs_f64());
        Ok(())
    }
}

/// What comes next: the beginning, or (none) something to forward.
async fn next(phase: &mut Phase, tail: &Tail) -> Option<Result<Begin, End>> {
    match phase {
        Phase::Beginning { begin, .. } => Some(begin.await),
        Phase::Live(live) => {
            tail.behind(live.position).await;
            None
        }
    }
}

/// The queues or the board, once they have changed.
async fn seen(queues: &mut watch::Receiver<Arc<QueuesState>>, look: &mut Option<Look>) -> Frame {
    let board = async {
        match look {
            Some(look) => look.changed().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        changed = queues.changed() => {
            if changed.is_err() {
                std::future::pending::<()>().await;
            }
            Frame::Queues(QueuesState::clone(&queues.borrow_and_update()))
        }
        board = board => Frame::Board(PoolState::clone(&board)),
    }
}

/// A history whose media can be fetched.
pub(crate) fn with_media(shared: &Shared, mut history: History) -> History {
    for event in history.events.iter_mut().filter_map(|entry| entry.event.as_mut()) {
        link_media(shared, event);
    }
    history
}

/// Media kept by us get an address that this client's page can show. What stands at a provider is shown from ours as well:
/// its address there may want credentials, and is no business of an agent's browser.
fn link_media(shared: &Shared, event: &mut Event) {
    let message = match &mut event.payload {
        Some(Payload::MessageReceived(received)) => received.message.as_mut(),
        Some(Payload::MessageAccepted(accepted)) => accepted.message.as_mut(),
        _ => None,
    };
    let Some(content) = message.and_then(|message| message.content.as_mut()) else { return };
    let now_ms = now_ms();
    for media in content::media_mut(content) {
        if subjects::is_token(&media.object_id) {
            media.url = format!("/desk{}", shared.links.path(&event.tenant, &media.object_id, now_ms));
        }
    }
}
