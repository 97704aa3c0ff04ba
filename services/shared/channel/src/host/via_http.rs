//! Every provider is a carrier: encode, send, classify, with a token where one is wanted.

use std::sync::Arc;

use async_trait::async_trait;
use heliograph_proto::v1::{Capabilities, SignalRequest};
use heliograph_store::tokens::{Refreshed, Token, TokenError, TokenKey, TokenStore};

use super::{ingress::wall_clock, media, outlet::Outlet};
use crate::{Account, Carrier, CarrierError, Channel, Delivery, MediaStream, Outcome, Provider, TokenSource};

/// Carries deliveries of `P` over HTTP.
pub struct ViaHttp<P> {
    provider: Arc<P>,
    outlet: Outlet,
    tokens: TokenStore,
    media_limit: u64,
}

impl<P: Provider> ViaHttp<P> {
    /// Sends through `outlet`; tokens are shared with the other replicas through `tokens`. Media are cut off at
    /// `media_limit` bytes.
    pub fn new(provider: Arc<P>, outlet: Outlet, tokens: TokenStore, media_limit: u64) -> Self {
        Self { provider, outlet, tokens, media_limit }
    }

    /// The token for this account, fresh if need be; `None` when the provider wants none.
    async fn token(&self, account: &Account<P::Settings>) -> Result<Option<(TokenKey, Token)>, Outcome> {
        let Some(TokenSource { key, request }) = self.provider.token(account) else { return Ok(None) };
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

    /// One try; a token that was refused is reported, so that the next one asks for another.
    async fn attempt(
        &self,
        account: &Account<P::Settings>,
        delivery: &Delivery<'_>,
    ) -> Result<Outcome, Outcome> {
        let token = self.token(account).await?;
        let secret = token.as_ref().map(|(_, token)| &token.value);
        let request = self.provider.encode(account, delivery, secret)?;
        let outcome = match self.outlet.send(account, &request).await {
            Ok(response) => self.provider.classify(account, &response),
            Err(lost) => lost.outcome(self.provider.capabilities(account).idempotent_send),
        };
        if let (Outcome::Auth { token_expired: true, .. }, Some((key, token))) = (&outcome, token) {
            self.tokens.invalidate(&key, token.generation).await;
        }
        Ok(outcome)
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
        let first = self.attempt(account, &delivery).await.unwrap_or_else(|failed| failed);
        if matches!(first, Outcome::Auth { token_expired: true, .. }) {
            return self.attempt(account, &delivery).await.unwrap_or_else(|failed| failed);
        }
        first
    }

    async fn signal(&self, account: &Account<P::Settings>, signal: SignalRequest) -> bool {
        let Ok(token) = self.token(account).await else { return false };
        let secret = token.as_ref().map(|(_, token)| &token.value);
        let Some(request) = self.provider.encode_signal(account, &signal, wall_clock(), secret) else {
            return false;
        };
        let sent = self.outlet.send(account, &request).await;
        sent.is_ok_and(|response| response.status.is_success())
    }

    async fn fetch_media(
        &self,
        account: &Account<P::Settings>,
        provider_media_id: &str,
        url: &str,
    ) -> Result<MediaStream, CarrierError> {
        let token =
            self.token(account).await.map_err(|_| CarrierError::Provider("no access token".to_owned()))?;
        let secret = token.as_ref().map(|(_, token)| &token.value);
        let request = self.provider.encode_media(account, provider_media_id, url, secret);
        media::fetch(&self.outlet, account, request.ok_or(CarrierError::Unsupported)?, self.media_limit).await
    }
}
