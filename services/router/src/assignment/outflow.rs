//! What was decided on its way to the broker, and how far all of it is stored.

use std::collections::{HashSet, VecDeque};

use heliograph_fabric::{
    DeadLetters, Envelope, Fence, Ground, Layout, PublishError, Record, Sequencer, SequencerOptions, Ticket,
    subjects::{self, Bucket, SubjectError},
};
use heliograph_proto::{Message as _, Timestamp, v1::OutboundMessage};

use super::{
    HEADER_ROOM, STAGE,
    emit::{Emission, Item, Trail},
    onward,
};
use crate::{envelope, error::PartitionError, metrics::Metrics, naming::SOURCE};

/// Publishes in the order of the log within each lane, and knows up to which entry everything is stored.
pub(super) struct Outflow<G> {
    ground: G,
    fence: Fence,
    dead: DeadLetters<G>,
    layout: Layout,
    sequencer: Sequencer<G>,
    pending: VecDeque<Pending>,
    /// Everything of entries up to here is stored.
    through: u64,
    /// Where the streams end, as far as it is known to us.
    ends: Ends,
    /// Ids of what a former owner has stored already.
    stored: HashSet<String>,
    /// Whether a former owner may have been here.
    catching_up: bool,
}

/// Sequences of the streams that what is emitted goes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends {
    /// Of HG_EVENTS.
    pub(super) events: u64,
    /// Of HG_OUTBOUND.
    pub(super) outbound: u64,
}

/// What one entry led to and is not all stored yet.
struct Pending {
    sequence: u64,
    /// What this entry led to stands behind these.
    floor: Ends,
    tickets: VecDeque<(Goes, Ticket)>,
    /// Whether all of it is handed over. Of what was given up on the way nobody knows that it is stored.
    whole: bool,
}

/// Where something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    Events,
    Outbound,
    Trail,
    Onward,
}

impl Ends {
    fn max(self, other: Self) -> Self {
        Self { events: self.events.max(other.events), outbound: self.outbound.max(other.outbound) }
    }
}

impl<G: Ground> Outflow<G> {
    pub(super) fn new(
        ground: &G,
        dead: &DeadLetters<G>,
        layout: Layout,
        fence: &Fence,
        capacity: usize,
        through: u64,
    ) -> Self {
        let options = SequencerOptions { capacity, fence: Some(fence.clone()) };
        Self {
            ground: ground.clone(),
            fence: fence.clone(),
            dead: dead.clone(),
            layout,
            sequencer: Sequencer::new(ground, options),
            pending: VecDeque::new(),
            through,
            ends: Ends::default(),
            stored: HashSet::new(),
            catching_up: true,
        }
    }

    /// What a former owner stored behind its cursors.
    pub(super) fn know(&mut self, stored: HashSet<String>) {
        self.stored.extend(stored);
    }

    /// Where the streams end: what is emitted from now on stands behind that.
    pub(super) fn end_at(&mut self, ends: Ends) {
        self.ends = self.ends.max(ends);
    }

    /// Forgets what a former owner stored: its entries are behind us.
    pub(super) fn caught_up(&mut self) {
        self.stored = HashSet::new();
        self.catching_up = false;
    }

    /// Everything of entries up to here is stored.
    pub(super) fn through(&self) -> u64 {
        self.through
    }

    /// What entries led to that are not all stored stands behind these.
    pub(super) fn floor(&self) -> Ends {
        self.pending.front().map_or(self.ends, |pending| pending.floor)
    }

    /// Whether nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.front().is_none_or(|pending| pending.tickets.is_empty())
    }

    /// Hands over what an entry led to. Waits while too much is under way. Dropped meanwhile, the entry counts as not
    /// stored, and what it led to stands behind the floor: part of it may be stored.
    pub(super) async fn emit(
        &mut self,
        record: &Record,
        emissions: Vec<Emission>,
        metrics: &Metrics,
    ) -> Result<(), PartitionError> {
        let tickets = VecDeque::with_capacity(emissions.len());
        self.pending.push_back(Pending { sequence: record.seq, floor: self.ends, tickets, whole: false });
        for Emission { lane, item } in emissions {
            let prepared = match item {
                Item::Event(event) => {
                    if self.stored.contains(&event.id) {
                        continue;
                    }
                    envelope::public(*event)
                        .map(|(subject, envelope, kind)| (Goes::Events, subject, envelope, kind))
                }
                Item::Outbound(work) => {
                    if self.stored.contains(&work.delivery_id) {
                        continue;
                    }
                    self.outbound(&work)
                        .map(|(subject, envelope)| (Goes::Outbound, subject, envelope, "outbound"))
                }
                Item::Trail(trail) => {
                    let Trail { id, key, value, at_ms } = *trail;
                    let envelope = Envelope::new(id, "trail.entry", SOURCE, at_ms, value);
                    Ok((Goes::Trail, Bucket::Trail.subject(&key), envelope, "trail"))
                }
                Item::Onward(onward) => {
                    if self.stored.contains(&onward.id()) {
                        continue;
                    }
                    onward::prepare(record, *onward)
                        .map(|(subject, envelope, kind)| (Goes::Onward, subject, envelope, kind))
                }
            };
            let (goes, subject, envelope, kind) = match prepared {
                Ok(prepared) => prepared,
                Err(error) => {
                    self.bury(record, "subject", error.to_string()).await?;
                    continue;
                }
            };
            let largest = self.ground.largest_message();
            let size = envelope.payload.len() + HEADER_ROOM;
            if largest > 0 && size > largest {
                if kind == onward::ARRIVING {
                    // A tenant is not given up: the partition waits until the broker takes it.
                    let description = format!("{size} bytes of {largest}: raise max_payload");
                    return Err(PublishError::TooLarge { subject, description }.into());
                }
                self.bury(
                    record,
                    "too_large",
                    format!("{kind}: {size} bytes are more than the broker takes"),
                )
                .await?;
                continue;
            }
            metrics.emitted(kind);
            let ticket = self.sequencer.submit(lane, subject, envelope, None).await;
            if let Some(pending) = self.pending.back_mut() {
                pending.tickets.push_back((goes, ticket));
            }
        }
        if let Some(pending) = self.pending.back_mut() {
            pending.whole = true;
        }
        self.advance();
        Ok(())
    }

    /// Notes an entry that leads to nothing, or whose effects a former owner has stored.
    pub(super) fn skip(&mut self, sequence: u64) {
        let floor = self.ends;
        self.pending.push_back(Pending { sequence, floor, tickets: VecDeque::new(), whole: true });
        self.advance();
    }

    /// Moves behind the entries of which everything is stored.
    fn advance(&mut self) {
        let is_done = |pending: &mut Pending| pending.whole && pending.tickets.is_empty();
        while let Some(done) = self.pending.pop_front_if(is_done) {
            self.through = self.through.max(done.sequence);
        }
    }

    /// Waits for the next acknowledgement. May be dropped and called again.
    pub(super) async fn settle(&mut self) -> Result<(), PublishError> {
        let Some(front) = self.pending.front_mut() else { return Ok(()) };
        if let Some((goes, ticket)) = front.tickets.front_mut() {
            let published = ticket.await?;
            match goes {
                Goes::Events => self.ends.events = self.ends.events.max(published.seq),
                Goes::Outbound => self.ends.outbound = self.ends.outbound.max(published.seq),
                Goes::Trail | Goes::Onward => {}
            }
            front.tickets.pop_front();
        }
        self.advance();
        Ok(())
    }

    fn outbound(&self, work: &OutboundMessage) -> Result<(String, Envelope), SubjectError> {
        let channel =
            work.message.as_ref().and_then(|message| message.address.as_ref()).map_or("", |it| &it.channel);
        let partition = subjects::partition_of_conversation(&work.conversation, self.layout.outbound);
        let subject = subjects::outbound(channel, partition, &work.tenant)?;
        let time = work.accepted_at.as_ref().map_or(0, Timestamp::millis);
        let mut envelope =
            Envelope::new(work.delivery_id.clone(), "outbound.message", SOURCE, time, work.encode_to_vec());
        envelope::place(&mut envelope, work.position.as_ref());
        Ok((subject, envelope.about(work.conversation.clone())))
    }

    /// Moves an entry, or what follows from it, to the dead letters, unless a former owner has.
    pub(super) async fn bury(
        &self,
        record: &Record,
        reason: &str,
        error: String,
    ) -> Result<(), PartitionError> {
        if self.catching_up && self.dead.holds(record, STAGE).await? {
            return Ok(());
        }
        let burial = heliograph_fabric::Burial { stage: STAGE, reason, error, tries: 1 };
        self.dead.bury_while(record, &burial, None, Some(&self.fence)).await?;
        Ok(())
    }
}
