//! What customers do besides writing: follow and leave, tap, take back, watch to the end.

use heliograph_channel::{events::consent, json::text, postback};
use heliograph_proto::v1::{
    Address, ConversationStart, Deletion, InboundEvent, Receipt, ReceiptState, content::Kind as ContentKind,
    inbound_event::Kind,
};

use super::Parser;
use crate::outbound;

impl Parser<'_> {
    /// The events that an item means; `None` when it lacks what its type needs.
    pub(super) fn read(&self, kind: &str) -> Option<Vec<InboundEvent>> {
        Some(match kind {
            "message" => vec![self.message(self.address()?)?],
            // A page of the menu was turned: nothing is said by that.
            "postback" if self.item["postback"]["params"]["newRichMenuAliasId"].is_string() => {
                vec![self.unknown("postback.richmenuswitch")]
            }
            "postback" => vec![self.tapped(self.address()?)?],
            "unsend" => vec![self.unsent(self.address()?)?],
            "follow" | "join" => self.joined(self.address()?, kind),
            "unfollow" | "leave" => vec![self.event(&self.id(), self.address()?, consented(kind, false))],
            "videoPlayComplete" => vec![self.watched(self.address()?)?],
            // Members of groups, beacons, account links, memberships, modules, suspensions, messages by phone number.
            _ => vec![self.unknown(kind)],
        })
    }

    /// A new friend, or one who is back; and a group that we are asked into.
    fn joined(&self, address: Address, kind: &str) -> Vec<InboundEvent> {
        let id = self.id();
        let start = Kind::ConversationStart(ConversationStart { referral: None });
        let consent = self.event(&format!("{id}:consent"), address.clone(), consented(kind, true));
        vec![self.event(&id, address, start), consent]
    }

    fn tapped(&self, address: Address) -> Option<InboundEvent> {
        let postback = &self.item["postback"];
        let mut selection = postback::decode(postback["data"].as_str()?);
        let params = &postback["params"];
        let picked = ["datetime", "date", "time"].iter().find_map(|name| params[*name].as_str());
        if let Some(picked) = picked {
            picked.clone_into(&mut selection.payload);
        }
        let mut message = self.said(&self.id(), ContentKind::Selection(selection));
        if params.is_object() {
            message.metadata.insert("params".to_owned(), params.to_string());
        }
        Some(self.event(&self.id(), address, Kind::Message(message)))
    }

    /// The customer took a message back: it must not be shown or kept any longer.
    fn unsent(&self, address: Address) -> Option<InboundEvent> {
        let target = Some(self.inbound.theirs(self.item["unsend"]["messageId"].as_str()?));
        let message = self.said(&self.id(), ContentKind::Deletion(Deletion { target }));
        Some(self.event(&self.id(), address, Kind::Message(message)))
    }

    /// A video of ours was watched; others are somebody else's.
    fn watched(&self, address: Address) -> Option<InboundEvent> {
        let tracking_id = self.item["videoPlayComplete"]["trackingId"].as_str()?;
        let Some(correlation) = outbound::tracked(tracking_id) else {
            return Some(self.unknown(text(self.item, "type")));
        };
        let receipt = Receipt { state: ReceiptState::Read.into(), correlation, ..Receipt::default() };
        Some(self.event(&self.id(), address, Kind::Receipt(receipt)))
    }
}

fn consented(kind: &str, granted: bool) -> Kind {
    consent(granted, format!("line: {kind}"))
}
