//! Facebook Messenger, for a Page.
//!
//! Webhooks, the Send API and its errors are those of [`heliograph_graph::messaging`]; here stands what an account is.

mod settings;

use heliograph_channel::{
    Account, Channel, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse, Received, Refusal,
    Upload, UploadGrant, Webhook, WebhookRequest,
};
use heliograph_graph::messaging::{self, MESSENGER};
use heliograph_proto::v1::{Capabilities, Media, SignalRequest};
use secrecy::SecretString;

pub use settings::{MessengerSettings, MessengerSpec};

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Messenger;

impl Channel for Messenger {
    type Settings = MessengerSettings;

    fn name(&self) -> &'static str {
        MESSENGER.channel
    }

    fn capabilities(&self, account: &Account<MessengerSettings>) -> Capabilities {
        let profile = &account.settings.profile;
        let more: &[&str] = if profile.utility_templates { &["template"] } else { &[] };
        MESSENGER.capabilities(&profile.windows, more)
    }
}

impl Webhook for Messenger {
    fn receive(
        &self,
        account: &Account<MessengerSettings>,
        request: &WebhookRequest,
    ) -> Result<Received, Refusal> {
        messaging::receive(account, &account.settings.profile, request)
    }
}

impl Provider for Messenger {
    fn encode(
        &self,
        account: &Account<MessengerSettings>,
        delivery: &Delivery<'_>,
        token: Option<&SecretString>,
    ) -> Result<ProviderRequest, Outcome> {
        messaging::encode(account, &account.settings.profile, delivery, token)
    }

    fn classify(&self, account: &Account<MessengerSettings>, response: &ProviderResponse) -> Outcome {
        messaging::classify(&account.settings.profile, response)
    }

    /// A person may still answer when the window is closed to programs.
    fn follow_up(
        &self,
        account: &Account<MessengerSettings>,
        delivery: &Delivery<'_>,
        response: &ProviderResponse,
        token: Option<&SecretString>,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        let closed = matches!(self.classify(account, response), Outcome::WindowClosed { .. });
        closed.then(|| messaging::encode_as_agent(account, &account.settings.profile, delivery, token))?
    }

    fn is_idempotent(&self, _account: &Account<MessengerSettings>, request: &ProviderRequest) -> bool {
        messaging::is_idempotent(request)
    }

    fn encode_signal(
        &self,
        account: &Account<MessengerSettings>,
        signal: &SignalRequest,
        _now_ms: i64,
        token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        messaging::signal(account, &account.settings.profile, signal, token)
    }

    fn encode_media(
        &self,
        _account: &Account<MessengerSettings>,
        _provider_media_id: &str,
        url: &str,
        _token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        messaging::fetch(url)
    }

    fn upload(&self, account: &Account<MessengerSettings>, media: &Media) -> Upload {
        messaging::upload(&account.settings.profile, media)
    }

    fn encode_upload(
        &self,
        account: &Account<MessengerSettings>,
        media: &Media,
        _file: Option<&heliograph_channel::File>,
        token: Option<&SecretString>,
    ) -> Result<ProviderRequest, Outcome> {
        messaging::encode_upload(account, &account.settings.profile, media, token)
    }

    fn read_upload(
        &self,
        account: &Account<MessengerSettings>,
        response: &ProviderResponse,
    ) -> Result<UploadGrant, Outcome> {
        messaging::read_upload(&account.settings.profile, response)
    }

    fn is_stale_upload(&self, _account: &Account<MessengerSettings>, response: &ProviderResponse) -> bool {
        messaging::is_stale_upload(response)
    }
}
