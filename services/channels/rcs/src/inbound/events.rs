//! What phones and the provider report: delivered, read, typing, subscriptions, messages that ran out of time.

use heliograph_proto::v1::{
    ConsentSignal, DeliveryError, ErrorClass, InboundEvent, Receipt, ReceiptState, Typing,
    inbound_event::Kind,
};

use super::Parser;

impl Parser<'_> {
    /// `None` when it lacks what its kind needs.
    pub(super) fn event(&self, kind: &str) -> Option<InboundEvent> {
        let meant = match kind {
            "DELIVERED" => self.receipt(ReceiptState::Delivered, None)?,
            "READ" => self.receipt(ReceiptState::Read, None)?,
            "IS_TYPING" => Kind::Typing(Typing { on: true }),
            "SUBSCRIBE" => consent(true),
            "UNSUBSCRIBE" => consent(false),
            // It was not delivered in the time it was given: another channel may have its turn. Where it could not be
            // taken back it may still arrive, and says so then.
            "TTL_EXPIRATION_REVOKED" | "TTL_EXPIRATION_REVOKE_FAILED" => {
                let words = "the phone was not reached in time";
                let error = DeliveryError {
                    error_class: ErrorClass::Permanent.into(),
                    code: kind.to_owned(),
                    text: words.to_owned(),
                };
                self.receipt(ReceiptState::Failed, Some(error))?
            }
            _ => return Some(self.unknown(kind)),
        };
        Some(self.made(self.address()?, meant))
    }

    /// Our own id of the message is the provider's.
    fn receipt(&self, state: ReceiptState, error: Option<DeliveryError>) -> Option<Kind> {
        let id = self.item["messageId"].as_str().filter(|id| !id.is_empty())?;
        Some(Kind::Receipt(Receipt {
            state: state.into(),
            provider_message_id: id.to_owned(),
            error,
            ..Receipt::default()
        }))
    }
}

/// A subscription is about what the customer did not ask for; answers and notices go on.
fn consent(granted: bool) -> Kind {
    Kind::Consent(ConsentSignal {
        granted,
        purpose: "marketing".to_owned(),
        source: format!("rcs: {}", if granted { "SUBSCRIBE" } else { "UNSUBSCRIBE" }),
        confirmed_by_provider: true,
    })
}
