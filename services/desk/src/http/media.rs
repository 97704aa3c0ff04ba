//! `GET /desk/media/<id>`: what customers and agents sent, to whoever is signed in or holds a ticket for it.

use axum::{
    body::Body,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use heliograph_fabric::subjects::is_token;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
};
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

use super::{Web, refuse};

/// Types a browser shows and cannot be made to run; everything else is a download.
const SHOWN: [&str; 9] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "audio/mpeg",
    "audio/ogg",
    "video/mp4",
    "video/webm",
];
/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

#[derive(Debug, Deserialize)]
pub(super) struct Ticket {
    ticket: Option<String>,
}

pub(super) async fn get(
    State(web): State<Web>,
    Path(id): Path<String>,
    Query(Ticket { ticket }): Query<Ticket>,
    headers: HeaderMap,
) -> Response {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let tenant = match (bearer, ticket) {
        (Some(token), _) => web.shared.users.identify(token).map(|identity| identity.tenant),
        (None, Some(ticket)) => web.shared.tokens.open_ticket(&ticket, &id),
        (None, None) => return refuse(StatusCode::UNAUTHORIZED, "not_signed_in", "sign in first"),
    };
    let tenant = match tenant {
        Ok(tenant) => tenant,
        Err(error) => return refuse(StatusCode::UNAUTHORIZED, error.code(), error.to_string()),
    };
    let missing = || refuse(StatusCode::NOT_FOUND, "not_found", "there is no such file");
    if !is_token(&id) {
        return missing();
    }
    let (info, reader) = match web.media.get(&tenant, &id).await {
        Ok(Some(found)) => found,
        Ok(None) => return missing(),
        Err(error) => {
            tracing::warn!(tenant, %error, "a medium cannot be read");
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "media_away", "the file cannot be read now");
        }
    };
    let kind = info.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let shown = SHOWN.contains(&kind.as_str());
    let kind = if shown { kind } else { "application/octet-stream".to_owned() };
    let disposition = if shown { "inline" } else { "attachment" };
    let body = futures::stream::try_unfold(reader, |mut reader| async move {
        let mut chunk = bytes::BytesMut::with_capacity(CHUNK);
        let read = reader.read_buf(&mut chunk).await?;
        Ok::<_, std::io::Error>((read > 0).then(|| (chunk.freeze(), reader)))
    });
    let mut response = Body::from_stream(body).into_response();
    let answered = response.headers_mut();
    for (header, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (CACHE_CONTROL, "private, max-age=3600"),
    ] {
        answered.insert(header, HeaderValue::from_static(value));
    }
    answered.insert(CONTENT_LENGTH, HeaderValue::from(info.size));
    let text = |value: &str| HeaderValue::from_str(value).ok();
    if let Some(kind) = text(&kind) {
        answered.insert(CONTENT_TYPE, kind);
    }
    if let Some(value) = text(&format!("{disposition}; filename=\"{}\"", file_name(&info.name))) {
        answered.insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// A name that means nothing to a header or a file system.
fn file_name(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ' ');
    let kept: String =
        name.chars().map(|letter| if plain(letter) { letter } else { '_' }).take(120).collect();
    let kept = kept.trim_matches(['.', ' ']).to_owned();
    if kept.is_empty() { "file".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn file_names_cannot_leave_their_header_or_folder() {
        assert_eq!(file_name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(file_name("a\"; x=\r\n\"b.png"), "a__ x____b.png");
        assert_eq!(file_name(" .. "), "file");
    }
}
