//! The widget's files and the demo page, as they are in `web/`.

use std::sync::LazyLock;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use sha2::{Digest as _, Sha256};

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file that is served.
#[derive(Debug)]
pub(crate) struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
    etag: String,
}

macro_rules! asset {
    ($name:literal, $type:expr) => {
        ($name, $type, include_str!(concat!("../web/", $name)))
    };
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let files = [
        asset!("widget.js", SCRIPT),
        asset!("color.js", SCRIPT),
        asset!("composer.js", SCRIPT),
        asset!("dom.js", SCRIPT),
        asset!("format.js", SCRIPT),
        asset!("messages.js", SCRIPT),
        asset!("session.js", SCRIPT),
        asset!("storage.js", SCRIPT),
        asset!("store.js", SCRIPT),
        asset!("strings.js", SCRIPT),
        asset!("styles.js", SCRIPT),
        asset!("transport.js", SCRIPT),
        asset!("upload.js", SCRIPT),
        asset!("view.js", SCRIPT),
        asset!("waiting.js", SCRIPT),
        asset!("demo.html", "text/html; charset=utf-8"),
        asset!("demo.css", "text/css; charset=utf-8"),
        asset!("icon.svg", "image/svg+xml"),
    ];
    let asset = |(name, content_type, content): (&'static str, &'static str, &'static str)| Asset {
        name,
        content_type,
        content,
        etag: format!("\"{}\"", &hex::encode(Sha256::digest(content))[..32]),
    };
    files.into_iter().map(asset).collect()
});

/// The asset called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

impl Asset {
    /// The answer to a request with these headers.
    pub(crate) fn respond(&self, request: &HeaderMap) -> Response {
        let known = request.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
        let unchanged = known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == self.etag));
        let mut response = if unchanged {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            Response::new(Body::from(self.content))
        };
        let headers = response.headers_mut();
        let mut set = |name: header::HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set(header::CONTENT_TYPE, self.content_type);
        set(header::ETAG, &self.etag);
        // A new version shows at the next page load; modules of two versions never meet for longer than a minute.
        set(header::CACHE_CONTROL, "public, max-age=60, must-revalidate");
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        // Modules are loaded by pages of other origins, without credentials.
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        set(header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
        if self.content_type.starts_with("text/html") {
            let host = request.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            set(header::CONTENT_SECURITY_POLICY, &demo_policy(host));
            set(header::REFERRER_POLICY, "no-referrer");
        }
        response
    }
}

/// What the demo page may do: what a careful shop's page would allow. Some browsers do not count WebSockets of the same
/// host as `'self'`, so they are named.
fn demo_policy(host: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    let sockets = if !host.is_empty() && host.bytes().all(plain) {
        format!(" ws://{host} wss://{host}")
    } else {
        String::new()
    };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data: blob:; \
         connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::{ASSETS, demo_policy, find};

    /// A module that is imported and not served breaks the widget on every page.
    #[test]
    fn every_module_that_is_imported_is_served() {
        for asset in ASSETS.iter() {
            for part in asset.content.split("from \"./").skip(1) {
                let name = part.split('"').next().unwrap_or_default();
                assert!(find(name).is_some(), "{} imports {name}", asset.name);
            }
        }
    }

    #[test]
    fn a_host_header_cannot_write_the_policy() {
        assert!(demo_policy("127.0.0.1:8080").contains("ws://127.0.0.1:8080 "));
        assert!(!demo_policy("x; script-src *").contains('*'));
    }
}
