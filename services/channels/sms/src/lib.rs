//! SMS and MMS, carried by Sinch or Twilio.
//!
//! Sources: Sinch SMS REST API (xms) and its official SDKs' validators; Twilio Messaging API and the validator of
//! its official SDK; 3GPP TS 23.038 and 23.040 for alphabet and parts.

mod address;
pub mod gsm7;
mod media;
pub mod segments;
mod settings;
mod sinch;
mod twilio;

use heliograph_channel::{
    Account, AccountOf, Calls, Channel, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse,
    Received, Refusal, Webhook, WebhookRequest,
    able::{self, names},
};
use heliograph_proto::v1::{Capabilities, Content, MediaKind, TextFormat, TextUnit, content::Kind};

pub use settings::{Sinch, SmsProvider, SmsSettings, SmsSpec, Twilio};

/// The channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sms;

impl Channel for Sms {
    type Settings = SmsSettings;

    fn name(&self) -> &'static str {
        "sms"
    }

    fn capabilities(&self, account: &Account<SmsSettings>) -> Capabilities {
        let settings = &account.settings;
        // Carriers shrink or drop more than a megabyte.
        let image = able::media(MediaKind::Image, 1_000_000, "image/jpeg image/png image/gif");
        let (text_limit, receives) = match settings.provider {
            SmsProvider::Sinch(_) => (sinch::TEXT_LIMIT, sinch::RECEIVES),
            SmsProvider::Twilio(_) => (twilio::TEXT_LIMIT, twilio::RECEIVES),
        };
        Capabilities {
            channel: "sms".to_owned(),
            content: names(if settings.mms { "text media" } else { "text" }),
            text_limit,
            text_unit: TextUnit::CodePoints.into(),
            media: settings.mms.then_some(image).into_iter().collect(),
            receives: names(receives),
            receipts_delivered: true,
            formats: vec![TextFormat::Plain.into()],
            work_class: "async".to_owned(),
            business_initiated: true,
            rate_per_second: 10.0,
            burst: 20,
            ..Capabilities::default()
        }
    }
}

impl Webhook for Sms {
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        if request.method != http::Method::POST {
            return Err(Refusal::Method("POST"));
        }
        match &account.settings.provider {
            SmsProvider::Sinch(sinch) => sinch::inbound::receive(account, sinch, request),
            SmsProvider::Twilio(twilio) => twilio::inbound::receive(account, twilio, request),
        }
    }
}

impl Provider for Sms {
    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        let sms = ShortMessage::from_content(caller.account, delivery.message.content.as_ref())?;
        match &caller.account.settings.provider {
            SmsProvider::Sinch(sinch) => Ok(sinch::outbound::encode(caller.account, sinch, delivery, &sms)),
            SmsProvider::Twilio(twilio) => {
                Ok(twilio::outbound::encode(caller.account, twilio, delivery, &sms))
            }
        }
    }

    fn classify(&self, account: &AccountOf<Self>, response: &ProviderResponse) -> Outcome {
        match account.settings.provider {
            SmsProvider::Sinch(_) => sinch::outbound::classify(response),
            SmsProvider::Twilio(_) => twilio::outbound::classify(response),
        }
    }

    fn encode_media(&self, caller: Calls<'_, Self>, _: &str, url: &str) -> Option<ProviderRequest> {
        match &caller.account.settings.provider {
            SmsProvider::Sinch(_) => ProviderRequest::fetch(url),
            SmsProvider::Twilio(twilio) => twilio::outbound::media(caller.account, twilio, url),
        }
    }
}

/// What an SMS or MMS can hold.
struct ShortMessage {
    text: String,
    /// A public URL the provider fetches.
    media_url: Option<String>,
}

impl ShortMessage {
    fn from_content(account: &Account<SmsSettings>, content: Option<&Content>) -> Result<Self, Outcome> {
        let message = match content.and_then(|content| content.kind.as_ref()) {
            Some(Kind::Text(text)) => Self { text: text.body.clone(), media_url: None },
            Some(Kind::Media(media)) if account.settings.mms && !media.url.is_empty() => {
                Self { text: media.caption.clone(), media_url: Some(media.url.clone()) }
            }
            Some(Kind::Media(_)) if account.settings.mms => {
                return Err(Outcome::permanent("media_without_url", "MMS media needs a public URL"));
            }
            _ => {
                let text = "SMS carries text, and pictures when `mms` is on";
                return Err(Outcome::permanent("content_not_supported", text));
            }
        };
        if message.text.is_empty() && message.media_url.is_none() {
            return Err(Outcome::permanent("empty_message", "there is nothing to send"));
        }
        let parts = segments::count(&message.text).parts;
        if message.media_url.is_none() && parts > account.settings.max_parts {
            let text = format!(
                "the text takes {parts} parts and `max_parts` is {}; shorten it or raise the limit",
                account.settings.max_parts
            );
            return Err(Outcome::permanent("too_many_parts", text));
        }
        Ok(message)
    }
}
