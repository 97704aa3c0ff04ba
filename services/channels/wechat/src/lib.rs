//! WeChat official accounts (subscription and service accounts).
//!
//! Source: developers.weixin.qq.com, "Official Accounts" (message management, customer-service messages, access
//! tokens), and for the encryption its published sample code; the peers `wechatpy` and `wechat-crypto` agree.

mod codes;
mod crypto;
mod inbound;
mod outbound;
mod passive;
mod settings;
mod signature;
mod xml;

use heliograph_channel::{
    Account, AccountOf, Answer, Calls, CarrierError, Channel, Delivery, File, Outcome, Provider,
    ProviderRequest, ProviderResponse, Received, Refusal, TokenGrant, TokenSource, Upload, UploadGrant,
    Webhook, WebhookRequest, able::names,
};
use heliograph_proto::v1::{Capabilities, Media, MediaKind, Message, SignalRequest, TextFormat, TextUnit};

pub use crypto::{Cipher, CryptoError};
pub use settings::{Mode, WechatSettings, WechatSpec};
pub use signature::sign;

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wechat;

/// What customers of every account can say and do.
const RECEIVES: &str = "text media.image media.audio media.video location card selection custom receipt \
                        consent conversation_start";

impl Channel for Wechat {
    type Settings = WechatSettings;

    fn name(&self) -> &'static str {
        "wechat"
    }

    fn capabilities(&self, account: &Account<WechatSettings>) -> Capabilities {
        let more = if account.settings.service_account { "choice" } else { "" };
        Capabilities {
            channel: "wechat".to_owned(),
            content: names(&format!("text media card template custom {more}")),
            text_limit: 2048,
            media: outbound::media::able(),
            bare_media: [MediaKind::Image, MediaKind::Audio, MediaKind::Video].map(i32::from).to_vec(),
            option_actions: names("answer url"),
            text_unit: TextUnit::Bytes.into(),
            receives: names(RECEIVES),
            choice_limit: 10,
            card_limit: 1,
            receipts_delivered: false,
            typing_out: true,
            formats: vec![TextFormat::Plain.into()],
            work_class: "chat".to_owned(),
            windows: account.settings.windows.clone(),
            rate_per_second: 50.0,
            burst: 100,
            ..Capabilities::default()
        }
    }
}

impl Webhook for Wechat {
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        inbound::receive(account, request)
    }

    fn answer(
        &self,
        account: &AccountOf<Self>,
        request: &WebhookRequest,
        message: &Message,
    ) -> Option<Answer> {
        passive::answer(account, request, message)
    }
}

impl Provider for Wechat {
    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        outbound::encode(caller.account, delivery, caller.token)
    }

    fn classify(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Outcome {
        codes::classify(response)
    }

    fn answers_requests(&self, account: &AccountOf<Self>) -> bool {
        account.settings.passive_reply.is_some()
    }

    fn token(&self, caller: Calls<'_, Self>) -> Option<TokenSource> {
        Some(outbound::token_source(caller.account))
    }

    fn read_token(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Result<TokenGrant, Outcome> {
        outbound::read_token(response)
    }

    fn encode_signal(&self, caller: Calls<'_, Self>, signal: &SignalRequest) -> Option<ProviderRequest> {
        outbound::typing(caller.account, signal, caller.token)
    }

    fn encode_media(
        &self,
        caller: Calls<'_, Self>,
        provider_media_id: &str,
        url: &str,
    ) -> Option<ProviderRequest> {
        outbound::media::download(caller.account, provider_media_id, url, caller.token)
    }

    fn encode_media_lookup(
        &self,
        caller: Calls<'_, Self>,
        provider_media_id: &str,
    ) -> Option<ProviderRequest> {
        outbound::media::lookup(caller.account, provider_media_id, caller.token)
    }

    fn read_media_lookup(
        &self,
        _: &AccountOf<Self>,
        response: &ProviderResponse,
    ) -> Result<String, CarrierError> {
        outbound::media::read_lookup(response)
    }

    fn read_media_error(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Option<CarrierError> {
        outbound::media::read_error(response)
    }

    fn upload(&self, _: &AccountOf<Self>, _: &Media) -> Upload {
        Upload::Before
    }

    fn encode_upload(
        &self,
        caller: Calls<'_, Self>,
        media: &Media,
        file: Option<&File>,
    ) -> Result<ProviderRequest, Outcome> {
        outbound::media::upload(caller.account, media, file, caller.token)
    }

    fn read_upload(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Result<UploadGrant, Outcome> {
        outbound::media::read_upload(response)
    }

    fn is_stale_upload(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> bool {
        codes::is_stale_upload(response)
    }
}
