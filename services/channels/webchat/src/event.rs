//! What visitors do, as inbound events. Ids derive from the visitor and what the widget repeats, so that a repetition is
//! the same event.

use heliograph_channel::{Account, Inbound, inbound::timestamp};
use heliograph_proto::v1::{
    Address, Direction, InboundEvent, Message, MessageClass, MessageReference, Receipt, ReceiptState, Sender,
    SenderKind, Typing, inbound_event::Kind,
};

use crate::{
    item::{self, Item},
    session::Session,
    settings::WebChatSettings,
};

/// Whose event it is, and what the page says beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who<'a> {
    /// The account.
    pub account: &'a Account<WebChatSettings>,
    /// The session.
    pub session: &'a Session,
    /// BCP 47, as the page says.
    pub locale: &'a str,
    /// The page's address without query and fragment.
    pub page_url: &'a str,
}

impl Who<'_> {
    fn address(&self) -> Address {
        let user = self.session.user.as_ref();
        Address {
            channel: self.account.channel.clone(),
            account: self.account.name.clone(),
            user_id: self.session.visitor.clone(),
            phone: user.map(|user| user.phone.clone()).unwrap_or_default(),
            email: user.map(|user| user.email.clone()).unwrap_or_default(),
            display_name: user.map(|user| user.name.clone()).unwrap_or_default(),
            locale: self.locale.to_owned(),
            verified: user.is_some(),
            ..Address::default()
        }
    }

    fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.session.visitor)
    }

    /// The id an own message has from the beginning.
    pub(crate) fn message_id(&self, cid: &str) -> String {
        Inbound::new(self.account, 0).message_id(&self.name(cid))
    }

    /// What was said: one event, or one for each file.
    pub(crate) fn messages(&self, item: &Item, cid: &str, now_ms: i64) -> Vec<InboundEvent> {
        let inbound = Inbound::new(self.account, now_ms);
        let address = self.address();
        let contents = item::contents(item).into_iter().enumerate();
        contents
            .map(|(index, content)| {
                // The first keeps the plain id: it is the one the widget knows.
                let part = if index == 0 { self.name(cid) } else { self.name(&format!("{cid}:{index}")) };
                let mut message = Message {
                    id: inbound.message_id(&part),
                    direction: Direction::Inbound.into(),
                    content: Some(content),
                    sender: Some(Sender {
                        kind: SenderKind::Customer.into(),
                        display_name: address.display_name.clone(),
                        ..Sender::default()
                    }),
                    address: Some(address.clone()),
                    message_class: MessageClass::Service.into(),
                    time: Some(timestamp(now_ms)),
                    provider_message_id: part.clone(),
                    ..Message::default()
                };
                if let Some(reply_to) = &item.reply_to {
                    message.reply_to = Some(MessageReference {
                        message_id: reply_to.clone(),
                        ..MessageReference::default()
                    });
                }
                if !self.page_url.is_empty() {
                    message.metadata.insert("page_url".to_owned(), self.page_url.to_owned());
                }
                inbound.event(&part, address.clone(), None, Kind::Message(message))
            })
            .collect()
    }

    /// A message of ours reached the visitor, or was read.
    pub(crate) fn receipt(&self, item: &Item, state: ReceiptState, now_ms: i64) -> InboundEvent {
        let word = if state == ReceiptState::Read { "read" } else { "delivered" };
        let receipt = Receipt {
            state: state.into(),
            message_id: item.id.clone(),
            provider_message_id: item.id.clone(),
            correlation: item.correlation.clone(),
            ..Receipt::default()
        };
        let id = self.name(&format!("{}/{word}", item.id));
        Inbound::new(self.account, now_ms).event(&id, self.address(), None, Kind::Receipt(receipt))
    }

    /// The visitor types, or stopped.
    pub(crate) fn typing(&self, on: bool, now_ms: i64) -> InboundEvent {
        let id = self.name(&format!("typing/{on}/{now_ms}"));
        Inbound::new(self.account, now_ms).event(&id, self.address(), None, Kind::Typing(Typing { on }))
    }
}
