//! The raw limit of the path: publish → consume → publish → consume on two JetStream streams, each publish with its
//! PubAck, the hop in a process of its own.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_nats::{
    HeaderMap,
    jetstream::{self, consumer, stream},
};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream as futures_stream};
use heliograph_fabric::Stream;

use crate::{
    arrivals::Arrivals,
    ground::{Addresses, Ground},
    path::Figures,
    process::{Served, Usage, until_let_go},
};

/// Publishes that wait for their PubAck at a time, as in the sequencer of the fabric.
const IN_FLIGHT: usize = 1024;
const FIRST: &str = "BENCH_FIRST";
const SECOND: &str = "BENCH_SECOND";

/// The chain, running.
pub(crate) struct Chain {
    jetstream: jetstream::Context,
    hop: Served,
    arrivals: Arrivals,
    headers: HeaderMap,
    payload: Bytes,
    next: u64,
    nats: u32,
}

impl Chain {
    /// Starts it with messages like the newest of HG_INBOUND.
    pub(crate) async fn start(ground: &Ground, out: &std::path::Path) -> anyhow::Result<Self> {
        let jetstream = jetstream::new(async_nats::connect(ground.nats.url()).await?);
        for (name, subject) in [(FIRST, "bench.first.>"), (SECOND, "bench.second.>")] {
            let config = stream::Config {
                name: name.to_owned(),
                subjects: vec![subject.to_owned()],
                ..stream::Config::default()
            };
            jetstream.create_stream(config).await?;
        }
        let inbound = jetstream.get_stream(Stream::Inbound.name()).await?;
        let sample = inbound.get_last_raw_message_by_subject("hg.inbound.>").await?;
        let addresses = ground.addresses();
        let arguments = ["--nats", &addresses.nats, "--redis", &addresses.redis];
        let hop = Served::start("serve-hop", &arguments, &out.join("chain-hop.log")).await?;
        let arrivals = Arrivals::new();
        let mut messages = consume(&jetstream, SECOND, consumer::AckPolicy::None).await?;
        let arrived = arrivals.clone();
        tokio::spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let id = message.headers.as_ref().and_then(|headers| headers.get("Nats-Msg-Id"));
                if let Some(n) = id.and_then(|id| id.as_str().rsplit('_').next()?.parse().ok()) {
                    arrived.note(n);
                }
            }
        });
        Ok(Self {
            jetstream,
            hop,
            arrivals,
            headers: sample.headers,
            payload: sample.payload,
            next: 0,
            nats: ground.nats.pid().unwrap_or_default(),
        })
    }

    /// Bytes of one message's payload.
    pub(crate) fn size(&self) -> usize {
        self.payload.len()
    }

    /// `count` messages, this many a second; as fast as they are acknowledged without a rate.
    pub(crate) async fn run(&mut self, count: usize, per_second: Option<u32>) -> anyhow::Result<Figures> {
        let first = self.next;
        self.next += count as u64;
        let usage =
            Usage::of(&[("hop", self.hop.pid()), ("nats-server", self.nats), ("bench", std::process::id())]);
        let begun = Instant::now();
        let publish = |n: u64| {
            let mut headers = self.headers.clone();
            headers.insert("Nats-Msg-Id", format!("raw_{n:026}"));
            let (jetstream, payload) = (self.jetstream.clone(), self.payload.clone());
            async move {
                if let Some(rate) = per_second {
                    let due = begun + Duration::from_secs_f64((n - first) as f64 / f64::from(rate));
                    tokio::time::sleep_until(due.into()).await;
                }
                let sent = Instant::now();
                let subject = format!("bench.first.{}", n % 16);
                jetstream.publish_with_headers(subject, headers, payload).await?.await?;
                anyhow::Ok(sent)
            }
        };
        let sent: Vec<Instant> = futures_stream::iter(first..first + count as u64)
            .map(publish)
            .buffered(IN_FLIGHT)
            .try_collect()
            .await?;
        self.arrivals.wait_for(usize::try_from(self.next)?).await?;
        let last = self.arrivals.last(first..self.next).context("something arrived")?;
        let used = usage.end();
        Ok(Figures::new(self.arrivals.latencies(first, &sent), last - begun, count, &used))
    }
}

/// The hop: what it consumes from the first stream it publishes to the second, and acknowledges after the PubAck.
pub(crate) async fn serve(addresses: &Addresses) -> anyhow::Result<()> {
    let jetstream = jetstream::new(async_nats::connect(&addresses.nats).await?);
    let messages = consume(&jetstream, FIRST, consumer::AckPolicy::Explicit).await?;
    println!("127.0.0.1:0");
    let pass = messages.for_each_concurrent(IN_FLIGHT, |message| {
        let jetstream = jetstream.clone();
        async move {
            if let Err(error) = hop(&jetstream, message).await {
                eprintln!("{error:#}");
            }
        }
    });
    tokio::select! {
        () = pass => {}
        () = until_let_go() => {}
    }
    Ok(())
}

async fn hop(
    jetstream: &jetstream::Context,
    message: Result<jetstream::Message, consumer::pull::MessagesError>,
) -> anyhow::Result<()> {
    let message = message?;
    let subject = message.subject.replace("bench.first", "bench.second");
    let headers = message.headers.clone().unwrap_or_default();
    jetstream.publish_with_headers(subject, headers, message.payload.clone()).await?.await?;
    message.ack().await.map_err(|error| anyhow::anyhow!(error))
}

async fn consume(
    jetstream: &jetstream::Context,
    name: &str,
    ack_policy: consumer::AckPolicy,
) -> anyhow::Result<consumer::pull::Stream> {
    let stream = jetstream.get_stream(name).await?;
    let config = consumer::pull::Config { ack_policy, max_ack_pending: 10_000, ..Default::default() };
    let consumer = stream.create_consumer(config).await?;
    Ok(consumer.stream().max_messages_per_batch(512).messages().await?)
}
