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
    Account, CarrierError, Channel, Delivery, File, Outcome, Provider, ProviderRequest, ProviderResponse,
    Received, Refusal, Upload, UploadGrant, Webhook, WebhookRequest,
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
    fn receive(
        &self,
        account: &Account<WhatsAppSettings>,
        request: &WebhookRequest,
    ) -> Result<Received, Refusal> {
        inbound::receive(account, request)
    }
}

impl Provider for WhatsApp {
    fn encode(
        &self,
        account: &Account<WhatsAppSettings>,
        delivery: &Delivery<'_>,
        _token: Option<&SecretString>,
    ) -> Result<ProviderRequest, Outcome> {
        outbound::encode(account, delivery)
    }

    fn classify(&self, _account: &Account<WhatsAppSettings>, response: &ProviderResponse) -> Outcome {
        codes::classify(response)
    }

    fn follow_up(
        &self,
        account: &Account<WhatsAppSettings>,
        delivery: &Delivery<'_>,
        response: &ProviderResponse,
        _token: Option<&SecretString>,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        outbound::by_phone_instead(account, delivery, response)
    }

    fn encode_signal(
        &self,
        account: &Account<WhatsAppSettings>,
        signal: &SignalRequest,
        _now_ms: i64,
        _token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        outbound::read_mark(account, signal)
    }

    fn encode_signal_upon(
        &self,
        account: &Account<WhatsAppSettings>,
        signal: &SignalRequest,
        handle: &SecretString,
        _token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        outbound::typing(account, signal, handle)
    }

    fn encode_media(
        &self,
        account: &Account<WhatsAppSettings>,
        _provider_media_id: &str,
        url: &str,
        _token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        outbound::media::download(account, url)
    }

    fn encode_media_lookup(
        &self,
        account: &Account<WhatsAppSettings>,
        provider_media_id: &str,
        _token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        outbound::media::lookup(account, provider_media_id)
    }

    fn read_media_lookup(
        &self,
        _account: &Account<WhatsAppSettings>,
        response: &ProviderResponse,
    ) -> Result<String, CarrierError> {
        outbound::media::read_lookup(response)
    }

    fn upload(&self, account: &Account<WhatsAppSettings>, _media: &Media) -> Upload {
        match account.settings.spec.media {
            MediaBy::Upload => Upload::Before,
            MediaBy::Link => Upload::Never,
        }
    }

    fn encode_upload(
        &self,
        account: &Account<WhatsAppSettings>,
        media: &Media,
        file: Option<&File>,
        _token: Option<&SecretString>,
    ) -> Result<ProviderRequest, Outcome> {
        outbound::media::upload(account, media, file)
    }

    fn read_upload(
        &self,
        _account: &Account<WhatsAppSettings>,
        response: &ProviderResponse,
    ) -> Result<UploadGrant, Outcome> {
        outbound::media::read_upload(response)
    }

    fn is_stale_upload(&self, _account: &Account<WhatsAppSettings>, response: &ProviderResponse) -> bool {
        codes::is_stale_upload(response)
    }
}
