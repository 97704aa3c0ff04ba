//! Files: taken from visitors after a look at their bytes, and given out by links that expire.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use bytes::Bytes;
use futures::stream;
use heliograph_channel::Account;
use heliograph_domain::ids;
use heliograph_store::{
    objects::ObjectReader,
    rate::{Permit, Rate},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::{
    Shared, WebChatSettings,
    routes::{Context, Refused, json_response},
    session::draw_id,
    sniff,
};

/// Longest file name that is kept, in characters.
const NAME: usize = 200;
/// Given out in pieces of this size.
const PIECE: usize = 64 * 1024;

/// Takes a file of a visitor with a session.
pub(crate) async fn upload(
    context: &Context,
    account: &Account<WebChatSettings>,
    parts: &Parts,
    body: Body,
) -> Result<Response, Refused> {
    let shared = &context.shared;
    let session = context.bearer(account, &parts.headers).await?;
    let limits = &account.settings.limits;
    let too_large = || Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", "the file is too large");
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced
        .and_then(|length| length.parse::<u64>().ok())
        .is_some_and(|length| length > limits.upload_bytes)
    {
        return Err(too_large());
    }
    let most = usize::try_from(limits.upload_bytes).unwrap_or(usize::MAX);
    // Files are held in memory until they are stored, so only a few come in at a time.
    let _turn = shared.uploads.acquire().await.map_err(|error| Refused::away(&error))?;
    let content = match Limited::new(body, most).collect().await {
        Ok(content) => content.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(_) => {
            return Err(Refused::new(StatusCode::BAD_REQUEST, "broken_off", "the file broke off"));
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a limit need not be exact to the byte")]
    let (per_minute, size) = (limits.upload_bytes_per_minute as f64, content.len() as f64);
    let bucket = ["webchat", &account.name, "upload", &session.visitor];
    let rate = Rate::new(per_minute / 60.0, per_minute);
    if let Permit::RetryAfter(_) = shared.rate.take(&account.tenant, &bucket, rate, size).await {
        return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many files at a time"));
    }
    let name = file_name(parts.uri.query().unwrap_or_default());
    let kind = sniff::content_type(&content, &name).ok_or_else(|| {
        Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "file_type", "files of this type are not accepted")
    })?;
    let (tenant, visitor) = (account.tenant.as_str(), session.visitor.as_str());
    let id = ids::derive(ids::MEDIA, &[tenant, &account.name, visitor, &draw_id("m")]);
    let stored = shared.media.put(tenant, &id, kind, &name, &mut &content[..], limits.upload_bytes).await;
    let info = stored.map_err(|error| Refused::away(&error))?;
    let body = json!({
        "id": shared.links.upload(tenant, &account.name, visitor, &id),
        "url": shared.links.media(tenant, &account.name, &id, heliograph_store::now_ms()),
        "name": info.name, "type": info.content_type, "size": info.size,
    });
    Ok(json_response(StatusCode::CREATED, &body))
}

/// The name the visitor gave the file, as far as it is one.
fn file_name(query: &str) -> String {
    let given = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "name");
    let given = given.map(|(_, value)| value.into_owned()).unwrap_or_default();
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|char| !char.is_control()).take(NAME).collect();
    let name = clean.trim().trim_start_matches('.');
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

/// Gives out a medium to whoever has a good link.
pub(crate) async fn media(
    shared: &Shared,
    account: &Account<WebChatSettings>,
    id: &str,
    query: &str,
) -> Result<Response, Refused> {
    let asked = |wanted: &str| {
        let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == wanted);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let now_ms = heliograph_store::now_ms();
    if !shared.links.is_media(&account.tenant, &account.name, id, &asked("exp"), &asked("sig"), now_ms) {
        return Err(Refused::new(StatusCode::FORBIDDEN, "link", "the link is not good (any more)"));
    }
    let found = shared.media.get(&account.tenant, id).await.map_err(|error| Refused::away(&error))?;
    let gone = || Refused::new(StatusCode::NOT_FOUND, "gone", "the file is not there any more");
    let (info, reader) = found.ok_or_else(gone)?;
    let inline = sniff::is_inline(&info.content_type);
    let mut response = Response::new(Body::from_stream(pieces(reader)));
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    // What the sender called it is not what a browser should believe; nothing but pictures is shown in line.
    set(header::CONTENT_TYPE, if inline { &info.content_type } else { "application/octet-stream" });
    set(header::CONTENT_LENGTH, &info.size.to_string());
    set(header::CONTENT_DISPOSITION, &disposition(inline, &info.name));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    set(header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    set(header::CACHE_CONTROL, "private, max-age=3600");
    set(header::REFERRER_POLICY, "no-referrer");
    Ok(response)
}

fn pieces(reader: ObjectReader) -> impl stream::Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold(reader, |mut reader| async move {
        let mut piece = vec![0; PIECE];
        let read = reader.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(piece), reader)))
    })
}

/// RFC 6266, with the name as RFC 8187 wants it.
fn disposition(inline: bool, name: &str) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    format!("{kind}; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::{disposition, file_name};

    #[test]
    fn names_lose_what_is_no_name() {
        assert_eq!(file_name("name=..%2F..%2Fetc%2Fpasswd"), "passwd");
        assert_eq!(file_name("name=a%0d%0ab.png"), "ab.png");
        assert_eq!(file_name("name=.htaccess"), "htaccess");
        assert_eq!(file_name(""), "file");
        assert_eq!(disposition(false, "Ü \"x\".png"), "attachment; filename*=UTF-8''%C3%9C%20%22x%22.png");
    }
}
