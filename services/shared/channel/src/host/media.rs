//! Fetching media from a provider: bounded, and never with our credentials at somebody else's door.
//!
//! Each hop of a redirect is a request of its own: its address is resolved, checked and connected to like the first one's.

use futures::stream;
use heliograph_proto::v1::MediaInfo;
use http::{HeaderMap, Method, StatusCode, header};
use reqwest::Response;
use url::Url;

use super::outlet::{NoAnswer, Outlet};
use crate::{Account, Body, CarrierError, MediaStream, ProviderRequest};

/// Providers hand media over to their storage by redirect.
const REDIRECTS: usize = 3;

/// Fetches what `request` asks for, at most `limit` bytes of it.
pub(super) async fn fetch<S>(
    outlet: &Outlet,
    account: &Account<S>,
    mut request: ProviderRequest,
    limit: u64,
) -> Result<MediaStream, CarrierError> {
    for _ in 0..=REDIRECTS {
        let response = outlet.fetch(account, &request).await.map_err(|lost| match lost {
            NoAnswer::Invalid(why) => CarrierError::Refused(why),
            NoAnswer::NotSent(why) | NoAnswer::Unknown(why) => CarrierError::Provider(why),
        })?;
        match response.status() {
            // It has them, and is not done with making them ready.
            StatusCode::ACCEPTED => {
                return Err(CarrierError::Provider("they are not ready yet".to_owned()));
            }
            status if status.is_success() => return open(response, limit),
            status if status.is_redirection() => request = follow(&request, &response)?,
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(CarrierError::NotFound),
            status => return Err(CarrierError::Provider(format!("it answered {status}"))),
        }
    }
    Err(CarrierError::Provider("it redirects without end".to_owned()))
}

/// The request a redirect asks for; to another origin it carries nothing of ours.
fn follow(request: &ProviderRequest, response: &Response) -> Result<ProviderRequest, CarrierError> {
    let from =
        Url::parse(&request.url).map_err(|_| CarrierError::Refused("the URL is not valid".to_owned()))?;
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let to = location
        .and_then(|location| from.join(location).ok())
        .filter(|to| matches!(to.scheme(), "http" | "https"))
        .ok_or_else(|| CarrierError::Provider("it redirects to nowhere".to_owned()))?;
    let headers = if to.origin() == from.origin() { request.headers.clone() } else { HeaderMap::new() };
    Ok(ProviderRequest { method: Method::GET, url: to.into(), headers, body: Body::Empty })
}

fn open(response: Response, limit: u64) -> Result<MediaStream, CarrierError> {
    let too_large = move || CarrierError::Refused(format!("it is larger than {limit} bytes"));
    let length = response.content_length().unwrap_or(0);
    if length > limit {
        return Err(too_large());
    }
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let info = MediaInfo {
        content_type: text(header::CONTENT_TYPE).to_owned(),
        size_bytes: i64::try_from(length).unwrap_or(0),
        file_name: file_name(text(header::CONTENT_DISPOSITION)),
    };
    let chunks = stream::try_unfold((response, 0_u64), move |(mut response, read)| async move {
        let chunk = response
            .chunk()
            .await
            .map_err(|error| CarrierError::Provider(error.without_url().to_string()))?;
        let Some(chunk) = chunk else { return Ok(None) };
        let read = read + chunk.len() as u64;
        if read > limit { Err(too_large()) } else { Ok(Some((chunk, (response, read)))) }
    });
    Ok(MediaStream { info, chunks: Box::pin(chunks) })
}

/// The plain `filename` of a `Content-Disposition` (RFC 6266), without any path; empty when there is none.
fn file_name(disposition: &str) -> String {
    let named = disposition.split(';').filter_map(|part| part.trim().strip_prefix("filename="));
    let name = named.map(|name| name.trim_matches('"')).next().unwrap_or_default();
    name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_file_name_never_holds_a_path() {
        assert_eq!(file_name(r#"attachment; filename="a b.png""#), "a b.png");
        assert_eq!(file_name("attachment; filename=../../etc/passwd"), "passwd");
        assert_eq!(file_name("inline"), "");
    }
}
