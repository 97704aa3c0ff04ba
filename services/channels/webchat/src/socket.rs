//! One WebSocket: hello, then frames both ways until one side ends it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message as Ws, WebSocket};
use heliograph_channel::{
    Account,
    host::{Inlet, InletError},
};
use heliograph_proto::v1::ReceiptState;
use heliograph_store::rate::{Permit, Rate};
use serde_json::{Value, json};
use tokio::{
    sync::broadcast,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use crate::{
    Shared, WebChatSettings,
    event::Who,
    feed::{Feed, Live, Marks, News, Place, Seat},
    files::owner,
    frame::{Frame, LARGEST, Msg, close},
    item::{self, Author, Button, File, Item, rfc3339},
    routes::Context,
    session::Session,
};

/// A client that does not take what we send for this long is gone.
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// Typing goes on to the agent at most this often.
const TYPING_EVERY: Duration = Duration::from_secs(3);
/// How long the widget shows an agent as typing without hearing again.
const TYPING_MS: u64 = 6_000;
/// Frames of other kinds than `msg` a client may send in ten seconds.
const OTHER_FRAMES: u32 = 100;
/// When we are away, the widget tries again after this.
const RETRY_MS: u64 = 2_000;

/// Why a connection ends.
enum End {
    /// The other side left, or cannot be reached.
    Gone,
    /// We close it, and say why.
    Close(u16, &'static str),
}

/// A connection behind its welcome.
struct Conversation<'a> {
    shared: &'a Shared,
    account: &'a Arc<Account<WebChatSettings>>,
    inlet: &'a Inlet,
    session: Session,
    locale: String,
    page_url: String,
    feed: Arc<Feed>,
    socket: &'a mut WebSocket,
    /// Number of the last entry that was sent.
    sent: u64,
    /// Up to where the client says it has, and has seen, everything.
    wanted: Marks,
    typed: Option<(bool, Instant)>,
    frames: (Instant, u32),
}

/// Serves one connection until it ends.
pub(crate) async fn serve(
    mut socket: WebSocket,
    context: Arc<Context>,
    account: Arc<Account<WebChatSettings>>,
    from: Option<IpAddr>,
) {
    context.shared.metrics.opened();
    let end = converse(&mut socket, &context, &account, from).await;
    context.shared.metrics.closed(if let End::Close(code, _) = end { code } else { 0 });
    if let End::Close(code, reason) = end {
        let frame = CloseFrame { code, reason: reason.into() };
        let goodbye = async {
            // Whoever is gone needs no goodbye.
            let _ = socket.send(Ws::Close(Some(frame))).await;
            while let Some(Ok(_)) = socket.recv().await {}
        };
        // The close is answered by a close; who does not, has had the time.
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }
}

async fn converse(
    socket: &mut WebSocket,
    context: &Context,
    account: &Arc<Account<WebChatSettings>>,
    from: Option<IpAddr>,
) -> End {
    let shared = context.shared.as_ref();
    let first = tokio::select! {
        first = timeout(shared.options.hello_within, next_text(socket)) => first,
        () = context.shutdown.draining() => return End::Close(close::RESTART, "restarting"),
    };
    let hello = match first {
        Err(_) => return End::Close(close::HELLO_TIMEOUT, "no hello in time"),
        Ok(Err(end)) => return end,
        Ok(Ok(text)) => match serde_json::from_str(&text) {
            Ok(Frame::Hello(hello)) => hello,
            _ => return End::Close(close::BAD_FRAME, "the first frame has to be a hello"),
        },
    };
    let now_ms = heliograph_store::now_ms();
    let welcomed = match shared.greet(account, &hello, from, now_ms).await {
        Ok(welcomed) => welcomed,
        Err(away) => return End::Close(away.close, away.reason),
    };
    let session = welcomed.session;
    let place = Place {
        tenant: account.tenant.clone(),
        account: account.name.clone(),
        visitor: session.visitor.clone(),
    };
    let feed = match shared.hub.feed(&place).await {
        Ok(feed) => feed,
        Err(error) => {
            tracing::warn!(%error, "the visitor's log is not available");
            return End::Close(close::TRY_AGAIN, "not available, come again");
        }
    };
    let limits = &account.settings.limits;
    let seat = feed.sit(limits.sockets_per_visitor);
    let tail = feed.tail().seq;
    let welcome = json!({
        "t": "welcome", "session": session.id, "visitor": session.visitor, "resume": welcomed.resume,
        "seq": tail, "verified": session.user.is_some(),
        "limits": {
            "msg_per_10s": limits.msg_per_10s, "upload_bytes": limits.upload_bytes,
            "text_chars": limits.text_chars,
        },
    });
    let mut conversation = Conversation {
        shared,
        account,
        inlet: &context.inlet,
        session,
        locale: hello.page.sound_locale().to_owned(),
        page_url: hello.page.bare_url(),
        feed,
        socket,
        sent: hello.last_seq,
        wanted: Marks::default(),
        typed: None,
        frames: (Instant::now(), 0),
    };
    let greeted = async {
        conversation.send(&welcome).await?;
        if hello.last_seq > tail {
            // The widget sees by the welcome that it has counted another log.
            conversation.sent = tail;
        } else if !welcomed.continued {
            conversation.reset(tail).await?;
        }
        conversation.push().await
    };
    if let Err(end) = greeted.await {
        return end;
    }
    conversation.run(context, seat).await
}

/// The next text frame; what is larger than allowed ends the connection.
async fn next_text(socket: &mut WebSocket) -> Result<String, End> {
    loop {
        match socket.recv().await {
            Some(Ok(Ws::Text(text))) if text.len() > LARGEST => {
                return Err(End::Close(close::BAD_FRAME, "the frame is too large"));
            }
            Some(Ok(Ws::Text(text))) => return Ok(text.to_string()),
            Some(Ok(Ws::Binary(_))) => return Err(End::Close(close::BAD_FRAME, "text frames only")),
            Some(Ok(Ws::Ping(_) | Ws::Pong(_))) => {}
            Some(Ok(Ws::Close(_)) | Err(_)) | None => return Err(End::Gone),
        }
    }
}

impl Conversation<'_> {
    async fn run(mut self, context: &Context, seat: Seat) -> End {
        let options = &self.shared.options;
        let mut changes = self.feed.changes();
        changes.mark_changed();
        let mut live = self.feed.live();
        let mut ping = interval_at(Instant::now() + options.ping_every, options.ping_every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            let step = tokio::select! {
                () = context.shutdown.draining() => Err(End::Close(close::RESTART, "restarting")),
                () = seat.replaced.cancelled() => Err(End::Close(close::REPLACED, "replaced by a newer connection")),
                frame = self.socket.recv() => {
                    heard = Instant::now();
                    self.heard(frame).await
                }
                // The feed lives as long as this conversation.
                _ = changes.changed() => self.push().await,
                note = live.recv() => self.show(note).await,
                _ = ping.tick() => {
                    if heard.elapsed() >= options.idle_after {
                        Err(End::Close(close::IDLE, "idle"))
                    } else if context.accounts.by_path(&self.account.name).is_err() {
                        Err(End::Close(close::TRY_AGAIN, "the account is not available"))
                    } else {
                        // Receipts that could not be stored are tried again.
                        self.receipts().await;
                        self.raw(Ws::Ping(bytes::Bytes::new())).await
                    }
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn heard(&mut self, frame: Option<Result<Ws, axum::Error>>) -> Result<(), End> {
        let text = match frame {
            Some(Ok(Ws::Text(text))) => text,
            Some(Ok(Ws::Binary(_))) => return Err(End::Close(close::BAD_FRAME, "text frames only")),
            Some(Ok(Ws::Ping(_) | Ws::Pong(_))) => return Ok(()),
            Some(Ok(Ws::Close(_)) | Err(_)) | None => return Err(End::Gone),
        };
        if text.len() > LARGEST {
            return Err(End::Close(close::BAD_FRAME, "the frame is too large"));
        }
        let Ok(frame) = serde_json::from_str::<Frame>(&text) else {
            return Err(End::Close(close::BAD_FRAME, "the frame cannot be read"));
        };
        if !matches!(frame, Frame::Msg(_)) {
            self.count()?;
        }
        match frame {
            Frame::Msg(msg) => self.said(msg).await,
            Frame::Typing { on } => {
                self.typing(on);
                Ok(())
            }
            Frame::Got { up_to } => {
                self.wanted.delivered = self.wanted.delivered.max(up_to.min(self.sent));
                self.receipts().await;
                Ok(())
            }
            Frame::Read { up_to } => {
                let up_to = up_to.min(self.sent);
                self.wanted.delivered = self.wanted.delivered.max(up_to);
                self.wanted.read = self.wanted.read.max(up_to);
                self.receipts().await;
                Ok(())
            }
            Frame::Sync { after } => {
                self.sent = self.sent.min(after);
                self.push().await
            }
            Frame::Ping => self.send(&json!({ "t": "pong" })).await,
            Frame::Hello(_) => Err(End::Close(close::BAD_FRAME, "hello was said already")),
            Frame::Unknown => Ok(()),
        }
    }

    /// Frames that cost little are counted all the same.
    fn count(&mut self) -> Result<(), End> {
        let (since, count) = &mut self.frames;
        if since.elapsed() >= Duration::from_secs(10) {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        let most = OTHER_FRAMES.max(self.account.settings.limits.msg_per_10s.saturating_mul(4));
        if *count > most { Err(End::Close(close::RATE, "too many frames")) } else { Ok(()) }
    }

    fn who(&self) -> Who<'_> {
        Who { account: self.account, session: &self.session, locale: &self.locale, page_url: &self.page_url }
    }

    /// Takes a message: durable for the router first, then in the log, and only then acknowledged. So nothing that the
    /// log shows as sent can be missing further on.
    async fn said(&mut self, msg: Msg) -> Result<(), End> {
        if !msg.has_sound_cid() {
            return Err(End::Close(close::BAD_FRAME, "the message has no usable cid"));
        }
        let feed = Arc::clone(&self.feed);
        let _turn = feed.turn.lock().await;
        let before = feed.find(|item| item.cid.as_deref() == Some(&msg.cid));
        if let Some(entry) = before {
            self.shared.metrics.message("repeated");
            return self.send(&entry.item.ack()).await;
        }
        let limits = &self.account.settings.limits;
        if let Some((code, message)) = msg.problem(limits.text_chars) {
            return self.refuse(&msg.cid, code, &message).await;
        }
        let rate = Rate::new(f64::from(limits.msg_per_10s) / 10.0, f64::from(limits.msg_per_10s));
        let bucket = ["webchat", &self.account.name, "msg", &self.session.visitor];
        if let Permit::RetryAfter(wait) =
            self.shared.rate.take(&self.account.tenant, &bucket, rate, 1.0).await
        {
            let retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            return self.later(&msg.cid, "rate_limited", retry_ms).await;
        }
        let now_ms = heliograph_store::now_ms();
        let item = match self.item(&msg, now_ms).await {
            Ok(item) => item,
            Err(Unusable::Upload) => {
                return self.refuse(&msg.cid, "bad_frame", "an attachment is not there (any more)").await;
            }
            Err(Unusable::Away) => return self.later(&msg.cid, "unavailable", RETRY_MS).await,
        };
        let events = self.who().messages(&item, &msg.cid, now_ms);
        if let Err(error) = self.inlet.accept(&self.account.tenant, &events).await {
            tracing::warn!(%error, "a message is not stored; the visitor's widget tries again");
            return self.later(&msg.cid, "unavailable", RETRY_MS).await;
        }
        match self.shared.hub.store(feed.place(), item).await {
            Ok(entry) => {
                self.shared.metrics.message("taken");
                self.send(&entry.item.ack()).await
            }
            Err(error) => {
                tracing::warn!(%error, "a message is not in the visitor's log yet; the widget tries again");
                self.later(&msg.cid, "unavailable", RETRY_MS).await
            }
        }
    }

    async fn item(&mut self, msg: &Msg, now_ms: i64) -> Result<Item, Unusable> {
        let (tenant, account) = (self.account.tenant.as_str(), self.account.name.as_str());
        let visitor = self.session.visitor.as_str();
        let mut attachments = Vec::new();
        for upload in &msg.attachments {
            let id = self
                .shared
                .links
                .claimed(&owner(tenant, account, visitor), upload)
                .ok_or(Unusable::Upload)?;
            let info = self.shared.intake.store().info(tenant, id).await.map_err(|_| Unusable::Away)?;
            let info = info.ok_or(Unusable::Upload)?;
            let (name, kind) = (info.name, info.content_type);
            attachments.push(File { id: id.to_owned(), url: String::new(), name, kind, size: info.size });
        }
        let choice = msg.choice.as_ref().map(|choice| {
            // What the button carries stands with the question.
            let question = self.feed.find(|item| Some(&item.id) == msg.reply_to.as_ref());
            let asked = question
                .as_ref()
                .and_then(|entry| entry.item.choices.iter().find(|button| button.id == choice.id).cloned());
            asked.unwrap_or_else(|| Button {
                id: choice.id.clone(),
                title: choice.title.clone(),
                payload: String::new(),
            })
        });
        Ok(Item {
            seq: 0,
            key: item::key(tenant, account, visitor, "in", &msg.cid),
            id: self.who().message_id(&msg.cid),
            cid: Some(msg.cid.clone()),
            from: Author { kind: "customer".to_owned(), name: String::new() },
            text: msg.text.clone(),
            attachments,
            choices: Vec::new(),
            choice,
            reply_to: msg.reply_to.clone().filter(|id| !id.is_empty()),
            at: rfc3339(now_ms),
            correlation: String::new(),
            waiting: None,
        })
    }

    /// The message will not be taken, however often it comes.
    async fn refuse(&mut self, cid: &str, code: &'static str, message: &str) -> Result<(), End> {
        self.shared.metrics.message(code);
        self.send(&json!({ "t": "error", "code": code, "message": message, "cid": cid })).await
    }

    /// The message was not taken; it may be later.
    async fn later(&mut self, cid: &str, code: &'static str, retry_ms: u64) -> Result<(), End> {
        self.shared.metrics.message(code);
        self.send(&json!({ "t": "error", "code": code, "retry_ms": retry_ms, "cid": cid })).await
    }

    fn typing(&mut self, on: bool) {
        let now = Instant::now();
        if let Some((was, at)) = self.typed
            && (now.duration_since(at) < TYPING_EVERY && (on || was == on))
        {
            return;
        }
        self.typed = Some((on, now));
        let event = self.who().typing(on, heliograph_store::now_ms());
        let (inlet, tenant) = (self.inlet.clone(), self.account.tenant.clone());
        // Not waited for: it may be lost, and nothing else should wait for it.
        tokio::spawn(async move { inlet.accept(&tenant, &[event]).await });
    }

    /// Reports what the client has and has seen and was not reported yet.
    async fn receipts(&mut self) {
        let known = self.feed.marks();
        let now_ms = heliograph_store::now_ms();
        let mut events = Vec::new();
        for (state, from, to) in [
            (ReceiptState::Delivered, known.delivered, self.wanted.delivered),
            (ReceiptState::Read, known.read, self.wanted.read),
        ] {
            let entries = self.feed.answers(from, to);
            events.extend(entries.iter().map(|entry| self.who().receipt(&entry.item, state, now_ms)));
        }
        match self.inlet.accept(&self.account.tenant, &events).await {
            Ok(_) => self.feed.marked(self.wanted),
            Err(InletError::Sink(error)) => tracing::debug!(%error, "receipts are reported a little later"),
            Err(InletError::Conflict) => {}
        }
    }

    /// Sends what the log has and the client does not.
    async fn push(&mut self) -> Result<(), End> {
        match self.feed.news(self.sent) {
            News::Entries(entries) => {
                let now_ms = heliograph_store::now_ms();
                for entry in entries {
                    let frame = entry.item.frame(&self.shared.links, &self.account.tenant, now_ms);
                    self.send(&frame).await?;
                    self.sent = entry.item.seq;
                }
                Ok(())
            }
            News::Reset(seq) => self.reset(seq).await,
        }
    }

    async fn reset(&mut self, seq: u64) -> Result<(), End> {
        self.sent = seq;
        self.send(&json!({ "t": "reset", "seq": seq })).await
    }

    async fn show(&mut self, note: Result<Live, broadcast::error::RecvError>) -> Result<(), End> {
        match note {
            Ok(Live::Typing { on }) => {
                self.send(&json!({ "t": "typing", "from": "agent", "on": on, "ttl_ms": TYPING_MS })).await
            }
            Ok(Live::Read { id }) => self.send(&json!({ "t": "receipt", "id": id, "state": "read" })).await,
            // Stored entries come by way of the log; what was missed was fleeting.
            Ok(Live::Stored(_)) | Err(_) => Ok(()),
        }
    }

    async fn send(&mut self, frame: &Value) -> Result<(), End> {
        self.raw(Ws::text(frame.to_string())).await
    }

    async fn raw(&mut self, message: Ws) -> Result<(), End> {
        match timeout(SEND_PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

/// Why a message cannot become an entry.
enum Unusable {
    /// It names a file that is not the visitor's, or is gone.
    Upload,
    /// The media store is away.
    Away,
}
