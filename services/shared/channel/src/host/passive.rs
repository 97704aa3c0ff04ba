//! Replies within the answer to a provider's request, for providers that wait a few seconds for one.
//!
//! The ingress that holds the request listens for whoever delivers a message to that customer. What is delivered is kept
//! before it is confirmed: a provider that did not get the answer asks again, and gets the same. Where nobody holds a
//! request, the message goes out as any other.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use heliograph_domain::ids;
use heliograph_fabric::{
    Fabric,
    async_nats::{RequestErrorKind, Subscriber},
};
use heliograph_proto::{Message as _, v1::Message};
use heliograph_store::answered::Answered;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{Account, Answer, Delivery, Hold};

/// Whoever holds a request says within this time whether it takes the message.
const PATIENCE: Duration = Duration::from_secs(2);
/// One of those who hold a request of the same customer gets the message.
const QUEUE: &str = "passive";
const TAKEN: &[u8] = b"taken";

/// The way from deliveries to requests that are held. Cheap to clone.
#[derive(Clone)]
pub(super) struct Passive {
    fabric: Fabric,
    answered: Answered,
}

/// What became of a message that was offered to whoever holds a request.
pub(super) enum Offered {
    /// It is in the answer.
    Taken,
    /// Nobody holds one, or it does not fit.
    Nobody,
    /// Nobody said anything: it may be in the answer.
    Unknown,
}

/// A request that is held.
pub(super) struct Held {
    messages: Subscriber,
    until: Instant,
}

impl Passive {
    pub(super) fn new(fabric: Fabric, answered: Answered) -> Self {
        Self { fabric, answered }
    }

    /// Begins to listen; `None` when the broker is away, and then nothing is held.
    pub(super) async fn hold<S>(&self, account: &Account<S>, hold: &Hold) -> Option<Held> {
        let subject = subject(account, &hold.user_id);
        let messages = self.fabric.client().queue_subscribe(subject, QUEUE.to_owned()).await.ok()?;
        Some(Held { messages, until: Instant::now() + hold.wait })
    }

    /// Waits for a message that `make` can make an answer of, as long as the provider waits.
    pub(super) async fn answer<S>(
        &self,
        account: &Account<S>,
        event_id: &str,
        mut held: Held,
        make: impl Fn(&Message) -> Option<Answer>,
    ) -> Option<Answer> {
        let client = self.fabric.client();
        while let Ok(Some(offer)) = timeout_at(held.until, held.messages.next()).await {
            let Some(reply) = offer.reply else { continue };
            let answer = Message::decode(offer.payload).ok().and_then(|message| make(&message));
            let kept = match &answer {
                Some(answer) => self.answered.keep(&account.tenant, event_id, &answer.body).await.is_ok(),
                None => false,
            };
            let said = if kept { Bytes::from_static(TAKEN) } else { Bytes::new() };
            // Whoever offers it hears nothing when this fails, and holds the message for in doubt.
            let _ = client.publish(reply, said).await;
            if kept {
                let _ = client.flush().await;
                return answer;
            }
        }
        None
    }

    /// The answer that was given to this event before.
    pub(super) async fn given<S>(&self, account: &Account<S>, event_id: &str) -> Option<Bytes> {
        let found = timeout(PATIENCE, self.answered.recall(&account.tenant, event_id)).await;
        found.ok()?.ok()?.map(Bytes::from)
    }

    /// Offers a message to whoever holds a request of its customer.
    pub(super) async fn offer<S>(&self, account: &Account<S>, delivery: &Delivery<'_>) -> Offered {
        let payload = delivery.message.encode_to_vec().into();
        let asked = self.fabric.client().request(subject(account, delivery.user_id()), payload);
        match timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) if answer.payload == TAKEN => Offered::Taken,
            Ok(Ok(_)) => Offered::Nobody,
            Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => Offered::Nobody,
            Ok(Err(_)) | Err(_) => Offered::Unknown,
        }
    }
}

fn subject<S>(account: &Account<S>, user_id: &str) -> String {
    let customer = ids::derive("adr", &[&account.tenant, &account.channel, &account.name, user_id]);
    format!("hg.passive.{}.{customer}", account.channel)
}
