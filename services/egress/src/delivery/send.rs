//! From the stream to the outcome's event.

use std::sync::Arc;

use heliograph_domain::ids;
use heliograph_fabric::backoff::Backoff;
use heliograph_proto::v1::{Address, Capabilities, Content, ErrorClass, Reason, outbound_message::Purpose};
use heliograph_store::deliveries::AttemptRecord;

use super::{
    Buried,
    case::{Case, Memory},
    check::Barred,
    end::End,
    part::{self, Part, PartEnd, Sent},
};
use crate::{
    error::{Failure, chain},
    outcome, schedule,
    transcode::{self, Transcoded},
};

/// What was done about a message before.
#[derive(Debug, Default)]
struct Known {
    message: Option<AttemptRecord>,
    /// About the template that stood in for it.
    template: Option<AttemptRecord>,
}

fn touched(record: Option<&AttemptRecord>) -> bool {
    record.is_some_and(|record| !part::is_open(record))
}

/// What sending the parts came to.
enum Sending {
    Sent(Vec<Sent>),
    /// It may not leave, or not as it is.
    Barred(Box<Barred>),
    End(Box<End>),
}

impl Case<'_> {
    /// From the stream to the outcome's event. Says why it is to be buried, if it is.
    ///
    /// Policy is asked before the channel is, unless a rule reads the channel's window: what may not leave needs no channel
    /// that answers.
    pub(super) async fn deliver(&self, memory: &mut Memory) -> Result<Buried, Failure> {
        self.alive()?;
        if self.out.purpose() == Purpose::CheckReceipt {
            return Box::pin(self.check_receipt(memory)).await;
        }
        let mut known = if self.seen { self.known().await? } else { Known::default() };
        memory.counted |= known.message.is_some() || known.template.is_some();
        if touched(known.template.as_ref()) {
            return Box::pin(self.stand_in(memory, None)).await;
        }
        let untouched = !touched(known.message.as_ref());
        if untouched && self.reads_window() && self.capabilities(memory).await?.is_none() {
            return self.end(self.over(memory), memory).await;
        }
        if untouched && let Some(barred) = self.barred(memory).await? {
            // The rare item that stands in the stream twice: what was done is not to be contradicted.
            if !self.seen {
                known = self.known().await?;
            }
            if touched(known.template.as_ref()) {
                return Box::pin(self.stand_in(memory, None)).await;
            }
            if !touched(known.message.as_ref()) {
                return Box::pin(self.divert(barred, memory)).await;
            }
        }
        let touched = touched(known.message.as_ref());
        let (capabilities, transcoded) = match self.capabilities(memory).await? {
            None if !touched => return self.end(self.over(memory), memory).await,
            // Its time is over, and something was done before: that is all there is to say of it.
            None => (Arc::default(), Ok(as_it_is(self.content()))),
            Some(capabilities) => {
                // Links are those of when it got its place, so that what is tried again is the same.
                let at = self.item.record().time_ms;
                let link = |id: &str| self.line.shared.links.outside(&self.out.tenant, id, at);
                let transcoded = transcode::transcode(&self.content(), &capabilities, &link);
                (capabilities, transcoded)
            }
        };
        let transcoded = match transcoded {
            Ok(transcoded) => transcoded,
            Err(error) => {
                let error = outcome::error(ErrorClass::Permanent, &error.code, &error.text);
                return self.end(End::Failed { error, attempt: 0 }, memory).await;
            }
        };
        let first = &self.out.delivery_id;
        match self.send_all(first, &capabilities, &transcoded, known.message, memory).await? {
            Sending::Sent(parts) => {
                self.remember_question(&transcoded).await;
                let end = End::sent(parts, &transcoded.reasons, &capabilities);
                self.end(end, memory).await
            }
            Sending::Barred(barred) => Box::pin(self.divert(*barred, memory)).await,
            Sending::End(end) => self.end(*end, memory).await,
        }
    }

    /// Sends the policy's template in place of the message. `barred` is why; none when that was decided before, and all
    /// that is left is to say what became of it.
    pub(super) async fn stand_in(
        &self,
        memory: &mut Memory,
        barred: Option<Barred>,
    ) -> Result<Buried, Failure> {
        let id = ids::derive(ids::DELIVERY, &[&self.out.delivery_id, "template"]);
        let known = self.line.shared.deliveries.get(&self.out.tenant, &id).await?;
        let capabilities = match self.capabilities(memory).await? {
            Some(capabilities) => capabilities,
            None if touched(known.as_ref()) => Arc::default(),
            None => return self.end(self.over(memory), memory).await,
        };
        let (content, reason) = self.template(memory, &capabilities).await?;
        match barred {
            Some(barred) if content.is_none() && !touched(known.as_ref()) => {
                return self.refuse(barred, memory).await;
            }
            _ => {}
        }
        // A template that is not named any more was sent when it was.
        let transcoded = as_it_is(content.unwrap_or_else(|| self.content()));
        match self.send_all(&id, &capabilities, &transcoded, known, memory).await? {
            Sending::Sent(parts) => self.end(End::sent(parts, &[reason], &capabilities), memory).await,
            Sending::Barred(barred) => self.divert_template(*barred, memory).await,
            Sending::End(end) => self.end(*end, memory).await,
        }
    }

    /// The template that stands in, if the policy names one that the channel can send; and how that is said.
    async fn template(
        &self,
        memory: &mut Memory,
        capabilities: &Capabilities,
    ) -> Result<(Option<Content>, Reason), Failure> {
        let decided = self.decided(memory).await?;
        let policy = &decided.asked.book.policy;
        let region = &decided.judged.known.region.region;
        let found = policy.template(region, &self.line.name);
        let found = found.filter(|_| crate::window::takes_templates(capabilities));
        let name = found.map_or("", |template| &template.name);
        let reason = Reason {
            code: "window.template".to_owned(),
            text: format!("template {name} of policy {} stands in for what was written", policy.name()),
            detail: None,
        };
        Ok((found.map(|template| transcode::in_template(&self.content(), template)), reason))
    }

    /// What was done about it before.
    async fn known(&self) -> Result<Known, Failure> {
        let (deliveries, tenant) = (&self.line.shared.deliveries, &self.out.tenant);
        let template = ids::derive(ids::DELIVERY, &[&self.out.delivery_id, "template"]);
        let (message, template) = tokio::try_join!(
            deliveries.get(tenant, &self.out.delivery_id),
            deliveries.get(tenant, &template)
        )?;
        Ok(Known { message, template })
    }

    /// Sends the parts in order, until one is not sent. `first` is the delivery of the first of them.
    async fn send_all(
        &self,
        first: &str,
        capabilities: &Capabilities,
        transcoded: &Transcoded,
        mut known: Option<AttemptRecord>,
        memory: &mut Memory,
    ) -> Result<Sending, Failure> {
        let mut sent = Vec::with_capacity(transcoded.parts.len());
        for (index, content) in transcoded.parts.iter().enumerate() {
            let id = match index {
                0 => first.to_owned(),
                _ => ids::derive(ids::DELIVERY, &[first, "part", &index.to_string()]),
            };
            if index > 0 {
                memory.partly = true;
                known = self.line.shared.deliveries.get(&self.out.tenant, &id).await?;
            }
            let part = Part { id, index, content, capabilities };
            match self.part(&part, known.take(), memory).await? {
                PartEnd::Sent(one) => sent.push(one),
                PartEnd::Barred(barred) => return Ok(Sending::Barred(barred)),
                PartEnd::End(end) => return Ok(Sending::End(end)),
            }
        }
        Ok(Sending::Sent(sent))
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
    pub(super) async fn capabilities(
        &self,
        memory: &mut Memory,
    ) -> Result<Option<Arc<Capabilities>>, Failure> {
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
}

fn as_it_is(content: Content) -> Transcoded {
    Transcoded { parts: vec![content], ..Transcoded::default() }
}
