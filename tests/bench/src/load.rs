//! The load: requests that were made before, over kept connections, on one thread that does nothing else.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::LocalSet,
};

/// Resolution of the timer that paces requests, and a little more.
const TIMER: Duration = Duration::from_millis(2);

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) begun: Instant,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// When each request was sent, in the order they were given.
    pub(crate) sent: Vec<Instant>,
    /// From sending each request to the end of its answer, in microseconds.
    pub(crate) latencies: Vec<u32>,
}

/// When requests are sent.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// Each connection sends the next when it has its answer.
    AsFastAsAnswered,
    /// This many a second, whatever is answered. A request that could not be sent when it was due counts from then.
    PerSecond(u32),
}

/// Sends `requests` to `addr` over `connections`. Fails when one is not answered 200.
pub(crate) async fn send(
    addr: SocketAddr,
    requests: Vec<Bytes>,
    connections: usize,
    pace: Pace,
) -> anyhow::Result<Outcome> {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, run(addr, requests, connections, pace))
    };
    tokio::task::spawn_blocking(work).await.context("the load's thread panicked")?
}

async fn run(
    addr: SocketAddr,
    requests: Vec<Bytes>,
    connections: usize,
    pace: Pace,
) -> anyhow::Result<Outcome> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(addr).await.with_context(|| format!("cannot connect to {addr}"))?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let begun = Instant::now();
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(requests.len())));
    let sent = Rc::new(RefCell::new(vec![begun; requests.len()]));
    let (requests, next) = (Rc::new(requests), Rc::new(Cell::new(0)));
    let tasks: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            let work = Work {
                requests: Rc::clone(&requests),
                next: Rc::clone(&next),
                latencies: Rc::clone(&latencies),
                sent: Rc::clone(&sent),
                begun,
                pace,
            };
            tokio::task::spawn_local(connection(stream, work))
        })
        .collect();
    for task in tasks {
        task.await.context("a connection's task panicked")??;
    }
    let elapsed = begun.elapsed();
    Ok(Outcome { begun, elapsed, sent: sent.take(), latencies: latencies.take() })
}

/// What a connection shares with the others.
struct Work {
    requests: Rc<Vec<Bytes>>,
    next: Rc<Cell<usize>>,
    latencies: Rc<RefCell<Vec<u32>>>,
    sent: Rc<RefCell<Vec<Instant>>>,
    begun: Instant,
    pace: Pace,
}

async fn connection(mut stream: TcpStream, work: Work) -> anyhow::Result<()> {
    let mut answer = Vec::with_capacity(1024);
    loop {
        let at = work.next.get();
        let Some(request) = work.requests.get(at) else { return Ok(()) };
        work.next.set(at + 1);
        let since = match work.pace {
            Pace::AsFastAsAnswered => Instant::now(),
            Pace::PerSecond(rate) => {
                let due = work.begun + Duration::from_secs_f64(at as f64 / f64::from(rate));
                tokio::time::sleep_until(due.into()).await;
                let now = Instant::now();
                // The timer may be this much late by itself.
                if now - due > TIMER { due } else { now }
            }
        };
        work.sent.borrow_mut()[at] = since;
        stream.write_all(request).await?;
        answer.clear();
        read_answer(&mut stream, &mut answer).await?;
        let taken = u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX);
        work.latencies.borrow_mut().push(taken);
    }
}

/// Reads one answer whole; anything but 200 is an error.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<()> {
    loop {
        ensure!(stream.read_buf(answer).await? > 0, "the connection was closed under a request");
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end])?;
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(Ok(0), |(_, length)| length.trim().parse::<usize>())?;
        if !head.starts_with("HTTP/1.1 200") {
            bail!("answered {}", String::from_utf8_lossy(answer));
        }
        if answer.len() >= end + 4 + length {
            return Ok(());
        }
    }
}
