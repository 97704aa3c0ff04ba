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
    Account, Answer, CarrierError, Channel, Delivery, File, Outcome, Provider, ProviderRequest,
    ProviderResponse, Received, Refusal, TokenGrant, TokenSource, Upload, UploadGrant, Webhook,
    WebhookRequest,
};
use heliograph_proto::v1::{Capabilities, Media, MediaKind, Message, SignalRequest, TextFormat, TextUnit};
use secrecy::SecretString;

pub use crypto::{Cipher, CryptoError};
pub use settings::{Mode, WechatSettings, WechatSpec};
pub use signature::sign;

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wechat;

/// What customers of every account can say and do.
const RECEIVES: [&str; 11] = [
    "text",
    "media.image",
    "media.audio",
    "media.video",
    "location",
    "card",
    "selection",
    "custom",
    "receipt",
    "consent",
    "conversation_start",
];

impl Channel for Wechat {
    type Settings = WechatSettings;

    fn name(&self) -> &'static str {
        "wechat"
    }

    fn capabilities(&self, account: &Account<WechatSettings>) -> Capabilities {
        let mut content = vec!["text", "media", "card", "template", "custom"];
        if account.settings.service_account {
            content.push("choice");
        }
        Capabilities {
            channel: "wechat".to_owned(),
            content: content.into_iter().map(str::to_owned).collect(),
            text_limit: 2048,
            media: outbound::media::able(),
            bare_media: [MediaKind::Image, MediaKind::Audio, MediaKind::Video].map(i32::from).to_vec(),
            option_actions: ["answer", "url"].map(str::to_owned).to_vec(),
            text_unit: TextUnit::Bytes.into(),
            receives: RECEIVES.map(str::to_owned).to_vec(),
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
    fn receive(
        &self,
        account: &Account<WechatSettings>,
        request: &WebhookRequest,
    ) -> Result<Received, Refusal> {
        inbound::receive(account, request)
    }

    fn answer(
        &self,
        account: &Account<WechatSettings>,
        request: &WebhookRequest,
        message: &Message,
    ) -> Option<Answer> {
        passive::answer(account, request, message)
    }
}

impl Provider for Wechat {
    fn encode(
        &self,
        account: &Account<WechatSettings>,
        delivery: &Delivery<'_>,
        token: Option<&SecretString>,
    ) -> Result<ProviderRequest, Outcome> {
        outbound::encode(account, delivery, token)
    }

    fn classify(&self, _account: &Account<WechatSettings>, response: &ProviderResponse) -> Outcome {
        codes::classify(response)
    }

    fn answers_requests(&self, account: &Account<WechatSettings>) -> bool {
        account.settings.passive_reply.is_some()
    }

    fn token(&self, account: &Account<WechatSettings>, _now_ms: i64) -> Option<TokenSource> {
        Some(outbound::token_source(account))
    }

    fn read_token(
        &self,
        _account: &Account<WechatSettings>,
        response: &ProviderResponse,
    ) -> Result<TokenGrant, Outcome> {
        outbound::read_token(response)
    }

    fn encode_signal(
        &self,
        account: &Account<WechatSettings>,
        signal: &SignalRequest,
        _now_ms: i64,
        token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        outbound::typing(account, signal, token)
    }

    fn encode_media(
        &self,
        account: &Account<WechatSettings>,
        provider_media_id: &str,
        url: &str,
        token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        outbound::media::download(account, provider_media_id, url, token)
    }

    fn encode_media_lookup(
        &self,
        account: &Account<WechatSettings>,
        provider_media_id: &str,
        token: Option<&SecretString>,
    ) -> Option<ProviderRequest> {
        outbound::media::lookup(account, provider_media_id, token)
    }

    fn read_media_lookup(
        &self,
        _account: &Account<WechatSettings>,
        response: &ProviderResponse,
    ) -> Result<String, CarrierError> {
        outbound::media::read_lookup(response)
    }

    fn read_media_error(
        &self,
        _account: &Account<WechatSettings>,
        response: &ProviderResponse,
    ) -> Option<CarrierError> {
        outbound::media::read_error(response)
    }

    fn upload(&self, _account: &Account<WechatSettings>, _media: &Media) -> Upload {
        Upload::Before
    }

    fn encode_upload(
        &self,
        account: &Account<WechatSettings>,
        media: &Media,
        file: Option<&File>,
        token: Option<&SecretString>,
    ) -> Result<ProviderRequest, Outcome> {
        outbound::media::upload(account, media, file, token)
    }

    fn read_upload(
        &self,
        _account: &Account<WechatSettings>,
        response: &ProviderResponse,
    ) -> Result<UploadGrant, Outcome> {
        outbound::media::read_upload(response)
    }

    fn is_stale_upload(&self, _account: &Account<WechatSettings>, response: &ProviderResponse) -> bool {
        codes::is_stale_upload(response)
    }
}
