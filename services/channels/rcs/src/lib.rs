//! RCS Business Messaging by Google ("RCS for Business").
//!
//! Source: developers.google.com/business-communications/rcs-business-messaging, and Google's generated clients in
//! `rcs-business-messaging/rcsforbusiness-samples`.

mod codes;
mod inbound;
mod outbound;
mod service_account;
mod settings;
mod signature;

use heliograph_channel::{
    Account, AccountOf, Calls, Channel, Delivery, File, Outcome, Provider, ProviderRequest, ProviderResponse,
    Received, Refusal, TokenGrant, TokenSource, Upload, UploadGrant, Webhook, WebhookRequest,
    able::{self, names},
};
use heliograph_proto::v1::{Capabilities, Media, MediaKind, SignalRequest, TextFormat, TextUnit};

pub use service_account::{ServiceAccount, ServiceAccountError};
pub use settings::{Files, Handshake, RcsSettings, RcsSpec};
pub use signature::sign;

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rcs;

/// What customers can say and do.
const RECEIVES: &str = "text selection location media.image media.audio media.video media.file receipt \
                        typing consent";

impl Channel for Rcs {
    type Settings = RcsSettings;

    fn name(&self) -> &'static str {
        "rcs"
    }

    fn capabilities(&self, account: &Account<RcsSettings>) -> Capabilities {
        let RcsSettings { card_suggestions, per_second, burst, .. } = account.settings;
        Capabilities {
            card_option_limit: card_suggestions,
            rate_per_second: per_second,
            burst,
            ..capabilities()
        }
    }
}

/// What an account of this channel can receive and show unless it says otherwise.
pub fn capabilities() -> Capabilities {
    let kinds = [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File];
    Capabilities {
        channel: "rcs".to_owned(),
        content: names("text media location choice card carousel deletion custom"),
        receives: names(RECEIVES),
        text_limit: outbound::TEXT,
        text_unit: TextUnit::Utf16.into(),
        caption_limit: outbound::CARD_BODY,
        choice_limit: outbound::SUGGESTIONS,
        choice_body_limit: outbound::CARD_BODY,
        option_title_limit: outbound::SUGGESTION_TEXT,
        option_payload_limit: outbound::PAYLOAD,
        card_limit: outbound::CARDS,
        carousel_least: outbound::CARDS_LEAST,
        card_title_limit: outbound::CARD_TITLE,
        card_body_limit: outbound::CARD_BODY,
        card_option_limit: settings::card_suggestions(),
        carousel_bare: true,
        media: kinds.map(|kind| able::media(kind, outbound::FILE_BYTES, "")).to_vec(),
        receipts_delivered: true,
        receipts_read: true,
        typing_in: true,
        typing_out: true,
        read_marks_out: true,
        deletions: true,
        idempotent_send: true,
        formats: vec![TextFormat::Plain.into()],
        work_class: "chat".to_owned(),
        business_initiated: true,
        rate_per_second: settings::per_second(),
        burst: settings::burst(),
        ..Capabilities::default()
    }
}

impl Webhook for Rcs {
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        inbound::receive(account, request)
    }
}

impl Provider for Rcs {
    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        outbound::encode(caller.account, delivery, caller.token)
    }

    fn classify(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Outcome {
        codes::classify(response)
    }

    fn token(&self, caller: Calls<'_, Self>) -> Option<TokenSource> {
        Some(outbound::token_source(caller.account, caller.now_ms))
    }

    fn read_token(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Result<TokenGrant, Outcome> {
        outbound::read_token(response)
    }

    fn encode_signal(&self, caller: Calls<'_, Self>, signal: &SignalRequest) -> Option<ProviderRequest> {
        outbound::signal(caller.account, signal, caller.now_ms, caller.token)
    }

    fn encode_media(&self, _: Calls<'_, Self>, _: &str, url: &str) -> Option<ProviderRequest> {
        ProviderRequest::fetch(url)
    }

    fn upload(&self, account: &AccountOf<Self>, _: &Media) -> Upload {
        match account.settings.files {
            Files::Link => Upload::Never,
            Files::Prefetch => Upload::BeforeByLink,
            Files::Upload => Upload::Before,
        }
    }

    fn encode_upload(
        &self,
        caller: Calls<'_, Self>,
        media: &Media,
        file: Option<&File>,
    ) -> Result<ProviderRequest, Outcome> {
        Ok(outbound::upload(caller.account, media, file, caller.token))
    }

    fn read_upload(
        &self,
        account: &AccountOf<Self>,
        response: &ProviderResponse,
    ) -> Result<UploadGrant, Outcome> {
        outbound::read_upload(account, response)
    }
}
