//! What a connection is doing: how many requests are in flight, since when it rests, since when a head is coming in.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Shared by the connection, its stream and the requests on it. Times are milliseconds since it was accepted.
///
/// Updated without ordering between the fields: the watchdog that reads them is coarse, and a moment's disagreement
/// only moves a deadline by one tick.
#[derive(Clone)]
pub(super) struct Activity(Arc<State>);

struct State {
    accepted: Instant,
    in_flight: AtomicUsize,
    served_any: AtomicBool,
    http2: AtomicBool,
    resting_since: AtomicU64,
    /// 0 when nothing of a head has come yet.
    head_since: AtomicU64,
    _counted: TaskTrackerToken,
}

impl Activity {
    pub(super) fn new(counted: TaskTrackerToken) -> Self {
        Self(Arc::new(State {
            accepted: Instant::now(),
            in_flight: AtomicUsize::new(0),
            served_any: AtomicBool::new(false),
            http2: AtomicBool::new(false),
            resting_since: AtomicU64::new(0),
            head_since: AtomicU64::new(0),
            _counted: counted,
        }))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.accepted.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes the head of a request; it is in flight until the guard is dropped.
    pub(super) fn request(&self, http2: bool) -> InFlight {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        self.0.head_since.store(0, Ordering::Relaxed);
        self.0.http2.store(http2, Ordering::Relaxed);
        self.0.served_any.store(true, Ordering::Relaxed);
        InFlight(self.clone())
    }

    fn bytes_came(&self) {
        let state = &self.0;
        // HTTP/2 frames between requests are pings and settings, no heads.
        if state.in_flight.load(Ordering::Relaxed) == 0
            && !state.http2.load(Ordering::Relaxed)
            && state.head_since.load(Ordering::Relaxed) == 0
        {
            state.head_since.store(self.now().max(1), Ordering::Relaxed);
        }
    }

    /// Whether any request has come yet.
    pub(super) fn served_any(&self) -> bool {
        self.0.served_any.load(Ordering::Relaxed)
    }

    /// For how long a head has been coming in, if one is.
    pub(super) fn reading_head(&self) -> Option<Duration> {
        let since = self.0.head_since.load(Ordering::Relaxed);
        (since > 0 && self.0.in_flight.load(Ordering::Relaxed) == 0)
            .then(|| Duration::from_millis(self.now().saturating_sub(since)))
    }

    /// For how long nothing has been in flight, if nothing is.
    pub(super) fn resting(&self) -> Option<Duration> {
        let since = self.0.resting_since.load(Ordering::Relaxed);
        (self.0.in_flight.load(Ordering::Relaxed) == 0)
            .then(|| Duration::from_millis(self.now().saturating_sub(since)))
    }

    /// Wraps the connection's stream, so that what comes in is noticed.
    pub(super) fn watch<T>(&self, stream: T) -> Watched<T> {
        Watched { stream, activity: self.clone() }
    }
}

/// A request in flight, up to the last byte of its response's body.
pub(super) struct InFlight(Activity);

impl Drop for InFlight {
    fn drop(&mut self) {
        let now = self.0.now();
        self.0.0.resting_since.store(now, Ordering::Relaxed);
        self.0.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A response body that keeps its request in flight until it has been sent.
pub(super) struct Sending {
    body: axum::body::Body,
    _request: InFlight,
}

impl Sending {
    pub(super) fn new(body: axum::body::Body, request: InFlight) -> Self {
        Self { body, _request: request }
    }
}

impl Body for Sending {
    type Data = bytes::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream whose incoming bytes are noticed.
pub(super) struct Watched<T> {
    stream: T,
    activity: Activity,
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.bytes_came();
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
