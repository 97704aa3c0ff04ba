//! The page, compiled in.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use heliograph_domain::ids;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};

use super::refuse;

/// Scripts, styles and connections from here alone and nothing inline; pictures and recordings also from where providers
/// keep them.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' https: data: blob:; media-src 'self' https: blob:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// The page uses none of these.
const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=()";

macro_rules! table {
    ($($name:literal),+ $(,)?) => {
        [$(Asset { name: $name, content: include_str!(concat!("../../web/", $name)) }),+]
    };
}

#[derive(Debug, Clone, Copy)]
struct Asset {
    name: &'static str,
    content: &'static str,
}

static ASSETS: [Asset; 38] = table![
    "answering.js",
    "api.js",
    "attachments.js",
    "board.css",
    "board.js",
    "carriage.js",
    "client.js",
    "colleagues.js",
    "conversation.js",
    "desk.css",
    "details.js",
    "dialogs.js",
    "dom.js",
    "finder.js",
    "format.js",
    "geography.js",
    "globe.js",
    "icon.svg",
    "index.html",
    "login.js",
    "main.js",
    "map.css",
    "map.js",
    "media.js",
    "messages.js",
    "model.js",
    "parts.js",
    "past.js",
    "pool.js",
    "sidebar.js",
    "socket.js",
    "supervising.js",
    "toasts.js",
    "transcript.js",
    "upload.js",
    "verdict.js",
    "wire.js",
    "world.js",
];

/// Each asset's entity tag.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    ASSETS.iter().map(|asset| format!("\"{}\"", ids::derive("web", &[asset.content]))).collect()
});

/// `/desk/`
pub(super) async fn index(headers: HeaderMap) -> Response {
    serve("index.html", &headers)
}

/// `/desk/<file>`
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    serve(&name, &headers)
}

fn serve(name: &str, asked: &HeaderMap) -> Response {
    let Some(at) = ASSETS.iter().position(|asset| asset.name == name) else {
        return refuse(StatusCode::NOT_FOUND, "not_found", "the desk has no such file");
    };
    let (asset, tag) = (ASSETS[at], TAGS[at].as_str());
    let known = asked.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let fresh = known.is_some_and(|tags| {
        tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag || known.trim() == "*")
    });
    let mut response = if fresh {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, content_type(name))], asset.content).into_response()
    };
    let headers = response.headers_mut();
    for (header, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        // Asked for each time, answered with 304: a new release is there at once.
        (CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(header, HeaderValue::from_static(value));
    }
    headers.insert(ETAG, HeaderValue::from_str(tag).expect("a derived id is a header value"));
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_of_the_page_is_compiled_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let files = files.filter(|entry| entry.file_type().unwrap().is_file());
        let names: BTreeSet<String> = files
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| name != "package.json")
            .collect();
        let table: BTreeSet<String> = ASSETS.iter().map(|asset| asset.name.to_owned()).collect();
        assert_eq!(names, table);
        assert!(ASSETS.iter().all(|asset| content_type(asset.name) != "application/octet-stream"));
    }

    #[test]
    fn the_page_has_nothing_inline_that_its_policy_forbids() {
        let page = ASSETS.iter().find(|asset| asset.name == "index.html").unwrap().content;
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains("javascript:"));
        assert!(page.split("<script").skip(1).all(|script| script.contains(" src=")));
    }
}
