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
    Account, AccountOf, Calls, CarrierError, Channel, Delivery, Outcome, Provider, ProviderRequest,
    ProviderResponse, Received, Refusal, Upload, UploadGrant, Webhook, WebhookRequest,
};
use heliograph_proto::v1::{Capabilities, Media, SignalRequest};

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
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        inbound::receive(account, request)
    }
}

impl Provider for Telegram {
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
        outbound::migrated(caller.account, delivery, response)
    }

    fn encode_signal(&self, caller: Calls<'_, Self>, signal: &SignalRequest) -> Option<ProviderRequest> {
        outbound::signal(caller.account, signal)
    }

    fn encode_media(&self, caller: Calls<'_, Self>, _: &str, url: &str) -> Option<ProviderRequest> {
        outbound::media::fetch(caller.account, url)
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
        account: &AccountOf<Self>,
        response: &ProviderResponse,
    ) -> Result<String, CarrierError> {
        outbound::media::found(account, response)
    }

    fn upload(&self, account: &AccountOf<Self>, media: &Media) -> Upload {
        outbound::media::upload(account, media)
    }

    fn read_upload(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Result<UploadGrant, Outcome> {
        outbound::media::uploaded(response)
    }

    fn is_stale_upload(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> bool {
        codes::is_stale_file(response)
    }
}
