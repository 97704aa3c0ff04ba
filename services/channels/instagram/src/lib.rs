//! Instagram messaging, for a professional account: through the Facebook Page it is linked to, or by Instagram Login.
//!
//! Webhooks, the Send API and its errors are those of [`heliograph_graph::messaging`]; here stands what an account is.

mod settings;
mod token;

use heliograph_channel::{
    Account, AccountOf, Calls, Channel, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse,
    Received, Refusal, TokenGrant, TokenSource, Webhook, WebhookRequest,
};
use heliograph_graph::messaging::{self, INSTAGRAM};
use heliograph_proto::v1::{Capabilities, SignalRequest};

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
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        messaging::receive(account, &account.settings.profile, request)
    }
}

impl Provider for Instagram {
    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        messaging::encode(caller.account, &caller.account.settings.profile, delivery, caller.token)
    }

    fn classify(&self, account: &AccountOf<Self>, response: &ProviderResponse) -> Outcome {
        messaging::classify(&account.settings.profile, response)
    }

    /// A person may still answer when the window is closed to programs.
    fn follow_up(
        &self,
        caller: Calls<'_, Self>,
        delivery: &Delivery<'_>,
        response: &ProviderResponse,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        let closed = matches!(self.classify(caller.account, response), Outcome::WindowClosed { .. });
        closed.then(|| {
            messaging::encode_as_agent(
                caller.account,
                &caller.account.settings.profile,
                delivery,
                caller.token,
            )
        })?
    }

    fn is_idempotent(&self, _: &AccountOf<Self>, request: &ProviderRequest) -> bool {
        messaging::is_idempotent(request)
    }

    fn encode_signal(&self, caller: Calls<'_, Self>, signal: &SignalRequest) -> Option<ProviderRequest> {
        messaging::signal(caller.account, &caller.account.settings.profile, signal, caller.token)
    }

    fn encode_media(&self, _: Calls<'_, Self>, _: &str, url: &str) -> Option<ProviderRequest> {
        messaging::fetch(url)
    }

    fn token(&self, caller: Calls<'_, Self>) -> Option<TokenSource> {
        caller.account.settings.refresh_token.then(|| token::source(caller.account))
    }

    fn read_token(
        &self,
        account: &AccountOf<Self>,
        response: &ProviderResponse,
    ) -> Result<TokenGrant, Outcome> {
        token::read(&account.settings.profile, response)
    }
}
