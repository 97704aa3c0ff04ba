//! What is stored of a customer that policy is asked about.

use std::sync::Arc;

use heliograph_domain::phone;
use heliograph_policy::{Consent, Direction, MessageClass, Window};
use heliograph_store::{
    Redis,
    consent::ConsentStore,
    contacts::{Address, Contact, ContactOptions, ContactStore},
    sent::SentLog,
    windows::{WindowKey, Windows},
};
use jiff::Timestamp;

use super::{Admin, AdminError, Explained, Known, Question, explain};
use crate::channels;

/// Most messages that are looked back at.
const MOST_SENT: usize = 256;

impl Admin {
    /// Asks the policy in force about a customer, with what is stored of them.
    ///
    /// Windows and what was sent lately are kept in Redis: without it they are taken as open and nothing.
    pub async fn explain(&self, question: &Question, redis: Option<&Redis>) -> Result<Explained, AdminError> {
        let resources = self.list(Some(&question.tenant), None).await?;
        let mut question = question.clone();
        let in_force = explain::in_force(&resources, &question.tenant)?;
        let (account, _) = explain::account(&in_force, &question)?;
        let contact = self.customer(&mut question, account).await?;
        let (account, _) = explain::account(&in_force, &question)?;
        let mut known = Known { contact, ..Known::default() };
        if let Some(channel) = &question.channel
            && question.direction == Direction::Outbound
        {
            let address = account.map(|account| Address::new(channel, account, &question.user_id));
            known.consent = self.consent(&question, channel, known.contact.as_deref()).await?;
            known.window = window(&question, address.as_ref(), redis).await;
        }
        let now = Timestamp::now();
        if let (Some(redis), Some(contact)) = (redis, &known.contact) {
            let reach = i64::try_from(in_force.policy.caps_reach().as_millis()).unwrap_or(i64::MAX);
            let since = now.as_millisecond().saturating_sub(reach);
            let log = SentLog::new(redis.clone());
            let recent =
                log.recent(&question.tenant, &contact.id, since, MOST_SENT).await.unwrap_or_default();
            known.sent = recent
                .into_iter()
                .filter_map(|sent| {
                    let at = Timestamp::from_millisecond(sent.at_ms).ok()?;
                    Some((at, sent.channel, MessageClass::named(&sent.class)?))
                })
                .collect();
        }
        explain::judge(&in_force, &question, known, now)
    }

    /// The contact that is asked about. Where it is named by its id, the address it has on the channel is taken.
    pub(super) async fn customer(
        &self,
        question: &mut Question,
        account: Option<&str>,
    ) -> Result<Option<Arc<Contact>>, AdminError> {
        let contacts = self.contacts().await?;
        if let Some(id) = question.contact.clone() {
            let found = contacts.get(&question.tenant, &id).await?;
            let contact = found.ok_or(AdminError::NoContact(id))?;
            let on_channel = |address: &&Address| {
                question.channel.as_ref().is_none_or(|channel| *channel == address.channel)
                    && question.account.as_ref().is_none_or(|account| *account == address.account)
            };
            // The one that became known last is most likely in use; a number says more than another id.
            let fitting = || contact.addresses.iter().rev().filter(on_channel);
            let address = fitting()
                .find(|address| phone::normalize(&address.user_id).is_some())
                .or_else(|| fitting().next());
            if let Some(address) = address {
                question.user_id.clone_from(&address.user_id);
                if question.channel.is_some() {
                    question.account = Some(address.account.clone());
                }
            }
            return Ok(Some(contact));
        }
        let (Some(channel), Some(account)) = (&question.channel, account) else { return Ok(None) };
        let user_id = phone::normalize(&question.user_id).unwrap_or_else(|| question.user_id.clone());
        Ok(contacts.find(&question.tenant, &Address::new(channel, account, user_id)).await?)
    }

    async fn consent(
        &self,
        question: &Question,
        channel: &str,
        contact: Option<&Contact>,
    ) -> Result<Option<Consent>, AdminError> {
        let Some(contact) = contact else { return Ok(None) };
        let store = ConsentStore::open(self.fabric.jetstream()).await?;
        let purpose = question.class.as_str();
        let said = store.effective(&question.tenant, &contact.id, channel, purpose).await?;
        Ok(said.map(|statement| Some(statement.choice).into()))
    }

    /// The contacts of the fleet.
    pub(super) async fn contacts(&self) -> Result<ContactStore, AdminError> {
        Ok(ContactStore::open(self.fabric.jetstream(), ContactOptions::default()).await?)
    }
}

/// The window of an address, on channels that have one.
async fn window(question: &Question, address: Option<&Address>, redis: Option<&Redis>) -> Option<Window> {
    let address = address?;
    let capabilities = (channels::find(&address.channel)?.capabilities)();
    if capabilities.windows.is_empty() {
        return Some(Window::Unlimited);
    }
    let templates = capabilities.content.iter().any(|kind| kind == "template");
    let key = WindowKey::new(&question.tenant, &address.channel, &address.account, &address.user_id);
    let found = Windows::new(redis?.clone()).get(&key).await.ok()?;
    let now = Timestamp::now().as_millisecond();
    let open = found.best(now).filter(|window| window.allows(now));
    Some(match open {
        Some(window) => {
            Window::Open { until: Timestamp::from_millisecond(window.expires_at_ms).ok(), templates }
        }
        None => Window::Closed { templates },
    })
}
