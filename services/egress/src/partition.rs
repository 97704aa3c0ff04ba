//! One partition of a channel's work: lanes of conversations, each with one message in hand at a time.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    future::Future,
    pin::Pin,
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use heliograph_fabric::{Owned, WorkError, WorkItem, WorkOptions, WorkReader};

use crate::{
    delivery,
    error::{Failure, chain},
    line::Line,
};

/// A lane's work on one message; its result says which lane, and whether the partition is still ours.
type Job<'a> = Pin<Box<dyn Future<Output = (String, Result<(), Failure>)> + Send + 'a>>;

/// Works on a partition until it is handed over.
pub(crate) async fn run(line: &Line, owned: Owned) {
    let partition = owned.partition;
    if let Err(error) = work(line, &owned).await {
        tracing::warn!(
            channel = line.name,
            partition,
            error = chain(&error),
            "work on a partition ended; it is taken up again"
        );
    }
}

async fn work(line: &Line, owned: &Owned) -> Result<(), WorkError> {
    let config = &line.shared.config;
    let options = WorkOptions {
        max_ack_pending: config.in_hand.max(1),
        // Tries are counted here, by what the provider says; handing a partition over is no fault of its messages.
        max_deliver: -1,
        fence: owned.fence.clone(),
        ..WorkOptions::default()
    };
    let opening = WorkReader::open(&line.shared.fabric, &line.name, owned.partition, options);
    let mut reader = tokio::select! {
        () = owned.cancel.cancelled() => return Ok(()),
        opened = opening => opened?,
    };
    let depth = Depth { line, count: 0 };
    let lost = flow(line, owned, &mut reader, depth).await;
    if !lost {
        reader.close().await;
    }
    Ok(())
}

/// Lanes at work, until the partition is handed over or lost; true when it is lost.
async fn flow(line: &Line, owned: &Owned, reader: &mut WorkReader, mut depth: Depth<'_>) -> bool {
    let mut lanes: HashMap<String, VecDeque<WorkItem>> = HashMap::new();
    let mut jobs: FuturesUnordered<Job<'_>> = FuturesUnordered::new();
    loop {
        tokio::select! {
            () = owned.cancel.cancelled() => break,
            Some((lane, done)) = jobs.next(), if !jobs.is_empty() => {
                depth.change(-1);
                match done {
                    Ok(()) => {}
                    Err(Failure::Stopping) => break,
                    Err(_) => return true,
                }
                match lanes.get_mut(&lane).and_then(VecDeque::pop_front) {
                    Some(next) => jobs.push(job(line, owned, lane, next)),
                    None => drop(lanes.remove(&lane)),
                }
            }
            item = reader.next() => {
                // A closed reader says that the partition is lost.
                let Ok(item) = item else { return true };
                depth.change(1);
                match lanes.entry(lane_of(&item)) {
                    Entry::Occupied(mut waiting) => waiting.get_mut().push_back(item),
                    Entry::Vacant(entry) => {
                        let lane = entry.key().clone();
                        entry.insert(VecDeque::new());
                        jobs.push(job(line, owned, lane, item));
                    }
                }
            }
        }
    }
    // What waits goes back; what is with a provider comes to its end. The time for that is the ownership's.
    lanes.clear();
    while let Some((_, done)) = jobs.next().await {
        if matches!(done, Err(Failure::Lost)) {
            return true;
        }
    }
    false
}

fn job<'a>(line: &'a Line, owned: &'a Owned, lane: String, item: WorkItem) -> Job<'a> {
    Box::pin(async move {
        let done = delivery::work(line, owned, item).await;
        (lane, done)
    })
}

/// A message's conversation, as its envelope says; what has none is a lane of its own.
fn lane_of(item: &WorkItem) -> String {
    let record = item.record();
    match record.headers.get("ce-subject") {
        Some(conversation) if !conversation.as_str().is_empty() => conversation.as_str().to_owned(),
        _ => record
            .envelope()
            .and_then(|envelope| envelope.decode::<heliograph_proto::v1::OutboundMessage>())
            .ok()
            .map(|out| out.conversation)
            .filter(|conversation| !conversation.is_empty())
            .unwrap_or_else(|| format!("\u{1f}{}", record.seq)),
    }
}

/// Keeps the count of messages in hand true, however the work ends.
struct Depth<'a> {
    line: &'a Line,
    count: i64,
}

impl Depth<'_> {
    fn change(&mut self, by: i64) {
        self.count += by;
        self.line.shared.metrics.depth(&self.line.name, by);
    }
}

impl Drop for Depth<'_> {
    fn drop(&mut self) {
        self.line.shared.metrics.depth(&self.line.name, -self.count);
    }
}
