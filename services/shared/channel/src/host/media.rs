//! Fetching media from a provider: bounded, and never with our credentials at somebody else's door.
//!
//! Each hop of a redirect is a request of its own: its address is resolved, checked and connected to like the first one's.

use bytes::Bytes;
use futures::stream;
use heliograph_proto::v1::MediaInfo;
use http::{HeaderMap, Method, StatusCode, header};
use reqwest::Response;
use url::Url;

use super::{
    ingress::wall_clock,
    outlet::{NoAnswer, Outlet},
};
use crate::{Account, Body, CarrierError, MediaStream, ProviderRequest, ProviderResponse};

/// Providers hand media over to their storage by redirect.
const REDIRECTS: usize = 3;

/// Fetches what `request` asks for, at most `limit` bytes of it. `explain` says why an answer is no medium where its body
/// tells more than its status.
pub(super) async fn fetch<S>(
    outlet: &Outlet,
    account: &Account<S>,
    mut request: ProviderRequest,
    limit: u64,
    explain: impl Fn(&ProviderResponse) -> Option<CarrierError>,
) -> Result<MediaStream, CarrierError> {
    // Nobody but the provider itself is asked why.
    let mut provider = true;
    for _ in 0..=REDIRECTS {
        let mut response = outlet.fetch(account, &request).await.map_err(|lost| match lost {
            NoAnswer::Invalid(why) => CarrierError::Refused(why),
            NoAnswer::NotSent(why) | NoAnswer::Unknown(why) => CarrierError::Provider(why),
        })?;
        let status = response.status();
        if status.is_redirection() {
            let next = follow(&request, &response)?;
            provider &= origin(&request.url) == origin(&next.url);
            request = next;
            continue;
        }
        // It has them, and is not done with making them ready.
        if status == StatusCode::ACCEPTED {
            return Err(CarrierError::Provider("they are not ready yet".to_owned()));
        }
        if !provider || (status.is_success() && !is_text(&response)) {
            by_status(status)?;
            let length = response.content_length();
            return open(response, None, length, limit);
        }
        // Of all of it: what was read counts no longer.
        let length = response.content_length();
        let beginning = chunk(&mut response).await?;
        let answer = ProviderResponse {
            status,
            headers: response.headers().clone(),
            body: beginning.clone().unwrap_or_default(),
            now_ms: wall_clock(),
        };
        if let Some(error) = explain(&answer) {
            return Err(error);
        }
        if status == StatusCode::UNAUTHORIZED {
            return Err(CarrierError::Unauthorized("it answered 401".to_owned()));
        }
        by_status(status)?;
        return open(response, beginning, length, limit);
    }
    Err(CarrierError::Provider("it redirects without end".to_owned()))
}

fn by_status(status: StatusCode) -> Result<(), CarrierError> {
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(CarrierError::NotFound),
        status => Err(CarrierError::Provider(format!("it answered {status}"))),
    }
}

/// Whether it may be words of the provider's in place of a medium.
fn is_text(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_none_or(|kind| kind.starts_with("text/") || kind.contains("json"))
}

fn origin(url: &str) -> Option<url::Origin> {
    Url::parse(url).ok().map(|url| url.origin())
}

async fn chunk(response: &mut Response) -> Result<Option<Bytes>, CarrierError> {
    response.chunk().await.map_err(|error| CarrierError::Provider(error.without_url().to_string()))
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

/// What is left of an answer, behind what was read of it.
fn open(
    response: Response,
    beginning: Option<Bytes>,
    length: Option<u64>,
    limit: u64,
) -> Result<MediaStream, CarrierError> {
    let too_large = move || CarrierError::Refused(format!("it is larger than {limit} bytes"));
    let length = length.unwrap_or(0);
    if length > limit {
        return Err(too_large());
    }
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let info = MediaInfo {
        content_type: text(header::CONTENT_TYPE).to_owned(),
        size_bytes: i64::try_from(length).unwrap_or(0),
        file_name: file_name(text(header::CONTENT_DISPOSITION)),
    };
    let chunks =
        stream::try_unfold((response, beginning, 0_u64), move |(mut response, beginning, read)| async move {
            let next = match beginning {
                Some(beginning) => Some(beginning),
                None => chunk(&mut response).await?,
            };
            let Some(next) = next else { return Ok(None) };
            let read = read + next.len() as u64;
            if read > limit { Err(too_large()) } else { Ok(Some((next, (response, None, read)))) }
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
