//! Every provider is a carrier: encode, send, classify, with a token where one is wanted.

use std::sync::Arc;

use async_trait::async_trait;
use heliograph_fabric::Fabric;
use heliograph_proto::v1::{Capabilities, SignalRequest, signal_request::Signal};
use heliograph_store::{
    Redis,
    answered::Answered,
    handles::Handles,
    replies::{Customer, Replies},
    tokens::{Refreshed, Token, TokenError, TokenKey, TokenOptions, TokenStore},
    uploads::Uploads,
};
use http::StatusCode;
use secrecy::SecretString;

use super::{
    attach::{Attached, Attachments},
    ingress::wall_clock,
    media,
    outlet::Outlet,
    passive::{Offered, Passive},
    recall::Recall,
    shelf::Shelf,
};
use crate::{
    Account, Caller, Calls, Carrier, CarrierError, Channel, Delivery, MediaStream, Outcome, Provider,
    ProviderRequest, ProviderResponse, Purpose, ReplyHandle, TokenSource,
};

/// Carries deliveries of `P` over HTTP.
pub struct ViaHttp<P> {
    provider: Arc<P>,
    outlet: Outlet,
    tokens: TokenStore,
    replies: Replies,
    recall: Recall,
    passive: Passive,
    attachments: Attachments,
}

/// An account that calls now.
fn now<'a, S>(account: &'a Account<S>, token: Option<&'a SecretString>) -> Caller<'a, S> {
    Caller::new(account, wall_clock()).with_token(token)
}

/// What one try came to.
struct Tried {
    outcome: Outcome,
    /// The provider refused something that can be had anew: a token, an uploaded medium.
    stale: bool,
}

impl From<Outcome> for Tried {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, stale: false }
    }
}

impl<P: Provider> ViaHttp<P> {
    /// Sends through `outlet`; tokens, reply handles and uploads are shared with the other replicas through `redis`.
    /// Media are cut off at `media_limit` bytes, and taken from `shelf` where they are ours.
    pub fn new(
        provider: Arc<P>,
        outlet: Outlet,
        fabric: &Fabric,
        redis: &Redis,
        shelf: Arc<dyn Shelf>,
        media_limit: u64,
    ) -> Self {
        let uploads = Uploads::new(redis.clone());
        Self {
            provider,
            tokens: TokenStore::new(redis.clone(), TokenOptions::default()),
            replies: Replies::new(redis.clone()),
            recall: Recall::new(Handles::new(redis.clone())),
            passive: Passive::new(fabric.clone(), Answered::new(redis.clone())),
            attachments: Attachments { outlet: outlet.clone(), shelf, uploads, limit: media_limit },
            outlet,
        }
    }

    /// The token for this account, fresh if need be; `None` when the provider wants none.
    async fn token(&self, account: &Account<P::Settings>) -> Result<Option<(TokenKey, Token)>, Outcome> {
        let Some(TokenSource { key, request }) = self.provider.token(&now(account, None)) else {
            return Ok(None);
        };
        let key = TokenKey::new(&account.tenant, &account.channel, &account.name, key);
        let refresh = || async {
            // Asking for a token delivers nothing, so a lost answer is no doubt.
            let response = self.outlet.send(account, &request).await.map_err(|lost| lost.outcome(true))?;
            let grant = self.provider.read_token(account, &response)?;
            Ok(Refreshed { value: grant.token, valid_for: grant.expires_in })
        };
        match self.tokens.get(&key, refresh).await {
            Ok(token) => Ok(Some((key, token))),
            Err(TokenError::Refresh(outcome)) => Err(outcome),
            Err(TokenError::TimedOut) => {
                Err(Outcome::retry(None, "token_timeout", "the provider gave no token in time"))
            }
            Err(TokenError::RecentlyFailed { retry_after }) => Err(Outcome::retry(
                Some(retry_after),
                "token_failed",
                "the provider gave no token a moment ago",
            )),
        }
    }

    /// One try; what was refused for being stale is given up, so that the next one asks for another.
    async fn attempt(&self, account: &Account<P::Settings>, delivery: &Delivery<'_>) -> Tried {
        let token = match self.token(account).await {
            Ok(token) => token,
            Err(outcome) => return outcome.into(),
        };
        let secret = token.as_ref().map(|(_, token)| &token.value);
        let caller = now(account, secret);
        let attached = self.attachments.attach(&*self.provider, &caller, delivery.message).await;
        let mut tried = match attached {
            Ok(attached) => self.send(&caller, delivery, &attached).await,
            Err(outcome) => outcome.into(),
        };
        if let (Outcome::Auth { token_expired: true, .. }, Some((key, token))) = (&tried.outcome, token) {
            self.tokens.invalidate(&key, token.generation).await;
            tried.stale = true;
        }
        tried
    }

    /// Sends what is ready to be sent, and the request that follows if the answer asks for one.
    async fn send(&self, caller: Calls<'_, P>, delivery: &Delivery<'_>, attached: &Attached) -> Tried {
        let Attached { message, file, within, recalled } = attached;
        let delivery = Delivery { message, file: file.as_ref(), ..*delivery };
        let mut answer =
            match self.exchange(caller.account, self.provider.encode_checked(caller, &delivery)).await {
                Ok(answer) => answer,
                Err(outcome) => return outcome.into(),
            };
        if let Some(next) = self.provider.follow_up(caller, &delivery, &answer) {
            answer = match self.exchange(caller.account, next).await {
                Ok(answer) => answer,
                Err(outcome) => return outcome.into(),
            };
        }
        let outcome = self.provider.classify(caller.account, &answer);
        let stale = !recalled.is_empty() && self.provider.is_stale_upload(caller.account, &answer);
        if stale {
            self.attachments.forget(caller.account, recalled).await;
        } else if let (Outcome::Delivered { .. }, Some(source)) = (&outcome, within)
            && let Ok(grant) = self.provider.read_upload(caller.account, &answer)
        {
            self.attachments.remember(caller.account, source, &grant).await;
        }
        if matches!(outcome, Outcome::Delivered { .. }) {
            let handles = self.provider.read_handles(caller.account, &answer);
            let ours = Some(message.id.as_str()).filter(|id| !id.is_empty());
            self.recall.keep(&caller.account.into(), &handles, ours).await;
        }
        Tried { outcome, stale }
    }

    async fn exchange(
        &self,
        account: &Account<P::Settings>,
        request: Result<crate::ProviderRequest, Outcome>,
    ) -> Result<ProviderResponse, Outcome> {
        let request = request?;
        let idempotent = self.provider.is_idempotent(account, &request);
        self.outlet.send(account, &request).await.map_err(|lost| lost.outcome(idempotent))
    }

    /// The handle to reply with; without Redis, none.
    async fn reply(&self, account: &Account<P::Settings>, delivery: &Delivery<'_>) -> Option<ReplyHandle> {
        if !self.provider.takes_replies(account) {
            return None;
        }
        let customer =
            Customer { channel: &account.channel, account: &account.name, user_id: delivery.user_id() };
        let taken = self.replies.take(&account.tenant, &customer, delivery.delivery_id).await.ok()??;
        Some(ReplyHandle { value: taken.value, tried: taken.before })
    }

    /// The handle of the message that is quoted; where it is not known, the message goes without the quote.
    async fn quote(&self, account: &Account<P::Settings>, delivery: &Delivery<'_>) -> Option<SecretString> {
        let quoted = delivery.message.reply_to.as_ref()?;
        if !self.provider.wants_handles(account, Purpose::Quote) {
            return None;
        }
        self.recall.find(&account.into(), quoted, Purpose::Quote).await
    }

    /// The signal upon the message it is about, or upon what the customer wrote last; none where that is not known.
    async fn signal_upon(&self, caller: Calls<'_, P>, signal: &SignalRequest) -> Option<ProviderRequest> {
        let handle = match &signal.signal {
            Some(Signal::ReadMark(mark)) if self.provider.wants_handles(caller.account, Purpose::Read) => {
                self.recall.find(&caller.account.into(), mark.up_to.as_ref()?, Purpose::Read).await?
            }
            _ => {
                let user_id = &signal.address.as_ref()?.user_id;
                let customer =
                    Customer { channel: &caller.account.channel, account: &caller.account.name, user_id };
                self.replies.newest(&caller.account.tenant, &customer).await.ok()??
            }
        };
        self.provider.encode_signal_upon(caller, signal, &handle)
    }

    /// Where a medium is: what the provider says when it is asked, or what is known.
    async fn media_url(
        &self,
        caller: Calls<'_, P>,
        provider_media_id: &str,
        url: &str,
    ) -> Result<String, CarrierError> {
        let Some(request) = self.provider.encode_media_lookup(caller, provider_media_id) else {
            return Ok(url.to_owned());
        };
        let answer = self.outlet.send(caller.account, &request).await;
        let answer = answer.map_err(|lost| CarrierError::Provider(lost.to_string()))?;
        if answer.status == StatusCode::UNAUTHORIZED {
            return Err(CarrierError::Unauthorized("it answered 401".to_owned()));
        }
        self.provider.read_media_lookup(caller.account, &answer)
    }

    async fn fetch(
        &self,
        caller: Calls<'_, P>,
        provider_media_id: &str,
        url: &str,
    ) -> Result<MediaStream, CarrierError> {
        let url = self.media_url(caller, provider_media_id, url).await?;
        let request = self.provider.encode_media(caller, provider_media_id, &url);
        let request = request.ok_or(CarrierError::Unsupported)?;
        let explain = |answer: &ProviderResponse| self.provider.read_media_error(caller.account, answer);
        media::fetch(&self.outlet, caller.account, request, self.attachments.limit, explain).await
    }

    async fn media_token(
        &self,
        account: &Account<P::Settings>,
    ) -> Result<Option<(TokenKey, Token)>, CarrierError> {
        self.token(account).await.map_err(|_| CarrierError::Provider("no access token".to_owned()))
    }
}

impl<P: Provider> Channel for ViaHttp<P> {
    type Settings = P::Settings;

    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn capabilities(&self, account: &Account<P::Settings>) -> Capabilities {
        self.provider.capabilities(account)
    }
}

#[async_trait]
impl<P: Provider> Carrier for ViaHttp<P> {
    async fn deliver(&self, account: &Account<P::Settings>, delivery: Delivery<'_>) -> Outcome {
        if self.provider.answers_requests(account) {
            match self.passive.offer(account, &delivery).await {
                Offered::Taken => return Outcome::delivered(""),
                Offered::Unknown => {
                    return Outcome::in_doubt(
                        "passive_reply",
                        "whoever holds the request did not say whether it took it",
                    );
                }
                Offered::Nobody => {}
            }
        }
        let reply = self.reply(account, &delivery).await;
        let quote = self.quote(account, &delivery).await;
        let delivery = Delivery { reply: reply.as_ref(), quote: quote.as_ref(), ..delivery };
        let outcome = match self.attempt(account, &delivery).await {
            Tried { stale: true, .. } => self.attempt(account, &delivery).await.outcome,
            tried => tried.outcome,
        };
        let refused = matches!(outcome, Outcome::Retry { .. } | Outcome::Auth { .. });
        if refused && reply.as_ref().is_some_and(|reply| !reply.tried) {
            // Losing this costs a message that waits for a person.
            let _ = self.replies.unused(&account.tenant, delivery.delivery_id).await;
        }
        outcome
    }

    async fn signal(&self, account: &Account<P::Settings>, signal: SignalRequest) -> bool {
        let Ok(token) = self.token(account).await else { return false };
        let secret = token.as_ref().map(|(_, token)| &token.value);
        let caller = now(account, secret);
        let request = match self.provider.encode_signal(&caller, &signal) {
            Some(request) => Some(request),
            None => self.signal_upon(&caller, &signal).await,
        };
        let Some(request) = request else { return false };
        let sent = self.outlet.send(account, &request).await;
        sent.is_ok_and(|response| response.status.is_success())
    }

    async fn fetch_media(
        &self,
        account: &Account<P::Settings>,
        provider_media_id: &str,
        url: &str,
    ) -> Result<MediaStream, CarrierError> {
        let token = self.media_token(account).await?;
        let secret = token.as_ref().map(|(_, token)| &token.value);
        let fetched = self.fetch(&now(account, secret), provider_media_id, url).await;
        let (Err(CarrierError::Unauthorized(_)), Some((key, token))) = (&fetched, &token) else {
            return fetched;
        };
        self.tokens.invalidate(key, token.generation).await;
        let token = self.media_token(account).await?;
        let secret = token.as_ref().map(|(_, token)| &token.value);
        self.fetch(&now(account, secret), provider_media_id, url).await
    }
}
