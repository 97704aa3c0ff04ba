//! What a customer does: follows, leaves, scans, taps a menu; and what became of a template.

use heliograph_channel::Refusal;
use heliograph_proto::v1::{
    Address, ConsentSignal, Content, ConversationStart, DeliveryError, ErrorClass, InboundEvent, Receipt,
    ReceiptState, Referral, Selection, content::Kind as ContentKind, inbound_event::Kind,
};

use super::Parser;

impl Parser<'_> {
    pub(super) fn event(&self, address: Address) -> Result<InboundEvent, Refusal> {
        let name = self.fields.need("event").map_err(Refusal::Malformed)?.to_owned();
        Ok(match name.as_str() {
            "subscribe" => self.start(address, "subscribe"),
            "SCAN" => self.start(address, "scan"),
            "unsubscribe" => self.plain(
                address,
                Kind::Consent(ConsentSignal {
                    granted: false,
                    purpose: String::new(),
                    source: "wechat: unsubscribe".to_owned(),
                    confirmed_by_provider: true,
                }),
            ),
            // A menu's scanner; what was scanned comes with the tap.
            "scancode_push" | "scancode_waitmsg" => {
                let scanned = self.fields.get("scancodeinfo.scanresult").unwrap_or_default();
                self.tapped(address, scanned, scanned)
            }
            // A menu's button; and its camera, whose pictures come as messages of their own.
            "CLICK" | "pic_sysphoto" | "pic_photo_or_album" | "pic_weixin" => self.tapped(address, "", ""),
            "location_select" => {
                let label = self.fields.get("sendlocationinfo.label").unwrap_or_default();
                self.tapped(address, label, "")
            }
            "TEMPLATESENDJOBFINISH" => self.template_finished(address),
            _ => self.unknown(address, &name),
        })
    }

    fn plain(&self, address: Address, kind: Kind) -> InboundEvent {
        self.inbound.event(&self.dedupe_id(), address, self.time(), kind)
    }

    fn start(&self, address: Address, window: &str) -> InboundEvent {
        let key = self.fields.get("eventkey").unwrap_or_default();
        let scene = key.strip_prefix("qrscene_").unwrap_or(key).to_owned();
        let referral = (!scene.is_empty()).then(|| Referral {
            source: "qr".to_owned(),
            id: scene,
            payload: self.fields.get("ticket").unwrap_or_default().to_owned(),
            ..Referral::default()
        });
        let mut event = self.plain(address, Kind::ConversationStart(ConversationStart { referral }));
        window.clone_into(&mut event.opens_window);
        event
    }

    /// A menu tap says something: it is a message, with the menu's key as the selection.
    fn tapped(&self, address: Address, title: &str, payload: &str) -> InboundEvent {
        let key = self.fields.get("eventkey").unwrap_or_default();
        let title = if title.is_empty() { key } else { title };
        let selection = Selection {
            option_id: key.to_owned(),
            title: title.to_owned(),
            payload: payload.to_owned(),
            ..Selection::default()
        };
        let content = Content { kind: Some(ContentKind::Selection(selection)) };
        self.said(address, &self.dedupe_id(), content, "menu")
    }

    fn template_finished(&self, address: Address) -> InboundEvent {
        let status = self.fields.get("status").unwrap_or_default();
        let delivered = status == "success";
        let error = (!delivered).then(|| DeliveryError {
            error_class: if status.contains("user block") {
                ErrorClass::OptedOut
            } else {
                ErrorClass::Permanent
            }
            .into(),
            code: "template_send_failed".to_owned(),
            text: status.to_owned(),
        });
        self.plain(
            address,
            Kind::Receipt(Receipt {
                state: if delivered { ReceiptState::Delivered } else { ReceiptState::Failed }.into(),
                provider_message_id: self.fields.get("msgid").unwrap_or_default().to_owned(),
                error,
                ..Receipt::default()
            }),
        )
    }
}
