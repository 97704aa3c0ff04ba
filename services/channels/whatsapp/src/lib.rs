//! WhatsApp, by the Cloud API: one business phone number.
//!
//! Source: developers.facebook.com, "WhatsApp Business Platform" (webhooks, messages, media, error codes,
//! business-scoped user ids), and Meta's OpenAPI description; the peer `pywa` agrees.

mod capabilities;
mod codes;
mod inbound;
mod outbound;
mod settings;

use heliograph_channel::{
    Account, AccountOf, Calls, CarrierError, Channel, Delivery, File, Outcome, Provider, ProviderRequest,
    ProviderResponse, Received, Refusal, Upload, UploadGrant, Webhook, WebhookRequest,
};
use heliograph_proto::v1::{Capabilities, Media, SignalRequest};
use secrecy::SecretString;

pub use settings::{MediaBy, WhatsAppSettings, WhatsAppSpec};

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct WhatsApp;

impl Channel for WhatsApp {
    type Settings = WhatsAppSettings;

    fn name(&self) -> &'static str {
        "whatsapp"
    }

    fn capabilities(&self, account: &Account<WhatsAppSettings>) -> Capabilities {
        capabilities::of(&account.settings.spec)
    }
}

impl Webhook for WhatsApp {
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        inbound::receive(account, request)
    }
}

impl Provider for WhatsApp {
    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        outbound::encode(caller.account, delivery)
    }

    fn classify(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Outcome {
        codes::classify(response)
    }

    fn follow_up(
        &self,
        caller: Calls<'_, Self>,
        delivery: &Delivery<'_>,
        response: &ProviderResponse,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        outbound::by_phone_instead(caller.account, delivery, response)
    }

    fn encode_signal(&self, caller: Calls<'_, Self>, signal: &SignalRequest) -> Option<ProviderRequest> {
        outbound::read_mark(caller.account, signal)
    }

    fn encode_signal_upon(
        &self,
        caller: Calls<'_, Self>,
        signal: &SignalRequest,
        handle: &SecretString,
    ) -> Option<ProviderRequest> {
        outbound::typing(caller.account, signal, handle)
    }

    fn encode_media(&self, caller: Calls<'_, Self>, _: &str, url: &str) -> Option<ProviderRequest> {
        outbound::media::download(caller.account, url)
    }

    fn encode_media_lookup(
        &self,
        caller: Calls<'_, Self>,
        provider_media_id: &str,
    ) -> Option<ProviderRequest> {
        outbound::media::lookup(caller.account, provider_media_id)
    }

    fn read_media_lookup(
        &self,
        _: &AccountOf<Self>,
        response: &ProviderResponse,
    ) -> Result<String, CarrierError> {
        outbound::media::read_lookup(response)
    }

    fn upload(&self, account: &AccountOf<Self>, _: &Media) -> Upload {
        match account.settings.spec.media {
            MediaBy::Upload => Upload::Before,
            MediaBy::Link => Upload::Never,
        }
    }

    fn encode_upload(
        &self,
        caller: Calls<'_, Self>,
        _: &Media,
        file: Option<&File>,
    ) -> Result<ProviderRequest, Outcome> {
        outbound::media::upload(caller.account, file)
    }

    fn read_upload(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Result<UploadGrant, Outcome> {
        outbound::media::read_upload(response)
    }

    fn is_stale_upload(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> bool {
        codes::is_stale_upload(response)
    }
}
