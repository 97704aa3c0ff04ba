//! Telegram bots.
//!
//! Source: core.telegram.org/bots/api (Bot API 10.1) and, for what a webhook is answered and when an update comes again,
//! the published server (`tdlib/telegram-bot-api`). Its rates are those of the FAQ; the real ones are not disclosed.

mod codes;
mod inbound;
mod markup;
mod outbound;
mod peer;
mod settings;

use heliograph_channel::{
    Account, CarrierError, Channel, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse, Received,
    Refusal, Upload, UploadGrant, Webhook, WebhookRequest,
};
use heliograph_proto::v1::{Capabilities, Media, SignalRequest};
use secrecy::SecretString;

pub use settings::{Limits, TelegramSettings, TelegramSpec};

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Telegram;

impl Channel for Telegram {
    type Settings = TelegramSettings;

    fn name(&self) -> &'static str {
        "telegram"
    }

    fn capabilities(&self, account: &Account<TelegramSettings>) -> Capabilities {
        settings::capabilities(&account.settings)
    }
}

impl Webhook for Telegram {
    fn receive(
        &self,
        account: &Account<TelegramSettings>,
        request: &WebhookRequest,
    ) -> Result<Received, Refusal> {
        inbound::receive(account, request)
    }
}

impl Provider for Telegram {
    fn encode(
        &self,
        account: &Account<TelegramSettings>,
        delivery: &Delivery<'_>,
        _token: Option<&SecretString>,
    ) -> Result<ProviderRequest, Outcome> {
        outbound::encode(account, delivery)
    }

    fn classify(&self, _account: &Account<TelegramSettings>, response: &ProviderResponse) -> Outcome {
        codes::classify(response)
    }

    fn follow_up(
        &self,
        account: &Account<TelegramSettings>,
        delivery: &Delivery<'_>,
        response: &ProviderResponse,
        _token: Option<&SecretString>,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        outbound::migrated(account, delivery, response)
    }

    fn encode_signal(
        &self,
        account: &Account<TelegramSettings>,
        signal: &SignalRequest,
        _now_ms: i64,
        _token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        outbound::signal(account, signal)
    }

    fn encode_media(
        &self,
        account: &Account<TelegramSettings>,
        _provider_media_id: &str,
        url: &str,
        _token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        outbound::media::fetch(account, url)
    }

    fn encode_media_lookup(
        &self,
        account: &Account<TelegramSettings>,
        provider_media_id: &str,
        _token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        outbound::media::lookup(account, provider_media_id)
    }

    fn read_media_lookup(
        &self,
        account: &Account<TelegramSettings>,
        response: &ProviderResponse,
    ) -> Result<String, CarrierError> {
        outbound::media::found(account, response)
    }

    fn upload(&self, account: &Account<TelegramSettings>, media: &Media) -> Upload {
        outbound::media::upload(account, media)
    }

    fn read_upload(
        &self,
        _account: &Account<TelegramSettings>,
        response: &ProviderResponse,
    ) -> Result<UploadGrant, Outcome> {
        outbound::media::uploaded(response)
    }

    fn is_stale_upload(&self, _account: &Account<TelegramSettings>, response: &ProviderResponse) -> bool {
        codes::is_stale_file(response)
    }
}
