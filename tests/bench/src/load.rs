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

/// What came of it.
pub(crate) struct Outcome {
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// From sending each request to the end of its answer, in microseconds.
    pub(crate) latencies: Vec<u32>,
}

/// When requests are sent.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// Each connection sends the next when it has its answer.
    AsFastAsAnswered,
    /// This many a second, whatever is answered; a latency counts from when its request was due.
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
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(requests.len())));
    let (requests, next) = (Rc::new(requests), Rc::new(Cell::new(0)));
    let begun = Instant::now();
    let tasks: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            let (requests, next, latencies) = (Rc::clone(&requests), Rc::clone(&next), Rc::clone(&latencies));
            tokio::task::spawn_local(connection(stream, requests, next, latencies, begun, pace))
        })
        .collect();
    for task in tasks {
        task.await.context("a connection's task panicked")??;
    }
    let elapsed = begun.elapsed();
    Ok(Outcome { elapsed, latencies: latencies.take() })
}

async fn connection(
    mut stream: TcpStream,
    requests: Rc<Vec<Bytes>>,
    next: Rc<Cell<usize>>,
    latencies: Rc<RefCell<Vec<u32>>>,
    begun: Instant,
    pace: Pace,
) -> anyhow::Result<()> {
    let mut answer = Vec::with_capacity(1024);
    loop {
        let at = next.get();
        let Some(request) = requests.get(at) else { return Ok(()) };
        next.set(at + 1);
        let since = match pace {
            Pace::AsFastAsAnswered => Instant::now(),
            Pace::PerSecond(rate) => {
                let due = begun + Duration::from_secs_f64(at as f64 / f64::from(rate));
                tokio::time::sleep_until(due.into()).await;
                due
            }
        };
        stream.write_all(request).await?;
        answer.clear();
        read_answer(&mut stream, &mut answer).await?;
        let taken = u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX);
        latencies.borrow_mut().push(taken);
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
