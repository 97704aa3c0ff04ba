//! The one way out: a medium over HTTP, to whoever has a good link or is otherwise known to the caller.

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use bytes::Bytes;
use futures::{Stream, stream};
use heliograph_domain::ids;
use heliograph_store::{
    media::{MediaInfo, MediaStore, Medium, Refusal},
    objects::ObjectReader,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::{
    Links, Query, SCANNER_AWAY,
    name::disposition,
    sniff::{self, UNKNOWN},
};

/// Given out in pieces of this size.
const PIECE: usize = 64 * 1024;
/// When to ask again for a medium that is not there yet, and for anything when the store is away, in seconds.
const AGAIN: u64 = 5;

/// Why a medium is not given out; answered as `{"error": {"code": …, "message": …}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Status.
    pub status: StatusCode,
    /// A short stable word.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Refused {
    fn new(status: StatusCode, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// Whether asking again may help.
    pub fn is_passing(&self) -> bool {
        self.code == "not_there" || self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    /// The answer.
    pub fn respond(&self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.is_passing() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(AGAIN));
        }
        response
    }
}

impl From<Refusal> for Refused {
    /// What was harmful is forbidden; what waits for the scanner may come; what the provider no longer had, or was too
    /// large, is gone.
    fn from(Refusal { code, reason }: Refusal) -> Self {
        let status = match code.as_str() {
            "file_type" | "infected" | "not_scannable" => StatusCode::FORBIDDEN,
            SCANNER_AWAY => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::GONE,
        };
        Self { status, code, message: reason }
    }
}

/// Gives out media. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Face {
    store: MediaStore,
    links: Links,
}

impl Face {
    /// Out of `store`, by `links`.
    pub fn new(store: MediaStore, links: Links) -> Self {
        Self { store, links }
    }

    /// `GET /media/<tenant>/<id>?exp=…&sig=…`: where [`Links::path`] leads.
    pub fn router(self) -> Router {
        Router::new().route("/media/{tenant}/{id}", get(linked)).with_state(self)
    }

    /// Answers a request that came by a link with this query.
    ///
    /// # Errors
    /// What to answer instead.
    pub async fn by_link(
        &self,
        tenant: &str,
        id: &str,
        query: &str,
        headers: &HeaderMap,
    ) -> Result<Response, Refused> {
        let now_ms = heliograph_store::now_ms();
        if !self.links.is_good(tenant, id, &Query::read(query), now_ms) {
            return Err(Refused::new(StatusCode::FORBIDDEN, "link", "the link is not good (any more)"));
        }
        self.give(tenant, id, headers).await
    }

    /// Answers a request of somebody who may have the tenant's media.
    ///
    /// # Errors
    /// What to answer instead.
    pub async fn give(&self, tenant: &str, id: &str, headers: &HeaderMap) -> Result<Response, Refused> {
        let not_there = || {
            Refused::new(StatusCode::NOT_FOUND, "not_there", "the file is not there; it may be on its way")
        };
        if !ids::is_name(tenant) {
            return Err(not_there());
        }
        let found = self.store.find(tenant, id).await.map_err(|error| {
            tracing::warn!(tenant, error = &error as &dyn std::error::Error, "a medium cannot be read");
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the file cannot be read now")
        })?;
        match found {
            Some(Medium::Here((info, reader))) => Ok(answer(&info, reader, headers).await),
            Some(Medium::Refused(refusal)) => Err(refusal.into()),
            None => Err(not_there()),
        }
    }
}

async fn linked(
    State(face): State<Face>,
    Path((tenant, id)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let given = face.by_link(&tenant, &id, uri.query().unwrap_or_default(), &headers).await;
    given.unwrap_or_else(|refused| refused.respond())
}

async fn answer(info: &MediaInfo, mut reader: ObjectReader, asked: &HeaderMap) -> Response {
    let range = asked.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (from, length, status) = match range.map_or(Range::Whole, |range| Range::read(range, info.size)) {
        Range::Whole => (0, info.size, StatusCode::OK),
        Range::Part { from, to } => (from, to - from + 1, StatusCode::PARTIAL_CONTENT),
        Range::None => return unsatisfiable(info.size),
    };
    // Places that cannot begin in the middle are read from their beginning: media are bounded.
    if let Err(error) = tokio::io::copy(&mut (&mut reader).take(from), &mut tokio::io::sink()).await {
        tracing::warn!(%error, "a medium broke off");
        let broken =
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the file cannot be read now");
        return broken.respond();
    }
    let inline = sniff::is_inline(&info.content_type);
    let mut response = Response::new(Body::from_stream(pieces(Box::pin(reader.take(length)))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    // What cannot run is shown or played in line; everything else is a download of no type that anything opens by itself.
    set(header::CONTENT_TYPE, if inline { &info.content_type } else { UNKNOWN });
    set(header::CONTENT_LENGTH, &length.to_string());
    set(header::CONTENT_DISPOSITION, &disposition(inline, &info.name));
    set(header::ACCEPT_RANGES, "bytes");
    if status == StatusCode::PARTIAL_CONTENT {
        set(header::CONTENT_RANGE, &format!("bytes {from}-{}/{}", from + length - 1, info.size));
    }
    set(header::ETAG, &format!("\"{}\"", info.sha256));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    // Whoever has the link may show it, on whatever page.
    set(HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    set(header::CACHE_CONTROL, "private, max-age=3600");
    set(header::REFERRER_POLICY, "no-referrer");
    response
}

fn unsatisfiable(size: u64) -> Response {
    let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

fn pieces(reader: ObjectReader) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold(reader, |mut reader| async move {
        let mut piece = bytes::BytesMut::with_capacity(PIECE);
        let read = reader.read_buf(&mut piece).await?;
        Ok((read > 0).then(|| (piece.freeze(), reader)))
    })
}

/// What a `Range` header asks for (RFC 9110, 14.2). Players ask for one range; several are answered with the whole.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part { from: u64, to: u64 },
    None,
}

impl Range {
    fn read(text: &str, size: u64) -> Self {
        let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'))
        else {
            return Self::Whole;
        };
        let number = |text: &str| text.trim().parse::<u64>();
        let (from, to) = match (number(first), number(last)) {
            (Ok(from), Ok(to)) if from <= to => (from, to),
            (Ok(from), Err(_)) if last.trim().is_empty() => (from, u64::MAX),
            // So many of the last.
            (Err(_), Ok(suffix)) if first.trim().is_empty() => {
                if suffix == 0 {
                    return Self::None;
                }
                (size.saturating_sub(suffix), u64::MAX)
            }
            _ => return Self::Whole,
        };
        if from >= size { Self::None } else { Self::Part { from, to: to.min(size - 1) } }
    }
}

#[cfg(test)]
mod tests;
