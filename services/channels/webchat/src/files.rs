//! Files of visitors: taken from those with a session, under names that only they can use.

use axum::{
    body::Body,
    http::{StatusCode, header, request::Parts},
    response::Response,
};
use heliograph_channel::Account;
use heliograph_domain::ids;
use heliograph_media::{IntakeError, Links, Origin};
use heliograph_store::rate::{Permit, Rate};
use serde_json::json;

use crate::{
    WebChatSettings,
    routes::{Context, Refused, json_response},
    session::draw_id,
};

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
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<u64>().ok());
    // Read into memory, so only a few come in at a time.
    let _turn = shared.uploads.acquire().await.map_err(|error| Refused::away(&error))?;
    let content = body.into_data_stream();
    let arrived = shared
        .intake
        .collect(content, announced, limits.upload_bytes)
        .await
        .map_err(|error| refused(&error))?;
    let size = arrived.content().len();
    #[expect(clippy::cast_precision_loss, reason = "a limit need not be exact to the byte")]
    let (per_minute, size) = (limits.upload_bytes_per_minute as f64, size as f64);
    let bucket = ["webchat", &account.name, "upload", &session.visitor];
    let rate = Rate::new(per_minute / 60.0, per_minute);
    if let Permit::RetryAfter(_) = shared.rate.take(&account.tenant, &bucket, rate, size).await {
        return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many files at a time"));
    }
    let name = file_name(parts.uri.query().unwrap_or_default());
    let (tenant, visitor) = (account.tenant.as_str(), session.visitor.as_str());
    let id = ids::derive(ids::MEDIA, &[tenant, &account.name, visitor, &draw_id("m")]);
    let stored = shared.intake.store_as(tenant, &id, &name, Origin::Upload, &arrived).await;
    let info = stored.map_err(|error| refused(&error))?;
    let body = json!({
        "id": shared.links.claim(&owner(tenant, &account.name, visitor), &id),
        "url": link(&shared.links, tenant, &id, heliograph_store::now_ms()),
        "name": info.name, "type": info.content_type, "size": info.size,
    });
    Ok(json_response(StatusCode::CREATED, &body))
}

/// Whose an upload is: only they may send it.
pub(crate) fn owner<'a>(tenant: &'a str, account: &'a str, visitor: &'a str) -> [&'a str; 4] {
    ["webchat", tenant, account, visitor]
}

/// Where a medium can be fetched, relative to `/webchat/<account>/`.
pub(crate) fn link(links: &Links, tenant: &str, id: &str, now_ms: i64) -> String {
    format!("media/{id}?{}", links.query(tenant, id, now_ms))
}

fn refused(error: &IntakeError) -> Refused {
    match error.code() {
        "too_large" => Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", "the file is too large"),
        "file_type" => Refused::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "file_type",
            "files of this type are not accepted",
        ),
        "infected" | "not_scannable" => Refused::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "file_harmful",
            "the virus scanner refuses the file",
        ),
        "broken_off" => Refused::new(StatusCode::BAD_REQUEST, "broken_off", "the file broke off"),
        _ => Refused::away(error),
    }
}

/// The name the visitor gave the file, as far as it is one.
fn file_name(query: &str) -> String {
    let given = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "name");
    let name = heliograph_media::file_name(&given.map(|(_, value)| value).unwrap_or_default());
    if name.is_empty() { "file".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_file_has_a_name() {
        assert_eq!(file_name("name=..%2F..%2Fetc%2Fpasswd"), "passwd");
        assert_eq!(file_name("name=a%0d%0ab.png"), "ab.png");
        assert_eq!(file_name(""), "file");
    }
}
