//! Instagram messaging, for a professional account: through the Facebook Page it is linked to, or by Instagram Login.
//!
//! Webhooks, the Send API and its errors are those of [`heliograph_graph::messaging`]; here stands what an account is.

mod settings;
mod token;

use heliograph_channel::{
    Account, Channel, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse, Received, Refusal,
    TokenGrant, TokenSource, Webhook, WebhookRequest,
};
use heliograph_graph::messaging::{self, INSTAGRAM};
use heliograph_proto::v1::{Capabilities, SignalRequest};
use secrecy::SecretString;

pub use settings::{InstagramSettings, InstagramSpec, Login};

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Instagram;

impl Channel for Instagram {
    type Settings = InstagramSettings;

    fn name(&self) -> &'static str {
        INSTAGRAM.channel
    }

    fn capabilities(&self, account: &Account<InstagramSettings>) -> Capabilities {
        INSTAGRAM.capabilities(&account.settings.profile.windows, &[])
    }
}

impl Webhook for Instagram {
    fn receive(
        &self,
        account: &Account<InstagramSettings>,
        request: &WebhookRequest,
    ) -> Result<Received, Refusal> {
        messaging::receive(account, &account.settings.profile, request)
    }
}

impl Provider for Instagram {
    fn encode(
        &self,
        account: &Account<InstagramSettings>,
        delivery: &Delivery<'_>,
        token: Option<&SecretString>,
    ) -> Result<ProviderRequest, Outcome> {
        messaging::encode(account, &account.settings.profile, delivery, token)
    }

    fn classify(&self, account: &Account<InstagramSettings>, response: &ProviderResponse) -> Outcome {
        messaging::classify(&account.settings.profile, response)
    }

    /// A person may still answer when the window is closed to programs.
    fn follow_up(
        &self,
        account: &Account<InstagramSettings>,
        delivery: &Delivery<'_>,
        response: &ProviderResponse,
        token: Option<&SecretString>,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        let closed = matches!(self.classify(account, response), Outcome::WindowClosed { .. });
        closed.then(|| messaging::encode_as_agent(account, &account.settings.profile, delivery, token))?
    }

    fn is_idempotent(&self, _account: &Account<InstagramSettings>, request: &ProviderRequest) -> bool {
        messaging::is_idempotent(request)
    }

    fn encode_signal(
        &self,
        account: &Account<InstagramSettings>,
        signal: &SignalRequest,
        _now_ms: i64,
        token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        messaging::signal(account, &account.settings.profile, signal, token)
    }

    fn encode_media(
        &self,
        _account: &Account<InstagramSettings>,
        _provider_media_id: &str,
        url: &str,
        _token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        messaging::fetch(url)
    }

    fn token(&self, account: &Account<InstagramSettings>, _now_ms: i64) -> Option<TokenSource> {
        account.settings.refresh_token.then(|| token::source(account))
    }

    fn read_token(
        &self,
        account: &Account<InstagramSettings>,
        response: &ProviderResponse,
    ) -> Result<TokenGrant, Outcome> {
        token::read(&account.settings.profile, response)
    }
}
