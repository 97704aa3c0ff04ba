//! Contacts, conversations and consent on the wire.

use heliograph_proto::{
    Timestamp,
    v1::{self, ConsentStatement, ConversationSummary},
};
use heliograph_store::{
    consent::{Choice, Statement, Subject},
    contacts::{self, Contact},
    trail::TrailEntry,
};

pub(super) fn contact(contact: &Contact) -> v1::Contact {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let attributes = contact.attributes.iter().map(|(name, known)| (name.clone(), known.value.clone()));
    v1::Contact {
        id: contact.id.clone(),
        addresses: contact.addresses.iter().map(address).collect(),
        display_name: said(&contact.display_name),
        locale: said(&contact.locale),
        country: said(&contact.country),
        attributes: attributes.collect(),
    }
}

pub(super) fn address(address: &contacts::Address) -> v1::Address {
    v1::Address {
        channel: address.channel.clone(),
        account: address.account.clone(),
        user_id: address.user_id.clone(),
        ..v1::Address::default()
    }
}

pub(super) fn conversation(held: &TrailEntry) -> ConversationSummary {
    ConversationSummary {
        id: held.conversation.clone(),
        address: Some(address(&held.address)),
        opened_at: Some(Timestamp::from_millis(held.opened_at_ms)),
    }
}

pub(super) fn statement(subject: &Subject, statement: &Statement) -> ConsentStatement {
    ConsentStatement {
        channel: subject.channel.clone().unwrap_or_default(),
        purpose: subject.purpose.clone(),
        granted: statement.choice == Choice::OptedIn,
        source: statement.source.clone(),
        at: Some(Timestamp::from_millis(statement.at_ms)),
    }
}
