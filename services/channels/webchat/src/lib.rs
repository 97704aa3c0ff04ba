//! Web chat: a widget on a tenant's pages, over a WebSocket of our own.
//!
//! Every visitor has a log of their own on the stream HG_WEBCHAT, numbered without gaps. Whatever a visitor or an agent
//! says is an entry there; sockets follow the log from the number they have, on whichever replica they are. So nothing
//! is lost or doubled over reconnects, and an agent's message waits for a visitor who is away.
//!
//! A visitor's message is acknowledged after it is durable on HG_INBOUND and in the log, in this order: the log never
//! shows as sent what the router might not have.

mod assets;
mod event;
mod feed;
mod files;
mod frame;
mod greeting;
pub mod identity;
mod item;
mod log;
mod metrics;
pub mod origin;
mod routes;
mod session;
mod settings;
mod socket;
mod told;
mod visitor;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use heliograph_channel::{Account, Carrier, Channel, Delivery, Outcome};
use heliograph_fabric::{Fabric, OwnershipHandle};
use heliograph_media::{Face, Intake, Links};
use heliograph_proto::v1::{
    Capabilities, MediaCapability, MediaKind, SignalRequest, TextFormat, TextUnit, signal_request::Signal,
};
use heliograph_store::{KvError, Redis, rate::RateLimiter};
use tokio::sync::Semaphore;

pub use log::LogError;
pub use routes::routes;
pub use settings::{WebChatSettings, WebChatSpec};

use feed::{Hub, Live, Place};
use log::Log;
use metrics::Metrics;
use session::Sessions;

/// The channel's name.
pub const NAME: &str = "webchat";

/// Buttons the widget shows under one message.
const CHOICES: i32 = 20;
/// The longest text an agent may send; the frame has to stay within what proxies and browsers take.
const TEXT_LIMIT: i32 = 10_000;
/// Files that are taken in at a time.
const UPLOADS: usize = 4;

/// What an operator may set about web chat.
#[derive(Clone, Debug)]
pub struct Options {
    /// Copies of the stream and buckets: 1 in development, 3 in production. Used when they are made.
    pub replicas: usize,
    /// Proxies in front that add to `X-Forwarded-For` and are trusted; 0: the peer is the client.
    pub forwarded_hops: usize,
    /// How long a client may take to say hello.
    pub hello_within: Duration,
    /// How often the line is proven.
    pub ping_every: Duration,
    /// A client that is silent for this long is gone.
    pub idle_after: Duration,
    /// How long storing an entry may take.
    pub store_within: Duration,
    /// How long the broker recognises a repeated entry by itself; used when the stream is made. What is older is looked
    /// up in the log.
    pub duplicate_window: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            replicas: 1,
            forwarded_hops: 0,
            hello_within: Duration::from_secs(10),
            ping_every: Duration::from_secs(25),
            idle_after: Duration::from_secs(75),
            store_within: Duration::from_secs(4),
            duplicate_window: Duration::from_mins(5),
        }
    }
}

/// Why web chat cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The stream of logs cannot be opened or made.
    #[error("the stream of web chat logs cannot be opened")]
    Log(#[from] LogError),
    /// A bucket cannot be opened or made.
    #[error("the buckets of web chat cannot be opened")]
    Bucket(#[from] KvError),
}

/// The channel. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WebChat {
    shared: Arc<Shared>,
}

/// What sockets, requests and deliveries share.
#[derive(Debug)]
pub(crate) struct Shared {
    hub: Arc<Hub>,
    sessions: Sessions,
    links: Links,
    rate: RateLimiter,
    intake: Intake,
    face: Face,
    uploads: Semaphore,
    metrics: Metrics,
    options: Options,
    /// Tells visitors how they wait, for as long as the channel is there.
    _telling: OwnershipHandle,
}

impl WebChat {
    /// Opens the stream and buckets, and makes those that are not there. Files of visitors come in by `intake`; `links`
    /// lead to them.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn start(
        fabric: &Fabric,
        redis: &Redis,
        intake: Intake,
        links: Links,
        options: Options,
    ) -> Result<Self, StartError> {
        let replicas = options.replicas;
        let log = Log::provision(fabric, &options).await?;
        let sessions = Sessions::provision(log.jetstream(), replicas).await?;
        let hub = Hub::new(log);
        let shared = Shared {
            _telling: told::keep(fabric, &hub),
            hub,
            sessions,
            face: Face::new(intake.store().clone(), links.clone()),
            links,
            rate: RateLimiter::new(redis.clone()),
            intake,
            uploads: Semaphore::new(UPLOADS),
            metrics: Metrics::new(),
            options,
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Channel for WebChat {
    type Settings = WebChatSettings;

    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self, _account: &Account<WebChatSettings>) -> Capabilities {
        capabilities()
    }
}

/// What visitors can say and do.
const RECEIVES: [&str; 8] =
    ["text", "media.image", "media.audio", "media.video", "media.file", "selection", "receipt", "typing"];

/// What every account can receive and show.
pub fn capabilities() -> Capabilities {
    let any = |kind: MediaKind| MediaCapability {
        kind: kind.into(),
        max_bytes: 64 * 1024 * 1024,
        content_types: Vec::new(),
    };
    Capabilities {
        channel: NAME.to_owned(),
        content: ["text", "media", "choice"].map(str::to_owned).to_vec(),
        receives: RECEIVES.map(str::to_owned).to_vec(),
        text_limit: TEXT_LIMIT,
        text_unit: TextUnit::CodePoints.into(),
        caption_limit: TEXT_LIMIT,
        choice_limit: CHOICES,
        option_title_limit: 80,
        media: [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File].map(any).to_vec(),
        receipts_delivered: true,
        receipts_read: true,
        typing_in: true,
        typing_out: true,
        replies: true,
        idempotent_send: true,
        shows_waiting: true,
        formats: vec![TextFormat::Plain.into()],
        work_class: "chat".to_owned(),
        business_initiated: true,
        rate_per_second: 5_000.0,
        burst: 10_000,
        ..Capabilities::default()
    }
}

/// Where a customer's log is; nothing when the id is none of ours.
fn place(account: &Account<WebChatSettings>, user_id: &str) -> Option<Place> {
    visitor::is_one(user_id).then(|| Place {
        tenant: account.tenant.clone(),
        account: account.name.clone(),
        visitor: user_id.to_owned(),
    })
}

#[async_trait]
impl Carrier for WebChat {
    async fn deliver(&self, account: &Account<WebChatSettings>, delivery: Delivery<'_>) -> Outcome {
        let Some(place) = place(account, delivery.user_id()) else {
            return Outcome::permanent("unknown_visitor", "the address is no visitor's id");
        };
        let key = item::key(&place.tenant, &place.account, &place.visitor, "out", delivery.delivery_id);
        let item = match item::outbound(delivery.message, key, delivery.correlation, delivery.now_ms) {
            Ok(item) => item,
            Err((code, text)) => return Outcome::permanent(code, text),
        };
        let stored = async {
            if !is_fresh(&delivery, self.shared.options.duplicate_window)
                && let Some(before) = self.shared.delivered_before(&place, &item.key).await?
            {
                return Ok(before);
            }
            self.shared.hub.store(&place, item).await
        };
        match stored.await {
            // The same id whether it is the first time or not: a repeated delivery is absorbed.
            Ok(entry) => Outcome::delivered(entry.item.id.clone()),
            Err(LogError::Publish(error)) if !error.is_away() => {
                Outcome::permanent("not_stored", error.to_string())
            }
            Err(error) => {
                tracing::warn!(%error, "a delivery is not in the visitor's log yet");
                Outcome::retry(None, "broker_away", "the visitor's log cannot be written now")
            }
        }
    }

    async fn signal(&self, account: &Account<WebChatSettings>, signal: SignalRequest) -> bool {
        let user_id = signal.address.as_ref().map_or("", |address| address.user_id.as_str());
        let Some(place) = place(account, user_id) else { return false };
        let live = match signal.signal {
            Some(Signal::Typing(typing)) => Live::Typing { on: typing.on },
            Some(Signal::ReadMark(mark)) => match mark.up_to {
                Some(message) if !message.message_id.is_empty() => Live::Read { id: message.message_id },
                _ => return false,
            },
            None => return false,
        };
        self.shared.hub.tell(&place, &live).await;
        true
    }
}

/// Whether an earlier attempt would still be in the broker's window of duplicates, with room for clocks that differ: no
/// attempt was made before the message was said.
fn is_fresh(delivery: &Delivery<'_>, duplicate_window: Duration) -> bool {
    let said = delivery.message.time.as_ref().map_or(0, |time| time.seconds.saturating_mul(1000));
    let age = delivery.now_ms.saturating_sub(said);
    u128::try_from(age.max(0)).is_ok_and(|age| age < (duplicate_window / 2).as_millis())
}

impl Shared {
    /// The entry an earlier attempt left.
    async fn delivered_before(&self, place: &Place, key: &str) -> Result<Option<item::Entry>, LogError> {
        if let Some(entry) = self.hub.present(place).and_then(|feed| feed.find(|item| item.key == key)) {
            return Ok(Some(entry));
        }
        let entries = self.hub.log().after(&place.subject(), 0, feed::AT_HAND).await?;
        Ok(entries.into_iter().rev().find(|entry| entry.item.key == key))
    }
}
