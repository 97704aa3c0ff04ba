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
    Account, Channel, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse, Received, Refusal,
    Webhook, WebhookRequest,
};
use heliograph_proto::v1::Capabilities;
use http::{HeaderMap, Method};
use secrecy::SecretString;

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
    fn receive(
        &self,
        account: &Account<ViberSettings>,
        request: &WebhookRequest,
    ) -> Result<Received, Refusal> {
        inbound::receive(account, request)
    }
}

impl Provider for Viber {
    fn encode(
        &self,
        account: &Account<ViberSettings>,
        delivery: &Delivery<'_>,
        _token: Option<&SecretString>,
    ) -> Result<ProviderRequest, Outcome> {
        outbound::encode(account, delivery)
    }

    fn classify(&self, account: &Account<ViberSettings>, response: &ProviderResponse) -> Outcome {
        codes::classify(account, response)
    }

    fn follow_up(
        &self,
        account: &Account<ViberSettings>,
        delivery: &Delivery<'_>,
        response: &ProviderResponse,
        _token: Option<&SecretString>,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        // The customer's app is too old for what was sent.
        codes::is_too_new(response).then(|| outbound::simpler(account, delivery))?
    }

    fn encode_media(
        &self,
        _account: &Account<ViberSettings>,
        _provider_media_id: &str,
        url: &str,
        _token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        let (headers, body) = (HeaderMap::new(), heliograph_channel::Body::Empty);
        let request = ProviderRequest { method: Method::GET, url: url.to_owned(), headers, body };
        (!url.is_empty()).then_some(request)
    }
}
