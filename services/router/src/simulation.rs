//! The shell, the ownership of partitions and everything between them and the wire, in a world that is made up.
//!
//! One thread, a clock that jumps, and a seed from which everything is drawn: what customers and agents do, how long each
//! message is under way, and what goes wrong. Routers are killed, stand still and are cut off, until two of them think
//! that they own a partition; the broker goes away and loses acknowledgements; clocks are wrong. In the end all is set
//! right, and what stands on the broker is held beside what the log leads to.
//!
//! The code above [`Ground`](heliograph_fabric::Ground) is the product's own. A seed that fails is printed, and says
//! everything that it does with `make simulate SEED=…`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::needless_update, reason = "messages on the wire grow")]

mod broker;
mod chance;
mod desk;
mod expected;
mod faults;
mod flaws;
mod ground;
mod holders;
mod judge;
mod link;
mod node;
mod questions;
mod router;
mod rules;
mod slots;
mod tail;
mod tally;
mod tests;
mod town;
mod trace;
mod way;
mod weather;
mod world;

use std::sync::Arc;
use std::time::Duration;

use heliograph_fabric::{CancellationToken, Stream, subjects::Bucket};
use tokio::time::{Instant, sleep};

use crate::ROUTING_GROUP;
use chance::Chance;
use faults::Fault;
use flaws::Flaws;
use ground::SimGround;
use judge::End;
use node::Node;
use tally::Tally;
use town::{Books, LAYOUT, Writer};
use trace::Fingerprint;
use weather::Weather;
use world::World;

/// How long everything may take to be worked off once nothing is wrong any more.
const PATIENCE: Duration = Duration::from_secs(45);

/// A world, before its seed is known.
#[derive(Debug, Clone, Copy, Default)]
struct Plan {
    flaws: Flaws,
    /// What may go wrong; drawn where nothing is named.
    only: &'static [Fault],
    /// Whether it tells what happens.
    aloud: bool,
}

/// What came of a seed.
struct Outcome {
    fingerprint: Fingerprint,
    /// What is wrong; nothing, it is hoped.
    wrong: Vec<String>,
    /// How it ended.
    tail: String,
    entries: u64,
    events: u64,
    tally: Tally,
}

/// Lives through the world of a seed.
fn live(seed: u64, plan: Plan) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime of one thread");
    runtime.block_on(history(seed, plan))
}

async fn history(seed: u64, plan: Plan) -> Outcome {
    let world = World::new(seed, plan.flaws, plan.aloud);
    let books = Books::default();
    let closing = CancellationToken::new();
    let nodes = ["intake", "taker", "desk"].map(|name| Node::new(name, false, Chance::of(seed, name)));
    let mut weather = Weather::new(&world, seed, nodes.to_vec());
    let [intake, taker, desk] =
        nodes.map(|node| Writer::new(&SimGround::new(&world, &node), &books, &closing));
    town::open(&[intake, taker], seed);
    desk::open(&desk, seed);
    weather.storm(plan.only).await;
    closing.cancel();
    weather.calm();
    let calm_ms = world.now_ms();
    let mut wrong = Vec::new();
    if let Err(left) = worked_off(&world).await {
        wrong.push(left);
    }
    weather.stop().await;
    let through = (0..LAYOUT.routing).map(|partition| emitted(&world, partition)).collect();
    let end = End { through, calm_ms, book: weather.book() };
    wrong.extend(judge::judge(&world, &town::ledger(&books), &end));
    let mut inner = world.inner();
    Outcome {
        fingerprint: inner.trace.fingerprint(),
        wrong,
        tail: inner.trace.tail(60),
        entries: inner.broker.end(Stream::Routing.name()),
        events: inner.broker.end(Stream::Events.name()),
        tally: std::mem::take(&mut inner.broker.tally),
    }
}

/// Waits until all that was written when it became calm is worked off.
async fn worked_off(world: &Arc<World>) -> Result<(), String> {
    // What is still in somebody's buffers arrives in this time.
    sleep(Duration::from_secs(25)).await;
    let written = world.inner().broker.shelf(Stream::Routing.name()).history.clone();
    let ends: Vec<u64> = (0..LAYOUT.routing).map(|partition| expected::end_of(&written, partition)).collect();
    let until = Instant::now() + PATIENCE;
    loop {
        let through: Vec<u64> = (0..LAYOUT.routing).map(|partition| emitted(world, partition)).collect();
        if through.iter().zip(&ends).all(|(through, end)| through >= end) {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(format!("all is well for long, and {through:?} of {ends:?} entries are worked off"));
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// How far a partition's decisions are stored, by its cursor.
fn emitted(world: &World, partition: u16) -> u64 {
    let key = format!("{ROUTING_GROUP}.{partition}");
    let value = world.inner().broker.key(Bucket::Cursors, &key).value;
    let value: Option<serde_json::Value> = value.and_then(|value| serde_json::from_slice(&value).ok());
    value.and_then(|value| value["seq"].as_u64()).unwrap_or_default()
}
