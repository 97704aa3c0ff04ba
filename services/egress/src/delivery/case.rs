//! One message in hand, with what is needed again and again.

use std::{sync::Arc, time::Duration};

use heliograph_fabric::{LATER, Owned, WorkItem, envelope::REPLAYED};
use heliograph_proto::{
    Timestamp,
    v1::{Address, Content, DeliveryError, ErrorClass, Message, OutboundMessage},
};
use heliograph_store::{deliveries::Reference, now_ms};

use super::{check::Decided, end::End};
use crate::{account::Account, error::Failure, line::Line, outcome, schedule};

/// One message.
pub(crate) struct Case<'a> {
    pub(super) line: &'a Line,
    pub(super) owned: &'a Owned,
    pub(super) item: &'a WorkItem,
    pub(super) out: &'a OutboundMessage,
    pub(super) message: &'a Message,
    pub(super) address: &'a Address,
    pub(super) account: Arc<Account>,
    /// Until when it may be tried, milliseconds since 1970, and what is said afterwards.
    ends: (i64, &'static str),
    /// The broker has delivered it before, or it was replayed or put off: something may be known of it.
    pub(super) seen: bool,
}

/// What outlives a failure of something we stand on.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// How often the provider has put it off. Counted by this owner; age bounds what a takeover forgets.
    pub(super) tries: u32,
    /// Its wait was announced.
    pub(super) told: bool,
    /// An attempt we may have written down and certainly did not make: its delivery and time.
    pub(super) begun: Option<(String, i64)>,
    /// An attempt was made: it is among what was sent, and does not count against itself.
    pub(super) counted: bool,
    /// A part of it has left, and more were to follow.
    pub(super) partly: bool,
    /// What policy said last.
    pub(super) decided: Option<Decided>,
}

impl<'a> Case<'a> {
    /// The case of an item.
    ///
    /// # Errors
    /// When the item lacks what every message has.
    pub(super) fn new(
        line: &'a Line,
        owned: &'a Owned,
        out: &'a OutboundMessage,
        item: &'a WorkItem,
    ) -> Result<Self, Failure> {
        let missing = |what| Failure::poison("incomplete", format!("the message has no {what}"));
        let message = out.message.as_ref().ok_or_else(|| missing("message"))?;
        let address = message.address.as_ref().ok_or_else(|| missing("address"))?;
        for (what, value) in [
            ("delivery id", &out.delivery_id),
            ("message id", &message.id),
            ("conversation", &out.conversation),
            ("account", &address.account),
            ("user id", &address.user_id),
        ] {
            if value.is_empty() {
                return Err(missing(what));
            }
        }
        if address.channel != line.name {
            return Err(Failure::poison(
                "channel_mismatch",
                "the message says another channel than its subject",
            ));
        }
        let record = item.record();
        let expires = out.expires_at.as_ref().map(Timestamp::millis);
        let again = record.headers.get(REPLAYED).is_some() || record.headers.get(LATER).is_some();
        Ok(Self {
            line,
            owned,
            item,
            out,
            message,
            address,
            account: line.account(&out.tenant, &address.account),
            ends: schedule::ends(&line.shared.config.retry, record.time_ms, expires),
            seen: item.delivered() > 1 || again,
        })
    }

    /// Its place in the stream.
    pub(super) fn seq(&self) -> u64 {
        self.item.record().seq
    }

    /// Whether it may still be worked on here.
    pub(super) fn alive(&self) -> Result<(), Failure> {
        if self.owned.cancel.is_cancelled() {
            return Err(Failure::Stopping);
        }
        self.owned.fence.check().map_err(|_| Failure::Lost)
    }

    /// Waits, unless the partition is handed over.
    pub(super) async fn sleep(&self, wait: Duration) -> Result<(), Failure> {
        tokio::select! {
            () = self.owned.cancel.cancelled() => Err(Failure::Stopping),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    /// How much longer it may be tried; none when its time is over.
    pub(super) fn left(&self) -> Option<Duration> {
        let left = u64::try_from(self.ends.0.saturating_sub(now_ms())).ok()?;
        (left > 0).then(|| Duration::from_millis(left))
    }

    /// The result of `what`; none when the message's time is over first.
    pub(super) async fn while_it_lives<T>(
        &self,
        what: impl Future<Output = T>,
    ) -> Result<Option<T>, Failure> {
        let Some(left) = self.left() else { return Ok(None) };
        tokio::select! {
            () = self.owned.cancel.cancelled() => Err(Failure::Stopping),
            done = what => Ok(Some(done)),
            () = tokio::time::sleep(left) => Ok(None),
        }
    }

    pub(super) fn content(&self) -> Content {
        self.message.content.clone().unwrap_or_default()
    }

    /// Its time is over.
    pub(super) fn over(&self, memory: &Memory) -> End {
        let text = match self.ends.1 {
            "expired" => "it was not worth sending any more when it could have left",
            _ => "it could not be sent for too long",
        };
        let error = outcome::error(ErrorClass::Permanent, self.ends.1, text);
        End::GivenUp { error, reason: self.ends.1, tries: memory.tries }
    }

    pub(super) fn reference(&self) -> Reference {
        Reference {
            message_id: self.message.id.clone(),
            conversation_id: self.out.conversation.clone(),
            region: self.out.region.clone(),
            contact: self.out.contact.clone(),
        }
    }

    /// Says that it waits: the first time, and whenever the wait is a long one.
    pub(super) async fn defer(
        &self,
        memory: &mut Memory,
        wait: Duration,
        error: &DeliveryError,
        attempt: u32,
    ) -> Result<(), Failure> {
        if memory.told && wait < self.line.shared.config.retry.announce {
            return Ok(());
        }
        self.say_deferred(wait, error, attempt).await?;
        memory.told = true;
        Ok(())
    }
}
