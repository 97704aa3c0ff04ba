//! LINE official accounts, by the Messaging API.
//!
//! Source: developers.line.biz, "Messaging API reference", and `line/line-openapi` (webhook.yml, messaging-api.yml,
//! channel-access-token.yml). The peer is `line-bot-sdk`.

mod codes;
mod inbound;
mod outbound;
mod settings;
mod signature;

use heliograph_channel::{
    Account, AccountOf, Calls, Channel, Delivery, Handle, Outcome, Provider, ProviderRequest,
    ProviderResponse, Purpose, Received, Refusal, TokenGrant, TokenSource, Webhook, WebhookRequest,
    able::{media, names},
};
use heliograph_proto::v1::{Capabilities, MediaKind, SignalRequest, TextFormat, TextUnit};
use secrecy::SecretString;

pub use settings::{Limits, LineSettings, LineSpec};
pub use signature::sign;

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line;

/// What customers can say and do.
const RECEIVES: &str = "text media.image media.video media.audio media.file media.sticker location \
                        selection deletion receipt consent conversation_start";

impl Channel for Line {
    type Settings = LineSettings;

    fn name(&self) -> &'static str {
        "line"
    }

    fn capabilities(&self, account: &Account<LineSettings>) -> Capabilities {
        let LineSpec { limits, .. } = &account.settings.spec;
        let mut medias = vec![
            media(MediaKind::Image, 10_000_000, "image/jpeg image/png"),
            media(MediaKind::Audio, limits.audio_bytes, "audio/mp4 audio/x-m4a audio/mpeg"),
            media(MediaKind::Sticker, 0, ""),
        ];
        // A video needs a still picture; without one for those that bring none, videos go out as links.
        if account.settings.spec.video_preview_url.is_some() {
            medias.push(media(MediaKind::Video, 200_000_000, "video/mp4"));
        }
        Capabilities {
            channel: "line".to_owned(),
            content: names("text media location choice list card carousel custom"),
            receives: names(RECEIVES),
            text_limit: outbound::TEXT_LIMIT,
            text_unit: TextUnit::Utf16.into(),
            caption_limit: outbound::TEXT_LIMIT,
            choice_limit: outbound::QUICK_REPLIES,
            option_title_limit: outbound::LABEL_LIMIT,
            option_unit: TextUnit::Graphemes.into(),
            option_payload_limit: outbound::PAYLOAD_LIMIT,
            list_limit: limits.list,
            card_limit: limits.carousel,
            card_option_limit: outbound::CARD_OPTIONS,
            media: medias,
            replies: true,
            typing_out: true,
            read_marks_out: account.settings.spec.mark_as_read,
            idempotent_send: true,
            formats: vec![TextFormat::Plain.into()],
            work_class: "chat".to_owned(),
            business_initiated: true,
            rate_per_second: limits.per_second,
            burst: 200,
            ..Capabilities::default()
        }
    }
}

impl Webhook for Line {
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        inbound::receive(account, request)
    }
}

impl Provider for Line {
    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        outbound::encode(caller.account, delivery, caller.token)
    }

    fn classify(&self, account: &AccountOf<Self>, response: &ProviderResponse) -> Outcome {
        codes::classify(&account.settings, response)
    }

    fn follow_up(
        &self,
        caller: Calls<'_, Self>,
        delivery: &Delivery<'_>,
        response: &ProviderResponse,
    ) -> Option<Result<ProviderRequest, Outcome>> {
        outbound::follow_up(caller.account, delivery, response, caller.token)
    }

    fn is_idempotent(&self, _: &AccountOf<Self>, request: &ProviderRequest) -> bool {
        request.headers.contains_key(outbound::RETRY_KEY)
    }

    fn takes_replies(&self, account: &AccountOf<Self>) -> bool {
        account.settings.spec.reply_tokens
    }

    fn wants_handles(&self, account: &AccountOf<Self>, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Quote => true,
            Purpose::Read => account.settings.spec.mark_as_read,
        }
    }

    fn read_handles(&self, account: &AccountOf<Self>, response: &ProviderResponse) -> Vec<Handle> {
        outbound::handles(account, response)
    }

    fn token(&self, caller: Calls<'_, Self>) -> Option<TokenSource> {
        outbound::token_source(caller.account)
    }

    fn read_token(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Result<TokenGrant, Outcome> {
        outbound::read_token(response)
    }

    fn encode_signal(&self, caller: Calls<'_, Self>, signal: &SignalRequest) -> Option<ProviderRequest> {
        outbound::signal(caller.account, signal, caller.token)
    }

    fn encode_signal_upon(
        &self,
        caller: Calls<'_, Self>,
        signal: &SignalRequest,
        handle: &SecretString,
    ) -> Option<ProviderRequest> {
        outbound::read_mark(caller.account, signal, handle, caller.token)
    }

    fn encode_media(
        &self,
        caller: Calls<'_, Self>,
        provider_media_id: &str,
        url: &str,
    ) -> Option<ProviderRequest> {
        outbound::media(caller.account, provider_media_id, url, caller.token)
    }
}
