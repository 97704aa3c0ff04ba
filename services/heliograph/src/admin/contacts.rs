//! Customers, as operators look at them.

use std::sync::Arc;

use heliograph_store::{
    consent::{ConsentStore, Statement, Subject},
    contacts::{Address, Contact},
    trail::{Trail, TrailEntry},
};

use super::{Admin, AdminError};

/// Who is meant: `con_…`, or `<channel>:<account>:<user id>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A contact by its id.
    Contact(String),
    /// Whose address it is.
    Address(Address),
}

impl std::str::FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("con_") {
            return Ok(Self::Contact(text.to_owned()));
        }
        let mut parts = text.splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(channel), Some(account), Some(user)) if ![channel, account, user].contains(&"") => {
                Ok(Self::Address(Address::new(channel, account, user)))
            }
            _ => Err("expected con_… or <channel>:<account>:<user id>, such as sms:acme-us:+12125550100"
                .to_owned()),
        }
    }
}

/// What is known of a customer.
#[derive(Clone, Debug)]
pub struct Card {
    /// The contact.
    pub contact: Arc<Contact>,
    /// What they said about being written to, the newest first.
    pub consent: Vec<(Subject, Statement)>,
    /// Conversations, the newest first.
    pub conversations: Vec<TrailEntry>,
}

impl Admin {
    /// What is known of a customer.
    pub async fn contact(&self, tenant: &str, who: &Who) -> Result<Card, AdminError> {
        let contacts = self.contacts().await?;
        let (found, named) = match who {
            Who::Contact(id) => (contacts.get(tenant, id).await?, id.clone()),
            Who::Address(address) => (contacts.find(tenant, address).await?, address.user_id.clone()),
        };
        let contact = found.ok_or(AdminError::NoContact(named))?;
        let context = self.fabric.jetstream();
        let consent = ConsentStore::open(context).await?.list(tenant, &contact.id).await?;
        let conversations = Trail::open(context).await?.of_addresses(tenant, &contact.addresses).await?;
        Ok(Card { contact, consent, conversations })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_are_named_by_contact_or_address() {
        assert_eq!("con_1".parse(), Ok(Who::Contact("con_1".to_owned())));
        let address = Address::new("sms", "acme-us", "+12125550100");
        assert_eq!("sms:acme-us:+12125550100".parse(), Ok(Who::Address(address)));
        let address = Address::new("webchat", "acme-web", "a:b");
        assert_eq!("webchat:acme-web:a:b".parse(), Ok(Who::Address(address)));
        assert!("+12125550100".parse::<Who>().is_err() && "sms::x".parse::<Who>().is_err());
    }
}
