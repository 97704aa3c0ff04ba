//! The media of one channel.

use std::{sync::Arc, time::Duration};

use heliograph_domain::{content, ids};
use heliograph_fabric::{
    Burial, Crew, CrewItem, CrewOptions, DeadLetters, Fabric, Stream,
    subjects::{is_token, messages_received},
};
use heliograph_media::{Intake, MediaSettings, Refusal};
use heliograph_proto::v1::{Event, Media, event::Payload};
use heliograph_runtime::Shutdown;
use heliograph_store::now_ms;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

use crate::{
    STAGE, crew,
    error::MediaError,
    fetch::{Client, End, GIVEN_UP, Owner, fetch},
    metrics::Metrics,
};

/// The first wait before a medium is tried again; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// How long burying may take before the item is simply tried again.
const BURY_WITHIN: Duration = Duration::from_secs(10);

/// What the work on one channel's media needs.
pub(crate) struct Line {
    pub(crate) channel: String,
    pub(crate) fabric: Fabric,
    pub(crate) client: Client,
    pub(crate) intake: Intake,
    pub(crate) settings: MediaSettings,
    pub(crate) metrics: Arc<Metrics>,
}

/// What is to be done with an event.
enum Done {
    Ack,
    Again { after: Duration },
    Bury { reason: &'static str, error: String },
}

impl Line {
    fn options(&self) -> CrewOptions {
        CrewOptions { ahead: self.settings.in_flight, ..CrewOptions::default() }
    }

    /// Joins the channel's crew, and works until shutdown.
    pub(crate) async fn run(self: Arc<Self>, shutdown: Shutdown) -> Result<(), MediaError> {
        let filter = messages_received(&self.channel).map_err(|error| MediaError::Channel {
            channel: self.channel.clone(),
            reason: error.to_string(),
        })?;
        let mut crew =
            Crew::join(&self.fabric, Stream::Events, &crew(&self.channel), &filter, self.options());
        let slots = Arc::new(Semaphore::new(self.settings.in_flight));
        let mut under_way = JoinSet::new();
        loop {
            let item = tokio::select! {
                item = crew.next() => item,
                Some(_) = under_way.join_next() => continue,
                () = shutdown.draining() => break,
            };
            let event = item.record().envelope().and_then(|envelope| envelope.decode::<Event>());
            let mut event = event.map_err(|error| error.to_string());
            // Most messages have no media, and need no turn.
            if event.as_mut().is_ok_and(|event| wanted(event).is_empty()) {
                item.ack().await;
                continue;
            }
            let turn = tokio::select! {
                turn = Arc::clone(&slots).acquire_owned() => turn.expect("never closed"),
                () = shutdown.draining() => {
                    item.nak(Duration::ZERO).await;
                    break;
                }
            };
            let (line, stop) = (Arc::clone(&self), shutdown.clone());
            under_way.spawn(async move {
                let _turn = turn;
                Box::pin(line.work(item, event, stop)).await;
            });
        }
        crew.leave().await;
        while under_way.join_next().await.is_some() {}
        Ok(())
    }

    async fn work(&self, item: CrewItem, event: Result<Event, String>, shutdown: Shutdown) {
        let done = async {
            match event {
                Ok(mut event) => self.fetch_all(&item, &mut event).await,
                Err(error) => Done::Bury { reason: "malformed", error },
            }
        };
        let ack_wait = self.options().ack_wait;
        let done = tokio::select! {
            done = item.keep_alive(ack_wait, done) => done,
            // Somebody else begins it anew.
            () = shutdown.cancelled() => Done::Again { after: Duration::ZERO },
        };
        match done {
            Done::Ack => item.ack().await,
            Done::Again { after } => item.nak(after).await,
            Done::Bury { reason, error } => self.bury(item, reason, error).await,
        }
    }

    async fn fetch_all(&self, item: &CrewItem, event: &mut Event) -> Done {
        let mut later = None;
        let age = Duration::from_millis(
            u64::try_from(now_ms().saturating_sub(item.record().time_ms)).unwrap_or_default(),
        );
        let (tenant, channel) = (event.tenant.clone(), &self.channel);
        for (account, media) in wanted(event) {
            let owner = Owner { tenant: &tenant, account: &account };
            let within = self.settings.fetch_timeout;
            let (end, took) = fetch(&self.client, &self.intake, owner, media, within).await;
            self.metrics.fetch(channel, end.label(), took);
            let id = &media.object_id;
            match end {
                End::Known => {}
                End::Stored => self.metrics.stored(channel, age + took),
                End::Refused(refusal) => {
                    tracing::info!(
                        tenant,
                        channel,
                        id,
                        code = refusal.code,
                        "a medium is refused: {}",
                        refusal.reason
                    );
                }
                End::Later { code, why } if age >= self.settings.give_up_after => {
                    tracing::warn!(tenant, channel, id, code, why, "a medium is given up");
                    let reason = "it could not be fetched while its provider had it".to_owned();
                    let refusal = Refusal { code: GIVEN_UP.to_owned(), reason };
                    if let Err(error) = self.intake.store().refuse(&tenant, id, &refusal).await {
                        later = Some(Done::Again { after: LONGEST_WAIT });
                        tracing::warn!(%error, "that a medium is given up cannot be written down");
                    } else {
                        later.get_or_insert(Done::Bury { reason: code, error: why });
                    }
                }
                End::Later { code, why } => {
                    let after = wait(item.record().delivered);
                    tracing::info!(tenant, channel, id, code, why, ?after, "a medium is tried again later");
                    later = Some(Done::Again { after });
                }
            }
        }
        later.unwrap_or(Done::Ack)
    }

    async fn bury(&self, item: CrewItem, reason: &'static str, error: String) {
        let burial = Burial { stage: STAGE, reason, error, tries: item.record().delivered };
        let deadline = Some(Instant::now() + BURY_WITHIN);
        match DeadLetters::new(&self.fabric).bury(item.record(), &burial, deadline).await {
            Ok(_) => item.term("buried").await,
            Err(error) => {
                tracing::warn!(%error, "a dead letter cannot be written");
                item.nak(LONGEST_WAIT).await;
            }
        }
    }
}

/// How long a medium waits after so many tries.
fn wait(tries: u64) -> Duration {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_WAIT)
}

/// The media of an event that are to be fetched, with the account they came to: those that have an id of ours and stand
/// at the provider.
fn wanted(event: &mut Event) -> Vec<(String, &mut Media)> {
    if !ids::is_name(&event.tenant) {
        return Vec::new();
    }
    let Some(Payload::MessageReceived(received)) = &mut event.payload else { return Vec::new() };
    let Some(message) = &mut received.message else { return Vec::new() };
    let account = message.address.as_ref().map_or(&event.account, |address| &address.account).clone();
    let media = message.content.as_mut().map(content::media_mut).unwrap_or_default().into_iter();
    media
        .filter(|media| is_token(&media.object_id))
        .filter(|media| !media.provider_media_id.is_empty() || !media.url.is_empty())
        .map(|media| (account.clone(), media))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_growing() {
        let seconds: Vec<u64> = [1, 2, 3, 9, 10, u64::MAX].map(|tries| wait(tries).as_secs()).to_vec();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300]);
    }
}
