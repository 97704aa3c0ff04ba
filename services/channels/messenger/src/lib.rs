//! Facebook Messenger, for a Page.
//!
//! Webhooks, the Send API and its errors are those of [`heliograph_graph::messaging`]; here stands what an account is.

mod settings;

use heliograph_channel::{
    Account, AccountOf, Calls, Channel, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse,
    Received, Refusal, Upload, UploadGrant, Webhook, WebhookRequest,
};
use heliograph_graph::messaging::{self, MESSENGER};
use heliograph_proto::v1::{Capabilities, Media, SignalRequest};

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
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        messaging::receive(account, &account.settings.profile, request)
    }
}

impl Provider for Messenger {
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

    fn upload(&self, account: &AccountOf<Self>, media: &Media) -> Upload {
        messaging::upload(&account.settings.profile, media)
    }

    fn encode_upload(
        &self,
        caller: Calls<'_, Self>,
        media: &Media,
        _file: Option<&heliograph_channel::File>,
    ) -> Result<ProviderRequest, Outcome> {
        messaging::encode_upload(caller.account, &caller.account.settings.profile, media, caller.token)
    }

    fn read_upload(
        &self,
        account: &AccountOf<Self>,
        response: &ProviderResponse,
    ) -> Result<UploadGrant, Outcome> {
        messaging::read_upload(&account.settings.profile, response)
    }

    fn is_stale_upload(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> bool {
        messaging::is_stale_upload(response)
    }
}
