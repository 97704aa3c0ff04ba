//! Webhooks at `/<channel>/<account>` and below: verified, read, durable, and only then answered.

use std::{future::Future, pin::Pin, sync::Arc, time::SystemTime};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::any,
};
use bytes::Bytes;
use heliograph_proto::v1::inbound_event::Kind;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use tracing::Instrument as _;

use super::{
    accounts::{Accounts, NoAccount},
    inlet::{Inlet, InletError},
    metrics::Metrics,
    passive::{Held, Passive},
    sink::{SinkError, Stored},
};
use crate::{Account, Answer, Hold, Refusal, Webhook, WebhookRequest};

/// Providers come back after this many seconds when a fault of ours kept us from taking what they sent.
const RETRY_AFTER: &str = "2";
/// And after this many when somebody has to put something right first.
const RETRY_LATER: &str = "60";

/// Milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What the handlers share.
pub(super) struct Ingress<W: Webhook + ?Sized> {
    pub channel: Arc<W>,
    /// The channel's name.
    pub name: &'static str,
    pub accounts: Accounts<W::Settings>,
    pub inlet: Inlet,
    /// Absent: no request is held.
    pub passive: Option<Passive>,
    pub metrics: Arc<Metrics>,
    pub body_limit: usize,
    pub clock: Clock,
}

/// A request that is not answered by the channel itself.
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<&'static str>,
}

impl<W: Webhook + ?Sized> Ingress<W> {
    /// The routes of this channel.
    pub(super) fn router(self) -> Router {
        let base = format!("/{}/{{account}}", self.name);
        let below = format!("{base}/{{*rest}}");
        Router::new()
            .route(&base, any(handle::<W>))
            .route(&format!("{base}/"), any(handle::<W>))
            .route(&below, any(handle::<W>))
            .with_state(Arc::new(self))
    }

    /// The answer, and the word it is counted under.
    async fn take(&self, request: Request) -> Result<(Answer, &'static str), Refused> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let behind_channel = path.get(self.name.len() + 2..).unwrap_or_default();
        let (name, rest) =
            behind_channel.find('/').map_or((behind_channel, ""), |at| behind_channel.split_at(at));
        let account = self.accounts.by_path(name).map_err(|why| Refused::no_account(&why))?;
        let span = tracing::info_span!(
            "webhook",
            heliograph.tenant = account.tenant,
            heliograph.channel = self.name,
            heliograph.account = account.name,
        );
        let rest = rest.to_owned();
        async {
            let body =
                axum::body::to_bytes(body, self.body_limit).await.map_err(|error| self.unread(&error))?;
            let request = WebhookRequest {
                path: rest,
                query: parts.uri.query().unwrap_or_default().to_owned(),
                method: parts.method,
                headers: parts.headers,
                body,
                now_ms: (self.clock)(),
            };
            let received =
                self.channel.receive(&account, &request).map_err(|refusal| Refused::by(&refusal))?;
            for event in &received.events {
                if let Some(Kind::Unknown(unknown)) = &event.kind {
                    tracing::info!(kind = unknown.kind, "an event of an unknown kind is kept");
                }
            }
            // Before anybody can know of the message, so that no reply comes too early.
            let held = self.hold(&account, received.hold.as_ref()).await;
            let body = received.same_id_same_body.then_some(&request.body[..]);
            let stored = self.inlet.accept_from(&account.tenant, &received.events, body).await;
            if stored.is_ok() {
                self.inlet.keep_handles(&account, received.handles);
            }
            match stored {
                Ok(Stored::New) => {
                    self.inlet.keep(&account, received.replies);
                    let event = received.events.first().map_or("", |event| event.id.as_str());
                    let said = self.said(&account, &request, event, held).await;
                    Ok((said.unwrap_or(received.answer), "accepted"))
                }
                Ok(Stored::Before) => {
                    let event = received.events.first().map_or("", |event| event.id.as_str());
                    let given = self.given(&account, received.hold.is_some(), event).await;
                    let mut answer = received.answer_if_seen.unwrap_or(received.answer);
                    if let Some(body) = given {
                        answer.body = body;
                    }
                    Ok((answer, "duplicate"))
                }
                Err(error) => Err(Refused::not_stored(&error)),
            }
        }
        .instrument(span)
        .await
    }

    async fn hold(&self, account: &Account<W::Settings>, hold: Option<&Hold>) -> Option<Held> {
        self.passive.as_ref()?.hold(account, hold?).await
    }

    /// What is said to the customer by the answer, if anything is while the provider waits.
    async fn said(
        &self,
        account: &Account<W::Settings>,
        request: &WebhookRequest,
        event: &str,
        held: Option<Held>,
    ) -> Option<Answer> {
        let (passive, held) = (self.passive.as_ref()?, held?);
        passive.answer(account, event, held, |message| self.channel.answer(account, request, message)).await
    }

    /// What was said by the answer to the same request before.
    async fn given(&self, account: &Account<W::Settings>, holds: bool, event: &str) -> Option<Bytes> {
        self.passive.as_ref().filter(|_| holds)?.given(account, event).await
    }

    fn unread(&self, error: &axum::Error) -> Refused {
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(found) = cause {
            if found.is::<http_body_util::LengthLimitError>() {
                let message = format!("the body is larger than {} bytes", self.body_limit);
                return Refused {
                    status: StatusCode::PAYLOAD_TOO_LARGE,
                    code: "too_large",
                    message,
                    retry_after: None,
                };
            }
            cause = found.source();
        }
        let message = "the body broke off".to_owned();
        Refused { status: StatusCode::BAD_REQUEST, code: "broken_off", message, retry_after: None }
    }
}

fn handle<W: Webhook + ?Sized>(
    State(ingress): State<Arc<Ingress<W>>>,
    request: Request,
) -> Pin<Box<dyn Future<Output = Response> + Send>> {
    Box::pin(async move {
        match ingress.take(request).await {
            Ok((answer, outcome)) => {
                ingress.metrics.webhook(outcome);
                respond(answer)
            }
            Err(refused) => {
                ingress.metrics.webhook(refused.code);
                refused.respond()
            }
        }
    })
}

impl Refused {
    fn no_account(why: &NoAccount) -> Self {
        let (status, retry_after) = match why {
            NoAccount::Unknown => (StatusCode::NOT_FOUND, None),
            NoAccount::Loading => (StatusCode::SERVICE_UNAVAILABLE, Some(RETRY_AFTER)),
            // Not a 4xx: what the provider holds back arrives when the account is put right or switched on again.
            NoAccount::Disabled | NoAccount::Broken(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, Some(RETRY_LATER))
            }
        };
        let message = match why {
            // The provider need not know our resources.
            NoAccount::Broken(_) => "the account is not usable".to_owned(),
            other => other.to_string(),
        };
        Self { status, code: why.code(), message, retry_after }
    }

    fn by(refusal: &Refusal) -> Self {
        tracing::info!(code = refusal.code(), %refusal, "a webhook is refused");
        Self {
            status: refusal.status(),
            code: refusal.code(),
            message: refusal.to_string(),
            retry_after: None,
        }
    }

    fn not_stored(error: &InletError) -> Self {
        let unavailable = |code, message: &str| Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code,
            message: message.to_owned(),
            retry_after: Some(RETRY_AFTER),
        };
        match error {
            InletError::Conflict => Self::by(&Refusal::Conflict(error.to_string())),
            InletError::Sink(SinkError::TooLarge(_)) => Self {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                code: "too_large",
                message: "the event is larger than can be stored".to_owned(),
                retry_after: None,
            },
            InletError::Sink(SinkError::Away(why)) => {
                tracing::warn!(why, "the broker is away; the provider is asked to come again");
                unavailable("broker_away", "not stored; come again")
            }
            InletError::Sink(SinkError::Refused(why)) => {
                tracing::error!(why, "an event cannot be stored; the provider is asked to come again");
                unavailable("not_stored", "not stored; come again")
            }
        }
    }

    fn respond(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let mut response = respond(Answer::json(self.status, &body));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    if !answer.content_type.is_empty() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    }
    response
}

/// The wall clock, milliseconds since 1970.
pub(super) fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
