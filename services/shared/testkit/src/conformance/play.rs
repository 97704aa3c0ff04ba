//! Requests through the host's real ingress, over a broker and a memory made for the purpose.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use async_trait::async_trait;
use axum::{Router, body::Body};
use heliograph_channel::{
    RawAccount, Webhook, WebhookRequest,
    host::{Accounts, LocalMemory, Sink, SinkError, Stored, ingress_for_tests},
};
use heliograph_proto::v1::InboundEvent;
use http::{Request, StatusCode, header};
use tokio::{runtime::Runtime, time::Instant};
use tower::ServiceExt as _;

/// A broker that keeps what it is given, or is away.
#[derive(Default)]
struct Broker {
    away: AtomicBool,
    stored: Mutex<Vec<InboundEvent>>,
}

#[async_trait]
impl Sink for Broker {
    async fn store(&self, event: &InboundEvent, _: Instant) -> Result<Stored, SinkError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(SinkError::Away("switched off for the test".to_owned()));
        }
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        if stored.iter().any(|known| known.id == event.id) {
            return Ok(Stored::Before);
        }
        stored.push(event.clone());
        Ok(Stored::New)
    }
}

/// The ingress of one account.
pub(super) struct Ingress {
    router: Router,
    broker: Arc<Broker>,
    clock: Arc<AtomicI64>,
    base: String,
    runtime: Runtime,
}

/// What the provider is answered.
pub(super) struct Answered {
    pub status: StatusCode,
    pub retry_after: bool,
    /// Headers and body.
    pub text: String,
    pub body: String,
}

impl Ingress {
    pub(super) fn new<W: Webhook>(
        channel: Arc<W>,
        raw: &RawAccount,
        body_limit: usize,
    ) -> Result<Self, String> {
        let account = raw.load::<W::Settings>().map_err(|error| error.to_string())?;
        let clock = Arc::new(AtomicI64::new(0));
        let (broker, told) = (Arc::new(Broker::default()), Arc::clone(&clock));
        let base = format!("/{}/{}", channel.name(), raw.name);
        let router = ingress_for_tests(
            channel,
            Accounts::fixed([account]),
            Arc::clone(&broker) as Arc<dyn Sink>,
            Arc::new(LocalMemory::default()),
            body_limit,
            Arc::new(move || told.load(Ordering::Relaxed)),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { router, broker, clock, base, runtime: runtime.map_err(|error| error.to_string())? })
    }

    pub(super) fn broker_away(&self, away: bool) {
        self.broker.away.store(away, Ordering::Relaxed);
    }

    /// The ids of everything that was stored, in order.
    pub(super) fn stored(&self) -> Vec<String> {
        let stored = self.broker.stored.lock().unwrap_or_else(PoisonError::into_inner);
        stored.iter().map(|event| event.id.clone()).collect()
    }

    pub(super) fn post(&self, request: &WebhookRequest) -> Result<Answered, String> {
        self.post_to(&self.base, request)
    }

    pub(super) fn post_to(&self, base: &str, request: &WebhookRequest) -> Result<Answered, String> {
        self.clock.store(request.now_ms, Ordering::Relaxed);
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let mut posted = Request::builder()
            .method(request.method.clone())
            .uri(format!("{base}{}{query}", request.path))
            .body(Body::from(request.body.clone()))
            .map_err(|error| error.to_string())?;
        *posted.headers_mut() = request.headers.clone();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(posted).await.map_err(|error| error.to_string())?;
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|error| error.to_string())?;
            let body = String::from_utf8_lossy(&body).into_owned();
            Ok(Answered {
                status: parts.status,
                retry_after: parts.headers.contains_key(header::RETRY_AFTER),
                text: format!("{:?} {body}", parts.headers),
                body,
            })
        })
    }
}
