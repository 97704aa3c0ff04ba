//! Intake: what a customer's event means, proposed to the machine or published at once.
//!
//! It holds no state. Its partitions only keep what one customer sends in order, and spread the work.

mod answer;
mod callback;
mod consent;
mod handle;
mod join;
mod message;
mod progress;
mod read;
mod receipt;
mod signals;
mod tongue;
mod word;
mod work;

use std::{sync::Arc, time::Duration};

use heliograph_fabric::{DeadLetters, Envelope, Fabric, Fence, Owned, Places, RoutingLog, subjects};
use heliograph_proto::{
    Message as _, Timestamp,
    v1::{Address, Event, InboundEvent, RoutingEntry, Verdict, event::Payload},
};
use heliograph_store::{
    Redis,
    codes::Codes,
    consent::ConsentStore,
    contacts::{Contact, ContactStore, Resolved},
    deliveries::DeliveryStore,
    models::ReadModel,
    questions::Questions,
    sent::SentLog,
    windows::Windows,
};
use tokio::sync::watch;

use crate::{
    book::{self, Asked, Book},
    config::IntakeConfig,
    envelope,
    error::{Failure, chain},
    metrics::Metrics,
    naming::SOURCE,
};

/// How long Redis may take: what it keeps can be rebuilt, and the customer waits.
const REDIS_PATIENCE: Duration = Duration::from_millis(250);
/// The stage of intake's dead letters.
const STAGE: &str = "intake";

/// Everything intake stands on. One for all partitions.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) fabric: Fabric,
    pub(crate) places: Places,
    pub(crate) dead: DeadLetters,
    pub(crate) contacts: ContactStore,
    pub(crate) consent: ConsentStore,
    pub(crate) codes: Codes,
    pub(crate) deliveries: DeliveryStore,
    pub(crate) redis: Redis,
    pub(crate) sent: SentLog,
    pub(crate) windows: Windows,
    pub(crate) questions: Questions,
    pub(crate) open: ReadModel,
    pub(crate) book: watch::Receiver<Arc<Book>>,
    pub(crate) config: IntakeConfig,
    pub(crate) metrics: Arc<Metrics>,
}

/// Runs one inbound partition until told to stop.
pub(crate) async fn run(intake: Arc<Intake>, owned: Owned) {
    let partition = owned.partition;
    if let Err(error) = work::partition(&intake, &owned).await {
        let error = chain(&error);
        tracing::warn!(partition, error, "intake of a partition ended; it is taken up again");
    }
}

/// One event in hand, with what is needed again and again.
#[derive(Debug, Clone, Copy)]
struct Case<'a> {
    intake: &'a Intake,
    event: &'a InboundEvent,
    address: &'a Address,
    /// When the broker stored it, milliseconds since 1970.
    stored_ms: i64,
    fence: &'a Fence,
    log: &'a RoutingLog,
}

impl Case<'_> {
    fn book(&self) -> Arc<Book> {
        self.intake.book.borrow().clone()
    }

    /// When we received it, by our clock; when it was stored if ingress did not say.
    fn received_ms(&self) -> i64 {
        self.event.received_at.as_ref().map_or(self.stored_ms, Timestamp::millis)
    }

    /// When it happened, by the provider's clock where it has one.
    fn occurred_ms(&self) -> i64 {
        self.event.occurred_at.as_ref().map_or_else(|| self.received_ms(), Timestamp::millis)
    }

    /// The region's name, by what is known without the contact.
    fn region(&self, contact: Option<&Contact>) -> String {
        self.ask(contact, "", book::region)
    }

    /// What policy says of something of this kind of content, said by the contact from the event's address.
    fn verdict(&self, contact: &Contact, kind: &str) -> Verdict {
        self.ask(Some(contact), kind, book::judge)
    }

    fn ask<T>(&self, contact: Option<&Contact>, kind: &str, question: impl FnOnce(&Asked<'_>) -> T) -> T {
        let book = self.book();
        let tenant = book.tenant(&self.event.tenant).map(|tenant| &**tenant);
        let (site, now_ms) = (book.site(), self.stored_ms);
        question(&Asked { tenant, address: self.address, contact, kind, site, now_ms })
    }

    /// The contact who wrote; `contact.updated` is published when this event is the first of them. Where the channel
    /// vouches for who they are and policy joins by that, it is the contact that was known before.
    async fn contact(&self) -> Result<Resolved, Failure> {
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        let hints = heliograph_store::contacts::Hints {
            display_name: given(&self.address.display_name),
            locale: given(&self.address.locale),
            // A country the provider declares stays with the address: the contact's own overrides numbers.
            country: None,
            seen_at_ms: self.received_ms(),
            cause: self.event.id.clone(),
            ..Default::default()
        };
        let address = stored_address(self.address);
        let resolved = self.intake.contacts.resolve(&self.event.tenant, &address, &hints).await?;
        if resolved.created {
            let payload =
                heliograph_proto::v1::ContactUpdated { address: Some(self.address.clone()), created: true };
            let mut event =
                self.event_of("created", Payload::ContactUpdated(payload), Some(&resolved.contact));
            event.contact.clone_from(&resolved.contact.id);
            self.publish(event).await?;
        }
        let contact = join::by_identity(*self, resolved.contact).await?;
        Ok(Resolved { contact, created: resolved.created })
    }

    /// An event caused by this one. `effect` tells several of them apart.
    fn event_of(&self, effect: &str, payload: Payload, contact: Option<&Contact>) -> Event {
        let cause = self.event;
        Event {
            id: heliograph_domain::ids::derive(heliograph_domain::ids::EVENT, &[&cause.id, effect]),
            tenant: cause.tenant.clone(),
            region: self.region(contact),
            channel: cause.channel.clone(),
            account: cause.account.clone(),
            contact: contact.map_or_else(String::new, |contact| contact.id.clone()),
            time: Some(Timestamp::from_millis(self.occurred_ms())),
            cause: cause.id.clone(),
            payload: Some(payload),
            ..Event::default()
        }
    }

    /// Publishes a public event; returns when it is stored.
    async fn publish(&self, event: Event) -> Result<(), Failure> {
        let (subject, envelope, kind) =
            envelope::public(event).map_err(|error| Failure::poison("subject", error.to_string()))?;
        self.store(&subject, &envelope).await?;
        self.intake.metrics.emitted(kind);
        Ok(())
    }

    /// Appends an entry to the tenant's routing log; returns when it is stored.
    async fn append(&self, entry: &RoutingEntry, kind: &str) -> Result<(), Failure> {
        let first = subjects::routing(0, &entry.tenant);
        first.map_err(|error| Failure::poison("subject", error.to_string()))?;
        let envelope = Envelope::new(entry.id.clone(), kind, SOURCE, self.stored_ms, entry.encode_to_vec());
        self.may_store(&envelope)?;
        self.log.append(&entry.tenant, envelope, None).await?;
        Ok(())
    }

    async fn store(&self, subject: &str, envelope: &Envelope) -> Result<(), Failure> {
        self.may_store(envelope)?;
        self.intake.fabric.publish(subject, envelope, None).await?;
        Ok(())
    }

    fn may_store(&self, envelope: &Envelope) -> Result<(), Failure> {
        let largest = self.intake.fabric.client().server_info().max_payload;
        let size = envelope.payload.len() + crate::assignment::HEADER_ROOM;
        if largest > 0 && size > largest {
            return Err(Failure::poison(
                "too_large",
                format!("{size} bytes are more than the broker takes ({largest})"),
            ));
        }
        self.fence.check().map_err(|_| Failure::Lost)
    }
}

/// The part of an address that names it.
fn stored_address(address: &Address) -> heliograph_store::contacts::Address {
    heliograph_store::contacts::Address::new(&address.channel, &address.account, &address.user_id)
}
