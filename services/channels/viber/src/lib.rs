//! Viber bots.
//!
//! Source: developers.viber.com ("REST Bot API", 2023) and the vendor's SDK `viberbot`. Numbers that are in neither are
//! settings.

mod codes;
mod inbound;
mod outbound;
mod settings;
mod tracking;

use heliograph_channel::{
    Account, AccountOf, Calls, Channel, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse,
    Received, Refusal, Webhook, WebhookRequest,
};
use heliograph_proto::v1::Capabilities;

pub use inbound::sign;
pub use settings::{Limits, SenderSpec, ViberSettings, ViberSpec};

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Viber;

impl Channel for Viber {
    type Settings = ViberSettings;

    fn name(&self) -> &'static str {
        "viber"
    }

    fn capabilities(&self, account: &Account<ViberSettings>) -> Capabilities {
        settings::capabilities(&account.settings)
    }
}

impl Webhook for Viber {
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        inbound::receive(account, request)
    }
}

impl Provider for Viber {
    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        outbound::encode(caller.account, delivery)
    }

    fn classify(&self, account: &AccountOf<Self>, response: &ProviderResponse) -> Outcome {
        codes::classify(account, response)
    }

    fn follow_up(
        &self,
        caller: Calls<'_, Self>,
        delivery: &Delivery<'_>,
        response: &ProviderResponse,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        // The customer's app is too old for what was sent.
        codes::is_too_new(response).then(|| outbound::simpler(caller.account, delivery))?
    }

    fn encode_media(&self, _: Calls<'_, Self>, _: &str, url: &str) -> Option<ProviderRequest> {
        ProviderRequest::fetch(url)
    }
}
