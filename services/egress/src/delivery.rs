//! One message, from the stream to its outcome.
//!
//! Everything that matters is written down on the way (the attempt before the call, the outcome after it), so this may
//! begin again at any point, here or at another owner: what was decided is found and said again.

mod call;
mod check;
mod conclude;
mod end;
mod part;
mod settle;
mod turn;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use heliograph_domain::ids;
use heliograph_fabric::{
    AckError, Burial, Owned, Record, WorkItem, backoff::Backoff, envelope::REPLAYED, subjects,
};
use heliograph_proto::{
    Timestamp,
    v1::{Address, Capabilities, Content, DeliveryError, ErrorClass, Message, OutboundMessage, verdict},
};
use heliograph_store::{
    deliveries::{AttemptRecord, Reference},
    now_ms,
};
use tracing::Instrument as _;

use crate::{
    STAGE,
    account::Account,
    error::{Failure, chain},
    line::{Line, Shared},
    outcome, schedule,
    transcode::{self, Transcoded},
};
use end::End;
use part::{Part, PartEnd};

/// One message in hand, with what is needed again and again.
pub(crate) struct Case<'a> {
    line: &'a Line,
    owned: &'a Owned,
    out: &'a OutboundMessage,
    message: &'a Message,
    address: &'a Address,
    account: Arc<Account>,
    /// Its place in the stream.
    seq: u64,
    /// Until when it may be tried, milliseconds since 1970, and what is said afterwards.
    ends: (i64, &'static str),
    /// The broker has delivered it before, or it was replayed: something may be known of it.
    seen: bool,
}

/// What outlives a failure of something we stand on.
#[derive(Debug, Default)]
struct Memory {
    /// How often the provider has put it off. Counted by this owner; age bounds what a takeover forgets.
    tries: u32,
    /// Its wait was announced.
    told: bool,
    /// An attempt we may have written down and certainly did not make: its delivery and time.
    begun: Option<(String, i64)>,
}

/// Works on an item to its end and settles it. An error leaves it to the next owner.
pub(crate) async fn work(line: &Line, owned: &Owned, item: WorkItem) -> Result<(), Failure> {
    let span = item.record().process_span();
    async {
        let worked = AssertUnwindSafe(process(line, owned, &item)).catch_unwind().await;
        let buried = match worked {
            Ok(Ok(buried)) => buried,
            Ok(Err(Failure::Poison { reason, error })) => Some((reason, error, item.delivered())),
            Ok(Err(failure)) => return Err(failure),
            Err(_) => Some(("panic", "egress panicked over this message".to_owned(), item.delivered())),
        };
        let settled = match buried {
            None => item.ack().await,
            Some((reason, error, tries)) => {
                bury(&line.shared, owned, item.record(), reason, error, tries).await?;
                item.term(reason).await
            }
        };
        match settled {
            // It comes again, and is found to be done.
            Ok(()) | Err(AckError::Away { .. }) => Ok(()),
            Err(AckError::Lost(_)) => Err(Failure::Lost),
        }
    }
    .instrument(span)
    .await
}

/// Why a message becomes a dead letter: reason, error, tries.
type Buried = Option<(&'static str, String, u64)>;

async fn process(line: &Line, owned: &Owned, item: &WorkItem) -> Result<Buried, Failure> {
    let record = item.record();
    let out = decode(record)?;
    let case = Case::new(line, owned, &out, item)?;
    let mut memory = Memory::default();
    let mut backoff = Backoff::default();
    loop {
        match case.deliver(&mut memory).await {
            Ok(buried) => return Ok(buried),
            Err(Failure::Away(error)) => {
                tracing::debug!(seq = record.seq, error, "an outbound message waits");
                case.sleep(backoff.next_wait()).await?;
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn decode(record: &Record) -> Result<OutboundMessage, Failure> {
    let decoded = record.envelope().and_then(|envelope| envelope.decode::<OutboundMessage>());
    let out = decoded.map_err(|error| Failure::poison("malformed", chain(&error)))?;
    let at: subjects::Outbound = record
        .subject
        .parse()
        .map_err(|error: subjects::SubjectError| Failure::poison("subject", error.to_string()))?;
    if at.tenant != out.tenant {
        return Err(Failure::poison("tenant_mismatch", "the message says another tenant than its subject"));
    }
    Ok(out)
}

/// Stores a dead letter; tries until that is done.
async fn bury(
    shared: &Shared,
    owned: &Owned,
    record: &Record,
    reason: &str,
    error: String,
    tries: u64,
) -> Result<(), Failure> {
    let burial = Burial { stage: STAGE, reason, error, tries };
    let mut backoff = Backoff::default();
    loop {
        owned.fence.check().map_err(|_| Failure::Lost)?;
        match shared.dead.bury(record, &burial, None).await {
            Ok(_) => return Ok(()),
            Err(error) => {
                tracing::error!(seq = record.seq, error = chain(&error), "a dead letter cannot be stored");
                tokio::time::sleep(backoff.next_wait()).await;
            }
        }
    }
}

impl<'a> Case<'a> {
    fn new(
        line: &'a Line,
        owned: &'a Owned,
        out: &'a OutboundMessage,
        item: &WorkItem,
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
        Ok(Self {
            line,
            owned,
            out,
            message,
            address,
            account: line.account(&out.tenant, &address.account),
            seq: record.seq,
            ends: schedule::ends(&line.shared.config.retry, record.time_ms, expires),
            seen: item.delivered() > 1 || record.headers.get(REPLAYED).is_some(),
        })
    }

    /// Whether it may still be worked on here.
    fn alive(&self) -> Result<(), Failure> {
        if self.owned.cancel.is_cancelled() {
            return Err(Failure::Stopping);
        }
        self.owned.fence.check().map_err(|_| Failure::Lost)
    }

    /// Waits, unless the partition is handed over.
    async fn sleep(&self, wait: Duration) -> Result<(), Failure> {
        tokio::select! {
            () = self.owned.cancel.cancelled() => Err(Failure::Stopping),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    /// How much longer it may be tried; none when its time is over.
    fn left(&self) -> Option<Duration> {
        let left = u64::try_from(self.ends.0.saturating_sub(now_ms())).ok()?;
        (left > 0).then(|| Duration::from_millis(left))
    }

    /// The result of `what`; none when the message's time is over first.
    async fn while_it_lives<T>(&self, what: impl Future<Output = T>) -> Result<Option<T>, Failure> {
        let Some(left) = self.left() else { return Ok(None) };
        tokio::select! {
            () = self.owned.cancel.cancelled() => Err(Failure::Stopping),
            done = what => Ok(Some(done)),
            () = tokio::time::sleep(left) => Ok(None),
        }
    }

    /// From the stream to the outcome's event. Says why it is to be buried, if it is.
    async fn deliver(&self, memory: &mut Memory) -> Result<Buried, Failure> {
        self.alive()?;
        let shared = &self.line.shared;
        let known = shared.deliveries.get(&self.out.tenant, &self.out.delivery_id).await?;
        let touched = known.as_ref().is_some_and(|record| !part::is_open(record));
        if !touched
            && let Some(verdict) = &self.out.verdict
            && verdict.outcome() == verdict::Outcome::Deny
        {
            return self.end(End::Refused(verdict.clone())).await;
        }
        let capabilities = self.capabilities(memory).await?;
        let (capabilities, transcoded) = match capabilities {
            None if !touched => return self.end(self.over(memory)).await,
            // Its time is over, and something was done before: that is all there is to say of it.
            None => (Arc::default(), Ok(self.as_it_is())),
            Some(capabilities) => {
                let transcoded = transcode::transcode(&self.content(), &capabilities);
                (capabilities, transcoded)
            }
        };
        let transcoded = match transcoded {
            Ok(transcoded) => transcoded,
            Err(error) => {
                let error = outcome::error(ErrorClass::Permanent, &error.code, &error.text);
                return self.end(End::Failed { error, attempt: 0 }).await;
            }
        };
        self.send_all(&capabilities, &transcoded, known, memory).await
    }

    /// Sends the parts in order; the message's outcome is that of the first part that was not sent, or of all.
    async fn send_all(
        &self,
        capabilities: &Capabilities,
        transcoded: &Transcoded,
        mut known: Option<AttemptRecord>,
        memory: &mut Memory,
    ) -> Result<Buried, Failure> {
        let mut sent = Vec::with_capacity(transcoded.parts.len());
        for (index, content) in transcoded.parts.iter().enumerate() {
            let id = match index {
                0 => self.out.delivery_id.clone(),
                _ => ids::derive(ids::DELIVERY, &[&self.out.delivery_id, "part", &index.to_string()]),
            };
            if index > 0 {
                known = self.line.shared.deliveries.get(&self.out.tenant, &id).await?;
            }
            let part = Part { id, content, capabilities };
            match self.part(&part, known.take(), memory).await? {
                PartEnd::Sent(one) => sent.push(one),
                PartEnd::End(end) => return self.end(end).await,
            }
        }
        self.remember_question(transcoded).await;
        self.end(End::sent(sent, &transcoded.reasons)).await
    }

    /// So that a typed "2" finds its way back. Losing it costs an answer that reads as text.
    async fn remember_question(&self, transcoded: &Transcoded) {
        if transcoded.numbered.is_empty() {
            return;
        }
        let options: Vec<_> = transcoded
            .numbered
            .iter()
            .map(|option| heliograph_store::questions::Asked {
                id: option.id.clone(),
                title: option.title.clone(),
                payload: option.payload.clone(),
            })
            .collect();
        let Address { channel, account, user_id, .. } = self.address;
        let questions = &self.line.shared.questions;
        let remembered =
            questions.remember(&self.out.tenant, channel, account, user_id, &self.message.id, &options).await;
        if let Err(error) = remembered {
            tracing::debug!(error = chain(&error), "a question was not remembered");
        }
    }

    /// What the channel can show for the account; none when the message's time was over first.
    async fn capabilities(&self, memory: &mut Memory) -> Result<Option<Arc<Capabilities>>, Failure> {
        let config = &self.line.shared.config.retry;
        let (mut asked, mut refused) = (0, Backoff::new(config.probe_first, config.probe_most));
        loop {
            let asking = self.line.capabilities(&self.account, &self.out.tenant, &self.address.account);
            let (error, wait) = match self.while_it_lives(asking).await? {
                None => return Ok(None),
                Some(Ok(capabilities)) => return Ok(Some(capabilities)),
                Some(Err(outcome::Outcome::Auth(error))) => (error, refused.next_wait()),
                Some(Err(outcome::Outcome::Later(later))) => {
                    asked += 1;
                    (later.error, schedule::wait(config, asked, later.after, rand::random()))
                }
                // `Line::capabilities` knows these two only.
                Some(Err(other)) => {
                    return Err(Failure::Away(format!("the channel answered {}", other.label())));
                }
            };
            self.line.shared.metrics.waited(&self.line.name, "describe", wait);
            self.defer(memory, wait, &error, 0).await?;
            if self.while_it_lives(tokio::time::sleep(wait)).await?.is_none() {
                return Ok(None);
            }
        }
    }

    fn content(&self) -> Content {
        self.message.content.clone().unwrap_or_default()
    }

    fn as_it_is(&self) -> Transcoded {
        Transcoded { parts: vec![self.content()], ..Transcoded::default() }
    }

    /// Its time is over.
    fn over(&self, memory: &Memory) -> End {
        let text = match self.ends.1 {
            "expired" => "it was not worth sending any more when it could have left",
            _ => "it could not be sent for too long",
        };
        let error = outcome::error(ErrorClass::Permanent, self.ends.1, text);
        End::GivenUp { error, reason: self.ends.1, tries: memory.tries }
    }

    fn reference(&self) -> Reference {
        Reference {
            message_id: self.message.id.clone(),
            conversation_id: self.out.conversation.clone(),
            region: self.out.region.clone(),
            contact: self.out.contact.clone(),
        }
    }

    /// Says that it waits: the first time, and whenever the wait is a long one.
    async fn defer(
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
